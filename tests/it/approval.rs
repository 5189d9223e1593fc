//! Gates of people that ask for more than one of them: the repository's setting, through the front door.

use countersign::sandbox::{Access, FaultKind, FaultRule, IssueNumber, Role, Tick};

use crate::world::{Setup, World};

const TASKS: &str = "- [ ] Measure the checkout\n- [ ] Add an index\n";

const TWO_OF_SECURITY: &str = "version: 1\napproval:\n  quorum: 2\n  of: [\"@acme/security\"]\n  exclude: [steerers]\n";

/// Bob, Mona and Ada are of the team; Alice may write and is not.
fn setup(config: &str) -> Setup {
    Setup::new()
        .github(|github| github.team("acme/security", &["bob", "mona", "ada"]))
        .config(config)
}

/// At the gate of the tasks, ten seconds ago.
async fn at_the_gate(world: &World) -> IssueNumber {
    let issue = world.issue("Orders get lost", TASKS);
    world.say("alice", issue, "/deliver").await;
    let call = world.answer(issue);
    assert!(call.contains("waits for you"), "{call}");
    world.wait(20).await;
    issue
}

async fn votes(world: &World, who: &str, issue: IssueNumber) -> Vec<String> {
    let command = format!("/approve {}", world.digest(issue));
    let said = world.say(who, issue, &command).await;
    world.reactions(said)
}

#[track_caller]
fn says(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "“{word}” is missing in:\n{text}");
    }
}

/// Until GitHub is healed it asks to wait before any label is made, which is the first act of an approval.
fn nothing_leaves(world: &World) {
    let wait = FaultKind::TooManyRequests { retry_after: Some(600) };
    let leaves =
        |method: &str, path: &str| method == "POST" && (path.ends_with("/issues") || path.ends_with("shop/labels"));
    world.github.fault(FaultRule::when(leaves, wait));
}

#[tokio::test]
async fn two_of_a_team_open_the_gate_and_one_does_not() {
    let world = setup(TWO_OF_SECURITY).start().await;
    let issue = at_the_gate(&world).await;
    says(
        &world.card(issue),
        &["2 approvals of `@acme/security`", "steered this draft"],
    );
    assert_eq!(votes(&world, "bob", issue).await, ["eyes", "rocket"]);
    let answer = world.answer(issue);
    says(&answer, &["1 of 2", "one more of `@acme/security`", "/unapprove"]);
    says(
        &world.card(issue),
        &["1 of 2 approvals: `bob`", "waiting for approval", "/approve "],
    );
    assert!(world.opened().is_empty());
    // The same person again, and somebody who is not of the team.
    assert_eq!(votes(&world, "bob", issue).await, ["-1", "eyes"]);
    says(&world.answer(issue), &["You approved this already", "1 of 2"]);
    assert_eq!(votes(&world, "alice", issue).await, ["-1", "eyes"]);
    says(
        &world.answer(issue),
        &["does not count here", "@acme/security", "not one of them"],
    );
    assert_eq!(votes(&world, "mona", issue).await, ["eyes", "rocket"]);
    assert_eq!(world.opened().len(), 2);
    world.hear(issue);
    world.end().await;
}

#[tokio::test]
async fn those_of_the_team_are_called_and_who_shows_the_tree() {
    let world = setup(TWO_OF_SECURITY).start().await;
    let issue = world.issue("Orders get lost", TASKS);
    world.say("alice", issue, "/deliver").await;
    let call = world.answer(issue);
    says(&call, &["@bob", "@mona", "@ada", "waits for you"]);
    assert!(!call.contains("@alice"), "{call}");
    world.wait(20).await;
    votes(&world, "bob", issue).await;
    world.answer(issue);
    world.say("rita", issue, "/who").await;
    let who = world.answer(issue);
    says(
        &who,
        &[
            "2 approvals of `@acme/security`: 1 of 2",
            "`bob`: counts",
            "`ada`",
            "`mona`",
        ],
    );
    world.github.set_team("acme/security", &["mona", "ada"]);
    world.say("rita", issue, "/explain").await;
    let explained = world.answer(issue);
    says(
        &explained,
        &["0 of 2", "`bob`: does not count", "none of those whose approval counts"],
    );
    world.end().await;
}

#[tokio::test]
async fn whoever_steered_the_draft_does_not_count() {
    let world = setup(TWO_OF_SECURITY).start().await;
    let issue = at_the_gate(&world).await;
    votes(&world, "bob", issue).await;
    world.answer(issue);
    // An edit voids Bob's approval, and Mona, who made it, does not count any more.
    world.say("mona", issue, "/edit t1 est=S").await;
    world.wait(20).await;
    assert!(!world.card(issue).contains("1 of 2 approvals"));
    assert_eq!(votes(&world, "mona", issue).await, ["-1", "eyes"]);
    says(
        &world.answer(issue),
        &["You steered this draft, so your approval does not count here."],
    );
    votes(&world, "ada", issue).await;
    says(&world.answer(issue), &["1 of 2"]);
    votes(&world, "bob", issue).await;
    assert_eq!(world.opened().len(), 2);
    world.hear(issue);
    world.end().await;
}

#[tokio::test]
async fn a_tick_steers_too() {
    let world = setup("version: 1\napproval: {exclude: [steerers, starter]}\n")
        .start()
        .await;
    let issue = at_the_gate(&world).await;
    world.clock.advance(chrono::TimeDelta::seconds(1));
    let card = world.card_comment(issue).unwrap().id;
    world.github.as_("bob").tick(card, "**t2**", Tick::Off).unwrap();
    world.settle().await;
    world.wait(20).await;
    votes(&world, "bob", issue).await;
    says(&world.answer(issue), &["You steered this draft"]);
    votes(&world, "alice", issue).await;
    says(&world.answer(issue), &["You started this workflow"]);
    votes(&world, "mona", issue).await;
    assert_eq!(world.opened().len(), 1);
    world.hear(issue);
    world.end().await;
}

#[tokio::test]
async fn an_approval_is_taken_back_before_the_gate_opens_and_after() {
    let world = setup(TWO_OF_SECURITY).start().await;
    let issue = at_the_gate(&world).await;
    nothing_leaves(&world);
    votes(&world, "bob", issue).await;
    world.answer(issue);
    let asked = world.say("bob", issue, "/unapprove").await;
    assert_eq!(world.reactions(asked), ["eyes", "rocket"]);
    says(&world.card(issue), &["waiting for approval"]);
    assert!(!world.card(issue).contains("1 of 2 approvals"));
    votes(&world, "bob", issue).await;
    world.answer(issue);
    votes(&world, "mona", issue).await;
    let asked = world.say("bob", issue, "/unapprove").await;
    assert_eq!(world.reactions(asked), ["eyes", "rocket"]);
    says(&world.card(issue), &["1 of 2 approvals: `mona`"]);
    world.github.heal();
    world.wait(3600).await;
    assert!(world.opened().is_empty());
    world.hear(issue);
    world.end().await;
}

#[tokio::test]
async fn whoever_leaves_the_team_before_the_acts_has_approved_nothing() {
    let world = setup(TWO_OF_SECURITY).start().await;
    let issue = at_the_gate(&world).await;
    nothing_leaves(&world);
    votes(&world, "bob", issue).await;
    world.answer(issue);
    votes(&world, "mona", issue).await;
    world.github.set_team("acme/security", &["mona", "ada"]);
    world.github.heal();
    world.wait(3600).await;
    let said = world.hear(issue).join("\n");
    says(
        &said,
        &["no longer counts", "bob", "none of those whose approval counts"],
    );
    assert!(world.opened().is_empty());
    // All of it is to be approved again, by people whose approval counts now.
    votes(&world, "ada", issue).await;
    says(&world.answer(issue), &["1 of 2"]);
    votes(&world, "mona", issue).await;
    assert_eq!(world.opened().len(), 2);
    world.hear(issue);
    world.end().await;
}

#[tokio::test]
async fn a_team_that_github_does_not_tell_of_is_neither_yes_nor_no() {
    let world = setup(TWO_OF_SECURITY).start().await;
    let issue = at_the_gate(&world).await;
    let teams = FaultRule::on("GET", "/orgs/acme/teams", FaultKind::Status(500));
    world.github.fault(teams);
    let command = format!("/approve {}", world.digest(issue));
    let said = world.say("bob", issue, &command).await;
    says(&world.answer(issue), &["I could not check", "neither yes nor no"]);
    assert_eq!(world.reactions(said), ["eyes"]);
    world.github.heal();
    for _ in 0..5 {
        world.wait(70).await;
    }
    assert_eq!(world.reactions(said), ["eyes", "rocket"]);
    says(&world.answer(issue), &["1 of 2"]);
    // And so it is right before an act.
    nothing_leaves(&world);
    votes(&world, "mona", issue).await;
    world.github.heal();
    world
        .github
        .fault(FaultRule::on("GET", "/orgs/acme/teams", FaultKind::Refuse));
    world.wait(1200).await;
    assert!(world.opened().is_empty());
    let card = world.card(issue);
    assert!(!card.contains("waiting for approval"), "{card}");
    world.github.heal();
    world.wait(7200).await;
    assert_eq!(world.opened().len(), 2);
    world.hear(issue);
    world.end().await;
}

#[tokio::test]
async fn what_nobody_could_ever_approve_does_not_start() {
    for (config, expected) in [
        (
            "version: 1\napproval:\n  quorum: 4\n  of: [\"@acme/security\"]\n",
            ["line 3, column 11", "a quorum of 4 cannot be met", "3 people"],
        ),
        (
            "version: 1\napproval:\n  quorum: 1 of @acme/nobody\n",
            ["line 3, column 11", "no team", "acme/nobody"],
        ),
    ] {
        let world = setup(config).start().await;
        let issue = world.issue("Orders get lost", TASKS);
        let asked = world.say("alice", issue, "/deliver").await;
        says(&world.answer(issue), &expected);
        assert_eq!(world.reactions(asked), ["-1", "eyes"]);
        world.end().await;
    }
}

#[tokio::test]
async fn without_the_permission_to_read_members_it_is_named() {
    let world = setup(TWO_OF_SECURITY)
        .github(|github| {
            github.app_permissions(&[
                ("metadata", Access::Read),
                ("contents", Access::Read),
                ("issues", Access::Write),
                ("pull_requests", Access::Write),
            ])
        })
        .start()
        .await;
    let issue = world.issue("Orders get lost", TASKS);
    world.say("alice", issue, "/deliver").await;
    says(&world.answer(issue), &["members=read", "/deliver"]);
    world.end().await;
}

#[tokio::test]
async fn a_workflow_keeps_the_gate_that_it_started_with() {
    let world = setup(TWO_OF_SECURITY).start().await;
    let issue = at_the_gate(&world).await;
    let without = "version: 1\n";
    world
        .github
        .as_("alice")
        .set_file(crate::world::CONFIG_PATH, without)
        .unwrap();
    world.settle().await;
    votes(&world, "bob", issue).await;
    says(&world.answer(issue), &["1 of 2"]);
    assert!(world.opened().is_empty());
    world.end().await;
}

#[tokio::test]
async fn the_label_votes_like_the_command_and_says_what_is_missing() {
    let world = setup(TWO_OF_SECURITY).start().await;
    let issue = at_the_gate(&world).await;
    world.label("bob", issue, "countersign:approve").await;
    says(&world.answer(issue), &["1 of 2"]);
    world.github.set_role("bob", Role::Triage);
    world.label("mona", issue, "countersign:approve").await;
    // Bob may not approve any more, so Mona's is the only one that counts.
    says(&world.answer(issue), &["1 of 2"]);
    assert!(world.opened().is_empty());
    votes(&world, "ada", issue).await;
    assert_eq!(world.opened().len(), 2);
    world.hear(issue);
    world.end().await;
}

#[tokio::test]
async fn a_gate_that_nobody_can_open_says_so_and_what_ends_that() {
    let world = setup("version: 1\napproval: {exclude: [starter]}\n").start().await;
    for login in ["alice", "bob", "mona"] {
        world.github.set_role(login, Role::Triage);
    }
    let issue = world.issue("Orders get lost", TASKS);
    world.say("ada", issue, "/deliver").await;
    let stuck = "**Nobody can open this gate as things are**: it needs one approval, and there is nobody with write \
                 access whose approval would count. `ada` started this workflow, so that approval does not count. It \
                 opens once one more person has write access, which `ada` can give. Or somebody ends it with `/cancel …` \
                 and starts it anew as somebody else.";
    says(&world.answer(issue), &["@ada: *Tasks* waits for you", stuck]);
    says(&world.card(issue), &[stuck]);
    world.wait(20).await;
    world.say("rita", issue, "/who").await;
    let who = world.answer(issue);
    says(&who, &[stuck]);
    assert!(!who.contains("I could not find out"), "{who}");
    world.say("rita", issue, "/status").await;
    let status = world.answer(issue);
    says(&status, &[stuck, "`/cancel …`"]);
    assert!(!status.contains("/approve"), "{status}");
    votes(&world, "ada", issue).await;
    says(&world.answer(issue), &["You started this workflow", stuck]);
    // It ends as was said.
    world.github.set_role("bob", Role::Write);
    world.say("rita", issue, "/who").await;
    says(&world.answer(issue), &["Who can decide now: `bob`."]);
    votes(&world, "bob", issue).await;
    assert_eq!(world.opened().len(), 2);
    world.hear(issue);
    world.end().await;
}

#[tokio::test]
async fn too_few_for_a_quorum_is_said_as_soon_as_it_is_known() {
    let world = setup("version: 1\napproval: {quorum: 2, exclude: [starter]}\n")
        .start()
        .await;
    for login in ["mona", "ada"] {
        world.github.set_role(login, Role::Read);
    }
    let issue = world.issue("Orders get lost", TASKS);
    world.say("alice", issue, "/deliver").await;
    let stuck = "it needs 2 approvals, and only that of `bob` would count.";
    says(&world.answer(issue), &["@bob: ", stuck]);
    world.wait(20).await;
    votes(&world, "bob", issue).await;
    says(
        &world.answer(issue),
        &["Your approval counts.", "1 of 2; one more.", stuck],
    );
    says(&world.card(issue), &["1 of 2 approvals: `bob`.", stuck]);
    world.end().await;
}

#[tokio::test]
async fn refusals_name_those_who_can_and_nobody_else() {
    let world =
        setup("version: 1\napproval: {quorum: 2, of: ['@alice', '@bob', '@mona', '@ada'], exclude: [starter]}\n")
            .start()
            .await;
    let issue = at_the_gate(&world).await;
    let command = format!("/approve {}", world.digest(issue));
    world.say("carol", issue, &command).await;
    says(&world.answer(issue), &["Who can: `bob`, `mona` and `ada`."]);
    votes(&world, "alice", issue).await;
    says(
        &world.answer(issue),
        &["You started this workflow, so your approval does not count here. Who can: `bob`, `mona` and `ada`."],
    );
    votes(&world, "bob", issue).await;
    says(
        &world.answer(issue),
        &["1 of 2; one more of `mona` or `ada`. Who can: `mona` and `ada`."],
    );
    votes(&world, "bob", issue).await;
    says(
        &world.answer(issue),
        &["You approved this already. Still missing: 1 of 2; one more of `mona` or `ada`. Who can: `mona` and `ada`."],
    );
    world.say("rita", issue, "/who").await;
    says(
        &world.answer(issue),
        &[
            "Who can decide now: `mona` and `ada`. `alice` started this workflow, so that approval does not count.",
            "`bob`: counts",
        ],
    );
    world.say("rita", issue, "/status").await;
    says(&world.answer(issue), &["1 of 2 approvals: `bob`."]);
    world.end().await;
}

#[tokio::test]
async fn a_card_counts_only_what_the_gate_counts() {
    let world = setup("version: 1\napproval: {quorum: 2}\n").start().await;
    let issue = at_the_gate(&world).await;
    votes(&world, "bob", issue).await;
    world.answer(issue);
    world.github.set_role("bob", Role::Triage);
    votes(&world, "ada", issue).await;
    says(&world.answer(issue), &["1 of 2"]);
    says(
        &world.card(issue),
        &["1 of 2 approvals: `ada`. `bob` no longer has write access, so that approval does not count."],
    );
    votes(&world, "mona", issue).await;
    assert_eq!(world.opened().len(), 2);
    says(&world.card(issue), &["approved by `ada` and `mona`"]);
    world.hear(issue);
    world.end().await;
}

#[tokio::test]
async fn words_that_say_otherwise_approve_nothing() {
    let world = setup("version: 1\n").start().await;
    let issue = at_the_gate(&world).await;
    let shown = world.digest(issue);
    for words in ["not yet", "no, wait", "later", "#1", &shown[..4], "looks good"] {
        let said = world.say("bob", issue, &format!("/approve {words}")).await;
        assert_eq!(world.reactions(said), ["-1", "eyes"], "{words}");
        let answer = world.answer(issue);
        assert!(
            answer.contains("Nothing was approved") || answer.contains("12 to 64 hex digits"),
            "{answer}"
        );
    }
    assert!(world.opened().is_empty());
    world.say("bob", issue, "/approve because it is right").await;
    assert_eq!(world.opened().len(), 2);
    says(&world.card(issue), &["“because it is right”"]);
    world.hear(issue);
    world.end().await;
}

#[tokio::test]
async fn the_record_says_by_which_surface_everything_was_said() {
    let world = setup("version: 1\napproval: {quorum: 2}\n").start().await;
    let issue = at_the_gate(&world).await;
    let card = world.card_comment(issue).unwrap().id;
    world.clock.advance(chrono::TimeDelta::seconds(1));
    world.github.as_("bob").tick(card, "**t2**", Tick::Off).unwrap();
    world.settle().await;
    world.wait(20).await;
    votes(&world, "bob", issue).await;
    world.answer(issue);
    for said in [
        "/unapprove",
        "/edit t1 est=S",
        "/hold",
        "/unhold",
        "/reject no",
        "/cancel",
    ] {
        world.say("bob", issue, said).await;
    }
    world.hear(issue);
    let card = world.card(issue);
    says(
        &card,
        &["| box on this card |", "took back the approval of Tasks | [comment]"],
    );
    let record = card.split("#### Record").nth(1).unwrap();
    for line in record.lines().filter(|line| line.contains("| `bob` |")) {
        assert!(!line.ends_with("|  |"), "{line}");
    }
    world.end().await;
}
