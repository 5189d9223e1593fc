//! What is said of something that was found otherwise than it should be.

use crate::chat::label;
use crate::chat::say::markup::{code, count, digest, link, list, name, sentence};
use crate::chat::say::phrases::{somebody, title};
use crate::workflow::definition::Definition;
use crate::workflow::ids::{Digest, IssueNumber, PhaseId, WorkflowId};
use crate::workflow::repair::Fate;
use crate::workflow::right::{Person, Right};
use crate::workflow::state::State;

/// Places that are named.
const NAMED: usize = 20;

/// What was said on a subject and never told: where it stands, or what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unheard {
    /// A comment, by its address.
    Comment(String),
    /// A label, by its name and who set it.
    Label(String, String),
}

fn named(all: &[Unheard]) -> String {
    let mut named: Vec<String> = all
        .iter()
        .take(NAMED)
        .map(|one| match one {
            Unheard::Comment(url) => link("a comment", url),
            Unheard::Label(label, by) => format!("the label {} by {}", code(label), name(by)),
        })
        .collect();
    if all.len() > NAMED {
        named.push(format!("{} more", all.len() - NAMED));
    }
    list(&named, "and")
}

/// People spoke so long ago that GitHub does not tell of it any more. It was read and is acted on now.
pub fn heard_late(all: &[Unheard]) -> String {
    format!(
        "GitHub never told me of {}. I have read it only now and act on it now, under the rights that people have now.",
        named(all)
    )
}

/// A comment with a command was edited before the bot saw it, so that nobody knows what it said at first.
pub fn edited_unheard(url: &str) -> String {
    format!(
        "GitHub never told me of {}, and it was edited since. An edit never runs a command, so nothing was done: whoever \
         means it says it again.",
        link("a comment", url)
    )
}

/// What a label that mirrors where workflows stand says of itself, in the 100 characters that GitHub gives it.
pub fn mirroring_label(definition: &Definition, name: &str) -> String {
    const ALL: usize = 100;
    const ALONE: &str = ". Set by hand it does nothing";
    let phases = definition.labels().remove(name).unwrap_or_default();
    let phases: Vec<&str> = phases.iter().map(|phase| phase.id.as_str()).collect();
    let of = format!("Shows where {} stands: {}", definition.name, phases.join(", "));
    let room = ALL - ALONE.len();
    let of = match of.chars().count() > room {
        true => of.chars().take(room - 1).chain(['…']).collect(),
        false => of,
    };
    format!("{of}{ALONE}")
}

/// A label of the bot's is set on a discussion, and no delivery told who set it.
pub fn label_unheard(label: &str, current: Option<&Digest>) -> String {
    let instead = label::command(label).unwrap_or_default();
    let instead = match current.filter(|_| instead == "/approve") {
        Some(current) => format!("/approve {}", current.short()),
        None => instead,
    };
    format!(
        "The label {} is set here, and GitHub never told me by whom; of a discussion it does not list it either. So I act on \
         it for nobody. Whoever means it takes it off and sets it again, or writes: {}",
        code(label),
        code(&instead)
    )
}

/// Boxes of the card were ticked by an edit that was never told.
pub fn ticks_unheard(current: Option<&Digest>) -> String {
    let again = match current {
        Some(current) => format!("{} is what is proposed.", digest(current)),
        None => format!("How it stands: {}", code("/status")),
    };
    format!(
        "The boxes on the card were changed, and GitHub never told me by whom. I have drawn it anew: tick again what you \
         mean. {again}"
    )
}

/// An approval that had not opened the gate does not count any more.
pub fn vote_lost(state: &State, phase: &PhaseId, of: &Person, reason: &str, card_url: &str) -> String {
    let again = match &state.at(phase).pending {
        Some(pending) => format!(
            "Somebody else can approve: {}",
            code(&format!("/approve {}", pending.digest.short()))
        ),
        None => format!("How it stands: {}", code("/status")),
    };
    format!(
        "The approval of *{}* by {} no longer counts: {} See {}. {again}",
        title(state, phase),
        somebody(Some(of)),
        sentence(reason),
        link("the card", card_url)
    )
}

/// Why an approval that had not opened the gate does not count any more.
pub fn right_withdrawn(needs: Right, has: Right) -> String {
    format!("it needs the right {needs}, and they have {has} now.")
}

/// Issues that a workflow opened are gone.
pub fn opened_gone(gone: &[(IssueNumber, Fate)]) -> String {
    let all: Vec<String> = gone
        .iter()
        .map(|(issue, fate)| match fate {
            Fate::Transferred => format!("#{issue} was moved to another repository"),
            _ => format!("#{issue} was deleted"),
        })
        .collect();
    format!(
        "{} that I opened for this {} not there any more: {}. I open none of them again. How it stands: {}",
        count(all.len(), "issue", "issues"),
        if all.len() == 1 { "is" } else { "are" },
        list(&all, "and"),
        code("/status")
    )
}

/// The later of two issues that one act had opened.
pub fn duplicate_issue(kept: u64) -> String {
    format!("This is the same as #{kept}: GitHub took one request of mine twice. I close this one; go on there.")
}

/// A workflow stands still, and nobody is waited for.
pub fn stands_still(workflow: &WorkflowId) -> String {
    format!(
        "Workflow {} stands still: nothing of it is due, and it waits for nobody. That is a mistake of mine, which the log \
         and {} tell of. {} tries what failed again, {} ends it.",
        code(workflow.as_str()),
        code("countersign doctor"),
        code("/retry"),
        code("/cancel …")
    )
}
