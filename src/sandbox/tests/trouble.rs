//! Faults on demand.

use std::time::{Duration as Wait, Instant};

use super::*;

const COMMENTS: &str = "/repos/acme/app/issues/1/comments";

async fn scene() -> Scene {
    let scene = Scene::new().await;
    scene.sandbox.as_("alice").open_issue("Plan", "").unwrap();
    scene
}

fn made(scene: &Scene) -> usize {
    scene.sandbox.comments(IssueNumber(1)).len()
}

async fn try_comment(scene: &Scene) -> reqwest::Result<Reply> {
    scene
        .try_ask(&scene.token, "POST", COMMENTS, Some(json!({ "body": "hello" })), &[])
        .await
}

#[tokio::test]
async fn a_refused_connection_did_nothing_and_a_reset_one_did_its_work() {
    let scene = scene().await;
    scene
        .sandbox
        .fault(FaultRule::on("POST", COMMENTS, FaultKind::Refuse).times(1));
    assert!(try_comment(&scene).await.is_err());
    assert_eq!(made(&scene), 0);
    scene
        .sandbox
        .fault(FaultRule::on("POST", COMMENTS, FaultKind::ExecuteThenReset).times(1));
    assert!(try_comment(&scene).await.is_err());
    assert_eq!(made(&scene), 1);
    assert_eq!(try_comment(&scene).await.unwrap().status, 201);
    let requests = scene.sandbox.requests();
    let faults: Vec<(u16, Option<FaultKind>)> = requests
        .iter()
        .filter(|r| r.path == COMMENTS)
        .map(|r| (r.status, r.fault))
        .collect();
    let expected = [
        (0, Some(FaultKind::Refuse)),
        (201, Some(FaultKind::ExecuteThenReset)),
        (201, None),
    ];
    assert_eq!(faults, expected);
}

#[tokio::test]
async fn a_timeout_did_its_work_and_says_nothing() {
    let scene = scene().await;
    scene
        .sandbox
        .fault(FaultRule::on("POST", COMMENTS, FaultKind::ExecuteThenTimeout).times(1));
    let request = scene
        .http
        .post(format!("{}{COMMENTS}", scene.sandbox.base_url()))
        .bearer_auth(&scene.token)
        .json(&json!({ "body": "hello" }))
        .timeout(Wait::from_millis(200));
    assert!(request.send().await.unwrap_err().is_timeout());
    assert_eq!(made(&scene), 1);
}

#[tokio::test]
async fn limits_come_with_and_without_retry_after() {
    let scene = scene().await;
    for (kind, status, retry_after) in [
        (FaultKind::TooManyRequests { retry_after: Some(7) }, 429, "7"),
        (FaultKind::TooManyRequests { retry_after: None }, 429, ""),
        (FaultKind::Secondary403 { retry_after: Some(60) }, 403, "60"),
        (FaultKind::Secondary403 { retry_after: None }, 403, ""),
        (FaultKind::Status(503), 503, ""),
    ] {
        scene.sandbox.fault(FaultRule::on("*", "/repos/", kind).times(1));
        let reply = try_comment(&scene).await.unwrap();
        assert_eq!(
            (reply.status, reply.header("retry-after")),
            (status, retry_after),
            "{kind:?}"
        );
        if status == 403 {
            assert!(reply.body["message"].as_str().unwrap().contains("secondary rate limit"));
        }
    }
    assert_eq!(made(&scene), 0);
}

#[tokio::test]
async fn some_answers_are_late_or_wrong_though_the_work_was_done() {
    let scene = scene().await;
    scene
        .sandbox
        .fault(FaultRule::on("POST", COMMENTS, FaultKind::Error500AfterExecute).times(1));
    assert_eq!(try_comment(&scene).await.unwrap().status, 500);
    scene
        .sandbox
        .fault(FaultRule::on("POST", COMMENTS, FaultKind::WrongJson).times(1));
    let wrong = try_comment(&scene).await.unwrap();
    assert_eq!((wrong.status, wrong.body.get("id")), (201, None));
    scene
        .sandbox
        .fault(FaultRule::on("POST", COMMENTS, FaultKind::SlowThenOk(Wait::from_millis(50))).times(1));
    let started = Instant::now();
    assert_eq!(try_comment(&scene).await.unwrap().status, 201);
    assert!(started.elapsed() >= Wait::from_millis(50));
    assert_eq!(made(&scene), 3);
}

#[tokio::test]
async fn a_rule_can_wait_and_end() {
    let scene = scene().await;
    let rule = FaultRule::when(
        |method, path| method == "POST" && path.ends_with("/comments"),
        FaultKind::Status(500),
    );
    scene.sandbox.fault(rule.after(1).times(2));
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(try_comment(&scene).await.unwrap().status);
    }
    assert_eq!(statuses, [201, 500, 500, 201]);
    scene
        .sandbox
        .fault(FaultRule::on("GET", "/repos", FaultKind::Status(500)));
    assert_eq!(scene.get(COMMENTS).await.status, 500);
    scene.sandbox.heal();
    assert_eq!(scene.get(COMMENTS).await.status, 200);
}

#[tokio::test]
async fn a_sandbox_that_was_shut_down_answers_nobody() {
    let scene = scene().await;
    assert_eq!(scene.get(COMMENTS).await.status, 200);
    scene.sandbox.shutdown();
    scene.sandbox.stopped().await;
    assert!(scene.try_ask(&scene.token, "GET", COMMENTS, None, &[]).await.is_err());
}
