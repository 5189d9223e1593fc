//! The deliveries of the App's webhook: list, detail, once more.

use chrono::Duration;
use serde_json::{Map, Value, json};

use super::{Call, Outcome, number};
use crate::sandbox::answer::{Answer, Page, address};
use crate::sandbox::clock::stamp;
use crate::sandbox::hooks::{Attempt, HookKind, Outcome as Fate};
use crate::sandbox::ids::*;
use crate::sandbox::model::World;
use crate::sandbox::refusal::Refusal;
use crate::sandbox::render::repos::extend;

/// How long github.com keeps deliveries and takes requests to send them again.
const KEPT: Duration = Duration::days(3);

fn item(attempt: &Attempt) -> Value {
    json!({
        "id": attempt.id,
        "guid": attempt.packet.guid,
        "delivered_at": stamp(attempt.at),
        "redelivery": attempt.packet.redelivery,
        "duration": attempt.duration,
        "status": attempt.outcome.words(),
        "status_code": attempt.outcome.code(),
        "event": attempt.packet.event,
        "action": attempt.packet.action,
        "installation_id": attempt.packet.installation,
        "repository_id": attempt.packet.repository,
        "throttled_at": null,
    })
}

fn detail(world: &World, attempt: &Attempt) -> Value {
    let headers: Map<String, Value> = attempt
        .packet
        .headers
        .iter()
        .map(|(name, value)| (name.clone(), value.clone().into()))
        .collect();
    let payload: Value = serde_json::from_slice(&attempt.packet.body).unwrap_or_default();
    let answered = match &attempt.outcome {
        Fate::Answered { body, .. } => Some(body),
        Fate::Unreachable | Fate::TimedOut => None,
    };
    let url = world
        .hooks
        .iter()
        .find(|hook| hook.id == attempt.packet.hook)
        .and_then(|hook| hook.url.clone());
    let mut value = item(attempt);
    extend(
        &mut value,
        json!({
            "url": url.unwrap_or_default(),
            "request": { "headers": headers, "payload": payload },
            "response": { "headers": answered.map(|_| json!({})), "payload": answered },
        }),
    );
    value
}

impl Call<'_> {
    pub(super) fn deliveries(&mut self, rest: &[&str]) -> Outcome {
        match (self.request.method.as_str(), rest) {
            ("GET", []) => self.delivery_list(),
            ("GET", [id]) => Ok(Answer::ok(detail(self.world, self.attempt(id)?))),
            ("POST", [id, "attempts"]) => {
                let mut packet = self.attempt(id)?.packet.clone();
                packet.redelivery = true;
                self.world.sign(&mut packet);
                self.world.queue.push_back(packet);
                Ok(Answer::new(202, json!({})))
            }
            _ => Err(Refusal::not_found()),
        }
    }

    /// Where the App's webhook goes; its secret is never shown.
    pub(super) fn hook_config(&self) -> Value {
        let own = self.world.hooks.iter().find(|hook| hook.kind == HookKind::App);
        json!({
            "content_type": "json",
            "insecure_ssl": "0",
            "secret": "********",
            "url": own.and_then(|hook| hook.url.as_deref()).unwrap_or_default(),
        })
    }

    fn own(&self) -> Option<HookId> {
        self.world
            .hooks
            .iter()
            .find(|hook| hook.kind == HookKind::App)
            .map(|hook| hook.id)
    }

    /// Whether the App's list still shows an attempt.
    fn listed_attempt(&self, attempt: &Attempt) -> bool {
        Some(attempt.packet.hook) == self.own() && attempt.at + KEPT > self.world.now()
    }

    fn attempt(&self, id: &str) -> Result<&Attempt, Refusal> {
        let id = AttemptId(number(id)?);
        let found = self.world.attempts.iter().find(|attempt| attempt.id == id);
        found
            .filter(|attempt| self.listed_attempt(attempt))
            .ok_or_else(Refusal::not_found)
    }

    /// Newest first. The cursor names the last delivery of the page before.
    fn delivery_list(&self) -> Outcome {
        let size = Page::of(self.request).size;
        let before = match self.request.param("cursor") {
            Some(cursor) => {
                let id = cursor.strip_prefix("v1_").and_then(|id| id.parse::<u64>().ok());
                Some(AttemptId(id.ok_or_else(|| Refusal::new(400, "Invalid cursor"))?))
            }
            None => None,
        };
        let failed = |attempt: &Attempt| !(200..300).contains(&attempt.outcome.code());
        let wanted = |attempt: &&Attempt| {
            self.listed_attempt(attempt)
                && before.is_none_or(|before| attempt.id < before)
                && match self.request.param("status") {
                    Some("failure") => failed(attempt),
                    Some("success") => !failed(attempt),
                    _ => true,
                }
        };
        let found: Vec<&Attempt> = self.world.attempts.iter().rev().filter(wanted).take(size + 1).collect();
        let shown: Vec<Value> = found.iter().take(size).map(|attempt| item(attempt)).collect();
        let answer = Answer::ok(shown.into());
        match (found.len() > size).then(|| found.get(size - 1)).flatten() {
            Some(last) => {
                let next = address(&self.world.base, self.request, &[("cursor", format!("v1_{}", last.id))]);
                Ok(answer.with("link", format!("<{next}>; rel=\"next\"")))
            }
            None => Ok(answer),
        }
    }
}
