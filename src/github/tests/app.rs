//! The App's own calls, and GraphQL.

use serde_json::{Value, json};

use super::fake::{Fake, INSTALLATION, NOON, instant, reply};
use crate::github::calls::app::AttemptId;
use crate::github::calls::graphql::{Classifier, EditTime, EditTimesUnavailable, Editor};
use crate::github::error::{GithubError, Refusal};
use crate::workflow::ids::{InstallationId, UserId};

#[tokio::test]
async fn edit_times_come_in_hundreds_and_a_deleted_text_has_none() {
    let fake = Fake::with_tokens(|_, seen, _| {
        let body: Value = serde_json::from_str(&seen.body).unwrap();
        let ids = body["variables"]["ids"].as_array().unwrap().clone();
        assert!(ids.len() <= 100);
        let nodes: Vec<Value> = ids
            .iter()
            .map(|id| match id.as_str().unwrap() {
                "n0" => json!({ "id": id, "lastEditedAt": "2026-11-20T11:00:00Z", "editor": { "__typename": "User", "login": "alice" } }),
                "n1" => Value::Null,
                _ => json!({ "id": id, "lastEditedAt": null, "editor": null }),
            })
            .collect();
        let errors = json!([{ "type": "NOT_FOUND", "message": "Could not resolve to a node" }]);
        reply(200, &json!({ "data": { "nodes": nodes }, "errors": errors }))
    })
    .await;
    let ids: Vec<String> = (0..150).map(|number| format!("n{number}")).collect();
    let times = fake.repo().edit_times(&ids).await.unwrap();
    assert_eq!(times.len(), 149);
    assert_eq!(times["n0"].last_edited_at, Some(instant(NOON - 3600)));
    let editor = |is_bot| Editor {
        login: "alice".to_owned(),
        is_bot,
    };
    assert_eq!(times["n0"].editor, Some(editor(false)));
    assert!(
        !editor(false).is_app("alice[bot]"),
        "the App's owner may have its slug as a login"
    );
    assert!(editor(true).is_app("alice[bot]"));
    assert!(!editor(true).is_app("bob[bot]"));
    assert_eq!(times["n2"], EditTime::default());
    let targets: Vec<String> = fake.calls().into_iter().map(|seen| seen.target).collect();
    assert_eq!(targets, ["/api/graphql", "/api/graphql"]);
}

#[tokio::test]
async fn graphql_that_is_not_offered_is_told_from_one_that_fails() {
    let ids = ["n".to_owned()];
    let fake = Fake::with_tokens(|_, _, _| reply(404, &Value::Null)).await;
    assert_eq!(
        fake.repo().edit_times(&ids).await,
        Err(EditTimesUnavailable::NotOffered)
    );

    type Expected = fn(&GithubError) -> bool;
    let table: [(Value, Expected); 5] = [
        (
            json!({ "errors": [{ "type": "RATE_LIMITED", "message": "m" }] }),
            |error| matches!(error, GithubError::RateLimited { .. }),
        ),
        (
            json!({ "data": null, "errors": [{ "type": "FORBIDDEN", "message": "Resource not accessible by integration" }] }),
            |error| {
                matches!(
                    error,
                    GithubError::Forbidden {
                        reason: Refusal::MissingPermission { .. },
                        ..
                    }
                )
            },
        ),
        (
            json!({ "errors": [{ "message": "Field 'x' doesn't exist", "extensions": { "code": "undefinedField" } }] }),
            |error| matches!(error, GithubError::Validation { .. }),
        ),
        (
            json!({ "data": null, "errors": [{ "message": "Something went wrong while executing your query." }] }),
            |error| matches!(error, GithubError::Ambiguous(_)),
        ),
        (json!({}), |error| matches!(error, GithubError::Malformed(_))),
    ];
    for (body, expected) in table {
        let shown = body.to_string();
        let fake = Fake::with_tokens(move |_, _, _| reply(200, &body)).await;
        match fake.repo().edit_times(&ids).await {
            Err(EditTimesUnavailable::Failed(error)) => assert!(expected(&error), "{shown}: {error:?}"),
            other => panic!("{shown}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_comment_is_minimized_by_its_node() {
    let fake = Fake::with_tokens(|_, seen, _| {
        if seen.body.contains("IC_gone") {
            return reply(
                200,
                &json!({ "data": null, "errors": [{ "type": "NOT_FOUND", "message": "no node" }] }),
            );
        }
        reply(
            200,
            &json!({ "data": { "minimizeComment": { "minimizedComment": { "isMinimized": true } } } }),
        )
    })
    .await;
    let installation = fake.github().installation(INSTALLATION);
    installation
        .minimize_comment("IC_5", Classifier::Resolved)
        .await
        .unwrap();
    let body: Value = serde_json::from_str(&fake.calls()[0].body).unwrap();
    assert_eq!(body["variables"], json!({ "id": "IC_5", "classifier": "RESOLVED" }));
    let gone = installation.minimize_comment("IC_gone", Classifier::Outdated).await;
    assert_eq!(gone, Err(GithubError::NotFound("no node".to_owned())));
}

#[tokio::test]
async fn the_app_reads_its_installations() {
    let fake = Fake::with_tokens(|_, seen, _| {
        let installation = json!({
            "id": 7, "account": { "id": 5, "login": "acme", "type": "Organization" }, "suspended_at": null,
            "permissions": { "issues": "write", "odd": null }, "events": ["issues"], "html_url": "https://github.test/i/7",
        });
        match seen.target.as_str() {
            "/app/installations/7" | "/repos/acme/rocket/installation" => reply(200, &installation),
            "/app/installations?per_page=100" => reply(200, &json!([installation])),
            "/users/countersign%5Bbot%5D" => {
                reply(200, &json!({ "id": 77, "login": "countersign[bot]", "type": "Bot" }))
            }
            _ => reply(404, &Value::Null),
        }
    })
    .await;
    let github = fake.github();
    let app = github.app();
    let info = app.installation(INSTALLATION).await.unwrap().unwrap();
    assert_eq!((info.id, info.suspended), (INSTALLATION, false));
    assert_eq!(
        info.permissions.into_iter().collect::<Vec<_>>(),
        [("issues".to_owned(), "write".to_owned())]
    );
    assert!(app.installation_of("acme", "rocket").await.unwrap().is_some());
    assert_eq!(app.installation_of("acme", "other").await, Ok(None));
    assert_eq!(app.installation(InstallationId(8)).await, Ok(None));
    assert_eq!(app.installations().await.unwrap().len(), 1);
    assert_eq!(fake.tokens_asked(), 0, "the App needs no installation's token");
    let own = github
        .installation(INSTALLATION)
        .account("countersign[bot]")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(own.id, UserId(77));
    assert_eq!(github.installation(INSTALLATION).account("nobody").await, Ok(None));
}

#[tokio::test]
async fn deliveries_go_on_by_cursor_and_are_asked_for_again_by_attempt() {
    let fake = Fake::with_tokens(|url, seen, _| {
        let attempt = |id: u64, code: u16| {
            json!({ "id": id, "guid": "g", "delivered_at": "2026-11-20T11:00:00Z", "redelivery": false, "duration": 0.1,
                    "status": "x", "status_code": code, "event": "issues", "action": "opened",
                    "installation_id": 7, "repository_id": null })
        };
        match seen.target.as_str() {
            "/app/hook/deliveries?per_page=100" => reply(200, &json!([attempt(2, 502), attempt(1, 202)])).with(
                "link",
                format!("<{url}app/hook/deliveries?per_page=100&cursor=v1_%2B9>; rel=\"next\""),
            ),
            "/app/hook/deliveries?per_page=100&cursor=v1_%2B9" => reply(200, &json!([])),
            _ => reply(202, &json!({})),
        }
    })
    .await;
    let app = fake.github().app();
    let page = app.deliveries(None).await.unwrap();
    let arrived: Vec<_> = page
        .deliveries
        .iter()
        .map(|delivery| (delivery.id.0, delivery.arrived()))
        .collect();
    assert_eq!(arrived, [(2, false), (1, true)]);
    assert_eq!(
        (page.deliveries[0].installation, page.deliveries[0].repository),
        (Some(INSTALLATION), None)
    );
    let last = app.deliveries(page.next.as_ref()).await.unwrap();
    assert_eq!((last.deliveries.len(), last.next), (0, None));
    app.redeliver(AttemptId(2)).await.unwrap();
    assert_eq!(fake.calls()[2].line(), "POST /app/hook/deliveries/2/attempts");
}
