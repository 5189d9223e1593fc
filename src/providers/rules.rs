//! The rules provider: answers without a model, offline and for nothing, from a grammar that it states. It finds less
//! than a reader would, and what it finds is mostly right; a person looks at it in any case.

mod attributes;
mod dates;
mod email;
mod extract;
mod grammar;
mod questions;
mod reading;
mod words;

use crate::agents::{Agent, Inputs, RULED_PROMPTS, choice};

/// The forms that the rules know, as Markdown, for people who wonder why a task was not found.
pub const FORMS: &str = "\
- `- [ ] Verb …`
- `Action: …` or `TODO: …`
- list items under a heading such as “Next steps”
- `@name will/should/to/please …`, `Name to …` or `I'll …`
- `/task title=\"…\" assign=@name due=2026-12-01 est=S`

And with them: `by Friday`, `by 2026-12-01`, `est: S`, `priority: high`, `after t1`, or several in brackets: \
`(@name, M, by Friday, label: docs)`.";

/// The answer of the rules, as JSON of the agent's schema. `None` when they do not know the agent or its inputs.
pub fn answer(agent: &Agent, inputs: &Inputs) -> Option<String> {
    if agent.schema_name == choice::SCHEMA {
        return Some(choice::unscored().to_string());
    }
    let value = match (agent.name.as_ref(), inputs) {
        ("extract", Inputs::Thread(thread)) => extract::answer(thread),
        (name, Inputs::Material(material)) if RULED_PROMPTS.contains(&name) => questions::answer(material),
        ("email", Inputs::Mailing(mailing)) => email::answer(mailing),
        _ => return None,
    };
    Some(value.to_string())
}
