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
            ("GET", ["commits"]) => {
                self.need(id, &[("contents", Access::Read)])?;
                self.commits(id)
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

    /// The commits of the default branch, the newest first.
    fn commits(&self, id: RepoId) -> Outcome {
        let repo = self.world.live_repo(id)?;
        if repo.commits.is_empty() {
            return Err(Refusal::new(409, "Git Repository is empty."));
        }
        let from = match self.request.param("sha") {
            None => repo.commits.len(),
            Some(sha) if sha == repo.default_branch => repo.commits.len(),
            Some(sha) => match repo.commits.iter().position(|commit| commit.sha == sha) {
                Some(at) => at + 1,
                None => return Err(Refusal::new(404, &format!("No commit found for SHA: {sha}"))),
            },
        };
        let wanted = self.request.param("path");
        let touches = |commit: &Commit| match (wanted, &commit.path) {
            (None, _) | (_, None) => true,
            (Some(wanted), Some(path)) => path == wanted || path.starts_with(&format!("{wanted}/")),
        };
        let commits = (0..from).rev().filter(|at| touches(&repo.commits[*at]));
        let shown = commits.map(|at| render::commit(self.world, repo, at)).collect();
        Ok(self.page(shown))
    }

    fn contents(&self, id: RepoId, path: &str) -> Outcome {
        let repo = self.world.live_repo(id)?;
        let reference = self.request.param("ref");
        let pull = reference.and_then(|reference| {
            let heads = self.world.issues.values().filter(|issue| issue.repo == id);
            let mut pulls = heads.filter_map(|issue| issue.pull());
            pulls.find(|pull| pull.head_sha == reference)
        });
        match pull.and_then(|pull| pull.contents.get(path)) {
            Some(Some(text)) => return Ok(self.file(repo, path, text.as_bytes())),
            Some(None) => return Err(Refusal::not_found()),
            None => {}
        }
        // What a pull request leaves alone is as it is on the default branch.
        let Some(tree) = repo.tree(reference.filter(|_| pull.is_none())) else {
            let reference = reference.unwrap_or_default();
            return Err(Refusal::new(404, &format!("No commit found for the ref {reference}")));
        };
        if let Some(text) = tree.files.get(path) {
            let raw = self
                .request
                .headers
                .get("accept")
                .is_some_and(|accept| accept.contains("raw"));
            if raw {
                return Ok(Answer::ok(Value::from(text.as_str())));
            }
            return Ok(self.file(repo, path, text.as_bytes()));
        }
        match tree.entries.get(path) {
            Some(Entry::Bytes(bytes)) => return Ok(self.file(repo, path, bytes)),
            Some(Entry::Link(target)) => {
                let led = led_to(path, target).and_then(|led| tree.files.get(&led));
                return Ok(match led {
                    Some(text) => self.file(repo, path, text.as_bytes()),
                    None => self.odd(repo, path, "symlink", target.len(), json!({ "target": target })),
                });
            }
            Some(Entry::Submodule(url)) => {
                return Ok(self.odd(repo, path, "submodule", 0, json!({ "submodule_git_url": url })));
            }
            None => {}
        }
        self.folder(repo, &tree, path)
    }

    fn folder(&self, repo: &Repo, tree: &Tree, path: &str) -> Outcome {
        let prefix = if path.is_empty() {
            String::new()
        } else {
            format!("{path}/")
        };
        let files = tree
            .files
            .iter()
            .map(|(name, text)| (name, "file", text.len(), sha_of(text)));
        let odd = tree.entries.iter().map(|(name, entry)| match entry {
            Entry::Bytes(bytes) => (name, "file", bytes.len(), sha_of(&format!("{bytes:?}"))),
            Entry::Link(target) => (name, "symlink", target.len(), sha_of(target)),
            // "For backwards compatibility": a submodule is listed as a file.
            Entry::Submodule(url) => (name, "file", 0, sha_of(url)),
        });
        let mut entries: Vec<Value> = Vec::new();
        let mut seen = std::collections::BTreeSet::new();
        for (name, kind, size, sha) in files.chain(odd).filter(|(name, ..)| name.starts_with(&prefix)) {
            let below = &name[prefix.len()..];
            let (first, kind, size) = match below.split_once('/') {
                Some((directory, _)) => (directory, "dir", 0),
                None => (below, kind, size),
            };
            if seen.insert(first.to_owned()) {
                let mut entry = self.entry(repo, &format!("{prefix}{first}"), kind, size);
                if kind != "dir" {
                    render::extend(&mut entry, json!({ "sha": sha }));
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

    /// A file. Of one over 1 MB GitHub tells all but the content.
    fn file(&self, repo: &Repo, path: &str, bytes: &[u8]) -> Answer {
        let mut file = self.entry(repo, path, "file", bytes.len());
        let (encoding, content) = match bytes.len() <= LARGEST {
            true => ("base64", wrapped(bytes)),
            false => ("none", String::new()),
        };
        let sha = match std::str::from_utf8(bytes) {
            Ok(text) => sha_of(text),
            Err(_) => sha_of(&format!("{bytes:?}")),
        };
        render::extend(
            &mut file,
            json!({ "encoding": encoding, "content": content, "sha": sha }),
        );
        Answer::ok(file)
    }

    /// What is neither a file nor a folder.
    fn odd(&self, repo: &Repo, path: &str, kind: &str, size: usize, more: Value) -> Answer {
        let mut odd = self.entry(repo, path, kind, size);
        render::extend(&mut odd, json!({ "download_url": null }));
        render::extend(&mut odd, more);
        Answer::ok(odd)
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

/// The largest file whose content the API gives
/// (<https://docs.github.com/rest/repos/contents#get-repository-content>).
const LARGEST: usize = 1024 * 1024;

/// Where a link leads within the repository.
fn led_to(path: &str, target: &str) -> Option<String> {
    let mut names: Vec<&str> = path.split('/').collect();
    names.pop();
    if target.starts_with('/') {
        return None;
    }
    for name in target.split('/') {
        match name {
            "." | "" => {}
            ".." => names.pop().map(drop)?,
            name => names.push(name),
        }
    }
    Some(names.join("/"))
}

/// Base64 in lines of 60 characters, as GitHub sends it.
fn wrapped(bytes: &[u8]) -> String {
    let encoded = BASE64.encode(bytes);
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
