//! The repository names another file or none; its owner and the server may forbid them; a definition of one's own.

use countersign::sandbox::{Role, Visibility};

use super::{GUIDE, SECTION, generating, line, run_of, short, told};
use crate::story::{says, says_not};
use crate::world::{CONFIG_PATH, Setup, World};

const OTHER: &str = "Write short sentences.\n";

fn setup(config: &str) -> Setup {
    let both = |github: countersign::sandbox::Builder| github.file("AGENTS.md", GUIDE).file("docs/agents.md", OTHER);
    Setup::new().config(config).github(both)
}

#[tokio::test]
async fn a_repository_names_another_file_or_none() {
    let world = setup("version: 1\nguidelines: docs/agents.md\n").start().await;
    let issue = generating(&world).await;
    says(&line(&world, issue).unwrap(), &["`docs/agents.md`", &short(OTHER)]);
    says_not(&run_of(&world, "plan").await.prompt, &["Indent with tabs"]);
    world.end().await;

    let world = setup("version: 1\nguidelines: docs/none.md\n").start().await;
    let issue = generating(&world).await;
    says(
        &line(&world, issue).unwrap(),
        &["nothing of `docs/none.md`", "there is no such file"],
    );
    says_not(&run_of(&world, "plan").await.prompt, &[SECTION]);
    world.end().await;

    let world = setup("version: 1\nguidelines: off\n").start().await;
    let issue = generating(&world).await;
    assert_eq!(line(&world, issue), None);
    says_not(&run_of(&world, "plan").await.prompt, &[SECTION]);
    let asked = world.github.requests();
    assert!(
        !asked.iter().any(|request| request.path.ends_with("/commits")),
        "nobody looks"
    );
    world.end().await;
}

#[tokio::test]
async fn turned_off_on_the_way_is_told_and_a_pull_request_turns_nothing_on() {
    let world = setup("version: 1\n").start().await;
    let issue = generating(&world).await;
    let bob = world.github.as_("bob");
    let pull = bob.open_pull("Rules", "", "rules").unwrap();
    bob.propose(pull, CONFIG_PATH, Some("version: 1\nguidelines: docs/agents.md\n"))
        .unwrap();
    bob.set_file(CONFIG_PATH, "version: 1\nguidelines: off\n").unwrap();
    world.settle().await;
    world.say("bob", issue, "/revise shorter").await;
    world.hear(issue);
    says(
        &line(&world, issue).unwrap(),
        &["nothing of `AGENTS.md`", "turned off here", "Before", &short(GUIDE)],
    );
    let last = told(&world, "proposed").await.pop().unwrap();
    assert_eq!(last["found"]["left_out"], "off");
    says_not(&run_of(&world, "plan").await.prompt, &[SECTION]);
    world.end().await;
}

#[tokio::test]
async fn a_path_that_cannot_be_is_a_mistake_with_its_line_and_the_last_good_one_holds() {
    let world = setup("version: 1\nguidelines: docs/agents.md\n").start().await;
    let first = generating(&world).await;
    says(&line(&world, first).unwrap(), &["`docs/agents.md`"]);
    let ada = world.github.as_("ada");
    for (wrong, said) in [
        ("../secret.md", "has . or .. in it"),
        ("/etc/passwd", "is absolute"),
        (".git/config", "git"),
    ] {
        let file = format!("version: 1\n# theirs\nguidelines: {wrong}\n");
        ada.set_file(CONFIG_PATH, &file).unwrap();
        world.settle().await;
        let issue = world.issue("Billing", "We need a client.");
        world.say("alice", issue, crate::stages::GOAL).await;
        let heard = world.hear(issue).join("\n");
        says(&heard, &["line 3, column 13", said, "`off`"]);
        says(&line(&world, issue).unwrap(), &["`docs/agents.md`"]);
    }
    world.end().await;
}

async fn under(owner: &str, own: &str) -> World {
    let world = setup(own).start().await;
    let above = world.github.add_repo("acme/.github", Visibility::Public);
    above.set_role("ada", Role::Admin);
    above.as_("ada").set_file(CONFIG_PATH, owner).unwrap();
    world.settle().await;
    world
}

#[tokio::test]
async fn an_owner_forbids_them_or_names_a_file_for_who_names_none() {
    let own = "version: 1\nguidelines: docs/agents.md\nlimits: {guidelines: 500}\n";
    let world = under("version: 1\nguidelines: off\nlimits: {guidelines: 400}\n", own).await;
    let issue = generating(&world).await;
    assert_eq!(line(&world, issue), None);
    world.say("alice", issue, "/explain").await;
    let said = world.answer(issue);
    says(&said, &["| `guidelines` | `off` | `acme/.github` | `docs/agents.md` |"]);
    says(&said, &["| `limits.guidelines` | `400` | `acme/.github` | `500` |"]);
    world.end().await;

    let world = under("version: 1\nguidelines: docs/agents.md\n", "version: 1\n").await;
    let issue = generating(&world).await;
    says(&line(&world, issue).unwrap(), &["`docs/agents.md`"]);
    world.end().await;
}

#[tokio::test]
async fn a_server_forbids_them_everywhere() {
    let config = "version: 1\nguidelines: docs/agents.md\n";
    let world = setup(config).set("COUNTERSIGN_GUIDELINES_BYTES", "0").start().await;
    let issue = generating(&world).await;
    assert_eq!(line(&world, issue), None);
    says_not(&run_of(&world, "plan").await.prompt, &[SECTION]);
    world.end().await;
}

#[tokio::test]
async fn a_definition_of_ones_own_says_which_files_and_which_phases() {
    let own = |key: &str, of_second: &str| {
        format!(
            "name: own\nversion: 1\ntitle: Notes\n{key}phases:\n  - {{id: one, title: One, prompt: p, schema: document.v1}}\n  \
             - {{id: two, title: Two, needs: [one], prompt: p, schema: document.v1{of_second}}}\nprompts: {{p: \"Notes as {{{{ \
             schema }}}}\"}}\n"
        )
    };
    let document = serde_json::json!({"title": "T", "sections": [{"heading": "H", "text": "x"}]});
    for (key, of_second, one, two) in [
        ("guidelines: [HOUSE.md, docs/agents.md]\n", "", true, true),
        ("guidelines: [docs/agents.md]\n", ", guidelines: false", true, false),
        ("", "", false, false),
    ] {
        let definition = own(key, of_second);
        let world = setup("version: 1\n").github(|github| github.file(".github/countersign/own.yml", &definition));
        let world = world.start().await;
        let issue = world.issue("Notes", "We need notes.");
        world.say("alice", issue, "/run own").await;
        world.hear(issue);
        crate::stages::respond(&world, issue, &document).await;
        let holds = async |phase: &str| run_of(&world, phase).await.prompt.contains("Write short sentences.");
        assert_eq!((holds("one").await, holds("two").await), (one, two), "{definition}");
        world.end().await;
    }
}
