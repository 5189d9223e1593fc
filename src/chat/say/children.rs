//! Children on a card, and the parent on a child's.

use super::markup::{code, collapsed, count, link, table};
use super::phrases::{because, title};
use super::view::CardView;
use crate::text::harmless::literal;
use crate::workflow::children::{Child, ChildStanding};
use crate::workflow::state::{PhaseState, State};

/// Children that are listed openly; more open with a click.
const OPEN: usize = 20;

/// How a child stands, in one line for lists and the shell.
pub fn words(standing: &ChildStanding) -> String {
    match standing {
        ChildStanding::Planned => "is to be started".to_owned(),
        ChildStanding::Open => "goes on".to_owned(),
        ChildStanding::Held => "is held".to_owned(),
        ChildStanding::Stopped { phase } => format!("stopped at {phase}"),
        ChildStanding::Completed => "is complete".to_owned(),
        ChildStanding::Cancelled { reason } => format!("was cancelled: {}", reason.as_str()),
        ChildStanding::Refused { why } => format!("could not be started: {why}"),
        ChildStanding::LeftOut => "is beyond the most children".to_owned(),
    }
}

/// The children of every phase, each with how it stands and what moves it on.
pub(super) fn section(view: &CardView<'_>) -> String {
    let state = view.state;
    let parts = state.definition.phases.iter().filter_map(|phase| {
        let mut children: Vec<&Child> = state.at(&phase.id).children.values().collect();
        children.sort_by_key(|child| child.issue);
        let definition = &phase.for_each.as_ref()?.definition;
        let rows: Vec<Vec<String>> = children.iter().map(|child| row(view, child, definition)).collect();
        let all = table(&["Child", "Issue", "State", "Next"], &rows);
        Some(match rows.len() {
            0 => String::new(),
            many if many > OPEN => collapsed(
                &format!("{}: {}", title(state, &phase.id), count(many, "child", "children")),
                &all,
            ),
            _ => format!("#### {}\n\n{all}", title(state, &phase.id)),
        })
    });
    super::markup::paragraphs(&parts.collect::<Vec<_>>())
}

fn row(view: &CardView<'_>, child: &Child, definition: &str) -> Vec<String> {
    let issue = format!(
        "{} {}",
        link(&format!("#{}", child.issue), &child.url),
        literal::inline(&child.title, 120)
    );
    let (state, next) = standing(view, child, definition);
    vec![code(child.workflow.as_str()), issue, state, next]
}

/// How a child stands, and the next command.
fn standing(view: &CardView<'_>, child: &Child, definition: &str) -> (String, String) {
    let there = |command: &str| format!("{} on #{}", code(command), child.issue);
    let waits = view.children.get(&child.workflow);
    match &child.standing {
        ChildStanding::Planned => ("is being started".to_owned(), String::new()),
        ChildStanding::Open => match waits {
            Some(waits) => (format!("waits for {}", literal::inline(waits, 200)), there("/status")),
            None => ("at work".to_owned(), String::new()),
        },
        ChildStanding::Held => ("on hold".to_owned(), held(view.state, child)),
        ChildStanding::Stopped { phase } => (
            format!("**stopped** at {}", literal::inline(phase, 80)),
            there("/retry"),
        ),
        ChildStanding::Completed => ("done".to_owned(), String::new()),
        ChildStanding::Cancelled { reason } => (format!("**cancelled**{}", because(reason.as_str())), anew(view.state)),
        ChildStanding::Refused { why } => (
            format!("**not started**: {}", literal::inline(why, 400)),
            anew(view.state),
        ),
        ChildStanding::LeftOut => (
            "beyond the most children".to_owned(),
            there(&format!("/run {definition}")),
        ),
    }
}

/// What starts a child anew; nothing where its parent has ended.
fn anew(parent: &State) -> String {
    match parent.is_open() {
        true => format!("{} here", code("/retry")),
        false => String::new(),
    }
}

fn held(parent: &State, child: &Child) -> String {
    match parent.hold {
        Some(_) => format!("{} here", code("/unhold")),
        None => format!("{} on #{}", code("/unhold"), child.issue),
    }
}

/// How many children are done, for a table's cell.
pub(super) fn brief(at: &PhaseState) -> String {
    let done = at.children.values();
    let done = done.filter(|child| child.standing == ChildStanding::Completed).count();
    format!("{done} of {} done", count(at.children.len(), "child", "children"))
}

/// Whose child a workflow is; empty where it is nobody's.
pub(super) fn of_parent(state: &State) -> String {
    state.parent.as_ref().map_or_else(String::new, |parent| {
        format!(
            "A child of workflow {} on #{}: what is held or cancelled there is so here.",
            code(parent.workflow.as_str()),
            parent.subject
        )
    })
}
