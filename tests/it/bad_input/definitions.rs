//! Definitions that a repository brings: good, broken after good, of a name that is taken, changed while one runs.

use super::holds;
use crate::world::{Setup, World};
use countersign::sandbox::IssueNumber;

const PATH: &str = ".github/countersign/triage.yml";

fn triage() -> String {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/triage.yml")).unwrap()
}

fn script() -> &'static str {
    "/respond\n```json\n{\"title\": \"A fault\", \"sections\": [{\"heading\": \"Kind\", \"text\": \"A fault.\"}]}\n```"
}

fn review(verdict: &str) -> String {
    let findings = match verdict {
        "fail" => {
            "{\"id\": \"f1\", \"severity\": \"major\", \"category\": \"correctness\", \"file\": \"\", \"line_start\": \
             null, \"line_end\": null, \"side\": \"RIGHT\", \"quote\": \"slow\", \"message\": \"Urgency is missing.\", \
             \"suggestion\": null}"
        }
        _ => "",
    };
    format!(
        "/respond\n```json\n{{\"summary\": \"Looked at.\", \"verdict\": \"{verdict}\", \"findings\": [{findings}], \
         \"criteria\": [], \"missing_inputs\": []}}\n```"
    )
}

async fn with_triage() -> World {
    Setup::new().github(|github| github.file(PATH, &triage())).start().await
}

async fn run(world: &World, issue: IssueNumber) -> String {
    world.say("alice", issue, "/run triage").await;
    world.hear(issue).join("\n")
}

#[tokio::test]
async fn the_example_is_played_to_its_end_by_hand() {
    let world = with_triage().await;
    let issue = world.issue("Checkout is slow", "It takes a minute.");
    holds(&run(&world, issue).await, &["*Classification* needs a person"]);
    world.say("bob", issue, "/prompt").await;
    holds(
        &world.hear(issue).join("\n"),
        &["Say what kind of issue this is", "document.v1", "It takes a minute."],
    );
    world.say("bob", issue, script()).await;
    holds(&world.hear(issue).join("\n"), &["*Review of it* needs a person"]);
    world.say("bob", issue, "/prompt").await;
    holds(
        &world.hear(issue).join("\n"),
        &["You look closely and are brief.", "A fault."],
    );
    world.say("bob", issue, &review("fail")).await;
    world.hear(issue);
    world.wait(20).await;
    world
        .say("bob", issue, &format!("/approve {}", world.digest(issue)))
        .await;
    holds(&world.hear(issue).join("\n"), &["*Classification anew* needs a person"]);
    world.say("bob", issue, "/prompt").await;
    holds(&world.hear(issue).join("\n"), &["Urgency is missing."]);
    world.say("bob", issue, script()).await;
    world.hear(issue);
    world.say("bob", issue, &review("pass")).await;
    world.hear(issue);
    world.wait(20).await;
    world
        .say("alice", issue, &format!("/approve {}", world.digest(issue)))
        .await;
    world.hear(issue);
    world.say("alice", issue, "/status").await;
    holds(&world.answer(issue), &["No workflow is open here"]);
    holds(&world.card(issue), &["Sort an issue · done"]);
    assert!(world.opened().is_empty() && world.mails().is_empty());
    world.end().await;
}

#[tokio::test]
async fn one_that_breaks_changes_nothing_and_is_named_by_line_and_column() {
    let world = with_triage().await;
    let before = world.issue("Cart is slow", "Very.");
    world.say("alice", before, "/status").await;
    world.answer(before);
    let broken = triage().replace("    on_fail: again\n", "    on_fial: again\n");
    world.github.as_("alice").set_file(PATH, &broken).unwrap();
    world.settle().await;
    let issue = world.issue("Checkout is slow", "It takes a minute.");
    let heard = run(&world, issue).await;
    holds(
        &heard,
        &[
            "`.github/countersign/triage.yml` cannot be used",
            "line ",
            "column 5",
            "on_fial",
            "did you mean `on_fail`?",
            "The last good one stays in force",
            "*Classification* needs a person",
        ],
    );
    // Said once on an issue.
    world.say("alice", issue, "/status").await;
    assert!(!world.answer(issue).contains("cannot be used"));
    // Put right, it is not spoken of any more.
    world.github.as_("alice").set_file(PATH, &triage()).unwrap();
    world.settle().await;
    let other = world.issue("Search is slow", "Very.");
    assert!(!run(&world, other).await.contains("cannot be used"));
    world.end().await;
}

#[tokio::test]
async fn a_workflow_keeps_the_definition_that_it_started_with() {
    let world = with_triage().await;
    let issue = world.issue("Checkout is slow", "It takes a minute.");
    run(&world, issue).await;
    let changed = triage()
        .replace("Review of it", "Another look")
        .replace("version: 1", "version: 2");
    world.github.as_("alice").set_file(PATH, &changed).unwrap();
    world.settle().await;
    world.say("bob", issue, script()).await;
    holds(&world.hear(issue).join("\n"), &["*Review of it* needs a person"]);
    let other = world.issue("Search is slow", "Very.");
    run(&world, other).await;
    holds(&world.card(other), &["Another look"]);
    world.github.as_("alice").delete_file(PATH).unwrap();
    world.settle().await;
    let third = world.issue("Login is slow", "Very.");
    holds(&run(&world, third).await, &["triage", "`deliver`"]);
    world.say("bob", issue, &review("pass")).await;
    world.hear(issue);
    world.wait(20).await;
    world
        .say("bob", issue, &format!("/approve {}", world.digest(issue)))
        .await;
    world.hear(issue);
    world.say("alice", issue, "/status").await;
    holds(&world.answer(issue), &["No workflow is open here"]);
    holds(&world.card(issue), &["Sort an issue · done"]);
    world.end().await;
}

#[tokio::test]
async fn a_name_that_is_taken_is_refused_and_the_programs_own_is_started() {
    let mine = triage().replace("name: triage", "name: tasks");
    let world = Setup::new()
        .github(|github| {
            github
                .file(".github/countersign/mine.yml", &mine)
                .file(PATH, &triage())
                .file(".github/countersign/zwilling.yaml", &triage())
                .file(".github/countersign/notes.md", "No definition.")
                .file(".github/countersign/below/other.yml", "Not read.")
        })
        .start()
        .await;
    let issue = world.issue("Checkout is slow", "- [ ] Measure it (@bob)");
    world.say("alice", issue, "/tasks").await;
    let heard = world.hear(issue).join("\n");
    holds(
        &heard,
        &[
            "`.github/countersign/mine.yml` cannot be used",
            "line 3, column 7: the name tasks is taken",
            "`.github/countersign/zwilling.yaml` cannot be used",
            "the name triage is taken",
            "Until it is put right there is no such definition",
        ],
    );
    assert!(!heard.contains("notes.md") && !heard.contains("other.yml"), "{heard}");
    holds(&world.card(issue), &["Measure it"]);
    world.end().await;
}

#[tokio::test]
async fn the_repository_may_make_its_own_the_one_that_deliver_starts_and_keeps_its_rights_without_it() {
    let config = "version: 1\ndefinition: triage\npermissions: {deliver: maintain}\n";
    let world = Setup::new()
        .config(config)
        .github(|github| github.file(PATH, &triage()))
        .start()
        .await;
    let issue = world.issue("Checkout is slow", "It takes a minute.");
    world.say("alice", issue, "/deliver").await;
    holds(&world.answer(issue), &["You may not", "maintain"]);
    world.say("mona", issue, "/deliver").await;
    holds(&world.hear(issue).join("\n"), &["*Classification* needs a person"]);
    // Without the definition the file is broken; what it asks of people holds on.
    world.github.as_("alice").delete_file(PATH).unwrap();
    world.settle().await;
    let other = world.issue("Search is slow", "Very.");
    world.say("alice", other, "/deliver").await;
    let heard = world.hear(other).join("\n");
    holds(&heard, &["there is no definition", "line 2, column 13", "You may not"]);
    world.end().await;
}

#[tokio::test]
async fn sixty_thousand_characters_and_two_hundred_phases_work() {
    let mut long =
        "name: long\nversion: 1\ntitle: Long\nprompts: {p: \"Answer as {{ schema }}\"}\nphases:\n".to_owned();
    for number in 0..200_u32 {
        let needs = number
            .checked_sub(1)
            .map(|before| format!("p{before}"))
            .unwrap_or_default();
        long.push_str(&format!(
            "  - {{id: p{number}, title: Phase {number}, needs: [{needs}], inputs: [{needs}], prompt: p, schema: document.v1}}\n"
        ));
    }
    let world = Setup::new()
        .github(|github| github.file(".github/countersign/long.yml", &long))
        .start()
        .await;
    let issue = world.issue("Checkout is slow", "It takes a minute.");
    world.say("alice", issue, "/run long").await;
    holds(&world.hear(issue).join("\n"), &["*Phase 0* needs a person"]);
    let text = "word ".repeat(12_000);
    let answer = format!(
        "/respond\n```json\n{{\"title\": \"Long\", \"sections\": [{{\"heading\": \"All\", \"text\": \"{text}\"}}]}}\n```"
    );
    world.say("bob", issue, &answer).await;
    holds(&world.hear(issue).join("\n"), &["*Phase 1* needs a person"]);
    world.end().await;
}
