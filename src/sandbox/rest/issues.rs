//! Issues of a repository.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{Call, Outcome, text_of, texts_of};
use crate::sandbox::acts::comments::ReactionTarget;
use crate::sandbox::acts::issues::{NewIssue, StateChange};
use crate::sandbox::answer::Answer;
use crate::sandbox::ids::*;
use crate::sandbox::model::*;
use crate::sandbox::refusal::Refusal;
use crate::sandbox::render::issues as render;
use crate::sandbox::render::{Dialect, repos};

const READS: [(&str, Access); 2] = [("issues", Access::Read), ("pull_requests", Access::Read)];
const WRITES: [(&str, Access); 2] = [("issues", Access::Write), ("pull_requests", Access::Write)];

impl Call<'_> {
    /// The operations below `/issues`, those on comments by id excepted.
    pub(super) fn issue_routes(&mut self, repo: RepoId, rest: &[&str]) -> Outcome {
        let method = self.request.method.as_str();
        let (text, below) = match rest {
            [] if method == "GET" => return self.list_issues(repo),
            [] if method == "POST" => return self.create_issue(repo),
            [] => return Err(Refusal::not_found()),
            [text, below @ ..] => (*text, below),
        };
        let id = match self.issue(repo, text)? {
            Ok(id) => id,
            Err(redirect) => return Ok(redirect),
        };
        match (method, below) {
            ("GET", []) => {
                self.need(repo, &READS)?;
                self.shown_issue(id, 200)
            }
            ("PATCH", []) => self.update_issue(repo, id),
            ("GET", ["comments"]) => self.list_comments(repo, id),
            ("POST", ["comments"]) => {
                let actor = self.need(repo, &WRITES)?;
                let body = self.request.json()?;
                let text = text_of(&body, "body")?.ok_or_else(|| Refusal::not_supplied("body"))?;
                let comment = self.world.add_comment(actor, id, text)?;
                self.shown_comment(comment, 201)
            }
            (_, ["labels", below @ ..]) => self.issue_labels(repo, id, below),
            (_, ["reactions", below @ ..]) => self.reaction_routes(repo, ReactionTarget::Issue(id), below),
            ("GET", ["events"]) => self.history(repo, id),
            ("GET", ["timeline"]) => self.timeline(repo, id),
            (_, ["sub_issues" | "sub_issue" | "parent" | "dependencies", ..]) => self.link_routes(repo, id, below),
            ("PUT", ["lock"]) => {
                let actor = self.need(repo, &WRITES)?;
                let reason = match text_of(&self.request.json()?, "lock_reason")? {
                    None => None,
                    Some("resolved") => Some("resolved"),
                    Some("off-topic") => Some("off-topic"),
                    Some("too heated") => Some("too heated"),
                    Some("spam") => Some("spam"),
                    Some(_) => return Err(Refusal::field("Issue", "lock_reason", "invalid")),
                };
                self.world.set_lock(actor, id, Lock::Locked(reason))?;
                Ok(Answer::empty(204))
            }
            ("DELETE", ["lock"]) => {
                let actor = self.need(repo, &WRITES)?;
                self.world.set_lock(actor, id, Lock::Unlocked)?;
                Ok(Answer::empty(204))
            }
            (_, ["assignees"]) => self.issue_assignees(repo, id),
            _ => Err(Refusal::not_found()),
        }
    }

    /// An issue as an answer.
    pub(super) fn shown_issue(&self, id: IssueId, status: u16) -> Outcome {
        let issue = self.world.live_issue(id)?;
        let repo = self.world.live_repo(issue.repo)?;
        let shape = render::issue(self.world, repo, issue, Dialect::Rest);
        Ok(if status == 201 {
            Answer::created(shape)
        } else {
            Answer::new(status, shape)
        })
    }

    /// The query's `since`.
    pub(super) fn since(&self) -> Result<Option<DateTime<Utc>>, Refusal> {
        let Some(text) = self.request.param("since") else {
            return Ok(None);
        };
        let parsed = DateTime::parse_from_rfc3339(text).map_err(|_| Refusal::field("Issue", "since", "invalid"))?;
        Ok(Some(parsed.with_timezone(&Utc)))
    }

    fn list_issues(&mut self, repo: RepoId) -> Outcome {
        self.need(repo, &READS)?;
        let since = self.since()?;
        let wanted_state = self.request.param("state").unwrap_or("open");
        if !["open", "closed", "all"].contains(&wanted_state) {
            return Err(Refusal::field("Issue", "state", "invalid"));
        }
        let labels: Vec<&str> = self
            .request
            .param("labels")
            .map(|text| text.split(',').map(str::trim).collect())
            .unwrap_or_default();
        let person = |name: &str| -> Result<Option<AccountId>, Refusal> {
            let Some(login) = self.request.param(name).filter(|login| *login != "*") else {
                return Ok(None);
            };
            let account = self.world.account_named(login);
            // GitHub lists an App's issues under `app/slug` too.
            let account = account.or_else(|| {
                login
                    .strip_prefix("app/")
                    .and_then(|slug| self.world.account_named(&format!("{slug}[bot]")))
            });
            account
                .map(|account| Some(account.id))
                .ok_or_else(|| Refusal::field("Issue", name, "invalid"))
        };
        let (creator, assignee) = (person("creator")?, person("assignee")?);
        let found = self.world.live_repo(repo)?;
        let mut issues: Vec<&Issue> = self
            .world
            .issues
            .values()
            .filter(|issue| issue.repo == repo && issue.is_present() && !issue.is_discussion())
            .filter(|issue| match wanted_state {
                "open" => issue.is_open(),
                "closed" => !issue.is_open(),
                _ => true,
            })
            .filter(|issue| since.is_none_or(|since| issue.updated_at >= since))
            .filter(|issue| creator.is_none_or(|creator| issue.author == creator))
            .filter(|issue| assignee.is_none_or(|assignee| issue.assignees.contains(&assignee)))
            .filter(|issue| {
                let names = self.world.label_names(issue);
                labels
                    .iter()
                    .all(|wanted| names.iter().any(|name| name.eq_ignore_ascii_case(wanted)))
            })
            .collect();
        match self.request.param("sort").unwrap_or("created") {
            "updated" => issues.sort_by_key(|issue| (issue.updated_at, issue.number)),
            "comments" => issues.sort_by_key(|issue| self.world.comments_of(issue.id).count()),
            _ => issues.sort_by_key(|issue| (issue.created_at, issue.number)),
        }
        if self.request.param("direction") != Some("asc") {
            issues.reverse();
        }
        let all = issues
            .into_iter()
            .map(|issue| render::issue(self.world, found, issue, Dialect::Rest))
            .collect();
        Ok(self.page(all))
    }

    fn create_issue(&mut self, repo: RepoId) -> Outcome {
        let actor = self.need(repo, &[("issues", Access::Write)])?;
        let body = self.request.json()?;
        let title = match body.get("title") {
            Some(Value::Number(number)) => number.to_string(),
            _ => text_of(&body, "title")?
                .ok_or_else(|| Refusal::not_supplied("title"))?
                .to_owned(),
        };
        let list = |name: &str| match body.get(name) {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(value) => texts_of(value, name),
        };
        let mut assignees = list("assignees")?;
        assignees.extend(text_of(&body, "assignee")?.map(str::to_owned));
        let new = NewIssue {
            title,
            body: text_of(&body, "body")?.unwrap_or_default().to_owned(),
            labels: list("labels")?,
            assignees,
        };
        let id = self.world.open_issue(actor, repo, &new)?;
        self.shown_issue(id, 201)
    }

    fn update_issue(&mut self, repo: RepoId, id: IssueId) -> Outcome {
        let actor = self.need(repo, &WRITES)?;
        let body = self.request.json()?;
        let state = text_of(&body, "state")?;
        let change = match state {
            None => None,
            Some("open") => Some(StateChange::Reopen),
            Some("closed") => Some(StateChange::Close {
                reason: match text_of(&body, "state_reason")? {
                    None | Some("completed") => "completed",
                    Some("not_planned") => "not_planned",
                    Some("duplicate") => "duplicate",
                    Some(_) => return Err(Refusal::field("Issue", "state_reason", "invalid")),
                },
            }),
            Some(_) => return Err(Refusal::field("Issue", "state", "invalid")),
        };
        if let Some(assignees) = body.get("assignees") {
            let logins = texts_of(assignees, "assignees")?;
            self.world.set_assignees(actor, id, &logins)?;
        }
        if let Some(labels) = body.get("labels") {
            let names = texts_of(labels, "labels")?;
            self.world.set_labels(actor, id, &names)?;
        }
        self.world
            .edit_issue(actor, id, text_of(&body, "title")?, text_of(&body, "body")?)?;
        if let Some(change) = change {
            self.world.set_state(actor, id, change)?;
        }
        self.shown_issue(id, 200)
    }

    /// Comments in the order in which they were made; `since` is about their last change.
    fn list_comments(&mut self, repo: RepoId, id: IssueId) -> Outcome {
        self.need(repo, &READS)?;
        let since = self.since()?;
        let issue = self.world.live_issue(id)?;
        let found = self.world.live_repo(repo)?;
        let comments = self
            .world
            .comments_of(id)
            .filter(|c| since.is_none_or(|since| c.updated_at >= since));
        let all = comments
            .map(|c| render::comment(self.world, found, issue, c, Dialect::Rest))
            .collect();
        Ok(self.page(all))
    }

    fn issue_labels(&mut self, repo: RepoId, id: IssueId, below: &[&str]) -> Outcome {
        let method = self.request.method.as_str();
        if method == "GET" {
            self.need(repo, &READS)?;
        } else {
            let actor = self.need(repo, &WRITES)?;
            match (method, below) {
                ("POST" | "PUT", []) => {
                    let body = self.request.json()?;
                    let names = texts_of(body.get("labels").unwrap_or(&body), "labels")?;
                    if method == "POST" {
                        self.world.add_labels(actor, id, &names)?;
                    } else {
                        self.world.set_labels(actor, id, &names)?;
                    }
                }
                ("DELETE", [name]) => self.world.remove_label(actor, id, name)?,
                ("DELETE", []) => {
                    self.world.set_labels(actor, id, &[])?;
                    return Ok(Answer::empty(204));
                }
                _ => return Err(Refusal::not_found()),
            }
        }
        let issue = self.world.live_issue(id)?;
        let found = self.world.live_repo(repo)?;
        let set = issue
            .labels
            .iter()
            .filter_map(|id| found.labels.iter().find(|label| label.id == *id));
        let all: Vec<Value> = set.map(|label| repos::label(self.world, found, label)).collect();
        Ok(if method == "GET" {
            self.page(all)
        } else {
            Answer::ok(all.into())
        })
    }

    fn issue_assignees(&mut self, repo: RepoId, id: IssueId) -> Outcome {
        let actor = self.need(repo, &WRITES)?;
        let body = self.request.json()?;
        let named = texts_of(body.get("assignees").unwrap_or(&Value::Null), "assignees")?;
        let issue = self.world.live_issue(id)?;
        let mut logins: Vec<String> = issue
            .assignees
            .iter()
            .map(|who| self.world.login(*who).to_owned())
            .collect();
        // Here, unlike when an issue is opened, GitHub leaves out in silence whom it cannot assign.
        let known: Vec<String> = named
            .into_iter()
            .filter(|login| self.world.assignable(repo, std::slice::from_ref(login)).is_ok())
            .collect();
        let status = match self.request.method.as_str() {
            "POST" => {
                logins.extend(known);
                201
            }
            "DELETE" => {
                logins.retain(|login| !known.iter().any(|gone| gone.eq_ignore_ascii_case(login)));
                200
            }
            _ => return Err(Refusal::not_found()),
        };
        self.world.set_assignees(actor, id, &logins)?;
        self.shown_issue(id, status)
    }

    fn history(&mut self, repo: RepoId, id: IssueId) -> Outcome {
        self.need(repo, &READS)?;
        let found = self.world.live_repo(repo)?;
        let entries = self.world.live_issue(id)?.history.iter();
        let all = entries
            .map(|entry| render::history_entry(self.world, found, entry))
            .collect();
        Ok(self.page(all))
    }

    /// The history and the comments together, by time.
    fn timeline(&mut self, repo: RepoId, id: IssueId) -> Outcome {
        self.need(repo, &READS)?;
        let found = self.world.live_repo(repo)?;
        let issue = self.world.live_issue(id)?;
        let mut all: Vec<(DateTime<Utc>, Value)> = issue
            .history
            .iter()
            .map(|entry| (entry.at, render::history_entry(self.world, found, entry)))
            .collect();
        for comment in self.world.comments_of(id) {
            let mut shape = render::comment(self.world, found, issue, comment, Dialect::Rest);
            repos::extend(
                &mut shape,
                serde_json::json!({ "event": "commented", "actor": repos::user(self.world, comment.author) }),
            );
            all.push((comment.created_at, shape));
        }
        all.sort_by_key(|(at, _)| *at);
        Ok(self.page(all.into_iter().map(|(_, shape)| shape).collect()))
    }
}
