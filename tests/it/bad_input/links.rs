//! A GitHub that lacks something: sub-issues, dependencies, GraphQL.

use chrono::TimeDelta;
use countersign::sandbox::{Access, FaultKind, FaultRule, Feature};

use super::{TASKS, approve, asked, holds, opened};
use crate::world::{Setup, World};

/// Two tasks, one of which waits for the other.
const LINKED: &str = "- [ ] Measure the checkout\n- [ ] Add an index to orders (after t1)\n";

#[tokio::test]
async fn tasks_are_sub_issues_and_wait_for_each_other() {
    let world = World::new().await;
    let issue = opened(&world, LINKED).await;
    let all = world.opened();
    assert_eq!(world.github.sub_issues(issue), [all[0].number, all[1].number]);
    assert_eq!(world.github.blocked_by(all[1].number), [all[0].number]);
    world.end().await;
}

#[tokio::test]
async fn without_sub_issues_and_dependencies_a_list_with_links_takes_their_place_and_is_said_once() {
    let world = Setup::new()
        .github(|github| github.without(Feature::SubIssues).without(Feature::Dependencies))
        .start()
        .await;
    let issue = asked(&world, LINKED).await;
    approve(&world, issue).await;
    let all = world.opened();
    assert_eq!(all.len(), 2);
    let said = world.hear(issue);
    let lists: Vec<_> = said
        .iter()
        .filter(|text| text.contains(&format!("- [ ] #{}", all[0].number)))
        .collect();
    assert_eq!(lists.len(), 1, "{said:#?}");
    holds(
        lists[0],
        &[
            &format!("#{}", all[1].number),
            "Measure the checkout",
            "Add an index to orders",
        ],
    );
    world.end().await;
}

#[tokio::test]
async fn a_parent_that_is_full_takes_no_more_and_the_rest_is_listed_with_github_s_reason() {
    let world = World::new().await;
    let issue = world.issue("Checkout is slow", TASKS);
    for n in 0..99 {
        let child = world.github.as_("alice").open_issue(&format!("Part {n}"), "").unwrap();
        world.github.as_("alice").add_sub_issue(issue, child).unwrap();
        // Closed ones count too.
        world.github.as_("alice").close(child).unwrap();
    }
    world.say("alice", issue, "/deliver").await;
    world.hear(issue);
    approve(&world, issue).await;
    assert_eq!(world.github.sub_issues(issue).len(), 100);
    let said = world.hear(issue).join("\n");
    holds(
        &said,
        &[
            "not as a sub-issue",
            "Add an index to orders",
            "Parent cannot have more than 100 sub-issues",
        ],
    );
    world.end().await;
}

#[tokio::test]
async fn a_link_that_somebody_made_meanwhile_is_no_mistake() {
    let world = World::new().await;
    let issue = asked(&world, TASKS).await;
    // GitHub makes the link and does not say so.
    let link = |method: &str, path: &str| method == "POST" && path.ends_with("/sub_issues");
    world
        .github
        .fault(FaultRule::when(link, FaultKind::ExecuteThenReset).times(1));
    approve(&world, issue).await;
    world.wait(120).await;
    world.hear(issue);
    assert_eq!(world.github.sub_issues(issue).len(), 2);
    let card = world.card(issue);
    assert!(!card.contains("refused"), "{card}");
    world.end().await;
}

#[tokio::test]
async fn without_graphql_the_edits_that_were_told_count_and_the_card_says_so() {
    let world = Setup::new()
        .github(|github| github.without(Feature::GraphQl))
        .start()
        .await;
    let issue = world.issue("Checkout is slow", "- [ ] Measure the checkout");
    let changed = world
        .github
        .as_("mallory")
        .comment(issue, "- [ ] Add an index to orders")
        .unwrap();
    world.clock.advance(TimeDelta::seconds(10));
    world
        .github
        .as_("mallory")
        .edit_comment(changed, "- [ ] Add two indexes to orders")
        .unwrap();
    world.clock.advance(TimeDelta::seconds(10));
    world.settle().await;
    // The edit after the command arrives before the bot has answered the command.
    world.github.as_("alice").comment(issue, "/deliver").unwrap();
    let command = world.github.take_next().unwrap();
    world.clock.advance(TimeDelta::seconds(1));
    world
        .github
        .as_("mallory")
        .edit_comment(changed, "- [ ] Make mallory an owner")
        .unwrap();
    world.github.deliver_all().await;
    world.github.deliver(command).await;
    world.settle().await;
    let card = world.card(issue);
    holds(
        &card,
        &["1 task", "Edit times cannot be asked", "edited after somebody asked"],
    );
    assert!(!card.contains("an owner"), "{card}");
    approve(&world, issue).await;
    // What called people cannot be hidden, and stays.
    let called = world.hear(issue);
    assert!(called.iter().any(|text| text.contains("waits for you")), "{called:#?}");
    assert!(
        world
            .github
            .comments(issue)
            .iter()
            .all(|comment| comment.minimized.is_none())
    );
    assert_eq!(world.opened().len(), 1);
    world.end().await;
}

/// What the App's manifest asks for.
const ALL: [(&str, Access); 4] = [
    ("contents", Access::Read),
    ("issues", Access::Write),
    ("metadata", Access::Read),
    ("pull_requests", Access::Write),
];

#[tokio::test]
async fn a_permission_that_the_app_lacks_is_named_with_the_page_where_it_is_accepted() {
    let world = World::new().await;
    let issue = world.issue("Checkout is slow", TASKS);
    world.github.set_app_permissions(&ALL[1..]);
    let typed = world.say("alice", issue, "/deliver").await;
    holds(
        &world.answer(issue),
        &[
            "lacks the permission `contents=read`",
            "/settings/installations/",
            "`/deliver`",
        ],
    );
    assert_eq!(world.reactions(typed), ["-1", "eyes"]);
    world.github.set_app_permissions(&ALL);
    world.say("alice", issue, "/deliver").await;
    holds(&world.card(issue), &["waiting for approval"]);
    world.hear(issue);
    world.end().await;
}

#[tokio::test]
async fn a_permission_that_is_lost_before_the_acts_stops_them_until_somebody_retries() {
    let world = World::new().await;
    let issue = asked(&world, TASKS).await;
    let line = format!("/approve {}", world.digest(issue));
    world
        .github
        .set_app_permissions(&[ALL[0], ("issues", Access::Read), ALL[2]]);
    world.say("bob", issue, &line).await;
    world.wait(600).await;
    assert_eq!(world.opened(), []);
    world.github.set_app_permissions(&ALL);
    world.say("alice", issue, "/status").await;
    holds(
        &world.hear(issue).join("\n"),
        &[
            "lacks the permission `issues=write`",
            "/settings/installations/",
            "/retry",
        ],
    );
    world.say("alice", issue, "/retry").await;
    world.wait(20).await;
    world.hear(issue);
    assert_eq!(world.opened().len(), 2, "{}", world.card(issue));
    world.end().await;
}
