//! The card: the one comment of a workflow that is kept current.

mod decision;

use super::approval;
use super::children;
use super::guidelines;
use super::judges;
use super::markup::{
    code, collapsed, count, digest, full_stop, link, list, login, logins, name, paragraphs, sentence, table, units,
    when,
};
use super::next;
use super::outcomes::{self, Room};
use super::pages::{LONGEST, bind};
use super::phrases::{self, because, right, somebody, surface, title};
use super::tasks::Ticking;
use super::view::{CardView, Note, ProposalView, Shown};
use super::why::why;
use super::{document, mail, record, spending, tasks};
use crate::text::harmless::literal;
use crate::workflow::decide::awaits_answer;
use crate::workflow::definition::PeopleGate;
use crate::workflow::ids::PhaseId;
use crate::workflow::state::{Maker, Pending, PhaseStatus, State, Status, What};
use decision::{decide, effect, other_steps, progress_of_gate, used_up};
pub(super) use decision::{joined, open_steps, steps};

/// What the links to pages may take.
const LINKS: usize = 4_000;
/// Pages that are linked one by one.
const LINKED: usize = 20;
/// People that are named.
const NAMED: usize = 20;
/// Phases from which on they are counted.
const COUNTED: usize = 4;
/// Notes that are shown.
const NOTES: usize = 20;

/// A card and the pages that it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The comment's body, without a hidden marker.
    pub card: String,
    /// Bodies of the comments that must stand before the approve line may appear; none when all fits the card. They
    /// depend on the proposal alone, so they need not be written again while its digest stays.
    pub pages: Vec<String>,
}

/// Renders a card of at most 60,000 characters, and the pages for what does not fit.
///
/// The approve line stands on it exactly if the workflow is open and not held, a gate of people is open, the proposal
/// given is the one at that gate, and all of it is shown: on the card itself or on pages that are all posted.
pub fn card(view: &CardView<'_>) -> Rendered {
    for room in [Room::Plenty, Room::Little] {
        let card = compose(view, room, view.proposal.map(|proposal| full(view, proposal)));
        if units(&card) <= LONGEST {
            return Rendered {
                card,
                pages: Vec::new(),
            };
        }
    }
    let Some(proposal) = view.proposal else {
        return Rendered {
            card: compose(view, Room::Little, None),
            pages: Vec::new(),
        };
    };
    let (pages, rest) = if needs_pages(view.state, proposal) {
        let pages = bind(&view.state.id, &proposal.digest, &entries(proposal));
        let rest = Rest::OnPages(pages.len());
        (pages, rest)
    } else {
        (Vec::new(), Rest::Decided)
    };
    let without = compose(
        view,
        Room::Little,
        Some(Body {
            text: String::new(),
            rest,
        }),
    );
    let room = (LONGEST - LINKS).saturating_sub(units(&without));
    let text = match &proposal.shown {
        Shown::Tasks(tasks) => tasks::index(tasks, ticking(view), room),
        Shown::Mail(mail) => mail::index(mail),
        Shown::Document(document) => document::index(document, room),
    };
    Rendered {
        card: compose(view, Room::Little, Some(Body { text, rest })),
        pages,
    }
}

/// What stands under the proposal's heading.
struct Body {
    text: String,
    rest: Rest,
}

/// Where the part of a proposal is that the card does not show.
#[derive(Clone, Copy)]
enum Rest {
    /// There is none.
    None,
    /// On so many pages.
    OnPages(usize),
    /// On pages that may have been written while it was to be decided; they are not written any more.
    Decided,
}

/// Whether a proposal must be readable in full: it is still to be decided, or nobody decides about it at all.
fn needs_pages(state: &State, proposal: &ProposalView) -> bool {
    match state.definition.phase(&proposal.phase).map(|phase| &phase.gate) {
        Some(gate) if !gate.is_none() => state.is_open() && is_at_the_gate(state, proposal),
        _ => true,
    }
}

fn is_at_the_gate(state: &State, proposal: &ProposalView) -> bool {
    state
        .open_gate()
        .is_some_and(|(phase, _, pending)| proposal.phase == *phase && proposal.digest == pending.digest)
}

fn full(view: &CardView<'_>, proposal: &ProposalView) -> Body {
    let text = match &proposal.shown {
        Shown::Tasks(tasks) => tasks::full(tasks, ticking(view)),
        Shown::Mail(mail) => mail::full(mail),
        Shown::Document(document) => document::full(document),
    };
    Body { text, rest: Rest::None }
}

fn entries(proposal: &ProposalView) -> Vec<super::pages::Entry> {
    match &proposal.shown {
        Shown::Tasks(tasks) => tasks::entries(tasks),
        Shown::Mail(mail) => mail::entries(mail),
        Shown::Document(document) => document::entries(document),
    }
}

fn compose(view: &CardView<'_>, room: Room, body: Option<Body>) -> String {
    let proposal = view
        .proposal
        .zip(body)
        .map(|(proposal, body)| proposal_part(view, proposal, &body));
    let over = !view.state.is_open();
    paragraphs(&[
        format!(
            "### {} · {}",
            literal::inline(&view.state.definition.title, 120),
            headline(view.state)
        ),
        status(view),
        phases(view),
        paragraphs(&[progress(view.state), handed_over(view.state), guided(view.state)]),
        view.spending.map(spending::line).unwrap_or_default(),
        spending::ahead(view.ahead, view.currency),
        stopped(view),
        proposal.unwrap_or_default(),
        children::section(view),
        outcomes::section(view, room),
        match (over, view.state.record.len()) {
            (true, _) => format!("#### Record\n\n{}", record::section(view.state, room)),
            // That it was started stands above.
            (false, 0 | 1) => String::new(),
            (false, _) => collapsed("What happened so far", &record::section(view.state, room)),
        },
        notes(view),
        forms(view),
        other_steps(view.state),
    ])
}

/// The gate that can be decided now, if the proposal given is the one at it.
fn at_the_gate<'a>(view: &CardView<'a>) -> Option<(&'a PhaseId, &'a PeopleGate, &'a Pending)> {
    let state = view.state;
    let shown = view.proposal.is_some_and(|proposal| is_at_the_gate(state, proposal));
    state
        .open_gate()
        .filter(|_| shown && state.is_open() && state.hold.is_none())
}

fn ticking(view: &CardView<'_>) -> Ticking {
    let begun = |phase| {
        view.state
            .executors_of(phase)
            .any(|id| !view.state.at(id).outcomes.is_empty())
    };
    match at_the_gate(view) {
        Some((phase, ..)) if !begun(phase) => Ticking::Accepted,
        _ => Ticking::Closed,
    }
}

/// How a workflow stands, in a few words.
pub fn headline(state: &State) -> &'static str {
    match state.status {
        Status::Completed => return "done",
        Status::Cancelled { .. } => return "cancelled",
        Status::Open if state.hold.is_some() => return "on hold",
        Status::Open => {}
    }
    if next::choice(state).is_some() {
        return "waiting for a choice";
    }
    if let Some((phase, ..)) = state.open_gate() {
        return judges::headline(state, phase);
    }
    if state.asking().is_some() {
        return "waiting for answers";
    }
    let stopped = [PhaseStatus::WaitingForHuman, PhaseStatus::Rejected, PhaseStatus::Error];
    match state.first_at(&stopped).map(|phase| state.at(phase).status) {
        Some(PhaseStatus::WaitingForHuman) => "needs a person",
        Some(PhaseStatus::Rejected) => "rejected",
        Some(PhaseStatus::Error) => "failed",
        _ if crate::workflow::children::waiting(state).is_some() => "waiting for its children",
        _ => "at work",
    }
}

/// Who or what is waited for, since when.
fn status(view: &CardView<'_>) -> String {
    let state = view.state;
    let how = state.record.iter().find_map(|entry| match &entry.what {
        What::Started(by) => Some(surface(by)),
        _ => None,
    });
    let started = format!(
        "Workflow {}, started by {} on {} ({}).",
        code(state.id.as_str()),
        login(&state.starter.login),
        when(state.started_at),
        how.unwrap_or_default()
    );
    let waits = match (&state.status, &state.hold) {
        (Status::Completed, _) => String::new(),
        (Status::Cancelled { by, reason }, _) => full_stop(format!(
            "Cancelled by {}{}",
            somebody(by.as_ref()),
            because(reason.as_str())
        )),
        (Status::Open, Some(hold)) => format!(
            "{} Nothing is started and nothing can be approved until {}.",
            full_stop(format!(
                "Held by {} since {}{}",
                somebody(hold.by.as_ref()),
                when(hold.since),
                because(hold.reason.as_str())
            )),
            code("/unhold")
        ),
        (Status::Open, None) => waits_for(view),
    };
    paragraphs(&[waits, started, children::of_parent(state)])
}

fn waits_for(view: &CardView<'_>) -> String {
    let state = view.state;
    let whom = if view.asked.is_empty() {
        "people".to_owned()
    } else {
        named(view.asked)
    };
    if let Some((phase, gate, _)) = state.open_gate() {
        let least = right(gate.right);
        let since = when(state.at(phase).since);
        if let Some(waits) = judges::waits_for(state, phase, &since) {
            return waits;
        }
        let title = title(state, phase);
        return match view.gate.and_then(|view| approval::stuck(gate, view)) {
            Some(stuck) => format!("Waiting for approval at *{title}* since {since}. {stuck}"),
            None => format!("Waiting for {whom} ({least} or more) at *{title}* since {since}."),
        };
    }
    if let Some(phase) = state.asking() {
        let at = state.at(phase);
        let (open, all) = (at.open_questions().count(), at.questions.len());
        return format!(
            "Waiting for {whom} to answer {} of {all} at *{}* since {}.",
            count(open, "question", "questions"),
            title(state, phase),
            when(at.since)
        );
    }
    let stopped = [PhaseStatus::WaitingForHuman, PhaseStatus::Rejected, PhaseStatus::Error];
    match state.first_at(&stopped) {
        Some(phase) => format!(
            "{}Waiting for {whom} at {} since {}.",
            rejected(state, phase),
            list(&waiting_with(state, phase), "and"),
            when(state.at(phase).since)
        ),
        None => String::new(),
    }
}

/// A phase that needs a person, and where it waits for an answer by hand, the others that do.
fn waiting_with(state: &State, phase: &PhaseId) -> Vec<String> {
    let at_once = |other: &PhaseId| awaits_answer(state, phase) && awaits_answer(state, other);
    let phases = state.definition.phases.iter().map(|phase| &phase.id);
    let waiting = phases.filter(|other| *other == phase || at_once(other));
    waiting.map(|phase| format!("*{}*", title(state, phase))).collect()
}

/// Who rejected what a phase proposed, and why; empty where nobody did.
fn rejected(state: &State, phase: &PhaseId) -> String {
    let last = state.record.iter().rev().find_map(|entry| match &entry.what {
        What::Rejected(of, why) if of == phase => {
            let by = somebody(entry.by.as_ref());
            let rejected = full_stop(format!("Rejected by {by}{}", because(why.as_str())));
            Some(format!("{rejected} "))
        }
        What::Expired(of) if of == phase => {
            Some("Its time ran out before it was approved, so it is rejected. ".to_owned())
        }
        _ => None,
    });
    let limit = match state.can_be_retried() || state.can_be_revised() {
        true => String::new(),
        false => format!("{} ", used_up(state, phase)),
    };
    last.filter(|_| state.at(phase).status == PhaseStatus::Rejected)
        .map(|rejected| rejected + &limit)
        .unwrap_or_default()
}

fn named(all: &[String]) -> String {
    let mut names = logins(&all[..all.len().min(NAMED)]);
    if all.len() > NAMED {
        names.push(format!("{} more", all.len() - NAMED));
        return list(&names, "and");
    }
    list(&names, "or")
}

fn phases(view: &CardView<'_>) -> String {
    let state = view.state;
    let rows: Vec<Vec<String>> = state
        .definition
        .phases
        .iter()
        .map(|phase| {
            let at = state.at(&phase.id);
            let provider = view.providers.get(&phase.id).map(String::as_str);
            let since = if at.status == PhaseStatus::Blocked {
                String::new()
            } else {
                when(at.since)
            };
            let result = outcomes::brief(state, &phase.id);
            let result = match (&at.pending, result.is_empty()) {
                (Some(pending), true) => made(pending, at.iteration),
                _ => result,
            };
            vec![
                title(state, &phase.id),
                phrases::standing(state, phase, provider),
                since,
                result,
            ]
        })
        .collect();
    table(&["Phase", "State", "Since", "Result"], &rows)
}

/// How far it has come, where a table is too long to see it at a glance.
fn progress(state: &State) -> String {
    let (done, all) = state.progress();
    match state.definition.phases.len() {
        0..COUNTED => String::new(),
        _ => format!("Progress: {done} of {all}."),
    }
}

/// By digest, what the agent that is at work, or whose work is looked at, was given by the phases before it.
fn handed_over(state: &State) -> String {
    let begun = [
        PhaseStatus::Draft,
        PhaseStatus::Running,
        PhaseStatus::WaitingForHuman,
        PhaseStatus::ReadyForReview,
        PhaseStatus::Rejected,
        PhaseStatus::Error,
    ];
    let phase = state.first_at(&begun).and_then(|id| state.definition.phase(id));
    let Some(phase) = phase.filter(|phase| state.is_open() && phase.prompt.is_some()) else {
        return String::new();
    };
    let handed: Vec<String> = state
        .handed(phase)
        .map(|(from, what)| format!("{} {}", title(state, from), digest(&what)))
        .collect();
    match handed.as_slice() {
        [] => String::new(),
        handed => format!("Handed to *{}*: {}.", title(state, &phase.id), list(handed, "and")),
    }
}

/// Which guidelines of the repository the prompt was made with that is looked at, or whose answer is.
fn guided(state: &State) -> String {
    let made = [
        PhaseStatus::Draft,
        PhaseStatus::WaitingForHuman,
        PhaseStatus::ReadyForReview,
        PhaseStatus::Rejected,
        PhaseStatus::Error,
    ];
    let at_gate = state.open_gate().map(|(phase, ..)| phase);
    let phase = at_gate.or_else(|| state.first_at(&made)).filter(|_| state.is_open());
    let guidelines = phase.and_then(|phase| state.at(phase).guidelines.as_ref());
    guidelines.map(guidelines::line).unwrap_or_default()
}

/// A proposal in a table's cell: its digest, who made it, in which round.
fn made(pending: &Pending, iteration: u32) -> String {
    let by = match &pending.by {
        Maker::Agent { provider } => name(provider),
        Maker::Person(person) => somebody(Some(person)),
    };
    let round = if iteration > 1 {
        format!(", round {iteration}")
    } else {
        String::new()
    };
    format!("{} by {by}{round}", digest(&pending.digest))
}

/// Why a phase needs a person.
fn stopped(view: &CardView<'_>) -> String {
    let state = view.state;
    let stopped = [PhaseStatus::WaitingForHuman, PhaseStatus::Error];
    let reason = state
        .first_at(&stopped)
        // What became of variants that were not made stands in their comparison.
        .filter(|_| state.is_open() && next::choice(state).is_none())
        .and_then(|phase| state.at(phase).why.as_ref());
    reason.map(why).unwrap_or_default()
}

fn proposal_part(view: &CardView<'_>, proposal: &ProposalView, body: &Body) -> String {
    let of = digest(&proposal.digest);
    let gate = at_the_gate(view);
    let heading = match (&proposal.shown, gate.is_some()) {
        (Shown::Tasks(tasks), true) => format!("#### Proposal {of}: {}", tasks::tally(tasks)),
        (Shown::Tasks(tasks), false) => format!("#### Tasks {of}: {}", tasks::tally(tasks)),
        (Shown::Mail(_), true) => format!("#### Proposal {of}: a mail"),
        (Shown::Mail(_), false) => format!("#### Mail {of}"),
        (Shown::Document(document), true) => format!("#### Proposal {of}: {}", name(&document.kind)),
        (Shown::Document(document), false) => format!("#### {} {of}", name(&document.kind)),
    };
    let effect = if gate.is_some() {
        effect(view, proposal)
    } else {
        String::new()
    };
    let decide = gate.map(|(phase, gate, _)| decide(view, proposal, phase, gate, body.rest));
    let pages = pages_part(view, proposal, body.rest);
    // What was decided already need not stand open, unless it is all that the workflow was for.
    let is_solution = matches!(&proposal.shown, Shown::Document(document) if document.kind == "solution");
    let is_result = is_solution && view.state.status == Status::Completed;
    let text = match gate {
        None if !is_result && body.text.lines().count() > 10 => collapsed("Show", &body.text),
        _ => body.text.clone(),
    };
    paragraphs(&[heading, effect, text, pages, decide.unwrap_or_default()])
}

/// The pages that are posted for this proposal.
fn posted<'a>(view: &CardView<'a>, proposal: &ProposalView) -> Option<&'a [String]> {
    let posted = view.pages_posted.filter(|posted| posted.digest == proposal.digest)?;
    (!posted.urls.is_empty()).then_some(posted.urls.as_slice())
}

/// Whether all of a proposal can be read.
fn is_shown(view: &CardView<'_>, proposal: &ProposalView, rest: Rest) -> bool {
    match rest {
        Rest::None => true,
        Rest::OnPages(pages) => posted(view, proposal).is_some_and(|urls| urls.len() >= pages),
        Rest::Decided => false,
    }
}

fn pages_part(view: &CardView<'_>, proposal: &ProposalView, rest: Rest) -> String {
    match (rest, posted(view, proposal)) {
        (Rest::None, _) | (Rest::Decided, None) => String::new(),
        (Rest::OnPages(pages), _) if !is_shown(view, proposal, rest) => {
            let then = if is_at_the_gate(view.state, proposal) {
                "; it can be approved then"
            } else {
                ""
            };
            let all = count(pages, "page", "pages");
            format!("This is too long for one comment. All of it is being written on {all}{then}.")
        }
        (_, Some(urls)) => page_links(urls),
        (Rest::OnPages(_), None) => String::new(),
    }
}

fn page_links(urls: &[String]) -> String {
    let all = count(urls.len(), "page", "pages");
    match urls {
        [first, .., last] if urls.len() > LINKED => {
            let (first, last) = (link("the first", first), link("the last", last));
            format!("All of it stands on {all}, from {first} to {last}.")
        }
        _ => {
            let links: Vec<String> = urls
                .iter()
                .enumerate()
                .map(|(at, url)| link(&(at + 1).to_string(), url))
                .collect();
            format!("All of it stands on {all}: {}.", links.join(", "))
        }
    }
}

fn notes(view: &CardView<'_>) -> String {
    let lines: Vec<String> = view
        .notes
        .iter()
        .take(NOTES)
        .map(|note| match note {
            Note::Said(said) => format!("- {}", sentence(said)),
            Note::Forms(_) => String::new(),
        })
        .filter(|line| !line.is_empty())
        .collect();
    let more = view.notes.len().saturating_sub(NOTES);
    let more = if more > 0 {
        format!("\n- {more} more")
    } else {
        String::new()
    };
    if lines.is_empty() {
        String::new()
    } else {
        format!("Notes:\n\n{}{more}", lines.join("\n"))
    }
}

/// The forms that were looked for, while tasks can still be added: openly where nothing was found, else for whoever
/// wonders.
fn forms(view: &CardView<'_>) -> String {
    let forms = view.notes.iter().find_map(|note| match note {
        Note::Forms(forms) => Some(*forms),
        _ => None,
    });
    let found = view
        .proposal
        .is_some_and(|proposal| !matches!(&proposal.shown, Shown::Tasks(tasks) if tasks.tasks.is_empty()));
    let decided = |proposal: &ProposalView| {
        let gate = view.state.definition.phase(&proposal.phase).map(|phase| &phase.gate);
        gate.is_some_and(|gate| gate.people().is_some()) && at_the_gate(view).is_none()
    };
    match forms {
        Some(_) if view.proposal.is_some_and(decided) => String::new(),
        Some(forms) if found => collapsed("What I take for a task", forms),
        Some(forms) => format!("What I take for a task:\n\n{forms}"),
        None => String::new(),
    }
}

/// Where a workflow stands, without its proposal.
pub(super) fn standing(view: &CardView<'_>) -> String {
    let headline = format!(
        "**{}: {}.**",
        literal::inline(&view.state.definition.title, 120),
        headline(view.state)
    );
    paragraphs(&[
        headline,
        status(view),
        progress_of_gate(view),
        phases(view),
        stopped(view),
        children::section(view),
    ])
}

#[cfg(test)]
mod tests;
