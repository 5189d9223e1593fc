//! Pull requests, reviews and comments on lines.

use serde_json::json;

use crate::sandbox::ids::*;
use crate::sandbox::model::*;
use crate::sandbox::refusal::Refusal;
use crate::sandbox::render::{Dialect, pulls};

impl World {
    fn live_pull(&self, id: IssueId) -> Result<&Pull, Refusal> {
        self.live_issue(id)?.pull().ok_or_else(Refusal::not_found)
    }

    fn live_pull_mut(&mut self, id: IssueId) -> Result<&mut Pull, Refusal> {
        self.live_issue_mut(id)?.pull_mut().ok_or_else(Refusal::not_found)
    }

    /// Proposes a branch. What the branch holds is not modelled; its head is a name that changes with every push.
    pub fn open_pull(
        &mut self,
        actor: Actor,
        repo: RepoId,
        title: &str,
        body: &str,
        branch: &str,
    ) -> Result<IssueId, Refusal> {
        let base_sha = self.writable_repo(repo)?.head.clone();
        self.must(actor, repo, Level::Read, "open a pull request")?;
        if title.trim().is_empty() {
            return Err(Refusal::field("PullRequest", "title", "missing_field"));
        }
        let id = self.insert_issue(actor, repo, title, body, Sort::Issue);
        self.live_issue_mut(id)?.sort = Sort::Pull(Box::new(Pull {
            head_branch: branch.to_owned(),
            head_sha: sha_of(&format!("{branch} of {id}")),
            base_sha,
            merged: None,
            reviews: Vec::new(),
            files: Vec::new(),
            contents: std::collections::BTreeMap::new(),
            checks: Vec::new(),
            statuses: Vec::new(),
        }));
        self.emit_issue(id, "opened", actor.account, json!({}));
        Ok(id)
    }

    /// Pushes to the branch of a pull request: it has a new head.
    pub fn push_to_pull(&mut self, actor: Actor, id: IssueId) -> Result<String, Refusal> {
        let issue = self.live_issue(id)?;
        if issue.author != actor.account {
            self.must(actor, issue.repo, Level::Write, "push to this branch")?;
        }
        let pull = self.live_pull_mut(id)?;
        let before = pull.head_sha.clone();
        let after = sha_of(&format!("after {before}"));
        pull.head_sha.clone_from(&after);
        self.emit_issue(
            id,
            "synchronize",
            actor.account,
            json!({ "before": before, "after": after }),
        );
        Ok(after)
    }

    /// Pushes a file to the branch of a pull request, or its deletion.
    pub fn push_file_to_pull(
        &mut self,
        actor: Actor,
        id: IssueId,
        path: &str,
        text: Option<&str>,
    ) -> Result<String, Refusal> {
        let pull = self.live_pull_mut(id)?;
        if !pull.files.iter().any(|other| other == path) {
            pull.files.push(path.to_owned());
        }
        pull.contents.insert(path.to_owned(), text.map(str::to_owned));
        self.push_to_pull(actor, id)
    }

    /// Has a pull request change these paths. What they hold is not modelled.
    pub fn set_pull_files(&mut self, id: IssueId, paths: &[&str]) -> Result<(), Refusal> {
        self.live_pull_mut(id)?.files = paths.iter().map(|path| (*path).to_owned()).collect();
        Ok(())
    }

    /// Sets how a check stands on the head of a pull request: GitHub's word for its conclusion, or none while it runs.
    /// Whoever may write can, as a workflow of the repository does.
    pub fn set_check(
        &mut self,
        actor: Actor,
        id: IssueId,
        name: &str,
        conclusion: Option<&str>,
    ) -> Result<(), Refusal> {
        let repo = self.live_issue(id)?.repo;
        self.must(actor, repo, Level::Write, "set a check")?;
        if name.trim().is_empty() {
            return Err(Refusal::field("CheckRun", "name", "missing_field"));
        }
        const CONCLUSIONS: [&str; 7] = [
            "success",
            "failure",
            "neutral",
            "cancelled",
            "skipped",
            "timed_out",
            "action_required",
        ];
        if conclusion.is_some_and(|word| !CONCLUSIONS.contains(&word)) {
            return Err(Refusal::field("CheckRun", "conclusion", "invalid"));
        }
        let run = CheckRun {
            id: self.counters.next("check_run", 31_000_000_001),
            name: name.to_owned(),
            commit: self.live_pull(id)?.head_sha.clone(),
            conclusion: conclusion.map(str::to_owned),
            at: self.now(),
            external_id: String::new(),
            title: None,
            summary: None,
            annotations: Vec::new(),
        };
        let pull = self.live_pull_mut(id)?;
        pull.checks
            .retain(|other| other.name != run.name || other.commit != run.commit);
        self.add_check(actor, id, run)
    }

    /// Adds a check run to a pull request, as an App does.
    pub fn add_check(&mut self, actor: Actor, id: IssueId, run: CheckRun) -> Result<(), Refusal> {
        let repo = self.live_issue(id)?.repo;
        self.live_pull_mut(id)?.checks.push(run.clone());
        let action = if run.conclusion.is_some() {
            "completed"
        } else {
            "created"
        };
        let payload = {
            let (issue, found) = (self.live_issue(id)?, self.live_repo(repo)?);
            json!({ "check_run": pulls::check_run(self, found, issue, &run, Dialect::Webhook) })
        };
        self.emit(repo, "check_run", Some(action), actor.account, payload);
        Ok(())
    }

    /// Sets a commit status on the head of a pull request. Whoever may write can, as a build service does with their
    /// token.
    pub fn set_status(&mut self, actor: Actor, id: IssueId, context: &str, state: &str) -> Result<(), Refusal> {
        let repo = self.live_issue(id)?.repo;
        self.must(actor, repo, Level::Write, "set a commit status")?;
        if !["error", "failure", "pending", "success"].contains(&state) {
            return Err(Refusal::field("Status", "state", "invalid"));
        }
        let context = match context.trim() {
            "" => "default",
            given => given,
        };
        let status = CommitStatus {
            id: self.counters.next("status", 51_000_000_001),
            context: context.to_owned(),
            commit: self.live_pull(id)?.head_sha.clone(),
            state: state.to_owned(),
            creator: actor.account,
            at: self.now(),
        };
        let pull = self.live_pull_mut(id)?;
        pull.statuses
            .retain(|other| other.context != status.context || other.commit != status.commit);
        pull.statuses.push(status.clone());
        let payload = pulls::told_status(self, self.live_repo(repo)?, self.live_pull(id)?, &status);
        self.emit(repo, "status", None, actor.account, payload);
        Ok(())
    }

    /// Merges a pull request, which closes it.
    pub fn merge_pull(&mut self, actor: Actor, id: IssueId) -> Result<(), Refusal> {
        let issue = self.live_issue(id)?;
        self.writable_repo(issue.repo)?;
        self.must(actor, issue.repo, Level::Write, "merge")?;
        if !issue.is_open() {
            return Err(Refusal::new(405, "Pull Request is not mergeable"));
        }
        let at = self.now();
        self.live_pull_mut(id)?.merged = Some(Edit { at, by: actor.account });
        self.remember(id, actor, Happened::Merged);
        self.live_issue_mut(id)?.state = State::Closed {
            reason: "completed".to_owned(),
            at,
            by: actor.account,
        };
        self.remember(id, actor, Happened::Closed);
        self.emit_issue(id, "closed", actor.account, json!({}));
        Ok(())
    }

    /// Submits a review. Authors cannot approve or reject their own.
    pub fn submit_review(
        &mut self,
        actor: Actor,
        id: IssueId,
        state: ReviewState,
        body: &str,
    ) -> Result<ReviewId, Refusal> {
        let issue = self.live_issue(id)?;
        self.writable_repo(issue.repo)?;
        self.must(actor, issue.repo, Level::Read, "review")?;
        let repo = issue.repo;
        if issue.author == actor.account && state != ReviewState::Commented {
            return Err(Refusal::new(
                422,
                "Can not approve or request changes on your own pull request",
            ));
        }
        if state != ReviewState::Approved && body.trim().is_empty() {
            return Err(Refusal::custom("PullRequestReview", "body", "Body can't be blank"));
        }
        let review = ReviewId(self.counters.next("review", 4_400_000_001));
        let commit = self.live_pull(id)?.head_sha.clone();
        let at = self.now();
        let new = Review {
            id: review,
            author: actor.account,
            state,
            body: body.to_owned(),
            commit,
            at,
        };
        self.live_pull_mut(id)?.reviews.push(new.clone());
        let payload = {
            let issue = self.live_issue(id)?;
            let found = self.live_repo(repo)?;
            json!({
                "review": pulls::review(self, found, issue, &new, Dialect::Webhook),
                "pull_request": pulls::pull(self, found, issue, self.live_pull(id)?, pulls::Detail::Simple),
            })
        };
        self.emit(repo, "pull_request_review", Some("submitted"), actor.account, payload);
        Ok(review)
    }

    /// Comments on one line of the change, which GitHub keeps as a review of its own.
    pub fn add_line_comment(
        &mut self,
        actor: Actor,
        id: IssueId,
        path: &str,
        line: u64,
        body: &str,
    ) -> Result<CommentId, Refusal> {
        let commit = self.live_pull(id)?.head_sha.clone();
        let review = ReviewId(self.counters.next("review", 4_400_000_001));
        let place = LinePlace {
            review,
            path: path.to_owned(),
            line,
            commit,
            reply_to: None,
        };
        self.insert_comment(actor, id, body, Place::Line(place))
    }

    /// Answers a line comment in its thread.
    pub fn reply_to_line(&mut self, actor: Actor, to: CommentId, body: &str) -> Result<CommentId, Refusal> {
        let comment = self.live_comment(to)?;
        let issue = comment.issue;
        let Place::Line(place) = &comment.place else {
            return Err(Refusal::not_found());
        };
        let root = place.reply_to.unwrap_or(to);
        let place = LinePlace {
            reply_to: Some(root),
            ..place.clone()
        };
        self.insert_comment(actor, issue, body, Place::Line(place))
    }
}
