//! `countersign backup` and `restore`: the real program, beside a server and after it.

use crate::cli::{only_workflow, run};
use crate::world::World;

/// A world whose server stopped when an approval was kept and nothing that follows from it; with a backup of that moment.
async fn approved_and_stopped() -> World {
    let world = World::new().await;
    let issue = world.issue(
        "Checkout is slow",
        "- [ ] Measure the checkout\n- [ ] Cache the prices\n",
    );
    world.say("alice", issue, "/deliver").await;
    world.card(issue);
    world.hear(issue);
    let digest = world.digest(issue);
    let store = world.house().engine.store().clone();
    // The delivery, its lease, and the decision with the acts that it plans.
    store.stop_after(store.commits() + 3);
    world
        .github
        .as_("alice")
        .comment(issue, &format!("/approve {digest}"))
        .unwrap();
    assert!(world.settle_unless_stopped().await.is_err(), "it was not stopped");
    world
}

#[tokio::test]
async fn what_was_open_in_a_backup_and_done_since_is_not_done_again() {
    let mut world = approved_and_stopped().await;
    let wrote = run(world.home(), &["backup", "kept.sqlite"]);
    assert!(wrote.page().starts_with("Written to kept.sqlite ("), "{}", wrote.out);
    world.restart().await;
    world.settle().await;
    let issues = world.opened();
    let mails = world.mails();
    assert_eq!(issues.len(), 2, "{issues:?}");

    let refused = run(world.home(), &["restore", "kept.sqlite"]);
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("another countersign process"), "{}", refused.err);
    assert!(refused.err.contains("stop it first"), "{}", refused.err);

    world.stop().await;
    let restored = run(world.home(), &["restore", "kept.sqlite", "--json"]).envelope();
    assert!(restored["data"]["in_doubt"].as_u64().unwrap() > 0, "{restored}");
    let former = restored["data"]["former"].as_str().unwrap();
    assert!(std::path::Path::new(former).exists(), "{former}");
    world.restart().await;
    world.settle().await;
    let numbers =
        |issues: &[countersign::sandbox::IssueView]| issues.iter().map(|issue| issue.number).collect::<Vec<_>>();
    assert_eq!(numbers(&world.opened()), numbers(&issues));
    assert_eq!(world.mails().len(), mails.len());
    let verified = run(world.home(), &["verify"]);
    assert_eq!(verified.code, 0, "{}{}", verified.out, verified.err);
    world.close().await;
}

#[tokio::test]
async fn a_backup_is_taken_beside_a_running_server_and_is_a_database_of_its_own() {
    let world = World::new().await;
    let issue = world.issue("Checkout is slow", "- [ ] Measure the checkout\n");
    world.say("alice", issue, "/deliver").await;
    world.card(issue);
    world.hear(issue);
    let id = only_workflow(&world);
    assert_eq!(run(world.home(), &["backup", "kept.sqlite"]).code, 0);
    let again = run(world.home(), &["backup", "kept.sqlite"]);
    assert_eq!(again.code, 1);
    assert!(again.err.contains("kept.sqlite exists already"), "{}", again.err);
    let listed = run(
        world.home(),
        &["list", "--database-url", "sqlite:kept.sqlite", "--json"],
    )
    .envelope();
    assert_eq!(listed["data"]["workflows"][0]["id"], id.as_str());
    world.end().await;
}

/// A world whose server was stopped after a backup, and the bytes of its database.
async fn stopped_with_a_backup() -> (World, Vec<u8>) {
    let mut world = World::new().await;
    let issue = world.issue("Checkout is slow", "- [ ] Measure the checkout\n");
    world.say("alice", issue, "/deliver").await;
    world.card(issue);
    world.hear(issue);
    assert_eq!(run(world.home(), &["backup", "kept.sqlite"]).code, 0);
    world.stop().await;
    let database = std::fs::read(world.home().join("bot.sqlite")).unwrap();
    (world, database)
}

#[tokio::test]
async fn what_is_no_whole_backup_changes_nothing() {
    let (mut world, before) = stopped_with_a_backup().await;
    let home = world.home().to_owned();
    let mut damaged = std::fs::read(home.join("kept.sqlite")).unwrap();
    let middle = damaged.len() / 2;
    damaged[middle..middle + 4096].fill(0x5a);
    std::fs::write(home.join("damaged.sqlite"), damaged).unwrap();
    std::fs::write(home.join("letter.sqlite"), "Dear Alice").unwrap();
    std::fs::write(home.join("empty.sqlite"), "").unwrap();
    std::fs::create_dir(home.join("folder")).unwrap();
    for (file, words) in [
        ("damaged.sqlite", "damaged"),
        ("letter.sqlite", "letter.sqlite is no backup that can be restored"),
        ("empty.sqlite", "no database of this program"),
        ("nowhere.sqlite", "there is no such file"),
        ("folder", "it is a directory"),
        ("bot.sqlite", "it is the database that would be replaced"),
    ] {
        let refused = run(&home, &["restore", file]);
        assert_ne!(refused.code, 0, "{file}: {}", refused.out);
        assert!(refused.err.contains(words), "{file}: {}", refused.err);
        assert!(
            refused.err.contains("Nothing was changed: name a file that"),
            "{}",
            refused.err
        );
        assert!(
            std::fs::read(home.join("bot.sqlite")).unwrap() == before,
            "{file} changed the database"
        );
    }
    world.restart().await;
    world.end().await;
}

#[tokio::test]
async fn a_backup_in_which_a_text_was_changed_is_refused_with_what_verify_finds() {
    let (mut world, before) = stopped_with_a_backup().await;
    let home = world.home().to_owned();
    let kept = rusqlite::Connection::open(home.join("kept.sqlite")).unwrap();
    let changed = kept.execute("UPDATE runs SET prompt = replace(prompt, 'checkout', 'CHECKOUT')", []);
    assert!(changed.unwrap() > 0);
    kept.close().unwrap();
    let refused = run(&home, &["restore", "kept.sqlite"]);
    assert_eq!(refused.code, 1, "{}", refused.out);
    for words in [
        "nothing was changed",
        "prompt of",
        "it was changed",
        "--despite-findings",
    ] {
        assert!(refused.err.contains(words), "{words}: {}", refused.err);
    }
    assert!(std::fs::read(home.join("bot.sqlite")).unwrap() == before);
    let restored = run(&home, &["restore", "kept.sqlite", "--despite-findings", "--json"]).envelope();
    let findings = restored["data"]["findings"].to_string();
    assert!(findings.contains("prompt of"), "{restored}");
    world.restart().await;
    world.end().await;
}
