//! Sub-issues, and which issue holds up which.

use crate::sandbox::ids::*;
use crate::sandbox::model::*;
use crate::sandbox::refusal::Refusal;

/// GitHub's limit of sub-issues under one parent, closed ones included.
const SUB_ISSUE_LIMIT: usize = 100;
/// GitHub's limit of issues in one kind of dependency.
const DEPENDENCY_LIMIT: usize = 50;

/// Whether a sub-issue may be taken from another parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adoption {
    OnlyOrphans,
    ReplaceParent,
}

fn refused(message: &str) -> Refusal {
    Refusal::new(422, message)
}

impl World {
    /// Puts one issue under another of the same owner.
    pub fn add_sub_issue(
        &mut self,
        actor: Actor,
        parent: IssueId,
        child: IssueId,
        adoption: Adoption,
    ) -> Result<(), Refusal> {
        let up = self.live_issue(parent)?;
        self.writable_repo(up.repo)?;
        self.must(actor, up.repo, Level::Triage, "add a sub-issue")?;
        let down = self
            .live_issue(child)
            .ok()
            .filter(|issue| !issue.is_discussion())
            .ok_or_else(|| Refusal::new(404, "The provided sub-issue does not exist"))?;
        if self.live_repo(up.repo)?.owner != self.live_repo(down.repo)?.owner {
            return Err(refused("Sub issue and parent issue must belong to the same owner"));
        }
        if up.children.contains(&child) {
            return Err(refused(
                "An error occured while adding the sub-issue to the parent issue. Issue may not contain duplicate sub-issues and Sub issue may only have one parent",
            ));
        }
        let mut above = Some(parent);
        while let Some(id) = above {
            if id == child {
                return Err(refused("Sub issue may not create a circular dependency"));
            }
            above = self.issues.get(&id).and_then(|issue| issue.parent);
        }
        if up.children.len() >= SUB_ISSUE_LIMIT {
            return Err(refused("Parent cannot have more than 100 sub-issues"));
        }
        match (down.parent, adoption) {
            (Some(old), Adoption::ReplaceParent) => self.remove_sub_issue(actor, old, child)?,
            (Some(_), Adoption::OnlyOrphans) => {
                return Err(refused(
                    "An error occured while adding the sub-issue to the parent issue. Sub issue may only have one parent",
                ));
            }
            (None, _) => {}
        }
        self.live_issue_mut(parent)?.children.push(child);
        self.live_issue_mut(child)?.parent = Some(parent);
        self.remember(parent, actor, Happened::SubIssueAdded);
        self.remember(child, actor, Happened::ParentAdded(parent));
        Ok(())
    }

    /// Takes an issue from under its parent.
    pub fn remove_sub_issue(&mut self, actor: Actor, parent: IssueId, child: IssueId) -> Result<(), Refusal> {
        let up = self.live_issue_mut(parent)?;
        if !up.children.contains(&child) {
            return Err(Refusal::not_found());
        }
        up.children.retain(|id| *id != child);
        if let Some(down) = self.issues.get_mut(&child) {
            down.parent = None;
        }
        self.remember(parent, actor, Happened::SubIssueRemoved);
        self.remember(child, actor, Happened::ParentRemoved(parent));
        Ok(())
    }

    /// Says that an issue waits for another.
    pub fn add_blocker(&mut self, actor: Actor, issue: IssueId, blocker: IssueId) -> Result<(), Refusal> {
        let found = self.live_issue(issue)?;
        self.writable_repo(found.repo)?;
        self.must(actor, found.repo, Level::Triage, "add a dependency")?;
        self.live_issue(blocker)
            .map_err(|_| Refusal::new(404, "The provided issue does not exist"))?;
        if issue == blocker {
            return Err(refused("An issue cannot be blocked by itself"));
        }
        if found.blocked_by.contains(&blocker) {
            return Err(refused("Validation failed: Target issue has already been taken"));
        }
        if found.blocked_by.len() >= DEPENDENCY_LIMIT {
            return Err(refused(
                "Validation failed: Issue has reached the limit of 50 blocked by dependencies",
            ));
        }
        self.live_issue_mut(issue)?.blocked_by.push(blocker);
        self.remember(issue, actor, Happened::BlockedByAdded(blocker));
        self.remember(blocker, actor, Happened::BlockingAdded(issue));
        Ok(())
    }

    /// Says that an issue waits no longer for another.
    pub fn remove_blocker(&mut self, actor: Actor, issue: IssueId, blocker: IssueId) -> Result<(), Refusal> {
        let found = self.live_issue_mut(issue)?;
        if !found.blocked_by.contains(&blocker) {
            return Err(Refusal::not_found());
        }
        found.blocked_by.retain(|id| *id != blocker);
        self.remember(issue, actor, Happened::BlockedByRemoved(blocker));
        self.remember(blocker, actor, Happened::BlockingRemoved(issue));
        Ok(())
    }
}
