//! The calls: what each asks for, and what it makes of the answer.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::fake::{Fake, INSTALLATION, NOON, Seen, comment, instant, issue, reply, repository};
use crate::github::calls::comments::Reaction;
use crate::github::calls::graphql::Classifier;
use crate::github::calls::issues::NewIssue;
use crate::github::calls::labels::{Label, LabelChange, Removal};
use crate::github::client::Guard;
use crate::github::error::GithubError;
use crate::github::marker::Marker;
use crate::github::types::{Account, CommentKind, CommentRef, SubjectState, Topic, TopicKind};
use crate::workflow::gate::Team;
use crate::workflow::ids::{CommentId, IssueId, IssueNumber, UserId};
use crate::workflow::right::Right;

const ONE: IssueNumber = IssueNumber(1);

fn lines(fake: &Fake) -> Vec<String> {
    fake.calls().iter().map(Seen::line).collect()
}

fn time(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

#[tokio::test]
async fn writes_send_what_github_documents_and_nothing_else() {
    let fake = Fake::with_tokens(|_, seen, _| match seen.target.as_str() {
        target if target.ends_with("/replies") => reply(201, &comment(6, 77, "hi")),
        target if target.contains("reactions") => reply(200, &json!({ "id": 1 })),
        target if target.ends_with("/comments") || target.contains("/comments/") => reply(201, &comment(5, 77, "hi")),
        "/repos/acme/rocket/labels" => reply(201, &json!({})),
        _ if seen.method == "DELETE" => reply(200, &json!([])),
        _ => reply(201, &issue(8, "")),
    })
    .await;
    let repo = fake.repo();
    let created = repo.create_comment(ONE, "hi").await.unwrap();
    assert_eq!(
        (created.id, created.node_id.as_str(), created.created_at),
        (CommentId(5), "IC_5", time("2026-11-20T11:00:00Z"))
    );
    let updated = repo.update_comment(CommentId(5), "hello").await.unwrap();
    assert_eq!(updated, time("2026-11-20T11:30:00Z"));
    repo.reply_to_line_comment(ONE, CommentId(4), "hi").await.unwrap();
    for (kind, reaction) in [
        (CommentKind::Issue, Reaction::Eyes),
        (CommentKind::Line, Reaction::Rocket),
        (CommentKind::Review, Reaction::MinusOne),
    ] {
        let to = CommentRef {
            kind,
            id: CommentId(5),
            node_id: String::new(),
        };
        repo.react(&to, reaction).await.unwrap();
    }
    let label = Label {
        name: "countersign:hold".to_owned(),
        color: "d4c5f9".to_owned(),
        description: "Hold".to_owned(),
    };
    repo.create_label(&label).await.unwrap();
    repo.remove_label(ONE, "countersign:hold").await.unwrap();
    let new = NewIssue {
        title: "Write the runbook".to_owned(),
        body: "Body".to_owned(),
        labels: vec!["docs".to_owned()],
        assignees: vec!["bob".to_owned()],
    };
    let opened = repo.create_issue(&new).await.unwrap();
    assert_eq!((opened.id, opened.number), (IssueId(9008), IssueNumber(8)));
    repo.add_sub_issue(ONE, opened.id).await.unwrap();
    repo.add_blocked_by(ONE, opened.id).await.unwrap();
    assert_eq!(
        lines(&fake),
        [
            r#"POST /repos/acme/rocket/issues/1/comments {"body":"hi"}"#,
            r#"PATCH /repos/acme/rocket/issues/comments/5 {"body":"hello"}"#,
            r#"POST /repos/acme/rocket/pulls/1/comments/4/replies {"body":"hi"}"#,
            r#"POST /repos/acme/rocket/issues/comments/5/reactions {"content":"eyes"}"#,
            r#"POST /repos/acme/rocket/pulls/comments/5/reactions {"content":"rocket"}"#,
            r#"POST /repos/acme/rocket/labels {"color":"d4c5f9","description":"Hold","name":"countersign:hold"}"#,
            "DELETE /repos/acme/rocket/issues/1/labels/countersign%3Ahold",
            r#"POST /repos/acme/rocket/issues {"title":"Write the runbook","body":"Body","labels":["docs"],"assignees":["bob"]}"#,
            r#"POST /repos/acme/rocket/issues/1/sub_issues {"sub_issue_id":9008}"#,
            r#"POST /repos/acme/rocket/issues/1/dependencies/blocked_by {"issue_id":9008}"#,
        ]
    );
}

#[tokio::test]
async fn nothing_is_written_once_too_little_of_a_lease_is_left() {
    let fake = Fake::with_tokens(|_, _, _| {
        let found = json!({ "discussion": { "id": "D_1" }, "label": { "id": "L_1" } });
        reply(200, &json!({ "data": { "repository": found } }))
    })
    .await;
    let late: Guard = Arc::new(|| false);
    let repo = fake.repo().guarded(Arc::clone(&late));
    let thread = repo.thread(Topic {
        kind: TopicKind::Discussion,
        number: ONE,
    });
    let at = CommentRef {
        kind: CommentKind::Discussion,
        id: CommentId(5),
        node_id: "DC_5".to_owned(),
    };
    const LATE: GithubError = GithubError::TooLate;
    assert_eq!(repo.create_comment(ONE, "hi").await, Err(LATE));
    assert_eq!(thread.post("hi").await, Err(LATE));
    assert_eq!(thread.rewrite(&at, "hello").await, Err(LATE));
    assert_eq!(thread.delete(&at).await, Err(LATE));
    assert_eq!(repo.react(&at, Reaction::Eyes).await, Err(LATE));
    assert_eq!(thread.take_label_off("countersign:hold").await, Err(LATE));
    let installation = fake.github().installation(INSTALLATION).guarded(late);
    let hidden = installation.minimize_comment("DC_5", Classifier::Resolved).await;
    assert_eq!(hidden, Err(LATE));
    let asked = lines(&fake);
    assert_eq!(
        asked.len(),
        2,
        "the nodes of the discussion and of its label are asked for: {asked:#?}"
    );
    assert!(asked.iter().all(|line| !line.contains("mutation")), "{asked:#?}");
}

#[tokio::test]
async fn what_is_gone_already_is_as_good_as_removed() {
    let fake = Fake::with_tokens(|_, seen, before| match (seen.target.contains("labels"), before) {
        (true, _) => reply(404, &json!({ "message": "Label does not exist" })),
        (false, 0) => reply(204, &Value::Null),
        (false, _) => reply(410, &Value::Null),
    })
    .await;
    let repo = fake.repo();
    assert_eq!(repo.remove_label(ONE, "x").await, Ok(Removal::WasGone));
    assert_eq!(repo.delete_comment(CommentId(5)).await, Ok(Removal::Done));
    assert_eq!(repo.delete_comment(CommentId(5)).await, Ok(Removal::WasGone));
}

#[tokio::test]
async fn an_issue_is_read_with_whatever_is_there() {
    let fake = Fake::with_tokens(|_, seen, _| match seen.target.as_str() {
        "/repos/acme/rocket/issues/1" => reply(200, &issue(1, "text")),
        "/repos/acme/rocket/issues/2" => reply(
            200,
            &json!({
                "id": 3, "number": 2, "title": "T", "body": null, "state": "closed", "locked": true, "user": null,
                "assignees": [{ "id": 1, "login": "alice", "type": "User" }, null], "labels": [{ "name": "bug" }, null],
                "pull_request": { "url": "x" }, "updated_at": "2026-11-20T11:30:00Z", "comments": 3,
                "repository_url": "https://ghes.test/api/v3/repos/other/place",
            }),
        ),
        _ => reply(410, &json!({ "message": "This issue was deleted" })),
    })
    .await;
    let repo = fake.repo();
    let one = repo.issue(ONE).await.unwrap();
    assert_eq!(
        (one.kind, one.body.as_str(), one.state),
        (TopicKind::Issue, "text", SubjectState::Open)
    );
    assert_eq!(one.repository.as_deref(), Some("acme/rocket"));
    let two = repo.issue(IssueNumber(2)).await.unwrap();
    assert_eq!(
        (two.kind, two.body.as_str(), two.state, two.locked),
        (TopicKind::Pull, "", SubjectState::Closed, true)
    );
    assert_eq!(two.author, Account::ghost());
    assert_eq!(
        (two.assignees.len(), two.labels, two.comments),
        (1, vec!["bug".to_owned()], Some(3))
    );
    assert_eq!(two.repository.as_deref(), Some("other/place"), "it was transferred");
    let three = repo.issue(IssueNumber(3)).await;
    assert_eq!(three, Err(GithubError::Gone("This issue was deleted".to_owned())));
}

#[tokio::test]
async fn a_pull_requests_thread_has_all_three_kinds_in_order() {
    let fake = Fake::with_tokens(|_, seen, _| {
        let path = seen.target.split('?').next().unwrap();
        match path {
            "/repos/acme/rocket/issues/1/comments" => {
                let mut late = comment(3, 1, "late");
                late["created_at"] = json!("2026-11-20T12:00:00Z");
                reply(200, &json!([comment(1, 1, "early"), late]))
            }
            "/repos/acme/rocket/pulls/1/reviews" => reply(
                200,
                &json!([
                    { "id": 1, "state": "COMMENTED", "body": "review", "submitted_at": "2026-11-20T11:30:00Z",
                      "user": { "id": 2, "login": "bob", "type": "User" } },
                    { "id": 2, "state": "APPROVED", "body": "", "submitted_at": "2026-11-20T11:40:00Z" },
                    { "id": 3, "state": "PENDING", "body": "not yet" },
                ]),
            ),
            _ => {
                let mut line = comment(1, 1, "line");
                line["created_at"] = json!("2026-11-20T11:45:00Z");
                line["in_reply_to_id"] = json!(9);
                reply(200, &json!([line]))
            }
        }
    })
    .await;
    let repo = fake.repo();
    let thread = repo.pull_thread(ONE, 100).await.unwrap();
    let said: Vec<(CommentKind, &str)> = thread
        .items
        .iter()
        .map(|said| (said.kind, said.body.as_str()))
        .collect();
    assert_eq!(
        said,
        [
            (CommentKind::Issue, "early"),
            (CommentKind::Review, "review"),
            (CommentKind::Line, "line"),
            (CommentKind::Issue, "late")
        ]
    );
    assert_eq!((thread.left_out, thread.items[2].in_reply_to), (0, Some(CommentId(9))));
    let cut = repo.pull_thread(ONE, 2).await.unwrap();
    assert_eq!((cut.items.len(), cut.left_out), (2, 2));
    assert_eq!(
        lines(&fake)[..3],
        [
            "GET /repos/acme/rocket/issues/1/comments?per_page=100",
            "GET /repos/acme/rocket/pulls/1/reviews?per_page=100",
            "GET /repos/acme/rocket/pulls/1/comments?sort=created&direction=asc&per_page=100"
        ]
    );
}

#[tokio::test]
async fn one_comment_is_found_or_gone() {
    let fake = Fake::with_tokens(|_, seen, _| match seen.target.as_str() {
        "/repos/acme/rocket/issues/comments/6" => reply(404, &Value::Null),
        _ => reply(200, &comment(5, 1, "hi")),
    })
    .await;
    let repo = fake.repo();
    let found = repo.comment(CommentId(5)).await.unwrap().unwrap();
    assert_eq!(
        (found.kind, found.id, found.body.as_str()),
        (CommentKind::Issue, CommentId(5), "hi")
    );
    assert_eq!(repo.comment(CommentId(6)).await, Ok(None));
}

#[tokio::test]
async fn an_answer_that_is_something_else_is_neither_empty_nor_a_no() {
    let fake = Fake::with_tokens(|_, _, _| reply(200, &json!({ "unexpected": true }))).await;
    let repo = fake.repo();
    let team = Team {
        org: "acme".to_owned(),
        slug: "security".to_owned(),
    };
    let unreadable = |what: &str, error: Option<GithubError>| {
        assert!(matches!(error, Some(GithubError::Malformed(_))), "{what}: {error:?}");
    };
    unreadable("files", repo.files_in(".github/countersign").await.err());
    unreadable("file", repo.file("CODEOWNERS").await.err());
    unreadable("membership", repo.in_team(&team, "alice").await.err());
    unreadable("members", repo.team_members(&team).await.err());
    unreadable("check", repo.has_check("abc", "build", "1").await.err());
    unreadable("checks", repo.checks_of("abc").await.err());
    unreadable("labels", repo.labels().await.err());
    unreadable("events", repo.label_events(ONE, 100).await.err());
    unreadable("right", repo.permission("alice").await.err());
    unreadable("people", repo.people_with(Right::Read, 10).await.err());
    unreadable("comment", repo.comment(CommentId(5)).await.err());
    unreadable("sub-issues", repo.sub_issues(ONE).await.err());
    unreadable("repository", repo.repository().await.err());
    unreadable("pull request", repo.pull_head(ONE).await.err());
    let installation = fake.github().installation(INSTALLATION);
    unreadable("reached", installation.repositories().await.err());
}

#[tokio::test]
async fn a_right_comes_with_the_id_of_whose_it_is() {
    let fake = Fake::with_tokens(|_, seen, _| match seen.target.as_str() {
        "/repos/acme/rocket/collaborators/alice/permission" => reply(
            200,
            &json!({ "permission": "read", "role_name": "helper", "user": { "id": 1, "login": "alice",
                     "permissions": { "pull": true, "triage": true, "push": false } } }),
        ),
        "/repos/acme/rocket/collaborators/dependabot%5Bbot%5D/permission" => reply(
            200,
            &json!({ "permission": "none", "role_name": "none", "user": { "id": 2 } }),
        ),
        "/repos/acme/rocket/collaborators/nobody/permission" => reply(
            200,
            &json!({ "permission": "admin", "role_name": "admin", "user": null }),
        ),
        "/repos/acme/rocket/collaborators/half/permission" => reply(200, &json!({ "user": { "id": 2 } })),
        _ => reply(404, &json!({ "message": "Not Found" })),
    })
    .await;
    let repo = fake.repo();
    let alice = repo.permission("alice").await.unwrap();
    assert_eq!(
        (alice.right, alice.user_id, alice.role_name.as_deref()),
        (Right::Triage, UserId(1), Some("helper"))
    );
    assert_eq!(repo.permission("dependabot[bot]").await.unwrap().right, Right::None);
    for odd in ["nobody", "half"] {
        let error = repo.permission(odd).await.unwrap_err();
        assert!(matches!(error, GithubError::Malformed(_)), "could not check: {error:?}");
    }
    assert!(matches!(repo.permission("gone").await, Err(GithubError::NotFound(_))));
}

#[tokio::test]
async fn people_with_a_right_are_listed_up_to_a_cap() {
    let fake = Fake::with_tokens(|_, _, _| {
        reply(
            200,
            &json!([
                { "id": 1, "login": "reader", "type": "User", "role_name": "read", "permissions": { "pull": true } },
                { "id": 2, "login": "writer", "type": "User", "role_name": "custom", "permissions": { "pull": true, "push": true } },
                { "id": 3, "login": "owner", "type": "User", "role_name": "admin" },
                { "id": 4, "login": "custom", "type": "User", "role_name": "admins of all" },
            ]),
        )
    })
    .await;
    let repo = fake.repo();
    let logins = |people: Vec<Account>| people.into_iter().map(|person| person.login).collect::<Vec<_>>();
    assert_eq!(
        logins(repo.people_with(Right::Write, 10).await.unwrap()),
        ["writer", "owner"]
    );
    assert_eq!(logins(repo.people_with(Right::Write, 1).await.unwrap()), ["writer"]);
    assert_eq!(lines(&fake)[0], "GET /repos/acme/rocket/collaborators?per_page=100");
}

#[tokio::test]
async fn who_can_is_not_looked_for_without_end_and_a_look_up_is_never_partial() {
    let fake = Fake::with_tokens(|url, seen, before| {
        let reader = json!({ "id": 1, "login": "reader", "type": "User", "role_name": "read", "created_at": "2026-11-20T11:00:00Z" });
        let next = format!("<{url}{}?page={}>; rel=\"next\"", &seen.target[1..].split('?').next().unwrap(), before + 2);
        reply(200, &json!([reader])).with("link", next)
    })
    .await;
    let repo = fake.repo();
    assert_eq!(repo.people_with(Right::Write, 3).await, Ok(Vec::new()));
    assert_eq!(fake.calls().len(), 10);
    let error = repo
        .find_comment(ONE, &Marker::of(&"x".into()), UserId(77), instant(NOON))
        .await
        .unwrap_err();
    assert!(
        matches!(error, GithubError::Malformed(_)),
        "not found is not what it means: {error:?}"
    );
}

#[tokio::test]
async fn assignable_is_yes_no_or_an_error() {
    let fake = Fake::with_tokens(|_, seen, _| match seen.target.rsplit('/').next() {
        Some("bob") => reply(204, &Value::Null),
        Some("mallory") => reply(404, &Value::Null),
        _ => reply(500, &Value::Null),
    })
    .await;
    let repo = fake.repo();
    assert_eq!(repo.assignable("bob").await, Ok(true));
    assert_eq!(repo.assignable("mallory").await, Ok(false));
    assert!(repo.assignable("eve").await.is_err());
}

#[tokio::test]
async fn label_events_tell_who_when_and_by_which_event() {
    let fake = Fake::with_tokens(|_, _, _| {
        reply(
            200,
            &json!([
                { "id": 1, "event": "labeled", "actor": { "id": 1, "login": "alice", "type": "User" },
                  "label": { "name": "countersign:approve", "color": "x" }, "created_at": "2026-11-20T11:00:00Z" },
                { "id": 2, "event": "mentioned", "actor": null, "created_at": "2026-11-20T11:00:01Z" },
                { "id": 3, "event": "unlabeled", "actor": null, "label": { "name": "countersign:approve" },
                  "created_at": "2026-11-20T11:00:02Z" },
            ]),
        )
    })
    .await;
    let events = fake.repo().label_events(ONE, 100).await.unwrap().items;
    let told: Vec<_> = events
        .iter()
        .map(|event| (event.id.0, event.change, event.actor.login.as_str()))
        .collect();
    assert_eq!(
        told,
        [(1, LabelChange::Added, "alice"), (3, LabelChange::Removed, "ghost")]
    );
    assert_eq!(lines(&fake), ["GET /repos/acme/rocket/issues/1/events?per_page=100"]);
}

#[tokio::test]
async fn the_repository_is_read() {
    let fake = Fake::with_tokens(|_, seen, _| match seen.target.as_str() {
        "/repos/acme/rocket" => reply(
            200,
            &json!({ "id": 1, "name": "rocket2", "private": true, "default_branch": "trunk", "archived": true,
                     "owner": { "id": 5, "login": "acme", "type": "Organization" } }),
        ),
        _ => reply(404, &Value::Null),
    })
    .await;
    let repo = fake.repo();
    let info = repo.repository().await.unwrap();
    assert_eq!((info.default_branch.as_str(), info.archived), ("trunk", true));
    assert_eq!(
        (info.reference.full_name().as_str(), info.reference.owner_id),
        ("acme/rocket2", Some(UserId(5)))
    );
}

#[tokio::test]
async fn a_file_is_text_or_nothing_or_unusable() {
    let fake = Fake::with_tokens(|_, seen, _| match seen.target.rsplit('/').next() {
        Some("countersign.yml") => reply(
            200,
            &json!({ "type": "file", "encoding": "base64", "content": "dmVyc2lv\nbjogMQo=\n", "sha": "abc" }),
        ),
        Some("binary") => reply(
            200,
            &json!({ "type": "file", "encoding": "base64", "content": "/w==", "sha": "abc" }),
        ),
        Some("large") => reply(
            200,
            &json!({ "type": "file", "encoding": "none", "content": "", "sha": "abc" }),
        ),
        Some("directory") => reply(200, &json!([{ "name": "a" }])),
        _ => reply(404, &Value::Null),
    })
    .await;
    let repo = fake.repo();
    let file = repo.file(".github/countersign.yml").await.unwrap().unwrap();
    assert_eq!((file.text.as_str(), file.sha.as_str()), ("version: 1\n", "abc"));
    assert_eq!(repo.file("none").await, Ok(None));
    for odd in ["binary", "large", "directory"] {
        assert!(matches!(repo.file(odd).await, Err(GithubError::Unusable(_))), "{odd}");
    }
    assert!(matches!(repo.file("a/../b").await, Err(GithubError::Validation { .. })));
    assert_eq!(
        lines(&fake)[0],
        "GET /repos/acme/rocket/contents/.github/countersign.yml"
    );
}

#[tokio::test]
async fn a_marker_counts_only_in_a_text_of_our_own() {
    let marker = Marker::of(&"w1:card".into());
    let other = Marker::of(&"w2:card".into());
    let (mine, theirs) = (marker.append_to("Card"), other.append_to("Card"));
    let fake = Fake::with_tokens(move |_, seen, _| {
        if seen.target.contains("comments") {
            let all = json!([
                comment(4, 77, &mine),
                comment(2, 77, &mine),
                comment(1, 1, &mine),
                comment(3, 77, &theirs)
            ]);
            return reply(200, &all);
        }
        let mut copied = issue(5, &mine);
        copied["user"]["id"] = json!(1);
        reply(200, &json!([copied, issue(7, &mine), issue(6, &theirs)]))
    })
    .await;
    let repo = fake.repo();
    let found = repo
        .find_comment(ONE, &marker, UserId(77), instant(NOON))
        .await
        .unwrap();
    assert_eq!(found.iter().map(|comment| comment.id.0).collect::<Vec<_>>(), [2, 4]);
    let found = repo
        .find_issue(&marker, "countersign[bot]", UserId(77), instant(NOON))
        .await
        .unwrap();
    assert_eq!(found.iter().map(|issue| issue.number.0).collect::<Vec<_>>(), [7]);
    assert_eq!(
        lines(&fake),
        [
            "GET /repos/acme/rocket/issues/1/comments?since=2026-11-20T12%3A00%3A00Z&per_page=100",
            "GET /repos/acme/rocket/issues?state=all&creator=countersign%5Bbot%5D&since=2026-11-20T12%3A00%3A00Z\
             &sort=created&direction=asc&per_page=100"
        ]
    );
}

#[tokio::test]
async fn links_that_are_not_offered_answer_like_an_issue_that_is_not_there() {
    let fake = Fake::with_tokens(|_, seen, _| match seen.target.as_str() {
        "/repos/acme/rocket/issues/1/sub_issues?per_page=100" => reply(200, &json!([issue(8, "")])),
        "/repos/acme/rocket/issues/1/dependencies/blocked_by?per_page=100" => reply(410, &Value::Null),
        _ => reply(
            422,
            &json!({ "message": "Validation Failed", "errors": ["Parent cannot have more than 100 sub-issues"] }),
        ),
    })
    .await;
    let repo = fake.repo();
    assert_eq!(repo.sub_issues(ONE).await.unwrap()[0].id, Some(IssueId(9008)));
    assert!(matches!(repo.blocked_by(ONE).await, Err(GithubError::Gone(_))));
    let error = repo.add_sub_issue(ONE, IssueId(1)).await.unwrap_err();
    assert!(error.to_string().contains("more than 100 sub-issues"), "{error}");
    let account = repo.reference().clone();
    assert_eq!(account, repository());
}
