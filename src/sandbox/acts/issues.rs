//! Issues: opening, changing, closing, locking, deleting, moving.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::BODY_LIMIT;
use crate::sandbox::ids::*;
use crate::sandbox::model::*;
use crate::sandbox::refusal::Refusal;
use crate::sandbox::render::Dialect;
use crate::sandbox::render::discussions::discussion;
use crate::sandbox::render::pulls::{Detail, pull};
use crate::sandbox::render::repos::{repository, user};

/// An issue as somebody wants to open it.
#[derive(Debug, Clone, Default)]
pub struct NewIssue {
    pub title: String,
    pub body: String,
    pub labels: Vec<String>,
    pub assignees: Vec<String>,
}

/// How an issue's state is to change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateChange {
    Close { reason: &'static str },
    Reopen,
}

const TITLE_LIMIT: usize = 256;

fn check_title(title: &str) -> Result<(), Refusal> {
    if title.trim().is_empty() {
        return Err(Refusal::field("Issue", "title", "missing_field"));
    }
    if title.chars().count() > TITLE_LIMIT {
        return Err(Refusal::custom(
            "Issue",
            "title",
            "title is too long (maximum is 256 characters)",
        ));
    }
    Ok(())
}

fn check_body(body: &str) -> Result<(), Refusal> {
    if body.chars().count() > BODY_LIMIT {
        return Err(Refusal::custom(
            "Issue",
            "body",
            "body is too long (maximum is 65536 characters)",
        ));
    }
    Ok(())
}

impl World {
    /// Sends `issues`, `pull_request` or `discussion`, whichever the thing is, with the same action.
    pub fn emit_issue(&mut self, id: IssueId, action: &str, sender: AccountId, more: Value) {
        let Some(issue) = self.issues.get(&id) else { return };
        let Some(repo) = self.repos.get(&issue.repo) else {
            return;
        };
        let repo_id = repo.id;
        let (event, mut payload) = match &issue.sort {
            Sort::Issue => (
                "issues",
                json!({ "issue": crate::sandbox::render::issues::issue(self, repo, issue, Dialect::Webhook) }),
            ),
            Sort::Discussion => ("discussion", json!({ "discussion": discussion(self, repo, issue) })),
            Sort::Pull(found) => (
                "pull_request",
                json!({ "number": issue.number, "pull_request": pull(self, repo, issue, found, Detail::Full) }),
            ),
        };
        crate::sandbox::render::repos::extend(&mut payload, more);
        self.emit(repo_id, event, Some(action), sender, payload);
    }

    /// Opens an issue. Labels that the repository lacks are made; who may not be assigned is a 422.
    pub fn open_issue(&mut self, actor: Actor, repo: RepoId, new: &NewIssue) -> Result<IssueId, Refusal> {
        self.writable_repo(repo)?;
        self.must(actor, repo, Level::Read, "open an issue")?;
        check_title(&new.title)?;
        check_body(&new.body)?;
        let assignees = self.assignable(repo, &new.assignees)?;
        let mut labels: Vec<LabelId> = Vec::new();
        if self.may_triage(actor, repo) {
            for name in &new.labels {
                let id = self.label_for(repo, name)?;
                if !labels.contains(&id) {
                    labels.push(id);
                }
            }
        }
        let id = self.insert_issue(actor, repo, &new.title, &new.body, Sort::Issue);
        let assignees = if self.may_triage(actor, repo) {
            assignees
        } else {
            Vec::new()
        };
        if let Some(issue) = self.issues.get_mut(&id) {
            issue.labels.clone_from(&labels);
            issue.assignees.clone_from(&assignees);
        }
        for label in &labels {
            self.remember_label(id, actor, *label);
        }
        for who in &assignees {
            self.remember(id, actor, Happened::Assigned(*who));
        }
        self.emit_issue(id, "opened", actor.account, json!({}));
        for label in labels {
            self.emit_label(id, "labeled", actor.account, label);
        }
        for who in assignees {
            let assignee = user(self, who);
            self.emit_issue(id, "assigned", actor.account, json!({ "assignee": assignee }));
        }
        Ok(id)
    }

    /// Puts an issue into the world without a word to anybody.
    pub fn insert_issue(&mut self, actor: Actor, repo: RepoId, title: &str, body: &str, sort: Sort) -> IssueId {
        let id = IssueId(match sort {
            Sort::Discussion => self.counters.next("discussion", 9_100_001),
            Sort::Issue | Sort::Pull(_) => self.counters.next("issue", 2_900_000_001),
        });
        let now = self.now();
        let number = match self.repos.get_mut(&repo) {
            Some(repo) => {
                repo.last_number += 1;
                repo.last_number
            }
            None => 0,
        };
        let issue = Issue {
            id,
            repo,
            number: IssueNumber(number),
            title: title.to_owned(),
            text: Text::new(body),
            author: actor.account,
            means: actor.means,
            state: State::Open { reason: None },
            lock: Lock::Unlocked,
            labels: Vec::new(),
            assignees: Vec::new(),
            created_at: now,
            updated_at: now,
            fate: Fate::Present,
            parent: None,
            children: Vec::new(),
            blocked_by: Vec::new(),
            reactions: Vec::new(),
            history: Vec::new(),
            sort,
        };
        self.issues.insert(id, issue);
        id
    }

    fn may_triage(&self, actor: Actor, repo: RepoId) -> bool {
        self.must(actor, repo, Level::Triage, "do this").is_ok()
    }

    /// The author of an issue, and who may triage, may change it.
    fn must_own(&self, actor: Actor, id: IssueId, level: Level, what: &str) -> Result<(), Refusal> {
        let issue = self.live_issue(id)?;
        self.writable_repo(issue.repo)?;
        if issue.author == actor.account {
            Ok(())
        } else {
            self.must(actor, issue.repo, level, what)
        }
    }

    /// The accounts behind logins, or 422 for the first that cannot be assigned.
    pub fn assignable(&self, repo: RepoId, logins: &[String]) -> Result<Vec<AccountId>, Refusal> {
        let found = self.live_repo(repo)?;
        let mut ids = Vec::new();
        for login in logins {
            let account = self
                .account_named(login)
                .filter(|account| self.can_be_assigned(found, account));
            let account = account.ok_or_else(|| {
                Refusal::invalid(
                    json!({ "resource": "Issue", "field": "assignees", "code": "invalid", "value": login }),
                )
            })?;
            if !ids.contains(&account.id) {
                ids.push(account.id);
            }
        }
        Ok(ids)
    }

    /// People with a role of their own, members and the owner can be assigned.
    pub fn can_be_assigned(&self, repo: &Repo, account: &Account) -> bool {
        account.kind == AccountKind::User
            && (repo.role(account.id).effective() >= Level::Read || self.members.contains(&(repo.owner, account.id)))
    }

    /// Changes title, text or both; what stays the same causes nothing.
    pub fn edit_issue(
        &mut self,
        actor: Actor,
        id: IssueId,
        title: Option<&str>,
        body: Option<&str>,
    ) -> Result<(), Refusal> {
        self.must_own(actor, id, Level::Write, "edit this issue")?;
        if let Some(title) = title {
            check_title(title)?;
        }
        if let Some(body) = body {
            check_body(body)?;
        }
        let now = self.now();
        let issue = self.live_issue_mut(id)?;
        let mut changes = json!({});
        let old_title = issue.title.clone();
        if let Some(title) = title.filter(|title| *title != old_title) {
            crate::sandbox::render::repos::extend(&mut changes, json!({ "title": { "from": old_title } }));
            title.clone_into(&mut issue.title);
        }
        if let Some(body) = body.filter(|body| *body != issue.text.body) {
            crate::sandbox::render::repos::extend(&mut changes, json!({ "body": { "from": issue.text.body } }));
            issue.text = Text {
                body: body.to_owned(),
                edited: Some(Edit {
                    at: now,
                    by: actor.account,
                }),
            };
            issue.updated_at = now;
        }
        let new_title = issue.title.clone();
        if changes.as_object().is_some_and(serde_json::Map::is_empty) {
            return Ok(());
        }
        if new_title != old_title {
            self.remember(
                id,
                actor,
                Happened::Renamed {
                    from: old_title,
                    to: new_title,
                },
            );
        }
        self.emit_issue(id, "edited", actor.account, json!({ "changes": changes }));
        Ok(())
    }

    /// Closes or reopens; doing what is done already changes nothing.
    pub fn set_state(&mut self, actor: Actor, id: IssueId, change: StateChange) -> Result<(), Refusal> {
        self.must_own(actor, id, Level::Triage, "close or reopen this issue")?;
        let now = self.now();
        let issue = self.live_issue_mut(id)?;
        match (change, issue.is_open()) {
            (StateChange::Close { reason }, true) => {
                issue.state = State::Closed {
                    reason: reason.to_owned(),
                    at: now,
                    by: actor.account,
                };
                self.remember(id, actor, Happened::Closed);
                self.emit_issue(id, "closed", actor.account, json!({}));
            }
            (StateChange::Reopen, false) => {
                issue.state = State::Open {
                    reason: Some("reopened"),
                };
                self.remember(id, actor, Happened::Reopened);
                self.emit_issue(id, "reopened", actor.account, json!({}));
            }
            (StateChange::Close { .. }, false) | (StateChange::Reopen, true) => {}
        }
        Ok(())
    }

    /// Makes exactly these people the assignees.
    pub fn set_assignees(&mut self, actor: Actor, id: IssueId, logins: &[String]) -> Result<(), Refusal> {
        let repo = self.live_issue(id)?.repo;
        self.writable_repo(repo)?;
        self.must(actor, repo, Level::Triage, "assign people")?;
        let wanted = self.assignable(repo, logins)?;
        let present = self.live_issue(id)?.assignees.clone();
        self.live_issue_mut(id)?.assignees.clone_from(&wanted);
        for who in wanted.iter().filter(|who| !present.contains(who)) {
            self.remember(id, actor, Happened::Assigned(*who));
            let assignee = user(self, *who);
            self.emit_issue(id, "assigned", actor.account, json!({ "assignee": assignee }));
        }
        for who in present.iter().filter(|who| !wanted.contains(who)) {
            self.remember(id, actor, Happened::Unassigned(*who));
            let assignee = user(self, *who);
            self.emit_issue(id, "unassigned", actor.account, json!({ "assignee": assignee }));
        }
        Ok(())
    }

    /// Locks the conversation, or unlocks it.
    pub fn set_lock(&mut self, actor: Actor, id: IssueId, lock: Lock) -> Result<(), Refusal> {
        let repo = self.live_issue(id)?.repo;
        self.writable_repo(repo)?;
        self.must(actor, repo, Level::Write, "lock this conversation")?;
        let issue = self.live_issue_mut(id)?;
        if issue.lock == lock {
            return Ok(());
        }
        issue.lock = lock;
        match lock {
            Lock::Locked(reason) => {
                self.remember(id, actor, Happened::Locked(reason));
                self.emit_issue(id, "locked", actor.account, json!({}));
            }
            Lock::Unlocked => {
                self.remember(id, actor, Happened::Unlocked);
                self.emit_issue(id, "unlocked", actor.account, json!({}));
            }
        }
        Ok(())
    }

    /// Starts a discussion. Its history is nowhere to be read: GitHub's API has none.
    pub fn start_discussion(
        &mut self,
        actor: Actor,
        repo: RepoId,
        title: &str,
        body: &str,
    ) -> Result<IssueId, Refusal> {
        self.writable_repo(repo)?;
        self.must(actor, repo, Level::Read, "start a discussion")?;
        check_title(title)?;
        check_body(body)?;
        let id = self.insert_issue(actor, repo, title, body, Sort::Discussion);
        self.emit_issue(id, "created", actor.account, json!({}));
        Ok(id)
    }

    /// Deletes an issue or a discussion for good, which GitHub lets only admins do, and nobody for a pull request.
    pub fn delete_issue(&mut self, actor: Actor, id: IssueId) -> Result<(), Refusal> {
        let issue = self.live_issue(id)?;
        if issue.pull().is_some() {
            return Err(Refusal::forbidden("Pull requests cannot be deleted."));
        }
        self.must(actor, issue.repo, Level::Admin, "delete an issue")?;
        self.emit_issue(id, "deleted", actor.account, json!({}));
        self.live_issue_mut(id)?.fate = Fate::Deleted;
        Ok(())
    }

    /// Moves an issue to another repository of the same owner, where it gets a new id and number. Comments move with
    /// it and get new ids; labels and assignees stay only where the other repository knows them.
    pub fn transfer_issue(&mut self, actor: Actor, id: IssueId, to: RepoId) -> Result<IssueId, Refusal> {
        let old = self.live_issue(id)?.clone();
        self.must(actor, old.repo, Level::Write, "transfer this issue")?;
        self.must(actor, to, Level::Write, "transfer an issue there")?;
        if self.live_repo(old.repo)?.owner != self.live_repo(to)?.owner || old.pull().is_some() {
            return Err(Refusal::forbidden(
                "Issues move only between repositories of one owner.",
            ));
        }
        let new_id = self.insert_issue(
            Actor {
                account: old.author,
                means: old.means,
            },
            to,
            &old.title,
            &old.text.body,
            old.sort.clone(),
        );
        let names: Vec<String> = self.label_names(&old);
        let labels = names
            .iter()
            .filter_map(|name| self.repos.get(&to)?.label_named(name).map(|label| label.id));
        let labels: Vec<LabelId> = labels.collect();
        let moved: Vec<CommentId> = self.comments_of(id).map(|comment| comment.id).collect();
        let mut renumbered = BTreeMap::new();
        for comment in moved {
            let fresh = self.next_comment_id(old.is_discussion());
            if let Some(mut copy) = self.comments.get(&comment).cloned() {
                copy.id = fresh;
                copy.issue = new_id;
                if let Place::Reply(to) = copy.place {
                    copy.place = Place::Reply(renumbered.get(&to).copied().unwrap_or(to));
                }
                renumbered.insert(comment, fresh);
                self.comments.insert(fresh, copy);
            }
        }
        if let Some(issue) = self.issues.get_mut(&new_id) {
            issue.labels = labels;
            issue.state = old.state.clone();
            issue.created_at = old.created_at;
            issue.text = old.text.clone();
        }
        self.remember(new_id, actor, Happened::Transferred);
        let shape = |world: &World, id: IssueId| {
            let issue = world.issues.get(&id)?;
            let repo = world.repos.get(&issue.repo)?;
            let as_json = match issue.sort {
                Sort::Discussion => discussion(world, repo, issue),
                Sort::Issue | Sort::Pull(_) => {
                    crate::sandbox::render::issues::issue(world, repo, issue, Dialect::Webhook)
                }
            };
            Some((as_json, repository(world, repo)))
        };
        let name = if old.is_discussion() { "discussion" } else { "issue" };
        let (new_issue, new_repository) = shape(self, new_id).ok_or_else(Refusal::not_found)?;
        let (old_issue, old_repository) = shape(self, id).ok_or_else(Refusal::not_found)?;
        self.emit_issue(
            id,
            "transferred",
            actor.account,
            json!({ "changes": { (format!("new_{name}")): new_issue, "new_repository": new_repository } }),
        );
        if let Some(issue) = self.issues.get_mut(&id) {
            issue.fate = Fate::TransferredTo(new_id);
        }
        let changes = json!({ "changes": { "old_issue": old_issue, "old_repository": old_repository } });
        match old.is_discussion() {
            true => self.emit_issue(new_id, "created", actor.account, json!({})),
            false => self.emit_issue(new_id, "opened", actor.account, changes),
        }
        Ok(new_id)
    }

    /// The names of an issue's labels.
    pub fn label_names(&self, issue: &Issue) -> Vec<String> {
        let Some(repo) = self.repos.get(&issue.repo) else {
            return Vec::new();
        };
        let label = |id: &LabelId| repo.labels.iter().find(|label| label.id == *id);
        issue
            .labels
            .iter()
            .filter_map(label)
            .map(|label| label.name.clone())
            .collect()
    }
}
