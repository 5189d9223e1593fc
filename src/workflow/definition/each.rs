//! `for_each`: one child workflow for each issue that a phase opened.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Definition, Mistake, Phase};
use crate::workflow::ids::PhaseId;

/// The most children of one phase.
pub const MOST_CHILDREN: u32 = 100;

/// How many workflows may stand above one another: a parent, its children, and theirs.
pub const DEEPEST: usize = 3;

/// One child workflow for each issue that a phase opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ForEach {
    /// The phase that opens the issues: each that it opened becomes the subject of a child.
    pub items: PhaseId,
    /// The definition of the children: one of the program's or of the repository's. It is stored whole when the parent
    /// starts.
    pub definition: String,
    /// What each child is given: input of that definition to field of the item, as it was approved: `title`, `body`,
    /// `number`, `url`, `labels` or `assignees`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub with: BTreeMap<String, ItemField>,
    /// `all`: the phase is complete when every child is. `done`: it goes on with those that completed once all have
    /// ended, or when somebody says `/skip`.
    #[serde(default)]
    pub wait: Wait,
    /// The most children, from 1 to 100.
    #[schemars(range(min = 1, max = MOST_CHILDREN))]
    pub max: u32,
}

/// A field of an item that a child can be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ItemField {
    /// The title.
    Title,
    /// The text.
    Body,
    /// The number.
    Number,
    /// The page.
    Url,
    /// Its labels, with commas.
    Labels,
    /// Logins, with commas.
    Assignees,
}

/// When a phase with children is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Wait {
    /// When all of them are.
    #[default]
    All,
    /// When all have ended, or somebody says so.
    Done,
}

/// Written by hand: of an enum of words with descriptions the derive makes a schema whose errors name no word.
impl JsonSchema for ItemField {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ItemField".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A field of an item that a child can be given.",
            "type": "string",
            "enum": ["title", "body", "number", "url", "labels", "assignees"],
        })
    }
}

/// Written by hand, as that of [`ItemField`].
impl JsonSchema for Wait {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Wait".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "When a phase with children is complete.",
            "type": "string",
            "enum": ["all", "done"],
        })
    }
}

/// What is wrong with a phase that has children by itself: what leads there from the phase, and a sentence.
pub(super) fn mistakes(definition: &Definition, phase: &Phase) -> Vec<(&'static [&'static str], String)> {
    let Some(each) = &phase.for_each else {
        return Vec::new();
    };
    let mut found: Vec<(&'static [&'static str], String)> = Vec::new();
    for (key, stands) in [
        (&["agent"], phase.agent.is_some()),
        (&["prompt"], phase.prompt.is_some()),
        (&["schema"], phase.schema.is_some()),
        (&["executes"], phase.executes.is_some()),
        (&["role"], phase.role.is_some()),
        (&["provider"], phase.provider.is_some()),
        (&["asks"], phase.asks),
        (&["gate"], !phase.gate.is_none()),
        (&["prompt_gate"], !phase.prompt_gate.is_none()),
        (&["on_fail"], phase.on_fail.is_some()),
    ] {
        if stands {
            let [name] = key;
            let text =
                format!("its children do the work, so `{name}` has no meaning; it belongs into their definition");
            found.push((key, text));
        }
    }
    if !(1..=MOST_CHILDREN).contains(&each.max) {
        let text = format!("for_each.max must be from 1 to {MOST_CHILDREN}");
        found.push((&["for_each", "max"], text));
    }
    match definition.phase(&each.items) {
        None => {
            let others = definition.phases.iter().filter(|other| other.id != phase.id);
            let ids: Vec<&str> = others.map(|other| other.id.as_str()).collect();
            let instead = super::validate::instead(each.items.as_str(), &ids);
            let text = format!("there is no phase {}; {instead}", each.items);
            found.push((&["for_each", "items"], text));
        }
        Some(items) if items.executes.is_none() => found.push((
            &["for_each", "items"],
            format!("{} opens no issues: `items` names a phase that `executes`", each.items),
        )),
        Some(_) => {}
    }
    found
}

impl Definition {
    /// Whether any phase has children.
    pub fn has_children(&self) -> bool {
        self.phases.iter().any(|phase| phase.for_each.is_some())
    }

    /// The same with the definitions of its children in it, and of theirs, each found by its name.
    ///
    /// # Errors
    /// Every child that cannot be: no definition of that name, a missing or unknown input, a definition that would be
    /// its own child, or children too deep.
    pub fn with_children(&self, find: &dyn Fn(&str) -> Option<Self>) -> Result<Self, Vec<Mistake>> {
        self.nested(find, &[])
    }

    fn nested(&self, find: &dyn Fn(&str) -> Option<Self>, above: &[&str]) -> Result<Self, Vec<Mistake>> {
        let mut whole = self.clone();
        let mut mistakes = Vec::new();
        let names: Vec<&str> = above.iter().copied().chain([self.name.as_str()]).collect();
        for (index, phase) in self.phases.iter().enumerate() {
            let Some(each) = &phase.for_each else { continue };
            let index = index.to_string();
            let mut report = |key: &[&str], text: String| {
                let path = [&["phases", index.as_str(), "for_each"], key].concat();
                mistakes.push(Mistake::at(&path, format!("phase {}: {text}", phase.id)));
            };
            let name = each.definition.as_str();
            if names.contains(&name) {
                let way: Vec<&str> = names.iter().copied().chain([name]).collect();
                let text = format!("a definition cannot be a child of itself: {}", way.join(" → "));
                report(&["definition"], text);
                continue;
            }
            if names.len() >= DEEPEST {
                let text = format!("children stand at most {DEEPEST} deep: {} → {name}", names.join(" → "));
                report(&["definition"], text);
                continue;
            }
            let Some(child) = find(name) else {
                report(&["definition"], format!("there is no definition {name}"));
                continue;
            };
            for input in each.with.keys().filter(|input| !child.inputs.contains_key(*input)) {
                let inputs: Vec<&str> = child.inputs.keys().map(String::as_str).collect();
                let instead = super::validate::instead(input, &inputs);
                report(&["with", input], format!("{name} has no input {input}; {instead}"));
            }
            for (input, asked) in &child.inputs {
                if asked.required && !each.with.contains_key(input) {
                    let text = format!(
                        "{name} needs the input {input} ({}): write `{input}: FIELD` under `with`",
                        asked.title
                    );
                    report(&["definition"], text);
                }
            }
            match child.nested(find, &names) {
                Ok(child) => {
                    whole.children.insert(name.to_owned(), child);
                }
                Err(below) => {
                    for mistake in below {
                        report(&["definition"], format!("in {name}, {}", mistake.text));
                    }
                }
            }
        }
        match mistakes.is_empty() {
            true => Ok(whole),
            false => Err(mistakes),
        }
    }

    /// This definition and those of all of its children, so that something can be put into each.
    pub fn each_mut(&mut self, put: &mut impl FnMut(&mut Self)) {
        put(self);
        for child in self.children.values_mut() {
            child.each_mut(put);
        }
    }

    /// The phases of this definition and of all of its children's, so that something can be asked of each.
    pub fn family_mut(&mut self) -> Vec<&mut Vec<Phase>> {
        let mut all = vec![&mut self.phases];
        for child in self.children.values_mut() {
            all.extend(child.family_mut());
        }
        all
    }

    /// The phases of this definition and of all of its children's.
    pub fn family(&self) -> Vec<&Phase> {
        let below = self.children.values().flat_map(Self::family);
        self.phases.iter().chain(below).collect()
    }
}
