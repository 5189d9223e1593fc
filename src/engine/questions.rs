//! Questions to people: the comment that holds them, and what agents are given of the answers.

use serde::Deserialize;
use serde_json::{Value, json};

use super::effects::{Ended, Work, linked};
use super::{Engine, Trouble, topic_of};
use crate::agents::Handed;
use crate::chat::reader::quoted;
use crate::chat::say::replies as say;
use crate::github::{Comment, CommentKind, GithubError, Marker, Repo};
use crate::store::Write;
use crate::store::workflows::{CommentRole, LinkedComment, Stored, link_comment, unlink_comment};
use crate::text::clean::clean;
use crate::workflow::asking::Question;
use crate::workflow::ids::{Digest, EffectId, PhaseId, RepositoryId, WorkflowId};
use crate::workflow::state::State;

/// The schema of what a phase that asks hands over.
const ANSWERS: &str = "answers.v1";

/// A question as `questions.v1` holds it.
#[derive(Debug, Clone, Deserialize)]
struct Text {
    id: String,
    question: String,
    why: String,
    options: Vec<String>,
    default_answer: Option<String>,
}

impl Text {
    /// What is taken for the answer where people skipped the question.
    fn assumption(&self) -> String {
        match self.default_answer.as_deref().map(str::trim) {
            Some(default) if !default.is_empty() => default.to_owned(),
            _ => "what is usual, said in the solution".to_owned(),
        }
    }
}

/// What the marker of the comment of a phase's questions is made of.
pub(super) fn questions_mark(workflow: &WorkflowId, phase: &PhaseId) -> EffectId {
    EffectId::from(format!("{workflow}:questions:{phase}"))
}

impl Engine {
    /// Writes the one comment of a phase's questions, or brings it up to date.
    pub(super) async fn write_questions(
        &self,
        work: &Work<'_>,
        stored: &Stored,
        phase: &PhaseId,
    ) -> Result<Ended, Trouble> {
        let state = &stored.state;
        let asked = self.asked_of(state, phase).await?;
        if asked.is_empty() {
            return Ok(Ended::Dropped("nothing is asked"));
        }
        let people = self.people_asked(&work.repo, state).await?;
        let views: Vec<say::Asked<'_>> = asked.iter().map(|(question, text)| view(question, text)).collect();
        // One for all writes of the comment, so that a first post in doubt is found.
        let marker = Marker::of(&questions_mark(&state.id, phase));
        let body = marker.append_to(&say::questions(&people, state, phase, &views));
        let failed = |error: &GithubError| self.failed(error, work.effect);
        let known = self.questions_comment(state, phase).await?;
        let mut extra = Write::new();
        let topic = topic_of(state)?;
        let thread = work.repo.thread(topic);
        if let Some((comment, url)) = &known {
            match thread
                .rewrite(&topic.comment(comment.id, &comment.node_id), &body)
                .await
            {
                Ok(_) => return Ok(Ended::done(url.clone())),
                // Somebody deleted it: it is posted anew.
                Err(GithubError::NotFound(_) | GithubError::Gone(_)) => {
                    extra.push(unlink_comment(state, comment.id));
                }
                Err(error) => return Err(failed(&error)),
            }
        }
        let mut found = None;
        if work.effect.doubt && known.is_none() {
            let bot = self.bot(work.effect.installation).await?;
            let posted = thread.find(&marker, bot.id, work.sought_since()).await;
            found = posted.map_err(|error| failed(&error))?.into_iter().next();
        }
        let posted = match found {
            Some(posted) => {
                let edited = thread.rewrite(&posted.at(), &body).await;
                edited.map_err(|error| failed(&error))?;
                posted
            }
            None => {
                let created = thread.post(&body).await;
                created.map_err(|error| failed(&error))?
            }
        };
        let detail = format!("{phase} {}", posted.html_url);
        extra.push(link_comment(state, &linked(&posted, &detail), CommentRole::Questions));
        Ok(Ended::Done {
            result: posted.html_url,
            extra,
        })
    }

    pub(super) async fn questions_comment(
        &self,
        state: &State,
        phase: &PhaseId,
    ) -> Result<Option<(LinkedComment, String)>, Trouble> {
        let all = self.store().comments_of(&state.id, CommentRole::Questions).await?;
        Ok(all.into_iter().find_map(|comment| {
            let (of, url) = comment.detail.split_once(' ')?;
            let url = url.to_owned();
            (of == phase.as_str()).then_some((comment, url))
        }))
    }

    /// The numbers of the questions, open or not, that a comment on this subject quotes and answers, with the answer.
    /// Nothing where nobody is asked or none is quoted.
    pub(super) async fn answered_by_quote(
        &self,
        repository: RepositoryId,
        comment: &Comment,
    ) -> Result<Option<(Vec<u32>, String)>, Trouble> {
        let in_conversation = matches!(comment.kind, CommentKind::Issue | CommentKind::Discussion);
        let Some(quote) = quoted(&comment.body).filter(|_| in_conversation) else {
            return Ok(None);
        };
        let open = self.store().open_workflow(repository, comment.subject.number).await?;
        let Some(stored) = open else { return Ok(None) };
        let Some(phase) = stored.state.asking() else {
            return Ok(None);
        };
        let asked = self.asked_of(&stored.state, phase).await?;
        let numbers = quote.of(asked.iter().map(|(_, text)| text.question.as_str()));
        Ok((!numbers.is_empty()).then_some((numbers, quote.text)))
    }

    /// What is to be said of questions that a phase proposed and its cap left no room for.
    pub(super) async fn questions_dropped(&self, state: &State) -> Result<Option<String>, Trouble> {
        let Some(phase) = state.asking().and_then(|phase| state.definition.phase(phase)) else {
            return Ok(None);
        };
        let at = state.at(&phase.id);
        let Some(pending) = &at.pending else { return Ok(None) };
        let Some((proposal, _)) = self.store().proposal(&state.id, &pending.digest).await? else {
            return Ok(None);
        };
        let asked = at
            .questions
            .iter()
            .filter(|question| question.of == pending.digest)
            .count();
        let dropped = (proposal.questions() as usize).saturating_sub(asked);
        Ok((dropped > 0).then(|| say::questions_dropped(dropped, phase.limits.questions)))
    }

    /// Where a phase's questions stand.
    pub(super) async fn questions_url(&self, state: &State, phase: &PhaseId) -> Result<Option<String>, Trouble> {
        Ok(self.questions_comment(state, phase).await?.map(|(_, url)| url))
    }

    /// Whose answers are waited for: whoever opened the subject or is assigned to it.
    pub(super) async fn people_asked(&self, repo: &Repo, state: &State) -> Result<Vec<String>, Trouble> {
        let issue = self.subject(repo, topic_of(state)?).await?;
        let mut people = Vec::new();
        for account in std::iter::once(issue.author).chain(issue.assignees) {
            if account.kind == crate::github::AccountKind::User && !people.contains(&account.login) {
                people.push(account.login);
            }
        }
        Ok(people)
    }

    /// The questions of a phase with their texts, in the order of their numbers.
    async fn asked_of<'s>(&self, state: &'s State, phase: &PhaseId) -> Result<Vec<(&'s Question, Text)>, Trouble> {
        let mut asked = Vec::new();
        let mut last: Option<(Digest, Value)> = None;
        for question in &state.at(phase).questions {
            if last.as_ref().is_none_or(|(digest, _)| *digest != question.of) {
                let kept = self.store().proposal(&state.id, &question.of).await?;
                let (proposal, _) =
                    kept.ok_or_else(|| Trouble::Never("its questions are not kept any more".to_owned()))?;
                last = Some((question.of, proposal.artifact));
            }
            let text = last
                .as_ref()
                .map(|(_, artifact)| &artifact["questions"][question.item as usize]);
            let text = text.cloned().unwrap_or_default();
            let text = serde_json::from_value(text)
                .map_err(|error| Trouble::Never(format!("a question cannot be read: {error}")))?;
            asked.push((question, text));
        }
        Ok(asked)
    }

    /// What was assumed in rounds of questions, each thing once; nothing where none of them is kept.
    async fn assumed_in(&self, state: &State, rounds: &[Digest]) -> Result<Option<Vec<String>>, Trouble> {
        let mut assumed: Option<Vec<String>> = None;
        for round in rounds {
            let Some((proposal, _)) = self.store().proposal(&state.id, round).await? else {
                continue;
            };
            let own = Vec::<String>::deserialize(&proposal.artifact["assumptions"]).unwrap_or_default();
            let assumed = assumed.get_or_insert_default();
            for assumption in own {
                if !assumed.contains(&assumption) {
                    assumed.push(assumption);
                }
            }
        }
        Ok(assumed)
    }

    /// What a phase that asks knows: the questions with their answers, and what is assumed in place of the rest.
    /// Nothing before it asked or completed.
    pub(super) async fn answers(&self, state: &State, phase: &PhaseId) -> Result<Option<Handed>, Trouble> {
        let at = state.at(phase);
        let last = at.output.or(at.pending.as_ref().map(|pending| pending.digest));
        let mut rounds: Vec<Digest> = at.questions.iter().map(|question| question.of).collect();
        rounds.extend(last);
        rounds.dedup();
        let own = self.assumed_in(state, &rounds).await?;
        if own.is_none() && at.questions.is_empty() {
            return Ok(None);
        }
        let mut questions = Vec::new();
        let mut assumptions: Vec<String> = Vec::new();
        for (question, text) in self.asked_of(state, phase).await? {
            let answer = question.reply.as_ref().filter(|reply| !reply.skipped);
            if question.reply.is_some() && answer.is_none() {
                assumptions.push(format!("{}: {}", text.question, text.assumption()));
            }
            questions.push(json!({
                "id": text.id,
                "question": text.question,
                "answer": answer.map(|reply| clean(reply.text.as_str())),
                "answered_by": answer.map(|reply| reply.by.login.clone()),
                "skipped": question.reply.as_ref().is_some_and(|reply| reply.skipped),
            }));
        }
        assumptions.extend(own.unwrap_or_default());
        Ok(Some(Handed {
            phase: phase.as_str().to_owned(),
            iteration: at.iteration,
            schema: ANSWERS.to_owned(),
            artifact: json!({ "questions": questions, "assumptions": assumptions }),
        }))
    }
}

fn view<'q>(question: &'q Question, text: &Text) -> say::Asked<'q> {
    say::Asked {
        question: text.question.clone(),
        why: text.why.clone(),
        options: text.options.clone(),
        assumed: Some(text.assumption()),
        reply: question.reply.as_ref(),
    }
}

/// For people: what an agent was told to assume.
pub(super) fn assumed(handed: &Handed) -> Vec<String> {
    let assumptions = match handed.schema.as_str() {
        ANSWERS => handed.artifact["assumptions"].as_array().cloned().unwrap_or_default(),
        _ => Vec::new(),
    };
    let texts = assumptions.iter().filter_map(Value::as_str);
    texts
        .map(|text| format!("Assumed, because nobody said: {text}"))
        .collect()
}
