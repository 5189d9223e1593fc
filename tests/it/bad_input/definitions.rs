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

/// Another version of the program may bring other templates, and changes nothing of what runs.
#[tokio::test]
async fn the_first_event_holds_the_texts_of_the_programs_templates() {
    let world = Setup::new().start().await;
    let issue = world.issue("Checkout is slow", "- [ ] Measure it (@bob)");
    world.say("alice", issue, "/deliver").await;
    world.hear(issue);
    let store = world.house().engine.store();
    let workflow = store.workflow_ids().await.unwrap().remove(0);
    let records = store.records(&workflow).await.unwrap();
    let kept = &records[0].event["definition"]["templates"];
    for name in ["extract", "email"] {
        let path = format!("{}/templates/prompts/{name}.md", env!("CARGO_MANIFEST_DIR"));
        assert_eq!(kept[name], std::fs::read_to_string(path).unwrap(), "{name}");
    }
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

/// A repository's configuration that holds the example as well.
fn config_with_triage(definition: &str) -> String {
    let mut config = "version: 1\npermissions: {deliver: maintain}\ndefinition: triage\ndefinitions:\n".to_owned();
    for (number, line) in definition.lines().enumerate() {
        let indent = if number == 0 { "  - " } else { "    " };
        config.push_str(&format!("{indent}{line}\n"));
    }
    config
}

/// The example without what stands above its first key.
fn bare_triage() -> String {
    let triage = triage();
    triage[triage.find("name: triage").unwrap()..].to_owned()
}

#[tokio::test]
async fn one_in_the_configuration_is_named_by_its_place_there_and_the_last_good_file_stays_in_force() {
    const CONFIG: &str = ".github/countersign.yml";
    let world = Setup::new().config(&config_with_triage(&bare_triage())).start().await;
    let first = world.issue("Cart is slow", "Very.");
    world.say("mona", first, "/deliver").await;
    holds(&world.hear(first).join("\n"), &["*Classification* needs a person"]);

    let broken = config_with_triage(&bare_triage().replace("on_fail: again", "on_fail: agian"));
    let line = broken.lines().position(|line| line.contains("agian")).unwrap() + 1;
    world.github.as_("alice").set_file(CONFIG, &broken).unwrap();
    world.settle().await;
    let second = world.issue("Checkout is slow", "It takes a minute.");
    holds(
        &run(&world, second).await,
        &[
            "`.github/countersign.yml` cannot be used",
            &format!("line {line}, column 18: "),
            "agian",
            "The last good configuration stays in force",
            "*Classification* needs a person",
        ],
    );
    // What else the file said holds on.
    let third = world.issue("Login is slow", "Very.");
    world.say("alice", third, "/deliver").await;
    holds(&world.hear(third).join("\n"), &["You may not", "maintain"]);

    let mended = config_with_triage(&bare_triage().replace("Review of it", "Another look"));
    world.github.as_("alice").set_file(CONFIG, &mended).unwrap();
    world.settle().await;
    assert!(!run(&world, third).await.contains("cannot be used"));
    holds(&world.card(third), &["Another look"]);
    holds(&world.card(first), &["Review of it"]);
    world.say("alice", third, "/cancel").await;
    world.hear(third);
    world.say("alice", third, "/run triaje").await;
    holds(&world.hear(third).join("\n"), &["triage"]);
    world.end().await;
}

#[tokio::test]
async fn a_name_stays_with_the_file_that_has_it_and_where_two_are_new_with_the_configuration() {
    const CONFIG: &str = ".github/countersign.yml";
    let world = Setup::new()
        .config(&config_with_triage(&bare_triage()))
        .github(|github| github.file(PATH, &triage().replace("Review of it", "Another look")))
        .start()
        .await;
    let first = world.issue("Cart is slow", "Very.");
    holds(
        &run(&world, first).await,
        &[
            "`.github/countersign/triage.yml` cannot be used",
            "line 3, column 7: the name triage is taken",
            "Until it is put right there is no such definition",
        ],
    );
    holds(&world.card(first), &["Review of it"]);
    // Without the configuration's, the file's is in force; and then it stays so.
    let shorter = "version: 1\npermissions: {deliver: maintain}\n";
    world.github.as_("alice").set_file(CONFIG, shorter).unwrap();
    world.settle().await;
    let second = world.issue("Search is slow", "Very.");
    assert!(!run(&world, second).await.contains("cannot be used"));
    holds(&world.card(second), &["Another look"]);
    world
        .github
        .as_("alice")
        .set_file(CONFIG, &config_with_triage(&bare_triage()))
        .unwrap();
    world.settle().await;
    let third = world.issue("Login is slow", "Very.");
    holds(
        &run(&world, third).await,
        &[
            "`.github/countersign.yml` cannot be used",
            "line 5, column 11: the name triage is taken",
        ],
    );
    holds(&world.card(third), &["Another look"]);
    world.end().await;
}

#[tokio::test]
async fn a_child_may_be_in_the_configuration_and_one_that_is_not_there_is_named() {
    let each = |child: &str| {
        format!(
            "version: 1\ndefinitions:\n  - name: each\n    version: 1\n    title: Each\n    phases:\n      - {{id: extract, \
             title: Tasks, agent: extract, gate: {{people: {{}}}}}}\n      - {{id: issues, title: Issues, needs: [extract], \
             executes: extract}}\n      - {{id: work, title: Work, needs: [issues], for_each: {{items: issues, definition: \
             {child}, max: 5}}}}\n  - name: one\n    version: 1\n    title: One\n    phases:\n      - {{id: look, title: Looking, \
             agent: extract}}\n"
        )
    };
    let world = Setup::new().config(&each("oen")).start().await;
    let issue = world.issue("Slow", "- [ ] Measure it\n");
    world.say("alice", issue, "/run each").await;
    holds(
        &world.hear(issue).join("\n"),
        &["line 9", "there is no definition oen", "did you mean `one`?"],
    );
    world
        .github
        .as_("alice")
        .set_file(".github/countersign.yml", &each("one"))
        .unwrap();
    world.settle().await;
    world.say("alice", issue, "/run each").await;
    holds(&world.hear(issue).join("\n"), &["*Tasks* waits for you"]);
    world.end().await;
}

#[tokio::test]
async fn everything_that_is_wrong_with_what_is_given_is_told_at_once_and_the_command_keeps_the_rest() {
    let world = Setup::new().start().await;
    let issue = world.issue("Products", "They need an entity.");
    let given = "entity=Product table=app.products context=\"the catalog\"";
    world
        .say(
            "alice",
            issue,
            &format!("/run jpa-mt {given} schema=../x.sql scope=vertcal tenant=org"),
        )
        .await;
    holds(
        &world.hear(issue).join("\n"),
        &[
            "Nothing was started",
            "`tenant` is not known; there are `context`",
            "`scope` is `vertcal`; it can be `domain` or `vertical`. Did you mean `vertical`?",
            "`schema` names `../x.sql`, where no file can be: the path has . or .. in it",
            "The command: `/run jpa-mt context=\"the catalog\" entity=Product schema=\"…\" scope=vertical",
        ],
    );
    world
        .say(
            "alice",
            issue,
            &format!("/run jpa-mt {given} schema=db/none.sql scope=all"),
        )
        .await;
    holds(
        &world.hear(issue).join("\n"),
        &[
            "`scope` is `all`; it can be `domain` or `vertical`",
            "`schema` names `db/none.sql`, and there is no such file",
            "scope=\"…\" table=app.products`",
        ],
    );
    world.say("alice", issue, "/run generate gaol=\"A client\"").await;
    holds(
        &world.hear(issue).join("\n"),
        &[
            "`gaol` is not known; there is `goal`. Did you mean `goal`?",
            "`goal` is missing",
            "The command: `/run generate goal=\"A client\"`",
        ],
    );
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
