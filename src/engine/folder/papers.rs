//! The papers of a workflow: what was asked and answered, as files that the operator reads and edits. They are derived
//! from what is kept, so that any of them can be written anew, and what differs from it was written by a person.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Folder, disk};
use crate::agents::made::files;
use crate::agents::{self, PROMPT_SCHEMA, Prompt};
use crate::engine::{Engine, Trouble, unanswered_in};
use crate::store::StoreError;
use crate::store::kept::Kept;
use crate::store::runs::PROMPTED;
use crate::store::workflows::Stored;
use crate::workflow::artifact::{Proposal, Stage};
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
    /// A file of a former answer: it does not stand among those of the present one.
    Gone,
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
    /// The phase that it is of, where it is of one.
    pub phase: Option<PhaseId>,
}

impl Paper {
    fn new(path: String, text: String, standing: Standing) -> Self {
        Self {
            path,
            text,
            standing,
            digest: None,
            part: None,
            phase: None,
        }
    }

    fn of(self, phase: &PhaseId, digest: Option<Digest>) -> Self {
        Self {
            phase: Some(phase.clone()),
            digest,
            ..self
        }
    }
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

    /// The papers that answers are waited for in.
    pub(super) fn awaited(&self) -> impl Iterator<Item = &Paper> {
        self.0.iter().filter(|paper| paper.standing == Standing::Awaited)
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
    let at_gate = state.open_gate().filter(|_| state.is_open());
    let at_gate = at_gate.map(|(_, _, pending)| pending.digest);
    if let Some(standards) = standards(state) {
        papers.push(Paper::new(STANDARDS.to_owned(), standards, Standing::Locked));
    }
    let slots = told(kept)?;
    for ((phase, iteration, response), all) in &slots {
        let what = if *response { "response" } else { "prompt" };
        for rejected in all.iter().filter(|told| told.rejected.is_some()) {
            let number = rejected.rejected.unwrap_or_default();
            let path = paper_path(state, phase, *iteration, &format!("{what}.rejected-{number}"));
            let paper = Paper::new(path, text_of(&rejected.proposal), Standing::Past);
            papers.push(paper.of(phase, Some(rejected.digest)));
        }
        let code = |told: &Told, standing: Standing| -> Vec<Paper> {
            let of = (phase, round(state, phase, *iteration));
            code_of(told, standing, of)
        };
        let (last, former) = match all.split_last() {
            Some((last, former)) if last.rejected.is_none() => (Some(last), former),
            _ => (None, all.as_slice()),
        };
        papers.extend(former.iter().flat_map(|told| code(told, Standing::Gone)));
        let Some(last) = last else { continue };
        let standing = match (last.approved, at_gate == Some(last.digest)) {
            (true, _) => Standing::Locked,
            (false, true) => Standing::Open,
            (false, false) => Standing::Past,
        };
        let path = paper_path(state, phase, *iteration, what);
        papers.push(Paper::new(path, text_of(&last.proposal), standing).of(phase, Some(last.digest)));
        papers.extend(code(last, standing));
    }
    let stays: BTreeSet<String> = papers
        .iter()
        .filter(|paper| paper.standing != Standing::Gone)
        .map(|paper| paper.path.clone())
        .collect();
    papers.retain(|paper| paper.standing != Standing::Gone || !stays.contains(&paper.path));
    papers.extend(of_runs(state, kept, &slots));
    papers.extend(awaited(state, kept, &slots));
    Ok(Papers(papers))
}

/// The files of an answer, below `code/` of their round.
fn code_of(told: &Told, standing: Standing, (phase, round): (&PhaseId, u32)) -> Vec<Paper> {
    if told.proposal.schema != files::SCHEMA {
        return Vec::new();
    }
    let files = files::of(&told.proposal.artifact);
    let papers = files.iter().map(|file| {
        let path = format!("{}/{}", code_folder(round), file.path);
        let paper = Paper::new(path, file.content.to_owned(), standing).of(phase, Some(told.digest));
        Paper {
            part: Some(file.path.to_owned()),
            ..paper
        }
    });
    papers.collect()
}

fn code_folder(round: u32) -> String {
    format!("iteration-{round}/code")
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
        let text = format!("{}\n", run.prompt.trim_end());
        papers.push(Paper::new(path, text, Standing::Past).of(&run.phase, None));
    }
    papers
}

/// Where answers of a person are waited for.
fn awaited(state: &State, kept: &Kept, slots: &BTreeMap<Slot, Vec<Told>>) -> Vec<Paper> {
    let papers = unanswered_in(state, kept).into_iter().map(|of| {
        let before = slots.get(&(of.phase.clone(), of.iteration, true));
        let path = paper_path(state, &of.phase, of.iteration, "response");
        // What stands there may still be the answer that was rejected.
        let last = before.and_then(|all| all.last()).map(|told| text_of(&told.proposal));
        Paper::new(path, last.unwrap_or_default(), Standing::Awaited).of(&of.phase, None)
    });
    papers.collect()
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
            if paper.standing == Standing::Gone {
                // What a person wrote there stays.
                if there.is_some_and(|there| same(&there, &paper.text)) {
                    disk::remove(&folder.root, &path, &Folder::papers_of(state)).map_err(unusable)?;
                }
                continue;
            }
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
