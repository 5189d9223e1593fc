//! A repository, its files, its people.

use data_encoding::BASE64;
use serde_json::{Value, json};

use super::{Call, Outcome};
use crate::sandbox::answer::Answer;
use crate::sandbox::ids::*;
use crate::sandbox::model::*;
use crate::sandbox::refusal::Refusal;
use crate::sandbox::render::repos as render;

impl Call<'_> {
    pub(super) fn repo_routes(&mut self, id: RepoId, rest: &[&str]) -> Outcome {
        let metadata = [("metadata", Access::Read)];
        match (self.request.method.as_str(), rest) {
            ("GET", ["installation"]) => {
                self.need_app()?;
                let repo = self.world.live_repo(id)?;
                let found = self.world.installation_of(repo).ok_or_else(Refusal::not_found)?;
                Ok(Answer::ok(render::installation(self.world, found)))
            }
            ("GET", []) => {
                self.need(id, &metadata)?;
                let repo = self.world.live_repo(id)?;
                Ok(Answer::ok(render::full_repository(self.world, repo, Level::Read)))
            }
            ("GET", ["contents", path @ ..]) => {
                self.need(id, &[("contents", Access::Read)])?;
                self.contents(id, &path.join("/"))
            }
            ("GET", ["collaborators", login, "permission"]) => {
                self.need(id, &metadata)?;
                self.permission(id, login)
            }
            ("GET", ["collaborators"]) => {
                self.need(id, &metadata)?;
                self.collaborators(id)
            }
            ("GET", ["assignees", login]) => {
                self.need(id, &metadata)?;
                let repo = self.world.live_repo(id)?;
                let account = self.world.account_named(login);
                let assignable = account.is_some_and(|account| self.world.can_be_assigned(repo, account));
                if assignable {
                    Ok(Answer::empty(204))
                } else {
                    Err(Refusal::not_found())
                }
            }
            ("GET", ["assignees"]) => {
                self.need(id, &metadata)?;
                let repo = self.world.live_repo(id)?;
                let people = self
                    .world
                    .accounts
                    .values()
                    .filter(|account| account.presence == Presence::Present);
                let assignable = people.filter(|account| self.world.can_be_assigned(repo, account));
                let shown = assignable.map(|account| render::user(self.world, account.id)).collect();
                Ok(self.page(shown))
            }
            _ => Err(Refusal::not_found()),
        }
    }

    fn permission(&self, id: RepoId, login: &str) -> Outcome {
        let repo = self.world.live_repo(id)?;
        let account = self
            .world
            .account_named(login)
            .ok_or_else(|| Refusal::new(404, &format!("{login} is not a user")))?;
        let base = repo.role(account.id).base();
        let permission = match repo.visibility {
            Visibility::Public => base.max(Level::Read),
            Visibility::Private => base,
        };
        Ok(Answer::ok(json!({
            "permission": permission.legacy_permission(),
            "role_name": render::role_name(repo, account.id),
            "user": render::collaborator(self.world, repo, account.id),
        })))
    }

    fn collaborators(&self, id: RepoId) -> Outcome {
        let repo = self.world.live_repo(id)?;
        let least = match self.request.param("permission") {
            None | Some("pull") => Level::Read,
            Some("triage") => Level::Triage,
            Some("push") => Level::Write,
            Some("maintain") => Level::Maintain,
            Some("admin") => Level::Admin,
            Some(_) => return Err(Refusal::field("Collaborator", "permission", "invalid")),
        };
        let people = repo.roles.iter().filter(|(_, role)| role.effective() >= least);
        let shown: Vec<Value> = people
            .map(|(account, _)| render::collaborator(self.world, repo, *account))
            .collect();
        Ok(self.page(shown))
    }

    fn contents(&self, id: RepoId, path: &str) -> Outcome {
        let repo = self.world.live_repo(id)?;
        if let Some(reference) = self.request.param("ref") {
            let branch = reference.strip_prefix("refs/heads/").unwrap_or(reference);
            let heads = self.world.issues.values().filter(|issue| issue.repo == id);
            let mut pulls = heads.filter_map(|issue| issue.pull());
            let pull = pulls.find(|pull| pull.head_sha == reference);
            match pull.and_then(|pull| pull.contents.get(path)) {
                Some(Some(text)) => return Ok(self.file(repo, path, text)),
                Some(None) => return Err(Refusal::not_found()),
                None => {}
            }
            let known = branch == repo.default_branch || reference == repo.head || reference == "HEAD";
            if !known && pull.is_none() {
                return Err(Refusal::new(404, &format!("No commit found for the ref {reference}")));
            }
        }
        if let Some(text) = repo.files.get(path) {
            let raw = self
                .request
                .headers
                .get("accept")
                .is_some_and(|accept| accept.contains("raw"));
            if raw {
                return Ok(Answer::ok(Value::from(text.as_str())));
            }
            return Ok(self.file(repo, path, text));
        }
        let prefix = if path.is_empty() {
            String::new()
        } else {
            format!("{path}/")
        };
        let mut entries: Vec<Value> = Vec::new();
        let mut seen = std::collections::BTreeSet::new();
        for (name, text) in repo.files.iter().filter(|(name, _)| name.starts_with(&prefix)) {
            let below = &name[prefix.len()..];
            let (first, kind, size) = match below.split_once('/') {
                Some((directory, _)) => (directory, "dir", 0),
                None => (below, "file", text.len()),
            };
            if seen.insert(first.to_owned()) {
                let mut entry = self.entry(repo, &format!("{prefix}{first}"), kind, size);
                if kind == "file" {
                    render::extend(&mut entry, json!({ "sha": sha_of(text) }));
                }
                entries.push(entry);
            }
        }
        if entries.is_empty() {
            Err(Refusal::not_found())
        } else {
            Ok(Answer::ok(entries.into()))
        }
    }

    fn file(&self, repo: &Repo, path: &str, text: &str) -> Answer {
        let mut file = self.entry(repo, path, "file", text.len());
        render::extend(
            &mut file,
            json!({ "encoding": "base64", "content": wrapped(text), "sha": sha_of(text) }),
        );
        Answer::ok(file)
    }

    fn entry(&self, repo: &Repo, path: &str, kind: &str, size: usize) -> Value {
        let sha = sha_of(&format!("{kind} {path}"));
        let encoded: Vec<String> = path.split('/').map(render::path_encode).collect();
        let encoded = encoded.join("/");
        let branch = &repo.default_branch;
        let api = render::repo_url(self.world, repo);
        let url = format!("{api}/contents/{encoded}?ref={branch}");
        let page = format!(
            "{}/{}/{branch}/{encoded}",
            render::repo_page(self.world, repo),
            if kind == "dir" { "tree" } else { "blob" }
        );
        let git = format!("{api}/git/{}/{sha}", if kind == "dir" { "trees" } else { "blobs" });
        let raw = format!("{}/raw/{branch}/{encoded}", render::repo_page(self.world, repo));
        json!({
            "type": kind,
            "size": size,
            "name": path.rsplit('/').next(),
            "path": path,
            "sha": sha,
            "url": url,
            "git_url": git,
            "html_url": page,
            "download_url": (kind == "file").then_some(raw),
            "_links": { "self": url, "git": git, "html": page },
        })
    }
}

/// Base64 in lines of 60 characters, as GitHub sends it.
fn wrapped(text: &str) -> String {
    let encoded = BASE64.encode(text.as_bytes());
    let mut out = String::with_capacity(encoded.len() + encoded.len() / 60 + 1);
    for (index, character) in encoded.chars().enumerate() {
        if index > 0 && index % 60 == 0 {
            out.push('\n');
        }
        out.push(character);
    }
    out.push('\n');
    out
}
