//! Why a phase waits for a person, or failed, and what to do about it.

use super::markup::{count, grouped, sentence};
use crate::workflow::budget::Scope;
use crate::workflow::why::{CapReached, Figures, ModelTrouble, Why};

/// Why a phase waits for a person, or failed: whole sentences.
pub fn why(why: &Why) -> String {
    match why {
        Why::Questions => "It has questions, which stand in a comment of their own here.".to_owned(),
        Why::ManualProvider => "A person answers in the agent's place.".to_owned(),
        Why::Unusable(sentences) => {
            let said: Vec<String> = sentences.iter().map(|text| format!("- {}", sentence(text))).collect();
            format!("What the agent proposed could not be used:\n\n{}", said.join("\n"))
        }
        Why::Children => {
            "Not every child completed. The list of children says what each needs; `/retry` here starts anew \
             those that ended without being complete."
                .to_owned()
        }
        Why::TooManyItems { .. } => sentence(&why_words(why)),
        Why::Failed(reason) => format!("It failed: {}", sentence(reason)),
        Why::Withheld(_) => sentence(&why_words(why)),
        Why::Cap(_) | Why::Model { .. } => with_commands(&sentence(&why_words(why))),
    }
}

/// The same in one line, as lists and the shell show it.
pub fn why_words(why: &Why) -> String {
    match why {
        Why::Questions => "people answer its questions".to_owned(),
        Why::ManualProvider => "a person answers the prompt".to_owned(),
        Why::Children => "not every child completed".to_owned(),
        Why::TooManyItems { items, most } => format!(
            "{items} issues were opened, and it may have {most} children: nothing was started; put `max` up in the \
             definition and start anew"
        ),
        Why::Unusable(sentences) => sentences.join("; "),
        Why::Cap(reached) => cap_reached(reached),
        Why::Model { endpoint, trouble } => model_trouble(endpoint, trouble),
        Why::Withheld(text) | Why::Failed(text) => text.clone(),
    }
}

/// The commands that these sentences name, as code again. Somebody outside may have said them too: trying again is no harm.
fn with_commands(text: &str) -> String {
    ["/retry", "/revise"].iter().fold(text.to_owned(), |text, command| {
        text.replace(&format!("\\`{command}\\`"), &format!("`{command}`"))
    })
}

fn cap_reached(reached: &CapReached) -> String {
    let of = match reached.scope {
        Scope::Run => "one run",
        Scope::Workflow => "this workflow",
        Scope::Repository => "this repository on one day",
        Scope::Person => "one person on one day",
        Scope::Day => "this server on one day",
    };
    let (cap, spent, wanted) = match &reached.figures {
        Figures::Tokens { cap, spent, wanted } => {
            (format!("{} tokens", grouped(*cap)), grouped(*spent), grouped(*wanted))
        }
        Figures::Money {
            cap,
            spent,
            wanted,
            currency,
        } => (format!("{cap} {currency}"), spent.to_string(), wanted.to_string()),
    };
    let key = reached.scope.as_str();
    let where_to = match reached.scope {
        Scope::Day => "on the server (`models.caps.day`)".to_owned(),
        _ => format!("on the server (`models.caps.{key}`) and in the repository (`caps.{key}`)"),
    };
    format!(
        "the cap of {cap} for {of} is in the way: {spent} are spent, and the next call may take {wanted}; raise it {where_to}, then `/retry`"
    )
}

/// What is in the way of a model, and what to do about it.
pub fn model_trouble(endpoint: &str, trouble: &ModelTrouble) -> String {
    let name = format!("`http:{endpoint}`");
    match trouble {
        ModelTrouble::NotOffered => format!(
            "this server does not offer {name} here: name another provider in `.github/countersign.yml`, or ask the server's operator for it, then `/retry`"
        ),
        ModelTrouble::KeyMissing { variable } => format!(
            "the key of {name} is missing: the server's operator sets `{variable}` and starts it anew, then `/retry`"
        ),
        ModelTrouble::KeyRefused { variable, said } => {
            let key = match variable {
                Some(variable) => format!("the key in `{variable}`"),
                None => "a call without a key (`key_env` is not set)".to_owned(),
            };
            format!(
                "{name} does not take {key}: {}; the server's operator corrects it, then `/retry`",
                quoted(said)
            )
        }
        ModelTrouble::NotThere { model, said } => format!(
            "{name} does not know the model `{model}`, or its `base_url` is wrong: {}; the server's operator corrects it, then `/retry`",
            quoted(said)
        ),
        ModelTrouble::NotTheDialect { found } => format!(
            "what answers at the `base_url` of {name} does not speak its `dialect`: {found}; the server's operator corrects it, then `/retry`"
        ),
        ModelTrouble::RequestRefused { said } => format!("{name} refused the request: {}", quoted(said)),
        ModelTrouble::ContextTooSmall { needed, takes, without } => {
            let short = grouped(needed.saturating_sub(*takes));
            let without = match without.as_slice() {
                [] => "even without any of the discussion it would not fit".to_owned(),
                texts => format!("it would fit without {}", texts.join(", ")),
            };
            format!(
                "the context of {name} is too small by about {short} tokens: {} are needed and it takes {}; {without}. Lower `limits.comments`, or use an endpoint that takes more, then `/retry`",
                grouped(*needed),
                grouped(*takes)
            )
        }
        ModelTrouble::Declined { said } if said.is_empty() => format!("{name} would not answer"),
        ModelTrouble::Declined { said } => format!("{name} would not answer: {}", quoted(said)),
        ModelTrouble::Truncated { most } => format!(
            "the answer of {name} was cut off at {} tokens (`max_output_tokens`); ask for less with `/revise`, or raise it on the server, then `/retry`",
            grouped(u64::from(*most))
        ),
        ModelTrouble::GaveUp { calls, said } => format!(
            "{name} could not be asked in time, after {}: {}",
            count(usize::try_from(*calls).unwrap_or(usize::MAX), "call", "calls"),
            quoted(said)
        ),
    }
}

/// What somebody outside said, as a quotation.
fn quoted(said: &str) -> String {
    format!("“{}”", said.trim().trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_commands_are_code_and_those_of_others_are_not() {
        let trouble = ModelTrouble::KeyRefused {
            variable: Some("THE_KEY".to_owned()),
            said: "no `/approve 5a34bfac83f5` @bob".to_owned(),
        };
        let said = why(&Why::Model {
            endpoint: "local".to_owned(),
            trouble,
        });
        assert!(
            said.starts_with("`http:local` does not take the key in `THE_KEY`: "),
            "{said}"
        );
        assert!(said.ends_with("then `/retry`."), "{said}");
        assert!(!said.contains("`/approve") || said.contains("\\`/approve"), "{said}");
        assert!(!said.contains("@bob"), "{said}");
    }
}
