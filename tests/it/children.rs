//! A workflow with a child for each issue that it opened: they begin, end, fail, are held and cancelled together, and a
//! process that is stopped at any instant starts none twice.

use countersign::sandbox::IssueNumber;
use countersign::workflow::children::ChildStanding;

use crate::bad_input::holds;
use crate::world::{Setup, World};

const TALK: &str = "- [ ] Measure the checkout\n- [ ] Add an index\n- [ ] Write the runbook\n";

const EACH: &str = "
name: each
version: 1
title: Each on its own
phases:
  - {id: extract, title: Tasks, agent: extract, gate: {people: {}}}
  - {id: issues, title: Issues, needs: [extract], executes: extract}
  - id: work
    title: The work
    needs: [issues]
    for_each: {items: issues, definition: one, with: {task: title}, wait: all, max: 5}
";

/// A child that waits for a person's answer.
const ONE: &str = "
name: one
version: 1
title: One of them
inputs: {task: {title: The task, required: true}}
phases:
  - {id: do, title: Doing, prompt: do, schema: document.v1}
prompts:
  do: \"Do {{ schema_name }}: {{ schema }}\"
";

/// A child that is complete as soon as its rules have run.
const AT_ONCE: &str = "
name: one
version: 1
title: One of them
inputs: {task: {title: The task, required: true}}
phases:
  - {id: look, title: Looking, agent: extract}
";

const ANSWER: &str =
    "/respond\n```json\n{\"title\": \"Done\", \"sections\": [{\"heading\": \"What\", \"text\": \"All of it.\"}]}\n```";

fn setup(each: &str, one: &str) -> Setup {
    let (each, one) = (each.to_owned(), one.to_owned());
    Setup::new().github(move |github| {
        github
            .site("https://github.example")
            .file(".github/countersign/each.yml", &each)
            .file(".github/countersign/one.yml", &one)
    })
}

/// The parent's issue and those of its children.
async fn begun(world: &World) -> (IssueNumber, Vec<IssueNumber>) {
    let issue = world.issue("The checkout is slow", TALK);
    world.say("alice", issue, "/run each").await;
    world.hear(issue);
    world.wait(20).await;
    let approve = format!("/approve {}", world.digest(issue));
    world.say("bob", issue, &approve).await;
    world.hear(issue);
    let opened: Vec<IssueNumber> = world.opened().into_iter().map(|issue| issue.number).collect();
    assert_eq!(opened.len(), 3);
    for child in &opened {
        world.hear(*child);
    }
    (issue, opened)
}

#[tokio::test]
async fn of_a_discussion_each_issue_below_the_one_that_tracks_it_is_worked_on() {
    let world = setup(EACH, ONE).start().await;
    let talk = world
        .github
        .as_("alice")
        .start_discussion("The checkout is slow", TALK)
        .unwrap();
    world.say("alice", talk, "/run each").await;
    let approve = format!("/approve {}", world.digest(talk));
    world.say("bob", talk, &approve).await;
    let opened: Vec<IssueNumber> = world.opened().into_iter().map(|issue| issue.number).collect();
    let [tracking, below @ ..] = &opened[..] else {
        unreachable!()
    };
    assert_eq!(world.github.sub_issues(*tracking), below);
    holds(
        &world.card(talk),
        &["0 of 3 children done", &format!("`/status` on #{}", below[0])],
    );
    assert!(world.card_comment(*tracking).is_none());
    for child in below {
        say(&world, "alice", *child, ANSWER).await;
    }
    holds(&world.card(talk), &["### Each on its own · done"]);
    world.hear(talk);
    for child in below {
        world.hear(*child);
    }
    world.end().await;
}

async fn say(world: &World, who: &str, issue: IssueNumber, text: &str) -> String {
    world.say(who, issue, text).await;
    world.hear(issue).join("\n")
}

#[tokio::test]
async fn each_issue_is_worked_on_by_a_child_and_a_child_that_was_cancelled_is_tried_again() {
    let world = setup(EACH, ONE).start().await;
    let (issue, opened) = begun(&world).await;
    let [a, b, c] = opened[..] else { unreachable!() };
    let card = world.card(issue);
    holds(
        &card,
        &[
            "### Each on its own · waiting for its children",
            "0 of 3 children done",
            "Measure the checkout",
            "waits for an answer for do",
            &format!("`/status` on #{a}"),
        ],
    );
    holds(
        &world.card(a),
        &[
            "### One of them · needs a person",
            "A child of workflow `w",
            &format!("on #{issue}"),
        ],
    );
    holds(&say(&world, "alice", a, "/prompt").await, &["Measure the checkout"]);
    say(&world, "alice", a, ANSWER).await;
    holds(&world.card(issue), &["1 of 3 children done"]);

    say(&world, "bob", b, "/cancel Not now").await;
    holds(
        &world.hear(issue).join("\n"),
        &["*The work* failed", "Not every child completed"],
    );
    holds(&world.card(issue), &["**cancelled**: “Not now”", "`/retry` here"]);
    holds(
        &say(&world, "bob", issue, "/skip").await,
        &["waits for all of its children"],
    );

    // Somebody else works there meanwhile.
    say(&world, "alice", b, "/run one task=\"Mine\"").await;
    say(&world, "bob", issue, "/retry").await;
    holds(
        &world.card(issue),
        &["**not started**", "its issue has an open workflow already"],
    );
    say(&world, "alice", b, "/cancel").await;
    world.hear(issue);
    say(&world, "bob", issue, "/retry").await;
    world.hear(b);
    holds(
        &world.card(issue),
        &["waiting for its children", "waits for an answer for do"],
    );
    say(&world, "alice", b, ANSWER).await;

    // A child's issue is closed: that child is held, and its parent shows it.
    world.github.as_("alice").close(c).unwrap();
    world.settle().await;
    world.hear(c);
    holds(&world.card(issue), &["on hold", &format!("`/unhold` on #{c}")]);
    world.github.as_("alice").reopen(c).unwrap();
    say(&world, "alice", c, "/unhold").await;

    say(&world, "bob", issue, "/hold The release is out").await;
    holds(&world.card(c), &["on hold", "its parent was held: The release is out"]);
    let refused = say(&world, "alice", c, "/unhold").await;
    holds(
        &refused,
        &["held because its parent is", &format!("`/unhold` on #{issue}")],
    );
    say(&world, "bob", issue, "/unhold").await;
    assert!(!world.card(c).contains("on hold"), "{}", world.card(c));
    say(&world, "alice", c, ANSWER).await;
    world.hear(issue);
    holds(
        &world.card(issue),
        &["### Each on its own · done", "| The work | done |"],
    );
    world.end().await;
}

#[tokio::test]
async fn a_cancelled_parent_ends_its_children() {
    let world = setup(EACH, ONE).start().await;
    let (issue, opened) = begun(&world).await;
    say(&world, "alice", opened[0], ANSWER).await;
    say(&world, "bob", opened[1], "/hold Mine").await;
    say(&world, "bob", issue, "/cancel Enough").await;
    for child in &opened {
        world.hear(*child);
    }
    world.settle().await;
    let card = world.card(issue);
    holds(
        &card,
        &[
            "**cancelled**: “its parent was cancelled",
            "`/run each` to start a new one",
        ],
    );
    assert!(!card.contains("`/retry`"), "nothing goes on here: {card}");
    holds(&world.card(opened[0]), &["· done"]);
    for child in &opened[1..] {
        holds(
            &world.card(*child),
            &["· cancelled", "its parent was cancelled: Enough"],
        );
    }
    world.settle().await;
    let store = world.house().engine.store();
    let parent = store
        .workflows_of(repository(&world).await, number(issue))
        .await
        .unwrap();
    let children = &parent[0].state.at(&"work".into()).children;
    let over = |child: &countersign::workflow::children::Child| child.standing.is_over();
    assert!(children.values().all(over), "{children:#?}");
    world.end().await;
}

#[tokio::test]
async fn a_parent_that_goes_on_with_those_that_are_done() {
    let done = EACH.replace("wait: all", "wait: done");
    let world = setup(&done, ONE).start().await;
    let (issue, opened) = begun(&world).await;
    say(&world, "alice", opened[0], ANSWER).await;
    say(&world, "bob", opened[1], "/cancel").await;
    world.hear(issue);
    holds(&world.card(issue), &["waiting for its children", "/skip"]);
    say(&world, "bob", issue, "/skip The runbook can wait").await;
    world.hear(issue);
    holds(
        &world.card(issue),
        &[
            "· done",
            "went on with the children of The work that are done: “The runbook can wait”",
        ],
    );
    // What is not waited for any more goes on by itself, and its parent still records how it ends.
    say(&world, "alice", opened[2], ANSWER).await;
    let store = world.house().engine.store();
    let parent = store
        .workflows_of(repository(&world).await, number(issue))
        .await
        .unwrap();
    let children = parent[0].state.at(&"work".into()).children.values();
    let completed = children.filter(|child| child.standing == ChildStanding::Completed);
    assert_eq!(completed.count(), 2);
    world.end().await;
}

#[tokio::test]
async fn children_that_cannot_be_are_named_with_their_place() {
    for (from, to, expected) in [
        ("definition: one", "definition: two", "there is no definition two"),
        (", with: {task: title}", "", "one needs the input task (The task)"),
        (", max: 5", "", "max"),
        (
            "definition: one",
            "definition: each",
            "a definition cannot be a child of itself",
        ),
    ] {
        let world = setup(&EACH.replace(from, to), ONE).start().await;
        let issue = world.issue("Slow", TALK);
        let said = say(&world, "alice", issue, "/run each").await;
        holds(
            &said,
            &["`.github/countersign/each.yml` cannot be used", "line 11", expected],
        );
        world.end().await;
    }
}

async fn repository(world: &World) -> countersign::workflow::ids::RepositoryId {
    let all = world.house().engine.store().workflow_ids().await.unwrap();
    let first = world.house().engine.store().workflow(&all[0]).await.unwrap().unwrap();
    first.state.subject.repository
}

fn number(issue: IssueNumber) -> countersign::workflow::ids::IssueNumber {
    countersign::workflow::ids::IssueNumber(issue.0)
}

/// A parent one of whose children was cancelled and tried again, held and let go on, and completed: for the histories.
pub async fn played() -> World {
    let world = setup(EACH, ONE).start().await;
    let (issue, opened) = begun(&world).await;
    say(&world, "alice", opened[0], ANSWER).await;
    say(&world, "bob", opened[1], "/cancel Not now").await;
    say(&world, "bob", issue, "/retry").await;
    say(&world, "bob", issue, "/hold The release is out").await;
    say(&world, "bob", issue, "/unhold").await;
    for child in &opened[1..] {
        say(&world, "alice", *child, ANSWER).await;
    }
    world
}

/// The whole, with the process stopped once after so many commits; how many commits it took, and what is there then.
async fn told(stop_after: Option<u64>) -> (u64, Vec<String>) {
    let mut world = setup(EACH, AT_ONCE).start().await;
    let issue = world.issue("The checkout is slow", TALK);
    world.say("alice", issue, "/run each").await;
    world.wait(20).await;
    world.clock.advance(chrono::TimeDelta::seconds(1));
    let approve = format!("/approve {}", world.digest(issue));
    world.github.as_("bob").comment(issue, &approve).unwrap();
    let store = world.house().engine.store().clone();
    let before = store.commits();
    if let Some(after) = stop_after {
        store.stop_after(before + after);
    }
    if world.settle_unless_stopped().await.is_err() {
        drop(store);
        world.restart().await;
        world.sweep().await;
        world.settle().await;
        world.wait(200).await;
    }
    let commits = world.house().engine.store().commits().saturating_sub(before);
    let all = world.house().engine.store().list_workflows(false, 100).await.unwrap();
    let mut found: Vec<String> = all
        .into_iter()
        .map(|workflow| format!("{} on #{}: {}", workflow.definition, workflow.subject, workflow.status))
        .collect();
    for child in world.opened() {
        let comments = world.github.comments(child.number);
        let cards = comments
            .iter()
            .filter(|comment| comment.body.starts_with("### "))
            .count();
        found.push(format!("#{} has {cards} cards", child.number));
    }
    found.sort();
    world.close().await;
    (commits, found)
}

/// Every `of`-th point at which a process can be stopped, beginning with the `first`.
async fn sweep(first: u64, of: usize) {
    let (commits, expected) = told(None).await;
    assert_eq!(expected.len(), 7, "{expected:#?}");
    for after in (first..commits).step_by(of) {
        let (_, found) = told(Some(after)).await;
        assert_eq!(found, expected, "stopped after commit {after} of {commits}");
    }
}

/// The sweep is cut into so many tests, which run beside each other.
const PARTS: usize = 8;

macro_rules! sweeps {
    ($($name:ident: $first:literal),+ $(,)?) => {
        $(#[tokio::test]
        async fn $name() {
            sweep($first, PARTS).await;
        })+
    };
}

sweeps! {
    stopped_after_commits_1_9_and_so_on_the_same_children_are_there_once: 1,
    stopped_after_commits_2_10_and_so_on_the_same_children_are_there_once: 2,
    stopped_after_commits_3_11_and_so_on_the_same_children_are_there_once: 3,
    stopped_after_commits_4_12_and_so_on_the_same_children_are_there_once: 4,
    stopped_after_commits_5_13_and_so_on_the_same_children_are_there_once: 5,
    stopped_after_commits_6_14_and_so_on_the_same_children_are_there_once: 6,
    stopped_after_commits_7_15_and_so_on_the_same_children_are_there_once: 7,
    stopped_after_commits_8_16_and_so_on_the_same_children_are_there_once: 8,
}
