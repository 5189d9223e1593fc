//! Issues, comments, labels, reactions, contents and people through the API.

use super::*;

const ISSUES: &str = "/repos/acme/app/issues";

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

#[tokio::test]
async fn a_comment_that_github_would_not_take_is_refused_in_its_words() {
    let scene = Scene::new().await;
    let alice = scene.sandbox.as_("alice");
    let n = alice.open_issue("Plan", "").unwrap();
    let path = format!("{ISSUES}/{n}/comments");
    let limit = "é".repeat(65_536);
    assert_eq!(scene.post(&path, json!({ "body": limit })).await.status, 201);
    for (body, message) in [
        (
            json!({ "body": format!("{limit}é") }),
            "Body is too long (maximum is 65536 characters)",
        ),
        (json!({ "body": " \n" }), "Body cannot be blank"),
    ] {
        let reply = scene.post(&path, body).await;
        assert_eq!(
            (reply.status, &reply.body["message"]),
            (422, &json!("Validation Failed"))
        );
        assert_eq!(reply.body["errors"][0]["message"], message);
        assert_eq!(reply.body["status"], "422");
        assert!(reply.body["documentation_url"].is_string());
    }
    let missing = scene.post(&path, json!({})).await;
    assert_eq!((missing.status, missing.body["errors"].is_null()), (422, true));
    assert_eq!(
        scene
            .post(&format!("{ISSUES}/99/comments"), json!({ "body": "x" }))
            .await
            .status,
        404
    );
    alice.lock(n).unwrap();
    assert_eq!(scene.post(&path, json!({ "body": "the App may" })).await.status, 201);
    let refused = scene.sandbox.as_("mallory").comment(n, "I may not").unwrap_err();
    assert_eq!(refused.to_string(), "Unable to create comment because issue is locked.");
    scene.sandbox.as_("ada").archive().unwrap();
    let archived = scene.post(&path, json!({ "body": "x" })).await;
    assert_eq!(
        (archived.status, &archived.body["message"]),
        (403, &json!("Repository was archived so is read-only."))
    );
}

#[tokio::test]
async fn lists_are_paged_with_absolute_links() {
    let scene = Scene::new().await;
    let bob = scene.sandbox.as_("bob");
    let n = bob.open_issue("Talk", "").unwrap();
    for round in 0..7 {
        scene.watch.advance(Duration::minutes(1));
        bob.comment(n, &format!("{round}")).unwrap();
    }
    let mut path = format!("{ISSUES}/{n}/comments?per_page=3");
    let mut bodies = Vec::new();
    let mut pages = 0;
    loop {
        let page = scene.get(&path).await;
        bodies.extend(
            page.body
                .as_array()
                .unwrap()
                .iter()
                .map(|c| c["body"].as_str().unwrap().to_owned()),
        );
        pages += 1;
        let links = page.header("link").to_owned();
        let Some(next) = links.split(", ").find(|link| link.ends_with("rel=\"next\"")) else {
            break;
        };
        path = next[1..next.find('>').unwrap()].to_owned();
        assert!(path.starts_with("http://127.0.0.1:"), "{path}");
    }
    assert_eq!((pages, bodies.join("")), (3, "0123456".to_owned()));
    let since = scene
        .get(&format!("{ISSUES}/{n}/comments?since=2026-11-20T09:06:00Z"))
        .await;
    assert_eq!(since.body.as_array().unwrap().len(), 2);
    let newest = scene
        .get(&format!("{ISSUES}/comments?sort=updated&direction=desc&per_page=1"))
        .await;
    assert_eq!(newest.body[0]["body"], "6");
    assert_eq!(
        scene
            .get(&format!("{ISSUES}/{n}/comments?since=yesterday"))
            .await
            .status,
        422
    );
    assert_eq!(scene.get(&format!("{ISSUES}/{n}/comments")).await.header("link"), "");
}

#[tokio::test]
async fn what_did_not_change_is_304_and_what_did_is_not() {
    let scene = Scene::new().await;
    let n = scene.sandbox.as_("bob").open_issue("Talk", "").unwrap();
    let path = format!("{ISSUES}/{n}");
    let first = scene.get(&path).await;
    let tag = first.header("etag").to_owned();
    let again = scene
        .try_ask(&scene.token, "GET", &path, None, &[("if-none-match", &tag)])
        .await
        .unwrap();
    assert_eq!((again.status, again.body), (304, Value::Null));
    scene.sandbox.as_("bob").edit_issue(n, Some("Talk!"), None).unwrap();
    let changed = scene
        .try_ask(&scene.token, "GET", &path, None, &[("if-none-match", &tag)])
        .await
        .unwrap();
    assert_eq!((changed.status, &changed.body["title"]), (200, &json!("Talk!")));
}

#[tokio::test]
async fn labels_are_made_by_being_set_and_names_ignore_case() {
    let scene = Scene::new().await;
    let n = scene.sandbox.as_("bob").open_issue("Talk", "").unwrap();
    let made = scene
        .post(
            "/repos/acme/app/labels",
            json!({ "name": "countersign:approve", "color": "0E8A16" }),
        )
        .await;
    assert_eq!((made.status, &made.body["color"]), (201, &json!("0e8a16")));
    let twice = scene
        .post("/repos/acme/app/labels", json!({ "name": "Countersign:Approve" }))
        .await;
    assert_eq!(
        (twice.status, &twice.body["errors"][0]["code"]),
        (422, &json!("already_exists"))
    );
    assert_eq!(
        scene.get("/repos/acme/app/labels/countersign:approve").await.status,
        200
    );
    assert_eq!(scene.get("/repos/acme/app/labels/none").await.status, 404);
    let set = scene
        .post(
            &format!("{ISSUES}/{n}/labels"),
            json!({ "labels": ["COUNTERSIGN:approve", "a b/c?", "C++ & 100%"] }),
        )
        .await;
    assert_eq!(set.status, 200);
    assert_eq!(scene.sandbox.labels(n), ["countersign:approve", "a b/c?", "C++ & 100%"]);
    assert_eq!(scene.get("/repos/acme/app/labels/C++%20&%20100%25").await.status, 200);
    assert_eq!(
        scene
            .delete(&format!("{ISSUES}/{n}/labels/C++%20&%20100%25"))
            .await
            .status,
        200
    );
    assert_eq!(
        scene.delete(&format!("{ISSUES}/{n}/labels/a%20b%2Fc%3F")).await.status,
        200
    );
    let gone = scene.delete(&format!("{ISSUES}/{n}/labels/a%20b%2Fc%3F")).await;
    assert_eq!(
        (gone.status, &gone.body["message"]),
        (404, &json!("Label does not exist"))
    );
    assert_eq!(scene.sandbox.labels(n), ["countersign:approve"]);
    let events = scene.get(&format!("{ISSUES}/{n}/events")).await.body;
    let names: Vec<&str> = events
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["event"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["labeled", "labeled", "labeled", "unlabeled", "unlabeled"]);
    assert_eq!(events[0]["label"]["name"], "countersign:approve");
    assert!(scene.sandbox.as_("rita").delete_label("countersign:approve").is_err());
    scene.sandbox.as_("bob").delete_label("COUNTERSIGN:approve").unwrap();
    assert_eq!(scene.sandbox.labels(n), Vec::<String>::new());
    assert_eq!(
        scene.get("/repos/acme/app/labels/countersign:approve").await.status,
        404
    );
    assert_eq!(scene.get(&format!("{ISSUES}/{n}/events")).await.body, events);
    assert!(events[1]["id"].as_u64() > events[0]["id"].as_u64());
}

#[tokio::test]
async fn a_reaction_is_there_once_per_account() {
    let scene = Scene::new().await;
    let alice = scene.sandbox.as_("alice");
    let n = alice.open_issue("Talk", "").unwrap();
    let id = alice.comment(n, "/deliver").unwrap();
    let path = format!("{ISSUES}/comments/{id}/reactions");
    let first = scene.post(&path, json!({ "content": "eyes" })).await;
    let second = scene.post(&path, json!({ "content": "eyes" })).await;
    assert_eq!((first.status, second.status), (201, 200));
    assert_eq!(first.body["id"], second.body["id"]);
    assert_eq!(scene.post(&path, json!({ "content": "shrug" })).await.status, 422);
    alice.react(id, "eyes").unwrap();
    assert_eq!(scene.sandbox.reactions(id).len(), 2);
    assert_eq!(scene.get(&path).await.body.as_array().unwrap().len(), 2);
    assert_eq!(scene.delete(&format!("{path}/{}", first.body["id"])).await.status, 204);
    assert_eq!(
        scene.sandbox.reactions(id),
        [ReactionView {
            author: "alice".into(),
            content: "eyes".into()
        }]
    );
    let on_issue = scene
        .post(&format!("{ISSUES}/{n}/reactions"), json!({ "content": "rocket" }))
        .await;
    assert_eq!(on_issue.status, 201);
    assert_eq!(scene.get(&format!("{ISSUES}/{n}")).await.body["reactions"]["rocket"], 1);
}

#[tokio::test]
async fn permissions_read_as_on_github() {
    let scene = Scene::with(|builder| {
        builder
            .person("mia", Role::Maintain)
            .person("cust", Role::custom("labeller", Level::Read, Level::Triage))
            .bot("dependabot")
    })
    .await;
    let table = [
        ("ada", "admin", "admin", "push"),
        ("mia", "write", "maintain", "push"),
        ("alice", "write", "write", "push"),
        ("carol", "read", "triage", "triage"),
        ("cust", "read", "labeller", "triage"),
        ("mallory", "read", "read", "pull"),
        ("dependabot%5Bbot%5D", "read", "read", "pull"),
    ];
    for (login, permission, role, right) in table {
        let reply = scene
            .get(&format!("/repos/acme/app/collaborators/{login}/permission"))
            .await;
        assert_eq!(reply.status, 200, "{login}");
        assert_eq!(reply.body["permission"], permission, "{login}");
        assert_eq!(reply.body["role_name"], role, "{login}");
        assert_eq!(reply.body["user"]["permissions"][right], true, "{login}");
        assert!(reply.body["user"]["id"].is_u64());
    }
    let stranger = scene.get("/repos/acme/app/collaborators/mallory/permission").await.body;
    assert_eq!(stranger["user"]["permissions"]["triage"], false);
    assert_eq!(
        scene
            .get("/repos/acme/app/collaborators/nobody/permission")
            .await
            .status,
        404
    );
    scene.sandbox.set_visibility(Visibility::Private);
    let stranger = scene.get("/repos/acme/app/collaborators/mallory/permission").await.body;
    assert_eq!(
        (&stranger["permission"], &stranger["role_name"]),
        (&json!("none"), &json!("none"))
    );
    let pushers = scene.get("/repos/acme/app/collaborators?permission=push").await.body;
    let pushers: Vec<&str> = pushers
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["login"].as_str().unwrap())
        .collect();
    assert_eq!(pushers, ["alice", "bob", "ada", "mia"]);
}

#[tokio::test]
async fn files_come_as_base64_in_lines() {
    let scene = Scene::with(|builder| builder.file(".github/countersign.yml", &"version: 1\n".repeat(20))).await;
    let file = scene
        .get("/repos/acme/app/contents/.github/countersign.yml?ref=main")
        .await
        .body;
    let content = file["content"].as_str().unwrap();
    assert!(content.lines().count() > 1 && content.ends_with('\n'));
    let text = BASE64.decode(content.replace('\n', "").as_bytes()).unwrap();
    assert_eq!(text, "version: 1\n".repeat(20).into_bytes());
    assert_eq!(file["size"], 220);
    assert_eq!(scene.get("/repos/acme/app/contents/nothing").await.status, 404);
    assert_eq!(
        scene.get("/repos/acme/app/contents/README.md?ref=gone").await.status,
        404
    );
    let top = scene.get("/repos/acme/app/contents/").await.body;
    assert_eq!((&top[0]["type"], &top[0]["path"]), (&json!("dir"), &json!(".github")));
    scene.sandbox.as_("alice").set_file("README.md", "new").unwrap();
    assert_eq!(
        scene.get("/repos/acme/app/contents/README.md").await.body["content"],
        "bmV3\n"
    );
}

#[tokio::test]
async fn commits_are_listed_and_each_keeps_what_stood_there() {
    let scene = Scene::new().await;
    let first = scene.get("/repos/acme/app/commits?per_page=1").await;
    assert_eq!(first.body.as_array().unwrap().len(), 1);
    let first = first.body[0]["sha"].as_str().unwrap().to_owned();
    let alice = scene.sandbox.as_("alice");
    let second = alice.set_file("README.md", "new\n").unwrap();
    let third = alice.delete_file("README.md").unwrap();
    let all = scene.get("/repos/acme/app/commits").await.body;
    let shas: Vec<&str> = all
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["sha"].as_str().unwrap())
        .collect();
    assert_eq!(shas, [&third, &second, &first]);
    assert_eq!(all[0]["parents"][0]["sha"], second);
    assert_eq!(all[2]["parents"], json!([]));
    assert_eq!(
        (&all[1]["author"]["login"], &all[1]["commit"]["message"]),
        (&json!("alice"), &json!("Change README.md"))
    );
    let paged = scene.get("/repos/acme/app/commits?per_page=1").await;
    assert_eq!(paged.body[0]["sha"], third);
    assert!(
        paged.header("link").contains("rel=\"next\""),
        "{}",
        paged.header("link")
    );
    let since = scene
        .get(&format!("/repos/acme/app/commits?sha={second}&path=README.md"))
        .await
        .body;
    assert_eq!(since.as_array().unwrap().len(), 2, "{since}");
    assert_eq!(scene.get("/repos/acme/app/commits?sha=gone").await.status, 404);
    let at = async |sha: &str| {
        scene
            .get(&format!("/repos/acme/app/contents/README.md?ref={sha}"))
            .await
    };
    assert_eq!(at(&second).await.body["content"], "bmV3Cg==\n");
    assert_eq!(
        (at(&first).await.body["size"].clone(), at(&third).await.status),
        (json!(10), 404)
    );
    let bare = Scene::with(|builder| builder.repo("acme/bare")).await;
    let empty = bare.get("/repos/acme/bare/commits").await;
    assert_eq!(
        (empty.status, &empty.body["message"]),
        (409, &json!("Git Repository is empty."))
    );
}

#[tokio::test]
async fn what_is_no_text_is_shown_as_github_shows_it() {
    let scene = Scene::new().await;
    let alice = scene.sandbox.as_("alice");
    for (path, entry) in [
        ("linked.md", Entry::Link("./README.md".to_owned())),
        ("docs/linked.md", Entry::Link("../README.md".to_owned())),
        ("out.md", Entry::Link("../README.md".to_owned())),
        ("part", Entry::Submodule("https://github.com/acme/part".to_owned())),
        ("logo.png", Entry::Bytes(vec![0xff, 0xd8])),
        ("large.bin", Entry::Bytes(vec![b'a'; 1024 * 1024 + 1])),
    ] {
        alice.set_entry(path, entry).unwrap();
    }
    let get = async |path: &str| scene.get(&format!("/repos/acme/app/contents/{path}")).await.body;
    for path in ["linked.md", "docs/linked.md"] {
        let linked = get(path).await;
        assert_eq!(
            (&linked["type"], &linked["content"]),
            (&json!("file"), &json!("IyBUaGUgYXBwCg==\n")),
            "{linked}"
        );
    }
    let out = get("out.md").await;
    assert_eq!(
        (&out["type"], &out["target"]),
        (&json!("symlink"), &json!("../README.md"))
    );
    assert!(out.get("content").is_none(), "{out}");
    let part = get("part").await;
    assert_eq!((&part["type"], &part["size"]), (&json!("submodule"), &json!(0)));
    assert_eq!(get("logo.png").await["content"], "/9g=\n");
    let large = get("large.bin").await;
    assert_eq!((&large["encoding"], &large["content"]), (&json!("none"), &json!("")));
    let top = get("").await;
    let kinds: Vec<(&str, &str)> = top
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["path"].as_str().unwrap(), one["type"].as_str().unwrap()))
        .collect();
    for entry in [
        ("docs", "dir"),
        ("linked.md", "symlink"),
        ("part", "file"),
        ("logo.png", "file"),
    ] {
        assert!(kinds.contains(&entry), "{entry:?} is not in {kinds:?}");
    }
    alice.set_file("part", "now a file\n").unwrap();
    assert_eq!(get("part").await["type"], "file");
}

#[tokio::test]
async fn issues_are_opened_with_labels_and_people_who_can_be_assigned() {
    let scene = Scene::new().await;
    let made = scene
        .post(
            ISSUES,
            json!({ "title": "Write the runbook", "body": "b", "labels": ["task"], "assignees": ["bob"] }),
        )
        .await;
    assert_eq!(made.status, 201);
    assert_eq!(made.body["assignee"]["login"], "bob");
    assert_eq!(made.body["labels"][0]["name"], "task");
    let refused = scene
        .post(ISSUES, json!({ "title": "x", "assignees": ["bob", "mallory"] }))
        .await;
    assert_eq!(refused.status, 422);
    assert_eq!(
        refused.body["errors"][0],
        json!({ "resource": "Issue", "field": "assignees", "code": "invalid", "value": "mallory" })
    );
    assert_eq!(scene.post(ISSUES, json!({ "body": "no title" })).await.status, 422);
    assert_eq!(
        scene.post(ISSUES, json!({ "title": "x".repeat(257) })).await.status,
        422
    );
    assert_eq!(scene.sandbox.issues().len(), 1);
    assert_eq!(scene.get("/repos/acme/app/assignees/bob").await.status, 204);
    assert_eq!(scene.get("/repos/acme/app/assignees/mallory").await.status, 404);
    scene.sandbox.as_("alice").open_issue("By a person", "").unwrap();
    let mine = scene
        .get(&format!("{ISSUES}?creator=countersign%5Bbot%5D&state=all"))
        .await
        .body;
    assert_eq!(mine.as_array().unwrap().len(), 1);
    let closed = scene
        .patch(
            &format!("{ISSUES}/1"),
            json!({ "state": "closed", "state_reason": "not_planned" }),
        )
        .await;
    assert_eq!(closed.body["state_reason"], "not_planned");
    assert_eq!(closed.body["closed_by"]["login"], "countersign[bot]");
    assert_eq!(scene.get(ISSUES).await.body.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn sub_issues_go_by_database_id_and_end_at_a_hundred() {
    let scene = Scene::new().await;
    let alice = scene.sandbox.as_("alice");
    let parent = alice.open_issue("Parent", "").unwrap();
    let path = format!("{ISSUES}/{parent}/sub_issues");
    let open = |title: String| {
        let n = alice.open_issue(&title, "").unwrap();
        (n, scene.sandbox.issue(n).unwrap().id)
    };
    let (first, first_id) = open("first".into());
    assert_eq!(
        scene.post(&path, json!({ "sub_issue_id": first.0 })).await.status,
        404,
        "a number is not an id"
    );
    let linked = scene.post(&path, json!({ "sub_issue_id": first_id })).await;
    assert_eq!(
        (linked.status, &linked.body["sub_issues_summary"]["total"]),
        (201, &json!(1))
    );
    assert_eq!(scene.post(&path, json!({ "sub_issue_id": first_id })).await.status, 422);
    alice.close(first).unwrap();
    for round in 1..100 {
        let (_, id) = open(format!("{round}"));
        assert_eq!(scene.post(&path, json!({ "sub_issue_id": id })).await.status, 201);
    }
    let (_, id) = open("one too many".into());
    assert_eq!(scene.post(&path, json!({ "sub_issue_id": id })).await.status, 422);
    assert_eq!(scene.sandbox.sub_issues(parent).len(), 100);
    assert_eq!(
        scene.get(&format!("{ISSUES}/{first}/parent")).await.body["number"],
        parent.0
    );
    let removal = json!({ "sub_issue_id": first_id });
    let removed = scene
        .ask_as(
            &scene.token,
            "DELETE",
            &format!("{ISSUES}/{parent}/sub_issue"),
            Some(removal),
        )
        .await;
    assert_eq!(removed.status, 200);
    assert_eq!(scene.get(&format!("{ISSUES}/{first}/parent")).await.status, 404);
}

#[tokio::test]
async fn dependencies_are_kept_and_features_can_be_missing() {
    let scene = Scene::new().await;
    let alice = scene.sandbox.as_("alice");
    let (one, two) = (
        alice.open_issue("one", "").unwrap(),
        alice.open_issue("two", "").unwrap(),
    );
    let id = scene.sandbox.issue(one).unwrap().id;
    let path = format!("{ISSUES}/{two}/dependencies/blocked_by");
    assert_eq!(scene.post(&path, json!({ "issue_id": id })).await.status, 201);
    assert_eq!(scene.post(&path, json!({ "issue_id": id })).await.status, 422);
    assert_eq!(scene.sandbox.blocked_by(two), [one]);
    assert_eq!(scene.get(&path).await.body[0]["number"], one.0);
    for feature in [Feature::Dependencies, Feature::SubIssues, Feature::GraphQl] {
        scene.sandbox.switch_off(feature);
    }
    assert_eq!(scene.get(&path).await.status, 404);
    assert_eq!(scene.get(&format!("{ISSUES}/{two}/sub_issues")).await.status, 404);
    assert_eq!(scene.post("/graphql", json!({ "query": "{ node }" })).await.status, 404);
    let issue = scene.get(&format!("{ISSUES}/{two}")).await;
    assert_eq!((issue.status, issue.body.get("sub_issues_summary")), (200, None));
}

#[tokio::test]
async fn what_went_away_answers_as_gone_and_what_moved_redirects() {
    let scene = Scene::with(|builder| builder.repo("acme/other")).await;
    let ada = scene.sandbox.as_("ada");
    let gone = ada.open_issue("gone", "").unwrap();
    let moved = ada.open_issue("moved", "").unwrap();
    let comment = ada.comment(gone, "on it").unwrap();
    assert!(scene.sandbox.as_("alice").delete_issue(gone).is_err());
    ada.delete_issue(gone).unwrap();
    assert_eq!(scene.get(&format!("{ISSUES}/{gone}")).await.status, 410);
    assert_eq!(scene.get(&format!("{ISSUES}/{gone}/comments")).await.status, 410);
    assert_eq!(scene.get(&format!("{ISSUES}/comments/{comment}")).await.status, 404);
    let there = ada.transfer_issue(moved, "acme/other").unwrap();
    let redirect = scene.get(&format!("{ISSUES}/{moved}")).await;
    assert_eq!(redirect.status, 301);
    let followed = scene.get(redirect.header("location")).await;
    assert_eq!(
        (&followed.body["number"], &followed.body["title"]),
        (&json!(there), &json!("moved")),
        "{} of {}",
        followed.status,
        redirect.header("location")
    );
    ada.rename_repo("renamed").unwrap();
    let redirect = scene.get("/repos/acme/app/issues?state=all&per_page=5").await;
    assert_eq!(redirect.status, 301);
    assert!(redirect.header("location").ends_with("/issues?state=all&per_page=5"));
    assert_eq!(scene.get(redirect.header("location")).await.status, 200);
    assert_eq!(
        scene
            .post("/repos/acme/app/issues", json!({ "title": "x" }))
            .await
            .status,
        307
    );
    assert_eq!(scene.get("/repos/acme/renamed").await.body["full_name"], "acme/renamed");
    ada.delete_repo().unwrap();
    assert_eq!(scene.get("/repos/acme/renamed").await.status, 404);
}

#[tokio::test]
async fn graphql_tells_edits_and_hides_comments() {
    let scene = Scene::new().await;
    let alice = scene.sandbox.as_("alice");
    let n = alice.open_issue("Talk", "").unwrap();
    let edited = alice.comment(n, "first").unwrap();
    let untouched = alice.comment(n, "second").unwrap();
    scene.watch.advance(Duration::minutes(5));
    scene.sandbox.as_("bob").edit_comment(edited, "changed").unwrap();
    let comments = scene.get(&format!("{ISSUES}/{n}/comments")).await.body;
    let ids = [&comments[0]["node_id"], &comments[1]["node_id"]];
    let query = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on IssueComment { lastEditedAt editor { login } } } }";
    let reply = scene
        .post("/graphql", json!({ "query": query, "variables": { "ids": ids } }))
        .await;
    assert_eq!(reply.body["data"]["nodes"][0]["lastEditedAt"], "2026-11-20T09:05:00Z");
    assert_eq!(reply.body["data"]["nodes"][0]["editor"]["login"], "bob");
    assert_eq!(reply.body["data"]["nodes"][1]["lastEditedAt"], Value::Null);
    let query = format!(
        "{{ a: node(id: {}) {{ id }} b: node(id: {}) {{ ...on IssueComment {{ lastEditedAt }} }} }}",
        ids[1], ids[0]
    );
    let reply = scene.post("/graphql", json!({ "query": query })).await;
    assert_eq!(reply.body["data"]["a"]["lastEditedAt"], Value::Null);
    assert_eq!(reply.body["data"]["b"]["lastEditedAt"], "2026-11-20T09:05:00Z");
    let query = "query($z: ID!, $a: ID!) { one: node(id: $z) { ...E } two: node(id: $a) { ...E } }
        fragment E on IssueComment { lastEditedAt editor { login } }";
    let variables = json!({ "z": ids[0], "a": ids[1] });
    let reply = scene
        .post("/graphql", json!({ "query": query, "variables": variables }))
        .await;
    assert_eq!(reply.body["data"]["one"]["editor"]["login"], "bob");
    assert_eq!(reply.body["data"]["two"]["editor"], Value::Null);
    let query = "mutation($id: ID!, $why: ReportedContentClassifiers!) {
        minimizeComment(input: { subjectId: $id, classifier: $why }) { minimizedComment { isMinimized } } }";
    let variables = json!({ "id": ids[1], "why": "RESOLVED" });
    let reply = scene
        .post("/graphql", json!({ "query": query, "variables": variables }))
        .await;
    assert_eq!(
        reply.body["data"]["minimizeComment"]["minimizedComment"]["isMinimized"],
        true
    );
    let comment = scene.sandbox.comment(untouched).unwrap();
    assert_eq!((comment.minimized.as_deref(), comment.edited), (Some("resolved"), None));
    let gone = scene
        .post(
            "/graphql",
            json!({ "query": query, "variables": { "id": "IC_sbx0000000001", "why": "SPAM" } }),
        )
        .await;
    assert_eq!(
        (gone.status, &gone.body["errors"][0]["type"]),
        (200, &json!("NOT_FOUND"))
    );
}

#[tokio::test]
async fn a_removed_account_shows_as_ghost() {
    let scene = Scene::new().await;
    let n = scene.sandbox.as_("bob").open_issue("Talk", "").unwrap();
    scene.sandbox.remove_account("bob");
    assert_eq!(scene.get(&format!("{ISSUES}/{n}")).await.body["user"]["login"], "ghost");
    assert_eq!(scene.get("/users/bob").await.status, 404);
    assert_eq!(
        scene.get("/repos/acme/app/collaborators/bob/permission").await.status,
        404
    );
}

#[tokio::test]
async fn pull_requests_are_issues_with_reviews_and_line_comments() {
    let scene = Scene::new().await;
    let (alice, bob) = (scene.sandbox.as_("alice"), scene.sandbox.as_("bob"));
    let n = alice.open_pull("Add it", "body", "feature").unwrap();
    let head = scene.get(&format!("/repos/acme/app/pulls/{n}")).await.body["head"]["sha"].clone();
    bob.review(n, ReviewState::Approved, "").unwrap();
    assert!(alice.review(n, ReviewState::Approved, "").is_err());
    let line = bob.line_comment(n, "src/lib.rs", 3, "why?").unwrap();
    let reply = scene
        .post(
            &format!("/repos/acme/app/pulls/{n}/comments/{line}/replies"),
            json!({ "body": "so" }),
        )
        .await;
    assert_eq!((reply.status, &reply.body["in_reply_to_id"]), (201, &json!(line)));
    let reaction = scene
        .post(
            &format!("/repos/acme/app/pulls/comments/{line}/reactions"),
            json!({ "content": "eyes" }),
        )
        .await;
    assert_eq!(reaction.status, 201);
    let reviews = scene.get(&format!("/repos/acme/app/pulls/{n}/reviews")).await.body;
    assert_eq!(
        (&reviews[0]["state"], &reviews[0]["commit_id"]),
        (&json!("APPROVED"), &head)
    );
    assert_eq!(
        scene
            .get(&format!("/repos/acme/app/pulls/{n}/comments"))
            .await
            .body
            .as_array()
            .unwrap()
            .len(),
        2
    );
    assert!(scene.get(&format!("{ISSUES}/{n}")).await.body["pull_request"]["url"].is_string());
    assert!(scene.sandbox.comments(n).is_empty());
    alice.push(n).unwrap();
    assert_ne!(
        scene.get(&format!("/repos/acme/app/pulls/{n}")).await.body["head"]["sha"],
        head
    );
    bob.merge(n).unwrap();
    assert_eq!(
        scene.get(&format!("/repos/acme/app/pulls/{n}")).await.body["merged"],
        true
    );
}
