//! Webhooks: what is sent when something happens, how it is signed, and what became of every attempt.

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::ids::*;
use super::model::*;
use super::render::repos::{extend, installation, organization, repository, user};

/// Whose webhook it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HookKind {
    App,
    Repository(RepoId),
}

#[derive(Debug, Clone)]
pub(super) struct Hook {
    pub id: HookId,
    pub kind: HookKind,
    pub url: Option<String>,
    pub secret: String,
}

/// One delivery as it goes over the wire. A copy may be sent, sent twice, changed or thrown away by a test.
#[derive(Debug, Clone)]
pub struct Packet {
    pub guid: String,
    pub event: String,
    pub action: Option<String>,
    /// Every header that GitHub sends, the signature included.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// Whether it goes out because somebody asked for it again.
    pub redelivery: bool,
    pub(super) hook: HookId,
    pub(super) installation: Option<InstallationId>,
    pub(super) repository: Option<RepoId>,
}

/// A webhook that was put into the queue, for the tests.
#[derive(Debug, Clone)]
pub struct SentWebhook {
    pub guid: String,
    pub event: String,
    pub action: Option<String>,
    pub payload: Value,
}

/// What became of one delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryReport {
    pub guid: String,
    pub event: String,
    pub action: Option<String>,
    /// The receiver's status; 502 when it could not be reached, 504 when it took longer than 10 s.
    pub status: u16,
}

#[derive(Debug, Clone)]
pub(super) struct Attempt {
    pub id: AttemptId,
    pub packet: Packet,
    pub at: DateTime<Utc>,
    pub duration: f64,
    pub outcome: Outcome,
}

/// What the receiver did.
#[derive(Debug, Clone)]
pub(super) enum Outcome {
    Answered { status: u16, body: String },
    Unreachable,
    TimedOut,
}

impl Outcome {
    pub fn code(&self) -> u16 {
        match self {
            Self::Answered { status, .. } => *status,
            Self::Unreachable => 502,
            Self::TimedOut => 504,
        }
    }

    /// GitHub's words for it in the list of deliveries.
    pub fn words(&self) -> String {
        match self {
            Self::Answered { status, .. } if (200..300).contains(status) => "OK".to_owned(),
            Self::Answered { status, .. } => format!("Invalid HTTP Response: {status}"),
            Self::Unreachable => "failed to connect to host".to_owned(),
            Self::TimedOut => "timed out".to_owned(),
        }
    }
}

/// `sha256=` and the HMAC of the body in hex, as in `X-Hub-Signature-256`.
pub fn signature(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(body);
    format!(
        "sha256={}",
        data_encoding::HEXLOWER.encode(&mac.finalize().into_bytes())
    )
}

/// The permission without which an App does not get an event.
fn permission_for(event: &str, payload: &Value) -> Option<&'static str> {
    match event {
        "issues" => Some("issues"),
        "issue_comment" if payload["issue"].get("pull_request").is_some() => Some("pull_requests"),
        "issue_comment" => Some("issues"),
        "pull_request" | "pull_request_review" | "pull_request_review_comment" => Some("pull_requests"),
        "discussion" | "discussion_comment" => Some("discussions"),
        "push" => Some("contents"),
        "check_run" | "check_suite" => Some("checks"),
        "status" => Some("statuses"),
        _ => None,
    }
}

/// Events that an App gets whether it subscribed to them or not.
const UNCONDITIONAL: [&str; 3] = ["installation", "installation_repositories", "ping"];

impl World {
    /// Queues an event of a repository for every hook that hears of it.
    pub fn emit(&mut self, repo: RepoId, event: &str, action: Option<&str>, sender: AccountId, more: Value) {
        let Some(found) = self.repos.get(&repo) else { return };
        let mut payload = json!({ "repository": repository(self, found), "sender": user(self, sender) });
        if let Some(action) = action {
            extend(&mut payload, json!({ "action": action }));
        }
        if let Some(owner) = self.accounts.get(&found.owner)
            && owner.kind == AccountKind::Organization
        {
            extend(&mut payload, json!({ "organization": organization(self, owner) }));
        }
        extend(&mut payload, more);
        let heard = self.installation_of(found).filter(|installation| {
            self.app.events.iter().any(|name| name == event)
                && permission_for(event, &payload).is_none_or(|name| installation.permissions.contains_key(name))
        });
        let heard = heard.map(|installation| installation.id);
        for hook in self.hooks.clone() {
            match hook.kind {
                HookKind::App => {
                    let Some(id) = heard else { continue };
                    let mut payload = payload.clone();
                    let reference = json!({ "id": id, "node_id": node_id("MDIzOkludGVncmF0aW9u", id.0) });
                    extend(&mut payload, json!({ "installation": reference }));
                    self.enqueue(&hook, event, payload, Some(id), Some(repo));
                }
                HookKind::Repository(own) if own == repo => {
                    self.enqueue(&hook, event, payload.clone(), None, Some(repo));
                }
                HookKind::Repository(_) => {}
            }
        }
    }

    /// Queues an event about an installation, which only the App's own hook hears.
    pub fn emit_installation(&mut self, id: InstallationId, event: &str, action: &str, sender: AccountId, more: Value) {
        let Some(found) = self.installations.get(&id) else {
            return;
        };
        let mut payload = json!({
            "action": action,
            "installation": installation(self, found),
            "sender": user(self, sender),
        });
        extend(&mut payload, more);
        self.enqueue_for_app(event, payload, Some(id));
    }

    /// Queues the `ping` that GitHub sends when a hook is made.
    pub fn emit_ping(&mut self, hook: HookId) {
        let Some(found) = self.hooks.iter().find(|found| found.id == hook).cloned() else {
            return;
        };
        let mut config = json!({
            "type": "App",
            "id": hook,
            "name": "web",
            "active": true,
            "events": self.app.events,
            "config": { "content_type": "json", "insecure_ssl": "0", "secret": "********",
                        "url": found.url.clone().unwrap_or_default() },
            "updated_at": super::clock::stamp(self.now()),
            "created_at": super::clock::stamp(self.now()),
            "app_id": self.app.id,
            "deliveries_url": format!("{}/app/hook/deliveries", self.base),
        });
        let mut payload = json!({ "zen": "Keep it logically awesome.", "hook_id": hook });
        let mut repository_id = None;
        if let HookKind::Repository(repo) = found.kind
            && let Some(repo) = self.repos.get(&repo)
        {
            let url = format!("{}/hooks/{hook}", super::render::repos::repo_url(self, repo));
            extend(
                &mut config,
                json!({ "type": "Repository", "url": url, "test_url": format!("{url}/test"),
                        "ping_url": format!("{url}/pings"), "deliveries_url": format!("{url}/deliveries"),
                        "last_response": { "code": null, "status": "unused", "message": null } }),
            );
            if let Some(map) = config.as_object_mut() {
                map.remove("app_id");
            }
            extend(
                &mut payload,
                json!({ "repository": repository(self, repo), "sender": user(self, repo.owner) }),
            );
            repository_id = Some(repo.id);
        }
        extend(&mut payload, json!({ "hook": config }));
        self.enqueue(&found, "ping", payload, None, repository_id);
    }

    fn enqueue_for_app(&mut self, event: &str, payload: Value, installation: Option<InstallationId>) {
        if !UNCONDITIONAL.contains(&event) && !self.app.events.iter().any(|name| name == event) {
            return;
        }
        for hook in self.hooks.clone() {
            if hook.kind == HookKind::App {
                self.enqueue(&hook, event, payload.clone(), installation, None);
            }
        }
    }

    fn enqueue(
        &mut self,
        hook: &Hook,
        event: &str,
        payload: Value,
        installation: Option<InstallationId>,
        repository: Option<RepoId>,
    ) {
        let number = self.counters.next("guid", 1);
        let guid = guid(hook.id, number);
        let action = payload["action"].as_str().map(str::to_owned);
        let body = payload.to_string().into_bytes();
        self.sent.push(SentWebhook {
            guid: guid.clone(),
            event: event.to_owned(),
            action: action.clone(),
            payload,
        });
        let mut packet = Packet {
            guid,
            event: event.to_owned(),
            action,
            headers: Vec::new(),
            body,
            redelivery: false,
            hook: hook.id,
            installation,
            repository,
        };
        self.sign(&mut packet);
        self.queue.push_back(packet);
    }

    /// Writes the headers of a packet, signed with its hook's present secret.
    pub fn sign(&self, packet: &mut Packet) {
        let Some(hook) = self.hooks.iter().find(|hook| hook.id == packet.hook) else {
            return;
        };
        let (target, kind) = match hook.kind {
            HookKind::App => (self.app.id, "integration"),
            HookKind::Repository(repo) => (repo.0, "repository"),
        };
        packet.headers = [
            ("Accept", "*/*".to_owned()),
            ("Content-Type", "application/json".to_owned()),
            ("User-Agent", "GitHub-Hookshot/5and60x".to_owned()),
            ("X-GitHub-Event", packet.event.clone()),
            ("X-GitHub-Delivery", packet.guid.clone()),
            ("X-GitHub-Hook-ID", hook.id.to_string()),
            ("X-GitHub-Hook-Installation-Target-ID", target.to_string()),
            ("X-GitHub-Hook-Installation-Target-Type", kind.to_owned()),
            ("X-Hub-Signature-256", signature(&hook.secret, &packet.body)),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
    }

    /// Records what became of a packet, so that the list of deliveries shows it.
    pub fn record_attempt(&mut self, packet: Packet, duration: f64, outcome: Outcome) -> DeliveryReport {
        let report = DeliveryReport {
            guid: packet.guid.clone(),
            event: packet.event.clone(),
            action: packet.action.clone(),
            status: outcome.code(),
        };
        let id = AttemptId(self.counters.next("attempt", 7_000_000_000_001));
        let at = self.now();
        self.attempts.push(Attempt {
            id,
            packet,
            at,
            duration,
            outcome,
        });
        report
    }
}

/// A UUID (version 4 in form) that depends on nothing but the hook and the count.
fn guid(hook: HookId, number: u64) -> String {
    let digest = Sha256::digest(format!("delivery {hook} {number}"));
    let hex = data_encoding::HEXLOWER.encode(&digest[..16]);
    format!(
        "{}-{}-4{}-a{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[13..16],
        &hex[17..20],
        &hex[20..32]
    )
}
