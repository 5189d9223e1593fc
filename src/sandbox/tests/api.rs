//! Issues, comments, labels, reactions, contents and people through the API.

use super::*;

#[tokio::test]
async fn a_comment_is_made_read_changed_and_deleted_as_the_apps_own() {
    let scene = Scene::new().await;
    let n = scene.sandbox.as_("alice").open_issue("Plan", "- [ ] one").unwrap();
    scene.watch.advance(Duration::minutes(1));
    let made = scene
        .post("/repos/acme/app/issues/1/comments", json!({ "body": "hello" }))
        .await;
    assert_eq!(made.status, 201);
    assert_eq!(made.body["user"]["login"], "countersign[bot]");
    assert_eq!(made.body["user"]["type"], "Bot");
    assert_eq!(made.body["performed_via_github_app"]["slug"], "countersign");
    assert_eq!(made.header("location"), made.body["url"].as_str().unwrap());
    let path = format!("/repos/acme/app/issues/comments/{}", made.body["id"]);
    assert_eq!(scene.get(&path).await.body["body"], "hello");
    scene.watch.advance(Duration::minutes(1));
    let changed = scene.patch(&path, json!({ "body": "hello again" })).await;
    assert_eq!(
        (changed.status, &changed.body["updated_at"]),
        (200, &json!("2026-11-20T09:02:00Z"))
    );
    assert_eq!(
        scene.sandbox.comments(n)[0].edited.as_ref().unwrap().1,
        "countersign[bot]"
    );
    assert_eq!(scene.delete(&path).await.status, 204);
    assert_eq!(scene.get(&path).await.status, 404);
    assert!(scene.sandbox.comments(n).is_empty());
}
