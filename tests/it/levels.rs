//! The levels above a repository: what its owner's `.github` repository and the server's policy say holds in all.

use countersign::sandbox::{Role, Sandbox, Visibility};

use crate::world::{CONFIG_PATH, Setup, World};

const LIST: &str = "- [ ] Label the drawers\n";

/// A world whose owner has a `.github` repository with this file.
async fn under(owner: &str, repository: &str) -> (World, Sandbox) {
    let world = Setup::new().config(repository).start().await;
    let above = world.github.add_repo("acme/.github", Visibility::Public);
    above.set_role("ada", Role::Admin);
    above.as_("ada").set_file(CONFIG_PATH, owner).unwrap();
    world.settle().await;
    (world, above)
}

#[tokio::test]
async fn a_repository_asks_for_no_less_than_its_owner() {
    let owner = "version: 1\npermissions: {approve: maintain, deliver: write}\nmail: {to: [team@acme.example]}\n";
    let own =
        "version: 1\npermissions: {approve: write, deliver: maintain}\nmail: {to: [team@acme.example, x@evil.test]}\n";
    let (world, _) = under(owner, own).await;
    let issue = world.issue("Sort the drawers", LIST);
    world.settle().await;

    // The repository asks for more to start something; its owner asks for more to approve.
    world.say("bob", issue, "/deliver").await;
    assert!(world.answer(issue).contains("`/deliver` needs the maintain role"));
    world.say("mona", issue, "/deliver").await;
    world.hear(issue);
    let digest = world.digest(issue);
    world.say("bob", issue, &format!("/approve {digest}")).await;
    assert!(world.answer(issue).contains("`/approve` needs the maintain role"));

    world.say("mona", issue, "/explain").await;
    let said = world.answer(issue);
    assert!(
        said.contains("| `permissions.approve` | `maintain` | `acme/.github` |"),
        "{said}"
    );
    assert!(
        said.contains("| `permissions.deliver` | `maintain` | this repository |"),
        "{said}"
    );
    assert!(
        said.contains("| `mail` | `team@acme.example` | `acme/.github` and this repository | `x@evil.test` |"),
        "{said}"
    );

    world.say("mona", issue, &format!("/approve {digest}")).await;
    let card = world.card(issue);
    assert!(
        card.contains("team@acme.example") && !card.contains("evil.test"),
        "{card}"
    );
    world.hear(issue);
    world.end().await;
}

#[tokio::test]
async fn quorums_of_both_are_asked_for() {
    let owner = "version: 1\napproval: {quorum: 2}\n";
    let (world, _) = under(owner, "version: 1\napproval: {exclude: [starter]}\n").await;
    let issue = world.issue("Sort the drawers", LIST);
    world.say("bob", issue, "/deliver").await;
    world.hear(issue);
    let digest = world.digest(issue);
    world.say("mona", issue, &format!("/approve {digest}")).await;
    world.hear(issue);
    assert!(world.opened().is_empty(), "one of two has approved");
    world.say("bob", issue, &format!("/approve {digest}")).await;
    world.hear(issue);
    assert!(world.opened().is_empty(), "whoever started it does not count");
    world.say("ada", issue, &format!("/approve {digest}")).await;
    world.hear(issue);
    assert_eq!(world.opened().len(), 1);
    world.end().await;
}

#[tokio::test]
async fn a_push_to_the_owners_file_holds_in_every_repository_at_once() {
    let (world, above) = under("version: 1\n", "version: 1\n").await;
    let issue = world.issue("Sort the drawers", LIST);
    world.say("carol", issue, "/deliver").await;
    world.hear(issue);
    let raised = "version: 1\npermissions: {approve: admin}\n";
    above.as_("ada").set_file(CONFIG_PATH, raised).unwrap();
    world.settle().await;
    let digest = world.digest(issue);
    world.say("mona", issue, &format!("/approve {digest}")).await;
    assert!(world.answer(issue).contains("`/approve` needs the admin role"));
    world.end().await;
}

#[tokio::test]
async fn a_broken_file_of_the_owner_leaves_the_last_good_one_in_force() {
    let (world, above) = under("version: 1\npermissions: {approve: admin}\n", "version: 1\n").await;
    let issue = world.issue("Sort the drawers", LIST);
    world.say("carol", issue, "/deliver").await;
    world.hear(issue);
    above
        .as_("ada")
        .set_file(CONFIG_PATH, "version: 1\npermissions:\n  approve: everybody\n")
        .unwrap();
    world.settle().await;
    let digest = world.digest(issue);
    world.say("mona", issue, &format!("/approve {digest}")).await;
    let heard = world.hear(issue).join("\n");
    assert!(
        heard.contains("`acme/.github/.github/countersign.yml` cannot be used: line 3, column 12:"),
        "{heard}"
    );
    assert!(heard.contains("`/approve` needs the admin role"), "{heard}");
    // The workflow goes on as it was.
    world.say("ada", issue, &format!("/approve {digest}")).await;
    world.hear(issue);
    assert_eq!(world.opened().len(), 1);
    world.end().await;
}

#[tokio::test]
async fn an_owner_whose_repository_the_app_does_not_reach_has_no_level() {
    let world = Setup::new().config("version: 1\n").start().await;
    let above = world.github.add_repo("acme/.github", Visibility::Private);
    above.set_role("ada", Role::Admin);
    above.unselect();
    let raised = "version: 1\npermissions: {approve: admin}\n";
    above.as_("ada").set_file(CONFIG_PATH, raised).unwrap();
    world.settle().await;
    let issue = world.issue("Sort the drawers", LIST);
    world.say("carol", issue, "/deliver").await;
    world.hear(issue);
    let digest = world.digest(issue);
    world.say("bob", issue, &format!("/approve {digest}")).await;
    world.hear(issue);
    assert_eq!(world.opened().len(), 1);
    world.end().await;
}

#[tokio::test]
async fn a_level_that_was_read_is_not_lost_with_the_repository() {
    let (world, above) = under("version: 1\npermissions: {approve: admin}\n", "version: 1\n").await;
    let issue = world.issue("Sort the drawers", LIST);
    world.say("carol", issue, "/deliver").await;
    world.hear(issue);
    above.set_visibility(Visibility::Private);
    above.unselect();
    world.settle().await;
    world.wait(3600).await;
    let digest = world.digest(issue);
    world.say("mona", issue, &format!("/approve {digest}")).await;
    assert!(world.answer(issue).contains("`/approve` needs the admin role"));
    world.end().await;
}

/// A world whose server has a policy, and whose owner has a level of its own.
async fn under_policy(policy: &str, owner: &str, repository: &str) -> (World, tempfile::TempDir) {
    let files = tempfile::tempdir().unwrap();
    let file = files.path().join("policy.yml");
    std::fs::write(&file, policy).unwrap();
    let setup = Setup::new().config(repository);
    let world = setup
        .set("COUNTERSIGN_POLICY_FILE", &file.display().to_string())
        .start()
        .await;
    let above = world.github.add_repo("acme/.github", Visibility::Public);
    above.set_role("ada", Role::Admin);
    above.as_("ada").set_file(CONFIG_PATH, owner).unwrap();
    world.settle().await;
    (world, files)
}

#[tokio::test]
async fn an_owner_asks_for_no_less_than_the_server() {
    let policy = "version: 1\npermissions: {approve: admin}\napproval: {exclude: [starter]}\n\
                  mail: {to: [team@acme.example, boss@acme.example]}\n";
    let owner = "version: 1\npermissions: {approve: maintain}\napproval: {quorum: 1}\nmail: {to: [x@evil.test, team@acme.example]}\n";
    let own = "version: 1\npermissions: {deliver: write}\nmail: {to: [boss@acme.example, team@acme.example]}\n";
    let (world, _files) = under_policy(policy, owner, own).await;
    let issue = world.issue("Sort the drawers", LIST);
    world.settle().await;
    world.say("ada", issue, "/deliver").await;
    world.hear(issue);
    let digest = world.digest(issue);
    world.say("mona", issue, &format!("/approve {digest}")).await;
    let said = world.answer(issue);
    assert!(said.contains("`/approve` needs the admin role"), "{said}");
    // Whoever started it does not count by the server's word.
    world.say("ada", issue, &format!("/approve {digest}")).await;
    world.hear(issue);
    assert!(world.opened().is_empty());

    world.say("mona", issue, "/explain").await;
    let said = world.answer(issue);
    for row in [
        "| `permissions.approve` | `admin` | the server's policy | `maintain` |",
        "| `mail` | `team@acme.example` | the server's policy and `acme/.github` and this repository | `boss@acme.example` |",
        "| `approval` |  | the server's policy and `acme/.github` |",
    ] {
        assert!(said.contains(row), "{row} is not in\n{said}");
    }
    world.end().await;
}

#[tokio::test]
async fn a_quorum_of_the_server_that_nobody_can_meet_is_told_where_it_stands() {
    let policy = "version: 1\napproval:\n  quorum: 2 of @acme/nobody\n";
    let (world, _files) = under_policy(policy, "version: 1\n", "version: 1\n").await;
    let issue = world.issue("Sort the drawers", LIST);
    world.say("bob", issue, "/deliver").await;
    let said = world.answer(issue);
    assert!(said.contains("the server's policy, line 3, column 11:"), "{said}");
    world.end().await;
}
