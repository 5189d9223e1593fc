//! What people read of a notification in a channel of Slack or Discord: one line and a link. Of what others chose only
//! names stand in it (of a repository, a definition, a phase, a team, a login), all of letters that mean nothing there.

use serde_json::json;

use super::Told;
use super::body::page;
use crate::workflow::awaits::Awaits;
use crate::workflow::gate::Quorum;
use crate::workflow::ids::PhaseId;
use crate::workflow::notification::{Kind, Notification};
use crate::workflow::state::SubjectKind;
use crate::workflow::why::WhyKind;

/// What a test says.
const TEST: &str = "A test by the operator of Countersign: what happens in its workflows is told here.";

/// For an incoming webhook of Slack.
pub(super) fn slack(told: &Told<'_>, site: &str) -> Vec<u8> {
    let (line, link) = said(told, site);
    in_slack(&format!("{line}\n{link}"))
}

/// For a webhook of Discord. The link gets no preview.
pub(super) fn discord(told: &Told<'_>, site: &str) -> Vec<u8> {
    let (line, link) = said(told, site);
    in_discord(&format!("{line}\n<{link}>"))
}

/// A test for Slack.
pub(super) fn slack_test() -> Vec<u8> {
    in_slack(TEST)
}

/// A test for Discord.
pub(super) fn discord_test() -> Vec<u8> {
    in_discord(TEST)
}

/// `&`, `<` and `>` are the characters that have a meaning there
/// (<https://docs.slack.dev/messaging/formatting-message-text#escaping>).
fn in_slack(text: &str) -> Vec<u8> {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    json!({ "text": text }).to_string().into_bytes()
}

/// Nobody is called by it.
fn in_discord(text: &str) -> Vec<u8> {
    json!({ "content": text, "allowed_mentions": { "parse": [] } })
        .to_string()
        .into_bytes()
}

/// The line, and where to go.
fn said(told: &Told<'_>, site: &str) -> (String, String) {
    let Notification {
        definition, subject, ..
    } = told.notification;
    let link = match told.card {
        Some(card) => card.to_owned(),
        None => page(site, told.repository, (subject.kind, subject.number)),
    };
    let of = match subject.kind {
        SubjectKind::Discussion => "discussion ",
        SubjectKind::Issue | SubjectKind::PullRequest | SubjectKind::Folder => "",
    };
    let what = what(told.notification);
    let line = format!("{} {of}#{}: `{definition}` {what}", told.repository, subject.number);
    (line, link)
}

fn what(notification: &Notification) -> String {
    let at = match &notification.phase {
        Some(phase) => format!(" at `{}`", phase.id),
        None => String::new(),
    };
    let waits = match &notification.waits_for {
        Some(awaits) => format!("; it waits for {}", awaited(awaits)),
        None => String::new(),
    };
    match notification.kind {
        Kind::Started => format!("was started{waits}"),
        Kind::Waiting => {
            let waits = notification.waits_for.as_ref().map(awaited);
            let still = notification.phase.as_ref().is_some_and(|phase| phase.reminders > 0);
            let still = if still { "still " } else { "" };
            format!("{still}waits for {}", waits.unwrap_or_else(|| "people".to_owned()))
        }
        Kind::Approved => format!("was approved{at}{waits}"),
        Kind::Rejected => format!("was rejected{at}{waits}"),
        Kind::Held => format!("is held{waits}"),
        Kind::Unheld => format!("goes on again{waits}"),
        Kind::Failed => format!("failed{at}{}{waits}", why(notification)),
        Kind::Doubt => format!("does not know whether its mail was sent{at}, and does not send it again"),
        Kind::Stuck => "stands still, which is a mistake of the program: `countersign doctor` says more".to_owned(),
        Kind::Completed => "is complete".to_owned(),
        Kind::Cancelled => "was cancelled".to_owned(),
    }
}

fn why(notification: &Notification) -> &'static str {
    match notification.phase.as_ref().and_then(|phase| phase.why) {
        Some(WhyKind::Cap) => " by a cap on what may be spent",
        Some(WhyKind::Model) => " by a model that could not be asked",
        Some(WhyKind::Children) => " by its children",
        Some(WhyKind::TooManyItems) => " by too many issues to have children for",
        _ => "",
    }
}

fn awaited(awaits: &Awaits) -> String {
    match awaits {
        Awaits::Unhold => "`/unhold`".to_owned(),
        Awaits::Approval {
            phase,
            right,
            quorums,
            code_owners,
        } => {
            let quorums: Vec<String> = quorums.iter().filter_map(asked_for).collect();
            let quorums = match quorums.is_empty() {
                true => String::new(),
                false => format!(", {}", quorums.join(" and ")),
            };
            let owners = if *code_owners {
                ", with the owners of the code"
            } else {
                ""
            };
            format!("approval of `{phase}` by people with {right} access{quorums}{owners}")
        }
        Awaits::Edit { phase } => format!("an edit or a revision of `{phase}`, which its approver rejected"),
        Awaits::Checks { phase } => format!("the checks of `{phase}`"),
        Awaits::Approver { phase } => format!("the approver of `{phase}`"),
        Awaits::Answers { phase, questions } => format!("answers to {} of `{phase}`", counted(questions.len())),
        Awaits::Answer { phases } => format!("an answer for {}", named(phases)),
        Awaits::Revision { phase } => format!("`/revise`, `/retry` or `/cancel` of `{phase}`"),
        Awaits::Retry { phase } => format!("`/retry` or `/cancel` of `{phase}`"),
        Awaits::Children { phase, .. } => format!("the children of `{phase}`"),
    }
}

/// What a quorum asks beyond one person of those with the right.
fn asked_for(quorum: &Quorum) -> Option<String> {
    if quorum.quorum <= 1 && quorum.of.is_empty() {
        return None;
    }
    let of: Vec<String> = quorum.of.iter().map(|one| format!("`{one}`")).collect();
    Some(match of.is_empty() {
        true => format!("{} of them", quorum.quorum),
        false => format!("{} of {}", quorum.quorum, of.join(", ")),
    })
}

fn counted(questions: usize) -> String {
    match questions {
        1 => "one question".to_owned(),
        more => format!("{more} questions"),
    }
}

fn named(phases: &[PhaseId]) -> String {
    let named: Vec<String> = phases.iter().map(|phase| format!("`{phase}`")).collect();
    named.join(", ")
}
