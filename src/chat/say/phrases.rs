//! Words for rights, states and surfaces.

use super::judges;
use super::markup::{self, code, count, link, list, login, sentence, words};
use crate::text::harmless::literal;
use crate::workflow::definition::Phase;
use crate::workflow::ids::PhaseId;
use crate::workflow::right::{Person, Requirement, Right, Standing};
use crate::workflow::state::{Ending, PhaseStatus, State, Status, SubjectKind, Surface};

/// A right as GitHub's pages call it.
pub fn right(right: Right) -> &'static str {
    match right {
        Right::None => "no access",
        Right::Read => "read access",
        Right::Triage => "triage access",
        Right::Write => "write access",
        Right::Maintain => "the maintain role",
        Right::Admin => "the admin role",
    }
}

/// What a verb asks, to go after "needs".
pub fn requirement(needs: Requirement) -> String {
    let standings: Vec<String> = needs
        .or
        .iter()
        .map(|standing| match standing {
            Standing::Author => "author".to_owned(),
            Standing::Assignee => "assignee".to_owned(),
        })
        .collect();
    match (needs.right, standings.as_slice()) {
        (Right::None, _) => "nothing".to_owned(),
        (least, []) => format!("{} on the repository", right(least)),
        (least, others) => format!(
            "{} on the repository, or being its {}",
            right(least),
            list(others, "or")
        ),
    }
}

/// Somebody, or the bot. A user of the operating system is not taken for one of GitHub.
pub fn somebody(person: Option<&Person>) -> String {
    match person {
        None => "countersign".to_owned(),
        Some(person) if person.is_operator() => format!("the operator {}", login(&person.login)),
        Some(person) => login(&person.login),
    }
}

/// By which surface somebody spoke, with a link where there is one.
pub fn surface(surface: &Surface) -> String {
    match surface {
        Surface::Comment { url, .. } => link("comment", url),
        Surface::Label { name, .. } => format!("label {}", markup::name(name)),
        Surface::Box => "box on this card".to_owned(),
        Surface::Terminal => "the operator's terminal".to_owned(),
        Surface::System => "countersign".to_owned(),
    }
}

/// What a workflow is about, by the word that GitHub's pages have for it.
pub fn topic(kind: SubjectKind) -> &'static str {
    match kind {
        SubjectKind::Issue => "issue",
        SubjectKind::PullRequest => "pull request",
        SubjectKind::Discussion => "discussion",
        SubjectKind::Folder => "folder",
    }
}

/// A phase's title.
pub fn title(state: &State, phase: &PhaseId) -> String {
    match state.definition.phase(phase) {
        Some(phase) => literal::inline(&phase.title, 80),
        None => code(phase.as_str()),
    }
}

/// Where a phase stands, in a few words for a table's cell.
pub fn standing(state: &State, phase: &Phase, provider: Option<&str>) -> String {
    let at = state.at(&phase.id);
    if state.is_passed_over(&phase.id) && !at.was_made() {
        return "not made".to_owned();
    }
    if !state.is_open() && at.status != PhaseStatus::Completed {
        return match state.status == Status::Completed && not_called(state, phase) {
            true => "not needed".to_owned(),
            false => "not finished".to_owned(),
        };
    }
    match at.status {
        PhaseStatus::Blocked => blocked(state, phase),
        PhaseStatus::Running if !at.children.is_empty() => super::children::brief(at),
        PhaseStatus::Running => {
            let by = provider
                .map(|name| format!(", {}", markup::name(name)))
                .unwrap_or_default();
            let round = if at.iteration > 1 {
                format!(", round {}", at.iteration)
            } else {
                String::new()
            };
            let again = if at.attempt > 1 {
                format!(", try {}", at.attempt)
            } else {
                String::new()
            };
            format!("at work{by}{round}{again}")
        }
        PhaseStatus::WaitingForHuman if at.is_asking() => "**waiting for answers**".to_owned(),
        PhaseStatus::WaitingForHuman => "**needs a person**".to_owned(),
        PhaseStatus::Draft => format!("**prompt {}**", judges::headline(state, &phase.id)),
        PhaseStatus::ReadyForReview if phase.chooses.is_some() => "**waiting for a choice**".to_owned(),
        PhaseStatus::ReadyForReview => format!("**{}**", judges::headline(state, &phase.id)),
        PhaseStatus::Approved => match &at.approval {
            Some(approval) => format!("approved by {}, being carried out", login(&approval.by.login)),
            None => "being carried out".to_owned(),
        },
        PhaseStatus::Rejected => "**rejected**".to_owned(),
        PhaseStatus::Error => "**failed**".to_owned(),
        PhaseStatus::Completed => match (&at.ending, &at.approval) {
            (Some(Ending::Nothing { .. }), _) => "nothing to do".to_owned(),
            (Some(Ending::NotConfigured { .. }), _) => "not configured".to_owned(),
            (_, Some(approval)) => match approval.choice {
                Some(variant) => format!("{variant} chosen by {}", login(&approval.by.login)),
                None => format!("approved by {}", login(&approval.by.login)),
            },
            _ => "done".to_owned(),
        },
    }
}

/// Whether it begins only when a verdict goes back to it, and none has yet.
fn not_called(state: &State, phase: &Phase) -> bool {
    let at = state.at(&phase.id);
    phase.on_demand && !at.called && at.iteration == 0
}

fn blocked(state: &State, phase: &Phase) -> String {
    if not_called(state, phase) {
        return "only if it is sent back".to_owned();
    }
    let waits: Vec<String> = phase
        .needs
        .iter()
        .filter(|need| state.at(need).status != PhaseStatus::Completed)
        .filter(|need| !state.definition.phase(need).is_some_and(|need| not_called(state, need)))
        .map(|need| title(state, need))
        .collect();
    if waits.is_empty() {
        "not started".to_owned()
    } else {
        format!("waits for {}", list(&waits, "and"))
    }
}

/// How a phase ended, where that needs a word.
pub fn ending(ending: &Ending) -> Option<String> {
    match ending {
        Ending::Done => None,
        Ending::Nothing { reason } => Some(sentence(reason)),
        Ending::NotConfigured { key } => Some(format!("Set {} in {}.", code(key), code(".github/countersign.yml"))),
    }
}

/// How long a gate waits, in words.
pub fn hours(hours: u32) -> String {
    match hours {
        hours if hours > 0 && hours % 24 == 0 => count((hours / 24) as usize, "day", "days"),
        hours => count(hours as usize, "hour", "hours"),
    }
}

/// A reason in quotation marks, or nothing.
pub fn because(reason: &str) -> String {
    if reason.trim().is_empty() {
        String::new()
    } else {
        format!(": “{}”", words(reason))
    }
}
