//! The approver of a gate: it reads what a phase made and says yes or no. What it says is judged like any answer, and
//! what cannot be read as either is a no.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::inputs::{Guide, Handed, Inputs, Material};
use super::prompt::Brief;
use super::{Agent, Draft, InputKind, Problem, ProblemKind, WrongInputs, made, template_of};
use crate::workflow::definition::Definition;
use crate::workflow::guidelines::Found;
use crate::workflow::judging::{AiGate, Decision};

/// The schema of its answer.
pub const SCHEMA: &str = "gate.v1";

/// The template of an approver that names none.
const TEMPLATE: &str = "approve";

/// The most bytes of one text that it is shown.
pub const MOST_OF_ONE: usize = 50_000;

/// The most bytes of all texts that it is shown.
pub const MOST: usize = 200_000;

/// The most bytes of a text that is never cut: a name or a path.
const NAME: usize = 300;

/// What stands where a text was cut.
const CUT_HERE: &str = "\n(cut here)";

/// Characters of its feedback that are kept.
const FEEDBACK: usize = 4_000;

/// What it answered, once it has been judged.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    decision: Word,
    /// Why; never blank with a no.
    pub feedback: String,
    /// The instructions that it suggests in place of those of a prompt.
    pub rewrite: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Word {
    Approve,
    Reject,
}

impl Answer {
    /// Its answer, as [`judge`](super::judge) left it.
    pub fn of(artifact: Value) -> Option<Self> {
        serde_json::from_value(artifact).ok()
    }

    /// What it decided.
    pub fn decision(&self) -> Decision {
        match self.decision {
            Word::Approve => Decision::Approved,
            Word::Reject => Decision::Rejected,
        }
    }
}

/// The name of the template of what it is told to look for.
pub fn template_name(gate: &AiGate) -> &str {
    gate.prompt.as_deref().unwrap_or(TEMPLATE)
}

/// The approver of a gate, in the name of its role.
pub fn agent(definition: &Definition, gate: &AiGate) -> Option<Agent> {
    let name = template_name(gate);
    let role = gate.role.as_ref().and_then(|role| definition.roles.get(role));
    let told = role.and_then(|role| role.prompt.as_deref());
    Some(Agent {
        name: Cow::Owned(name.to_owned()),
        schema_name: Cow::Borrowed(SCHEMA),
        schema: Cow::Borrowed(include_str!("made/gate.v1.json")),
        role: told.and_then(|name| template_of(definition, name)).unwrap_or_default(),
        standards: super::standards_of(definition),
        prompt_template: template_of(definition, name)?,
        works_from: InputKind::Material,
        brief,
        check,
        amend: made::amend,
    })
}

/// The material as an approver is given it: what is judged stands last among the artifacts.
pub fn material(mut material: Material, judged: Handed) -> (Material, Vec<String>) {
    material.artifacts.push(judged);
    let mut room = Room {
        left: MOST,
        cut: Vec::new(),
    };
    // What is judged comes first where not everything has room.
    for handed in material.artifacts.iter_mut().rev() {
        room.fit(&handed.phase.clone(), &mut handed.artifact);
    }
    let files: &mut BTreeMap<String, String> = &mut material.files;
    for (name, text) in files.iter_mut() {
        room.text(name, text);
    }
    if let Some(guide) = &mut material.guide {
        room.guide(guide);
    }
    (material, room.cut)
}

/// What is still shown, and what was not.
struct Room {
    left: usize,
    cut: Vec<String>,
}

impl Room {
    /// Cuts the texts of an artifact. A file is named by its path, another text by the phase that made it.
    fn fit(&mut self, name: &str, value: &mut Value) {
        match value {
            Value::String(text) => self.text(name, text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.fit(name, item)),
            Value::Object(members) => {
                let path = members.get("path").and_then(Value::as_str).map(str::to_owned);
                let name = path.as_deref().unwrap_or(name);
                for (_, member) in members.iter_mut() {
                    self.fit(name, member);
                }
            }
            _ => {}
        }
    }

    /// Cuts guidelines, which say themselves how much of the file they are.
    fn guide(&mut self, guide: &mut Guide) {
        let cut = self.cut.len();
        self.text(&guide.of.path, &mut guide.text);
        if let (true, Found::Given(text)) = (self.cut.len() > cut, &mut guide.of.found) {
            let kept = guide.text.len().saturating_sub(CUT_HERE.len());
            text.cut_at = u64::try_from(kept).ok();
        }
    }

    fn text(&mut self, name: &str, text: &mut String) {
        let most = MOST_OF_ONE.min(self.left);
        let whole = text.len();
        if whole > most && whole > NAME {
            let end = text.floor_char_boundary(most);
            text.truncate(end);
            text.push_str(CUT_HERE);
            self.cut.push(format!("{name}: {end} of {whole} bytes"));
        }
        self.left = self.left.saturating_sub(whole.min(most));
    }
}

fn brief(inputs: &Inputs) -> Result<Brief, WrongInputs> {
    let mut brief = made::brief(inputs)?;
    let judged = brief.facts["artifacts"].as_array_mut().and_then(Vec::pop);
    brief.facts["judged"] = judged.unwrap_or(Value::Null);
    Ok(brief)
}

/// A no needs a reason. A yes in front of which something is held back is none.
fn check(value: Value, _: &Inputs) -> Result<Draft, Vec<Problem>> {
    made::checked(value, |value, _| {
        let feedback = value["feedback"].as_str().unwrap_or_default().trim();
        if value["decision"] == "reject" && feedback.is_empty() {
            let text = "a rejection needs its reason in `feedback`";
            return Err(Problem::new(ProblemKind::Rule, "/feedback", text));
        }
        let kept: String = feedback.chars().take(FEEDBACK).collect();
        value["feedback"] = json!(kept);
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate_agent() -> Agent {
        let definition: Definition =
            serde_json::from_value(json!({"name": "d", "version": 1, "title": "t", "phases": []})).unwrap();
        agent(&definition, &AiGate::default()).unwrap()
    }

    fn given() -> Material {
        Material {
            thread: crate::agents::fixtures::thread(&[("alice", "hello")]),
            given: BTreeMap::new(),
            files: BTreeMap::new(),
            artifacts: Vec::new(),
            choice: None,
            guide: None,
        }
    }

    fn handed(artifact: Value) -> Handed {
        Handed {
            phase: "plan".to_owned(),
            iteration: 1,
            schema: "files.v1".to_owned(),
            artifact,
        }
    }

    #[test]
    fn an_answer_is_a_yes_a_no_with_a_reason_or_unusable() {
        let (material, _) = material(given(), handed(json!({"summary": "x"})));
        let inputs = Inputs::Material(Box::new(material));
        let judge = |answer: &str| super::super::judge(&gate_agent(), answer, &inputs);
        let yes = judge(r#"{"decision": "approve", "feedback": "", "rewrite": null}"#).unwrap();
        assert_eq!(Answer::of(yes.artifact).unwrap().decision(), Decision::Approved);
        let no = judge(r#"{"decision": "reject", "feedback": " too long ", "rewrite": null}"#).unwrap();
        let no = Answer::of(no.artifact).unwrap();
        assert_eq!((no.decision(), no.feedback.as_str()), (Decision::Rejected, "too long"));
        for unusable in [
            "yes",
            r#"{"decision": "maybe", "feedback": "", "rewrite": null}"#,
            r#"{"decision": "reject", "feedback": "  ", "rewrite": null}"#,
            r#"{"decision": "approve"}"#,
            r#"{"decision": "approve", "feedback": "", "rewrite": null, "and": 1}"#,
        ] {
            assert!(judge(unusable).is_err(), "{unusable}");
        }
    }

    #[test]
    fn what_is_judged_is_apart_from_what_it_was_made_of() {
        let mut made = given();
        made.artifacts.push(handed(json!({"summary": "the plan"})));
        let (material, cut) = material(made, handed(json!({"summary": "the files"})));
        assert!(cut.is_empty());
        let brief = brief(&Inputs::Material(Box::new(material))).unwrap();
        assert_eq!(brief.facts["judged"]["artifact"]["summary"], "the files");
        assert_eq!(brief.facts["artifacts"].as_array().unwrap().len(), 1);
    }

    #[test]
    fn guidelines_that_are_cut_say_how_much_of_the_file_they_are() {
        let with = |bytes: usize| {
            let text = "a".repeat(bytes);
            let guide = Guide::read("AGENTS.md", None, (&text, None), 200_000);
            let given = Material {
                guide: Some(guide),
                ..given()
            };
            let (shown, cut) = material(given, handed(json!({"summary": "x"})));
            (shown.guide.unwrap(), cut)
        };
        let (guide, cut) = with(60_000);
        assert_eq!(cut, ["AGENTS.md: 50000 of 60000 bytes"]);
        assert_eq!(guide.of.text().unwrap().cut_at, Some(50_000));
        assert!(guide.text.ends_with("a\n(cut here)"));
        let (guide, cut) = with(40_000);
        assert_eq!((guide.of.text().unwrap().cut_at, cut.len()), (None, 0));
    }

    #[test]
    fn files_are_cut_one_by_one_and_in_all_and_that_is_said() {
        let file = |path: &str, bytes: usize| json!({"path": path, "content": "é".repeat(bytes / 2)});
        let writes: Vec<Value> = (0..6).map(|at| file(&format!("f{at}"), 49_000)).collect();
        let (_, cut) = material(given(), handed(json!({"writes": [file("big", 60_001)]})));
        assert_eq!(cut, ["big: 50000 of 60000 bytes"]);
        let (shown, cut) = material(given(), handed(json!({"writes": writes})));
        let all: usize = shown.artifacts[0].artifact["writes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|write| write["content"].as_str().unwrap().len())
            .sum();
        assert!(all <= MOST + 100, "{all}");
        assert_eq!(cut.len(), 2, "one is cut short and one has no room: {cut:?}");
    }
}
