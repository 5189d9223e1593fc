//! Mail over SMTP from the approval to the card: what a server takes, refuses, puts off, or leaves in doubt.

#[path = "../mail/scripted.rs"]
pub mod scripted;

use countersign::store::{Statement, Store, Write};
use countersign::values;
use countersign::workflow::ids::Digest;

use crate::bad_input::{TASKS, approve, holds, opened};
use crate::cli::{only_workflow, run_beside};
use crate::world::{Setup, World};
use scripted::{Does, Script, When};

/// Two stakeholders.
const TWO: &str = "version: 1\nmail:\n  to: [team@acme.example, gone@acme.example]\n";

async fn world(script: &Script) -> World {
    setup(script).await.start().await
}

async fn setup(script: &Script) -> Setup {
    let url = format!("smtp://{}", script.start().await);
    Setup::new().config(TWO).set("COUNTERSIGN_MAIL_URL", &url)
}

/// From the issue to the approved mail.
async fn mailed(world: &World) -> countersign::sandbox::IssueNumber {
    let issue = opened(world, TASKS).await;
    world.clock.advance(chrono::TimeDelta::seconds(20));
    approve(world, issue).await;
    issue
}

#[tokio::test]
async fn a_refused_address_is_named_on_the_card_and_the_others_get_the_mail() {
    let script = Script::new(
        When::RecipientLike("gone"),
        Does::Answers("550 5.1.1 nobody of that name"),
    );
    let world = world(&script).await;
    let issue = mailed(&world).await;
    holds(
        &world.card(issue),
        &["The mail was handed over as", "but not to", "gone@acme.example", "550"],
    );
    holds(&world.hear(issue).join("\n"), &["The mail was sent."]);
    let taken = script.taken();
    assert_eq!(taken.len(), 1);
    world.end().await;
}

#[tokio::test]
async fn what_went_out_is_kept_byte_for_byte_and_told_by_its_digest() {
    let script = Script::good();
    let world = world(&script).await;
    let issue = mailed(&world).await;
    world.card(issue);
    world.hear(issue);
    let sent = script.taken().remove(0).raw;
    let digest = Digest::of_bytes(sent.as_bytes()).to_string();
    let id = only_workflow(&world);
    let shown = run_beside(&world, &["show", &id, &digest[..12], "--json"]).envelope();
    assert_eq!(shown["data"]["kind"], "mail");
    assert_eq!(shown["data"]["digest"], digest.as_str());
    assert_eq!(shown["data"]["text"], sent.as_str());
    let history = run_beside(&world, &["history", &id]);
    holds(history.page(), &["mailed <", &digest[..12]]);
    let archive = world.home().join("all.tar");
    let archive = archive.to_str().unwrap();
    assert_eq!(run_beside(&world, &["export", &id, "--output", archive]).code, 0);
    let verified = run_beside(&world, &["export", "--verify", archive, "--json"]).envelope();
    let manifest = &verified["data"]["manifest"];
    assert_eq!(manifest["counts"]["mails"], 1, "{verified}");
    assert_eq!(
        manifest["files"][format!("mails/{digest}.eml")]["sha256"],
        digest.as_str()
    );

    // Whoever touches it in the database is found.
    let kept = async |raw: &str| {
        let store = world.house().engine.store();
        let keep = Statement::new("UPDATE mails SET raw = $1", values![raw.as_bytes().to_vec()]);
        store.write(Write::of(keep.exactly(1))).await.unwrap();
    };
    kept("another").await;
    let touched = run_beside(&world, &["verify", &id]);
    assert_eq!(touched.code, 1);
    holds(&touched.err, &["mail <", "another digest"]);
    kept(&sent).await;
    assert_eq!(run_beside(&world, &["verify", &id]).code, 0);
    world.end().await;
}

#[tokio::test]
async fn a_mail_that_is_refused_for_now_goes_out_later_and_once() {
    for when in [When::Recipient, When::Data, When::Mail] {
        let script = Script::new(when, Does::Answers("451 come again")).times(2);
        let world = world(&script).await;
        let issue = mailed(&world).await;
        for _ in 0..4 {
            world.wait(60).await;
        }
        holds(&world.card(issue), &["The mail was handed over as"]);
        world.hear(issue);
        // At the mail itself the server looked at two that it did not take.
        let taken = script.taken();
        assert_eq!(taken.len(), if when == When::Mail { 3 } else { 1 }, "{when:?}");
        assert!(taken.iter().all(|mail| *mail == taken[0]), "{taken:#?}");
        world.end().await;
    }
}

#[tokio::test]
async fn an_address_that_stays_refused_for_now_does_not_keep_the_mail_from_the_others_for_ever() {
    let script = Script::new(When::RecipientLike("gone"), Does::Answers("452 4.2.2 mailbox full"));
    let world = world(&script).await;
    let issue = mailed(&world).await;
    for _ in 0..12 {
        world.wait(600).await;
    }
    assert_eq!(script.taken().len(), 1);
    holds(&world.card(issue), &["but not to", "gone@acme.example", "mailbox full"]);
    world.hear(issue);
    world.end().await;
}

#[tokio::test]
async fn a_mail_that_nobody_may_get_fails_names_everybody_and_can_be_retried() {
    let script = Script::new(When::RecipientLike(""), Does::Answers("550 relaying denied")).times(2);
    let world = world(&script).await;
    let issue = mailed(&world).await;
    let said = world.hear(issue).join("\n");
    holds(&said, &["*Mail* failed", "/retry"]);
    holds(&world.card(issue), &["gone@acme.example", "team@acme.example", "550"]);
    assert!(script.taken().is_empty());
    world.say("alice", issue, "/retry").await;
    holds(&world.card(issue), &["The mail was handed over as"]);
    world.hear(issue);
    assert_eq!(script.taken().len(), 1);
    world.end().await;
}

#[tokio::test]
async fn a_connection_that_is_lost_after_the_mail_is_doubt_and_nothing_is_sent_again() {
    let script = Script::new(When::Mail, Does::HangsUp).times(1);
    let mut world = world(&script).await;
    let issue = mailed(&world).await;
    let doubt = [
        "may have been sent or not",
        "is not sent again",
        "Ask one of its recipients",
    ];
    holds(&world.card(issue), &doubt);
    holds(&world.hear(issue).join("\n"), &["may have been sent or not"]);
    world.restart().await;
    for _ in 0..5 {
        world.wait(3600).await;
    }
    holds(&world.card(issue), &doubt);
    assert_eq!(script.taken().len(), 1);
    // What may have gone out is kept.
    let digest = Digest::of_bytes(script.taken()[0].raw.as_bytes()).to_string();
    let id = only_workflow(&world);
    assert_eq!(run_beside(&world, &["show", &id, &digest]).code, 0);
    world.end().await;
}

#[tokio::test]
async fn where_the_settings_say_so_a_mail_in_doubt_is_sent_again_as_the_same_mail_and_that_is_said() {
    let script = Script::new(When::Mail, Does::HangsUp).times(1);
    let setup = setup(&script).await.set("COUNTERSIGN_MAIL_RESEND_IN_DOUBT", "true");
    let world = setup.start().await;
    let issue = mailed(&world).await;
    assert_eq!(world.hear(issue), Vec::<String>::new());
    world.wait(60).await;
    holds(
        &world.card(issue),
        &["The mail was handed over as", "it may have come twice"],
    );
    world.hear(issue);
    let taken = script.taken();
    assert_eq!(taken.len(), 2);
    assert_eq!(taken[0], taken[1]);
    world.end().await;
}

#[tokio::test]
async fn a_mail_that_stays_in_doubt_is_not_sent_for_ever() {
    let script = Script::new(When::Mail, Does::HangsUp);
    let setup = setup(&script).await.set("COUNTERSIGN_MAIL_RESEND_IN_DOUBT", "true");
    let world = setup.start().await;
    let issue = mailed(&world).await;
    for _ in 0..12 {
        world.wait(600).await;
    }
    holds(&world.card(issue), &["may have been sent or not"]);
    world.hear(issue);
    assert_eq!(script.taken().len(), 5);
    world.end().await;
}

#[tokio::test]
async fn mails_of_several_workflows_share_a_session() {
    let script = Script::good();
    let world = world(&script).await;
    for _ in 0..3 {
        let issue = mailed(&world).await;
        world.card(issue);
        world.hear(issue);
    }
    assert_eq!((script.taken().len(), script.sessions()), (3, 1));
    world.end().await;
}

#[tokio::test]
async fn a_process_that_ends_before_a_mail_is_begun_sends_it_when_it_is_back() {
    for after in 1.. {
        let script = Script::good();
        let mut world = world(&script).await;
        let issue = opened(&world, TASKS).await;
        world.clock.advance(chrono::TimeDelta::seconds(20));
        let store = world.house().engine.store().clone();
        let command = format!("/approve {}", world.digest(issue));
        world.github.as_("bob").comment(issue, &command).unwrap();
        store.stop_after(store.commits() + after);
        if world.settle_unless_stopped().await.is_ok() {
            assert!(after > 3, "an approved mail takes more commits than that");
            return world.close().await;
        }
        drop(store);
        world.stop().await;
        let begun = kept_mails(&world).await;
        world.restart().await;
        world.sweep().await;
        world.settle().await;
        let card = world.card(issue);
        let taken = script.taken().len();
        assert!(
            taken == 1 || taken == 0 && begun > 0,
            "stopped after {after} commits: {card}"
        );
        assert_eq!(
            card.contains("may have been sent or not"),
            begun > 0 && !card.contains("The mail was handed over"),
            "{card}"
        );
        world.close().await;
    }
}

/// How many mails were written down, which is done before they are handed over.
async fn kept_mails(world: &World) -> usize {
    let url = world.database_url().parse().unwrap();
    let store = Store::open_to_read(&url).await.unwrap();
    let kept = store.read("SELECT 1 AS one FROM mails", values![]).await.unwrap();
    store.close().await;
    kept.len()
}
