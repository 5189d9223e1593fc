//! Why an order was not carried out, for whoever reads a terminal: what, why, and the next command.

use super::super::answer::Refusal as Failure;
use super::super::status::unknown;
use crate::chat::say::approval::{in_the_way, lost};
use crate::chat::say::why::why_words;
use crate::config::definition::instead;
use crate::engine::Not;
use crate::workflow::artifact::ReviewVerdict;
use crate::workflow::command::Refusal;
use crate::workflow::decide::awaits_answer;
use crate::workflow::definition::{Definition, Misgiven};
use crate::workflow::ids::{PhaseId, WorkflowId};
use crate::workflow::judging::{Decision, Ruling};
use crate::workflow::state::{Hold, PhaseStatus, State, What, Why};
use crate::workflow::variants::Letter;

/// A refusal as the command tells it.
pub(super) fn refusal(id: &WorkflowId, not: &Not, (state, suffix): (Option<&State>, &str)) -> Failure {
    match not {
        Not::Unknown => unknown(id),
        Not::OnGitHub { subject, card } => {
            let card = card.as_deref().map(|url| format!(" ({url})")).unwrap_or_default();
            Failure::failed(format!(
                "{id} lives on GitHub, on {subject}: who may approve, reject or steer it is decided there, so say it in a \
                 comment on its card{card}, such as `/approve DIGEST`; from here only `respond` and `prompt` work"
            ))
        }
        Not::Misgiven(wrong) => match state {
            Some(state) => Failure::failed_for(misgiven(&state.definition, wrong)),
            None => Failure::failed("what was given does not fit the definition"),
        },
        Not::Refused(refusal) => Failure::failed(refused(id, refusal, (state, suffix))),
        Not::Problems(sentences, file) => {
            let onwards = match file {
                Some(file) => format!("nothing has changed: put it right in {file}, and run the command again"),
                None => "nothing has changed: put it right, and run the command again".to_owned(),
            };
            let asked = format!(
                "; `countersign prompt {id}{}{suffix}` prints what is asked",
                of_several(state)
            );
            let sentences = sentences.iter().cloned();
            Failure::failed_for(sentences.chain([onwards + &asked]).collect())
        }
        Not::Changed(paths) => Failure::failed_for(paths.iter().map(|path| changed(path)).collect()),
        Not::Recounted { file, given, counts } => {
            let other = match counts {
                ReviewVerdict::Pass => "revise",
                ReviewVerdict::Fail => "complete",
            };
            Failure::failed(format!(
                "nothing is approved yet: the review in {file} calls itself a {given}, and by its findings it is a {counts}, \
                 which counts. Look at it, then `countersign approve{suffix}` takes the {counts}, and `countersign approve \
                 {other}{suffix}` the other verdict"
            ))
        }
        Not::NoAnswerYet(paths) => Failure::failed(format!(
            "nothing stands in {} yet: paste the answer there, then `countersign approve{suffix}`; \
             `countersign prompt {id}{}{suffix}` prints what is asked",
            paths.join(" or "),
            of_several(state)
        )),
        Not::Said(sentence) => Failure::failed(sentence),
    }
}

/// Who held a workflow, and why.
pub(super) fn held(hold: &Hold) -> String {
    let by = hold.by.as_ref().map_or("the program", |by| &by.login);
    match hold.reason.as_str().trim() {
        "" => format!("by {by}"),
        reason => format!("by {by}: {reason}"),
    }
}

/// That a phase must be named, where several are asked.
fn of_several(state: Option<&State>) -> &'static str {
    let asked = |state: &State| {
        let phases = state.definition.phases.iter();
        phases.filter(|phase| awaits_answer(state, &phase.id)).count()
    };
    match state.map(asked) {
        None | Some(0 | 1) => "",
        Some(_) => " PHASE",
    }
}

/// Why a phase needs a person, with the commands of a terminal.
pub(super) fn why(why: &Why) -> String {
    let said = why_words(why);
    ["retry", "revise"].iter().fold(said, |said, command| {
        said.replace(&format!("`/{command}`"), &format!("`countersign {command}`"))
    })
}

/// What an approver said.
pub(in crate::cli) fn ruling(ruling: &Ruling) -> String {
    let verb = match ruling.decision {
        Decision::Approved => "approved it",
        Decision::Rejected => "rejected it",
    };
    match ruling.feedback.as_str().trim() {
        "" => format!("{} {verb}", ruling.by),
        feedback => format!("{} {verb}: {feedback}", ruling.by),
    }
}

/// Who rejected what a phase made, and why, where that is where it stands.
pub(super) fn rejection(state: &State, phase: &PhaseId) -> Option<String> {
    let at = state.at(phase);
    let again = at.status == PhaseStatus::WaitingForHuman && at.rejections > 0;
    if at.status != PhaseStatus::Rejected && !again {
        return None;
    }
    state.record.iter().rev().find_map(|entry| match &entry.what {
        What::Rejected(of, why) if of == phase => {
            let by = entry.by.as_ref().map_or("nobody", |by| &by.login);
            Some(format!("rejected by {by}: {}", why.as_str()))
        }
        What::Expired(of) if of == phase => Some("nobody answered in time".to_owned()),
        _ => None,
    })
}

/// A paper that is not as it was approved.
pub(super) fn changed(path: &str) -> String {
    format!(
        "{path} changed after it was approved: put it back, or delete it and it is written as it was; `countersign revise` \
         asks for another one"
    )
}

/// The nearest of these words, or all of them.
pub(super) fn nearest(word: &str, known: &[&str]) -> String {
    instead(word, known.iter().copied())
}

/// What is wrong with what a workflow was to start with, a sentence each.
pub(super) fn misgiven(definition: &Definition, wrong: &[Misgiven]) -> Vec<String> {
    let name = &definition.name;
    let inputs: Vec<&str> = definition.inputs.keys().map(String::as_str).collect();
    let sentence = |wrong: &Misgiven| match wrong {
        Misgiven::Unknown { name: given } => {
            format!("{name} asks for nothing called {given}; {}", nearest(given, &inputs))
        }
        Misgiven::Missing { name: missing, title } => {
            format!("{name} needs {missing}: {title}. Give it with -c {missing}=…")
        }
        Misgiven::NoFile { name: input, path } => {
            format!("-c {input}={path}: the project has no file {path}; give its path from the project's folder")
        }
        Misgiven::NoChoice {
            name: input,
            value,
            choices,
        } => {
            let all: Vec<&str> = choices.iter().map(String::as_str).collect();
            format!("-c {input}={value} is none of its choices; {}", nearest(value, &all))
        }
    };
    wrong.iter().map(sentence).collect()
}

fn letters(variants: &[Letter]) -> String {
    let letters: Vec<String> = variants.iter().map(ToString::to_string).collect();
    letters.join(", ")
}

fn refused(id: &WorkflowId, refusal: &Refusal, (state, suffix): (Option<&State>, &str)) -> String {
    let waits = state.map(crate::engine::waits_for).filter(|waits| !waits.is_empty());
    let stands = match (&waits, state) {
        (Some(waits), _) => format!("it waits for {waits}"),
        (None, Some(state)) if !state.is_open() => "it has ended".to_owned(),
        _ => "an agent is at work".to_owned(),
    };
    match refusal {
        Refusal::NotAllowed { needs, has } => format!("that needs the right {}, and you have {has}", needs.right),
        Refusal::Over => format!("{id} has ended: `countersign run DEFINITION{suffix}` starts another"),
        Refusal::Held(hold) => format!(
            "{id} is held ({}): `countersign unhold {id}{suffix}` lets it go on",
            hold.reason.as_str()
        ),
        Refusal::HeldAbove { parent, .. } => format!("{id} is held because its parent on #{parent} is"),
        Refusal::WaitsForAll { phase } => format!("{phase} waits for all of its children"),
        Refusal::NotHeld => format!("{id} is not held"),
        Refusal::NoOpenGate(_) => format!("nothing waits for approval in {id}: {stands}"),
        Refusal::WrongDigest { given, current, void } => {
            let before = if *void {
                ", which was shown before and no longer counts"
            } else {
                ""
            };
            format!("{given}{before} is not what waits in {id}: that is {}", current.short())
        }
        Refusal::NotShownYet => format!("what waits in {id} is not written to its file yet: run the command again"),
        Refusal::ChangedJustNow { current } | Refusal::Stale { current } => {
            format!("what waits in {id} has changed: it is {} now", current.short())
        }
        Refusal::DoesNotCount { tree, .. } | Refusal::VotedBefore { tree } => {
            format!("your approval does not open this gate: {}", lost(tree))
        }
        Refusal::GateSaysNo { tree } => format!(
            "people alone do not open this gate: {}; edit its file and approve that, or `countersign revise --feedback \
             TEXT{suffix}` asks for another round",
            in_the_way(tree)
        ),
        Refusal::CouldNotCheck { why } => format!("it could not be checked whether you may: {why}"),
        Refusal::NothingApproved => format!("nothing of {id} was approved that could be taken back"),
        Refusal::NotYours { of, .. } => format!("that was approved by {}", of.login),
        Refusal::TooLate | Refusal::PartlyDone => format!("what was approved in {id} is being carried out"),
        Refusal::PromptAtTheGate => format!(
            "what waits in {id} is a prompt: edit its file and approve it, or `countersign revise --feedback TEXT{suffix}`"
        ),
        Refusal::NoVerdict => format!(
            "what waits in {id} is no review, so there is no verdict to put another in the place of: `countersign \
             approve{suffix}`"
        ),
        Refusal::NotAlone => "several must approve this, and one alone cannot say another verdict".to_owned(),
        Refusal::ChooseOne { variants, .. } => format!(
            "variants wait in {id}, and an approval says which: `countersign approve --choose LETTER{suffix}`, one of {}",
            letters(variants)
        ),
        Refusal::NothingToChoose(_) => format!("nothing is to be chosen in {id}: {stands}"),
        Refusal::NoSuchVariant { variant, variants } if variants.is_empty() => {
            format!("there is no variant {variant}: no variants wait in {id}")
        }
        Refusal::NoSuchVariant { variant, variants } => {
            format!("there is no variant {variant}: there are {}", letters(variants))
        }
        Refusal::NotMade { variant, variants } => format!(
            "variant {variant} was not made: choose one of {}, or `countersign retry --variant {variant}{suffix}`",
            letters(variants)
        ),
        Refusal::VariantAtWork { phase, .. } => format!("{phase} has not ended yet"),
        Refusal::NotRevised { .. } => format!(
            "a comparison is not revised: `countersign approve --choose LETTER{suffix}`, or `countersign retry --variant \
             LETTER{suffix}`"
        ),
        Refusal::NothingToRetry => format!("nothing failed in {id}: {stands}"),
        Refusal::NoAnswerAwaited => format!("no answer is waited for in {id}: {stands}"),
        Refusal::NothingAsked => format!("nobody is asked anything in {id}: {stands}"),
        Refusal::NoSuchQuestion { question, asked } => format!("there is no question {question}: there are {asked}"),
        Refusal::AnsweredBefore { question, .. } => format!("question {question} was answered before"),
        Refusal::NoChange => "that changes nothing".to_owned(),
        Refusal::CapReached { phase, iterations } => format!(
            "{phase} had all of its {iterations} iterations: approve what is there (`countersign approve complete{suffix}` \
             where a review waits), or `countersign cancel{suffix}`"
        ),
    }
}
