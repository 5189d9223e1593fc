//! The quorums that a good file asks for, each at its place: whether people could ever meet one, only GitHub can tell.

use super::document::{ConfigError, Document, Position};
use super::repository::RepositoryConfig;
use crate::workflow::definition::{Definition, Gate};
use crate::workflow::gate::Quorum;

/// A quorum, and where it stands.
pub struct Asked {
    /// How many, and of whom.
    pub quorum: Quorum,
    at: Position,
}

impl Asked {
    /// A mistake at its place.
    pub fn mistake(&self, message: impl Into<String>) -> ConfigError {
        self.at.error(message)
    }
}

/// The quorums of a definition's file that name somebody.
pub fn in_definition(text: &str, definition: &Definition) -> Vec<Asked> {
    match super::definition::document(text) {
        Ok(document) => of_definition(&document, &[], definition),
        Err(_) => Vec::new(),
    }
}

/// The quorums of a repository's file that name somebody: what it asks of every gate, and those of its definitions.
pub fn in_configuration(text: &str, config: &RepositoryConfig) -> Vec<Asked> {
    let Ok(document) = Document::parse(text) else {
        return Vec::new();
    };
    let mut all = Vec::new();
    if let Some(quorum) = config.approval.quorum.clone() {
        all.extend(asked(&document, &["approval"], quorum));
    }
    for (index, definition) in config.definitions.iter().enumerate() {
        all.extend(of_definition(
            &document,
            &["definitions", &index.to_string()],
            definition,
        ));
    }
    all
}

fn of_definition(document: &Document, path: &[&str], definition: &Definition) -> Vec<Asked> {
    let mut all = Vec::new();
    for (index, phase) in definition.phases.iter().enumerate() {
        let index = index.to_string();
        for (key, gate) in [("prompt_gate", &phase.prompt_gate), ("gate", &phase.gate)] {
            let Some(people) = Gate::people(gate) else { continue };
            let at = [path, &["phases", &index, key, "people"]].concat();
            for (number, quorum) in people.quorums().enumerate() {
                // The first is the gate's own; the others stand in a list.
                let number = number.checked_sub(1).map(|number| number.to_string());
                let at = match &number {
                    Some(number) => [at.as_slice(), &["also", number]].concat(),
                    None => at.clone(),
                };
                all.extend(asked(document, &at, quorum));
            }
        }
    }
    all
}

/// A quorum that names somebody, at what says how many or of whom.
fn asked(document: &Document, path: &[&str], quorum: Quorum) -> Option<Asked> {
    if quorum.of.is_empty() {
        return None;
    }
    let keys = document.keys(path);
    let key = ["quorum", "of"].into_iter().find(|key| keys.contains(key));
    let path: Vec<&str> = path.iter().copied().chain(key).collect();
    Some(Asked {
        quorum,
        at: document.at(&path),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agents;
    use crate::config::{Vocabulary, definition};

    fn places(all: &[Asked]) -> Vec<String> {
        let place = |asked: &Asked| asked.mistake(asked.quorum.quorum.to_string()).to_string();
        all.iter().map(place).collect()
    }

    #[test]
    fn each_quorum_that_names_somebody_has_its_place() {
        let text = "name: x\nversion: 1\ntitle: X\nphases:\n  - id: a\n    title: A\n    agent: extract\n    prompt_gate: \
                    {people: {quorum: 2 of @acme/one}}\n    gate:\n      people:\n        right: write\n        of: \
                    ['@acme/two']\n        also:\n          - {quorum: 3, of: ['@acme/three']}\n  - {id: b, title: B, \
                    agent: email, needs: [a], gate: people}\n";
        let read = definition::read(text, &agents::names(), &[]).unwrap();
        assert_eq!(
            places(&in_definition(text, &read)),
            ["line 8, column 36: 2", "line 12, column 13: 1", "line 14, column 22: 3"]
        );
    }

    #[test]
    fn what_a_repository_asks_of_every_gate_stands_first() {
        let text = "version: 1\napproval:\n  quorum: 2 of @acme/one\ndefinitions:\n  - name: x\n    version: 1\n    title: X\n    \
                    phases:\n      - {id: a, title: A, agent: extract, gate: {people: {quorum: 4 of @acme/two}}}\n";
        let names = agents::names();
        let vocabulary = Vocabulary {
            verbs: &[],
            taken: &[],
            definitions: None,
            offer: None,
            agents: Some(&names),
            children: None,
        };
        let config = RepositoryConfig::parse(text, vocabulary).unwrap();
        assert_eq!(
            places(&in_configuration(text, &config)),
            ["line 3, column 11: 2", "line 9, column 67: 4"]
        );
    }
}
