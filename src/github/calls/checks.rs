//! What stands on the head of a pull request: check runs, commit statuses, and the files that it changes. Needs the
//! permissions `checks: read`, `statuses: read` and `pull_requests: read`; a check run of our own needs `checks: write`.

use serde::{Deserialize, Serialize};

use crate::github::client::{Cap, Repo, missing};
use crate::github::error::GithubError;
use crate::github::operation::Operation;
use crate::workflow::ids::IssueNumber;
use crate::workflow::judging::{Check, CheckState};

/// GitHub lists at most so many files of a pull request
/// (<https://docs.github.com/rest/pulls/pulls#list-pull-requests-files>).
const FILES: Cap = Cap { items: 2999, pages: 30 };

/// More pages than any commit has checks for.
const PAGES: u64 = 20;

/// The end of a pull request's branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullHead {
    /// The commit.
    pub sha: String,
}

/// A check run of our own on a commit, that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FinishedCheck<'a> {
    /// Its name on the page.
    pub name: &'a str,
    /// The commit.
    pub sha: &'a str,
    /// By which it is found again: the same for every attempt to create it.
    pub external_id: &'a str,
    /// Whether it stands in nobody's way.
    pub passed: bool,
    /// The heading.
    pub title: &'a str,
    /// Markdown.
    pub summary: &'a str,
    /// What is shown beside lines; the first 50, which is what GitHub takes.
    pub annotations: &'a [Annotation],
}

/// What is shown beside a line of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation {
    /// The file.
    pub path: String,
    /// From 1.
    pub line: u64,
    /// From 1.
    pub column: u64,
    /// Plain text.
    pub message: String,
}

/// GitHub takes at most so many annotations at once
/// (<https://docs.github.com/rest/checks/runs#create-a-check-run>).
const ANNOTATIONS: usize = 50;

#[derive(Serialize)]
struct NewRun<'a> {
    name: &'a str,
    head_sha: &'a str,
    external_id: &'a str,
    status: &'static str,
    conclusion: &'static str,
    output: NewOutput<'a>,
}

#[derive(Serialize)]
struct NewOutput<'a> {
    title: &'a str,
    summary: &'a str,
    annotations: Vec<NewAnnotation<'a>>,
}

#[derive(Serialize)]
struct NewAnnotation<'a> {
    path: &'a str,
    start_line: u64,
    end_line: u64,
    start_column: u64,
    end_column: u64,
    annotation_level: &'static str,
    message: &'a str,
}

#[derive(Deserialize)]
struct WirePull {
    head: Option<WireHead>,
}

#[derive(Deserialize)]
struct WireHead {
    sha: Option<String>,
}

#[derive(Deserialize)]
struct WireFile {
    filename: Option<String>,
    previous_filename: Option<String>,
}

#[derive(Deserialize)]
struct WireRuns {
    total_count: Option<u64>,
    check_runs: Option<Vec<WireRun>>,
}

#[derive(Deserialize)]
struct WireRun {
    name: Option<String>,
    status: Option<String>,
    conclusion: Option<String>,
    external_id: Option<String>,
}

#[derive(Deserialize)]
struct WireCombined {
    total_count: Option<u64>,
    statuses: Option<Vec<WireStatus>>,
}

#[derive(Deserialize)]
struct WireStatus {
    context: Option<String>,
    state: Option<String>,
}

impl Repo {
    /// The head of a pull request now.
    ///
    /// # Errors
    /// Whatever means that it could not be checked.
    pub async fn pull_head(&self, number: IssueNumber) -> Result<PullHead, GithubError> {
        let pull: WirePull = self.caller.get(&self.at(Operation::Pull, &[&number])?).await?.json()?;
        let sha = pull.head.and_then(|head| head.sha).ok_or_else(|| missing("head.sha"))?;
        Ok(PullHead { sha })
    }

    /// The paths that a pull request changes, a renamed file's former one included.
    ///
    /// # Errors
    /// Whatever means that it could not be checked; also a pull request of more files than GitHub lists.
    pub async fn pull_files(&self, number: IssueNumber) -> Result<Vec<String>, GithubError> {
        let route = self.at(Operation::PullFiles, &[&number])?;
        let files = self
            .caller
            .list(route, FILES, |wire: WireFile| {
                let name = wire.filename.ok_or("filename")?;
                Ok(Some([Some(name), wire.previous_filename]))
            })
            .await?;
        Ok(files.whole()?.into_iter().flatten().flatten().collect())
    }

    /// Creates a check run that is over (<https://docs.github.com/rest/checks/runs#create-a-check-run>).
    ///
    /// # Errors
    /// Whatever GitHub says; a second one of the same name is no error to it.
    pub async fn create_check(&self, check: &FinishedCheck<'_>) -> Result<(), GithubError> {
        let annotations = check.annotations.iter().take(ANNOTATIONS);
        let run = NewRun {
            name: check.name,
            head_sha: check.sha,
            external_id: check.external_id,
            status: "completed",
            conclusion: if check.passed { "success" } else { "failure" },
            output: NewOutput {
                title: check.title,
                summary: check.summary,
                annotations: annotations
                    .map(|annotation| NewAnnotation {
                        path: &annotation.path,
                        start_line: annotation.line,
                        end_line: annotation.line,
                        start_column: annotation.column,
                        end_column: annotation.column,
                        annotation_level: "failure",
                        message: &annotation.message,
                    })
                    .collect(),
            },
        };
        let route = self.at(Operation::CreateCheckRun, &[])?;
        self.caller.send(&route, &run).await.map(drop)
    }

    /// Whether a check run that we created under this `external_id` stands on a commit.
    ///
    /// # Errors
    /// Whatever means that it could not be checked.
    pub async fn has_check(&self, sha: &str, name: &str, external_id: &str) -> Result<bool, GithubError> {
        let runs = self.at(Operation::CheckRuns, &[&sha])?;
        let runs = runs
            .with("check_name", name)
            .with("filter", "all")
            .with("per_page", 100);
        for page in 1..=PAGES {
            let route = runs.clone().with("page", page);
            let runs: WireRuns = self.caller.get(&route).await?.json()?;
            let runs = runs.check_runs.ok_or_else(|| missing("check_runs"))?;
            if runs.iter().any(|run| run.external_id.as_deref() == Some(external_id)) {
                return Ok(true);
            }
            if runs.len() < 100 {
                return Ok(false);
            }
            too_many(page)?;
        }
        Ok(false)
    }

    /// The check runs and commit statuses on a commit, the newest of each name and App
    /// (<https://docs.github.com/rest/checks/runs#list-check-runs-for-a-git-reference>,
    /// <https://docs.github.com/rest/commits/statuses#get-the-combined-status-for-a-specific-reference>).
    ///
    /// # Errors
    /// Whatever means that it could not be checked.
    pub async fn checks_of(&self, sha: &str) -> Result<Vec<Check>, GithubError> {
        let all = self.at(Operation::CheckRuns, &[&sha])?;
        let all = all.with("filter", "latest").with("per_page", 100);
        let mut checks = Vec::new();
        for page in 1..=PAGES {
            let route = all.clone().with("page", page);
            let runs: WireRuns = self.caller.get(&route).await?.json()?;
            let (total, runs) = (runs.total_count, runs.check_runs.ok_or_else(|| missing("check_runs"))?);
            let last = runs.len() < 100 || total.is_some_and(|all| all <= page * 100);
            for run in runs {
                checks.push(Check {
                    name: run.name.ok_or_else(|| missing("name"))?,
                    state: run_state(run.status.as_deref(), run.conclusion.as_deref()),
                });
            }
            if last {
                break;
            }
            too_many(page)?;
        }
        let all = self.at(Operation::CommitStatus, &[&sha])?.with("per_page", 100);
        for page in 1..=PAGES {
            let route = all.clone().with("page", page);
            let combined: WireCombined = self.caller.get(&route).await?.json()?;
            let total = combined.total_count;
            let statuses = combined.statuses.ok_or_else(|| missing("statuses"))?;
            let last = statuses.len() < 100 || total.is_some_and(|all| all <= page * 100);
            for status in statuses {
                checks.push(Check {
                    name: status.context.ok_or_else(|| missing("context"))?,
                    state: status_state(status.state.as_deref()),
                });
            }
            if last {
                break;
            }
            too_many(page)?;
        }
        Ok(checks)
    }
}

/// A list that was not read to its end is no list: what is missing may be red.
fn too_many(page: u64) -> Result<(), GithubError> {
    match page < PAGES {
        true => Ok(()),
        false => Err(GithubError::Malformed(
            "there are too many checks to be read".to_owned(),
        )),
    }
}

/// GitHub lets `neutral` and `skipped` pass where a check is required
/// (<https://docs.github.com/pull-requests/collaborating-with-pull-requests/collaborating-on-repositories-with-code-quality-features/troubleshooting-required-status-checks>).
/// Here neither is a yes: it has not looked.
fn run_state(status: Option<&str>, conclusion: Option<&str>) -> CheckState {
    match (status, conclusion) {
        (Some("completed"), Some("success")) => CheckState::Success,
        (Some("completed"), Some(other)) => CheckState::Other(other.to_owned()),
        (Some("completed") | None, None) => CheckState::Other("unknown".to_owned()),
        _ => CheckState::Pending,
    }
}

fn status_state(state: Option<&str>) -> CheckState {
    match state {
        Some("success") => CheckState::Success,
        Some("pending") => CheckState::Pending,
        Some(other) => CheckState::Other(other.to_owned()),
        None => CheckState::Other("unknown".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_success_is_one() {
        let other = |word: &str| CheckState::Other(word.to_owned());
        for (status, conclusion, expected) in [
            (Some("completed"), Some("success"), CheckState::Success),
            (Some("completed"), Some("neutral"), other("neutral")),
            (Some("completed"), Some("skipped"), other("skipped")),
            (Some("completed"), Some("failure"), other("failure")),
            (Some("completed"), Some("action_required"), other("action_required")),
            (Some("completed"), None, other("unknown")),
            (None, None, other("unknown")),
            (Some("queued"), None, CheckState::Pending),
            (Some("in_progress"), Some("success"), CheckState::Pending),
        ] {
            assert_eq!(run_state(status, conclusion), expected, "{status:?} {conclusion:?}");
        }
        for (state, expected) in [
            (Some("success"), CheckState::Success),
            (Some("pending"), CheckState::Pending),
            (Some("failure"), other("failure")),
            (Some("error"), other("error")),
            (None, other("unknown")),
        ] {
            assert_eq!(status_state(state), expected, "{state:?}");
        }
    }
}
