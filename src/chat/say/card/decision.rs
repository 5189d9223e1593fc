//! What the card says of a decision: what an approval would do, how far the gate is, and the commands that go on.

use super::{Rest, is_shown, ticking};
use crate::chat::say::boxes::is_key;
use crate::chat::say::markup::{code, count, digest, list, name, paragraphs};
use crate::chat::say::phrases::{hours, title};
use crate::chat::say::tasks::Ticking;
use crate::chat::say::view::{CardView, DocumentView, ProposalView, Selection, Shown};
use crate::chat::say::{approval, judges, next};
use crate::text::harmless::literal;
use crate::workflow::artifact::ReviewVerdict;
use crate::workflow::definition::{OnExpiry, PeopleGate};
use crate::workflow::ids::PhaseId;
use crate::workflow::state::State;

/// What an approval would do.
pub(super) fn effect(view: &CardView<'_>, proposal: &ProposalView) -> String {
    match &proposal.shown {
        Shown::Tasks(tasks) if tasks.tasks.is_empty() => {
            "I found no task here. An approval opens nothing and ends this.".to_owned()
        }
        Shown::Tasks(tasks) if tasks.tasks.iter().all(|task| task.selection == Selection::Off) => {
            "No task is ticked. An approval opens nothing and ends this.".to_owned()
        }
        Shown::Tasks(tasks) => {
            let labels: Vec<String> = tasks.new_labels.iter().take(50).map(|label| name(label)).collect();
            let labels = match labels.len() {
                0 => String::new(),
                1 => format!(", and creates the label {}", labels[0]),
                _ => format!(", and creates the labels {}", list(&labels, "and")),
            };
            match &tasks.tracking {
                Some(title) => format!(
                    "An approval opens the issue “{}” in {} to track this discussion, and the ticked tasks as issues \
                     under it{labels}.",
                    literal::inline(title, 256),
                    name(view.repository)
                ),
                None => format!(
                    "An approval opens the ticked tasks as issues in {} under #{}{labels}.",
                    name(view.repository),
                    view.state.subject.number
                ),
            }
        }
        Shown::Mail(_) => "An approval sends this mail, as text and as HTML with the same content.".to_owned(),
        Shown::Document(document) => approved_document(view.state, &proposal.phase, document),
    }
}

/// What an approval of a document sets going: nothing leaves by it.
fn approved_document(state: &State, phase: &PhaseId, document: &DocumentView) -> String {
    if document.kind == "prompt" {
        return "An approval asks the agent exactly this. `/edit` with a fenced block changes the instructions."
            .to_owned();
    }
    if document.kind == "comparison" {
        return "A choice hands the chosen variant on to the next phases; nothing leaves by it.".to_owned();
    }
    let verdict = state.at(phase).pending.as_ref().and_then(|pending| pending.verdict);
    match (next::way_back(state, phase), verdict) {
        (Some(to), Some(ReviewVerdict::Fail)) if !state.has_round_left(to) => format!(
            "Its verdict is *fail*, and it cannot go back: {} `/approve complete` goes on regardless, `/cancel …` ends it.",
            used_up(state, to)
        ),
        (Some(to), _) if !state.has_round_left(to) => format!(
            "Its verdict is *pass*: an approval goes on. It cannot go back: {}",
            used_up(state, to)
        ),
        (Some(to), Some(ReviewVerdict::Fail)) => format!(
            "Its verdict is *fail*: an approval sends it back to *{}*. `/approve complete` goes on regardless.",
            title(state, to)
        ),
        (Some(to), _) => format!(
            "Its verdict is *pass*: an approval goes on. `/approve revise` sends it back to *{}*.",
            title(state, to)
        ),
        (None, _) if is_last(state, phase) => "An approval ends this; nothing leaves by it.".to_owned(),
        (None, _) => "An approval lets the next phases begin; nothing leaves by it.".to_owned(),
    }
}

/// That a phase had all of its rounds.
pub(super) fn used_up(state: &State, phase: &PhaseId) -> String {
    let rounds = state.rounds_allowed(phase) as usize;
    format!(
        "*{}* had {}, which is the limit.",
        title(state, phase),
        count(rounds, "round", "rounds")
    )
}

/// Whether nothing else is left to be done.
fn is_last(state: &State, phase: &PhaseId) -> bool {
    let mut others = state.definition.phases.iter().filter(|other| other.id != *phase);
    others.all(|other| state.is_settled(other))
}

pub(super) fn decide(
    view: &CardView<'_>,
    proposal: &ProposalView,
    phase: &PhaseId,
    gate: &PeopleGate,
    rest: Rest,
) -> String {
    let state = view.state;
    let mut parts = vec![
        judges::at_the_gate(state, phase),
        approval::asks_for(gate),
        view.gate.map(approval::owners).unwrap_or_default(),
        progress_of_gate(view),
    ];
    let shown = is_shown(view, proposal, rest) && state.people_may_approve(phase);
    let choices = next::choice(state).map(|_| state.choices(phase));
    if let Some(choices) = choices.filter(|_| shown) {
        let commands: Vec<String> = choices
            .iter()
            .map(|(letter, _)| code(&format!("/choose {letter} {}", proposal.digest.short())))
            .collect();
        parts.push(format!("**Choose one of exactly these:** {}.", list(&commands, "or")));
    } else if let Some(approve) = next::approval(state).filter(|_| shown) {
        // A label says no more than yes.
        let label = match next::way_back_is_used_up(state, phase) {
            None => format!(" — or set the label {}", code("countersign:approve")),
            Some(_) => String::new(),
        };
        parts.push(format!("**Approve exactly this:** {}{label}.", code(&approve.command)));
    }
    let void = &state.at(phase).void;
    parts.push(match void.as_slice() {
        [] => String::new(),
        [last] => format!("The former digest {} is void.", digest(last)),
        [_, last] => format!("The former digest {} is void, as is the one before it.", digest(last)),
        [earlier @ .., last] => format!(
            "The former digest {} is void, as are the {} before it.",
            digest(last),
            earlier.len()
        ),
    });
    if ticking(view) == Ticking::Accepted {
        parts.push(changes(state, &proposal.shown));
    }
    if let Some(after) = gate.expires_after_hours {
        parts.push(match &gate.on_expiry {
            OnExpiry::Remind => format!(
                "Not approved within {}, I ask again. Silence approves nothing.",
                hours(after)
            ),
            OnExpiry::Reject => format!("Not approved within {}, it is rejected.", hours(after)),
            OnExpiry::Phase(to) => format!(
                "Not approved within {}, it goes back to *{}*. Silence approves nothing.",
                hours(after),
                title(state, to)
            ),
        });
    }
    paragraphs(&parts)
}

fn changes(state: &State, shown: &Shown) -> String {
    let lines = match shown {
        Shown::Tasks(tasks) if tasks.tasks.is_empty() => {
            vec![format!("- add a task: {}", code("/task title=\"…\""))]
        }
        Shown::Tasks(tasks) => {
            let mut keys = tasks.tasks.iter().map(|task| task.key.as_str());
            let key = keys.find(|key| is_key(key)).unwrap_or("t1");
            vec![
                "- leave one out: untick its box".to_owned(),
                format!("- change one: {}", code(&format!("/edit {key} title=\"…\""))),
                format!("- add one: {}", code("/task title=\"…\"")),
            ]
        }
        Shown::Mail(_) => vec![format!("- change it: {}", code("/edit subject=\"…\""))],
        Shown::Document(document) if document.kind == "prompt" => {
            vec!["- change the instructions: `/edit` with a fenced block below it".to_owned()]
        }
        Shown::Document(document) if document.kind == "comparison" => next::anew(state)
            .map(|anew| format!("- have one made anew: {}", code(&anew.command)))
            .into_iter()
            .collect(),
        // A solution stays as it was given.
        Shown::Document(document) if document.kind == "solution" && !state.can_be_revised() => Vec::new(),
        Shown::Document(document) if document.kind == "solution" => {
            vec![format!("- ask for another one: {}", code("/revise …"))]
        }
        Shown::Document(_) => vec!["- change it: `/edit` with the whole as JSON in a fenced block below it".to_owned()],
    };
    match lines.is_empty() {
        true => String::new(),
        false => format!("Or, before that:\n\n{}", lines.join("\n")),
    }
}

/// How far the open gate is; empty where it is not known, or nobody approved yet.
pub(super) fn progress_of_gate(view: &CardView<'_>) -> String {
    let gate = view.state.open_gate().zip(view.gate);
    gate.map(|((phase, gate, _), gate_view)| approval::so_far(gate, view.state.at(phase), gate_view))
        .unwrap_or_default()
}

/// The commands that go on from here, without an approval where nobody's would count.
pub(in crate::chat::say) fn open_steps(view: &CardView<'_>) -> String {
    let mut steps = next::steps(view.state);
    let nobody = view
        .gate
        .is_some_and(|gate| gate.prospect.is_stuck() && gate.prospect.can.is_empty());
    steps.retain(|step| !(nobody && decides(step)));
    joined(&steps)
}

/// Whether a command approves what waits.
fn decides(step: &next::Next) -> bool {
    step.command.starts_with("/approve") || step.command.starts_with("/choose")
}

/// The commands that go on from here.
pub(in crate::chat::say) fn steps(state: &State) -> String {
    joined(&next::steps(state))
}

/// The same, but the approval, which has its own line.
pub(super) fn other_steps(state: &State) -> String {
    let mut steps = next::steps(state);
    steps.retain(|step| !decides(step));
    joined(&steps)
}

pub(in crate::chat::say) fn joined(steps: &[next::Next]) -> String {
    let steps: Vec<String> = steps
        .iter()
        .map(|step| format!("{} to {}", code(&step.command), step.does))
        .collect();
    format!("{}.", steps.join(" · "))
}
