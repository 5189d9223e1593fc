//! Every refusal of the core in words: how it stands, what is allowed, the exact next command.

use super::people::{NotAllowed, WhoCan, not_allowed, who_can};
use crate::chat::say::approval;
use crate::chat::say::markup::{code, count, digest, full_stop, link, list, login, name, when, words};
use crate::chat::say::next::{self, Next, choice_of, steps};
use crate::chat::say::phrases::{because, right, somebody, title};
use crate::chat::say::view::GateView;
use crate::workflow::command::Refusal;
use crate::workflow::ids::{Digest, PhaseId};
use crate::workflow::state::{PhaseStatus, State, Status};
use crate::workflow::variants::Letter;

/// What a refusal is about.
#[derive(Debug, Clone, Copy)]
pub struct Refused<'a> {
    /// The verb that was refused, without its slash.
    pub verb: &'a str,
    /// The workflow, as it stands; none when it did not begin.
    pub state: Option<&'a State>,
    /// Where its card is.
    pub card_url: &'a str,
    /// Who could have done it.
    pub who: &'a WhoCan,
    /// How far the open gate is, where an approval of it was refused.
    pub gate: Option<&'a GateView>,
}

impl Refused<'_> {
    /// Who can decide at the open gate, in a sentence; nothing where that was not asked.
    fn deciders(&self) -> Option<String> {
        let (_, gate, _) = self.state?.open_gate()?;
        Some(approval::who_can(gate, self.gate?))
    }
}

/// Words a refusal.
pub fn refusal(refusal: &Refusal, about: &Refused<'_>) -> String {
    if let Refusal::NotAllowed { needs, has } = refusal {
        return not_allowed(&NotAllowed {
            verb: about.verb,
            needs: *needs,
            has: *has,
            who: about.deciders().unwrap_or_else(|| who_can(about.who)),
        });
    }
    let said = reason(refusal, about);
    format!("{said} {}", onwards(refusal, about))
}

fn reason(refusal: &Refusal, about: &Refused<'_>) -> String {
    match refusal {
        Refusal::NotAllowed { .. } => unreachable!("worded with who can"),
        Refusal::Over => over(about),
        Refusal::Held(hold) => full_stop(format!(
            "It is on hold, by {} since {}{}",
            somebody(hold.by.as_ref()),
            when(hold.since),
            because(hold.reason.as_str())
        )),
        Refusal::NotHeld => "It is not on hold.".to_owned(),
        Refusal::NoOpenGate(at) => no_open_gate(at.as_ref(), about),
        Refusal::WrongDigest {
            given,
            current,
            void: true,
            ..
        } => format!(
            "{} is void: the proposal changed after it was shown. Now {} is shown on {}.",
            name(given),
            digest(current),
            card(about)
        ),
        Refusal::WrongDigest {
            given,
            current,
            void: false,
            ..
        } => {
            format!(
                "{} is not what is shown. {} shows {}.",
                name(given),
                capital(&card(about)),
                digest(current)
            )
        }
        Refusal::NotShownYet => {
            "The proposal does not stand here in full yet, and nobody approves what was not shown. \
             The approve line appears on the card when it does."
                .to_owned()
        }
        Refusal::ChangedJustNow { current, .. } => format!(
            "{} changed less than ten seconds before you wrote, so I cannot know that you saw {}. Look again.",
            capital(&card(about)),
            digest(current)
        ),
        Refusal::DoesNotCount { by, tree } => match about.state.and_then(State::open_gate) {
            Some((_, gate, _)) => {
                let why = approval::you_do_not_count(gate, tree, by.id);
                format!("{why} {}", about.deciders().unwrap_or_default())
                    .trim()
                    .to_owned()
            }
            None => "Your approval does not count here.".to_owned(),
        },
        Refusal::GateSaysNo { tree } => format!(
            "This gate does not open by people's approvals alone: {}.",
            approval::in_the_way(tree)
        ),
        Refusal::VotedBefore { tree } => {
            let can = about.gate.map(GateView::can).unwrap_or_default();
            let missing = approval::missing(tree, &can);
            let who = about.deciders().unwrap_or_default();
            format!("You approved this already. Still missing: {missing}. {who}")
                .trim()
                .to_owned()
        }
        Refusal::CouldNotCheck { why } => format!("I could not check who may approve: {}.", words(why)),
        Refusal::NothingApproved => "There is no approval that could be taken back.".to_owned(),
        Refusal::NotYours { of, needs } => {
            format!(
                "That approval is {}'s; taking back another's needs {}. {}",
                login(&of.login),
                right(*needs),
                who_can(about.who)
            )
        }
        Refusal::TooLate => "What was approved is being carried out already.".to_owned(),
        Refusal::PartlyDone => {
            "Part of this has been carried out already, so it can only be approved as it stands, or \
                                cancelled."
                .to_owned()
        }
        Refusal::ChooseOne { .. } => {
            "There are variants here: an approval has to say which one, so choose one.".to_owned()
        }
        Refusal::NothingToChoose(at) => nothing_to_choose(at.as_ref(), about),
        Refusal::NoSuchVariant { variant, variants } => match variants.as_slice() {
            [] => format!("There is no variant {variant}: no variants wait here."),
            there => format!("There is no variant {variant}: there are {}.", letters(there)),
        },
        Refusal::NotMade { variant, variants } => format!(
            "Variant {variant} was not made, so there is nothing of it to choose. {} can be chosen; `/retry {variant}` \
             has it made anew.",
            letters(variants)
        ),
        Refusal::VariantAtWork { phase, status } => {
            let title = about
                .state
                .map_or_else(|| code(phase.as_str()), |state| title(state, phase));
            format!("*{title}* {}.", stands(*status))
        }
        Refusal::NotRevised { .. } => match about.state.and_then(next::anew) {
            Some(anew) => format!(
                "A comparison is not revised: choose one, or have one made anew with {}.",
                code(&anew.command)
            ),
            None => "A comparison is not revised: choose one.".to_owned(),
        },
        Refusal::NothingToRetry => "Nothing failed.".to_owned(),
        Refusal::NoAnswerAwaited => "No answer of a person is awaited.".to_owned(),
        Refusal::NothingAsked => match about.state.and_then(at_work) {
            Some(title) => format!("No question is open here: *{title}* is at work."),
            None => "No question is open here.".to_owned(),
        },
        Refusal::HeldAbove { parent, reason } => format!(
            "{} It goes on with `/unhold` on #{parent}.",
            full_stop(format!(
                "This is held because its parent is{}",
                because(reason.as_str())
            ))
        ),
        Refusal::WaitsForAll { phase } => {
            let title = about
                .state
                .map_or_else(|| code(phase.as_str()), |state| title(state, phase));
            format!("*{title}* waits for all of its children, as its definition says.")
        }
        Refusal::NoSuchQuestion { question, asked } => format!(
            "There is no question {question}: there {} {}.",
            if *asked == 1 { "is" } else { "are" },
            count(*asked as usize, "question", "questions")
        ),
        Refusal::AnsweredBefore { question, reply } => {
            let before = format!(
                "Question {question} was {} by {} on {}{}",
                if reply.skipped { "skipped" } else { "answered" },
                login(&reply.by.login),
                when(reply.at),
                because(reply.text.as_str())
            );
            format!("{} That stays as it is.", full_stop(before))
        }
        Refusal::Stale { current } => {
            format!(
                "The proposal changed while I read that: {} is shown now. Look again, then repeat it.",
                digest(current)
            )
        }
        Refusal::PromptAtTheGate => {
            "What waits is a prompt, which is changed and not rejected: `/edit`, or `/revise …`.".to_owned()
        }
        Refusal::NoVerdict => {
            "There is no verdict here that could be overridden: `complete` and `revise` belong to a review.".to_owned()
        }
        Refusal::NotAlone => {
            "This needs several approvals, and no single one of them overrides the verdict: approve it as \
                              it stands, or ask for another round."
                .to_owned()
        }
        Refusal::NoChange => "That changes nothing: the proposal says so already.".to_owned(),
        Refusal::CapReached { phase, iterations } => {
            let title = about
                .state
                .map_or_else(|| code(phase.as_str()), |state| title(state, phase));
            format!(
                "*{title}* had {}, which is the limit.",
                count(*iterations as usize, "round", "rounds")
            )
        }
    }
}

fn over(about: &Refused<'_>) -> String {
    match about.state.map(|state| &state.status) {
        Some(Status::Cancelled { by, reason }) => full_stop(format!(
            "This workflow was cancelled by {}{}",
            somebody(by.as_ref()),
            because(reason.as_str())
        )),
        _ => format!("This workflow is done; {} is its record.", card(about)),
    }
}

fn no_open_gate(at: Option<&(PhaseId, PhaseStatus)>, about: &Refused<'_>) -> String {
    let Some((phase, status)) = at else {
        return "Nothing is waiting for approval.".to_owned();
    };
    let title = about
        .state
        .map_or_else(|| code(phase.as_str()), |state| title(state, phase));
    format!("Nothing is waiting for approval: *{title}* {}.", stands(*status))
}

/// The title of a phase that is at work, so that there is nothing to be said now.
fn at_work(state: &State) -> Option<String> {
    let running = state.first_at(&[PhaseStatus::Running]);
    running.map(|phase| title(state, phase))
}

fn stands(status: PhaseStatus) -> &'static str {
    match status {
        PhaseStatus::Running => "is at work; I say when there is something to approve",
        PhaseStatus::WaitingForHuman => "needs a person's answer first",
        PhaseStatus::Approved => "was approved and is being carried out",
        PhaseStatus::Rejected => "was rejected",
        PhaseStatus::Error => "failed",
        PhaseStatus::Blocked => "has not started",
        PhaseStatus::Draft | PhaseStatus::ReadyForReview => "is ready",
        PhaseStatus::Completed => "is done",
    }
}

fn nothing_to_choose(at: Option<&(PhaseId, PhaseStatus)>, about: &Refused<'_>) -> String {
    match (at, about.state) {
        (Some((phase, PhaseStatus::Draft | PhaseStatus::ReadyForReview)), Some(state)) => {
            format!(
                "Nothing is to be chosen now: *{}* waits for an approval.",
                title(state, phase)
            )
        }
        (Some((phase, status)), Some(state)) => {
            format!(
                "Nothing is to be chosen now: *{}* {}.",
                title(state, phase),
                stands(*status)
            )
        }
        _ => "Nothing is to be chosen here.".to_owned(),
    }
}

fn letters(variants: &[Letter]) -> String {
    let letters: Vec<String> = variants.iter().map(ToString::to_string).collect();
    list(&letters, "and")
}

/// What is allowed instead, ending with the command that fits best.
fn onwards(refusal: &Refusal, about: &Refused<'_>) -> String {
    if let Refusal::WrongDigest { current, choice, .. } | Refusal::ChangedJustNow { current, choice } = refusal {
        let wanted = choice.and_then(|letter| choice_of(about.state?, letter));
        if let Some(choose) = wanted.or_else(|| about.state.and_then(next::choice)) {
            return format!("To choose of what is shown: {}", code(&choose.command));
        }
        return match about.state.is_some_and(at_a_review) {
            // Without the word that was written it may mean the opposite.
            true => format!(
                "{}, and behind it `complete` or `revise` if you wrote that",
                approve(current)
            ),
            false => approve(current),
        };
    }
    let Some(state) = about.state else {
        return format!("To start one: {}", code("/deliver"));
    };
    if matches!(refusal, Refusal::NoSuchQuestion { .. } | Refusal::AnsweredBefore { .. })
        && let Some(phase) = state.asking()
    {
        let open = state.at(phase).open_questions();
        let open: Vec<String> = open.map(|(number, _)| code(&format!("/answer {number} …"))).collect();
        return format!("Open: {}.", list(&open, "or"));
    }
    if matches!(refusal, Refusal::PartlyDone)
        && let Some((_, _, pending)) = state.open_gate()
    {
        return approve(&pending.digest);
    }
    let offered: Vec<String> = advised(refusal, about.verb, state)
        .iter()
        .map(|step| format!("{} to {}", code(&step.command), step.does))
        .take(3)
        .collect();
    match offered.is_empty() {
        true => format!("How it stands: {}", code("/status")),
        false => format!("Next: {}.", list(&offered, "or")),
    }
}

/// The commands that are advised after a refusal.
fn advised(refusal: &Refusal, verb: &str, state: &State) -> Vec<Next> {
    // What was just refused is no advice.
    let refused = format!("/{verb}");
    let other = |step: &Next| step.command.split(' ').next() != Some(refused.as_str());
    match refusal {
        // None of these asks for a round that is not left, and the same verb may do with another word.
        Refusal::CapReached { .. } => steps(state),
        // Whether another variant is made anew is beside the point.
        Refusal::NotMade { .. } => {
            let steps = steps(state).into_iter();
            steps.filter(|step| !step.command.starts_with("/retry")).collect()
        }
        _ => steps(state).into_iter().filter(other).collect(),
    }
}

fn at_a_review(state: &State) -> bool {
    state
        .open_gate()
        .is_some_and(|(_, _, pending)| pending.verdict.is_some())
}

fn approve(current: &Digest) -> String {
    format!(
        "To approve what is shown: {}",
        code(&format!("/approve {}", current.short()))
    )
}

fn card(about: &Refused<'_>) -> String {
    link("the card", about.card_url)
}

/// A sentence's beginning.
fn capital(text: &str) -> String {
    text.replacen("the card", "The card", 1)
}

#[cfg(test)]
mod tests;
