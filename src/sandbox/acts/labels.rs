//! Labels of a repository and on an issue.

use serde_json::json;

use crate::sandbox::ids::*;
use crate::sandbox::model::*;
use crate::sandbox::refusal::Refusal;
use crate::sandbox::render::repos::label;

/// The colour that GitHub gives to labels made by being used.
const DEFAULT_COLOR: &str = "ededed";

impl World {
    /// Makes a label. 422 when there is one of that name, whatever its case.
    pub fn create_label(
        &mut self,
        repo: RepoId,
        name: &str,
        color: Option<&str>,
        description: Option<&str>,
    ) -> Result<LabelId, Refusal> {
        if self.writable_repo(repo)?.label_named(name).is_some() {
            return Err(Refusal::field("Label", "name", "already_exists"));
        }
        if name.trim().is_empty() {
            return Err(Refusal::field("Label", "name", "missing_field"));
        }
        if name.chars().count() > 50 {
            return Err(Refusal::custom(
                "Label",
                "name",
                "name is too long (maximum is 50 characters)",
            ));
        }
        let color = color.unwrap_or(DEFAULT_COLOR);
        if color.len() != 6 || !color.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(Refusal::field("Label", "color", "invalid"));
        }
        if description.is_some_and(|text| text.chars().count() > 100) {
            let message = "description is too long (maximum is 100 characters)";
            return Err(Refusal::custom("Label", "description", message));
        }
        let id = LabelId(self.counters.next("label", 6_100_000_001));
        self.live_repo_mut(repo)?.labels.push(Label {
            id,
            name: name.to_owned(),
            color: color.to_lowercase(),
            description: description.map(str::to_owned),
        });
        Ok(id)
    }

    /// Deletes a label: it is on nothing any more. Of that no issue's event tells.
    pub fn delete_label(&mut self, actor: Actor, repo: RepoId, name: &str) -> Result<(), Refusal> {
        let label = self.writable_repo(repo)?.label_named(name).map(|label| label.id);
        let label = label.ok_or_else(Refusal::not_found)?;
        self.must(actor, repo, Level::Write, "delete a label")?;
        self.live_repo_mut(repo)?.labels.retain(|present| present.id != label);
        for issue in self.issues.values_mut() {
            issue.labels.retain(|present| *present != label);
        }
        Ok(())
    }

    /// The label of this name, made if the repository lacks it.
    pub fn label_for(&mut self, repo: RepoId, name: &str) -> Result<LabelId, Refusal> {
        match self.live_repo(repo)?.label_named(name) {
            Some(label) => Ok(label.id),
            None => self.create_label(repo, name, None, None),
        }
    }

    fn label_of(&self, id: IssueId, wanted: LabelId) -> Option<(&Repo, &Label)> {
        let repo = self.repos.get(&self.issues.get(&id)?.repo)?;
        Some((repo, repo.labels.iter().find(|label| label.id == wanted)?))
    }

    /// Writes into the history that a label was set.
    pub fn remember_label(&mut self, id: IssueId, actor: Actor, label: LabelId) {
        let found = self
            .label_of(id, label)
            .map(|(_, label)| (label.name.clone(), label.color.clone()));
        if let Some((name, color)) = found {
            self.remember(id, actor, Happened::Labeled { name, color });
        }
    }

    /// Sends `labeled` or `unlabeled`.
    pub fn emit_label(&mut self, id: IssueId, action: &str, sender: AccountId, wanted: LabelId) {
        let shape = self.label_of(id, wanted).map(|(repo, found)| label(self, repo, found));
        if let Some(shape) = shape {
            self.emit_issue(id, action, sender, json!({ "label": shape }));
        }
    }

    /// Sets labels on an issue; those that are there already cause nothing.
    pub fn add_labels(&mut self, actor: Actor, id: IssueId, names: &[String]) -> Result<(), Refusal> {
        let repo = self.live_issue(id)?.repo;
        self.writable_repo(repo)?;
        self.must(actor, repo, Level::Triage, "label this")?;
        for name in names {
            let label = self.label_for(repo, name)?;
            let issue = self.live_issue_mut(id)?;
            if !issue.labels.contains(&label) {
                issue.labels.push(label);
                self.remember_label(id, actor, label);
                self.emit_label(id, "labeled", actor.account, label);
            }
        }
        Ok(())
    }

    /// Takes a label off; 404 when it is not on the issue.
    pub fn remove_label(&mut self, actor: Actor, id: IssueId, name: &str) -> Result<(), Refusal> {
        let repo = self.live_issue(id)?.repo;
        self.writable_repo(repo)?;
        self.must(actor, repo, Level::Triage, "unlabel this")?;
        let label = self.live_repo(repo)?.label_named(name).cloned();
        let issue = self.live_issue_mut(id)?;
        let label = label.filter(|label| issue.labels.contains(&label.id));
        let label = label.ok_or_else(|| Refusal::new(404, "Label does not exist"))?;
        issue.labels.retain(|present| *present != label.id);
        self.remember(
            id,
            actor,
            Happened::Unlabeled {
                name: label.name.clone(),
                color: label.color.clone(),
            },
        );
        self.emit_label(id, "unlabeled", actor.account, label.id);
        Ok(())
    }

    /// Makes these the labels of an issue.
    pub fn set_labels(&mut self, actor: Actor, id: IssueId, names: &[String]) -> Result<(), Refusal> {
        let present = self.label_names(self.live_issue(id)?);
        self.add_labels(actor, id, names)?;
        for name in present
            .iter()
            .filter(|name| !names.iter().any(|wanted| wanted.eq_ignore_ascii_case(name)))
        {
            self.remove_label(actor, id, name)?;
        }
        Ok(())
    }
}
