//! What must hold of labels that mirror where a workflow stands: GitHub takes their names, nobody speaks by them, and each
//! can stand there at some time.

use std::collections::BTreeMap;

use super::Check;
use crate::workflow::definition::Phase;
use crate::workflow::labels::{LONGEST, Label, MOST, SPOKEN, folded, is_spoken};
use crate::workflow::state::PhaseStatus;

impl Check<'_> {
    /// The labels of every phase.
    pub(super) fn labels(&mut self) {
        let definition = self.definition;
        let mut known: BTreeMap<String, &str> = BTreeMap::new();
        for (index, phase) in definition.phases.iter().enumerate() {
            let Some(label) = &phase.label else { continue };
            if matches!(label, Label::At(names) if names.is_empty()) {
                let text = "`label` names nothing; write a label, or `{STATUS: LABEL}`".to_owned();
                self.phase(index, &["label"], text);
            }
            for (status, name) in label.names() {
                let status = status.map(|status| (status, word(status)));
                let path: Vec<&str> = std::iter::once("label")
                    .chain(status.as_ref().map(|(_, word)| word.as_str()))
                    .collect();
                let spelt = *known.entry(folded(name)).or_insert(name);
                let wrong = misnamed(name).or_else(|| {
                    (spelt != name).then(|| {
                        format!(
                            "the label `{name}` is `{spelt}` to GitHub, which takes names that differ only in case as one; \
                             write it as there"
                        )
                    })
                });
                let never = status
                    .as_ref()
                    .and_then(|(status, word)| never_at(phase, *status, word));
                if let Some(wrong) = wrong.or(never) {
                    self.phase(index, &path, wrong);
                }
            }
            if known.len() > MOST {
                let text = format!("a definition has at most {MOST} labels; give phases that belong together the same");
                return self.phase(index, &["label"], text);
            }
        }
    }
}

/// The status as a file writes it.
fn word(status: PhaseStatus) -> String {
    serde_json::json!(status).as_str().unwrap_or_default().to_owned()
}

/// Why a label cannot have this name. It is not repeated where it may be long.
fn misnamed(name: &str) -> Option<String> {
    let length = name.chars().count();
    if name.trim().is_empty() {
        return Some("a label is empty; write its name, such as `wf:running`".to_owned());
    }
    if length > LONGEST {
        return Some(format!(
            "a label is {length} characters long, and GitHub takes {LONGEST}; shorten it"
        ));
    }
    if name.trim() != name {
        return Some(format!("the label {name:?} begins or ends with a blank; take it away"));
    }
    if name.chars().any(char::is_control) {
        return Some(format!("the label {name:?} is not one line of text"));
    }
    if matches!(name, "." | "..") {
        return Some(format!(
            "`{name}` cannot be in an address, so it cannot be a label; choose another"
        ));
    }
    if is_spoken(name) {
        return Some(format!(
            "the label `{name}` begins with `{SPOKEN}`: by such labels people speak to the bot; choose another beginning, \
             such as `wf:`"
        ));
    }
    None
}

/// Why a phase never stands at this status long enough for anybody to see it.
fn never_at(phase: &Phase, status: PhaseStatus, word: &str) -> Option<String> {
    let why = match status {
        PhaseStatus::Draft if phase.prompt_gate.is_none() => "it has no `prompt_gate`, so nothing waits there",
        PhaseStatus::Rejected if phase.gate.is_none() && phase.prompt_gate.is_none() => {
            "it has no gate at which anybody could say no"
        }
        PhaseStatus::Approved if phase.executes.is_none() => "it carries nothing out, so what is approved is complete",
        PhaseStatus::Running if !phase.has_agent() && phase.for_each.is_none() => {
            "it has no agent; while it carries out acts it is `approved`"
        }
        _ => return None,
    };
    Some(format!("the label of `{word}` would never be seen: {why}"))
}
