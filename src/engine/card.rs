//! The card: the one comment of a workflow that is kept current, its pages, and whether somebody tampered with it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::change::Payload;
use super::effects::{Ended, Work, linked};
use super::{Engine, Trouble, topic_of};
use crate::agents::email::Letter;
use crate::agents::extract::{Confidence, Origin, Tasks};
use crate::chat::say::view::{
    Ahead, CardView, GateView, LeftOut, MailView, Note, PostedPages, ProposalView, Selection, Shown, Source, Spending,
    TaskView, TasksView,
};
use crate::chat::say::{self, boxes};
use crate::config::RepositoryConfig;
use crate::github::{Created, GithubError, Marker, Repo, Thread, ThreadComment};
use crate::providers::rules::FORMS;
use crate::store::workflows::{Card, CommentRole, Stored, forget_card, keep_card, link_comment, unlink_comment};
use crate::store::{StoreError, Write};
use crate::workflow::act::{ActKey, Deed};
use crate::workflow::artifact::Proposal;
use crate::workflow::command::Report;
use crate::workflow::ids::{Digest, EffectId, PhaseId, WorkflowId};
use crate::workflow::plan::Intent;
use crate::workflow::right::Right;
use crate::workflow::state::{Maker, PhaseStatus, State};

/// What stands beside a proposal on the card and is not covered by its digest.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub(super) struct Beside {
    /// What was not read, dropped or changed when it was made; stays when people change it.
    pub(super) notes: Vec<String>,
    /// What its acts leave out.
    pub(super) planned: Vec<String>,
    /// Whether the forms that were looked for should be told.
    pub(super) forms: Forms,
    /// In a project's folder: the SHA-256 of what stood at each path when the files were shown; `None` for nothing.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) base: BTreeMap<String, Option<Digest>>,
}

/// Whether a proposal came from a grammar, whose forms people may want to know.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Forms {
    #[default]
    Unsaid,
    OfTheRules,
}

/// What a card is made of.
pub(super) struct CardParts {
    proposal: Option<ProposalView>,
    posted: Option<PostedPages>,
    asked: Vec<String>,
    gate: Option<GateView>,
    providers: BTreeMap<PhaseId, String>,
    notes: Vec<Note>,
    children: BTreeMap<WorkflowId, String>,
    spending: Option<Spending>,
    ahead: Vec<Ahead>,
    currency: String,
}

impl CardParts {
    pub(super) fn view<'a>(&'a self, state: &'a State, repository: &'a str) -> CardView<'a> {
        CardView {
            state,
            repository,
            proposal: self.proposal.as_ref(),
            pages_posted: self.posted.as_ref(),
            asked: &self.asked,
            gate: self.gate.as_ref(),
            providers: &self.providers,
            notes: &self.notes,
            children: &self.children,
            spending: self.spending.as_ref(),
            ahead: &self.ahead,
            currency: &self.currency,
        }
    }
}

/// What was found of the card on GitHub.
pub(super) enum Found {
    /// As the bot wrote it.
    Intact,
    /// The same but for its boxes, which say something else than the proposal.
    BoxesDiffer,
    /// Written by the bot itself: a write that is under way, or one that a restored database does not know.
    Ours(String),
    /// Changed: what the bot wrote, what stands there, and by whom it is, where GitHub tells.
    Changed(String, String, Option<String>),
    /// Not there any more.
    Gone,
}

impl Engine {
    /// Brings the card up to date. Writes nothing when it says what it should.
    pub(super) async fn write_card(&self, work: &Work<'_>, stored: &Stored) -> Result<Ended, Trouble> {
        let state = &stored.state;
        let (rendered, view) = self.render(work, stored).await?;
        let kept = self.store().card(&state.id).await?;
        let marker = card_marker(&state.id);
        let body = marker.append_to(&rendered.card);
        let mut extra = Write::new();
        let mut card = match &kept {
            Some(card) if card.body == body && !card.stale => card.clone(),
            _ => self.put_card(work, stored, kept.as_ref(), &body, &mut extra).await?,
        };
        card.digest = view.as_ref().map(|view| view.digest);
        extra.push(keep_card(&state.id, &card));
        let Some(view) = view else {
            return Ok(Ended::Done {
                result: card.url,
                extra,
            });
        };
        let posted = self.posted_pages(&state.id, &view.digest).await?;
        if posted.len() < rendered.pages.len() {
            for page in posted.len()..rendered.pages.len() {
                let payload = Payload::Page {
                    phase: view.phase.clone(),
                    digest: view.digest,
                    page,
                };
                let id = format!("{}:page:{}:{page}", state.id, view.digest.short());
                extra.push(self.workflow_effect(stored, id, &payload)?);
            }
            let id = format!("{}:paged:{}", state.id, view.digest.short());
            extra.push(self.workflow_effect(stored, id, &Payload::Step(Intent::Card))?);
            return Ok(Ended::Done {
                result: card.url,
                extra,
            });
        }
        let report = Report::Shown {
            phase: view.phase,
            digest: view.digest,
            at: card.written_at,
        };
        Ok(Ended::Reported {
            result: card.url,
            report,
            extra,
        })
    }

    /// Edits the card's comment, or posts it when there is none.
    async fn put_card(
        &self,
        work: &Work<'_>,
        stored: &Stored,
        kept: Option<&Card>,
        body: &str,
        extra: &mut Write,
    ) -> Result<Card, Trouble> {
        let state = &stored.state;
        let topic = topic_of(state)?;
        let thread = work.repo.thread(topic);
        let at = |card: &Card| topic.comment(card.comment, &card.node_id);
        if let Some(card) = kept {
            match thread.rewrite(&at(card), body).await {
                Ok(written_at) => {
                    return Ok(Card {
                        body: body.to_owned(),
                        written_at,
                        stale: false,
                        ..card.clone()
                    });
                }
                // Somebody deleted it: it is posted anew, unless the subject itself is gone, which the post tells.
                Err(GithubError::NotFound(_) | GithubError::Gone(_)) => {
                    extra.push(forget_card(&state.id));
                    extra.push(unlink_comment(state, card.comment));
                }
                Err(error) => return Err(self.failed(&error, work.effect)),
            }
        }
        let created = self
            .post_card(work, &thread, state, body)
            .await
            .map_err(|error| self.failed(&error, work.effect))?;
        extra.push(link_comment(state, &linked(&created, ""), CommentRole::Card));
        Ok(Card {
            comment: created.id,
            node_id: created.node_id,
            url: created.html_url,
            body: body.to_owned(),
            digest: None,
            written_at: created.created_at,
            stale: false,
        })
    }

    async fn post_card(
        &self,
        work: &Work<'_>,
        thread: &Thread<'_>,
        state: &State,
        body: &str,
    ) -> Result<Created, GithubError> {
        // A card that was deleted is in no list, so what is found is the one that an earlier attempt posted.
        if work.effect.doubt {
            let bot = self
                .bot(work.effect.installation)
                .await
                .map_err(|_| GithubError::Unreachable("the App's own account could not be asked for".to_owned()))?;
            let found = thread
                .find(&card_marker(&state.id), bot.id, work.sought_since())
                .await?;
            if let Some(first) = found.into_iter().next() {
                let written = thread.rewrite(&first.at(), body).await?;
                return Ok(Created {
                    created_at: written,
                    ..first
                });
            }
        }
        thread.post(body).await
    }

    /// Posts one page of a proposal that does not fit the card.
    pub(super) async fn post_page(
        &self,
        work: &Work<'_>,
        stored: &Stored,
        phase: &PhaseId,
        digest: &Digest,
        page: usize,
    ) -> Result<Ended, Trouble> {
        let state = &stored.state;
        let (rendered, view) = self.render(work, stored).await?;
        let shown = view.filter(|view| view.phase == *phase && view.digest == *digest);
        let (Some(_), Some(body)) = (shown, rendered.pages.get(page)) else {
            return Ok(Ended::Dropped("another proposal is shown"));
        };
        let created = self.create_once(work, topic_of(state)?, body).await;
        let created = created.map_err(|error| self.failed(&error, work.effect))?;
        let detail = format!("{digest}:{page:04}:{}", created.html_url);
        let extra = Write::of(link_comment(state, &linked(&created, &detail), CommentRole::Page));
        Ok(Ended::Done {
            result: created.html_url,
            extra,
        })
    }

    /// The pages of a proposal that stand on GitHub, in order.
    async fn posted_pages(&self, workflow: &WorkflowId, digest: &Digest) -> Result<Vec<String>, StoreError> {
        let prefix = format!("{digest}:");
        let mut details: Vec<String> = self
            .store()
            .comments_of(workflow, CommentRole::Page)
            .await?
            .into_iter()
            .filter_map(|page| page.detail.strip_prefix(&prefix).map(str::to_owned))
            .collect();
        details.sort();
        Ok(details
            .iter()
            .filter_map(|detail| detail.split_once(':'))
            .map(|(_, url)| url.to_owned())
            .collect())
    }

    async fn render(
        &self,
        work: &Work<'_>,
        stored: &Stored,
    ) -> Result<(say::card::Rendered, Option<ProposalView>), Trouble> {
        let parts = self.card_parts(&work.repo, stored).await?;
        let rendered = say::card::card(&parts.view(&stored.state, &work.full_name));
        Ok((rendered, parts.proposal))
    }

    /// What a card is made of, gathered.
    pub(super) async fn card_parts(&self, repo: &Repo, stored: &Stored) -> Result<CardParts, Trouble> {
        let state = &stored.state;
        let (proposal, beside) = self.shown_proposal(state).await?;
        let posted = match &proposal {
            Some(view) => {
                let urls = self.posted_pages(&state.id, &view.digest).await?;
                (!urls.is_empty()).then_some(PostedPages {
                    digest: view.digest,
                    urls,
                })
            }
            None => None,
        };
        let stopped = [PhaseStatus::WaitingForHuman, PhaseStatus::Error, PhaseStatus::Rejected];
        let gate = match state.open_gate() {
            Some((phase, gate, _)) if state.is_open() => {
                Some(self.gate_view(repo, state, (phase, gate), (None, gate.right)).await?)
            }
            _ => None,
        };
        let asked = match &gate {
            _ if !state.is_open() => Vec::new(),
            Some(gate) => gate.can(),
            None if state.asking().is_some() => self.people_asked(repo, state).await?,
            None if state.first_at(&stopped).is_some() => self.people_with(repo, Right::Write).await?,
            None => Vec::new(),
        };
        let said = beside.notes.into_iter().chain(beside.planned);
        let mut notes: Vec<Note> = said.map(Note::Said).collect();
        notes.extend(self.questions_dropped(state).await?.map(Note::Said));
        if beside.forms == Forms::OfTheRules {
            notes.push(Note::Forms(FORMS));
        }
        let config = self.config_shown(repo, state).await?;
        let ahead = match &config {
            Some(config) => self.ahead(state, config).await?,
            None => Vec::new(),
        };
        Ok(CardParts {
            children: self.children_wait_for(state).await?,
            spending: self.spending(config.as_ref(), state).await?,
            ahead,
            currency: self.parts().models.currency.clone(),
            proposal,
            posted,
            asked,
            gate,
            providers: providers(state),
            notes,
        })
    }

    /// The repository's configuration, as far as a card that tells of models needs it; nothing where the one in force cannot
    /// be read, which does not keep the card from being brought up to date.
    async fn config_shown(&self, repo: &Repo, state: &State) -> Result<Option<RepositoryConfig>, Trouble> {
        if self.parts().models.endpoints.is_empty() {
            return Ok(None);
        }
        let (_, known) = self.repo(state.subject.repository).await?;
        match self.settings(repo, &known).await {
            Ok(settings) => Ok(Some(settings.config)),
            Err(Trouble::Never(_)) => Ok(None),
            Err(trouble) => Err(trouble),
        }
    }

    /// The proposal that a card shows: the one at the open gate, else the last one that was made.
    async fn shown_proposal(&self, state: &State) -> Result<(Option<ProposalView>, Beside), Trouble> {
        // Questions stand in a comment of their own.
        let last = state
            .definition
            .phases
            .iter()
            .rev()
            .filter(|phase| !phase.asks || state.at(&phase.id).status == PhaseStatus::Draft)
            .map(|phase| &phase.id)
            .find(|id| state.at(id).pending.is_some());
        let Some(phase) = state.open_gate().map(|(phase, ..)| phase).or(last) else {
            return Ok((None, Beside::default()));
        };
        let Some(pending) = &state.at(phase).pending else {
            return Ok((None, Beside::default()));
        };
        let Some((proposal, beside)) = self.store().proposal(&state.id, &pending.digest).await? else {
            return Ok((None, Beside::default()));
        };
        let beside = Beside::of(beside);
        let shown = shown(&proposal).map_err(|error| Trouble::Never(format!("a proposal cannot be shown: {error}")))?;
        Ok((
            Some(ProposalView {
                phase: phase.clone(),
                digest: pending.digest,
                shown,
            }),
            beside,
        ))
    }

    /// Compares the card on GitHub with what the bot wrote last: people with write access can edit it.
    pub(super) async fn inspect_card(&self, repo: &Repo, stored: &Stored, card: &Card) -> Result<Found, Trouble> {
        let topic = topic_of(&stored.state)?;
        let at = topic.comment(card.comment, &card.node_id);
        let found = repo.thread(topic).comment(&at).await;
        Ok(match found.map_err(|error| self.trouble(&error, 1))? {
            Some(found) => self.compare_card(repo, stored, &found, card).await,
            None => Found::Gone,
        })
    }

    /// The same for a card that was read.
    pub(super) async fn compare_card(&self, repo: &Repo, stored: &Stored, found: &ThreadComment, card: &Card) -> Found {
        if same(&found.body, &card.body) {
            return Found::Intact;
        }
        if same(&boxes::without_boxes(&found.body), &boxes::without_boxes(&card.body)) {
            return Found::BoxesDiffer;
        }
        let editor = repo.edit_times(std::slice::from_ref(&found.node_id)).await.ok();
        let editor = editor
            .and_then(|mut times| times.remove(&found.node_id))
            .and_then(|time| time.editor);
        if let Some(editor) = &editor
            && let Ok(bot) = self.bot(stored.installation).await
            && editor.is_app(&bot.login)
        {
            return Found::Ours(found.body.clone());
        }
        let editor = editor.map(|editor| editor.login);
        Found::Changed(card.body.clone(), found.body.clone(), editor)
    }
}

/// The web editor sends `\r\n`; the last line's end is nobody's business.
pub(super) fn same(one: &str, other: &str) -> bool {
    one.replace("\r\n", "\n").trim_end() == other.replace("\r\n", "\n").trim_end()
}

/// One for all writes of a card, so that a first post in doubt is found.
fn card_marker(workflow: &WorkflowId) -> Marker {
    Marker::of(&card_mark(workflow))
}

/// What the marker of a card is made of.
pub(super) fn card_mark(workflow: &WorkflowId) -> EffectId {
    EffectId::from(format!("{workflow}:card"))
}

fn providers(state: &State) -> BTreeMap<PhaseId, String> {
    let made = |id: &PhaseId| match &state.at(id).pending.as_ref()?.by {
        Maker::Agent { provider } => Some(provider.clone()),
        Maker::Person(person) => Some(person.login.clone()),
    };
    state
        .phases
        .keys()
        .filter_map(|id| Some((id.clone(), made(id)?)))
        .collect()
}

/// A proposal as the card shows it.
fn shown(proposal: &Proposal) -> Result<Shown, serde_json::Error> {
    match proposal.schema.as_str() {
        "tasks.v1" => {
            serde_json::from_value(proposal.artifact.clone()).map(|tasks| Shown::Tasks(tasks_view(tasks, proposal)))
        }
        "email.v1" => mail_view(proposal).map(Shown::Mail),
        schema => Ok(Shown::Document(say::document::view(schema, &proposal.artifact))),
    }
}

fn tasks_view(tasks: Tasks, proposal: &Proposal) -> TasksView {
    let acts = &proposal.targets.acts;
    TasksView {
        new_labels: acts
            .iter()
            .filter_map(|act| match &act.deed {
                Deed::CreateLabel { name, .. } => Some(name.clone()),
                _ => None,
            })
            .collect(),
        tracking: acts.iter().find_map(|act| match &act.deed {
            Deed::OpenIssue { title, .. } if act.key == ActKey::tracking() => Some(title.clone()),
            _ => None,
        }),
        left_out: tasks
            .left_out
            .into_iter()
            .map(|omitted| LeftOut {
                what: omitted.what,
                why: omitted.why,
                url: omitted.url,
            })
            .collect(),
        questions: tasks.questions,
        tasks: tasks.tasks.into_iter().map(task_view).collect(),
    }
}

fn task_view(task: crate::agents::extract::Task) -> TaskView {
    TaskView {
        key: task.key,
        selection: if task.selected { Selection::On } else { Selection::Off },
        title: task.title,
        body: task.body,
        acceptance_criteria: task.acceptance_criteria,
        assignee: task.assignee,
        labels: task.labels,
        priority: task.priority.map(|priority| priority.to_string()),
        estimate: task.estimate.map(|estimate| estimate.to_string()),
        due: task.due_date.map(|due| due.to_string()),
        depends_on: task.depends_on,
        sources: task
            .sources
            .into_iter()
            .map(|source| Source {
                author: source.author,
                url: source.url,
                quote: source.quote,
            })
            .collect(),
        confidence: match task.confidence {
            // What everybody would take for granted needs no word.
            Confidence::High => None,
            unsure => Some(unsure.to_string()),
        },
        added_by: match task.origin {
            Origin::Agent => None,
            Origin::Person { login } => Some(login),
        },
    }
}

fn mail_view(proposal: &Proposal) -> Result<MailView, serde_json::Error> {
    let sent = proposal.targets.acts.iter().find_map(|act| match &act.deed {
        Deed::SendMail(mail) => Some(mail),
        _ => None,
    });
    Ok(match sent {
        Some(mail) => MailView {
            to: mail.to.clone(),
            cc: mail.cc.clone(),
            subject: mail.subject.clone(),
            text: mail.text.clone(),
        },
        None => {
            let letter: Letter = serde_json::from_value(proposal.artifact.clone())?;
            MailView {
                to: Vec::new(),
                cc: Vec::new(),
                subject: letter.subject,
                text: letter.intro,
            }
        }
    })
}

impl Beside {
    /// As it is kept.
    pub(super) fn value(&self) -> Value {
        serde_json::to_value(self).expect("strings are JSON")
    }

    /// As it was kept; what cannot be read is left out.
    pub(super) fn of(value: Value) -> Self {
        serde_json::from_value(value).unwrap_or_default()
    }
}
