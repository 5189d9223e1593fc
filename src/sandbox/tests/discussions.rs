//! Discussions: what GraphQL answers, and what webhooks tell.

use super::*;

const ADD: &str = "mutation($d: ID!, $to: ID, $body: String!) {
    addDiscussionComment(input: { discussionId: $d, replyToId: $to, body: $body }) {
        comment { id url replyTo { id } author { __typename login ... on Bot { databaseId } } } } }";

async fn asks(scene: &Scene, query: &str, variables: Value) -> Value {
    let reply = scene
        .post("/graphql", json!({ "query": query, "variables": variables }))
        .await;
    assert_eq!(reply.status, 200);
    reply.body
}

/// A discussion's node id.
async fn node(scene: &Scene, number: IssueNumber) -> String {
    let query = "query($n: Int!) { repository(owner: \"acme\", name: \"app\") { discussion(number: $n) { id } } }";
    let found = asks(scene, query, json!({ "n": number })).await;
    found["data"]["repository"]["discussion"]["id"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn comments_have_replies_and_replies_have_none() {
    let scene = Scene::new().await;
    let talk = scene
        .sandbox
        .as_("alice")
        .start_discussion("Talk", "What now?")
        .unwrap();
    let discussion = node(&scene, talk).await;
    let first = asks(&scene, ADD, json!({ "d": discussion, "body": "hello" })).await;
    let comment = &first["data"]["addDiscussionComment"]["comment"];
    assert_eq!(comment["replyTo"], Value::Null);
    assert_eq!(
        (&comment["author"]["__typename"], &comment["author"]["login"]),
        (&json!("Bot"), &json!("countersign"))
    );
    let id = comment["id"].clone();
    let reply = asks(&scene, ADD, json!({ "d": discussion, "to": id, "body": "and you?" })).await;
    let reply = &reply["data"]["addDiscussionComment"]["comment"];
    assert_eq!(reply["replyTo"]["id"], id);
    let deeper = asks(&scene, ADD, json!({ "d": discussion, "to": reply["id"], "body": "no" })).await;
    assert_eq!(deeper["data"], json!({ "addDiscussionComment": null }));
    assert_eq!(
        (&deeper["errors"][0]["type"], &deeper["errors"][0]["message"]),
        (
            &json!("UNPROCESSABLE"),
            &json!("Parent comment is already in a thread, cannot reply to it")
        )
    );
    assert_eq!(scene.sandbox.comments(talk).len(), 2);
    let sent: Vec<_> = scene.sandbox.webhooks_sent();
    let told: Vec<&Value> = sent
        .iter()
        .filter(|sent| sent.event == "discussion_comment")
        .map(|sent| &sent.payload["comment"]["parent_id"])
        .collect();
    assert_eq!(
        told,
        [
            &Value::Null,
            &sent
                .iter()
                .find(|sent| sent.event == "discussion_comment")
                .unwrap()
                .payload["comment"]["id"]
        ]
    );
}

#[tokio::test]
async fn pages_go_forwards_and_backwards() {
    let scene = Scene::new().await;
    let talk = scene.sandbox.as_("alice").start_discussion("Talk", "").unwrap();
    for at in 0..5 {
        scene.sandbox.as_("bob").comment(talk, &format!("{at}")).unwrap();
    }
    let page = |arguments: &str| {
        format!(
            "query($c: String) {{ repository(owner: \"acme\", name: \"app\") {{ discussion(number: {talk}) {{
                comments({arguments}) {{ totalCount nodes {{ body }}
                pageInfo {{ hasNextPage endCursor hasPreviousPage startCursor }} }} }} }} }}"
        )
    };
    for (arguments, cursor, more, expected) in [
        ("first: 2, after: $c", "endCursor", "hasNextPage", ["01", "23", "4"]),
        (
            "last: 2, before: $c",
            "startCursor",
            "hasPreviousPage",
            ["34", "12", "0"],
        ),
    ] {
        let mut at = Value::Null;
        for (number, expected) in expected.into_iter().enumerate() {
            let found = asks(&scene, &page(arguments), json!({ "c": at })).await;
            let comments = &found["data"]["repository"]["discussion"]["comments"];
            let bodies = comments["nodes"].as_array().unwrap().iter();
            let bodies: String = bodies.map(|node| node["body"].as_str().unwrap()).collect();
            assert_eq!(
                (bodies.as_str(), &comments["totalCount"]),
                (expected, &json!(5)),
                "{arguments}"
            );
            assert_eq!(comments["pageInfo"][more], number < 2, "{arguments}");
            at = comments["pageInfo"][cursor].clone();
        }
    }
}

#[tokio::test]
async fn what_is_not_there_or_not_allowed_is_an_error_beside_a_null() {
    let scene = Scene::new().await;
    let issue = scene.sandbox.as_("alice").open_issue("An issue", "").unwrap();
    let query = "query($n: Int!) { repository(owner: \"acme\", name: \"app\") { discussion(number: $n) { id } } }";
    let none = asks(&scene, query, json!({ "n": issue })).await;
    assert_eq!(none["data"]["repository"]["discussion"], Value::Null);
    assert_eq!(none["errors"][0]["type"], "NOT_FOUND");
    assert_eq!(none["errors"][0]["path"], json!(["repository", "discussion"]));
    let odd = asks(
        &scene,
        "query { repository(owner: \"acme\", name: \"app\") { colour } }",
        json!({}),
    )
    .await;
    assert_eq!(odd["errors"][0]["extensions"]["code"], "undefinedField");
    assert_eq!(odd.get("data"), None);

    let talk = scene.sandbox.as_("alice").start_discussion("Talk", "").unwrap();
    let discussion = node(&scene, talk).await;
    scene
        .sandbox
        .set_app_permissions(&[("metadata", Access::Read), ("discussions", Access::Read)]);
    let mut scene = scene;
    scene.renew().await;
    let refused = asks(&scene, ADD, json!({ "d": discussion, "body": "hello" })).await;
    assert_eq!(
        (&refused["errors"][0]["type"], &refused["errors"][0]["message"]),
        (&json!("FORBIDDEN"), &json!("Resource not accessible by integration"))
    );
    assert_eq!(scene.get(&format!("/repos/acme/app/issues/{talk}")).await.status, 404);
}

#[tokio::test]
async fn a_comment_that_was_deleted_leaves_its_place_to_its_replies() {
    let scene = Scene::new().await;
    let (alice, bob) = (scene.sandbox.as_("alice"), scene.sandbox.as_("bob"));
    let talk = alice.start_discussion("Talk", "").unwrap();
    let first = bob.comment(talk, "first").unwrap();
    alice.reply(first, "reply").unwrap();
    bob.delete_comment(first).unwrap();
    let query = format!(
        "{{ repository(owner: \"acme\", name: \"app\") {{ discussion(number: {talk}) {{ comments(first: 9) {{ nodes {{
            body deletedAt author {{ login }} replies(first: 9) {{ nodes {{ body }} }} }} }} }} }} }}"
    );
    let found = asks(&scene, &query, json!({})).await;
    let node = &found["data"]["repository"]["discussion"]["comments"]["nodes"][0];
    assert_eq!((&node["body"], &node["author"]), (&json!(""), &Value::Null));
    assert_ne!(node["deletedAt"], Value::Null);
    assert_eq!(node["replies"]["nodes"][0]["body"], "reply");
}
