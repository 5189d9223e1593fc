//! What is given when a workflow starts, held against what its definition asks for.

use std::collections::BTreeMap;

use super::Definition;

/// What is wrong with one thing that was given, or is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Misgiven {
    /// The definition asks for nothing of that name.
    Unknown {
        /// What was given.
        name: String,
    },
    /// It is required and was not given.
    Missing {
        /// Its name.
        name: String,
        /// What it is.
        title: String,
    },
    /// It names a file that the repository does not have.
    NoFile {
        /// Its name.
        name: String,
        /// The path that was given.
        path: String,
    },
    /// It is none of its choices.
    NoChoice {
        /// Its name.
        name: String,
        /// What was given.
        value: String,
        /// What may be given.
        choices: Vec<String>,
    },
}

impl Definition {
    /// What a workflow starts with: what was given, and the defaults of the rest.
    ///
    /// # Errors
    /// Everything that is wrong at once.
    pub fn resolve(&self, given: &BTreeMap<String, String>) -> Result<BTreeMap<String, String>, Vec<Misgiven>> {
        let mut wrong: Vec<Misgiven> = given
            .keys()
            .filter(|name| !self.inputs.contains_key(*name))
            .map(|name| Misgiven::Unknown { name: name.clone() })
            .collect();
        let mut resolved = BTreeMap::new();
        for (name, input) in &self.inputs {
            let value = given.get(name).filter(|value| !value.trim().is_empty());
            match value.or(input.default.as_ref()) {
                None if input.required => wrong.push(Misgiven::Missing {
                    name: name.clone(),
                    title: input.title.clone(),
                }),
                None => {}
                Some(value) if !input.choices.is_empty() && !input.choices.contains(value) => {
                    wrong.push(Misgiven::NoChoice {
                        name: name.clone(),
                        value: value.clone(),
                        choices: input.choices.clone(),
                    });
                }
                Some(value) => {
                    resolved.insert(name.clone(), value.clone());
                }
            }
        }
        if wrong.is_empty() { Ok(resolved) } else { Err(wrong) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Known;
    use super::*;

    fn definition() -> Definition {
        let yaml = "name: d\nversion: 1\ntitle: t\ninputs:\n  entity: {title: The entity, required: true}\n  scope: {title: \
                    How far, choices: [domain, vertical], default: domain}\n  note: {title: A note}\nphases:\n  - {id: a, \
                    title: A, agent: extract}\n";
        let known = Known {
            agents: &["extract"],
            ..Known::default()
        };
        Definition::parse(yaml, &known).unwrap()
    }

    fn given(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let pairs = pairs.iter();
        pairs
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn defaults_fill_what_was_not_given() {
        let resolved = definition().resolve(&given(&[("entity", "Product")]));
        assert_eq!(resolved, Ok(given(&[("entity", "Product"), ("scope", "domain")])));
    }

    #[test]
    fn everything_that_is_wrong_is_named_at_once() {
        let wrong = definition().resolve(&given(&[("scpoe", "x"), ("scope", "all"), ("entity", " ")]));
        let expected = vec![
            Misgiven::Unknown { name: "scpoe".into() },
            Misgiven::Missing {
                name: "entity".into(),
                title: "The entity".into(),
            },
            Misgiven::NoChoice {
                name: "scope".into(),
                value: "all".into(),
                choices: vec!["domain".into(), "vertical".into()],
            },
        ];
        assert_eq!(wrong, Err(expected));
    }
}
