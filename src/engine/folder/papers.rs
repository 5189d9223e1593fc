//! The papers of a workflow: what was asked and answered, as files that the operator reads and edits. They are derived
//! from what is kept, so that any of them can be written anew, and what differs from it was written by a person.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Folder, disk};
use crate::agents::made::files;
use crate::agents::{self, PROMPT_SCHEMA, Prompt};
use crate::engine::{Engine, Trouble};
use crate::store::StoreError;
use crate::store::kept::Kept;
use crate::store::runs::PROMPTED;
use crate::store::workflows::Stored;
use crate::workflow::artifact::{Proposal, Stage};
use crate::workflow::decide::awaits_answer;
use crate::workflow::event::Event;
use crate::workflow::ids::{Digest, PhaseId};
use crate::workflow::state::State;

/// Divides a prompt's instructions, which a person may put differently, from its data, which stay.
pub(super) const DATA_BELOW: &str = "<!-- What follows is data: it stays as it is. -->";

/// The standards that the definition's prompts hold answers to.
const STANDARDS: &str = "standards-bundle.md";

/// What a paper is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It waits at a gate: a person may edit it, and approves what stands there then.
    Open,
    /// It was approved, by this digest, or is part of what was: it must not change.
    Locked,
    /// A person puts the answer here; nothing stands there yet.
    Awaited,
    /// It is over; kept to be read.
    Past,
}

/// One file of a workflow's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paper {
    /// Where, from the workflow's folder.
    pub path: String,
    /// What it should say.
    pub text: String,
    /// What it is now.
    pub standing: Standing,
    /// What it was approved or is to be approved as.
    pub digest: Option<Digest>,
    /// The path of the file that it is one of, where it is one of several that were made together.
    pub part: Option<String>,
}

/// The papers of one workflow, and what stands at its gate.
pub(super) struct Papers(pub(super) Vec<Paper>);

impl Papers {
    /// The paper at the open gate, apart from the files that it holds.
    pub(super) fn open(&self) -> Option<&Paper> {
        self.0
            .iter()
            .find(|paper| paper.standing == Standing::Open && paper.part.is_none())
    }

    /// The paper that an answer is waited for in.
    pub(super) fn awaited(&self) -> Option<&Paper> {
        self.0.iter().find(|paper| paper.standing == Standing::Awaited)
    }
}

/// What a phase's papers are called: the names of the tool that this carries on, where a phase is one of its phases.
fn name_of(phase: &PhaseId) -> &str {
    match phase.as_str() {
        "plan" => "planning",
        "generate" => "generation",
        "revise" => "revision",
        other => other,
    }
}

/// The folder of an iteration. What a verdict calls for belongs to the round that it opens.
fn round(state: &State, phase: &PhaseId, iteration: u32) -> u32 {
    let on_demand = state.definition.phase(phase).is_some_and(|phase| phase.on_demand);
    iteration + u32::from(on_demand)
}

fn paper_path(state: &State, phase: &PhaseId, iteration: u32, what: &str) -> String {
    let round = round(state, phase, iteration);
    format!("iteration-{round}/{}-{what}.md", name_of(phase))
}

/// A prompt as a file.
fn prompt_text(prompt: &Prompt) -> String {
    format!(
        "{}\n\n{DATA_BELOW}\n\n{}\n",
        prompt.system.trim_end(),
        prompt.user.trim_end()
    )
}

/// A proposal as a file: a prompt as it reads, an answer as the JSON that it is.
pub(super) fn text_of(proposal: &Proposal) -> String {
    if proposal.schema == PROMPT_SCHEMA
        && let Ok(prompt) = serde_json::from_value::<Prompt>(proposal.artifact.clone())
    {
        return prompt_text(&prompt);
    }
    format!("{:#}\n", proposal.artifact)
}

/// One proposal as the history tells of it.
struct Told {
    proposal: Proposal,
    digest: Digest,
    approved: bool,
    /// Which rejection of its iteration it met, from 1.
    rejected: Option<u32>,
}

type Slot = (PhaseId, u32, bool);

/// What the events say of each proposal, by phase, iteration and stage, in their order.
fn told(kept: &Kept) -> Result<BTreeMap<Slot, Vec<Told>>, StoreError> {
    let mut proposals: BTreeMap<String, &Value> = BTreeMap::new();
    for artifact in &kept.artifacts {
        proposals.insert(artifact.digest.clone(), &artifact.body);
    }
    let mut slots: BTreeMap<Slot, Vec<Told>> = BTreeMap::new();
    let mut last: BTreeMap<PhaseId, Slot> = BTreeMap::new();
    for record in &kept.records {
        match record.read()? {
            Event::Proposed { phase, digest, .. } => {
                let Some(body) = proposals.get(&digest.to_string()) else {
                    continue;
                };
                let proposal: Proposal = serde_json::from_value((*body).clone())?;
                let slot = (phase.clone(), proposal.iteration, proposal.stage == Stage::Response);
                last.insert(phase, slot.clone());
                slots.entry(slot).or_default().push(Told {
                    proposal,
                    digest,
                    approved: false,
                    rejected: None,
                });
            }
            Event::Approved { phase, approval, .. } => {
                let of = last.get(&phase).and_then(|slot| slots.get_mut(slot));
                let of = of.and_then(|all| all.iter_mut().rfind(|told| told.digest == approval.digest));
                if let Some(told) = of {
                    told.approved = true;
                }
            }
            Event::Unapproved { phase, .. } | Event::ApprovalLost { phase, .. } => {
                let of = last.get(&phase).and_then(|slot| slots.get_mut(slot));
                if let Some(told) = of.and_then(|all| all.last_mut()) {
                    told.approved = false;
                }
            }
            Event::Rejected { phase, .. } => {
                let Some(all) = last.get(&phase).and_then(|slot| slots.get_mut(slot)) else {
                    continue;
                };
                let before = all.iter().filter(|told| told.rejected.is_some()).count();
                if let Some(told) = all.last_mut() {
                    told.rejected = Some(u32::try_from(before).unwrap_or(u32::MAX).saturating_add(1));
                }
            }
            _ => {}
        }
    }
    Ok(slots)
}

/// The papers of a workflow as they should be.
pub(super) fn papers(state: &State, kept: &Kept) -> Result<Papers, StoreError> {
    let mut papers: Vec<Paper> = Vec::new();
    let at_gate = state.open_gate().map(|(_, _, pending)| pending.digest);
    if let Some(standards) = standards(state) {
        papers.push(Paper {
            path: STANDARDS.to_owned(),
            text: standards,
            standing: Standing::Locked,
            digest: None,
            part: None,
        });
    }
    let slots = told(kept)?;
    for ((phase, iteration, response), all) in &slots {
        let what = if *response { "response" } else { "prompt" };
        for rejected in all.iter().filter(|told| told.rejected.is_some()) {
            let number = rejected.rejected.unwrap_or_default();
            let path = paper_path(state, phase, *iteration, &format!("{what}.rejected-{number}"));
            papers.push(Paper {
                path,
                text: text_of(&rejected.proposal),
                standing: Standing::Past,
                digest: Some(rejected.digest),
                part: None,
            });
        }
        let Some(last) = all.last().filter(|told| told.rejected.is_none()) else {
            continue;
        };
        let standing = match (last.approved, at_gate == Some(last.digest)) {
            (true, _) => Standing::Locked,
            (false, true) => Standing::Open,
            (false, false) => Standing::Past,
        };
        let round = round(state, phase, *iteration);
        papers.push(Paper {
            path: paper_path(state, phase, *iteration, what),
            text: text_of(&last.proposal),
            standing,
            digest: Some(last.digest),
            part: None,
        });
        if last.proposal.schema == files::SCHEMA {
            papers.extend(files::of(&last.proposal.artifact).iter().map(|file| Paper {
                path: format!("iteration-{round}/code/{}", file.path),
                text: file.content.to_owned(),
                standing,
                digest: Some(last.digest),
                part: Some(file.path.to_owned()),
            }));
        }
    }
    papers.extend(of_runs(state, kept, &slots));
    papers.extend(awaited(state, &slots));
    Ok(Papers(papers))
}

fn standards(state: &State) -> Option<String> {
    let phase = state.definition.phases.iter().find(|phase| phase.has_agent())?;
    let standards = agents::of_phase(&state.definition, phase)?.standards?;
    Some(standards.text.into_owned())
}

/// Prompts that waited at no gate, and those of another try, which say what people said of the last answer.
fn of_runs(state: &State, kept: &Kept, slots: &BTreeMap<Slot, Vec<Told>>) -> Vec<Paper> {
    let mut papers = Vec::new();
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for run in kept.runs.iter().map(|kept| &kept.run) {
        let prompted = slots.contains_key(&(run.phase.clone(), run.iteration, false));
        let what = match run.attempt {
            0 | 1 if prompted => continue,
            0 | 1 => "prompt".to_owned(),
            attempt => format!("prompt.retry-{}", attempt - 1),
        };
        let path = paper_path(state, &run.phase, run.iteration, &what);
        if run.outcome == PROMPTED || !seen.insert(path.clone()) {
            continue;
        }
        papers.push(Paper {
            path,
            text: format!("{}\n", run.prompt.trim_end()),
            standing: Standing::Past,
            digest: None,
            part: None,
        });
    }
    papers
}

/// Where the answer of a person is waited for.
fn awaited(state: &State, slots: &BTreeMap<Slot, Vec<Told>>) -> Option<Paper> {
    if !state.is_open() {
        return None;
    }
    let phases = state.definition.phases.iter().map(|phase| &phase.id);
    let phase = phases.into_iter().find(|phase| awaits_answer(state, phase))?;
    let iteration = state.at(phase).iteration;
    let before = slots.get(&(phase.clone(), iteration, true));
    let path = paper_path(state, phase, iteration, "response");
    // What stands there may still be the answer that was rejected.
    let last = before.and_then(|all| all.last()).map(|told| text_of(&told.proposal));
    Some(Paper {
        path,
        text: last.unwrap_or_default(),
        standing: Standing::Awaited,
        digest: None,
        part: None,
    })
}

/// Whether two texts say the same to a person whose editor ends lines in its own way.
pub(super) fn same(one: &str, other: &str) -> bool {
    one.replace("\r\n", "\n").trim_end() == other.replace("\r\n", "\n").trim_end()
}

impl Engine {
    /// The papers of a workflow.
    pub(super) async fn papers(&self, stored: &Stored) -> Result<Papers, Trouble> {
        let id = &stored.state.id;
        let kept = self.store().kept(id).await?;
        let kept = kept.ok_or_else(|| Trouble::Never(format!("{id} is not kept any more")))?;
        Ok(papers(&stored.state, &kept)?)
    }

    /// Writes the papers that are missing, and anew those that nobody has had before them yet. What a person wrote is
    /// never written over.
    pub(super) async fn write_papers(&self, folder: &Folder, stored: &Stored) -> Result<(), Trouble> {
        let state = &stored.state;
        let fresh = state
            .open_gate()
            .is_some_and(|(_, _, pending)| pending.shown_at.is_none());
        let unusable = |error: disk::Unusable| Trouble::Never(error.to_string());
        for paper in self.papers(stored).await?.0 {
            let path = format!("{}/{}", Folder::papers_of(state), paper.path);
            let there = disk::read(&folder.root, &path).map_err(unusable)?;
            let text = match (paper.standing, &there) {
                (Standing::Awaited, None) => "",
                // The answer that was rejected is kept beside; a new one goes here.
                (Standing::Awaited, Some(there)) if !paper.text.is_empty() && same(there, &paper.text) => "",
                (Standing::Open, Some(there)) if fresh && !same(there, &paper.text) => &paper.text,
                (_, None) => &paper.text,
                (_, Some(_)) => continue,
            };
            disk::write(&folder.root, &path, text).map_err(unusable)?;
        }
        Ok(())
    }
}
