//! The card: the one comment of a workflow that is kept current.

use super::approval;
use super::boxes::is_key;
use super::children;
use super::judges;
use super::markup::{
    code, collapsed, count, digest, link, list, login, logins, name, paragraphs, sentence, table, units, when,
};
use super::next;
use super::outcomes::{self, Room};
use super::pages::{LONGEST, bind};
use super::phrases::{self, because, hours, right, somebody, surface, title};
use super::tasks::Ticking;
use super::view::{CardView, DocumentView, Note, ProposalView, Selection, Shown};
use super::why::why;
use super::{document, mail, record, spending, tasks};
use crate::text::harmless::literal;
use crate::workflow::artifact::ReviewVerdict;
use crate::workflow::decide::awaits_answer;
use crate::workflow::definition::{OnExpiry, PeopleGate};
use crate::workflow::ids::PhaseId;
use crate::workflow::state::{Maker, Pending, PhaseStatus, State, Status, What};

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
            headline(view)
        ),
        status(view),
        phases(view),
        paragraphs(&[progress(view.state), handed_over(view.state)]),
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

fn headline(view: &CardView<'_>) -> &'static str {
    let state = view.state;
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
        (Status::Cancelled { by, reason }, _) => {
            format!("Cancelled by {}{}.", somebody(by.as_ref()), because(reason.as_str()))
        }
        (Status::Open, Some(hold)) => format!(
            "Held by {} since {}{}. Nothing is started and nothing can be approved until {}.",
            somebody(hold.by.as_ref()),
            when(hold.since),
            because(hold.reason.as_str()),
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
        return format!(
            "Waiting for {whom} ({least} or more) at *{}* since {since}.",
            title(state, phase)
        );
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
            Some(format!("Rejected by {by}{}. ", because(why.as_str())))
        }
        What::Expired(of) if of == phase => Some("Nobody answered in time, so it is rejected. ".to_owned()),
        _ => None,
    });
    last.filter(|_| state.at(phase).status == PhaseStatus::Rejected)
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
    // What was decided already need not stand open.
    let text = match gate {
        None if body.text.lines().count() > 10 => collapsed("Show", &body.text),
        _ => body.text.clone(),
    };
    paragraphs(&[heading, effect, text, pages, decide.unwrap_or_default()])
}

/// What an approval would do.
fn effect(view: &CardView<'_>, proposal: &ProposalView) -> String {
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
    let defined = state.definition.phase(phase);
    if document.kind == "prompt" {
        return "An approval asks the agent exactly this. `/edit` with a fenced block changes the instructions."
            .to_owned();
    }
    if document.kind == "comparison" {
        return "A choice hands the chosen variant on to the next phases; nothing leaves by it.".to_owned();
    }
    let verdict = state.at(phase).pending.as_ref().and_then(|pending| pending.verdict);
    match (defined.and_then(|phase| phase.on_fail.as_ref()), verdict) {
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

/// Whether nothing else is left to be done.
fn is_last(state: &State, phase: &PhaseId) -> bool {
    let mut others = state.definition.phases.iter().filter(|other| other.id != *phase);
    others.all(|other| state.is_settled(other))
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

fn decide(view: &CardView<'_>, proposal: &ProposalView, phase: &PhaseId, gate: &PeopleGate, rest: Rest) -> String {
    let state = view.state;
    let mut parts = vec![
        judges::at_the_gate(state, phase),
        approval::asks_for(gate),
        approval::so_far(gate, state.at(phase)),
    ];
    let shown = is_shown(view, proposal, rest) && judges::people_may_approve(state, phase);
    let choices = next::choice(state).map(|_| state.choices(phase));
    if let Some(choices) = choices.filter(|_| shown) {
        let commands: Vec<String> = choices
            .iter()
            .map(|(letter, _)| code(&format!("/choose {letter} {}", proposal.digest.short())))
            .collect();
        parts.push(format!("**Choose one of exactly these:** {}.", list(&commands, "or")));
    } else if shown {
        parts.push(format!(
            "**Approve exactly this:** {} — or set the label {}.",
            code(&format!("/approve {}", proposal.digest.short())),
            code("countersign:approve")
        ));
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
        parts.push(changes(&proposal.shown));
    }
    if let Some(after) = gate.expires_after_hours {
        parts.push(match &gate.on_expiry {
            OnExpiry::Remind => format!(
                "Unanswered for {}, I ask again. Silence approves nothing.",
                hours(after)
            ),
            OnExpiry::Reject => format!("Unanswered for {}, it is rejected.", hours(after)),
            OnExpiry::Phase(to) => format!(
                "Unanswered for {}, it goes back to *{}*. Silence approves nothing.",
                hours(after),
                title(state, to)
            ),
        });
    }
    paragraphs(&parts)
}

fn changes(shown: &Shown) -> String {
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
        Shown::Document(document) if document.kind == "comparison" => {
            vec![format!("- have one made anew: {}", code("/retry A"))]
        }
        // A solution stays as it was given.
        Shown::Document(document) if document.kind == "solution" => {
            vec![format!("- ask for another one: {}", code("/revise …"))]
        }
        Shown::Document(_) => vec!["- change it: `/edit` with the whole as JSON in a fenced block below it".to_owned()],
    };
    format!("Or, before that:\n\n{}", lines.join("\n"))
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
        headline(view)
    );
    paragraphs(&[
        headline,
        status(view),
        phases(view),
        stopped(view),
        children::section(view),
    ])
}

/// The commands that go on from here.
pub(super) fn steps(state: &State) -> String {
    joined(&next::steps(state))
}

/// The same, but the approval, which has its own line.
fn other_steps(state: &State) -> String {
    let mut steps = next::steps(state);
    steps.retain(|step| !step.command.starts_with("/approve") && !step.command.starts_with("/choose"));
    joined(&steps)
}

pub(super) fn joined(steps: &[next::Next]) -> String {
    let steps: Vec<String> = steps
        .iter()
        .map(|step| format!("{} to {}", code(&step.command), step.does))
        .collect();
    format!("{}.", steps.join(" · "))
}

#[cfg(test)]
mod tests;
