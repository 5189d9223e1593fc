//! Answers, paging and how a request reads inside.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::refusal::Refusal;

/// A request, taken apart.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub method: String,
    /// The path without the API's prefix, percent-encoded.
    pub path: String,
    pub query: Vec<(String, String)>,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Request {
    /// A parameter of the query; an empty one counts as not given.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(key, value)| key == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }

    /// The body as a JSON object; none counts as an empty one.
    pub fn json(&self) -> Result<Value, Refusal> {
        if self.body.is_empty() {
            return Ok(json!({}));
        }
        let value: Value =
            serde_json::from_slice(&self.body).map_err(|_| Refusal::new(400, "Problems parsing JSON"))?;
        if value.is_object() || value.is_array() {
            Ok(value)
        } else {
            Err(Refusal::new(400, "Body should be a JSON object"))
        }
    }
}

/// What is sent back.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub status: u16,
    /// Null stands for an empty body.
    pub body: Value,
    pub headers: Vec<(&'static str, String)>,
}

impl Answer {
    pub fn new(status: u16, body: Value) -> Self {
        Self {
            status,
            body,
            headers: Vec::new(),
        }
    }

    pub fn ok(body: Value) -> Self {
        Self::new(200, body)
    }

    /// 201 with the new thing's address.
    pub fn created(body: Value) -> Self {
        let location = body["url"].as_str().map(str::to_owned);
        let answer = Self::new(201, body);
        match location {
            Some(url) => answer.with("location", url),
            None => answer,
        }
    }

    pub fn empty(status: u16) -> Self {
        Self::new(status, Value::Null)
    }

    pub fn with(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        let mut body = json!({
            "message": refusal.message,
            "documentation_url": "https://docs.github.com/rest",
            "status": refusal.status.to_string(),
        });
        if !refusal.errors.is_empty() {
            body["errors"] = Value::from(refusal.errors);
        }
        Self::new(refusal.status, body)
    }
}

/// One page of a list: what was asked for by `per_page` and `page`, with GitHub's bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Page {
    pub size: usize,
    pub number: usize,
}

impl Page {
    pub fn of(request: &Request) -> Self {
        let number = |name: &str| {
            request
                .param(name)
                .and_then(|text| text.parse::<usize>().ok())
                .filter(|n| *n > 0)
        };
        Self {
            size: number("per_page").unwrap_or(30).min(100),
            number: number("page").unwrap_or(1),
        }
    }
}

/// Cuts a page out of a list and says in `Link` where the others are.
pub(super) fn paged(base: &str, request: &Request, all: Vec<Value>) -> Answer {
    let page = Page::of(request);
    let total = all.len();
    let last = total.div_ceil(page.size).max(1);
    let items: Vec<Value> = all
        .into_iter()
        .skip((page.number - 1) * page.size)
        .take(page.size)
        .collect();
    let answer = Answer::ok(items.into());
    let mut links = Vec::new();
    let mut link = |rel: &str, number: usize| {
        links.push(format!(
            "<{}>; rel=\"{rel}\"",
            address(base, request, &[("page", number.to_string())])
        ));
    };
    if page.number > 1 {
        link("prev", (page.number - 1).min(last));
    }
    if page.number < last {
        link("next", page.number + 1);
        link("last", last);
    }
    if page.number > 1 {
        link("first", 1);
    }
    if links.is_empty() {
        answer
    } else {
        answer.with("link", links.join(", "))
    }
}

/// The address of this request with some parameters replaced.
pub(super) fn address(base: &str, request: &Request, replaced: &[(&str, String)]) -> String {
    let mut pairs = url::form_urlencoded::Serializer::new(String::new());
    for (key, value) in &request.query {
        if !replaced.iter().any(|(name, _)| name == key) {
            pairs.append_pair(key, value);
        }
    }
    for (key, value) in replaced {
        pairs.append_pair(key, value);
    }
    format!("{base}{}?{}", request.path, pairs.finish())
}
