//! The REST API: which path is which operation, and who may ask for it.

mod apps;
mod comments;
mod deliveries;
mod issues;
mod labels;
mod links;
mod pulls;
mod reactions;
mod repos;
mod teams;
mod users;

use serde_json::{Value, json};

use super::answer::{Answer, Request, paged};
use super::auth::token_of;
use super::graphql;
use super::ids::*;
use super::journal::Credential;
use super::model::*;
use super::refusal::Refusal;

/// What an operation comes to.
pub(super) type Outcome = Result<Answer, Refusal>;

/// One request at work on the world.
pub(super) struct Call<'a> {
    pub world: &'a mut World,
    pub request: &'a Request,
    pub credential: Credential,
    /// The permissions that would have done, as GitHub names them in a header.
    accepted: Option<String>,
}

/// Carries out a request.
pub(super) fn answer(world: &mut World, request: &Request, credential: Credential) -> Answer {
    let mut call = Call {
        world,
        request,
        credential,
        accepted: None,
    };
    let answer = call.route().unwrap_or_else(Answer::from);
    match call.accepted {
        Some(accepted) => answer.with("x-accepted-github-permissions", accepted),
        None => answer,
    }
}

/// The segments of a path, decoded.
fn segments(path: &str) -> Vec<String> {
    path.split('/').skip(1).map(percent_decoded).collect()
}

/// A text with its `%XX` replaced; what is no escape stands for itself, as does `+` in a path.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escape = after.get(..2).filter(|_| *first == b'%');
        let decoded = escape.and_then(|hex| data_encoding::HEXLOWER_PERMISSIVE.decode(hex).ok());
        match decoded {
            Some(byte) => {
                bytes.extend(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

impl Call<'_> {
    fn route(&mut self) -> Outcome {
        let segments = segments(&self.request.path);
        let parts: Vec<&str> = segments.iter().map(String::as_str).collect();
        match (self.request.method.as_str(), parts.as_slice()) {
            (_, ["app", rest @ ..]) => self.app(rest),
            ("GET", ["installation", "repositories"]) => self.installation_repositories(),
            ("GET", ["users", login]) => self.user(login),
            ("GET", ["user", id]) => self.user_by_id(AccountId(number(id)?)),
            ("GET", ["rate_limit"]) => self.rate_limit(),
            ("POST", ["graphql"]) => graphql::answer(self),
            (_, ["orgs", org, rest @ ..]) => self.org_routes(org, rest),
            (_, ["repos", owner, name, rest @ ..]) => self.named_repository(owner, name, rest),
            (_, ["repositories", id, rest @ ..]) => {
                let id = RepoId(number(id)?);
                let repo = self.world.live_repo(id)?.id;
                self.repository(repo, rest)
            }
            _ => Err(Refusal::not_found()),
        }
    }

    fn named_repository(&mut self, owner: &str, name: &str, rest: &[&str]) -> Outcome {
        if let Some(repo) = self.world.repo_named(owner, name) {
            let id = repo.id;
            return self.repository(id, rest);
        }
        let moved = self
            .world
            .repo_once_named(owner, name)
            .filter(|repo| self.sees(repo))
            .map(|repo| repo.id);
        let id = moved.ok_or_else(Refusal::not_found)?;
        let tail: String = self
            .request
            .path
            .splitn(5, '/')
            .nth(4)
            .map(|tail| format!("/{tail}"))
            .unwrap_or_default();
        let mut target = format!("{}/repositories/{id}{tail}", self.world.base);
        if !self.request.query.is_empty() {
            let mut pairs = url::form_urlencoded::Serializer::new(String::new());
            target = format!("{target}?{}", pairs.extend_pairs(&self.request.query).finish());
        }
        Ok(moved_to(&self.request.method, target))
    }

    fn repository(&mut self, id: RepoId, rest: &[&str]) -> Outcome {
        if !self.sees(self.world.live_repo(id)?) {
            return Err(Refusal::not_found());
        }
        match rest {
            [] | ["contents" | "collaborators" | "assignees" | "installation", ..] | ["commits"] => {
                self.repo_routes(id, rest)
            }
            ["labels", ..] => self.label_routes(id, rest),
            ["issues", "comments", rest @ ..] => self.comment_routes(id, rest),
            ["issues", rest @ ..] => self.issue_routes(id, rest),
            ["pulls", rest @ ..] => self.pull_routes(id, rest),
            ["check-runs"] if self.request.method == "POST" => self.create_check(id),
            ["commits", sha, what @ ("check-runs" | "status")] => self.on_commit(id, sha, what),
            _ => Err(Refusal::not_found()),
        }
    }

    /// Whether the asker may know that a repository exists.
    pub(super) fn sees(&self, repo: &Repo) -> bool {
        match (repo.visibility, self.credential) {
            (Visibility::Public, _) => true,
            (Visibility::Private, Credential::Installation(id)) => self.reached(id, repo),
            (Visibility::Private, Credential::App) => self.world.installation_of(repo).is_some(),
            (Visibility::Private, Credential::Anonymous | Credential::Refused) => false,
        }
    }

    fn reached(&self, id: InstallationId, repo: &Repo) -> bool {
        let chosen = token_of(self.world, self.request).and_then(|token| token.repositories.as_ref());
        self.world
            .installations
            .get(&id)
            .is_some_and(|installation| self.world.reaches(installation, repo))
            && chosen.is_none_or(|repos| repos.contains(&repo.id))
    }

    /// The App by its JWT, which nothing else can stand for.
    fn need_app(&self) -> Result<(), Refusal> {
        match self.credential {
            Credential::App => Ok(()),
            _ => Err(Refusal::new(401, "A JSON web token could not be decoded")),
        }
    }

    /// An installation that may do one of these, on this repository.
    pub(super) fn need(&mut self, repo: RepoId, any_of: &[(&str, Access)]) -> Result<Actor, Refusal> {
        let names: Vec<String> = any_of
            .iter()
            .map(|(name, access)| format!("{name}={}", access.name()))
            .collect();
        self.accepted = Some(names.join("; "));
        let reading = any_of.iter().all(|(_, access)| *access == Access::Read);
        let found = self.world.live_repo(repo)?;
        let public = found.visibility == Visibility::Public;
        let actor = Actor {
            account: self.world.app.bot,
            means: Means::App,
        };
        match self.credential {
            Credential::Installation(id) if self.reached(id, found) => {
                let installation = self.world.installations.get(&id);
                let token = token_of(self.world, self.request);
                let granted = any_of.iter().any(|(name, access)| {
                    *name == "metadata"
                        || (installation.and_then(|found| found.permissions.get(*name)) >= Some(access)
                            && token.and_then(|token| token.permissions.get(*name)) >= Some(access))
                });
                if granted { Ok(actor) } else { Err(inaccessible()) }
            }
            Credential::Installation(_) | Credential::Anonymous if reading && public => Ok(actor),
            Credential::Installation(_) => Err(if public { inaccessible() } else { Refusal::not_found() }),
            Credential::Anonymous => Err(Refusal::new(401, "Requires authentication")),
            Credential::App | Credential::Refused => Err(Refusal::new(401, "Bad credentials")),
        }
    }

    /// The issue of this number. One that moved answers with a redirect.
    fn issue(&self, repo: RepoId, text: &str) -> Result<Result<IssueId, Answer>, Refusal> {
        let wanted = IssueNumber(number(text)?);
        let issue = self
            .world
            .rest_issue_numbered(repo, wanted)
            .ok_or_else(Refusal::not_found)?;
        if let Fate::TransferredTo(new) = issue.fate
            && let Some(new) = self.world.issues.get(&new)
        {
            let old = format!("/issues/{text}");
            let tail = self.request.path.split_once(&old).map_or("", |(_, tail)| tail);
            let target = format!(
                "{}/repositories/{}/issues/{}{tail}",
                self.world.base, new.repo, new.number
            );
            return Ok(Err(moved_to(&self.request.method, target)));
        }
        self.world.live_issue(issue.id)?;
        Ok(Ok(issue.id))
    }

    fn page(&self, all: Vec<Value>) -> Answer {
        paged(&self.world.base, self.request, all)
    }
}

/// A permanent redirect; other methods than `GET` keep theirs.
fn moved_to(method: &str, target: String) -> Answer {
    let (status, message) = match method {
        "GET" | "HEAD" => (301, "Moved Permanently"),
        _ => (307, "Temporary Redirect"),
    };
    let body = json!({
        "message": message,
        "url": target,
        "documentation_url": "https://docs.github.com/rest/guides/best-practices-for-using-the-rest-api#follow-redirects",
    });
    Answer::new(status, body).with("location", target)
}

fn inaccessible() -> Refusal {
    Refusal::forbidden("Resource not accessible by integration")
}

fn number(text: &str) -> Result<u64, Refusal> {
    text.parse().map_err(|_| Refusal::not_found())
}

/// A member of the body that must be a text.
fn text_of<'a>(body: &'a Value, name: &str) -> Result<Option<&'a str>, Refusal> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(Refusal::new(
            422,
            &format!("Invalid request.\n\nFor 'properties/{name}', {other} is not a string."),
        )),
    }
}

/// A member of the body that must be a list of texts, or of objects with a name.
fn texts_of(value: &Value, name: &str) -> Result<Vec<String>, Refusal> {
    let wrong = || {
        Refusal::new(
            422,
            &format!("Invalid request.\n\nFor 'properties/{name}', {value} is not an array."),
        )
    };
    let items = value.as_array().ok_or_else(wrong)?;
    items
        .iter()
        .map(|item| {
            let text = item
                .as_str()
                .or_else(|| item["name"].as_str())
                .or_else(|| item["login"].as_str());
            text.map(str::to_owned).ok_or_else(wrong)
        })
        .collect()
}
