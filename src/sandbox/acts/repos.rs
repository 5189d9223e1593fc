//! Repositories, accounts and installations: what happens to the ground under the issues.

use serde_json::{Value, json};

use crate::sandbox::clock::stamp;
use crate::sandbox::ids::*;
use crate::sandbox::model::*;
use crate::sandbox::refusal::Refusal;
use crate::sandbox::render::repos::{repo_page, user};

/// Whether a repository takes writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Archival {
    Archived,
    Active,
}

/// Whether an installation reaches a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selection {
    Added,
    Removed,
}

impl Selection {
    fn action(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
        }
    }
}

/// What is pushed to a path.
#[derive(Debug)]
enum Content<'a> {
    Text(&'a str),
    Entry(Entry),
}

impl Repo {
    /// The first commit, with what the branch begins with; nothing where that is nothing.
    pub fn begin(&mut self) {
        if self.files.is_empty() && self.entries.is_empty() {
            return;
        }
        self.commits.push(Commit {
            sha: self.head.clone(),
            message: "First commit".to_owned(),
            path: None,
            author: self.owner,
            at: self.created_at,
        });
    }

    /// Keeps what stands at the newest commit, before another is made.
    fn keep(&mut self) {
        if self.commits.is_empty() {
            return;
        }
        let tree = Tree {
            files: self.files.clone(),
            entries: self.entries.clone(),
        };
        self.past.insert(self.head.clone(), tree);
    }
}

impl World {
    fn brief(&self, repo: &Repo) -> Value {
        json!({
            "id": repo.id,
            "node_id": node_id("R", repo.id.0),
            "name": repo.name,
            "full_name": self.full_name(repo),
            "private": repo.visibility == Visibility::Private,
        })
    }

    /// Gives the repository another name; the old one redirects.
    pub fn rename_repo(&mut self, actor: Actor, id: RepoId, name: &str) -> Result<(), Refusal> {
        self.must(actor, id, Level::Admin, "rename this repository")?;
        let repo = self.live_repo(id)?;
        let (old_full, old_name, owner) = (self.full_name(repo), repo.name.clone(), repo.owner);
        let owner = self.login(owner).to_owned();
        if self.repo_named(&owner, name).is_some() {
            return Err(Refusal::custom(
                "Repository",
                "name",
                "name already exists on this account",
            ));
        }
        let repo = self.live_repo_mut(id)?;
        repo.old_names.push(old_full.to_lowercase());
        name.clone_into(&mut repo.name);
        let changes = json!({ "changes": { "repository": { "name": { "from": old_name } } } });
        self.emit(id, "repository", Some("renamed"), actor.account, changes);
        Ok(())
    }

    /// Gives the repository another owner; the old name redirects. An installation that reaches only chosen
    /// repositories loses it.
    pub fn transfer_repo(&mut self, actor: Actor, id: RepoId, owner: AccountId) -> Result<(), Refusal> {
        self.must(actor, id, Level::Admin, "transfer this repository")?;
        let repo = self.live_repo(id)?;
        let old_full = self.full_name(repo).to_lowercase();
        let old_owner = repo.owner;
        let reached = self.installation_of(repo).map(|installation| installation.id);
        let repo = self.live_repo_mut(id)?;
        repo.old_names.push(old_full);
        repo.owner = owner;
        let kind = match self.accounts.get(&old_owner).map(|account| account.kind) {
            Some(AccountKind::Organization) => "organization",
            _ => "user",
        };
        let from = match self.accounts.get(&old_owner) {
            Some(account) if account.kind == AccountKind::Organization => {
                crate::sandbox::render::repos::organization(self, account)
            }
            _ => user(self, old_owner),
        };
        let changes = json!({ "changes": { "owner": { "from": { kind: from } } } });
        self.emit(id, "repository", Some("transferred"), actor.account, changes);
        let now_reached = self
            .installation_of(self.live_repo(id)?)
            .map(|installation| installation.id);
        if let Some(lost) = reached.filter(|lost| Some(*lost) != now_reached) {
            self.unreach(lost, id);
            self.emit_reach(lost, Selection::Removed, &[id], actor.account);
        }
        Ok(())
    }

    /// Archives a repository, which then can be read and not changed, or takes it out of the archive.
    pub fn archive_repo(&mut self, actor: Actor, id: RepoId, archival: Archival) -> Result<(), Refusal> {
        self.must(actor, id, Level::Admin, "archive this repository")?;
        self.live_repo_mut(id)?.archived = archival == Archival::Archived;
        let action = match archival {
            Archival::Archived => "archived",
            Archival::Active => "unarchived",
        };
        self.emit(id, "repository", Some(action), actor.account, json!({}));
        Ok(())
    }

    /// Deletes a repository with all that is in it.
    pub fn delete_repo(&mut self, actor: Actor, id: RepoId) -> Result<(), Refusal> {
        self.must(actor, id, Level::Admin, "delete this repository")?;
        let reached = self
            .installation_of(self.live_repo(id)?)
            .map(|installation| installation.id);
        self.emit(id, "repository", Some("deleted"), actor.account, json!({}));
        if let Some(installation) = reached {
            self.emit_reach(installation, Selection::Removed, &[id], actor.account);
            self.unreach(installation, id);
        }
        self.live_repo_mut(id)?.presence = Presence::Removed;
        Ok(())
    }

    fn unreach(&mut self, installation: InstallationId, repo: RepoId) {
        if let Some(Installation {
            reach: Reach::Selected(repos),
            ..
        }) = self.installations.get_mut(&installation)
        {
            repos.remove(&repo);
        }
    }

    fn emit_reach(&mut self, id: InstallationId, change: Selection, repos: &[RepoId], sender: AccountId) {
        let Some(installation) = self.installations.get(&id) else {
            return;
        };
        let list: Vec<Value> = repos
            .iter()
            .filter_map(|id| self.repos.get(id))
            .map(|repo| self.brief(repo))
            .collect();
        let (added, removed) = if change == Selection::Added {
            (list, Vec::new())
        } else {
            (Vec::new(), list)
        };
        let more = json!({
            "repository_selection": crate::sandbox::render::repos::selection(installation),
            "repositories_added": added,
            "repositories_removed": removed,
            "requester": null,
        });
        self.emit_installation(id, "installation_repositories", change.action(), sender, more);
    }

    /// Writes a file on the default branch, or deletes it, and pushes.
    pub fn push_file(&mut self, actor: Actor, id: RepoId, path: &str, text: Option<&str>) -> Result<String, Refusal> {
        self.push_to_default(actor, id, path, text.map(Content::Text))
    }

    /// Puts something that is no text on the default branch and pushes.
    pub fn push_entry(&mut self, actor: Actor, id: RepoId, path: &str, entry: Entry) -> Result<String, Refusal> {
        self.push_to_default(actor, id, path, Some(Content::Entry(entry)))
    }

    fn push_to_default(
        &mut self,
        actor: Actor,
        id: RepoId,
        path: &str,
        content: Option<Content<'_>>,
    ) -> Result<String, Refusal> {
        self.writable_repo(id)?;
        self.must(actor, id, Level::Write, "push to the default branch")?;
        let now = self.now();
        let repo = self.live_repo_mut(id)?;
        let before = repo.head.clone();
        let existed = repo.files.contains_key(path) || repo.entries.contains_key(path);
        let (verb, list) = match (&content, existed) {
            (Some(_), true) => ("Change", "modified"),
            (Some(_), false) => ("Add", "added"),
            (None, true) => ("Remove", "removed"),
            (None, false) => return Err(Refusal::not_found()),
        };
        let what = match &content {
            Some(Content::Text(text)) => (*text).to_owned(),
            Some(Content::Entry(entry)) => format!("{entry:?}"),
            None => String::new(),
        };
        let after = sha_of(&format!("{before} {verb} {path} {what}"));
        repo.keep();
        repo.files.remove(path);
        repo.entries.remove(path);
        match content {
            Some(Content::Text(text)) => drop(repo.files.insert(path.to_owned(), text.to_owned())),
            Some(Content::Entry(entry)) => drop(repo.entries.insert(path.to_owned(), entry)),
            None => {}
        }
        repo.head.clone_from(&after);
        repo.commits.push(Commit {
            sha: after.clone(),
            message: format!("{verb} {path}"),
            path: Some(path.to_owned()),
            author: actor.account,
            at: now,
        });
        repo.updated_at = now;
        let repo = self.live_repo(id)?;
        let login = self.login(actor.account);
        let who = json!({ "name": login, "email": format!("{login}@users.noreply.github.com"), "username": login });
        let page = repo_page(self, repo);
        let mut commit = json!({
            "id": after,
            "tree_id": sha_of(&format!("tree of {after}")),
            "distinct": true,
            "message": format!("{verb} {path}"),
            "timestamp": stamp(now),
            "url": format!("{page}/commit/{after}"),
            "author": who,
            "committer": who,
            "added": [], "removed": [], "modified": [],
        });
        crate::sandbox::render::repos::extend(&mut commit, json!({ list: [path] }));
        let payload = json!({
            "ref": format!("refs/heads/{}", repo.default_branch),
            "before": before,
            "after": after,
            "created": false,
            "deleted": false,
            "forced": false,
            "base_ref": null,
            "compare": format!("{page}/compare/{}...{}", &before[..12], &after[..12]),
            "commits": [commit],
            "head_commit": commit,
            "pusher": { "name": login, "email": format!("{login}@users.noreply.github.com") },
        });
        self.emit(id, "push", None, actor.account, payload);
        Ok(after)
    }

    /// Removes an account. What it wrote stays, as `ghost`'s; its rights are gone.
    pub fn remove_account(&mut self, id: AccountId) {
        if let Some(account) = self.accounts.get_mut(&id) {
            account.presence = Presence::Removed;
        }
        for repo in self.repos.values_mut() {
            repo.roles.remove(&id);
        }
        for issue in self.issues.values_mut() {
            issue.assignees.retain(|who| *who != id);
        }
    }

    /// Installs the App on an account.
    pub fn install(&mut self, sender: AccountId, account: AccountId, reach: Reach) -> InstallationId {
        let id = InstallationId(self.counters.next("installation", 90_000_001));
        let now = self.now();
        let rate = Rate {
            limit: 5_000,
            used: 0,
            resets_at: now + chrono::Duration::hours(1),
        };
        let permissions = self.app.permissions.clone();
        let installation = Installation {
            id,
            account,
            permissions,
            reach,
            presence: Presence::Present,
            created_at: now,
            rate,
        };
        self.installations.insert(id, installation);
        let more = json!({ "repositories": self.reached(id), "requester": null });
        self.emit_installation(id, "installation", "created", sender, without_null(more));
        id
    }

    /// Takes the App off an account; its tokens stop working.
    pub fn uninstall(&mut self, sender: AccountId, id: InstallationId) {
        let more = json!({ "repositories": self.reached(id) });
        self.emit_installation(id, "installation", "deleted", sender, more);
        if let Some(installation) = self.installations.get_mut(&id) {
            installation.presence = Presence::Removed;
        }
        self.tokens.retain(|token| token.installation != id);
    }

    fn reached(&self, id: InstallationId) -> Vec<Value> {
        let Some(installation) = self.installations.get(&id) else {
            return Vec::new();
        };
        self.reachable(installation).map(|repo| self.brief(repo)).collect()
    }

    /// The repositories that an installation reaches.
    pub fn reachable(&self, installation: &Installation) -> impl Iterator<Item = &Repo> {
        self.repos
            .values()
            .filter(move |repo| repo.presence == Presence::Present && self.reaches(installation, repo))
    }

    /// Adds a repository to what an installation reaches, or takes it away.
    pub fn set_reach(&mut self, sender: AccountId, id: InstallationId, repo: RepoId, change: Selection) {
        let all: std::collections::BTreeSet<RepoId> = match self.installations.get(&id) {
            Some(installation) => self.reachable(installation).map(|repo| repo.id).collect(),
            None => return,
        };
        if let Some(installation) = self.installations.get_mut(&id) {
            let mut repos = all;
            match change {
                Selection::Added => repos.insert(repo),
                Selection::Removed => repos.remove(&repo),
            };
            installation.reach = Reach::Selected(repos);
        }
        self.emit_reach(id, change, &[repo], sender);
    }
}

fn without_null(mut value: Value) -> Value {
    if let Some(map) = value.as_object_mut() {
        map.retain(|_, member| !member.is_null());
    }
    value
}
