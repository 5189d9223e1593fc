//! What stands on the head of a pull request: check runs, commit statuses, and the files that it changes. Needs the
//! permissions `checks: read`, `statuses: read` and `pull_requests: read`.

use serde::Deserialize;

use crate::github::client::{Cap, Repo, missing, segment};
use crate::github::error::GithubError;
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
    #[serde(default)]
    check_runs: Vec<WireRun>,
}

#[derive(Deserialize)]
struct WireRun {
    name: Option<String>,
    status: Option<String>,
    conclusion: Option<String>,
}

#[derive(Deserialize)]
struct WireCombined {
    total_count: Option<u64>,
    #[serde(default)]
    statuses: Vec<WireStatus>,
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
        let pull: WirePull = self
            .caller
            .get(&self.path(&format!("/pulls/{number}"))?)
            .await?
            .json()?;
        let sha = pull.head.and_then(|head| head.sha).ok_or_else(|| missing("head.sha"))?;
        Ok(PullHead { sha })
    }

    /// The paths that a pull request changes, a renamed file's former one included.
    ///
    /// # Errors
    /// Whatever means that it could not be checked; also a pull request of more files than GitHub lists.
    pub async fn pull_files(&self, number: IssueNumber) -> Result<Vec<String>, GithubError> {
        let route = self.path(&format!("/pulls/{number}/files"))?;
        let files = self
            .caller
            .list(&route, FILES, |wire: WireFile| {
                let name = wire.filename.ok_or("filename")?;
                Ok(Some([Some(name), wire.previous_filename]))
            })
            .await?;
        Ok(files.whole()?.into_iter().flatten().flatten().collect())
    }

    /// The check runs and commit statuses on a commit, the newest of each name and App
    /// (<https://docs.github.com/rest/checks/runs#list-check-runs-for-a-git-reference>,
    /// <https://docs.github.com/rest/commits/statuses#get-the-combined-status-for-a-specific-reference>).
    ///
    /// # Errors
    /// Whatever means that it could not be checked.
    pub async fn checks_of(&self, sha: &str) -> Result<Vec<Check>, GithubError> {
        let commit = self.path(&format!("/commits/{}", segment(sha)?))?;
        let mut checks = Vec::new();
        for page in 1..=PAGES {
            let route = format!("{commit}/check-runs?filter=latest&per_page=100&page={page}");
            let runs: WireRuns = self.caller.get(&route).await?.json()?;
            let last = runs.check_runs.len() < 100 || runs.total_count.is_some_and(|all| all <= page * 100);
            for run in runs.check_runs {
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
        for page in 1..=PAGES {
            let route = format!("{commit}/status?per_page=100&page={page}");
            let combined: WireCombined = self.caller.get(&route).await?.json()?;
            let last = combined.statuses.len() < 100 || combined.total_count.is_some_and(|all| all <= page * 100);
            for status in combined.statuses {
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
