//! Answers to people who ask how things stand.

use super::people::named;
use crate::chat::say::approval;
use crate::chat::say::card;
use crate::chat::say::markup::{code, count, link, login, name, paragraphs, pieces, table, when, words};
use crate::chat::say::phrases::{requirement, somebody, title};
use crate::chat::say::record::told;
use crate::chat::say::spending;
use crate::chat::say::view::{CardView, GateView};
use crate::workflow::approval::{Node, Rule};
use crate::workflow::definition::PeopleGate;
use crate::workflow::ids::WorkflowId;
use crate::workflow::right::Requirement;
use crate::workflow::state::{Entry, State, Timestamp};

/// Lines of an explanation.
const EXPLAINED: usize = 20;
/// Bytes of a reason in one of them.
const WHY: usize = 400;
/// Characters of an answer that is quoted.
const QUOTED: usize = 6_000;

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
        /// What it was.
        what: Told<'a>,
        /// The page of the comment that it is about, if it is about one.
        url: Option<&'a str>,
        /// What came of it.
        outcome: Heard<'a>,
    },
}

impl Happening<'_> {
    /// Whether something was refused.
    pub fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::Heard {
                outcome: Heard::Refused(_),
                ..
            }
        )
    }

    /// When it happened.
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Recorded(entry) => entry.at,
            Self::Heard { at, .. } => *at,
        }
    }
}

/// What GitHub told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told<'a> {
    /// A command, by its verb without the slash.
    Command(&'a str),
    /// A comment.
    Comment,
    /// An edit of a comment.
    Edit,
    /// The deletion of a comment.
    Deletion,
    /// A label that was set.
    Label(&'a str),
    /// The subject was closed.
    Closing,
    /// Something else.
    Other,
}

impl Told<'_> {
    fn words(&self) -> String {
        match self {
            Self::Command(verb) => code(&format!("/{verb}")),
            Self::Comment => "a comment".to_owned(),
            Self::Edit => "an edit of a comment".to_owned(),
            Self::Deletion => "the deletion of a comment".to_owned(),
            Self::Label(label) => format!("the label {}", name(label)),
            Self::Closing => "closed it".to_owned(),
            Self::Other => "a change".to_owned(),
        }
    }
}

/// What came of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard<'a> {
    /// It waits its turn, or another try.
    Waiting,
    /// What it asked for was done.
    Done,
    /// It was answered.
    Answered,
    /// It was refused, in these words of ours where they are still kept.
    Refused(Option<&'a str>),
    /// It needed nothing; the sentence says why.
    Nothing(&'a str),
    /// It failed; the id is found in the logs.
    Failed(&'a str),
}

/// `/explain`: what happened here lately and what came of it, in the order given.
pub fn explain(state: Option<&State>, happenings: &[Happening<'_>], tree: Option<&Node>) -> String {
    if happenings.is_empty() {
        return nothing_to_explain();
    }
    let left = happenings.len().saturating_sub(EXPLAINED);
    let left = if left > 0 {
        format!("{} more.", count(left, "line", "lines"))
    } else {
        String::new()
    };
    paragraphs(&[
        happened(state, happenings, brief),
        left,
        gate_part(state, tree),
        how_it_stands(),
    ])
}

/// `/explain COMMENT`: what came of one comment, with all that was answered where it was refused.
pub fn explain_comment(state: Option<&State>, happenings: &[Happening<'_>], tree: Option<&Node>) -> String {
    if happenings.is_empty() {
        return nothing_to_explain();
    }
    let refused = happenings.iter().filter_map(|happening| match happening {
        Happening::Heard {
            what,
            outcome: Heard::Refused(said),
            ..
        } => Some((what, *said)),
        _ => None,
    });
    let answers = refused.clone().filter_map(|(what, said)| Some((what, said?)));
    let answers: Vec<String> = answers
        .map(|(what, said)| format!("I refused {} with these words:\n\n{}", what.words(), quote(said)))
        .collect();
    let gate = match refused.clone().count() {
        0 => String::new(),
        _ => gate_part(state, tree),
    };
    paragraphs(&[
        happened(state, happenings, |_| None),
        answers.join("\n\n"),
        gate,
        how_it_stands(),
    ])
}

fn nothing_to_explain() -> String {
    format!("I have heard of nothing here that I could explain. {}", how_it_stands())
}

fn how_it_stands() -> String {
    format!("How it stands: {}", code("/status"))
}

fn happened(state: Option<&State>, happenings: &[Happening<'_>], why: fn(&str) -> Option<String>) -> String {
    let rows: Vec<Vec<String>> = happenings
        .iter()
        .take(EXPLAINED)
        .map(|happening| explained(state, happening, why))
        .collect();
    table(&["When", "Who", "What", "What came of it"], &rows)
}

fn explained(state: Option<&State>, happening: &Happening<'_>, why: fn(&str) -> Option<String>) -> Vec<String> {
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
            what,
            url,
            outcome,
        } => {
            let came = match outcome {
                Heard::Waiting => "waits for its turn".to_owned(),
                Heard::Done => "done".to_owned(),
                Heard::Answered => "answered".to_owned(),
                Heard::Refused(said) => match said.and_then(why) {
                    Some(why) => format!("refused: {why}"),
                    None => "refused".to_owned(),
                },
                Heard::Nothing(why) => format!("nothing: {}", words(why)),
                Heard::Failed(id) => format!("failed (error {})", code(id)),
            };
            let what = url.map_or_else(|| what.words(), |url| link(&what.words(), url));
            vec![when(*at), by.map(login).unwrap_or_default(), what, came]
        }
    }
}

/// The beginning of what we said, for a table's cell; nothing where it does not fit one.
fn brief(said: &str) -> Option<String> {
    let first = said.split("\n\n").next().unwrap_or_default();
    let fits = |text: &&str| !text.is_empty() && text.len() <= WHY && !text.contains(['|', '\n']);
    let sentence = || first.split_inclusive(". ").next().map(str::trim_end);
    let brief = Some(first).filter(fits).or_else(|| sentence().filter(fits));
    brief.map(str::to_owned)
}

/// What we said ourselves, quoted.
fn quote(said: &str) -> String {
    let (text, end) = match pieces(said, QUOTED).as_slice() {
        [first, _, ..] => (*first, "\n>\n> …"),
        _ => (said, ""),
    };
    let lines: Vec<String> = text
        .trim_end()
        .lines()
        .map(|line| format!("> {line}").trim_end().to_owned())
        .collect();
    lines.join("\n") + end
}
