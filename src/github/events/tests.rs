use serde_json::{Value, json};

use super::*;
use crate::github::types::{AccountKind, SubjectState, TopicKind};
use crate::workflow::ids::{RepositoryId, UserId};

fn repository() -> Value {
    json!({ "id": 1, "name": "rocket", "private": false, "default_branch": "main", "future": { "field": [1] },
            "owner": { "id": 5, "login": "acme", "type": "Organization", "gravatar_id": null } })
}

fn user(id: u64, login: &str) -> Value {
    json!({ "id": id, "login": login, "type": "User", "gravatar_id": null })
}

fn issue() -> Value {
    json!({ "id": 900, "number": 3, "title": "Launch", "body": null, "state": "open", "locked": false, "user": user(1, "alice"),
            "assignees": [user(2, "bob")], "labels": [{ "name": "bug" }], "html_url": "https://github.test/acme/rocket/issues/3",
            "updated_at": "2026-11-20T11:30:00Z" })
}

fn pull() -> Value {
    let mut pull = issue();
    pull["id"] = json!(555);
    pull["head"] = json!({ "sha": "abc" });
    pull
}

fn said(body: &str) -> Value {
    json!({ "id": 70, "node_id": "IC_70", "user": user(2, "bob"), "body": body, "html_url": "https://github.test/c/70",
            "created_at": "2026-11-20T11:00:00Z", "updated_at": "2026-11-20T11:00:00Z" })
}

/// A payload with what every one has, and `more`.
fn payload(action: &str, more: Value) -> Value {
    let mut payload =
        json!({ "action": action, "repository": repository(), "sender": user(2, "bob"), "installation": { "id": 7 } });
    let Value::Object(more) = more else { panic!("an object") };
    for (name, value) in more {
        payload[name.as_str()] = value;
    }
    payload
}

fn parsed(event: &str, payload: &Value) -> Parsed {
    parse(event, payload.to_string().as_bytes())
}

fn event(name: &str, payload: &Value) -> Event {
    match parsed(name, payload) {
        Parsed::Event(event) => *event,
        other => panic!("{name}: {other:?}"),
    }
}

fn kind(name: &str, payload: &Value) -> EventKind {
    event(name, payload).kind
}

#[test]
fn a_discussion_and_its_comments_are_a_topic_like_others() {
    let mut discussion = issue();
    discussion["comments"] = json!(1);
    let mut reply = said("/approve");
    reply["parent_id"] = json!(60);
    let told = payload("created", json!({ "discussion": discussion, "comment": reply }));
    let EventKind::Comment(comment) = kind("discussion_comment", &told) else {
        panic!("a comment")
    };
    assert_eq!(
        (comment.kind, comment.subject.kind),
        (CommentKind::Discussion, TopicKind::Discussion)
    );
    assert_eq!((comment.in_reply_to, comment.subject.id), (Some(CommentId(60)), None));
    let changes = json!({ "new_discussion": { "number": 9, "id": 5 }, "new_repository": repository() });
    let moved = payload("transferred", json!({ "discussion": discussion, "changes": changes }));
    let EventKind::SubjectTransferred { to: Some(to), .. } = kind("discussion", &moved) else {
        panic!("moved")
    };
    assert_eq!((to.number, to.id), (IssueNumber(9), None));
    let answered = parsed("discussion", &payload("answered", json!({ "discussion": discussion })));
    assert!(matches!(answered, Parsed::Ignored(_)));
    assert!(matches!(
        parsed("discussion", &payload("closed", json!({}))),
        Parsed::Broken(_)
    ));
}

#[test]
fn an_event_says_where_by_whom_and_by_which_installation() {
    let event = event("issues", &payload("closed", json!({ "issue": issue() })));
    let repository = event.repository.unwrap();
    assert_eq!(
        (repository.id, repository.full_name().as_str()),
        (RepositoryId(1), "acme/rocket")
    );
    assert_eq!((repository.owner_id, repository.private), (Some(UserId(5)), false));
    assert_eq!(event.installation, Some(InstallationId(7)));
    let sender = event.sender.unwrap();
    assert_eq!(
        (sender.id, sender.login.as_str(), sender.kind),
        (UserId(2), "bob", AccountKind::User)
    );
    let EventKind::SubjectClosed { subject } = event.kind else {
        panic!()
    };
    assert_eq!((subject.number, subject.id), (IssueNumber(3), Some(IssueId(900))));
    assert_eq!(
        (subject.author.login.as_str(), subject.assignees[0].login.as_str()),
        ("alice", "bob")
    );
}

#[test]
fn comments_reviews_and_line_comments_are_one_type() {
    let mut review = said("/approve");
    review["submitted_at"] = json!("2026-11-20T11:00:00Z");
    review["created_at"] = Value::Null;
    review["state"] = json!("a state of the future");
    let mut line = said("/approve");
    line["in_reply_to_id"] = json!(60);
    let on_pull = {
        let mut issue = issue();
        issue["pull_request"] = json!({ "url": "x" });
        issue
    };
    let table = [
        (
            "issue_comment",
            payload("created", json!({ "issue": issue(), "comment": said("/approve") })),
            CommentKind::Issue,
            TopicKind::Issue,
        ),
        (
            "issue_comment",
            payload("created", json!({ "issue": on_pull, "comment": said("/approve") })),
            CommentKind::Issue,
            TopicKind::Pull,
        ),
        (
            "pull_request_review",
            payload("submitted", json!({ "pull_request": pull(), "review": review })),
            CommentKind::Review,
            TopicKind::Pull,
        ),
        (
            "pull_request_review_comment",
            payload("created", json!({ "pull_request": pull(), "comment": line })),
            CommentKind::Line,
            TopicKind::Pull,
        ),
    ];
    for (name, payload, expected, topic) in table {
        let EventKind::Comment(comment) = kind(name, &payload) else {
            panic!("{name}")
        };
        assert_eq!((comment.kind, comment.subject.kind), (expected, topic), "{name}");
        assert_eq!(
            (comment.id, comment.body.as_str(), comment.author.login.as_str()),
            (CommentId(70), "/approve", "bob")
        );
        assert_eq!(comment.created_at.to_rfc3339(), "2026-11-20T11:00:00+00:00");
        // A pull request's own id is not the id of its issue.
        assert_eq!(comment.subject.id.is_some(), name == "issue_comment");
        assert_eq!(comment.in_reply_to.is_some(), expected == CommentKind::Line);
    }
}

#[test]
fn edits_and_deletions_run_nothing() {
    let both =
        json!({ "issue": issue(), "comment": said("- [x] one"), "changes": { "body": { "from": "- [ ] one" } } });
    let EventKind::CommentEdited { comment, before } = kind("issue_comment", &payload("edited", both)) else {
        panic!()
    };
    assert_eq!(
        (comment.body.as_str(), before.as_deref()),
        ("- [x] one", Some("- [ ] one"))
    );
    for changes in [
        json!({}),
        Value::Null,
        json!({ "body": null }),
        json!({ "body": { "from": 7 } }),
    ] {
        let edited = payload(
            "edited",
            json!({ "issue": issue(), "comment": said("b"), "changes": changes }),
        );
        assert!(matches!(
            kind("issue_comment", &edited),
            EventKind::CommentEdited { before: None, .. }
        ));
    }
    let deleted = payload("deleted", json!({ "issue": issue(), "comment": said("b") }));
    assert!(matches!(
        kind("issue_comment", &deleted),
        EventKind::CommentDeleted { .. }
    ));
}

#[test]
fn nulls_and_missing_fields_are_taken_where_something_is_left_to_say() {
    let comment = json!({ "id": 70, "user": null, "body": null, "created_at": "2026-11-20T11:00:00Z",
                          "performed_via_github_app": { "slug": "helper" } });
    let bare = json!({ "action": "created", "repository": { "id": 1, "name": "rocket", "owner": { "login": "acme" } },
                       "issue": { "number": 3, "user": null, "assignees": null, "labels": null, "state": "odd" },
                       "comment": comment, "sender": null, "installation": null });
    let event = event("issue_comment", &bare);
    assert_eq!((event.sender, event.installation), (None, None));
    assert!(
        event.repository.unwrap().private,
        "what is not said is taken to be private"
    );
    let EventKind::Comment(comment) = event.kind else {
        panic!()
    };
    assert_eq!((comment.author, comment.body.as_str()), (Account::ghost(), ""));
    assert_eq!(
        (comment.via_app.as_deref(), comment.subject.state),
        (Some("helper"), SubjectState::Open)
    );
    assert_eq!(comment.subject.author, Account::ghost());
}

#[test]
fn accounts_are_of_the_kinds_that_we_know_or_of_another() {
    for (told, expected) in [
        (json!("User"), AccountKind::User),
        (json!("Bot"), AccountKind::Bot),
        (json!("Organization"), AccountKind::Organization),
        (json!("Mannequin"), AccountKind::Other),
        (Value::Null, AccountKind::Other),
    ] {
        let mut sender = user(2, "bob");
        sender["type"] = told;
        let payload = payload("closed", json!({ "issue": issue(), "sender": sender }));
        assert_eq!(event("issues", &payload).sender.unwrap().kind, expected);
    }
}

#[test]
fn what_happens_to_a_subject() {
    let with_label = json!({ "issue": issue(), "label": { "name": "countersign:approve" } });
    let EventKind::Labeled { label, at, .. } = kind("issues", &payload("labeled", with_label.clone())) else {
        panic!()
    };
    assert_eq!((label.as_str(), at.is_some()), ("countersign:approve", true));
    assert!(matches!(
        kind("issues", &payload("unlabeled", with_label)),
        EventKind::Unlabeled { .. }
    ));

    let changes = json!({ "issue": issue(), "changes": { "title": { "from": "Old" } } });
    let EventKind::SubjectEdited {
        title_before,
        body_before,
        ..
    } = kind("issues", &payload("edited", changes))
    else {
        panic!()
    };
    assert_eq!((title_before.as_deref(), body_before), (Some("Old"), None));

    let moved = json!({ "issue": issue(), "changes": {
        "new_issue": { "id": 901, "number": 8 }, "new_repository": { "id": 2, "name": "moon", "owner": { "id": 5, "login": "acme" } } } });
    let EventKind::SubjectTransferred { to, .. } = kind("issues", &payload("transferred", moved)) else {
        panic!()
    };
    let to = to.unwrap();
    assert_eq!(
        (to.repository.id, to.number, to.id),
        (RepositoryId(2), IssueNumber(8), Some(IssueId(901)))
    );
    let untold = payload("transferred", json!({ "issue": issue() }));
    assert!(matches!(
        kind("issues", &untold),
        EventKind::SubjectTransferred { to: None, .. }
    ));

    let push = json!({ "pull_request": pull(), "before": "a", "after": "b" });
    let EventKind::PullSynchronize { after, .. } = kind("pull_request", &payload("synchronize", push)) else {
        panic!()
    };
    assert_eq!(after.as_deref(), Some("b"));

    let about = |action: &str| kind("issues", &payload(action, json!({ "issue": issue() })));
    assert!(matches!(about("reopened"), EventKind::SubjectReopened { .. }));
    assert!(matches!(about("deleted"), EventKind::SubjectDeleted { .. }));
    assert!(matches!(about("locked"), EventKind::SubjectLocked { .. }));
    assert!(matches!(about("unlocked"), EventKind::SubjectUnlocked { .. }));
    let merged = kind("pull_request", &payload("closed", json!({ "pull_request": pull() })));
    assert!(matches!(merged, EventKind::SubjectClosed { subject } if subject.kind == TopicKind::Pull));
}

#[test]
fn what_happens_to_an_installation() {
    let change = |name: &str, payload: Value| match kind(name, &payload) {
        EventKind::Installation(change) => change,
        other => panic!("{other:?}"),
    };
    let of = |action: &str| {
        change(
            "installation",
            json!({ "action": action, "installation": { "id": 7 }, "sender": user(1, "a") }),
        )
    };
    assert_eq!(of("created"), InstallationChange::Created);
    assert_eq!(of("deleted"), InstallationChange::Deleted);
    assert_eq!(of("suspend"), InstallationChange::Suspended);
    assert_eq!(of("unsuspend"), InstallationChange::Unsuspended);
    assert_eq!(of("new_permissions_accepted"), InstallationChange::PermissionsAccepted);
    let listed = json!([{ "id": 1, "name": "rocket", "full_name": "acme/rocket", "private": true }, null, { "id": 2 }]);
    let added = json!({ "action": "added", "installation": { "id": 7 }, "repositories_added": listed, "repositories_removed": [] });
    let InstallationChange::RepositoriesAdded(list) = change("installation_repositories", added) else {
        panic!()
    };
    assert_eq!(
        list.iter().map(RepositoryRef::full_name).collect::<Vec<_>>(),
        ["acme/rocket"]
    );
    let renamed = json!({ "action": "renamed", "installation": { "id": 7 }, "account": { "id": 5, "login": "new" } });
    assert_eq!(
        change("installation_target", renamed),
        InstallationChange::AccountRenamed
    );
}

#[test]
fn what_happens_to_a_repository() {
    let of = |action: &str, changes: Value| match kind("repository", &payload(action, json!({ "changes": changes }))) {
        EventKind::RepositoryChanged(change) => change,
        other => panic!("{other:?}"),
    };
    let from = |text: &str| Some(text.to_owned());
    assert_eq!(
        of("renamed", json!({ "repository": { "name": { "from": "old" } } })),
        RepositoryChange::Renamed { from: from("old") }
    );
    let owner = json!({ "owner": { "from": { "user": { "login": "alice" } } } });
    assert_eq!(
        of("transferred", owner),
        RepositoryChange::Transferred { from: from("alice") }
    );
    let owner = json!({ "owner": { "from": { "organization": { "login": "acme" } } } });
    assert_eq!(
        of("transferred", owner),
        RepositoryChange::Transferred { from: from("acme") }
    );
    assert_eq!(
        of("transferred", Value::Null),
        RepositoryChange::Transferred { from: None }
    );
    assert_eq!(
        of("edited", json!({ "default_branch": { "from": "master" } })),
        RepositoryChange::DefaultBranch { from: from("master") }
    );
    assert_eq!(of("deleted", Value::Null), RepositoryChange::Deleted);
    assert_eq!(of("archived", Value::Null), RepositoryChange::Archived);
    assert_eq!(of("unarchived", Value::Null), RepositoryChange::Unarchived);
    assert_eq!(of("privatized", Value::Null), RepositoryChange::Privatized);
    assert_eq!(of("publicized", Value::Null), RepositoryChange::Publicized);
}

#[test]
fn a_push_tells_what_it_touches_and_errs_towards_yes() {
    let push = |more: Value| {
        let mut payload = payload(
            "",
            json!({ "ref": "refs/heads/main", "forced": false, "created": false, "deleted": false,
            "commits": [{ "added": ["a"], "modified": ["b"], "removed": null }, null, { "removed": ["a", "c"] }] }),
        );
        payload.as_object_mut().unwrap().remove("action");
        for (name, value) in more.as_object().unwrap() {
            payload[name.as_str()] = value.clone();
        }
        payload
    };
    let read = |more: Value| match kind("push", &push(more)) {
        EventKind::Push(push) => push,
        other => panic!("{other:?}"),
    };
    let plain = read(json!({}));
    assert_eq!((plain.branch.as_str(), plain.default_branch), ("main", true));
    assert_eq!(plain.touched, ["a", "b", "c"]);
    assert!(plain.touches("b") && !plain.touches("d"));
    assert!(!read(json!({ "ref": "refs/heads/feature/x" })).default_branch);
    assert_eq!(read(json!({ "ref": "refs/heads/feature/x" })).branch, "feature/x");
    for unsure in [
        json!({ "forced": true }),
        json!({ "created": true }),
        json!({ "commits": [] }),
        json!({ "commits": null }),
    ] {
        assert!(read(unsure).touches("d"));
    }
    assert!(matches!(
        parsed("push", &push(json!({ "ref": "refs/tags/v1" }))),
        Parsed::Ignored(_)
    ));
    assert!(matches!(
        parsed("push", &push(json!({ "deleted": true }))),
        Parsed::Ignored(_)
    ));
}

#[test]
fn unknown_events_and_actions_are_ignored() {
    for (name, payload) in [
        ("star", payload("created", json!({}))),
        ("an_event_of_the_future", json!({ "action": 7 })),
        ("issues", payload("pinned", json!({ "issue": { "number": 3 } }))),
        ("issues", payload("opened", json!({ "issue": issue() }))),
        ("issue_comment", payload("celebrated", json!({ "issue": issue() }))),
        (
            "pull_request_review",
            payload("dismissed", json!({ "pull_request": pull(), "review": said("b") })),
        ),
        (
            "pull_request",
            payload("review_requested", json!({ "pull_request": pull() })),
        ),
        (
            "repository",
            payload("edited", json!({ "changes": { "description": { "from": "x" } } })),
        ),
        (
            "installation",
            json!({ "action": "dreamt", "installation": { "id": 7 } }),
        ),
    ] {
        assert!(
            matches!(parsed(name, &payload), Parsed::Ignored(_)),
            "{name}: {:?}",
            parsed(name, &payload)
        );
    }
    let ping = event("ping", &json!({ "zen": "Keep it logically awesome.", "hook_id": 1 }));
    assert_eq!((ping.kind, ping.repository), (EventKind::Ping, None));
}

#[test]
fn what_lacks_a_field_that_it_needs_is_broken_and_says_which() {
    let without = |mut payload: Value, pointer: &str, field: &str| {
        payload
            .pointer_mut(pointer)
            .unwrap()
            .as_object_mut()
            .unwrap()
            .remove(field);
        payload
    };
    let comment = payload("created", json!({ "issue": issue(), "comment": said("b") }));
    let table = [
        (
            "issue_comment",
            without(comment.clone(), "", "issue"),
            "`issue_comment.created` lacks `issue`",
        ),
        (
            "issue_comment",
            without(comment.clone(), "", "comment"),
            "`issue_comment.created` lacks `comment`",
        ),
        (
            "issue_comment",
            without(comment.clone(), "", "action"),
            "`issue_comment` lacks `action`",
        ),
        (
            "issue_comment",
            without(comment.clone(), "", "repository"),
            "`issue_comment.created` lacks `repository`",
        ),
        (
            "issue_comment",
            without(comment.clone(), "/issue", "number"),
            "`issue_comment.created` lacks `issue.number`",
        ),
        (
            "issue_comment",
            without(comment.clone(), "/comment", "id"),
            "`issue_comment.created` lacks `comment.id`",
        ),
        (
            "issue_comment",
            without(comment.clone(), "/comment", "created_at"),
            "`issue_comment.created` lacks `comment.created_at`",
        ),
        (
            "issue_comment",
            without(comment.clone(), "/repository", "id"),
            "`issue_comment.created` lacks `repository.id`",
        ),
        (
            "issue_comment",
            without(comment, "/repository/owner", "login"),
            "`issue_comment.created` lacks `repository.owner.login`",
        ),
        (
            "issues",
            payload("labeled", json!({ "issue": issue(), "label": null })),
            "`issues.labeled` lacks `label.name`",
        ),
        (
            "pull_request",
            payload("closed", json!({})),
            "`pull_request.closed` lacks `pull_request`",
        ),
        ("push", payload("", json!({})), "`push.` lacks `ref`"),
        (
            "installation",
            json!({ "action": "created" }),
            "`installation` lacks `installation.id`",
        ),
    ];
    for (name, payload, expected) in table {
        assert_eq!(parsed(name, &payload), Parsed::Broken(expected.to_owned()));
    }
    for body in [
        "",
        "nonsense",
        "[]",
        "\"text\"",
        "{\"action\":",
        "{\"action\":7}",
        "{\"issue\":[]}",
        "\u{0}",
    ] {
        assert!(matches!(parse("issues", body.as_bytes()), Parsed::Broken(_)), "{body}");
    }
    assert!(matches!(parse("issues", &[0xff, 0xfe]), Parsed::Broken(_)));
}
