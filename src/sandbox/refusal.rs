//! Why this GitHub does not do what was asked.

use serde_json::{Value, json};

/// A refusal in GitHub's words: what the API answers, and what a person reads on the page.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{}", self.words())]
pub struct Refusal {
    /// The status of the answer.
    pub status: u16,
    /// GitHub's `message`.
    pub message: String,
    /// GitHub's `errors`, which may be empty.
    pub errors: Vec<Value>,
}

impl Refusal {
    pub(super) fn new(status: u16, message: &str) -> Self {
        Self {
            status,
            message: message.to_owned(),
            errors: Vec::new(),
        }
    }

    pub(super) fn not_found() -> Self {
        Self::new(404, "Not Found")
    }

    pub(super) fn forbidden(message: &str) -> Self {
        Self::new(403, message)
    }

    pub(super) fn archived() -> Self {
        Self::new(403, "Repository was archived so is read-only.")
    }

    /// A person who may not do this.
    pub(super) fn needs(login: &str, level: &str, what: &str) -> Self {
        Self::new(
            403,
            &format!("Must have {level} rights to {what}; {login} does not have them."),
        )
    }

    /// 422 with one error.
    pub(super) fn invalid(error: Value) -> Self {
        Self {
            status: 422,
            message: "Validation Failed".to_owned(),
            errors: vec![error],
        }
    }

    /// 422 for a field that lacks or has a value that it must not have.
    pub(super) fn field(resource: &str, field: &str, code: &str) -> Self {
        Self::invalid(json!({ "resource": resource, "field": field, "code": code }))
    }

    /// 422 with a sentence of its own.
    pub(super) fn custom(resource: &str, field: &str, message: &str) -> Self {
        Self::invalid(json!({ "resource": resource, "field": field, "code": "custom", "message": message }))
    }

    /// 422 for a required member of the body that was not sent.
    pub(super) fn not_supplied(field: &str) -> Self {
        Self::new(422, &format!("Invalid request.\n\n\"{field}\" wasn't supplied."))
    }

    fn words(&self) -> String {
        let mut words = self.message.clone();
        for error in &self.errors {
            let text = error.as_str().or_else(|| error["message"].as_str()).map(str::to_owned);
            let text = text.unwrap_or_else(|| {
                let part = |key: &str| error[key].as_str().unwrap_or_default().to_owned();
                format!("{} {}: {}", part("resource"), part("field"), part("code"))
            });
            words.push_str(": ");
            words.push_str(&text);
        }
        words
    }
}
