//! Answers to whoever answers in an agent's place, or asks what is asked.

use super::notices::said;
use crate::chat::say::card;
use crate::chat::say::markup::{code, collapsed, digest, fenced, list, name, paragraphs, pieces};
use crate::chat::say::phrases::title;
use crate::workflow::ids::{Digest, PhaseId};
use crate::workflow::state::State;
use crate::workflow::unanswered::{Astray, OpenPrompt, name_of};

/// Raw characters of a prompt in one comment; fenced and moved in, they grow to three times that at worst.
const PROMPT: usize = 18_000;

/// `/prompt`: what the agent of a phase is asked; where an answer is waited for, also how to give it. Several comments where
/// it is long.
pub fn prompt(state: &State, (phase, waits): (&PhaseId, Option<&Digest>), prompt: &str) -> Vec<String> {
    let parts = pieces(prompt, PROMPT);
    let title = title(state, phase);
    let named = waits.map(|waits| format!(" {}", digest(waits))).unwrap_or_default();
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
        let how = match waits.filter(|_| at + 1 == all) {
            Some(waits) => how(state, (phase, waits), all > 1),
            None => String::new(),
        };
        paragraphs(&[format!("The prompt{named} of *{title}*{number}."), text, how])
    });
    comments.collect()
}

fn how(state: &State, (phase, waits): (&PhaseId, &Digest), in_parts: bool) -> String {
    let what = if in_parts {
        "all parts, one after the other,"
    } else {
        "it"
    };
    let form = format!("{}\n```json\n{{ … }}\n```", respond(state, phase, waits));
    format!(
        "Give {what} to a person or a model of your choice. The answer goes into a comment of this form:\n\n{}",
        fenced(&form, "")
    )
}

fn respond(state: &State, phase: &PhaseId, prompt: &Digest) -> String {
    format!("/respond {} {}", name_of(&state.definition, phase), prompt.short())
}

/// Nothing waits for an answer, so there is no prompt to show.
pub fn no_prompt(state: &State) -> String {
    format!("No prompt is waiting for an answer. {}", card::steps(state))
}

/// The prompt that somebody wants to see is none that waits, or not the only one.
pub fn prompt_astray(state: &State, astray: &Astray) -> String {
    let shown = |one: &OpenPrompt| {
        let command = format!("/prompt {}", name_of(&state.definition, &one.phase));
        format!("{} for *{}*", code(&command), title(state, &one.phase))
    };
    let shown: Vec<String> = astray.expected().iter().map(shown).collect();
    match shown.is_empty() {
        true => format!("{} {}", why(state, astray), no_prompt(state)),
        false => format!("{} To see one: {}.", why(state, astray), list(&shown, "or")),
    }
}

/// An answer is for no prompt that waits, or does not say for which: with what is expected now.
pub fn answer_astray(state: &State, astray: &Astray) -> String {
    let expected = |one: &OpenPrompt| {
        format!(
            "- {}, round {}: {}",
            title(state, &one.phase),
            one.iteration,
            code(&respond(state, &one.phase, &one.prompt))
        )
    };
    let expected: Vec<String> = astray.expected().iter().map(expected).collect();
    let now = match expected.is_empty() {
        true => format!("No answer is expected now. {}", card::steps(state)),
        false => format!("Expected now:\n\n{}", expected.join("\n")),
    };
    paragraphs(&[format!("{} Nothing has changed.", why(state, astray)), now])
}

fn why(state: &State, astray: &Astray) -> String {
    match astray {
        Astray::Several(_) => "Several prompts wait for an answer, so name the one that you mean.".to_owned(),
        Astray::NoSuchPhase(given, _) => format!("There is no phase {} here.", name(given)),
        Astray::NotAwaited(phase, _) => format!("*{}* waits for no answer.", title(state, phase)),
        Astray::OtherPrompt(given, _) => format!("No prompt {} waits for an answer.", name(given)),
    }
}

/// An answer given by hand did not pass; the sentences are the validator's.
pub fn answer_rejected(state: &State, of: &OpenPrompt, sentences: &[String]) -> String {
    let asked = format!("/prompt {}", name_of(&state.definition, &of.phase));
    format!(
        "That answer could not be used. Nothing is lost, and nothing has changed.\n\n{}\n\nWhat is asked: {} — put it \
         right and answer again: {}",
        said(sentences),
        code(&asked),
        code(&respond(state, &of.phase, &of.prompt))
    )
}
