//! What the world looks like, and what became different in it.

use std::collections::BTreeMap;

use crate::sandbox::{CommentId, CommentView, IssueNumber, IssueView, ReactionView, Sandbox};

/// One repository at one moment.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    issues: BTreeMap<IssueNumber, IssueSeen>,
}

#[derive(Debug, Clone)]
struct IssueSeen {
    view: IssueView,
    comments: BTreeMap<CommentId, CommentSeen>,
    parent: Option<IssueNumber>,
    blocked_by: Vec<IssueNumber>,
}

#[derive(Debug, Clone)]
struct CommentSeen {
    view: CommentView,
    reactions: Vec<ReactionView>,
}

/// Something that became different, in a form that can be told.
#[derive(Debug, Clone)]
pub(super) enum Change {
    Opened(IssueView),
    Commented(IssueNumber, CommentView),
    /// A comment's text, before and after.
    Rewritten(CommentView, CommentView),
    Hidden(IssueNumber, CommentView, String),
    CommentGone(IssueNumber, CommentView),
    Reacted(Vec<ReactionView>),
    /// An issue in a few words: `is closed`, `has the label docs`.
    Became(IssueNumber, String),
}

/// Looks at everything.
pub(super) fn look(sandbox: &Sandbox) -> Seen {
    let issues = sandbox.issues().into_iter().map(|view| {
        let number = view.number;
        let comments = sandbox.comments(number).into_iter().map(|view| {
            let reactions = sandbox.reactions(view.id);
            (view.id, CommentSeen { view, reactions })
        });
        let seen = IssueSeen {
            comments: comments.collect(),
            parent: sandbox.parent(number),
            blocked_by: sandbox.blocked_by(number),
            view,
        };
        (number, seen)
    });
    Seen {
        issues: issues.collect(),
    }
}

/// What became different, in the order in which it is told.
pub(super) fn changes(before: &Seen, after: &Seen) -> Vec<Change> {
    let mut out = Vec::new();
    let mut reactions = Vec::new();
    for (number, now) in &after.issues {
        let Some(was) = before.issues.get(number) else {
            out.push(Change::Opened(now.view.clone()));
            out.extend(links(*number, None, now));
            out.extend(
                now.comments
                    .values()
                    .map(|new| Change::Commented(*number, new.view.clone())),
            );
            continue;
        };
        for (id, comment) in &now.comments {
            match was.comments.get(id) {
                None => out.push(Change::Commented(*number, comment.view.clone())),
                Some(old) => {
                    reactions.extend(reacted(old, comment));
                    out.extend(altered(*number, old, comment));
                }
            }
        }
        let gone = was.comments.iter().filter(|(id, _)| !now.comments.contains_key(id));
        out.extend(gone.map(|(_, comment)| Change::CommentGone(*number, comment.view.clone())));
        out.extend(
            became(&was.view, &now.view)
                .into_iter()
                .map(|what| Change::Became(*number, what)),
        );
        out.extend(links(*number, Some(was), now));
    }
    reactions.extend(out);
    reactions.sort_by_key(rank);
    reactions
}

/// In which order a person is told: a reaction is what one sees first, and what is new is talked about at the end.
fn rank(change: &Change) -> u8 {
    match change {
        Change::Reacted(_) => 0,
        Change::Opened(_) => 1,
        Change::Became(..) => 2,
        Change::Rewritten(..) => 3,
        Change::Hidden(..) | Change::CommentGone(..) => 4,
        Change::Commented(..) => 5,
    }
}

fn reacted(old: &CommentSeen, new: &CommentSeen) -> Option<Change> {
    let added: Vec<ReactionView> = new
        .reactions
        .iter()
        .filter(|reaction| !old.reactions.contains(reaction))
        .cloned()
        .collect();
    (!added.is_empty()).then_some(Change::Reacted(added))
}

fn altered(number: IssueNumber, old: &CommentSeen, new: &CommentSeen) -> Vec<Change> {
    let mut out = Vec::new();
    if old.view.body != new.view.body {
        out.push(Change::Rewritten(old.view.clone(), new.view.clone()));
    }
    if let (None, Some(reason)) = (&old.view.minimized, &new.view.minimized) {
        out.push(Change::Hidden(number, new.view.clone(), reason.clone()));
    }
    out
}

fn became(was: &IssueView, now: &IssueView) -> Vec<String> {
    let mut out = Vec::new();
    let mut lists = |had: &[String], has: &[String], gained: &str, lost: &str| {
        out.extend(
            has.iter()
                .filter(|name| !had.contains(name))
                .map(|name| format!("{gained} {name}")),
        );
        out.extend(
            had.iter()
                .filter(|name| !has.contains(name))
                .map(|name| format!("{lost} {name}")),
        );
    };
    lists(&was.labels, &now.labels, "has the label", "has no longer the label");
    lists(
        &was.assignees,
        &now.assignees,
        "is assigned to",
        "is no longer assigned to",
    );
    for (before, after, yes, no) in [
        (was.open, now.open, "is open again", "is closed"),
        (was.locked, now.locked, "is locked", "is no longer locked"),
    ] {
        if before != after {
            out.push(if after { yes } else { no }.to_owned());
        }
    }
    if was.title != now.title {
        out.push(format!("is now called “{}”", now.title));
    }
    out
}

fn links(number: IssueNumber, was: Option<&IssueSeen>, now: &IssueSeen) -> Vec<Change> {
    let mut out = Vec::new();
    if let Some(parent) = now.parent.filter(|_| was.and_then(|was| was.parent) != now.parent) {
        out.push(Change::Became(number, format!("is a sub-issue of #{parent}")));
    }
    let before = was.map(|was| was.blocked_by.as_slice()).unwrap_or_default();
    for blocker in now.blocked_by.iter().filter(|id| !before.contains(id)) {
        out.push(Change::Became(number, format!("is blocked by #{blocker}")));
    }
    out
}
