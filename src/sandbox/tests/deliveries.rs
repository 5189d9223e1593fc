//! Webhooks: what is sent, how, and again.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;

use super::*;

type Seen = Arc<Mutex<Vec<(HeaderMap, Vec<u8>)>>>;

/// A receiver that keeps what it gets and answers as it is told.
#[derive(Clone)]
struct Receiver {
    seen: Seen,
    status: Arc<Mutex<u16>>,
    url: String,
    arrived: Arc<tokio::sync::Notify>,
}

impl Receiver {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let receiver = Self {
            seen: Seen::default(),
            status: Arc::new(Mutex::new(202)),
            url: format!("http://{}/webhook", listener.local_addr().unwrap()),
            arrived: Arc::default(),
        };
        let app = Router::new().route("/webhook", post(take)).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        receiver
    }

    fn headers(&self, name: &str) -> Vec<String> {
        let seen = self.seen.lock().unwrap();
        seen.iter()
            .map(|(headers, _)| headers[name].to_str().unwrap().to_owned())
            .collect()
    }
}

async fn take(State(receiver): State<Receiver>, headers: HeaderMap, body: bytes::Bytes) -> StatusCode {
    receiver.seen.lock().unwrap().push((headers, body.to_vec()));
    receiver.arrived.notify_one();
    StatusCode::from_u16(*receiver.status.lock().unwrap()).unwrap()
}

async fn with_receiver() -> (Scene, Receiver) {
    let receiver = Receiver::start().await;
    let url = receiver.url.clone();
    (Scene::with(|builder| builder.target(&url)).await, receiver)
}

#[tokio::test]
async fn a_delivery_is_signed_and_bears_githubs_headers() {
    let (scene, receiver) = with_receiver().await;
    scene.sandbox.as_("alice").open_issue("Plan", "text").unwrap();
    let report = scene.sandbox.deliver_next().await.unwrap();
    assert_eq!(
        (report.event.as_str(), report.action.as_deref(), report.status),
        ("issues", Some("opened"), 202)
    );
    let (headers, body) = receiver.seen.lock().unwrap().pop().unwrap();
    assert_eq!(headers["x-github-event"], "issues");
    assert_eq!(headers["x-github-delivery"].to_str().unwrap(), report.guid);
    assert_eq!(report.guid.len(), 36);
    assert!(headers["user-agent"].to_str().unwrap().starts_with("GitHub-Hookshot/"));
    assert_eq!(headers["x-github-hook-installation-target-type"], "integration");
    assert_eq!(headers["x-github-hook-installation-target-id"], "4242");
    assert_eq!(
        headers["x-hub-signature-256"].to_str().unwrap(),
        signature(&scene.sandbox.webhook_secret(), &body)
    );
    let payload: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(payload["installation"]["id"], json!(scene.sandbox.installation()));
    assert_eq!(payload["sender"]["login"], "alice");
    assert_eq!(payload["organization"]["login"], "acme");
}

#[test]
fn the_signature_is_the_one_of_githubs_documentation() {
    // The example of GitHub's page on validating webhook deliveries.
    let expected = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    assert_eq!(signature("It's a Secret to Everybody", b"Hello, World!"), expected);
}

#[tokio::test]
async fn an_edit_tells_what_stood_before_and_who_changed_it() {
    let scene = Scene::new().await;
    let n = scene.sandbox.as_("alice").open_issue("Plan", "").unwrap();
    let id = scene.sandbox.as_("alice").comment(n, "- [ ] one\n- [x] two").unwrap();
    scene.sandbox.as_("bob").tick(id, "one", Tick::On).unwrap();
    scene.sandbox.as_("bob").tick(id, "one", Tick::On).unwrap();
    let sent = scene.sandbox.webhooks_sent();
    let edits: Vec<&SentWebhook> = sent
        .iter()
        .filter(|sent| sent.action.as_deref() == Some("edited"))
        .collect();
    assert_eq!(edits.len(), 1, "an edit that changes nothing is none");
    assert_eq!(edits[0].payload["changes"]["body"]["from"], "- [ ] one\n- [x] two");
    assert_eq!(edits[0].payload["comment"]["body"], "- [x] one\n- [x] two");
    assert_eq!(edits[0].payload["sender"]["login"], "bob");
    assert_eq!(edits[0].payload["comment"]["user"]["login"], "alice");
}

#[tokio::test]
async fn the_apps_own_acts_come_back_to_it() {
    let scene = Scene::new().await;
    scene
        .post(
            "/repos/acme/app/issues",
            json!({ "title": "x", "labels": ["l"], "assignees": ["bob"] }),
        )
        .await;
    scene
        .post("/repos/acme/app/issues/1/comments", json!({ "body": "hello" }))
        .await;
    let sent = scene.sandbox.webhooks_sent();
    let names: Vec<String> = sent
        .iter()
        .map(|sent| format!("{}.{}", sent.event, sent.action.as_deref().unwrap()))
        .collect();
    assert_eq!(
        names,
        [
            "issues.opened",
            "issues.labeled",
            "issues.assigned",
            "issue_comment.created"
        ]
    );
    assert!(sent.iter().all(|sent| sent.payload["sender"]["type"] == "Bot"));
}

#[tokio::test]
async fn what_failed_is_listed_and_comes_again_with_the_same_guid() {
    let (scene, receiver) = with_receiver().await;
    let alice = scene.sandbox.as_("alice");
    let n = alice.open_issue("Plan", "").unwrap();
    let lost = scene.sandbox.lose_next().unwrap();
    alice.comment(n, "one").unwrap();
    *receiver.status.lock().unwrap() = 500;
    let failed = scene.sandbox.deliver_next().await.unwrap();
    *receiver.status.lock().unwrap() = 202;
    alice.comment(n, "two").unwrap();
    let good = scene.sandbox.deliver_next().await.unwrap();
    let jwt = scene.jwt();
    let list = scene.ask_as(&jwt, "GET", "/app/hook/deliveries?per_page=2", None).await;
    assert_eq!(list.body[0]["guid"], good.guid.as_str());
    assert_eq!(
        (&list.body[0]["status"], &list.body[0]["status_code"]),
        (&json!("OK"), &json!(202))
    );
    assert_eq!(
        (&list.body[1]["guid"], &list.body[1]["status_code"]),
        (&json!(failed.guid), &json!(500))
    );
    let next = list.header("link").to_owned();
    let next = &next[1..next.find('>').unwrap()];
    assert!(next.contains("cursor="), "{next}");
    let rest = scene.ask_as(&jwt, "GET", next, None).await;
    assert_eq!(
        (rest.body.as_array().unwrap().len(), &rest.body[0]["guid"]),
        (1, &json!(lost.guid))
    );
    assert_eq!(rest.header("link"), "");
    let id = &rest.body[0]["id"];
    let detail = scene
        .ask_as(&jwt, "GET", &format!("/app/hook/deliveries/{id}"), None)
        .await
        .body;
    assert_eq!(detail["request"]["payload"]["action"], "opened");
    let again = scene
        .ask_as(&jwt, "POST", &format!("/app/hook/deliveries/{id}/attempts"), None)
        .await;
    assert_eq!(again.status, 202);
    let report = scene.sandbox.deliver_next().await.unwrap();
    assert_eq!((report.guid.as_str(), report.status), (lost.guid.as_str(), 202));
    let list = scene.ask_as(&jwt, "GET", "/app/hook/deliveries", None).await.body;
    assert_eq!(
        (list.as_array().unwrap().len(), &list[0]["redelivery"]),
        (4, &json!(true))
    );
    let failures = scene
        .ask_as(&jwt, "GET", "/app/hook/deliveries?status=failure", None)
        .await
        .body;
    assert_eq!(failures.as_array().unwrap().len(), 2);
    scene.watch.advance(Duration::days(3));
    let jwt = scene.jwt();
    assert_eq!(
        scene.ask_as(&jwt, "GET", "/app/hook/deliveries", None).await.body,
        json!([])
    );
    let late = scene
        .ask_as(&jwt, "POST", &format!("/app/hook/deliveries/{id}/attempts"), None)
        .await;
    assert_eq!(late.status, 404, "GitHub keeps deliveries for three days");
}

#[tokio::test]
async fn a_second_hook_sends_the_same_under_another_guid() {
    let (scene, receiver) = with_receiver().await;
    scene
        .sandbox
        .add_repository_hook(&receiver.url, "another-secret-of-more-than-32-characters");
    let ping = scene.sandbox.deliver_next().await.unwrap();
    assert_eq!((ping.event.as_str(), ping.action), ("ping", None));
    scene.sandbox.as_("alice").open_issue("Plan", "").unwrap();
    assert_eq!(scene.sandbox.deliver_all().await.len(), 2);
    let guids = receiver.headers("x-github-delivery");
    assert_ne!(guids[1], guids[2]);
    let kinds = receiver.headers("x-github-hook-installation-target-type");
    assert_eq!(kinds[1..], ["integration", "repository"]);
    let listed = scene
        .ask_as(&scene.jwt(), "GET", "/app/hook/deliveries", None)
        .await
        .body;
    assert_eq!(listed.as_array().unwrap().len(), 1, "the App sees only its own hook");
}

#[tokio::test]
async fn a_test_may_double_shuffle_and_forge() {
    let (scene, receiver) = with_receiver().await;
    let alice = scene.sandbox.as_("alice");
    let n = alice.open_issue("Plan", "").unwrap();
    alice.comment(n, "hello").unwrap();
    let (first, second) = (scene.sandbox.take_next().unwrap(), scene.sandbox.take_next().unwrap());
    let mut forged = first.clone();
    forged.body = b"{}".to_vec();
    for packet in [second, first.clone(), first, forged] {
        scene.sandbox.deliver(packet).await;
    }
    assert_eq!(
        receiver.headers("x-github-event"),
        ["issue_comment", "issues", "issues", "issues"]
    );
    let seen = receiver.seen.lock().unwrap();
    let genuine = |index: usize| {
        let (headers, body): &(HeaderMap, Vec<u8>) = &seen[index];
        headers["x-hub-signature-256"].to_str().unwrap() == signature(&scene.sandbox.webhook_secret(), body)
    };
    assert_eq!([0, 1, 2, 3].map(genuine), [true, true, true, false]);
}

#[tokio::test]
async fn deliveries_leave_by_themselves_in_order_when_told_to() {
    let (scene, receiver) = with_receiver().await;
    let alice = scene.sandbox.as_("alice");
    let n = alice.open_issue("Plan", "").unwrap();
    for round in 0..3 {
        alice.comment(n, &format!("{round}")).unwrap();
    }
    scene.sandbox.set_delivery(Delivery::Automatic);
    while receiver.seen.lock().unwrap().len() < 4 {
        receiver.arrived.notified().await;
    }
    scene.sandbox.settled().await;
    assert_eq!(
        receiver.headers("x-github-event"),
        ["issues", "issue_comment", "issue_comment", "issue_comment"]
    );
    let reports = scene
        .ask_as(&scene.jwt(), "GET", "/app/hook/deliveries?status=success", None)
        .await
        .body;
    assert_eq!(reports.as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn an_app_hears_only_what_it_may_and_subscribed_to() {
    let scene = Scene::with(|builder| builder.app_events(&["issue_comment", "push"])).await;
    let alice = scene.sandbox.as_("alice");
    let n = alice.open_issue("Plan", "").unwrap();
    alice.comment(n, "hello").unwrap();
    alice.set_file("README.md", "changed").unwrap();
    scene.sandbox.set_app_permissions(&[("metadata", Access::Read)]);
    alice.comment(n, "unheard").unwrap();
    scene.sandbox.uninstall();
    let sent: Vec<String> = scene
        .sandbox
        .webhooks_sent()
        .into_iter()
        .map(|sent| sent.event)
        .collect();
    assert_eq!(sent, ["issue_comment", "push", "installation"]);
}

#[tokio::test]
async fn an_unreachable_receiver_is_recorded_as_such() {
    let scene = Scene::with(|builder| builder.target("http://127.0.0.1:1/webhook")).await;
    scene.sandbox.as_("alice").open_issue("Plan", "").unwrap();
    assert_eq!(scene.sandbox.deliver_next().await.unwrap().status, 502);
    let listed = scene
        .ask_as(&scene.jwt(), "GET", "/app/hook/deliveries", None)
        .await
        .body;
    assert_eq!(listed[0]["status"], "failed to connect to host");
}
