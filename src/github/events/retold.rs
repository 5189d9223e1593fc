//! What a lost delivery would have told, made of what GitHub's lists show: so that what is found late goes the same way
//! as what is told in time.

use serde_json::{Value, json};

use crate::github::calls::labels::LabelEvent;
use crate::github::types::{
    Account, AccountKind, CommentKind, Issue, RepositoryRef, SubjectState, ThreadComment, TopicKind,
};
use crate::workflow::ids::InstallationId;

/// Where it happened.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The repository as it is now.
    pub repository: &'a RepositoryRef,
    /// The installation that reaches it.
    pub installation: InstallationId,
}

/// A delivery as GitHub would have made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retold {
    /// Its `X-GitHub-Event`.
    pub event: &'static str,
    /// Its body.
    pub body: Vec<u8>,
}

impl Retold {
    /// Somebody wrote a comment, a review or a line comment.
    pub fn comment(place: Place<'_>, subject: &Issue, comment: &ThreadComment) -> Self {
        let (event, action, of_subject, of_comment) = match comment.kind {
            CommentKind::Issue => ("issue_comment", "created", "issue", "comment"),
            CommentKind::Review => ("pull_request_review", "submitted", "pull_request", "review"),
            CommentKind::Line => ("pull_request_review_comment", "created", "pull_request", "comment"),
            CommentKind::Discussion => ("discussion_comment", "created", "discussion", "comment"),
        };
        let told = json!({
            "id": comment.id.0,
            "node_id": comment.node_id,
            "user": account(&comment.author),
            "body": comment.body,
            "created_at": comment.created_at,
            "submitted_at": comment.created_at,
            "updated_at": comment.updated_at,
            "html_url": comment.html_url,
            "performed_via_github_app": comment.via_app.as_ref().map(|slug| json!({ "slug": slug })),
            "in_reply_to_id": comment.in_reply_to.map(|id| id.0),
        });
        let more = json!({ of_subject: issue(subject), of_comment: told });
        Self::of(event, action, place, Some(&comment.author), more)
    }

    /// Somebody set a label.
    pub fn labeled(place: Place<'_>, subject: &Issue, label: &LabelEvent) -> Self {
        let (event, of_subject) = about(subject);
        let mut told = issue(subject);
        told["updated_at"] = json!(label.created_at);
        let more = json!({ of_subject: told, "label": { "name": label.label } });
        Self::of(event, "labeled", place, Some(&label.actor), more)
    }

    /// The subject was closed.
    pub fn closed(place: Place<'_>, subject: &Issue) -> Self {
        let (event, of_subject) = about(subject);
        let more = json!({ of_subject: issue(subject) });
        Self::of(event, "closed", place, subject.closed_by.as_ref(), more)
    }

    fn of(event: &'static str, action: &str, place: Place<'_>, sender: Option<&Account>, more: Value) -> Self {
        let repository = place.repository;
        let mut body = json!({
            "action": action,
            "repository": {
                "id": repository.id.0,
                "name": repository.name,
                "owner": { "login": repository.owner, "id": repository.owner_id.map(|id| id.0) },
                "private": repository.private,
            },
            "installation": { "id": place.installation.0 },
            "sender": sender.map(account),
        });
        if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
            body.extend(more);
        }
        Self {
            event,
            body: body.to_string().into_bytes(),
        }
    }
}

fn about(subject: &Issue) -> (&'static str, &'static str) {
    match subject.kind {
        TopicKind::Pull => ("pull_request", "pull_request"),
        TopicKind::Issue => ("issues", "issue"),
        TopicKind::Discussion => ("discussion", "discussion"),
    }
}

fn account(account: &Account) -> Value {
    let kind = match account.kind {
        AccountKind::User => Some("User"),
        AccountKind::Bot => Some("Bot"),
        AccountKind::Organization => Some("Organization"),
        AccountKind::Other => None,
    };
    json!({ "id": account.id.0, "login": account.login, "type": kind })
}

fn issue(subject: &Issue) -> Value {
    let labels: Vec<Value> = subject.labels.iter().map(|name| json!({ "name": name })).collect();
    let assignees: Vec<Value> = subject.assignees.iter().map(account).collect();
    let mut told = json!({
        "id": subject.id.map(|id| id.0),
        "node_id": subject.node_id,
        "number": subject.number.0,
        "title": subject.title,
        "body": subject.body,
        "state": match subject.state {
            SubjectState::Open => "open",
            SubjectState::Closed => "closed",
        },
        "locked": subject.locked,
        "user": account(&subject.author),
        "assignees": assignees,
        "labels": labels,
        "html_url": subject.html_url,
        "created_at": subject.created_at,
        "updated_at": subject.updated_at,
        "closed_at": subject.closed_at,
        "comments": subject.comments,
    });
    if subject.kind == TopicKind::Pull {
        told["pull_request"] = json!({});
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::github::calls::labels::{IssueEventId, LabelChange};
    use crate::github::events::{EventKind, Parsed, parse};
    use crate::workflow::ids::{CommentId, IssueId, IssueNumber, RepositoryId, UserId};

    fn person(id: u64, login: &str) -> Account {
        Account {
            id: UserId(id),
            login: login.to_owned(),
            kind: AccountKind::User,
        }
    }

    fn subject(kind: TopicKind) -> Issue {
        Issue {
            id: (kind == TopicKind::Issue).then_some(IssueId(77)),
            number: IssueNumber(12),
            node_id: "I_1".to_owned(),
            kind,
            title: "Checkout is slow".to_owned(),
            body: "It takes long.".to_owned(),
            state: SubjectState::Closed,
            locked: true,
            author: person(2, "alice"),
            assignees: vec![person(3, "bob")],
            labels: vec!["countersign:approve".to_owned()],
            html_url: "https://github.com/acme/shop/issues/12".to_owned(),
            created_at: "2026-11-20T09:00:00Z".parse().ok(),
            updated_at: "2026-11-20T10:00:00Z".parse().ok(),
            repository: None,
            comments: Some(4),
            closed_at: "2026-11-20T10:00:00Z".parse().ok(),
            closed_by: None,
        }
    }

    fn repository() -> RepositoryRef {
        RepositoryRef {
            id: RepositoryId(9),
            owner: "acme".to_owned(),
            owner_id: Some(UserId(8)),
            name: "shop".to_owned(),
            private: true,
        }
    }

    fn read(retold: &Retold) -> (Option<Account>, EventKind) {
        let Parsed::Event(event) = parse(retold.event, &retold.body) else {
            panic!("it is no event: {}", String::from_utf8_lossy(&retold.body));
        };
        assert_eq!(event.repository, Some(repository()));
        assert_eq!(event.installation, Some(InstallationId(5)));
        (event.sender, event.kind)
    }

    #[test]
    fn what_is_retold_reads_as_what_was_listed() {
        let repository = repository();
        let place = Place {
            repository: &repository,
            installation: InstallationId(5),
        };
        let all = [
            (CommentKind::Issue, TopicKind::Issue),
            (CommentKind::Review, TopicKind::Pull),
            (CommentKind::Line, TopicKind::Pull),
            (CommentKind::Discussion, TopicKind::Discussion),
        ];
        for (kind, on) in all {
            let comment = ThreadComment {
                kind,
                id: CommentId(31),
                node_id: "IC_1".to_owned(),
                author: person(2, "alice"),
                via_app: Some("octo".to_owned()),
                body: "/approve 0123456789ab".to_owned(),
                created_at: "2026-11-20T09:30:00Z".parse().unwrap(),
                updated_at: "2026-11-20T09:31:00Z".parse().unwrap(),
                html_url: "https://github.com/acme/shop/issues/12#issuecomment-31".to_owned(),
                in_reply_to: (kind == CommentKind::Line).then_some(CommentId(30)),
            };
            let subject = subject(on);
            let (sender, told) = read(&Retold::comment(place, &subject, &comment));
            assert_eq!(sender, Some(person(2, "alice")));
            let EventKind::Comment(told) = told else {
                panic!("no comment: {told:?}");
            };
            assert_eq!(told.subject, subject);
            assert_eq!((told.kind, told.id, told.author), (kind, comment.id, comment.author));
            assert_eq!((told.body, told.via_app), (comment.body, comment.via_app));
            assert_eq!(
                (told.created_at, told.in_reply_to),
                (comment.created_at, comment.in_reply_to)
            );
            assert_eq!((told.node_id, told.html_url), (comment.node_id, comment.html_url));
        }
    }

    #[test]
    fn a_label_is_retold_with_the_time_at_which_it_was_set() {
        let repository = repository();
        let place = Place {
            repository: &repository,
            installation: InstallationId(5),
        };
        for kind in [TopicKind::Issue, TopicKind::Pull, TopicKind::Discussion] {
            let set = LabelEvent {
                id: IssueEventId(6),
                actor: person(3, "bob"),
                label: "countersign:approve".to_owned(),
                created_at: "2026-11-20T09:45:00Z".parse().unwrap(),
                change: LabelChange::Added,
            };
            let (sender, told) = read(&Retold::labeled(place, &subject(kind), &set));
            assert_eq!(sender, Some(person(3, "bob")));
            let EventKind::Labeled {
                subject: told,
                label,
                at,
            } = told
            else {
                panic!("no label: {told:?}");
            };
            assert_eq!((told.number, told.kind), (IssueNumber(12), kind));
            assert_eq!((label, at), (set.label, Some(set.created_at)));
        }
        let (sender, told) = read(&Retold::closed(place, &subject(TopicKind::Issue)));
        assert_eq!(sender, None);
        assert_eq!(
            told,
            EventKind::SubjectClosed {
                subject: subject(TopicKind::Issue)
            }
        );
    }
}
