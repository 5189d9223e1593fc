//! What people do on the site. Each verb is what one sees on GitHub's pages, refused with GitHub's reasons.

use super::Sandbox;
use super::acts::comments::ReactionTarget;
use super::acts::issues::{NewIssue, StateChange};
use super::acts::repos::Archival;
use super::ids::*;
use super::model::*;
use super::refusal::Refusal;

/// What a verb comes to: done, or refused as GitHub would.
pub type Done<T> = Result<T, Refusal>;

/// Which box of a task list is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BoxRef {
    /// The first is 1.
    Nth(usize),
    /// The first whose line contains this text.
    Text(String),
}

impl From<usize> for BoxRef {
    fn from(nth: usize) -> Self {
        Self::Nth(nth)
    }
}

impl From<&str> for BoxRef {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// Whether a box is ticked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tick {
    On,
    Off,
}

/// Somebody at work in one repository.
#[derive(Clone)]
pub struct Person {
    sandbox: Sandbox,
    actor: Actor,
}

impl Person {
    pub(super) fn new(sandbox: Sandbox, account: AccountId) -> Self {
        Self {
            sandbox,
            actor: Actor {
                account,
                means: Means::Site,
            },
        }
    }

    /// The person's numeric id.
    pub fn id(&self) -> AccountId {
        self.actor.account
    }

    fn act<T>(&self, act: impl FnOnce(&mut World, Actor) -> Done<T>) -> Done<T> {
        let actor = self.actor;
        self.sandbox.shared.with(|world| act(world, actor))
    }

    fn on_issue<T>(&self, n: IssueNumber, act: impl FnOnce(&mut World, Actor, IssueId) -> Done<T>) -> Done<T> {
        let repo = self.sandbox.focus;
        self.act(|world, actor| {
            let id = world
                .issue_numbered(repo, n)
                .map(|issue| issue.id)
                .ok_or_else(Refusal::not_found)?;
            act(world, actor, id)
        })
    }

    fn number(world: &World, id: IssueId) -> IssueNumber {
        world.issues.get(&id).map_or(IssueNumber(0), |issue| issue.number)
    }

    /// Opens an issue.
    pub fn open_issue(&self, title: &str, body: &str) -> Done<IssueNumber> {
        let repo = self.sandbox.focus;
        let new = NewIssue {
            title: title.to_owned(),
            body: body.to_owned(),
            ..NewIssue::default()
        };
        self.act(|world, actor| world.open_issue(actor, repo, &new).map(|id| Self::number(world, id)))
    }

    /// Starts a discussion.
    pub fn start_discussion(&self, title: &str, body: &str) -> Done<IssueNumber> {
        let repo = self.sandbox.focus;
        self.act(|world, actor| {
            world
                .start_discussion(actor, repo, title, body)
                .map(|id| Self::number(world, id))
        })
    }

    /// Replies to a comment of a discussion.
    pub fn reply(&self, to: CommentId, body: &str) -> Done<CommentId> {
        self.act(|world, actor| world.reply_in_discussion(actor, to, body))
    }

    /// Changes an issue's title, text or both.
    pub fn edit_issue(&self, n: IssueNumber, title: Option<&str>, body: Option<&str>) -> Done<()> {
        self.on_issue(n, |world, actor, id| world.edit_issue(actor, id, title, body))
    }

    /// Comments on an issue, a pull request or a discussion.
    pub fn comment(&self, n: IssueNumber, body: &str) -> Done<CommentId> {
        self.on_issue(n, |world, actor, id| world.add_comment(actor, id, body))
    }

    /// Changes a comment.
    pub fn edit_comment(&self, id: CommentId, body: &str) -> Done<()> {
        self.act(|world, actor| world.edit_comment(actor, id, body))
    }

    /// Deletes a comment.
    pub fn delete_comment(&self, id: CommentId) -> Done<()> {
        self.act(|world, actor| world.delete_comment(actor, id))
    }

    /// Ticks a box in a comment, or unticks it: an edit of the comment, as on GitHub.
    pub fn tick(&self, id: CommentId, which: impl Into<BoxRef>, tick: Tick) -> Done<()> {
        let which = which.into();
        self.act(|world, actor| {
            let body = ticked(&world.live_comment(id)?.text.body, &which, tick)?;
            world.edit_comment(actor, id, &body)
        })
    }

    /// Ticks a box in the text of an issue, or unticks it.
    pub fn tick_issue(&self, n: IssueNumber, which: impl Into<BoxRef>, tick: Tick) -> Done<()> {
        let which = which.into();
        self.on_issue(n, |world, actor, id| {
            let body = ticked(&world.live_issue(id)?.text.body, &which, tick)?;
            world.edit_issue(actor, id, None, Some(&body))
        })
    }

    /// Reacts to a comment.
    pub fn react(&self, id: CommentId, content: &str) -> Done<()> {
        self.act(|world, actor| world.react(actor, ReactionTarget::Comment(id), content).map(|_| ()))
    }

    /// Sets a label, made when the repository lacks it.
    pub fn label(&self, n: IssueNumber, name: &str) -> Done<()> {
        self.on_issue(n, |world, actor, id| world.add_labels(actor, id, &[name.to_owned()]))
    }

    /// Takes a label off.
    pub fn unlabel(&self, n: IssueNumber, name: &str) -> Done<()> {
        self.on_issue(n, |world, actor, id| world.remove_label(actor, id, name))
    }

    /// Deletes a label of the repository, which takes it off everything.
    pub fn delete_label(&self, name: &str) -> Done<()> {
        let repo = self.sandbox.focus;
        self.act(|world, actor| world.delete_label(actor, repo, name))
    }

    /// Makes exactly these people the assignees.
    pub fn assign(&self, n: IssueNumber, logins: &[&str]) -> Done<()> {
        let logins: Vec<String> = logins.iter().map(|login| (*login).to_owned()).collect();
        self.on_issue(n, |world, actor, id| world.set_assignees(actor, id, &logins))
    }

    /// Closes an issue as completed, or a pull request.
    pub fn close(&self, n: IssueNumber) -> Done<()> {
        self.on_issue(n, |world, actor, id| {
            world.set_state(actor, id, StateChange::Close { reason: "completed" })
        })
    }

    /// Opens a closed one again.
    pub fn reopen(&self, n: IssueNumber) -> Done<()> {
        self.on_issue(n, |world, actor, id| world.set_state(actor, id, StateChange::Reopen))
    }

    /// Locks the conversation.
    pub fn lock(&self, n: IssueNumber) -> Done<()> {
        self.on_issue(n, |world, actor, id| {
            world.set_lock(actor, id, Lock::Locked(Some("resolved")))
        })
    }

    /// Unlocks the conversation.
    pub fn unlock(&self, n: IssueNumber) -> Done<()> {
        self.on_issue(n, |world, actor, id| world.set_lock(actor, id, Lock::Unlocked))
    }

    /// Deletes an issue for good.
    pub fn delete_issue(&self, n: IssueNumber) -> Done<()> {
        self.on_issue(n, |world, actor, id| world.delete_issue(actor, id))
    }

    /// Moves an issue to another repository of the same owner and tells its number there.
    pub fn transfer_issue(&self, n: IssueNumber, to: &str) -> Done<IssueNumber> {
        let target = self.sandbox.find(to).ok_or_else(Refusal::not_found)?.focus;
        self.on_issue(n, |world, actor, id| {
            world
                .transfer_issue(actor, id, target)
                .map(|id| Self::number(world, id))
        })
    }

    /// Puts an issue under another.
    pub fn add_sub_issue(&self, parent: IssueNumber, child: IssueNumber) -> Done<()> {
        let repo = self.sandbox.focus;
        self.on_issue(parent, |world, actor, id| {
            let child = world
                .issue_numbered(repo, child)
                .map(|issue| issue.id)
                .ok_or_else(Refusal::not_found)?;
            world.add_sub_issue(actor, id, child, super::acts::links::Adoption::OnlyOrphans)
        })
    }

    /// Opens a pull request from a branch.
    pub fn open_pull(&self, title: &str, body: &str, branch: &str) -> Done<IssueNumber> {
        let repo = self.sandbox.focus;
        self.act(|world, actor| {
            world
                .open_pull(actor, repo, title, body, branch)
                .map(|id| Self::number(world, id))
        })
    }

    /// Pushes to a pull request's branch and tells the new head.
    pub fn push(&self, n: IssueNumber) -> Done<String> {
        self.on_issue(n, |world, actor, id| world.push_to_pull(actor, id))
    }

    /// Pushes a file to a pull request's branch, or its deletion, and tells the new head.
    pub fn propose(&self, n: IssueNumber, path: &str, text: Option<&str>) -> Done<String> {
        self.on_issue(n, |world, actor, id| world.push_file_to_pull(actor, id, path, text))
    }

    /// Sets how a check stands on the head of a pull request: GitHub's word for its conclusion, none while it runs.
    pub fn check(&self, n: IssueNumber, name: &str, conclusion: Option<&str>) -> Done<()> {
        self.on_issue(n, |world, actor, id| world.set_check(actor, id, name, conclusion))
    }

    /// Sets a commit status on the head of a pull request: `error`, `failure`, `pending` or `success`.
    pub fn status(&self, n: IssueNumber, context: &str, state: &str) -> Done<()> {
        self.on_issue(n, |world, actor, id| world.set_status(actor, id, context, state))
    }

    /// Has a pull request change these paths.
    pub fn changes(&self, n: IssueNumber, paths: &[&str]) -> Done<()> {
        self.on_issue(n, |world, _, id| world.set_pull_files(id, paths))
    }

    /// Merges a pull request.
    pub fn merge(&self, n: IssueNumber) -> Done<()> {
        self.on_issue(n, |world, actor, id| world.merge_pull(actor, id))
    }

    /// Submits a review.
    pub fn review(&self, n: IssueNumber, state: ReviewState, body: &str) -> Done<ReviewId> {
        self.on_issue(n, |world, actor, id| world.submit_review(actor, id, state, body))
    }

    /// Comments on a line of a pull request.
    pub fn line_comment(&self, n: IssueNumber, path: &str, line: u64, body: &str) -> Done<CommentId> {
        self.on_issue(n, |world, actor, id| {
            world.add_line_comment(actor, id, path, line, body)
        })
    }

    /// Writes a file on the default branch.
    pub fn set_file(&self, path: &str, text: &str) -> Done<String> {
        let repo = self.sandbox.focus;
        self.act(|world, actor| world.push_file(actor, repo, path, Some(text)))
    }

    /// Puts something that is no text on the default branch.
    pub fn set_entry(&self, path: &str, entry: Entry) -> Done<String> {
        let repo = self.sandbox.focus;
        self.act(|world, actor| world.push_entry(actor, repo, path, entry))
    }

    /// Deletes a file on the default branch.
    pub fn delete_file(&self, path: &str) -> Done<String> {
        let repo = self.sandbox.focus;
        self.act(|world, actor| world.push_file(actor, repo, path, None))
    }

    /// Gives the repository another name.
    pub fn rename_repo(&self, name: &str) -> Done<()> {
        let repo = self.sandbox.focus;
        self.act(|world, actor| world.rename_repo(actor, repo, name))
    }

    /// Gives the repository another owner, who is made when there is none of that login.
    pub fn transfer_repo(&self, owner: &str) -> Done<()> {
        let repo = self.sandbox.focus;
        self.act(|world, actor| {
            let owner = world.account_or_new(owner);
            world.transfer_repo(actor, repo, owner)
        })
    }

    /// Archives the repository.
    pub fn archive(&self) -> Done<()> {
        let repo = self.sandbox.focus;
        self.act(|world, actor| world.archive_repo(actor, repo, Archival::Archived))
    }

    /// Takes the repository out of the archive.
    pub fn unarchive(&self) -> Done<()> {
        let repo = self.sandbox.focus;
        self.act(|world, actor| world.archive_repo(actor, repo, Archival::Active))
    }

    /// Deletes the repository.
    pub fn delete_repo(&self) -> Done<()> {
        let repo = self.sandbox.focus;
        self.act(|world, actor| world.delete_repo(actor, repo))
    }
}

/// A text with one box set or cleared.
fn ticked(body: &str, which: &BoxRef, tick: Tick) -> Done<String> {
    let mut out = String::with_capacity(body.len());
    let (mut seen, mut done, mut fenced) = (0, false, false);
    for line in body.split_inclusive('\n') {
        let start = line.trim_start();
        if start.starts_with("```") || start.starts_with("~~~") {
            fenced = !fenced;
        }
        let mark = box_at(line).filter(|_| !fenced && !done);
        let Some(mark) = mark else {
            out.push_str(line);
            continue;
        };
        seen += 1;
        let meant = match which {
            BoxRef::Nth(nth) => seen == *nth,
            BoxRef::Text(text) => line.contains(text.as_str()),
        };
        if meant {
            done = true;
            out.push_str(&line[..mark]);
            out.push(if tick == Tick::On { 'x' } else { ' ' });
            out.push_str(&line[mark + 1..]);
        } else {
            out.push_str(line);
        }
    }
    if done {
        Ok(out)
    } else {
        Err(Refusal::new(422, "There is no such box in this text."))
    }
}

/// Where the mark of a task list item stands in a line, when the line is one.
fn box_at(line: &str) -> Option<usize> {
    let start = line.len() - line.trim_start_matches([' ', '\t', '>']).len();
    let rest = &line[start..];
    let bullet = match rest.as_bytes().first()? {
        b'-' | b'*' | b'+' => 1,
        digit if digit.is_ascii_digit() => {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            matches!(rest.as_bytes().get(digits), Some(b'.' | b')')).then_some(digits + 1)?
        }
        _ => return None,
    };
    let after = &rest[bullet..];
    let spaces = after.len() - after.trim_start_matches(' ').len();
    let mark = &after.as_bytes()[spaces..];
    (spaces > 0 && mark.len() >= 4 && mark[0] == b'[' && mark[2] == b']' && mark[3] == b' ')
        .then_some(start + bullet + spaces + 1)
        .filter(|at| matches!(line.as_bytes()[*at], b' ' | b'x' | b'X'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_is_found_by_number_and_by_text_and_never_in_code() {
        let body = "- [ ] one\n```\n- [ ] not me\n```\n  1. [x] two — ünï\n* [X] three";
        let on = |which: BoxRef, tick| ticked(body, &which, tick).expect("the box is there");
        assert!(on(1.into(), Tick::On).starts_with("- [x] one\n"));
        assert!(on("two".into(), Tick::Off).contains("  1. [ ] two — ünï\n"));
        assert!(on(3.into(), Tick::Off).ends_with("* [ ] three"));
        assert!(ticked(body, &"not me".into(), Tick::On).is_err());
        assert!(ticked(body, &4.into(), Tick::On).is_err());
    }
}
