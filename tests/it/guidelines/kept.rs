//! What is kept of them: forks, replays, archives, and what is forgotten.

use std::path::Path;

use rusqlite::Connection;
use rusqlite::types::ValueRef;
use serde_json::Value;

use super::{GUIDE, generating, line, run_of, short, told, with};
use crate::cli::{only_workflow, run, run_with};
use crate::kept::archive::unpacked;
use crate::kept::{events, first};
use crate::stages::{approve, plan, respond};
use crate::story::{says, says_not};
use crate::world::{Setup, World};

/// A day, in the clock's seconds.
const DAY: i64 = 24 * 60 * 60;

async fn planned() -> (World, countersign::sandbox::IssueNumber, String) {
    let world = with("AGENTS.md", GUIDE).await;
    let issue = generating(&world).await;
    approve(&world, issue).await;
    respond(&world, issue, &plan()).await;
    let id = only_workflow(&world);
    (world, issue, id)
}

#[tokio::test]
async fn an_archive_has_them_and_a_text_that_was_touched_is_found() {
    let (world, issue, id) = planned().await;
    let verified = run(world.home(), &["verify", &id]);
    says(verified.page(), &["as it was written"]);
    run(world.home(), &["export", &id, "--output", "a.tar"]).page();
    says(
        run(world.home(), &["export", "--verify", "a.tar"]).page(),
        &["is whole"],
    );
    let all = unpacked(&world.home().join("a.tar"));
    let texts: String = all
        .values()
        .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
        .collect();
    says(&texts, &["Indent with tabs.", &short(GUIDE)]);

    let replayed = run(
        world.home(),
        &["replay", &id, "--to", &first(&world, &id, "proposed").to_string()],
    );
    says(replayed.page(), &["guidelines", &short(GUIDE), "(plan)"]);

    // The run's text alone is touched: its prompt is as it was.
    let connection = Connection::open(world.home().join("bot.sqlite")).unwrap();
    let touched = "UPDATE runs SET inputs = replace(inputs, 'Indent with tabs', 'Indent with dots')";
    assert!(connection.execute(touched, []).unwrap() > 0);
    let verified = run(world.home(), &["verify", &id]);
    assert_eq!(verified.code, 1);
    says(&verified.err, &["guidelines of ", "they have another digest now"]);
    world.hear(issue);
    world.close().await;
}

#[tokio::test]
async fn a_fork_goes_on_with_the_text_that_its_prompt_was_made_with() {
    let (world, issue, id) = planned().await;
    let at_prompt = first(&world, &id, "shown");
    world
        .github
        .as_("bob")
        .set_file("AGENTS.md", "Indent with spaces.\n")
        .unwrap();
    world.say("alice", issue, "/cancel another way").await;
    world.hear(issue);
    let asked = run(world.home(), &["fork", &id, "--from", &at_prompt.to_string(), "--json"]).envelope();
    let into = asked["data"]["requested"]["into"].as_str().unwrap().to_owned();
    world.house().obey_once().await.unwrap();
    world.settle().await;
    world.hear(issue);
    says(&line(&world, issue).unwrap(), &[&short(GUIDE)]);
    approve(&world, issue).await;
    let store = world.house().engine.store();
    let last = store
        .last_run(&into.as_str().into(), &"plan".into())
        .await
        .unwrap()
        .unwrap();
    says(&last.prompt, &["Indent with tabs."]);
    says_not(&last.prompt, &["Indent with spaces."]);
    let copied = events(&world, &into);
    let waits = copied
        .iter()
        .rfind(|of| of["event"]["type"] == "waits_for_human")
        .unwrap();
    assert_eq!(waits["event"]["guidelines"]["found"], told_of(&world, &id)["found"]);
    says(run(world.home(), &["verify"]).page(), &["All 2 workflows"]);
    world.hear(issue);
    world.end().await;
}

fn told_of(world: &World, id: &str) -> Value {
    let mut events = events(world, id);
    let at = events.iter().position(|of| of["event"]["type"] == "proposed").unwrap();
    events[at]["event"]["guidelines"].take()
}

/// The history holds the fact and never the text: with the runs and the artifacts the text is gone, and the chain holds.
#[tokio::test]
async fn what_is_forgotten_takes_the_text_with_it_and_the_chain_still_holds() {
    let setup = Setup::new().set("COUNTERSIGN_RETENTION_DAYS", "30");
    let world = setup.github(|github| github.file("AGENTS.md", GUIDE)).start().await;
    let issue = generating(&world).await;
    let id = only_workflow(&world);
    let history = events(&world, &id);
    says_not(&serde_json::to_string(&history).unwrap(), &["Indent with tabs"]);
    says(&run_of(&world, "plan").await.inputs, &["Indent with tabs"]);
    assert_eq!(
        told(&world, "proposed").await[0]["found"]["given"]["bytes"],
        GUIDE.len()
    );

    // A copy of which nothing is left but the history and the state.
    let connection = Connection::open(world.home().join("bot.sqlite")).unwrap();
    let copy = world.home().join("copy.sqlite");
    connection
        .execute_batch(&format!("VACUUM INTO '{}'", copy.display()))
        .unwrap();
    assert!(holds(&copy), "it was there");
    let erased = Connection::open(&copy).unwrap();
    for table in ["runs", "artifacts", "cards", "effects"] {
        erased.execute_batch(&format!("DELETE FROM {table}")).unwrap();
    }
    drop(erased);
    assert!(!holds(&copy));
    let database = format!("sqlite:{}", copy.display());
    let history = run_with(
        world.home(),
        &[("COUNTERSIGN_DATABASE_URL", &database)],
        &["history", &id],
    );
    says(history.page(), &["The chain of", &short(GUIDE)]);

    world.say("alice", issue, "/cancel not now").await;
    world.hear(issue);
    world.wait(31 * DAY).await;
    assert_eq!(world.house().forget_once().await.unwrap().workflows, 1);
    assert!(!holds(&world.home().join("bot.sqlite")));
    says(
        run(world.home(), &["verify"]).page(),
        &["There has been no workflow yet"],
    );
    world.close().await;
}

/// Whether any value of a database has the text.
fn holds(database: &Path) -> bool {
    let connection = Connection::open(database).unwrap();
    let mut tables = connection
        .prepare("SELECT name FROM sqlite_master WHERE type = 'table'")
        .unwrap();
    let tables: Vec<String> = tables
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert!(tables.len() > 5, "{tables:?}");
    tables.iter().any(|table| {
        let mut all = connection.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns = all.column_count();
        let mut rows = all.query([]).unwrap();
        let mut found = false;
        while let Some(row) = rows.next().unwrap() {
            found |= (0..columns).any(|at| match row.get_ref(at).unwrap() {
                ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
                    String::from_utf8_lossy(bytes).contains("Indent with tabs")
                }
                _ => false,
            });
        }
        found
    })
}
