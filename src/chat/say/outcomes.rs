//! What came of the acts: issues opened, links refused, mail sent.

use super::markup::{collapsed, count, link, list, login, name, paragraphs, words};
use super::phrases::{ending, title};
use super::view::CardView;
use crate::text::harmless::literal;
use crate::workflow::act::ActKey;
use crate::workflow::ids::PhaseId;
use crate::workflow::state::{ActOutcome, PhaseState, State};

/// Lines that stand openly; more open with a click.
const OPEN: usize = 10;

/// How much room there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    /// Enough.
    Plenty,
    /// Little: numbers for titles, and the first of each kind.
    Little,
}

/// The section; empty when nothing has come of anything yet.
pub fn section(view: &CardView<'_>, room: Room) -> String {
    let parts: Vec<String> = view
        .state
        .definition
        .phases
        .iter()
        .map(|phase| phase_part(view.state, &phase.id, room))
        .collect();
    paragraphs(&parts)
}

/// What came of one phase in a few words, for a table's cell.
pub fn brief(state: &State, phase: &PhaseId) -> String {
    let at = state.at(phase);
    let tracking = match at.outcomes.get(&ActKey::tracking()) {
        Some(ActOutcome::IssueOpened { number, .. }) => Some(*number),
        _ => None,
    };
    let opened = at
        .outcomes
        .values()
        .filter(|outcome| matches!(outcome, ActOutcome::IssueOpened { .. }))
        .count();
    let mut words = Vec::new();
    match tracking {
        Some(above) => words.push(format!(
            "{} opened under #{above}",
            count(opened - 1, "issue", "issues")
        )),
        None if opened > 0 => words.push(format!("{} opened", count(opened, "issue", "issues"))),
        None => {}
    }
    let refused = at
        .outcomes
        .values()
        .filter(|outcome| matches!(outcome, ActOutcome::NotLinked { .. }))
        .count();
    if refused > 0 {
        words.push(format!("{} not made", count(refused, "link", "links")));
    }
    for outcome in at.outcomes.values() {
        match outcome {
            ActOutcome::Mailed { .. } => words.push("mail sent".to_owned()),
            ActOutcome::MailInDoubt { .. } => words.push("**mail in doubt**".to_owned()),
            _ => {}
        }
    }
    words.extend(at.ending.as_ref().and_then(ending));
    words.join(", ")
}

/// Links to all issues that a workflow opened, in the order of their numbers.
pub fn opened(state: &State) -> Vec<String> {
    let mut opened: Vec<_> = state
        .phases
        .values()
        .flat_map(|phase| phase.outcomes.values())
        .filter_map(|outcome| match outcome {
            ActOutcome::IssueOpened { number, url, .. } => Some((*number, link(&format!("#{number}"), url))),
            _ => None,
        })
        .collect();
    opened.sort();
    opened.into_iter().map(|(_, link)| link).collect()
}

fn phase_part(state: &State, id: &PhaseId, room: Room) -> String {
    let at = state.at(id);
    let mut parts = vec![issues(at, room)];
    let refused: Vec<String> = at
        .outcomes
        .iter()
        .filter_map(|(key, outcome)| refused_link(at, key, outcome))
        .collect();
    parts.push(lines("Not linked", "link", refused, room));
    parts.extend(at.outcomes.values().filter_map(other));
    if let Some(said) = at.ending.as_ref().and_then(ending) {
        parts.push(format!("{}: {said}", title(state, id)));
    }
    paragraphs(&parts)
}

fn issues(at: &PhaseState, room: Room) -> String {
    let tracking = ActKey::tracking();
    let mut opened: Vec<_> = at
        .outcomes
        .iter()
        .filter_map(|(key, outcome)| match outcome {
            ActOutcome::IssueOpened {
                number,
                url,
                title,
                dropped,
                ..
            } => Some((*number, url, title, *key == tracking, dropped)),
            _ => None,
        })
        .collect();
    opened.sort();
    if room == Room::Little {
        let dropped = opened.iter().filter(|(.., dropped)| !dropped.is_empty()).count();
        let numbers: Vec<String> = opened
            .iter()
            .take(300)
            .map(|(number, ..)| format!("#{number}"))
            .collect();
        return match (numbers.is_empty(), dropped) {
            (true, _) => String::new(),
            (false, 0) => format!("Opened: {}", numbers.join(" ")),
            (false, _) => format!(
                "Opened: {}\n\nGitHub would not take everything on {}; each says what.",
                numbers.join(" "),
                count(dropped, "of them", "of them")
            ),
        };
    }
    let all = opened
        .into_iter()
        .map(|(number, url, title, tracks, dropped)| {
            let dropped: Vec<String> = dropped.iter().map(|what| words(what)).collect();
            let not = match dropped.is_empty() {
                true => String::new(),
                false => format!(" (GitHub would not take {})", list(&dropped, "and")),
            };
            format!(
                "- {} {}{}{not}",
                link(&format!("#{number}"), url),
                literal::inline(title, 256),
                if tracks { ", which tracks this discussion" } else { "" }
            )
        })
        .collect();
    lines("Opened", "issue", all, Room::Plenty)
}

fn refused_link(at: &PhaseState, key: &ActKey, outcome: &ActOutcome) -> Option<String> {
    let ActOutcome::NotLinked { reason } = outcome else {
        return None;
    };
    let opened = |task: &str| match at.outcomes.get(&ActKey(format!("issue:{task}"))) {
        Some(ActOutcome::IssueOpened { number, url, .. }) => link(&format!("#{number}"), url),
        _ => name(task),
    };
    let what = match key.0.split(':').collect::<Vec<_>>().as_slice() {
        ["link", task] => format!("{} as a sub-issue", opened(task)),
        ["blocked", task, by] => format!("{} as waiting for {}", opened(task), opened(by)),
        _ => name(&key.0),
    };
    Some(format!("- {what}: {}", words(reason)))
}

fn other(outcome: &ActOutcome) -> Option<String> {
    Some(match outcome {
        ActOutcome::Listed { url } => format!("Issues that could not be linked stand in {}.", link("a list", url)),
        ActOutcome::Mailed {
            message_id,
            refused,
            again,
            ..
        } => {
            let handed_over = format!("The mail was handed over as {}", name(&bare(message_id)));
            let to_all = match refused.is_empty() {
                true => format!("{handed_over}."),
                false => {
                    let refused: Vec<String> = refused.iter().take(20).map(|address| login(address)).collect();
                    format!("{handed_over}, but not to {}: refused.", list(&refused, "and"))
                }
            };
            match again {
                true => format!("{to_all} An earlier attempt may have been taken too: **it may have come twice**."),
                false => to_all,
            }
        }
        ActOutcome::MailInDoubt { message_id, reason, .. } => format!(
            "**The mail {} may have been sent or not** and is not sent again: {}. Ask one of its recipients.",
            name(&bare(message_id)),
            words(reason.trim_end_matches('.'))
        ),
        _ => return None,
    })
}

/// A Message-ID without its angle brackets (RFC 5322, 3.6.4).
fn bare(message_id: &str) -> String {
    message_id.trim_matches(['<', '>']).to_owned()
}

fn lines(head: &str, one: &str, all: Vec<String>, room: Room) -> String {
    let many = all.len();
    match (many, room) {
        (0, _) => String::new(),
        (many, _) if many <= OPEN => format!("{head}:\n\n{}", all.join("\n")),
        (_, Room::Plenty) => collapsed(
            &format!("{head}: {}", count(many, one, &format!("{one}s"))),
            &all.join("\n"),
        ),
        (_, Room::Little) => format!("{head}, the first {OPEN} of {many}:\n\n{}", all[..OPEN].join("\n")),
    }
}
