//! At the door: signatures, sizes, what cannot be read, health.

use std::io::Write;
use std::sync::{Arc, Mutex};

use countersign::sandbox::{FaultKind, FaultRule, signature};
use countersign::web::BODY_LIMIT;

use super::{Forged, delivery, figure, page};
use crate::world::{SECRET, Setup, World};

const OTHER: &str = "another secret, of 32 characters";

/// A log that a test can read.
#[derive(Clone, Default)]
pub struct Page(Arc<Mutex<Vec<u8>>>);

impl Page {
    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Has all that this process logs, at every level, written where the test can read it. For tests that run in a
/// process of their own; where they share one, the first takes it all and this test reads what it may.
pub fn listen_to_the_log() -> Page {
    let page = Page::default();
    let writer = page.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let _ = tracing::subscriber::set_global_default(subscriber);
    page
}

#[tokio::test]
async fn bad_signatures_are_refused_alike_and_their_bodies_are_not_logged() {
    let log = listen_to_the_log();
    let world = World::new().await;
    const BODY: &str = r#"{"zen":"the body of a forger","action":"created"}"#;
    let sha1 = "0123456789abcdef0123456789abcdef01234567";
    let right = signature(SECRET, BODY.as_bytes());
    let forged = |id| Forged::signed("issue_comment", id, BODY);
    let all = [
        forged("d-other").signature("X-Hub-Signature-256", signature(OTHER, BODY.as_bytes())),
        forged("d-none").unsigned(),
        forged("d-empty").signature("X-Hub-Signature-256", ""),
        forged("d-sha1").signature("X-Hub-Signature", format!("sha1={sha1}")),
        forged("d-sha1-named").signature("X-Hub-Signature-256", format!("sha1={sha1}")),
        forged("d-bare").signature("X-Hub-Signature-256", right.trim_start_matches("sha256=")),
        forged("d-short").signature("X-Hub-Signature-256", &right[..70]),
        forged("d-long").signature("X-Hub-Signature-256", format!("{right}00")),
        forged("d-no-hex").signature("X-Hub-Signature-256", format!("sha256={}", "g".repeat(64))),
        forged("d-of-another-body").signature("X-Hub-Signature-256", signature(SECRET, b"{}")),
        // Even the headers that are missing are not told to somebody who has no secret.
        Forged {
            delivery: None,
            event: None,
            ..forged("")
        }
        .unsigned(),
        Forged {
            body: b"{not json".to_vec(),
            ..forged("d-broken")
        }
        .unsigned(),
    ];
    let count = all.len();
    let mut answers = Vec::new();
    for request in all {
        answers.push(request.post(&world).await);
    }
    assert_eq!(answers[0].status, 401, "{:?}", answers[0]);
    for answer in &answers {
        assert_eq!(answer, &answers[0]);
    }
    let kept = world.house().engine.store().deliveries(false, 100).await.unwrap();
    assert!(kept.is_empty(), "{kept:#?}");
    let log = log.text();
    assert_eq!(
        log.matches("a request to the webhook was refused").count(),
        count,
        "{log}"
    );
    for never in ["the body of a forger", "not json", sha1, &right[10..30], SECRET] {
        assert!(!log.contains(never), "`{never}` was logged:\n{log}");
    }
    let refused = figure(&world, r#"countersign_deliveries_total{outcome="bad_signature"}"#).await;
    assert_eq!(refused, count as f64);
    world.end().await;
}

#[tokio::test]
async fn a_body_over_25_mb_is_refused_and_one_just_under_is_kept() {
    let world = World::new().await;
    let padded = |bytes: usize| {
        let mut body = br#"{"action":"created","padding":""#.to_vec();
        body.resize(bytes - 2, b'x');
        body.extend_from_slice(b"\"}");
        body
    };
    let under = Forged::signed("star", "d-under", padded(BODY_LIMIT)).post(&world).await;
    assert_eq!(under.status, 202, "{under:?}");
    assert_eq!(delivery(&world, "d-under").await.unwrap().state, "done");
    let over = Forged::signed("star", "d-over", padded(BODY_LIMIT + 1))
        .post(&world)
        .await;
    assert_eq!((over.status, over.text.as_str()), (413, "the body is over 25 MB\n"));
    assert!(delivery(&world, "d-over").await.is_none());
    world.end().await;
}

#[tokio::test]
async fn what_cannot_be_read_is_kept_counted_and_shown() {
    let world = World::new().await;
    let cases = [
        ("d-json", "issue_comment", "{not json", "failed"),
        ("d-empty", "issue_comment", "", "failed"),
        ("d-array", "issue_comment", "[]", "failed"),
        ("d-fields", "issue_comment", r#"{"action":"created"}"#, "failed"),
        (
            "d-types",
            "issues",
            r#"{"action":"labeled","issue":{"number":"seven"}}"#,
            "failed",
        ),
        ("d-latin1", "issue_comment", "\u{0}\u{1}", "failed"),
        ("d-unknown", "from_next_year", r#"{"action":"glittered"}"#, "done"),
        (
            "d-action",
            "issue_comment",
            r#"{"action":"glittered","issue":{"number":7}}"#,
            "done",
        ),
    ];
    for (id, event, body, _) in cases {
        let answer = Forged::signed(event, id, body).post(&world).await;
        assert_eq!(answer.status, 202, "{id}: {answer:?}");
    }
    world.settle().await;
    for (id, event, _, state) in cases {
        let kept = delivery(&world, id).await.unwrap();
        assert_eq!((kept.event.as_str(), kept.state.as_str()), (event, state), "{kept:#?}");
        let outcome = kept.outcome.unwrap_or_default();
        assert!(!outcome.is_empty(), "{id} has no outcome");
        if state == "failed" {
            assert!(outcome.starts_with("it could not be read: "), "{id}: {outcome}");
        }
    }
    let taken = figure(&world, r#"countersign_deliveries_total{outcome="accepted"}"#).await;
    assert_eq!(taken, cases.len() as f64);
    // What was kept can be looked at, byte by byte.
    let store = world.house().engine.store();
    let (_, body) = store.delivery(&"d-json".into()).await.unwrap().unwrap();
    assert_eq!(body, b"{not json");
    world.end().await;
}

#[tokio::test]
async fn a_signed_request_without_an_id_or_an_event_is_no_delivery() {
    let world = World::new().await;
    let signed = || Forged::signed("ping", "d-1", "{}");
    for request in [
        Forged {
            delivery: None,
            ..signed()
        },
        Forged {
            event: None,
            ..signed()
        },
        Forged {
            delivery: Some(" "),
            ..signed()
        },
    ] {
        let answer = request.post(&world).await;
        assert_eq!(answer.status, 400, "{answer:?}");
        assert!(
            answer.text.contains("X-GitHub-Delivery and X-GitHub-Event"),
            "{answer:?}"
        );
    }
    world.end().await;
}

#[tokio::test]
async fn the_previous_secret_is_taken_while_a_rotation_lasts() {
    let rotating = Setup::new()
        .set("COUNTERSIGN_WEBHOOK_SECRET_PREVIOUS", OTHER)
        .start()
        .await;
    let body = r#"{"zen":"Half measures are as bad as nothing at all."}"#;
    let old =
        || Forged::signed("ping", "d-1", body).signature("X-Hub-Signature-256", signature(OTHER, body.as_bytes()));
    assert_eq!(old().post(&rotating).await.status, 202);
    assert_eq!(Forged::signed("ping", "d-2", body).post(&rotating).await.status, 202);
    rotating.end().await;
    let over = World::new().await;
    assert_eq!(old().post(&over).await.status, 401);
    over.end().await;
}

#[tokio::test]
async fn github_s_troubles_change_only_what_readiness_says() {
    let world = World::new().await;
    world.github.fault(FaultRule::on("*", "/", FaultKind::Refuse));
    let issue = world.issue("Checkout is slow", "It is.");
    world.say("mallory", issue, "/help").await;
    assert_eq!(page(&world, "/livez").await.text, "ok\n");
    let ready = page(&world, "/readyz").await;
    assert_eq!(ready.status, 200, "{ready:?}");
    let body: serde_json::Value = serde_json::from_str(&ready.text).unwrap();
    assert_eq!(
        (&body["ready"], &body["github"]["app"]),
        (&true.into(), &serde_json::Value::Null)
    );
    assert_eq!(
        figure(&world, r#"countersign_queue_depth{queue="deliveries"}"#).await,
        1.0
    );
    world.github.heal();
    world.wait(10).await;
    assert!(world.answer(issue).contains("/approve"));
    let body: serde_json::Value = serde_json::from_str(&page(&world, "/readyz").await.text).unwrap();
    assert_eq!(body["github"]["app"], "countersign[bot]");
    assert_eq!(
        figure(&world, r#"countersign_queue_depth{queue="deliveries"}"#).await,
        0.0
    );
    world.end().await;
}

#[tokio::test]
async fn a_database_that_takes_no_writes_makes_github_deliver_again_and_the_server_unready() {
    let world = World::new().await;
    assert_eq!(page(&world, "/readyz").await.status, 200);
    world.house().engine.store().stop_after(0);
    let answer = Forged::signed("ping", "d-1", "{}").post(&world).await;
    assert_eq!(answer.status, 503, "{answer:?}");
    assert!(answer.text.contains("deliver it again"), "{answer:?}");
    let ready = page(&world, "/readyz").await;
    assert_eq!(ready.status, 503, "{ready:?}");
    assert!(ready.text.contains(r#""ready":false"#), "{ready:?}");
    // The process itself is well.
    assert_eq!(page(&world, "/livez").await.status, 200);
}
