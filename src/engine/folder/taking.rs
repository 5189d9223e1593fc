//! What the operator wrote into a workflow's papers: an answer that is waited for, or an edit of what waits at a gate.

use std::path::Path;

use serde_json::json;

use super::desk::{Done, Not, Order};
use super::papers::{DATA_BELOW, Papers, same};
use super::{Folder, STATE_FOLDER, Standing, disk};
use crate::agents::{Amendment, Prompt, json_in};
use crate::engine::asks::{Given, NoAnswer, Unamended};
use crate::engine::by_hand::astray_words;
use crate::engine::{Engine, Trouble};
use crate::store::workflows::Stored;
use crate::workflow::artifact::{ReviewVerdict, Stage};
use crate::workflow::command::{Ask, Refusal};
use crate::workflow::ids::{PhaseId, WorkflowId};
use crate::workflow::state::State;
use crate::workflow::unanswered::Aim;

/// What was taken from a paper before an order was carried out.
pub(super) struct Taken {
    /// The phase that it is of, and the stage at whose gate it should wait then.
    of: (PhaseId, Stage),
    file: String,
    /// What a review calls itself, where it does.
    verdict: Option<ReviewVerdict>,
}

impl Taken {
    /// Whether it waits at this gate.
    fn is_at(&self, phase: &PhaseId, stage: Stage) -> bool {
        self.of.0 == *phase && self.of.1 == stage
    }
}

impl Engine {
    /// Takes what the operator wrote into the papers: an answer that is waited for, or edits of what waits at the gate.
    pub(super) async fn prepare_paper(&self, id: &WorkflowId, order: &Order) -> Done<Option<Taken>> {
        let folder = self.folder()?;
        let Some(stored) = self.store().workflow(id).await? else {
            return Ok(Err(Not::Unknown));
        };
        let state = &stored.state;
        if let Some(hold) = &state.hold {
            return Ok(Err(Not::Refused(Box::new(Refusal::Held(hold.clone())))));
        }
        self.write_papers(folder, &stored).await?;
        let papers = self.papers(&stored).await?;
        let changed = changed(folder, state, &papers)?;
        if !changed.is_empty() {
            return Ok(Err(Not::Changed(changed)));
        }
        let whole = |path: &str| format!("{}/{path}", Folder::papers_of(state));
        match order {
            Order::Respond { text, aim, file } => {
                let aim = match file.as_deref().map(|file| folder.aimed_by(file, aim, (state, &papers))) {
                    Some(Err(not)) => return Ok(Err(not)),
                    Some(Ok(aim)) => aim,
                    None => aim.clone(),
                };
                let file = file.as_ref().map(|file| file.display().to_string());
                self.take_answer(&stored, (&aim, text), file).await
            }
            _ if papers.awaited().next().is_some() => {
                for paper in papers.awaited() {
                    let text = read(folder, state, &paper.path)?.unwrap_or_default();
                    let Some(phase) = paper.phase.as_ref().filter(|_| !text.trim().is_empty()) else {
                        continue;
                    };
                    let aim = Aim::at(phase.as_str());
                    return self.take_answer(&stored, (&aim, &text), Some(whole(&paper.path))).await;
                }
                let all = papers.awaited().map(|paper| whole(&paper.path));
                Ok(Err(Not::NoAnswerYet(all.collect())))
            }
            _ => self.take_edits(folder, &stored, &papers).await,
        }
    }

    /// What an approval comes to once a paper was taken; nothing where it goes on.
    pub(super) async fn goes_on_with(
        &self,
        id: &WorkflowId,
        order: &Order,
        taken: Taken,
    ) -> Result<Option<Result<(), Not>>, Trouble> {
        let stored = self.store().workflow(id).await?;
        let open = stored.as_ref().and_then(|stored| stored.state.open_gate());
        let Some((_, _, pending)) = open.filter(|(open, _, pending)| taken.is_at(open, pending.stage)) else {
            return Ok(Some(Ok(())));
        };
        let said = matches!(order, Order::Approve { verdict: Some(_), .. });
        Ok(match (taken.verdict, pending.verdict) {
            // Whoever pasted it means what it says, and has not seen that something else counts.
            (Some(given), Some(counts)) if given != counts && !said => Some(Err(Not::Recounted {
                file: taken.file,
                given,
                counts,
            })),
            _ => None,
        })
    }

    /// An answer of the operator's, through the checks that every answer goes through. It waits at its gate then.
    async fn take_answer(
        &self,
        stored: &Stored,
        (aim, text): (&Aim, &str),
        file: Option<String>,
    ) -> Done<Option<Taken>> {
        let (state, folder) = (&stored.state, self.folder()?);
        let key = format!("{}:by-hand:{}", state.id, state.version);
        let given = Given {
            by: folder.operator().id,
            key: &key,
            aim,
            text,
        };
        let (ask, extra) = match self.hand_in(stored, &given).await? {
            Ok(handed) => handed,
            Err(NoAnswer::Refused(refusal)) => return Ok(Err(Not::Refused(Box::new(refusal)))),
            Err(NoAnswer::Astray(astray)) => return Ok(Err(Not::Said(astray_words(state, &astray)))),
            Err(NoAnswer::Problems(_, sentences)) => return Ok(Err(Not::Problems(sentences, file))),
        };
        let mut taken = None;
        if let Ask::Respond { proposal } = &ask {
            let at = state.at(&proposal.phase);
            if at.void.contains(&proposal.digest()) && at.rejections > 0 {
                let said = "this is the answer that was rejected: give another one".to_owned();
                return Ok(Err(Not::Problems(vec![said], file)));
            }
            taken = Some(Taken {
                of: (proposal.phase.clone(), Stage::Response),
                file: file.unwrap_or_default(),
                verdict: verdict_in(text),
            });
        }
        Ok(self.put(&state.id, ask, extra).await?.map(|()| taken))
    }

    /// The edits of what waits at the gate, as a new proposal: what is approved is what stands in the files.
    async fn take_edits(&self, folder: &Folder, stored: &Stored, papers: &Papers) -> Done<Option<Taken>> {
        let state = &stored.state;
        let Some((phase, _, pending)) = state.open_gate() else {
            return Ok(Ok(None));
        };
        let mut file = None;
        let mut replaced: Option<String> = None;
        let mut parts: Vec<(String, String)> = Vec::new();
        for paper in papers.0.iter().filter(|paper| paper.standing == Standing::Open) {
            let Some(there) = read(folder, state, &paper.path)? else {
                continue;
            };
            if same(&there, &paper.text) {
                continue;
            }
            file.get_or_insert_with(|| format!("{}/{}", Folder::papers_of(state), paper.path));
            match &paper.part {
                None => replaced = Some(there),
                Some(part) => parts.push((part.clone(), there)),
            }
        }
        let Some((proposal, _)) = self.store().proposal(&state.id, &pending.digest).await? else {
            return Ok(Err(Not::Said("what waits is not kept any more".to_owned())));
        };
        let (text, change) = match (replaced, parts.is_empty()) {
            (None, true) => return Ok(Ok(None)),
            (Some(_), false) => {
                let said = "both the answer's file and files below code/ were edited: put one of them back";
                return Ok(Err(Not::Said(said.to_owned())));
            }
            (Some(text), true) if pending.stage == Stage::Prompt => match instructions(&text, &proposal.artifact) {
                Ok(text) => (text, "edited its file"),
                Err(why) => return Ok(Err(Not::Problems(vec![why], file))),
            },
            (Some(text), true) => (text, "edited its file"),
            (None, false) => {
                let mut artifact = proposal.artifact.clone();
                for write in artifact["writes"].as_array_mut().into_iter().flatten() {
                    let edited = parts.iter().find(|(path, _)| write["path"] == json!(path));
                    if let Some((_, content)) = edited {
                        write["content"] = json!(content);
                    }
                }
                (artifact.to_string(), "edited its files")
            }
        };
        let taken = Taken {
            of: (phase.clone(), pending.stage),
            file: file.clone().unwrap_or_default(),
            verdict: verdict_in(&text).filter(|_| pending.stage == Stage::Response),
        };
        match self.amendment(stored, &[Amendment::Replace(text)], change).await? {
            Ok((ask, extra)) => match self.put(&state.id, ask, extra).await? {
                // Other spaces or line ends: it says the same.
                Err(Not::Refused(refusal)) if *refusal == Refusal::NoChange => Ok(Ok(None)),
                done => Ok(done.map(|()| Some(taken))),
            },
            Err(Unamended::Refused(refusal)) => Ok(Err(Not::Refused(Box::new(refusal)))),
            Err(Unamended::Problem(why, _)) => Ok(Err(Not::Problems(vec![why], file))),
            Err(Unamended::Nothing(_)) => Ok(Ok(None)),
        }
    }
}

impl Folder {
    /// Which prompt an answer is for by the file that it stands in, where that is one of the workflows' papers.
    fn aimed_by(&self, file: &Path, aim: &Aim, (state, papers): (&State, &Papers)) -> Result<Aim, Not> {
        let kept = self.root.join(STATE_FOLDER).canonicalize();
        let path = file.canonicalize();
        let (Ok(kept), Ok(path)) = (kept, path) else {
            return Ok(aim.clone());
        };
        let Some(inner) = path.strip_prefix(kept).ok().and_then(Path::to_str) else {
            return Ok(aim.clone());
        };
        let shown = file.display();
        let Some((workflow, inner)) = inner.split_once(std::path::MAIN_SEPARATOR) else {
            return Ok(aim.clone());
        };
        if workflow != state.id.as_str() {
            return Err(Not::Said(format!(
                "{shown} is a file of {workflow}, and the answer would be for {}: name the workflow that is meant",
                state.id
            )));
        }
        let awaited = papers
            .awaited()
            .find(|paper| Path::new(&paper.path) == Path::new(inner));
        match awaited.and_then(|paper| paper.phase.as_ref()) {
            Some(phase) if aim.phase.is_none() => Ok(Aim {
                phase: Some(phase.to_string()),
                prompt: aim.prompt.clone(),
            }),
            Some(_) => Ok(aim.clone()),
            None if papers.0.iter().any(|paper| Path::new(&paper.path) == Path::new(inner)) => {
                let expected: Vec<String> = papers
                    .awaited()
                    .map(|paper| format!("{}/{}", Self::papers_of(state), paper.path))
                    .collect();
                Err(Not::Said(match expected.as_slice() {
                    [] => format!("{shown} is of a prompt that is over, and no answer is waited for now"),
                    some => format!(
                        "{shown} is of a prompt that is over; the answer that is expected now belongs into {}",
                        some.join(" or ")
                    ),
                }))
            }
            None => Ok(aim.clone()),
        }
    }
}

/// What an answer calls itself, where it has a verdict.
fn verdict_in(text: &str) -> Option<ReviewVerdict> {
    serde_json::from_value(json_in(text).ok()?["verdict"].take()).ok()
}

fn read(folder: &Folder, state: &State, path: &str) -> Result<Option<String>, Trouble> {
    let path = format!("{}/{path}", Folder::papers_of(state));
    disk::read(&folder.root, &path).map_err(|error| Trouble::Never(error.to_string()))
}

/// The papers that differ from what was approved. One that is missing is written anew.
pub(super) fn changed(folder: &Folder, state: &State, papers: &Papers) -> Result<Vec<String>, Trouble> {
    let mut changed = Vec::new();
    for paper in papers.0.iter().filter(|paper| paper.standing == Standing::Locked) {
        let there = read(folder, state, &paper.path)?;
        if there.is_some_and(|there| !same(&there, &paper.text)) {
            changed.push(format!("{}/{}", Folder::papers_of(state), paper.path));
        }
    }
    Ok(changed)
}

/// The instructions of an edited prompt, where its data is as it was.
fn instructions(edited: &str, artifact: &serde_json::Value) -> Result<String, String> {
    let prompt: Prompt = serde_json::from_value(artifact.clone())
        .map_err(|error| format!("the prompt on record cannot be read: {error}"))?;
    let Some((above, below)) = edited.split_once(DATA_BELOW) else {
        return Err(format!(
            "the line `{DATA_BELOW}` is missing: put it back between the instructions and the data"
        ));
    };
    if !same(below.trim(), prompt.user.trim()) {
        return Err(format!(
            "what stands below the line `{DATA_BELOW}` was changed: only the instructions above it can be put differently"
        ));
    }
    if above.trim().is_empty() {
        return Err("the prompt has no instructions left".to_owned());
    }
    Ok(format!("{}\n", above.replace("\r\n", "\n").trim_end()))
}
