//! Credentials, permissions, visibility and limits.

use super::*;

#[tokio::test]
async fn a_jwt_is_checked_like_githubs() {
    let scene = Scene::new().await;
    let now = scene.watch.now().timestamp();
    let id = scene.sandbox.app_id();
    let ask = async |token: String| scene.ask_as(&token, "GET", "/app", None).await.status;
    assert_eq!(ask(jwt(&json!({ "iat": now, "exp": now + 540, "iss": id }))).await, 200);
    assert_eq!(
        ask(jwt(&json!({ "iat": now, "exp": now + 540, "iss": id.to_string() }))).await,
        200
    );
    for claims in [
        json!({ "iat": now + 60, "exp": now + 540, "iss": id }),
        json!({ "iat": now - 60, "exp": now - 1, "iss": id }),
        json!({ "iat": now, "exp": now + 601, "iss": id }),
        json!({ "iat": now, "iss": id }),
    ] {
        assert_eq!(ask(jwt(&claims)).await, 401, "{claims}");
    }
    assert_eq!(ask(jwt(&json!({ "iat": now, "exp": now + 540, "iss": 1 }))).await, 404);
    let good = jwt(&json!({ "iat": now, "exp": now + 540, "iss": id }));
    let (signed, _) = good.rsplit_once('.').unwrap();
    assert_eq!(
        ask(format!("{signed}.{}", BASE64URL_NOPAD.encode(&[7; 256]))).await,
        401
    );
    let forged = BASE64URL_NOPAD.encode(json!({ "iat": now, "exp": now + 540, "iss": 1 }).to_string().as_bytes());
    let (header, rest) = good.split_once('.').unwrap();
    let (_, signature) = rest.split_once('.').unwrap();
    assert_eq!(ask(format!("{header}.{forged}.{signature}")).await, 401);
    assert_eq!(ask(scene.token.clone()).await, 401, "a token is no JWT");
}

#[tokio::test]
async fn tokens_are_long_and_live_an_hour() {
    let scene = Scene::new().await;
    assert!(
        scene.token.starts_with("ghs_4242_") && scene.token.len() > 300,
        "{}",
        scene.token
    );
    assert_eq!(scene.get("/installation/repositories").await.body["total_count"], 1);
    scene.watch.advance(Duration::minutes(61));
    let expired = scene.get("/installation/repositories").await;
    assert_eq!(
        (expired.status, &expired.body["message"]),
        (401, &json!("Bad credentials"))
    );
    assert_eq!(
        scene
            .ask_as("ghs_nonsense", "GET", "/repos/acme/app", None)
            .await
            .status,
        401
    );
}

#[tokio::test]
async fn an_app_without_a_permission_is_told_which() {
    let scene = Scene::new().await;
    scene.sandbox.as_("bob").open_issue("Talk", "").unwrap();
    scene
        .sandbox
        .set_app_permissions(&[("metadata", Access::Read), ("issues", Access::Read)]);
    let refused = scene
        .post("/repos/acme/app/issues/1/comments", json!({ "body": "x" }))
        .await;
    assert_eq!(
        (refused.status, &refused.body["message"]),
        (403, &json!("Resource not accessible by integration"))
    );
    assert_eq!(
        refused.header("x-accepted-github-permissions"),
        "issues=write; pull_requests=write"
    );
    assert_eq!(scene.get("/repos/acme/app/issues/1").await.status, 200);
    assert_eq!(scene.get("/repos/acme/app/contents/README.md").await.status, 403);
}

#[tokio::test]
async fn what_the_app_does_not_reach_is_not_there() {
    let scene = Scene::with(|builder| builder.repo("acme/secret").private()).await;
    let secret = scene.sandbox.at("acme/secret");
    assert_eq!(scene.get("/repos/acme/secret").await.status, 200);
    secret.unselect();
    assert_eq!(scene.get("/repos/acme/secret").await.status, 404);
    assert_eq!(scene.get("/repos/acme/app").await.status, 200);
    assert_eq!(
        scene.ask_as("", "GET", "/repos/acme/app", None).await.status,
        200,
        "public"
    );
    let anonymous = scene
        .ask_as("", "POST", "/repos/acme/app/issues", Some(json!({ "title": "x" })))
        .await;
    assert_eq!(anonymous.status, 401);
    scene.sandbox.uninstall();
    assert_eq!(
        scene.get("/repos/acme/app").await.status,
        401,
        "the token died with the installation"
    );
    assert_eq!(
        scene
            .ask_as(&scene.jwt(), "GET", "/repos/acme/app/installation", None)
            .await
            .status,
        404
    );
    assert_eq!(
        scene.ask_as(&scene.jwt(), "GET", "/app/installations", None).await.body,
        json!([])
    );
}

#[tokio::test]
async fn the_hours_budget_is_counted_and_ends() {
    let scene = Scene::new().await;
    scene.sandbox.set_remaining(2);
    let first = scene.get("/repos/acme/app").await;
    assert_eq!(first.header("x-ratelimit-remaining"), "1");
    assert_eq!(first.header("x-ratelimit-resource"), "core");
    assert!(!first.header("x-github-request-id").is_empty());
    assert_eq!(scene.get("/repos/acme/app").await.status, 200);
    let spent = scene.get("/repos/acme/app").await;
    assert_eq!((spent.status, spent.header("x-ratelimit-remaining")), (403, "0"));
    assert!(
        spent.body["message"]
            .as_str()
            .unwrap()
            .starts_with("API rate limit exceeded")
    );
    assert_eq!(scene.get("/rate_limit").await.body["resources"]["core"]["remaining"], 0);
    let reset: i64 = spent.header("x-ratelimit-reset").parse().unwrap();
    assert_eq!(reset, (scene.watch.now() + Duration::hours(1)).timestamp());
}

#[tokio::test]
async fn people_may_do_what_their_role_lets_them() {
    let scene = Scene::new().await;
    let n = scene.sandbox.as_("alice").open_issue("Talk", "- [ ] box").unwrap();
    let id = scene.sandbox.as_("alice").comment(n, "- [ ] box").unwrap();
    for (login, may_label, may_edit, may_delete) in [
        ("mallory", false, false, false),
        ("carol", true, false, false),
        ("bob", true, true, false),
        ("ada", true, true, true),
    ] {
        let who = scene.sandbox.as_(login);
        assert_eq!(who.label(n, login).is_ok(), may_label, "{login} labels");
        assert_eq!(who.tick(id, 1, Tick::On).is_ok(), may_edit, "{login} ticks");
        assert_eq!(
            who.rename_repo(&format!("by-{login}")).is_ok(),
            may_delete,
            "{login} renames"
        );
        scene.sandbox.as_("alice").tick(id, 1, Tick::Off).unwrap();
    }
    assert_eq!(scene.sandbox.comment(id).unwrap().body, "- [ ] box");
}

#[tokio::test]
async fn an_enterprise_servers_prefix_leads_to_the_same_place() {
    let scene = Scene::new().await;
    assert_eq!(scene.get("/api/v3/repos/acme/app").await.body["full_name"], "acme/app");
    assert_eq!(
        scene
            .post("/api/graphql", json!({ "query": "{ viewer }" }))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn the_journal_keeps_what_was_asked_without_secrets() {
    let scene = Scene::new().await;
    scene.sandbox.as_("bob").open_issue("Talk", "").unwrap();
    scene
        .post("/repos/acme/app/issues/1/comments", json!({ "body": "hello" }))
        .await;
    let requests = scene.sandbox.requests();
    let last = requests.last().unwrap();
    assert_eq!(
        (last.method.as_str(), last.path.as_str()),
        ("POST", "/repos/acme/app/issues/1/comments")
    );
    assert_eq!(last.body, Some(json!({ "body": "hello" })));
    assert_eq!((last.status, &last.answer["body"]), (201, &json!("hello")));
    assert_eq!(
        last.credential,
        Credential::Installation(scene.sandbox.installation().unwrap())
    );
    assert!(last.headers.iter().all(|(name, _)| name != "authorization"));
    assert_eq!(requests[0].credential, Credential::App);
    let token = scene.token.as_str();
    assert!(requests.iter().all(|request| !format!("{request:?}").contains(token)));
}
