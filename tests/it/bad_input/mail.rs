//! Mail that is not configured, and a server that is not there.

use super::{TASKS, holds, opened};
use crate::world::Setup;

#[tokio::test]
async fn without_recipients_the_mail_ends_as_not_configured_and_the_workflow_completes() {
    let world = Setup::new().without_config().start().await;
    let issue = opened(&world, TASKS).await;
    holds(&world.card(issue), &["not configured", "`mail.to`"]);
    assert_eq!(world.mails().len(), 0);
    let open = world.house().engine.store().list_workflows(true, 10).await.unwrap();
    assert!(open.is_empty(), "{open:#?}");
    world.end().await;
}

#[tokio::test]
async fn a_mail_server_that_is_not_there_is_waited_for_then_named_and_can_be_retried() {
    // A port that was free a moment ago, and where nobody listens.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let world = Setup::new()
        .set("COUNTERSIGN_MAIL_URL", &format!("smtp://127.0.0.1:{port}"))
        .start()
        .await;
    let issue = opened(&world, TASKS).await;
    world.wait(20).await;
    world.label("bob", issue, "countersign:approve").await;
    assert_eq!(world.hear(issue), Vec::<String>::new());
    for _ in 0..40 {
        world.wait(600).await;
    }
    let said = world.hear(issue).join("\n");
    holds(&said, &["*Mail* failed", "/retry"]);
    holds(&world.card(issue), &["failed"]);
    world.say("alice", issue, "/retry").await;
    for _ in 0..40 {
        world.wait(600).await;
    }
    let again = world.hear(issue).join("\n");
    holds(&again, &["*Mail* failed"]);
    world.end().await;
}
