//! Pull requests, their reviews and line comments.

use serde_json::{Value, json};

use super::{Call, Outcome, number, text_of};
use crate::sandbox::acts::comments::ReactionTarget;
use crate::sandbox::answer::Answer;
use crate::sandbox::ids::*;
use crate::sandbox::model::*;
use crate::sandbox::refusal::Refusal;
use crate::sandbox::render::Dialect;
use crate::sandbox::render::pulls as render;

const READ: [(&str, Access); 1] = [("pull_requests", Access::Read)];
const WRITE: [(&str, Access); 1] = [("pull_requests", Access::Write)];

impl Call<'_> {
    pub(super) fn pull_routes(&mut self, repo: RepoId, rest: &[&str]) -> Outcome {
        match (self.request.method.as_str(), rest) {
            ("GET", []) => self.list_pulls(repo),
            (_, ["comments", id, below @ ..]) => self.line_comment_routes(repo, CommentId(number(id)?), below),
            ("GET", [text]) => {
                let id = self.pull(repo, text, &READ)?;
                let (found, issue, pull) = self.parts(id)?;
                Ok(Answer::ok(render::answered(
                    self.world,
                    found,
                    issue,
                    pull,
                    render::Detail::Full,
                )))
            }
            ("GET", [text, "reviews"]) => {
                let id = self.pull(repo, text, &READ)?;
                let (found, issue, pull) = self.parts(id)?;
                let reviews = pull.reviews.iter();
                let all = reviews
                    .map(|review| render::review(self.world, found, issue, review, Dialect::Rest))
                    .collect();
                Ok(self.page(all))
            }
            ("GET", [text, "files"]) => {
                let id = self.pull(repo, text, &READ)?;
                let (found, _, pull) = self.parts(id)?;
                let files = pull.files.iter();
                let all = files.map(|path| render::file(self.world, found, pull, path)).collect();
                Ok(self.page(all))
            }
            ("GET", [text, "comments"]) => {
                let id = self.pull(repo, text, &READ)?;
                let since = self.since()?;
                let (found, issue, _) = self.parts(id)?;
                let comments = self.world.line_comments_of(id);
                let all: Vec<Value> = comments
                    .filter(|(c, _)| since.is_none_or(|since| c.updated_at >= since))
                    .map(|(c, place)| render::line_comment(self.world, found, issue, c, place))
                    .collect();
                Ok(self.page(all))
            }
            ("POST", [text, "comments", to, "replies"]) => {
                let id = self.pull(repo, text, &WRITE)?;
                let to = CommentId(number(to)?);
                if self.world.live_comment(to)?.issue != id {
                    return Err(Refusal::not_found());
                }
                let actor = self.need(repo, &WRITE)?;
                let body = self.request.json()?;
                let text = text_of(&body, "body")?.ok_or_else(|| Refusal::not_supplied("body"))?;
                let comment = self.world.reply_to_line(actor, to, text)?;
                self.shown_line_comment(comment, 201)
            }
            _ => Err(Refusal::not_found()),
        }
    }

    /// What stands on a commit.
    pub(super) fn on_commit(&mut self, repo: RepoId, sha: &str, what: &str) -> Outcome {
        if self.request.method != "GET" {
            return Err(Refusal::not_found());
        }
        let permission = if what == "status" { "statuses" } else { "checks" };
        self.need(repo, &[(permission, Access::Read)])?;
        let found = self.world.live_repo(repo)?;
        let wanted = self.request.param("check_name");
        let issues = self
            .world
            .issues
            .values()
            .filter(|issue| issue.repo == repo && issue.is_present());
        let pulls = issues.filter_map(|issue| Some((issue, issue.pull()?)));
        if what == "status" {
            let all: Vec<&CommitStatus> = pulls
                .flat_map(|(_, pull)| &pull.statuses)
                .filter(|status| status.commit == sha)
                .collect();
            let statuses = all.iter().map(|status| render::status(self.world, found, status));
            let page = self.part(statuses.collect());
            return Ok(Answer::ok(render::combined_status(self.world, found, sha, &all, page)));
        }
        let runs: Vec<Value> = pulls
            .flat_map(|(issue, pull)| pull.checks.iter().map(move |run| (issue, run)))
            .filter(|(_, run)| run.commit == sha && wanted.is_none_or(|name| run.name == name))
            .map(|(issue, run)| render::check_run(self.world, found, issue, run, Dialect::Rest))
            .collect();
        let all = runs.len();
        let runs = self.part(runs);
        Ok(Answer::ok(json!({ "total_count": all, "check_runs": runs })))
    }

    /// The page that was asked for of a list inside an object.
    fn part(&self, all: Vec<Value>) -> Vec<Value> {
        let size = self
            .request
            .param("per_page")
            .and_then(|size| size.parse().ok())
            .unwrap_or(30_usize);
        let page = self
            .request
            .param("page")
            .and_then(|page| page.parse().ok())
            .unwrap_or(1_usize);
        let (size, skipped) = (size.clamp(1, 100), page.saturating_sub(1));
        all.into_iter().skip(skipped.saturating_mul(size)).take(size).collect()
    }

    /// A check run of the App. Only on a commit that is or was the head of a pull request: others are not modelled.
    pub(super) fn create_check(&mut self, repo: RepoId) -> Outcome {
        let actor = self.need(repo, &[("checks", Access::Write)])?;
        let body = self.request.json()?;
        let name = text_of(&body, "name")?.ok_or_else(|| Refusal::not_supplied("name"))?;
        let sha = text_of(&body, "head_sha")?.ok_or_else(|| Refusal::not_supplied("head_sha"))?;
        let heads = self.world.issues.values().filter(|issue| issue.repo == repo);
        let id = heads
            .filter(|issue| issue.pull().is_some_and(|pull| pull.head_sha == sha))
            .map(|issue| issue.id)
            .next()
            .ok_or_else(|| Refusal::new(422, &format!("No commit found for SHA: {sha}")))?;
        let output = &body["output"];
        let written = output["annotations"].as_array().map_or(&[][..], Vec::as_slice);
        if written.len() > 50 {
            return Err(Refusal::field("CheckRun", "annotations", "invalid"));
        }
        let annotations = written
            .iter()
            .map(|annotation| {
                let text = |name: &'static str| {
                    let found = text_of(annotation, name)?.ok_or_else(|| Refusal::not_supplied(name))?;
                    Ok::<_, Refusal>(found.to_owned())
                };
                Ok(Annotation {
                    path: text("path")?,
                    line: annotation["start_line"]
                        .as_u64()
                        .ok_or_else(|| Refusal::not_supplied("start_line"))?,
                    message: text("message")?,
                })
            })
            .collect::<Result<Vec<_>, Refusal>>()?;
        let run = CheckRun {
            id: self.world.counters.next("check_run", 31_000_000_001),
            name: name.to_owned(),
            commit: sha.to_owned(),
            conclusion: text_of(&body, "conclusion")?.map(str::to_owned),
            at: self.world.now(),
            external_id: text_of(&body, "external_id")?.unwrap_or_default().to_owned(),
            title: text_of(output, "title")?.map(str::to_owned),
            summary: text_of(output, "summary")?.map(str::to_owned),
            annotations,
        };
        self.world.add_check(actor, id, run.clone())?;
        let (found, issue, _) = self.parts(id)?;
        Ok(Answer::created(render::check_run(
            self.world,
            found,
            issue,
            &run,
            Dialect::Rest,
        )))
    }

    fn list_pulls(&mut self, repo: RepoId) -> Outcome {
        self.need(repo, &READ)?;
        let wanted = self.request.param("state").unwrap_or("open");
        let found = self.world.live_repo(repo)?;
        let issues = self
            .world
            .issues
            .values()
            .filter(|issue| issue.repo == repo && issue.is_present());
        let issues = issues.filter(|issue| wanted == "all" || issue.is_open() == (wanted == "open"));
        let mut all: Vec<Value> = issues
            .filter_map(|issue| Some((issue, issue.pull()?)))
            .map(|(issue, pull)| render::answered(self.world, found, issue, pull, render::Detail::Simple))
            .collect();
        all.reverse();
        Ok(self.page(all))
    }

    fn pull(&mut self, repo: RepoId, text: &str, access: &[(&str, Access)]) -> Result<IssueId, Refusal> {
        self.need(repo, access)?;
        let issue = self
            .world
            .issue_numbered(repo, IssueNumber(number(text)?))
            .ok_or_else(Refusal::not_found)?;
        issue.pull().map(|_| issue.id).ok_or_else(Refusal::not_found)
    }

    fn parts(&self, id: IssueId) -> Result<(&Repo, &Issue, &Pull), Refusal> {
        let issue = self.world.live_issue(id)?;
        let pull = issue.pull().ok_or_else(Refusal::not_found)?;
        Ok((self.world.live_repo(issue.repo)?, issue, pull))
    }

    fn line_comment_routes(&mut self, repo: RepoId, id: CommentId, below: &[&str]) -> Outcome {
        let comment = self.world.live_comment(id)?;
        if comment.place.is_in_thread() || self.world.live_issue(comment.issue)?.repo != repo {
            return Err(Refusal::not_found());
        }
        match (self.request.method.as_str(), below) {
            ("GET", []) => {
                self.need(repo, &READ)?;
                self.shown_line_comment(id, 200)
            }
            ("PATCH", []) => {
                let actor = self.need(repo, &WRITE)?;
                let body = self.request.json()?;
                let text = text_of(&body, "body")?.ok_or_else(|| Refusal::not_supplied("body"))?;
                self.world.edit_comment(actor, id, text)?;
                self.shown_line_comment(id, 200)
            }
            ("DELETE", []) => {
                let actor = self.need(repo, &WRITE)?;
                self.world.delete_comment(actor, id)?;
                Ok(Answer::empty(204))
            }
            (_, ["reactions", below @ ..]) => self.reaction_routes(repo, ReactionTarget::Comment(id), below),
            _ => Err(Refusal::not_found()),
        }
    }

    fn shown_line_comment(&self, id: CommentId, status: u16) -> Outcome {
        let comment = self.world.live_comment(id)?;
        let (found, issue, _) = self.parts(comment.issue)?;
        let Place::Line(place) = &comment.place else {
            return Err(Refusal::not_found());
        };
        let shape = render::line_comment(self.world, found, issue, comment, place);
        Ok(if status == 201 {
            Answer::created(shape)
        } else {
            Answer::new(status, shape)
        })
    }
}
