//! Facts for agents: the discussion as it stood when somebody asked, and what earlier workflows made of it.

use std::collections::{BTreeMap, BTreeSet};

use super::readers::Readers;
use super::{Engine, Trouble, topic_of};
use crate::agents::extract::Tasks;
use crate::agents::tickets::issue_key;
use crate::agents::{Earlier, Entry, LeftOut, Limits, Mailing, OpenedTask, Thread};
use crate::chat::say::replies as say;
use crate::config::RepositoryConfig;
use crate::github::{EditTimesUnavailable, EventKind, Issue, Parsed, Repo, ThreadComment, TopicKind, parse};
use crate::store::workflows::Stored;
use crate::workflow::ids::PhaseId;
use crate::workflow::labels::is_spoken;
use crate::workflow::right::Right;
use crate::workflow::state::{ActOutcome, State, Timestamp};

/// How many people of a repository are asked for as possible assignees.
const ASSIGNABLE: usize = 500;

/// How many changes of a title are read.
const RENAMINGS: usize = 1000;

/// How many comments are listed beyond the limit, for those that do not count: the bot's own, and what was written
/// after somebody asked.
const BESIDE: usize = 100;

impl Engine {
    /// Reads a subject's discussion. Text that is newer than the moment at which somebody asked, was edited after it, or
    /// is by somebody who is not read, is left out and named.
    pub(super) async fn gather_thread(
        &self,
        repo: &Repo,
        stored: &Stored,
        phase: &PhaseId,
        config: &RepositoryConfig,
        readers: Readers,
    ) -> Result<Thread, Trouble> {
        let state = &stored.state;
        let (topic, until) = (topic_of(state)?, state.heard_at);
        let cap = usize::try_from(config.limits.comments).unwrap_or(usize::MAX);
        let issue = self.subject(repo, topic).await?;
        let listing = repo.thread(topic).said(cap.saturating_add(BESIDE)).await;
        let mut listing = listing.map_err(|error| self.trouble(&error, 1))?;
        let bot = self.bot(stored.installation).await?.id;
        let counts = |comment: &ThreadComment| comment.author.id != bot && comment.created_at <= until;
        listing.items.retain(counts);
        let heard = self.heard(repo, config, issue.author.id, readers).await?;
        let mut heard = heard.and_what_was_approved(state.parent.as_ref().map(|_| bot));
        let mut left_out = Vec::new();
        let opener = self.unread(repo, &mut heard, &issue.author).await?;
        let mut read = Vec::new();
        for comment in std::mem::take(&mut listing.items) {
            match self.unread(repo, &mut heard, &comment.author).await? {
                Some(why) => left_out.push(unread(&comment.author.login, &comment.html_url, &why)),
                None => read.push(comment),
            }
        }
        listing.items = read;
        let beyond = listing.items.len().saturating_sub(cap);
        listing.items.truncate(cap);
        let beyond = listing
            .left_out
            .saturating_add(u64::try_from(beyond).unwrap_or(u64::MAX));
        let mut notes = Vec::new();
        let edits = self
            .edits(repo, stored, &issue.node_id, &listing.items, &mut notes)
            .await?;
        let newer = |node: &str| edits.get(node).is_some_and(|edited| *edited > until);
        let mut entries = Vec::new();
        if let Some(why) = opener {
            left_out.push(unread(&issue.author.login, &issue.html_url, &why));
        } else if newer(&issue.node_id) {
            left_out.push(unread(
                &issue.author.login,
                &issue.html_url,
                "it was edited after somebody asked",
            ));
        } else {
            entries.push(Entry {
                comment_id: 0,
                author: issue.author.login.clone(),
                url: issue.html_url.clone(),
                created_at: issue.created_at.unwrap_or(until),
                text: issue.body.clone(),
            });
        }
        for comment in &listing.items {
            if newer(&comment.node_id) {
                left_out.push(unread(
                    &comment.author.login,
                    &comment.html_url,
                    "it was edited after somebody asked",
                ));
                continue;
            }
            entries.push(entry(comment));
        }
        if beyond > 0 {
            let comments = if beyond == 1 { "comment was" } else { "comments were" };
            notes.push(format!(
                "{beyond} {comments} not read: `limits.comments` is {}.",
                config.limits.comments
            ));
        }
        let mut participants: BTreeSet<String> = entries.iter().map(|entry| entry.author.clone()).collect();
        participants.extend(issue.assignees.iter().map(|assignee| assignee.login.clone()));
        let assignable = match repo.people_with(Right::Read, ASSIGNABLE).await {
            Ok(people) => Some(people),
            Err(error) if error.is_transient() => return Err(self.trouble(&error, 1)),
            // GitHub does not list them to us: whom it does not take as assignee is dropped later, with a word.
            Err(_) => None,
        };
        let mut labels = repo.labels().await.map_err(|error| self.trouble(&error, 1))?;
        // Those that command the bot are for people to set, and those that mirror where this stands for itself.
        let mirrors = state.definition.labels();
        labels.retain(|label| !is_spoken(label) && !mirrors.contains_key(label.as_str()));
        let info = repo.repository().await.map_err(|error| self.trouble(&error, 1))?;
        let thread = Thread {
            repository: info.reference.full_name(),
            kind: state.subject.kind,
            number: topic.number.0,
            title: self.title_at(repo, &issue, until).await?,
            url: issue.html_url,
            private: info.reference.private,
            entries,
            left_out,
            participants: participants.into_iter().collect(),
            assignable: assignable.map(|people| people.into_iter().map(|account| account.login).collect()),
            labels,
            today: self.now().date_naive(),
            earlier: self.earlier(state).await?,
            steer: steer(state, phase),
            limits: Limits {
                tasks: usize::try_from(config.limits.tasks).unwrap_or(usize::MAX),
            },
            notes,
        };
        Ok(thread)
    }

    /// The title as it stood when somebody asked: what it was changed into since is not read.
    async fn title_at(&self, repo: &Repo, issue: &Issue, until: Timestamp) -> Result<String, Trouble> {
        let untouched = issue.updated_at.is_some_and(|updated| updated <= until);
        if untouched {
            return Ok(issue.title.clone());
        }
        if issue.kind == TopicKind::Discussion {
            return self.title_told(repo, issue, until).await;
        }
        let renamed = repo.renamings(issue.number, RENAMINGS).await;
        let renamed = renamed.map_err(|error| self.trouble(&error, 1))?;
        let first = renamed.items.into_iter().find(|renaming| renaming.at > until);
        Ok(first.map_or_else(|| issue.title.clone(), |renaming| renaming.from))
    }

    /// The same of a discussion: GitHub has no list of its renamings, so the `edited` deliveries that were stored tell it.
    async fn title_told(&self, repo: &Repo, issue: &Issue, until: Timestamp) -> Result<String, Trouble> {
        let edits = self.store().edits_seen(repo.reference().id, issue.number).await?;
        let renamed = edits.iter().find_map(|body| match parse("discussion", body) {
            Parsed::Event(event) => match event.kind {
                EventKind::SubjectEdited {
                    subject,
                    title_before: Some(before),
                    ..
                } if subject.updated_at.is_some_and(|at| at > until) => Some(before),
                _ => None,
            },
            Parsed::Ignored(_) | Parsed::Broken(_) => None,
        });
        Ok(renamed.unwrap_or_else(|| issue.title.clone()))
    }

    /// When texts were last edited, by node id. GitHub's `updated_at` moves for other reasons, so GraphQL is asked;
    /// where there is none, the `edited` deliveries that were stored tell it.
    async fn edits(
        &self,
        repo: &Repo,
        stored: &Stored,
        issue: &str,
        comments: &[ThreadComment],
        notes: &mut Vec<String>,
    ) -> Result<BTreeMap<String, Timestamp>, Trouble> {
        let nodes: Vec<String> = std::iter::once(issue.to_owned())
            .chain(comments.iter().map(|comment| comment.node_id.clone()))
            .filter(|node| !node.is_empty())
            .collect();
        match repo.edit_times(&nodes).await {
            Ok(times) => Ok(times
                .into_iter()
                .filter_map(|(node, time)| Some((node, time.last_edited_at?)))
                .collect()),
            Err(EditTimesUnavailable::NotOffered) => {
                notes.push("Edit times cannot be asked of this GitHub; the edits that I was told of count.".to_owned());
                let subject = &stored.state.subject;
                let bodies = self.store().edits_seen(subject.repository, subject.number).await?;
                Ok(bodies.iter().filter_map(|body| edit_in(body)).collect())
            }
            Err(EditTimesUnavailable::Failed(error)) => Err(self.trouble(&error, 1)),
        }
    }

    /// What earlier workflows of the same subject opened, by comment and quote.
    async fn earlier(&self, state: &State) -> Result<Vec<Earlier>, Trouble> {
        let subject = &state.subject;
        let mut earlier = Vec::new();
        for stored in self.store().workflows_of(subject.repository, subject.number).await? {
            if stored.state.id == state.id {
                continue;
            }
            for (tasks, opened) in self.opened_by(&stored.state).await? {
                for task in &tasks.tasks {
                    let Some(ActOutcome::IssueOpened { url, title, .. }) = opened.outcomes.get(&issue_key(&task.key))
                    else {
                        continue;
                    };
                    let opened = |comment_id, quote: &str| Earlier {
                        comment_id,
                        quote: quote.to_owned(),
                        issue_url: url.clone(),
                        title: title.clone(),
                    };
                    earlier.extend(
                        task.sources
                            .iter()
                            .map(|source| opened(source.comment_id, &source.quote)),
                    );
                    // A task that a person added quotes nobody; its title tells it.
                    if task.sources.is_empty() {
                        earlier.push(opened(0, ""));
                    }
                }
            }
        }
        Ok(earlier)
    }

    /// The task lists that a workflow carried out, with the phase that did.
    async fn opened_by<'a>(
        &self,
        state: &'a State,
    ) -> Result<Vec<(Tasks, &'a crate::workflow::state::PhaseState)>, Trouble> {
        let mut found = Vec::new();
        for phase in &state.definition.phases {
            let Some(source) = &phase.executes else { continue };
            let Some(pending) = &state.at(source).pending else {
                continue;
            };
            let Some((proposal, _)) = self.store().proposal(&state.id, &pending.digest).await? else {
                continue;
            };
            if let Ok(tasks) = serde_json::from_value::<Tasks>(proposal.artifact) {
                found.push((tasks, state.at(&phase.id)));
            }
        }
        Ok(found)
    }

    /// What a mail is about: the issues that this workflow opened.
    pub(super) async fn gather_mailing(
        &self,
        repo: &Repo,
        stored: &Stored,
        phase: &PhaseId,
        config: &RepositoryConfig,
    ) -> Result<Mailing, Trouble> {
        let state = &stored.state;
        let issue = self.subject(repo, topic_of(state)?).await?;
        let info = repo.repository().await.map_err(|error| self.trouble(&error, 1))?;
        let mut tasks = Vec::new();
        for (list, opened) in self.opened_by(state).await? {
            for task in &list.tasks {
                if let Some(ActOutcome::IssueOpened {
                    number,
                    url,
                    title,
                    dropped,
                    ..
                }) = opened.outcomes.get(&issue_key(&task.key))
                {
                    let taken = |login: &String| !dropped.contains(&say::dropped_assignee(login));
                    tasks.push(OpenedTask {
                        key: task.key.clone(),
                        title: title.clone(),
                        number: number.0,
                        url: url.clone(),
                        assignee: task.assignee.clone().filter(taken),
                        due_date: task.due_date,
                        priority: task.priority,
                    });
                }
            }
        }
        let addresses = |list: &[crate::config::Mailbox]| list.iter().map(ToString::to_string).collect();
        Ok(Mailing {
            repository: info.reference.full_name(),
            number: state.subject.number.0,
            title: self.title_at(repo, &issue, state.heard_at).await?,
            url: issue.html_url,
            tasks,
            to: addresses(&config.mail.to),
            cc: addresses(&config.mail.cc),
            steer: steer(state, phase),
            today: self.now().date_naive(),
            private: info.reference.private,
            notes: Vec::new(),
        })
    }
}

fn steer(state: &State, phase: &PhaseId) -> Vec<String> {
    state
        .at(phase)
        .steer
        .iter()
        .map(|words| words.as_str().to_owned())
        .collect()
}

fn entry(comment: &ThreadComment) -> Entry {
    Entry {
        comment_id: comment.id.0,
        author: comment.author.login.clone(),
        url: comment.html_url.clone(),
        created_at: comment.created_at,
        text: comment.body.clone(),
    }
}

fn unread(author: &str, url: &str, why: &str) -> LeftOut {
    LeftOut {
        author: author.to_owned(),
        url: url.to_owned(),
        why: why.to_owned(),
    }
}

/// The node and the time of an edit that a stored delivery tells of.
fn edit_in(body: &[u8]) -> Option<(String, Timestamp)> {
    let read = |event| match parse(event, body) {
        Parsed::Event(event) => match event.kind {
            EventKind::CommentEdited { comment, .. } => Some((comment.node_id, comment.updated_at?)),
            EventKind::SubjectEdited { subject, .. } => Some((subject.node_id, subject.updated_at?)),
            _ => None,
        },
        _ => None,
    };
    let events = ["issue_comment", "issues", "discussion_comment", "discussion"];
    events.into_iter().find_map(read)
}
