//! Who may, who is asked, and what was not understood.

use crate::chat::say::approval;
use crate::chat::say::markup::{code, count, is_login, link, list, login, logins, name, sentence, when, words};
use crate::chat::say::phrases::{requirement, right, title, topic};
use crate::chat::say::view::GateView;
use crate::workflow::definition::Phase;
use crate::workflow::gate::{Quorum, Team};
use crate::workflow::ids::PhaseId;
use crate::workflow::right::{Requirement, Right};
use crate::workflow::state::{Approval, State, SubjectKind, Timestamp};

/// People named in one answer.
const NAMED: usize = 20;

/// An approval was taken down, and others are missing.
pub fn voted(state: &State, phase: &PhaseId, view: &GateView, vote: &Approval) -> String {
    let counts = match vote.choice {
        Some(choice) => format!("Your choice of {choice} counts."),
        None => "Your approval counts.".to_owned(),
    };
    let others: Vec<String> = state
        .at(phase)
        .votes()
        .filter(|other| other.by.id != vote.by.id && other.choice != vote.choice)
        .filter_map(|other| Some(format!("{} chose {}", login(&other.by.login), other.choice?)))
        .collect();
    let agree = match others.is_empty() {
        true => String::new(),
        false => format!(" {}, and all must choose the same.", list(&others, "and")),
    };
    let who = match state.open_gate() {
        Some((_, gate, _)) => approval::who_can(gate, view),
        None => String::new(),
    };
    format!(
        "{counts}{agree} Still missing: {}. {who} To take it back: {}",
        approval::missing(&view.prospect.now, &view.can()),
        code("/unapprove")
    )
}

/// The same where GitHub does not say who is missing.
pub fn taken_down() -> String {
    format!(
        "Your approval counts, and more are needed. How far it is: {} To take it back: {}",
        code("/who"),
        code("/unapprove")
    )
}

/// Somebody gave more commands than are heard in an hour. It is said once.
pub fn too_many_commands(limit: u32, until: Timestamp) -> String {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    format!(
        "I hear {} of one person in an hour. I go on with yours at {}, and say nothing until then. To stop something \
         now, whoever opened this can still: {} or {}",
        count(limit, "command", "commands"),
        when(until),
        code("/hold"),
        code("/cancel")
    )
}

/// A gate asks for a team that the App does not see. The sentence goes into [`cannot_be_approved`].
pub fn no_such_team(team: &Team) -> String {
    format!("there is no team {team} that I can see; name one that exists and is not secret")
}

/// A gate asks for more people than there are. The sentence goes into [`cannot_be_approved`].
pub fn quorum_too_great(quorum: &Quorum, most: usize) -> String {
    let of: Vec<String> = quorum.of.iter().map(ToString::to_string).collect();
    format!(
        "a quorum of {} cannot be met: {} in {}; ask for fewer, or name more",
        quorum.quorum,
        match most {
            1 => "there is one person".to_owned(),
            many => format!("there are {many} people"),
        },
        of.join(", ")
    )
}

/// A workflow does not start, because nobody could ever approve what it proposes. `again` is the command that starts it.
pub fn cannot_be_approved(mistake: &str, again: &str) -> String {
    format!(
        "I did not start: nobody could approve what this would propose. Why: {} After that: {}",
        sentence(mistake),
        code(again)
    )
}

/// A workflow does not start on what is no pull request, because a gate of it looks at one.
pub fn no_commit_to_check(definition: &str, phase: &Phase, on: SubjectKind) -> String {
    format!(
        "I did not start {}: the gate of its phase {} waits for checks on the head of a pull request, and this is {} {}. \
         Start it on a pull request, or have the definition ask for `checks: {{host: …}}`.",
        code(definition),
        code(phase.id.as_str()),
        if on == SubjectKind::Issue { "an" } else { "a" },
        topic(on)
    )
}

/// What GitHub would not take of an issue: somebody whom it does not let be assigned.
pub fn dropped_assignee(login: &str) -> String {
    format!("the assignee {login}")
}

/// Who meets a requirement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WhoCan {
    /// Logins; may be empty.
    Known(Vec<String>),
    /// GitHub was not asked or did not answer.
    Unknown,
}

/// Somebody lacks the right for a verb.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotAllowed<'a> {
    /// The verb, without its slash.
    pub verb: &'a str,
    /// What it needs.
    pub needs: Requirement,
    /// What they have.
    pub has: Right,
    /// Who can, in a sentence.
    pub who: String,
}

/// They may not.
pub fn not_allowed(refused: &NotAllowed<'_>) -> String {
    let verb = code(&format!("/{}", refused.verb));
    let needs = requirement(refused.needs);
    let has = match refused.has {
        Right::None => "You have no access beyond what everybody has".to_owned(),
        has => format!("You have {}", right(has)),
    };
    format!(
        "You may not: {verb} needs {needs}. {has}. {} {} says who may do what.",
        refused.who,
        code("/who")
    )
}

pub(super) fn who_can(who: &WhoCan) -> String {
    match who {
        WhoCan::Known(all) if all.is_empty() => "I know of nobody who can right now.".to_owned(),
        WhoCan::Known(all) => format!("Who can: {}.", named(all)),
        WhoCan::Unknown => "I could not find out who can.".to_owned(),
    }
}

pub(super) fn named(all: &[String]) -> String {
    let mut names = logins(&all[..all.len().min(NAMED)]);
    if all.len() > NAMED {
        names.push(format!("{} more", all.len() - NAMED));
    }
    list(&names, "and")
}

/// What comes of an answer that GitHub did not give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// It is asked again, without anybody doing anything.
    WillTry,
    /// It was asked often enough.
    GaveUp,
}

/// Whether they may could not be found out: neither yes nor no.
pub fn could_not_check(verb: &str, error_id: &str, again: Again) -> String {
    let verb = code(&format!("/{verb}"));
    let id = code(error_id);
    match again {
        Again::WillTry => format!(
            "I could not check whether you may: GitHub did not answer. That is neither yes nor no. I will try again by \
             myself and then act on {verb}, or say why not. (error {id})"
        ),
        Again::GaveUp => format!(
            "I could not check whether you may, and have stopped trying: GitHub did not answer. Nothing was done. \
             (error {id}) Please comment {verb} again."
        ),
    }
}

/// The App's installation lacks a permission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lacks<'a> {
    /// What was to be done, as the end of "I could not".
    pub to: &'a str,
    /// GitHub's name of the permission, such as `issues=write`; empty when GitHub did not say.
    pub permission: &'a str,
    /// The page on which an owner accepts it.
    pub accept_url: &'a str,
    /// The verb by which it is tried again then.
    pub again: &'a str,
}

/// What the App lacks and where an owner accepts it.
pub fn app_lacks(lacks: &Lacks<'_>) -> String {
    let permission = lacking(lacks.permission);
    let settings = match lacks.accept_url {
        "" => SETTINGS.to_owned(),
        url => link(SETTINGS, url),
    };
    format!(
        "I could not {}: my installation lacks {permission}. An owner accepts it in {settings}. After that: {}",
        words(lacks.to),
        code(&format!("/{}", lacks.again))
    )
}

/// The same as a reason that is repeated within another text: without links.
pub fn why_app_lacks(permission: &str, accept_url: &str) -> String {
    let settings = match accept_url {
        "" => format!("in {SETTINGS}"),
        url => format!("on {}", name(url)),
    };
    format!(
        "my installation lacks {}, which an owner accepts {settings}",
        lacking(permission)
    )
}

/// Where an owner accepts what an App asks for.
const SETTINGS: &str = "the installation's settings";

/// GitHub separates permissions of which one is enough by semicolons.
fn lacking(permission: &str) -> String {
    let all: Vec<String> = permission
        .split(';')
        .map(str::trim)
        .filter(|one| !one.is_empty())
        .map(name)
        .collect();
    match all.is_empty() {
        true => "a permission".to_owned(),
        false => format!("the permission {}", list(&all, "or")),
    }
}

/// The comment that calls those to a gate who can open it; where nobody can, those who can change that.
pub fn call_to(view: &GateView, state: &State, phase: &PhaseId, card_url: &str) -> String {
    let gate = state.open_gate().map(|(_, gate, _)| gate);
    let can = view.can();
    match gate.and_then(|gate| approval::stuck(gate, view)) {
        None => call(&can, state, phase, card_url),
        Some(stuck) => {
            let people = if can.is_empty() { &view.admins } else { &can };
            format!("{}\n\n{stuck}", call(people, state, phase, card_url))
        }
    }
}

/// The short comment that calls people to a gate. It is the only text that notifies: everybody whose login is
/// well-formed is mentioned.
///
/// It names no digest: the proposal may change while people are on their way, and the card always shows the one that
/// counts.
pub fn call(people: &[String], state: &State, phase: &PhaseId, card_url: &str) -> String {
    let mentions = mentions(people);
    let what = title(state, phase);
    let at = state.at(phase);
    let (still, since) = match at.reminders {
        0 => ("", String::new()),
        _ => ("still ", format!(", since {}", when(at.since))),
    };
    let waits = match mentions.as_str() {
        "" => format!("*{what}* {still}waits for approval{since}."),
        _ => format!("{mentions}: *{what}* {still}waits for you{since}."),
    };
    let most = state.definition.phase(phase).map(|phase| phase.limits.reminders);
    let last = match most {
        Some(most) if at.reminders > 0 && at.reminders >= most => " I will not ask again.",
        _ => "",
    };
    let card = link("the card", card_url);
    format!("{waits} What would be done, and the line that approves it, stand on {card}.{last}")
}

/// Everybody whose login is made as GitHub makes them; an answer names nobody else with an `@`.
pub(super) fn mentions(people: &[String]) -> String {
    let mentions: Vec<String> = people
        .iter()
        .filter(|login| is_login(login))
        .map(|login| format!("@{login}"))
        .collect();
    mentions.join(" ")
}
