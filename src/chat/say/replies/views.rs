//! Answers to people who ask how things stand.

use super::people::{WhoCan, named};
use crate::chat::say::approval;
use crate::chat::say::card;
use crate::chat::say::markup::{code, count, link, login, paragraphs, table, when, words};
use crate::chat::say::phrases::{requirement, somebody, title};
use crate::chat::say::record::said;
use crate::chat::say::spending;
use crate::chat::say::view::CardView;
use crate::workflow::approval::{Node, Rule};
use crate::workflow::ids::WorkflowId;
use crate::workflow::right::Requirement;
use crate::workflow::state::{Entry, State, Timestamp};

/// Lines of an explanation.
const EXPLAINED: usize = 20;

/// `/status`: where it stands, what it waits for, since when, by whom.
pub fn status(view: &CardView<'_>, card_url: &str) -> String {
    paragraphs(&[
        card::standing(view),
        view.spending.map(spending::line).unwrap_or_default(),
        format!("Everything stands on {}.", link("the card", card_url)),
        card::steps(view.state),
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
pub fn who(verbs: &[(&str, Requirement)], state: Option<&State>, who: &WhoCan, tree: Option<&Node>) -> String {
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
    let now = match (gate, who) {
        (None, _) => "Nothing is waiting for approval now.".to_owned(),
        (Some((state, (phase, ..))), WhoCan::Known(all)) if all.is_empty() => {
            format!(
                "*{}* is waiting for approval, and I know of nobody who can decide.",
                title(state, phase)
            )
        }
        (Some((state, (phase, ..))), WhoCan::Known(all)) => {
            format!(
                "*{}* is waiting for approval. Who can decide now: {}.",
                title(state, phase),
                named(all)
            )
        }
        (Some((state, (phase, ..))), WhoCan::Unknown) => {
            format!(
                "*{}* is waiting for approval. I could not find out who can decide.",
                title(state, phase)
            )
        }
    };
    paragraphs(&[
        table(&["Commands", "Need"], &rows),
        now,
        gate_part(state, tree),
        format!("How it stands: {}", code("/status")),
    ])
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
                Some(state) => said(state, &entry.what),
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
