//! Tokens: the App's and the installations'.

use std::time::Duration;

use serde_json::{Value, json};

use super::fake::{Fake, INSTALLATION, NOON, Seen, granted, instant, issue, reply, repository};
use crate::github::error::{Certainty, GithubError, Refusal};
use crate::workflow::ids::{InstallationId, IssueNumber};

fn claims(seen: &Seen) -> Value {
    let token = seen.header("authorization").unwrap().strip_prefix("Bearer ").unwrap();
    let payload = token.split('.').nth(1).unwrap();
    let payload = data_encoding::BASE64URL_NOPAD.decode(payload.as_bytes()).unwrap();
    serde_json::from_slice(&payload).unwrap()
}

#[tokio::test]
async fn twenty_cold_calls_take_one_token() {
    let fake = Fake::with_tokens(|_, _, _| reply(200, &issue(1, ""))).await;
    let repo = fake.repo();
    let calls = (1..=20).map(|number| {
        let repo = repo.clone();
        async move { repo.issue(IssueNumber(number)).await }
    });
    for answer in futures::future::join_all(calls).await {
        answer.unwrap();
    }
    assert_eq!(fake.tokens_asked(), 1);
    assert_eq!(fake.calls().len(), 20);
}

#[tokio::test]
async fn each_installation_has_its_own_token() {
    let fake = Fake::start(|_, seen, _| match seen.target.as_str() {
        "/app/installations/7/access_tokens" => granted("seven", NOON),
        "/app/installations/8/access_tokens" => granted("eight", NOON),
        _ => reply(200, &issue(1, "")),
    })
    .await;
    let github = fake.github();
    for id in [7, 8, 7] {
        let repo = github.installation(InstallationId(id)).repository(&repository());
        repo.issue(IssueNumber(1)).await.unwrap();
    }
    let used: Vec<String> = fake
        .calls()
        .iter()
        .map(|seen| seen.header("authorization").unwrap().to_owned())
        .collect();
    assert_eq!(used, ["Bearer seven", "Bearer eight", "Bearer seven"]);
    assert_eq!(fake.tokens_asked(), 2);
}

#[tokio::test]
async fn a_token_is_renewed_five_minutes_before_it_expires_and_may_be_long() {
    let long = format!("ghs_42_{}", "x".repeat(2000));
    let expected = format!("Bearer {long}");
    let fake = Fake::start(move |_, seen, _| {
        if seen.asks_for_token() {
            granted(&long, NOON)
        } else {
            reply(200, &issue(1, ""))
        }
    })
    .await;
    let repo = fake.repo();
    repo.issue(IssueNumber(1)).await.unwrap();
    fake.pass(Duration::from_secs(54 * 60));
    repo.issue(IssueNumber(1)).await.unwrap();
    assert_eq!(fake.tokens_asked(), 1);
    fake.pass(Duration::from_secs(2 * 60));
    repo.issue(IssueNumber(1)).await.unwrap();
    assert_eq!(fake.tokens_asked(), 2);
    assert_eq!(fake.calls()[0].header("authorization"), Some(expected.as_str()));
}

#[tokio::test]
async fn a_401_renews_the_token_once_and_repeats_the_call() {
    let fake = Fake::with_tokens(|_, seen, _| match seen.header("authorization") {
        Some("Bearer token-0") => reply(401, &json!({ "message": "Bad credentials" })),
        _ => reply(201, &super::fake::comment(5, 77, "hi")),
    })
    .await;
    let created = fake.repo().create_comment(IssueNumber(1), "hi").await.unwrap();
    assert_eq!(created.id.0, 5);
    assert_eq!(fake.tokens_asked(), 2);
    let bodies: Vec<String> = fake.calls().into_iter().map(|seen| seen.body).collect();
    assert_eq!(bodies, [r#"{"body":"hi"}"#, r#"{"body":"hi"}"#]);
}

#[tokio::test]
async fn a_second_401_is_the_answer() {
    let fake = Fake::with_tokens(|_, _, _| reply(401, &json!({ "message": "Bad credentials" }))).await;
    let error = fake.repo().issue(IssueNumber(1)).await.unwrap_err();
    assert_eq!(error, GithubError::Unauthorized("Bad credentials".to_owned()));
    assert_eq!((fake.tokens_asked(), fake.calls().len()), (2, 2));
}

#[tokio::test]
async fn what_goes_wrong_with_the_token_was_before_the_call() {
    type Expected = fn(&GithubError) -> bool;
    let table: [(u16, &str, Expected); 5] = [
        (404, "Not Found", |error| matches!(error, GithubError::NotInstalled(_))),
        (500, "Oops", |error| matches!(error, GithubError::Unreachable(_))),
        (401, "Bad credentials", |error| {
            matches!(error, GithubError::Unauthorized(_))
        }),
        (403, "This installation has been suspended", |error| {
            matches!(
                error,
                GithubError::Forbidden {
                    reason: Refusal::Suspended,
                    ..
                }
            )
        }),
        (201, "no token in it", |error| {
            matches!(error, GithubError::Unreachable(_))
        }),
    ];
    for (status, message, expected) in table {
        let fake = Fake::start(move |_, _, _| reply(status, &json!({ "message": message }))).await;
        let error = fake.repo().create_comment(IssueNumber(1), "hi").await.unwrap_err();
        assert!(expected(&error), "{status}: {error:?}");
        assert_eq!(error.certainty(), Certainty::DefinitelyNot);
        assert!(fake.calls().is_empty(), "the call was never sent");
    }
}

#[tokio::test]
async fn who_waited_for_a_token_shares_the_failure_and_the_next_one_asks_again() {
    let fake = Fake::start(|_, seen, before| match (seen.asks_for_token(), before) {
        (true, 0) => reply(503, &Value::Null),
        (true, _) => granted("token", NOON),
        _ => reply(200, &issue(1, "")),
    })
    .await;
    let repo = fake.repo();
    let calls = (0..5).map(|_| repo.issue(IssueNumber(1)));
    let failed = futures::future::join_all(calls)
        .await
        .into_iter()
        .filter(Result::is_err)
        .count();
    assert_eq!((failed, fake.tokens_asked()), (5, 1));
    repo.issue(IssueNumber(1)).await.unwrap();
    assert_eq!(fake.tokens_asked(), 2);
}

#[tokio::test]
async fn the_web_token_is_backdated_by_a_minute_and_lasts_nine() {
    let fake =
        Fake::start(|_, _, _| reply(200, &json!({ "id": 42, "slug": "countersign", "name": "Countersign" }))).await;
    let identity = fake.github().app().identity().await.unwrap();
    assert_eq!(identity.login, "countersign[bot]");
    let seen = fake.seen();
    assert_eq!(
        claims(&seen[0]),
        json!({ "iss": 42, "iat": NOON - 60, "exp": NOON + 540 })
    );
}

#[tokio::test]
async fn a_wrong_clock_is_corrected_from_the_date_of_a_401() {
    // GitHub is ten minutes behind us: our token is "issued in the future".
    let theirs = NOON - 600;
    let fake = Fake::start(move |_, seen, _| {
        if claims(seen)["iat"].as_i64().unwrap() > theirs {
            let date = instant(theirs).format("%a, %d %b %Y %H:%M:%S GMT").to_string();
            return reply(
                401,
                &json!({ "message": "'Issued at' claim ('iat') must be in the past" }),
            )
            .with("date", date);
        }
        reply(200, &json!({ "id": 42, "slug": "countersign" }))
    })
    .await;
    let app = fake.github().app();
    app.identity().await.unwrap();
    assert_eq!(fake.seen().len(), 2);
    app.identity().await.unwrap();
    assert_eq!(fake.seen().len(), 3, "the correction stays");
}

#[tokio::test]
async fn a_wrong_clock_is_corrected_when_a_token_is_asked_for_too() {
    let theirs = NOON + 3000;
    let fake = Fake::start(move |_, seen, _| {
        if !seen.asks_for_token() {
            return reply(200, &issue(1, ""));
        }
        if claims(seen)["exp"].as_i64().unwrap() < theirs {
            return reply(401, &json!({ "message": "expired" })).with("date", instant(theirs).to_rfc2822());
        }
        granted("token", theirs)
    })
    .await;
    let repo = fake.github().installation(INSTALLATION).repository(&repository());
    repo.issue(IssueNumber(1)).await.unwrap();
    assert_eq!((fake.tokens_asked(), fake.calls().len()), (2, 1));
    repo.issue(IssueNumber(1)).await.unwrap();
    assert_eq!(fake.tokens_asked(), 2, "kept by GitHub's clock, not by ours");
}

#[tokio::test]
async fn a_401_of_another_cause_is_not_repeated_for_the_app() {
    let fake = Fake::start(|_, _, _| {
        reply(401, &json!({ "message": "no such App" })).with("date", instant(NOON + 5).to_rfc2822())
    })
    .await;
    let error = fake.github().app().identity().await.unwrap_err();
    assert_eq!(error, GithubError::Unauthorized("no such App".to_owned()));
    assert_eq!(fake.seen().len(), 1);
}
