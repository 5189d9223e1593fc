//! What the bot says of itself: something happened that a person has to know.

use super::people::mentions;
use crate::chat::say::card;
use crate::chat::say::markup::{code, count, digest, fenced, link, list, name, paragraphs, sentence, units, words};
use crate::chat::say::next;
use crate::chat::say::outcomes::opened;
use crate::chat::say::pages::LONGEST;
use crate::chat::say::phrases::{because, somebody, surface, title};
use crate::chat::say::why::why;
use crate::text::harmless::literal;
use crate::workflow::ids::{Digest, IssueNumber, PhaseId};
use crate::workflow::right::Person;
use crate::workflow::state::{ActOutcome, PhaseStatus, State, Status, Surface};

/// Changed lines that are quoted.
const CHANGED: usize = 10;
/// Sentences of a check that are repeated.
const SENTENCES: usize = 20;

/// An answer with whom and what it answers, for where several people write at once, and for labels and boxes, which
/// have no comment to answer.
pub fn addressed(to: &Person, by: &Surface, answer: &str) -> String {
    format!("To {} ({}): {answer}", somebody(Some(to)), surface(by))
}

/// What was said in a review was done. GitHub takes no reaction to a review, so it is said in words.
pub fn review_done(verb: &str) -> String {
    format!(
        "Done: {}. How it stands: {}",
        code(&format!("/{verb}")),
        code("/status")
    )
}

/// The workflow ended: what came of it.
pub fn ended(state: &State, card_url: &str) -> String {
    let cancelled = matches!(state.status, Status::Cancelled { .. });
    let head = match &state.status {
        Status::Cancelled { by, reason } => {
            format!("Cancelled by {}{}.", somebody(by.as_ref()), because(reason.as_str()))
        }
        Status::Completed | Status::Open => "Done.".to_owned(),
    };
    let issues = opened(state);
    let issues = match (issues.len(), cancelled) {
        (0, _) => None,
        (many, true) => Some(format!("What was opened stays: {}.", some(&issues, many))),
        (many, false) => Some(format!("Opened: {}.", some(&issues, many))),
    };
    let left: Vec<String> = issues.into_iter().chain(mail(state).map(str::to_owned)).collect();
    let left = if left.is_empty() {
        "Nothing was opened or sent.".to_owned()
    } else {
        left.join(" ")
    };
    let record = format!("Who approved what stands on {}.", link("the card", card_url));
    format!("{head} {left} {record} To start another: {}", code("/deliver"))
}

/// What became of the mail, if one was to be sent.
fn mail(state: &State) -> Option<&'static str> {
    let mut outcomes = state.phases.values().flat_map(|phase| phase.outcomes.values());
    outcomes.find_map(|outcome| match outcome {
        ActOutcome::Mailed { .. } => Some("The mail was sent."),
        ActOutcome::MailInDoubt { .. } => Some("**The mail may have been sent or not**; it is not sent again."),
        _ => None,
    })
}

fn some(links: &[String], many: usize) -> String {
    let mut some: Vec<String> = links.iter().take(20).cloned().collect();
    if many > some.len() {
        some.push(format!("{} more", many - some.len()));
    }
    list(&some, "and")
}

/// A phase needs a person: it failed, or an answer is wanted. People whose login is well-formed are mentioned.
pub fn stopped(people: &[String], state: &State, phase: &PhaseId, card_url: &str) -> String {
    let at = state.at(phase);
    let what = match at.status {
        PhaseStatus::Error => "failed",
        _ => "needs a person",
    };
    let called = mentions(people);
    let called = if called.is_empty() {
        String::new()
    } else {
        format!("{called}: ")
    };
    let reason = at.why.as_ref().map(why).unwrap_or_default();
    paragraphs(&[
        format!(
            "{called}*{}* {what}, see {}.",
            title(state, phase),
            link("the card", card_url)
        ),
        reason,
        card::joined(&next::steps_at(state, phase)),
    ])
}

pub(super) fn said(sentences: &[String]) -> String {
    let mut lines: Vec<String> = sentences
        .iter()
        .take(SENTENCES)
        .map(|text| format!("- {}", sentence(text)))
        .collect();
    if sentences.len() > SENTENCES {
        lines.push(format!("- {} more", sentences.len() - SENTENCES));
    }
    lines.join("\n")
}

/// An edit of the proposal could not be made.
pub fn amendment_refused(verb: &str, problem: &str, current: &Digest) -> String {
    let verb = verb.trim_start_matches('/');
    format!(
        "I changed nothing: {} {} is still what is shown. How it is typed: {}",
        sentence(problem),
        digest(current),
        code(&format!("/help {verb}"))
    )
}

/// Somebody edited the card itself. It was put back, and what was meant as an approval does not count.
#[derive(Debug, Clone, Copy)]
pub struct Tampered<'a> {
    /// What the bot had written.
    pub before: &'a str,
    /// What stood there.
    pub after: &'a str,
    /// Who changed it, where GitHub says so.
    pub editor: Option<&'a str>,
    /// What waits for approval, if anything does.
    pub current: Option<&'a Digest>,
}

/// The card was restored: what had been changed, by whom, what to do.
pub fn card_restored(tampered: &Tampered<'_>) -> String {
    let editor = match tampered.editor {
        Some(login) => format!("{} changed it", name(login)),
        None => "It was changed, GitHub does not say by whom".to_owned(),
    };
    let next = match tampered.current {
        Some(current) => format!(
            "Look at it again. An approval that was given meanwhile does not count and has to be repeated: {}",
            code(&format!("/approve {}", current.short()))
        ),
        None => format!("How it stands: {}", code("/status")),
    };
    let changed = changed_lines(tampered.before, tampered.after);
    paragraphs(&[
        format!("I have put the card back as I wrote it. {editor}:"),
        fenced(&changed, "diff"),
        next,
    ])
}

/// Lines that stand in one text alone.
fn changed_lines(before: &str, after: &str) -> String {
    let lines = |text: &str| -> Vec<String> { text.lines().map(|line| line.trim_end().to_owned()).collect() };
    let (old, new) = (lines(before), lines(after));
    let short = |line: &String| line.chars().take(200).collect::<String>();
    let gone = old
        .iter()
        .filter(|line| !new.contains(line))
        .map(|line| format!("-{}", short(line)));
    let come = new
        .iter()
        .filter(|line| !old.contains(line))
        .map(|line| format!("+{}", short(line)));
    let all: Vec<String> = gone.chain(come).collect();
    let mut shown: Vec<String> = all.iter().take(2 * CHANGED).cloned().collect();
    if all.len() > shown.len() {
        shown.push(format!(
            " … {}",
            count(all.len() - shown.len(), "more line", "more lines")
        ));
    }
    if shown.is_empty() {
        " (only the order of lines)".to_owned()
    } else {
        shown.join("\n")
    }
}

/// An approval no longer counts; the reason is a sentence of the engine.
pub fn approval_lost(state: &State, phase: &PhaseId, reason: &str, card_url: &str) -> String {
    let again = match &state.at(phase).pending {
        Some(pending) => format!(
            "To approve it anew: {}",
            code(&format!("/approve {}", pending.digest.short()))
        ),
        None => format!("How it stands: {}", code("/status")),
    };
    format!(
        "The approval of *{}* no longer counts: {} Nothing more is done under it, see {}. {again}",
        title(state, phase),
        sentence(reason),
        link("the card", card_url)
    )
}

/// Nobody answered in time, and the proposal counts as rejected.
pub fn gate_expired(state: &State, phase: &PhaseId) -> String {
    format!(
        "Nobody answered in time, so *{}* is rejected. Silence approves nothing. {}",
        title(state, phase),
        card::steps(state)
    )
}

/// The issue or pull request was closed, so the workflow is held.
pub fn subject_closed(by: Option<&Person>) -> String {
    let by = match by {
        Some(person) => format!("{} closed this", somebody(Some(person))),
        None => "This was closed".to_owned(),
    };
    format!(
        "{by}, so I have put the workflow on hold. To let it go on: {} — to end it: {}",
        code("/unhold"),
        code("/cancel …")
    )
}

/// An opened issue that could not be linked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unlinked {
    /// Its number.
    pub number: IssueNumber,
    /// Its title.
    pub title: String,
    /// GitHub's reason; none where this GitHub has no links at all.
    pub reason: Option<String>,
}

/// The comment that lists opened issues which could not be linked as sub-issues.
pub fn unlinked_issues(all: &[Unlinked]) -> String {
    // What is true of all is said once.
    let shared = all.first().and_then(|first| first.reason.as_deref());
    let shared =
        shared.filter(|shared| all.len() > 1 && all.iter().all(|issue| issue.reason.as_deref() == Some(shared)));
    let why = shared.map(|reason| format!(" ({})", words(reason))).unwrap_or_default();
    let mut text = format!(
        "Opened for this, but not as {}{why}:\n",
        if all.len() == 1 { "a sub-issue" } else { "sub-issues" }
    );
    for (at, issue) in all.iter().enumerate() {
        let reason = issue
            .reason
            .as_deref()
            .filter(|_| shared.is_none())
            .map(|reason| format!(" ({})", words(reason)))
            .unwrap_or_default();
        let line = format!(
            "\n- [ ] #{} {}{reason}",
            issue.number,
            literal::inline(&issue.title, 256)
        );
        if units(&text) + units(&line) + 100 > LONGEST {
            text.push_str(&format!("\n- {} more", all.len() - at));
            break;
        }
        text.push_str(&line);
    }
    text
}
