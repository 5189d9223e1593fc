//! Answers to people who ask how things stand.

use super::people::named;
use crate::chat::say::approval;
use crate::chat::say::card;
use crate::chat::say::markup::{code, collapsed, count, fenced, link, login, paragraphs, pieces, table, when, words};
use crate::chat::say::phrases::{requirement, somebody, title};
use crate::chat::say::record::told;
use crate::chat::say::spending;
use crate::chat::say::view::{CardView, GateView};
use crate::workflow::approval::{Node, Rule};
use crate::workflow::definition::PeopleGate;
use crate::workflow::ids::WorkflowId;
use crate::workflow::right::Requirement;
use crate::workflow::state::{Entry, State, Timestamp};

/// Raw characters of a prompt in one comment; fenced and moved in, they grow to three times that at worst.
const PROMPT: usize = 18_000;
/// Lines of an explanation.
const EXPLAINED: usize = 20;

/// `/status`: where it stands, what it waits for, since when, by whom.
pub fn status(view: &CardView<'_>, card_url: &str) -> String {
    paragraphs(&[
        card::standing(view),
        view.spending.map(spending::line).unwrap_or_default(),
        format!("Everything stands on {}.", link("the card", card_url)),
        card::open_steps(view),
    ])
}

/// Nothing is open here; the last one's card, where there was one.
pub fn nothing_open(last: Option<(&WorkflowId, &str)>) -> String {
    let last = match last {
        Some((id, url)) => format!(" The last was {}: {}.", code(id.as_str()), link("its record", url)),
        None => String::new(),
    };
    format!("No workflow is open here.{last} To start one: {}", code("/deliver"))
}

/// One is open already: which, and where.
pub fn already_open(state: &State, card_url: &str) -> String {
    format!(
        "One is open here already: {}, started on {}; see {}. To start another, end it first: {}",
        code(state.id.as_str()),
        when(state.started_at),
        link("its card", card_url),
        code("/cancel …")
    )
}

/// `/who`: what each verb needs, and who can decide now. `verbs` holds names without the slash, with what this
/// repository asks for.
pub fn who(
    verbs: &[(&str, Requirement)],
    state: Option<&State>,
    view: Option<&GateView>,
    tree: Option<&Node>,
) -> String {
    let mut groups: Vec<(Requirement, Vec<String>)> = Vec::new();
    for (verb, needs) in verbs {
        let verb = code(&format!("/{verb}"));
        match groups.iter_mut().find(|(group, _)| group == needs) {
            Some((_, verbs)) => verbs.push(verb),
            None => groups.push((*needs, vec![verb])),
        }
    }
    groups.sort_by_key(|(needs, _)| (needs.right, std::cmp::Reverse(needs.or.len())));
    let rows: Vec<Vec<String>> = groups
        .into_iter()
        .map(|(needs, verbs)| vec![verbs.join(" "), requirement(needs)])
        .collect();
    let gate = state
        .filter(|state| state.is_open())
        .and_then(|state| Some((state, state.open_gate()?)));
    let now = match gate {
        None => "Nothing is waiting for approval now.".to_owned(),
        Some((state, (phase, gate, _))) => format!(
            "*{}* is waiting for approval. {}",
            title(state, phase),
            view.map_or_else(|| UNKNOWN.to_owned(), |view| deciders(gate, view))
        ),
    };
    paragraphs(&[
        table(&["Commands", "Need"], &rows),
        now,
        gate_part(state, tree),
        format!("How it stands: {}", code("/status")),
    ])
}

/// Nobody could be named.
const UNKNOWN: &str = "I could not find out who can decide.";

/// Who can decide at a gate now, or why nobody can, and whose approval would not count.
fn deciders(gate: &PeopleGate, view: &GateView) -> String {
    let can = view.can();
    match approval::stuck(gate, view) {
        Some(stuck) => stuck,
        None if can.is_empty() => UNKNOWN.to_owned(),
        None => format!("Who can decide now: {}. {}", named(&can), approval::excluded(view))
            .trim()
            .to_owned(),
    }
}

/// Whether the gate asks more than people.
fn has_judges(tree: &Node) -> bool {
    let mut parts = tree.children.iter();
    parts.any(|part| matches!(part.rule, Rule::Checks | Rule::Approver(_)))
}

/// What the open gate asks and how far it is, where it asks for more than one person with the right.
fn gate_part(state: Option<&State>, tree: Option<&Node>) -> String {
    let gate = state.and_then(State::open_gate);
    match (gate, tree) {
        (Some((_, gate, _)), Some(tree)) if !approval::asks_for(gate).is_empty() || has_judges(tree) => {
            paragraphs(&[approval::asks_for(gate), approval::tree(tree)])
        }
        _ => String::new(),
    }
}

/// One thing that happened, for `/explain`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happening<'a> {
    /// A line of the workflow's record.
    Recorded(&'a Entry),
    /// Something that GitHub told.
    Heard {
        /// When it arrived.
        at: Timestamp,
        /// Who did it, where it names somebody.
        by: Option<&'a str>,
        /// What it was, such as `issue_comment.created`.
        event: &'a str,
        /// The page of the comment that it is about, if it is about one.
        url: Option<&'a str>,
        /// What came of it.
        outcome: Heard<'a>,
    },
}

impl Happening<'_> {
    /// When it happened.
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Recorded(entry) => entry.at,
            Self::Heard { at, .. } => *at,
        }
    }
}

/// What came of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard<'a> {
    /// It waits its turn, or another try.
    Waiting,
    /// It was acted upon.
    Acted,
    /// It was answered with a refusal, or needed nothing; the sentence says why.
    Nothing(&'a str),
    /// It failed; the id is found in the logs.
    Failed(&'a str),
}

/// `/explain`: what happened here lately and what came of it, in the order given.
pub fn explain(state: Option<&State>, happenings: &[Happening<'_>], tree: Option<&Node>) -> String {
    let end = format!("How it stands: {}", code("/status"));
    if happenings.is_empty() {
        return format!("I have heard of nothing here that I could explain. {end}");
    }
    let rows: Vec<Vec<String>> = happenings
        .iter()
        .take(EXPLAINED)
        .map(|happening| explained(state, happening))
        .collect();
    let left = happenings.len().saturating_sub(EXPLAINED);
    let left = if left > 0 {
        format!("{} more.", count(left, "line", "lines"))
    } else {
        String::new()
    };
    let gate = gate_part(state, tree);
    paragraphs(&[
        table(&["When", "Who", "What", "What came of it"], &rows),
        left,
        gate,
        end,
    ])
}

fn explained(state: Option<&State>, happening: &Happening<'_>) -> Vec<String> {
    match happening {
        Happening::Recorded(entry) => {
            let (what, how) = match state {
                Some(state) => told(state, entry),
                None => (String::new(), String::new()),
            };
            vec![when(entry.at), somebody(entry.by.as_ref()), what, how]
        }
        Happening::Heard {
            at,
            by,
            event,
            url,
            outcome,
        } => {
            let came = match outcome {
                Heard::Waiting => "waits for its turn".to_owned(),
                Heard::Acted => "acted upon".to_owned(),
                Heard::Nothing(why) => words(why),
                Heard::Failed(id) => format!("failed (error {})", code(id)),
            };
            let what = url.map_or_else(|| code(event), |url| link(&code(event), url));
            vec![when(*at), by.map(login).unwrap_or_default(), what, came]
        }
    }
}

/// `/prompt`: what the agent of a phase is asked, with how to answer. Several comments where it is long.
pub fn prompt(state: &State, phase: &crate::workflow::ids::PhaseId, prompt: &str) -> Vec<String> {
    let parts = pieces(prompt, PROMPT);
    let title = title(state, phase);
    let all = parts.len();
    let comments = parts.iter().enumerate().map(|(at, part)| {
        let number = if all > 1 {
            format!(", part {} of {all}", at + 1)
        } else {
            String::new()
        };
        let text = collapsed(
            "Show the prompt",
            &fenced(part.strip_suffix('\n').unwrap_or(part), "text"),
        );
        let last = at + 1 == all;
        let how = if last {
            format!(
                "Give {} to a person or a model of your choice. The answer goes into a comment of this form:\n\n{}",
                if all > 1 {
                    "all parts, one after the other,"
                } else {
                    "it"
                },
                fenced("/respond\n```json\n{ … }\n```", "")
            )
        } else {
            String::new()
        };
        paragraphs(&[format!("The prompt of *{title}*{number}."), text, how])
    });
    comments.collect()
}

/// Nothing waits for an answer, so there is no prompt to show.
pub fn no_prompt(state: &State) -> String {
    format!("No prompt is waiting for an answer. {}", card::steps(state))
}
