//! Bad input: whatever arrives has an outcome that a person would expect.

mod configuration;
mod database;
mod definitions;
pub mod door;
mod gone;
mod links;
mod mail;
mod missed;
mod moved;
mod sizes;
mod talk;
mod withheld;

use countersign::sandbox::signature;
use countersign::store::deliveries::DeliverySummary;

use countersign::sandbox::IssueNumber;

use crate::world::{SECRET, World};

/// Two tasks.
pub const TASKS: &str = "- [ ] Measure the checkout\n- [ ] Add an index to orders\n";

/// An issue with this text on which alice asked for tasks. What the bot said until the gate opened is read.
pub async fn asked(world: &World, body: &str) -> IssueNumber {
    let issue = world.issue("Checkout is slow", body);
    world.say("alice", issue, "/deliver").await;
    world.hear(issue);
    issue
}

/// Bob approves what the card shows.
pub async fn approve(world: &World, issue: IssueNumber) {
    let line = format!("/approve {}", world.digest(issue));
    world.say("bob", issue, &line).await;
}

/// Alice asked, bob approved the tasks, and they were opened; the mail waits. What the bot said is read.
pub async fn opened(world: &World, body: &str) -> IssueNumber {
    let issue = asked(world, body).await;
    approve(world, issue).await;
    world.hear(issue);
    issue
}

/// Whether a text holds all of these.
#[track_caller]
pub fn holds(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "`{part}` is not in:\n{text}");
    }
}

/// One request to the webhook, made up by the test.
pub struct Forged<'a> {
    pub event: Option<&'a str>,
    pub delivery: Option<&'a str>,
    pub signature: Option<(&'a str, String)>,
    pub body: Vec<u8>,
}

impl<'a> Forged<'a> {
    /// Signed as GitHub would, under an id of its own.
    pub fn signed(event: &'a str, delivery: &'a str, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        let held = signature(SECRET, &body);
        Self {
            event: Some(event),
            delivery: Some(delivery),
            signature: Some(("X-Hub-Signature-256", held)),
            body,
        }
    }

    /// The same under another signature header.
    pub fn signature(mut self, header: &'a str, value: impl Into<String>) -> Self {
        self.signature = Some((header, value.into()));
        self
    }

    /// The same without any signature.
    pub fn unsigned(mut self) -> Self {
        self.signature = None;
        self
    }

    /// Posts it, and tells status, headers without the date, and text of the answer.
    pub async fn post(self, world: &World) -> Answer {
        self.post_to(world.webhook_url()).await
    }

    /// Posts it to this address.
    pub async fn post_to(self, url: &str) -> Answer {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut request = client
            .post(url)
            .header("Content-Type", "application/json")
            .body(self.body);
        if let Some(event) = self.event {
            request = request.header("X-GitHub-Event", event);
        }
        if let Some(delivery) = self.delivery {
            request = request.header("X-GitHub-Delivery", delivery);
        }
        if let Some((name, value)) = self.signature {
            request = request.header(name, value);
        }
        Answer::of(request.send().await.unwrap()).await
    }
}

/// What the server answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub text: String,
}

impl Answer {
    async fn of(response: reqwest::Response) -> Self {
        let status = response.status().as_u16();
        let headers = response
            .headers()
            .iter()
            .filter(|(name, _)| *name != "date")
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect();
        let text = response.text().await.unwrap();
        Self { status, headers, text }
    }
}

/// What `GET` on one of the server's other pages answers.
pub async fn page(world: &World, path: &str) -> Answer {
    let url = world.webhook_url().replace("/webhook", path);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    Answer::of(client.get(url).send().await.unwrap()).await
}

/// A stored delivery as an operator sees it.
pub async fn delivery(world: &World, id: &str) -> Option<DeliverySummary> {
    let all = world.house().engine.store().deliveries(false, 1000).await.unwrap();
    all.into_iter().find(|delivery| delivery.id == id)
}

/// The value of a figure on `/metrics`; 0 while it was never counted.
pub async fn figure(world: &World, name: &str) -> f64 {
    let figures = page(world, "/metrics").await.text;
    let line = figures.lines().find(|line| line.starts_with(name));
    line.map_or(0.0, |line| line.rsplit(' ').next().unwrap().parse().unwrap())
}
