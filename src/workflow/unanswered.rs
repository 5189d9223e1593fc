//! Prompts that wait for a person's answer, and which of them an answer is for.

use serde::Serialize;

use super::definition::{Definition, Phase};
use super::ids::{Digest, PhaseId, WorkflowId};
use super::state::State;
use super::variants::Letter;

/// A prompt that waits for a person's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OpenPrompt {
    /// The phase that asks.
    pub phase: PhaseId,
    /// Its iteration.
    pub iteration: u32,
    /// The attempt.
    pub attempt: u32,
    /// What names the prompt: another phase's, another iteration's, and one in other words has another.
    pub prompt: Digest,
}

#[derive(Serialize)]
struct Asked<'a> {
    workflow: &'a WorkflowId,
    phase: &'a PhaseId,
    iteration: u32,
    prompt: &'a str,
}

impl OpenPrompt {
    /// The prompt of a phase that is asked now, by its text.
    pub fn new(state: &State, phase: &PhaseId, prompt: &str) -> Self {
        let at = state.at(phase);
        Self {
            phase: phase.clone(),
            iteration: at.iteration,
            attempt: at.attempt,
            prompt: Digest::of(&Asked {
                workflow: &state.id,
                phase,
                iteration: at.iteration,
                prompt,
            }),
        }
    }
}

/// Which prompt an answer is for, as far as whoever gives it says so.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Aim {
    /// A phase's id, or a variant's letter.
    pub phase: Option<String>,
    /// The prompt's digest, or the first digits of it.
    pub prompt: Option<String>,
}

impl Aim {
    /// At a phase, whatever it asks.
    pub fn at(phase: impl Into<String>) -> Self {
        Self {
            phase: Some(phase.into()),
            prompt: None,
        }
    }
}

/// Why an answer belongs to no prompt that waits. Each holds the prompts that do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Astray {
    /// Several wait, and the answer names none of them.
    Several(Vec<OpenPrompt>),
    /// There is no such phase.
    NoSuchPhase(String, Vec<OpenPrompt>),
    /// That phase waits for no answer.
    NotAwaited(PhaseId, Vec<OpenPrompt>),
    /// Another prompt than the one named waits, if any does.
    OtherPrompt(String, Vec<OpenPrompt>),
}

impl Astray {
    /// What is expected instead.
    pub fn expected(&self) -> &[OpenPrompt] {
        match self {
            Self::Several(expected)
            | Self::NoSuchPhase(_, expected)
            | Self::NotAwaited(_, expected)
            | Self::OtherPrompt(_, expected) => expected,
        }
    }
}

/// The prompt that an answer is for, of those that wait.
///
/// # Errors
/// Why there is none, with those that are expected.
pub fn aimed(definition: &Definition, waiting: Vec<OpenPrompt>, aim: &Aim) -> Result<OpenPrompt, Astray> {
    let mut among = waiting.clone();
    if let Some(given) = &aim.phase {
        let named = named(definition, given);
        among.retain(|one| named.contains(&&one.phase));
        match named.first() {
            None => return Err(Astray::NoSuchPhase(given.clone(), waiting)),
            Some(phase) if among.is_empty() => return Err(Astray::NotAwaited((*phase).clone(), waiting)),
            Some(_) => {}
        }
    }
    if let Some(given) = &aim.prompt {
        let given = given.to_ascii_lowercase();
        among.retain(|one| given.len() >= Digest::SHORT && one.prompt.to_string().starts_with(&given));
        if among.is_empty() {
            return Err(Astray::OtherPrompt(given, waiting));
        }
    }
    match among.len() {
        0 | 2.. => Err(Astray::Several(waiting)),
        1 => Ok(among.remove(0)),
    }
}

/// The phases that a word names: by id, by a variant's letter, or by title, whatever the case.
pub fn named<'a>(definition: &'a Definition, word: &str) -> Vec<&'a PhaseId> {
    let letter = Letter::read(word);
    let is_variant = |phase: &Phase| {
        let variant = phase.variant.as_ref();
        letter.is_some() && variant.map(|variant| variant.letter) == letter
    };
    let phases = || definition.phases.iter();
    let by_id = phases().filter(|phase| phase.id.as_str().eq_ignore_ascii_case(word));
    let by_letter = phases().filter(|phase| is_variant(phase));
    let by_title = phases().filter(|phase| phase.title.eq_ignore_ascii_case(word));
    let mut found: Vec<&PhaseId> = by_id.map(|phase| &phase.id).collect();
    for more in [by_letter.collect::<Vec<_>>(), by_title.collect()] {
        if found.is_empty() {
            found.extend(more.into_iter().map(|phase| &phase.id));
        }
    }
    found
}

/// What a phase is called in a command: a variant by its letter where that names no other, else by its id.
pub fn name_of(definition: &Definition, phase: &PhaseId) -> String {
    let variant = definition.phase(phase).and_then(|phase| phase.variant.as_ref());
    let letter = variant.map(|variant| variant.letter.to_string());
    letter
        .filter(|letter| named(definition, letter) == [phase])
        .unwrap_or_else(|| phase.to_string())
}

#[cfg(test)]
mod tests {
    use super::super::definition::Known;
    use super::*;

    fn definition() -> Definition {
        let yaml = "name: ways\nversion: 1\ntitle: Ways\nphases:\n  - {id: plan, title: The plan, prompt: write, schema: \
                    document.v1}\n  - {id: draft, title: Draft, prompt: write, schema: document.v1, variants: 2}\n  - {id: \
                    choose, title: Choice, chooses: draft, gate: {people: {}}}\n";
        let known = Known {
            prompts: &["write"],
            schemas: &["document.v1"],
            ..Known::default()
        };
        Definition::parse(yaml, &known).unwrap().expanded()
    }

    fn waits(phase: &str) -> OpenPrompt {
        OpenPrompt {
            phase: phase.into(),
            iteration: 1,
            attempt: 1,
            prompt: Digest::of_bytes(phase.as_bytes()),
        }
    }

    #[test]
    fn an_answer_finds_its_prompt_or_hears_what_is_expected() {
        let all = || vec![waits("draft-a"), waits("draft-b")];
        let of = |phase: Option<&str>, prompt: Option<String>| {
            let phase = phase.map(str::to_owned);
            aimed(&definition(), all(), &Aim { phase, prompt })
        };
        let b = waits("draft-b");
        for word in ["draft-b", "Draft-B", "b", "B"] {
            assert_eq!(of(Some(word), None), Ok(b.clone()), "{word}");
        }
        assert_eq!(of(None, Some(b.prompt.short())), Ok(b.clone()));
        assert_eq!(of(Some("B"), Some(b.prompt.to_string())), Ok(b.clone()));
        assert_eq!(of(None, None), Err(Astray::Several(all())));
        assert_eq!(of(Some("c"), None), Err(Astray::NoSuchPhase("c".into(), all())));
        assert_eq!(of(Some("plan"), None), Err(Astray::NotAwaited("plan".into(), all())));
        let other = Err(Astray::OtherPrompt(b.prompt.short(), all()));
        assert_eq!(of(Some("A"), Some(b.prompt.short())), other);
        let few = b.prompt.to_string()[..3].to_owned();
        assert_eq!(of(None, Some(few.clone())), Err(Astray::OtherPrompt(few, all())));
        assert_eq!(name_of(&definition(), &"draft-b".into()), "B");
        assert_eq!(name_of(&definition(), &"plan".into()), "plan");
    }
}
