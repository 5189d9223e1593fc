//! The record: who decided what, when, by which surface.

use std::collections::BTreeSet;

use super::markup::{code, count, digest, list, name, table, when, words};
use super::outcomes::Room;
use super::phrases::{because, somebody, surface, title};
use crate::workflow::ids::{Digest, PhaseId};
use crate::workflow::judging::Decision;
use crate::workflow::repair::{Duplicate, Fate, Repair};
use crate::workflow::right::Person;
use crate::workflow::state::{Entry, State, Surface, What};

/// Lines of a record that is shortened: so many from each end.
const EACH_END: usize = 20;

/// The record as a table.
pub fn section(state: &State, room: Room) -> String {
    let rows: Vec<Vec<String>> = state.record.iter().map(|entry| row(state, entry)).collect();
    let head = &["When", "Who", "What", "How"];
    if room == Room::Plenty || rows.len() <= 2 * EACH_END {
        return table(head, &rows);
    }
    let mut kept = rows[..EACH_END].to_vec();
    let left = rows.len() - 2 * EACH_END;
    kept.push(vec![
        "…".to_owned(),
        String::new(),
        format!("{left} more"),
        String::new(),
    ]);
    kept.extend_from_slice(&rows[rows.len() - EACH_END..]);
    table(head, &kept)
}

fn row(state: &State, entry: &Entry) -> Vec<String> {
    let (mut what, how) = told(state, entry);
    if let Some(verdict) = entry.overrode {
        what.push_str(&format!("; it counts as *{verdict}*, whatever its own verdict was"));
    }
    vec![when(entry.at), somebody(entry.by.as_ref()), what, how]
}

/// The reason that somebody gave with an approval which still counts.
fn given(state: &State, phase: &PhaseId, of: &Digest) -> String {
    let approval = state.at(phase).approval.as_ref();
    let reason = approval
        .filter(|approval| approval.digest == *of)
        .and_then(|approval| approval.reason.as_ref());
    reason.map(|reason| because(reason.as_str())).unwrap_or_default()
}

/// What a line of the record says, and by which surface.
pub fn told(state: &State, entry: &Entry) -> (String, String) {
    let (what, how) = match &entry.what {
        What::VoteWithdrawn(phase, of) if entry.by.as_ref().is_some_and(|by| by.id == of.id) => {
            said(state, &What::Unapproved(phase.clone()))
        }
        what => said(state, what),
    };
    let how = match &entry.surface {
        Some(by) if how.is_empty() => surface(by),
        None if how.is_empty() && entry.by.as_ref().is_some_and(Person::is_operator) => surface(&Surface::Terminal),
        _ => how,
    };
    (what, how)
}

/// The same of what it says alone.
fn said(state: &State, what: &What) -> (String, String) {
    let by_comment = |text: String| (text, String::new());
    match what {
        What::Started(by) => ("started it".to_owned(), surface(by)),
        What::Approved(phase, of, by) => (
            format!(
                "**approved** {} {}{}",
                title(state, phase),
                digest(of),
                given(state, phase, of)
            ),
            surface(by),
        ),
        What::Chose(phase, variant, of, by) => (
            format!(
                "**chose {variant}** at {} {}{}",
                title(state, phase),
                digest(of),
                given(state, phase, of)
            ),
            surface(by),
        ),
        What::ChoseToo(phase, variant, of, by) => (
            format!(
                "**chose {variant}** at {} {}; more approvals of it are needed",
                title(state, phase),
                digest(of)
            ),
            surface(by),
        ),
        What::Voted(phase, of, by) => (
            format!(
                "**approved** {} {}; more approvals are needed",
                title(state, phase),
                digest(of)
            ),
            surface(by),
        ),
        What::VoteWithdrawn(phase, of) => by_comment(format!(
            "took back the approval of {} by {}",
            title(state, phase),
            somebody(Some(of))
        )),
        What::VoteLost(phase, of, why) => by_comment(format!(
            "the approval of {} by {} no longer counted: {}",
            title(state, phase),
            somebody(Some(of)),
            words(why)
        )),
        What::Repaired(repair) => by_comment(repaired(repair)),
        What::DuplicateRepaired(duplicate, kept, removed) => by_comment(doubled(*duplicate, *kept, removed)),
        What::Unapproved(phase) => by_comment(format!("took back the approval of {}", title(state, phase))),
        What::ApprovalLost(phase, why) => by_comment(format!(
            "the approval of {} no longer counted: {}",
            title(state, phase),
            words(why)
        )),
        What::Rejected(phase, why) => {
            by_comment(format!("**rejected** {}{}", title(state, phase), because(why.as_str())))
        }
        What::Revised(phase, text) => by_comment(format!(
            "asked for another round of {}{}",
            title(state, phase),
            because(text.as_str())
        )),
        What::SentBack(phase, to) => by_comment(format!(
            "{} did not pass, so {} is done again",
            title(state, phase),
            title(state, to)
        )),
        What::Escalated(phase, to) => by_comment(format!(
            "the time of {} ran out before it was approved, so {} is done again",
            title(state, phase),
            title(state, to)
        )),
        What::Ruled(phase, decision, by, why) => by_comment(format!(
            "the approver {} **{}** {}{}",
            code(by),
            match decision {
                Decision::Approved => "approved",
                Decision::Rejected => "rejected",
            },
            title(state, phase),
            because(why.as_str())
        )),
        What::Answered(phase, question, text) => by_comment(format!(
            "answered question {question} of {}{}",
            title(state, phase),
            because(text.as_str())
        )),
        What::Skipped(phase, why)
            if state
                .definition
                .phase(phase)
                .is_some_and(|phase| phase.for_each.is_some()) =>
        {
            by_comment(format!(
                "went on with the children of {} that are done{}",
                title(state, phase),
                because(why.as_str())
            ))
        }
        What::Skipped(phase, why) => by_comment(format!(
            "skipped the open questions of {}{}",
            title(state, phase),
            because(why.as_str())
        )),
        What::Amended(phase, change, to) => by_comment(format!(
            "changed {} to {}{}",
            title(state, phase),
            digest(to),
            because(change.as_str())
        )),
        What::Responded(phase, to) => by_comment(format!(
            "answered for the agent of {}: {}",
            title(state, phase),
            digest(to)
        )),
        What::Held(why) => by_comment(format!("held it{}", because(why.as_str()))),
        What::Unheld => by_comment("let it go on".to_owned()),
        What::Retried(phase) => by_comment(format!("asked to try {} again", title(state, phase))),
        What::Cancelled(why) => by_comment(format!("**cancelled** it{}", because(why.as_str()))),
        What::Forked(origin, after) => by_comment(format!(
            "made a fork of workflow `{origin}`, from after its event {after}"
        )),
        What::Expired(phase) => by_comment(format!(
            "the time of {} ran out before it was approved",
            title(state, phase)
        )),
    }
}

/// What was mended.
fn repaired(repair: &Repair) -> String {
    match repair {
        Repair::Unheard {
            comments,
            labels,
            since,
        } => {
            let comments = (!comments.is_empty()).then(|| count(comments.len(), "comment", "comments"));
            let labels = (!labels.is_empty()).then(|| count(labels.len(), "label", "labels"));
            let found: Vec<String> = comments.into_iter().chain(labels).collect();
            format!(
                "read {} since {} of which GitHub had not told",
                list(&found, "and"),
                when(*since)
            )
        }
        Repair::CardGone { .. } => "found the card gone and posted it anew".to_owned(),
        Repair::CardChanged { by: Some(login), .. } => {
            format!("found the card changed by {} and restored it", name(login))
        }
        Repair::CardChanged { by: None, .. } => "found the card changed and restored it".to_owned(),
        Repair::Labels { missing, stray } => {
            let all = |names: &BTreeSet<String>| {
                let names: Vec<String> = names.iter().map(|name| code(name)).collect();
                list(&names, "and")
            };
            let missing = (!missing.is_empty()).then(|| format!("put back {}", all(missing)));
            let stray = (!stray.is_empty()).then(|| format!("took off {}", all(stray)));
            let done: Vec<String> = missing.into_iter().chain(stray).collect();
            format!("found the labels otherwise and {}", list(&done, "and"))
        }
        Repair::Opened { fates } => {
            let fates: Vec<String> = fates
                .iter()
                .map(|(issue, fate)| {
                    let fate = match fate {
                        Fate::Open => "open again",
                        Fate::Closed => "closed",
                        Fate::Deleted => "deleted",
                        Fate::Transferred => "moved to another repository",
                    };
                    format!("#{issue} {fate}")
                })
                .collect();
            format!("found what was opened: {}", list(&fates, "and"))
        }
    }
}

/// What was there twice.
fn doubled(duplicate: Duplicate, kept: u64, removed: &[u64]) -> String {
    match duplicate {
        Duplicate::Comment => format!(
            "found {} twice and deleted the later",
            if removed.len() == 1 { "a comment" } else { "comments" }
        ),
        Duplicate::Issue => {
            let removed: Vec<String> = removed.iter().map(|issue| format!("#{issue}")).collect();
            format!("found #{kept} twice and closed {}", list(&removed, "and"))
        }
    }
}
