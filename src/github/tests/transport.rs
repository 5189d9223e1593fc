//! Headers, redirects, pages, ETags, time-outs and broken connections.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::fake::{Fake, INSTALLATION, KEY, NOON, comment, granted, instant, issue, reply, repository, silence};
use crate::github::client::{GitHub, Limits, Settings, SetupError};
use crate::github::error::{Certainty, GithubError};
use crate::workflow::ids::IssueNumber;

#[tokio::test]
async fn every_request_has_each_of_our_headers_once() {
    let fake = Fake::with_tokens(|_, seen, _| match seen.method.as_str() {
        "POST" => reply(201, &comment(5, 77, "hi")),
        _ => reply(200, &issue(1, "")),
    })
    .await;
    let repo = fake.repo();
    repo.issue(IssueNumber(1)).await.unwrap();
    repo.create_comment(IssueNumber(1), "hi").await.unwrap();
    let seen = fake.seen();
    assert_eq!(seen.len(), 3, "a token, a GET and a POST");
    for seen in &seen {
        for (name, value) in [
            ("user-agent", concat!("countersign/", env!("CARGO_PKG_VERSION"))),
            ("accept", "application/vnd.github+json"),
            ("x-github-api-version", "2022-11-28"),
        ] {
            let values: Vec<&str> = seen
                .headers
                .get_all(name)
                .iter()
                .map(|value| value.to_str().unwrap())
                .collect();
            assert_eq!(values, [value], "{name} of {}", seen.line());
        }
        assert_eq!(seen.headers.get_all("authorization").iter().count(), 1);
        assert!(seen.headers.get_all("content-length").iter().count() <= 1);
    }
    assert_eq!(seen[2].header("content-type"), Some("application/json"));
}

#[tokio::test]
async fn an_enterprise_servers_base_path_is_kept() {
    let fake = Fake::with_tokens(|_, _, _| reply(200, &issue(1, ""))).await;
    for base in ["/api/v3", "/api/v3/"] {
        let github = fake.github_at(base, Limits::default());
        github
            .installation(INSTALLATION)
            .repository(&repository())
            .issue(IssueNumber(1))
            .await
            .unwrap();
    }
    let targets: Vec<String> = fake.seen().into_iter().map(|seen| seen.target).collect();
    let expected = [
        "/api/v3/app/installations/7/access_tokens",
        "/api/v3/repos/acme/rocket/issues/1",
    ];
    assert_eq!(targets, [expected, expected].concat());
}

#[tokio::test]
async fn the_second_page_is_asked_for_with_our_credentials_and_the_cap_tells_what_is_missing() {
    let fake = Fake::with_tokens(|url, seen, _| {
        if seen.target.contains("page=2") {
            return reply(200, &json!([comment(3, 1, "c"), comment(4, 1, "d")])).with(
                "link",
                format!("<{url}x?page=3>; rel=\"next\", <{url}x?page=5>; rel=\"last\""),
            );
        }
        if seen.target.contains("page=3") {
            return reply(200, &json!([comment(5, 1, "e")]));
        }
        let link = format!(
            "<{url}repositories/1/issues/1/comments?a=1,2&page=2>; rel=\"next\", <{url}x?page=5>; rel=\"last\""
        );
        reply(200, &json!([comment(1, 1, "a"), comment(2, 1, "b")])).with("link", link)
    })
    .await;
    let repo = fake.repo();
    let all = repo.comments(IssueNumber(1), None, 1000).await.unwrap();
    let bodies: Vec<&str> = all.items.iter().map(|comment| comment.body.as_str()).collect();
    assert_eq!((bodies, all.left_out), (vec!["a", "b", "c", "d", "e"], 0));
    let calls = fake.calls();
    let targets: Vec<&str> = calls.iter().map(|seen| seen.target.as_str()).collect();
    assert_eq!(
        targets,
        [
            "/repos/acme/rocket/issues/1/comments?per_page=100",
            "/repositories/1/issues/1/comments?a=1,2&page=2",
            "/x?page=3"
        ]
    );
    assert!(
        calls
            .iter()
            .all(|seen| seen.header("authorization") == Some("Bearer token-0"))
    );

    let cut = repo.comments(IssueNumber(1), None, 3).await.unwrap();
    // One on page 2, two full pages, at least one on page 5.
    assert_eq!((cut.items.len(), cut.left_out), (3, 1 + 200 + 1));
}

#[tokio::test]
async fn a_page_on_another_host_is_not_asked_for() {
    let other = Fake::start(|_, _, _| reply(200, &json!([]))).await;
    let away = other.url.clone();
    let fake =
        Fake::with_tokens(move |_, _, _| reply(200, &json!([])).with("link", format!("<{away}x>; rel=\"next\""))).await;
    let error = fake.repo().comments(IssueNumber(1), None, 10).await.unwrap_err();
    assert!(matches!(error, GithubError::Validation { .. }), "{error:?}");
    assert!(other.seen().is_empty());
}

#[tokio::test]
async fn redirects_within_github_are_followed_with_method_and_body() {
    for status in [301, 302, 307, 308] {
        let fake = Fake::with_tokens(move |url, seen, _| match seen.target.as_str() {
            "/repos/acme/rocket/issues/1/comments" => reply(status, &json!({ "message": "Moved Permanently" }))
                .with("location", format!("{url}repositories/1/x")),
            "/repositories/1/x" => reply(status, &Value::Null).with("location", "/repositories/1/y"),
            _ => reply(201, &comment(5, 77, "hi")),
        })
        .await;
        fake.repo().create_comment(IssueNumber(1), "hi").await.unwrap();
        let lines: Vec<String> = fake.calls().iter().map(super::fake::Seen::line).collect();
        assert_eq!(
            lines,
            [
                r#"POST /repos/acme/rocket/issues/1/comments {"body":"hi"}"#,
                r#"POST /repositories/1/x {"body":"hi"}"#,
                r#"POST /repositories/1/y {"body":"hi"}"#
            ]
        );
        assert!(fake.calls().iter().all(|seen| seen.header("authorization").is_some()));
    }
}

#[tokio::test]
async fn redirects_to_another_host_or_without_end_are_refused() {
    let other = Fake::start(|_, _, _| reply(200, &issue(1, ""))).await;
    let away = other.url.clone();
    let fake = Fake::with_tokens(move |_, seen, _| match seen.target.as_str() {
        "/repos/acme/rocket/issues/1" => reply(301, &Value::Null).with("location", format!("{away}steal")),
        "/repos/acme/rocket/issues/2" => reply(301, &Value::Null).with("location", "/repos/acme/rocket/issues/2"),
        _ => reply(301, &Value::Null),
    })
    .await;
    let repo = fake.repo();
    for number in 1..=3 {
        let error = repo.issue(IssueNumber(number)).await.unwrap_err();
        assert!(matches!(error, GithubError::Other { status: 301, .. }), "{error:?}");
        assert_eq!(error.certainty(), Certainty::DefinitelyNot);
    }
    assert!(other.seen().is_empty(), "our credentials stay at home");
    assert_eq!(fake.calls().len(), 1 + 4 + 1);
}

#[tokio::test]
async fn a_304_gives_the_answer_that_we_have() {
    let fake = Fake::with_tokens(|url, seen, _| match seen.header("if-none-match") {
        Some("W/\"1\"") => reply(304, &Value::Null),
        None => reply(200, &json!([comment(1, 1, "a")]))
            .with("etag", "W/\"1\"")
            .with("link", format!("<{url}x>; rel=\"prev\"")),
        Some(other) => panic!("unexpected {other}"),
    })
    .await;
    let repo = fake.repo();
    let first = repo.comments(IssueNumber(1), None, 10).await.unwrap();
    let second = repo.comments(IssueNumber(1), None, 10).await.unwrap();
    assert_eq!(first, second);
    let sent: Vec<bool> = fake
        .calls()
        .iter()
        .map(|seen| seen.header("if-none-match").is_some())
        .collect();
    assert_eq!(sent, [false, true]);
}

#[tokio::test]
async fn a_304_that_was_not_asked_for_is_an_error() {
    let fake = Fake::with_tokens(|_, _, _| reply(304, &Value::Null)).await;
    let error = fake.repo().issue(IssueNumber(1)).await.unwrap_err();
    assert!(matches!(error, GithubError::Other { status: 304, .. }), "{error:?}");
}

#[tokio::test]
async fn the_rate_is_remembered_per_installation_and_other_budgets_are_left_alone() {
    let fake = Fake::with_tokens(|_, seen, _| {
        let resource = if seen.target == "/api/graphql" {
            "graphql"
        } else {
            "core"
        };
        let body = if resource == "core" {
            issue(1, "")
        } else {
            json!({ "data": { "nodes": [] } })
        };
        reply(200, &body)
            .with("x-ratelimit-resource", resource)
            .with("x-ratelimit-remaining", if resource == "core" { "4321" } else { "17" })
            .with("x-ratelimit-limit", "5000")
            .with("x-ratelimit-reset", (NOON + 60).to_string())
    })
    .await;
    let github = fake.github();
    let installation = github.installation(INSTALLATION);
    assert_eq!(installation.remaining(), None);
    let repo = installation.repository(&repository());
    repo.issue(IssueNumber(1)).await.unwrap();
    repo.edit_times(&["IC_1".to_owned()]).await.unwrap();
    assert_eq!(installation.remaining(), Some(4321));
    assert_eq!(installation.rate().unwrap().resets_at, Some(instant(NOON + 60)));
    assert_eq!(
        github.installation(crate::workflow::ids::InstallationId(8)).remaining(),
        None
    );
}

#[tokio::test]
async fn an_error_is_sent_once() {
    for status in [500, 502, 429, 403] {
        let fake = Fake::with_tokens(move |_, _, _| reply(status, &Value::Null)).await;
        fake.repo().create_comment(IssueNumber(1), "hi").await.unwrap_err();
        assert_eq!(fake.calls().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn silence_is_ambiguous_once_the_call_was_sent_and_not_before() {
    let limits = Limits {
        total: Duration::from_secs(1),
        ..Limits::default()
    };
    let fake = Fake::with_tokens(|_, _, _| silence()).await;
    let repo = fake
        .github_at("", limits)
        .installation(INSTALLATION)
        .repository(&repository());
    let error = repo.create_comment(IssueNumber(1), "hi").await.unwrap_err();
    assert!(matches!(error, GithubError::Ambiguous(_)), "{error:?}");

    let fake = Fake::start(|_, _, _| silence()).await;
    let repo = fake
        .github_at("", limits)
        .installation(INSTALLATION)
        .repository(&repository());
    let error = repo.create_comment(IssueNumber(1), "hi").await.unwrap_err();
    assert!(matches!(error, GithubError::Unreachable(_)), "{error:?}");
}

#[tokio::test]
async fn a_success_that_cannot_be_read_may_have_been_executed() {
    let fake = Fake::with_tokens(|_, _, _| reply(201, &json!({ "surprise": true }))).await;
    let error = fake.repo().create_comment(IssueNumber(1), "hi").await.unwrap_err();
    assert!(matches!(error, GithubError::Malformed(_)), "{error:?}");
    assert_eq!(error.certainty(), Certainty::Maybe);
}

#[tokio::test]
async fn an_answer_over_the_limit_is_not_read() {
    let fake = Fake::with_tokens(|_, _, _| reply(200, &issue(1, &"x".repeat(5000)))).await;
    let limits = Limits {
        answer: 4000,
        ..Limits::default()
    };
    let repo = fake
        .github_at("", limits)
        .installation(INSTALLATION)
        .repository(&repository());
    let error = repo.issue(IssueNumber(1)).await.unwrap_err();
    assert_eq!(error, GithubError::Malformed("it is larger than 4000 bytes".to_owned()));
}

/// A server that takes one connection after the other, grants a token on the first request of each and then does with
/// the next what `last` says.
async fn rude(last: &'static [u8]) -> GitHub {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = vec![0; 65536];
            while let Ok(read) = stream.read(&mut request).await {
                let asked = String::from_utf8_lossy(&request[..read]);
                if !asked.contains("access_tokens") {
                    let _ = stream.write_all(last).await;
                    break;
                }
                let body = json!({ "token": "t", "expires_at": instant(NOON + 3600) }).to_string();
                let head = format!("HTTP/1.1 201 Created\r\ncontent-length: {}\r\n\r\n{body}", body.len());
                stream.write_all(head.as_bytes()).await.unwrap();
            }
        }
    });
    github_on(&format!("http://{address}")).unwrap()
}

fn github_on(url: &str) -> Result<GitHub, SetupError> {
    GitHub::new(Settings {
        api_url: url.parse().unwrap(),
        graphql_url: url.parse().unwrap(),
        app_id: 42,
        private_key_pem: KEY,
        clock: Arc::new(|| instant(NOON)),
    })
}

#[tokio::test]
async fn a_connection_that_breaks_after_sending_is_ambiguous() {
    for last in [
        b"".as_slice(),
        b"HTTP/1.1 201 Cre",
        b"HTTP/1.1 201 Created\r\ncontent-length: 100\r\n\r\n{\"id\":",
    ] {
        let repo = rude(last).await.installation(INSTALLATION).repository(&repository());
        let error = repo.create_comment(IssueNumber(1), "hi").await.unwrap_err();
        assert!(matches!(error, GithubError::Ambiguous(_)), "{error:?}");
    }
}

#[tokio::test]
async fn nobody_there_is_unreachable() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let repo = github_on(&format!("http://{address}"))
        .unwrap()
        .installation(INSTALLATION)
        .repository(&repository());
    let error = repo.create_comment(IssueNumber(1), "hi").await.unwrap_err();
    assert!(matches!(error, GithubError::Unreachable(_)), "{error:?}");
    assert_eq!(error.certainty(), Certainty::DefinitelyNot);
}

#[tokio::test]
async fn a_key_that_is_none_is_refused_without_being_repeated() {
    let Err(error) = GitHub::new(Settings {
        api_url: "http://127.0.0.1:1".parse().unwrap(),
        graphql_url: "http://127.0.0.1:1".parse().unwrap(),
        app_id: 42,
        private_key_pem: "-----BEGIN RSA PRIVATE KEY-----\nc2VjcmV0\n-----END RSA PRIVATE KEY-----\n",
        clock: Arc::new(|| instant(NOON)),
    }) else {
        panic!("taken");
    };
    assert!(
        matches!(&error, SetupError::Key(_)) && !error.to_string().contains("c2VjcmV0"),
        "{error}"
    );
}

#[tokio::test]
async fn names_that_would_walk_through_the_path_are_refused_unsent() {
    let fake = Fake::with_tokens(|_, _, _| granted("never used", NOON)).await;
    for name in ["", ".", ".."] {
        let error = fake.repo().remove_label(IssueNumber(1), name).await.unwrap_err();
        assert!(matches!(error, GithubError::Validation { .. }), "{error:?}");
    }
    assert!(fake.seen().is_empty());
}
