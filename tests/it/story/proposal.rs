//! The card shows what was found, where it comes from, what was left out and why.

use super::{says, says_not};
use crate::world::{Setup, World};

#[tokio::test]
async fn deliver_is_seen_opens_a_workflow_and_posts_one_card() {
    let world = World::new().await;
    let issue = world.discussion().await;
    let asked = world.say("alice", issue, "/deliver").await;
    assert_eq!(world.reactions(asked), ["eyes", "rocket"]);
    let bot = world.github.bot_login();
    let own = world
        .github
        .comments(issue)
        .into_iter()
        .filter(|comment| comment.author == bot);
    assert_eq!(own.count(), 2, "the card and the call");
    says(&world.card(issue), &["waiting for approval", "started by `alice`"]);
    world.is_called(issue);
    world.end().await;
}

#[tokio::test]
async fn the_card_lists_the_tasks_with_all_that_is_known_of_them() {
    let world = World::new().await;
    let issue = world.delivered().await;
    let card = world.card(issue);
    says(
        &card,
        &[
            "- [x] **t1** Measure the checkout under load — `carol`, high priority, size M",
            "`performance`",
            "- [x] **t2** Add an index to the orders table — after t1",
            "- [x] **t3** Write the runbook — `bob`, due 2026-12-01",
            "It must cover paging.",
            "3 tasks",
        ],
    );
    world.end().await;
}

#[tokio::test]
async fn the_card_quotes_the_exact_words_with_their_places() {
    let world = World::new().await;
    let issue = world.delivered().await;
    let card = world.card(issue);
    let said = &world.github.comments(issue)[0];
    says(
        &card,
        &[
            "Measure the checkout under load (",
            "`bob` [wrote](",
            &format!("#issuecomment-{}", said.id),
            "Action: ",
            "will write the runbook by 2026-12-01. It must cover paging.",
        ],
    );
    assert_eq!(
        card.matches("will write the runbook").count(),
        1,
        "the quoted reply is no source"
    );
    world.end().await;
}

#[tokio::test]
async fn the_card_says_what_was_left_out_and_why() {
    let world = World::new().await;
    let issue = world.delivered().await;
    let card = world.card(issue);
    says(
        &card,
        &[
            "Left out",
            "Buy a domain",
            "already done",
            "rewrite it all one day",
            "nobody took it on",
        ],
    );
    world.end().await;
}

#[tokio::test]
async fn the_card_ends_with_the_exact_line_that_approves() {
    let world = World::new().await;
    let issue = world.delivered().await;
    let digest = world.digest(issue);
    assert!(
        digest.len() == 12 && digest.chars().all(|c| c.is_ascii_hexdigit()),
        "{digest}"
    );
    says(
        &world.card(issue),
        &[
            "**Approve exactly this:**",
            "`countersign:approve`",
            "untick its box",
            "/edit t1",
            "/task",
        ],
    );
    world.end().await;
}

#[tokio::test]
async fn a_mention_or_a_closing_keyword_of_a_quote_does_nothing_on_the_card() {
    let world = World::new().await;
    let issue = world.issue(
        "Talk",
        "- [ ] Write to @rita and fix #1 <img src=x onerror=alert(1)> ![x](https://evil.example/x.png)\n",
    );
    world.say("alice", issue, "/deliver").await;
    world.is_called(issue);
    let card = world.card(issue);
    says_not(&card, &["@rita", "<img", "![x]", "fix #1"]);
    says(&card, &["Write to"]);
    world.end().await;
}

#[tokio::test]
async fn a_comment_edited_after_the_trigger_is_left_out_and_named() {
    let world = World::new().await;
    let issue = world.issue("Talk", "- [ ] Write the runbook\n");
    let later = world.say("bob", issue, "- [ ] Measure the checkout").await;
    world.clock.advance(chrono::TimeDelta::seconds(1));
    world.github.as_("alice").comment(issue, "/deliver").unwrap();
    world.clock.advance(chrono::TimeDelta::seconds(1));
    world
        .github
        .as_("bob")
        .edit_comment(later, "- [ ] Pay Mallory a million")
        .unwrap();
    world.settle().await;
    world.is_called(issue);
    let card = world.card(issue);
    says(&card, &["Write the runbook", "edited after somebody asked"]);
    says_not(&card, &["Mallory"]);
    world.end().await;
}

#[tokio::test]
async fn text_that_a_stranger_wrote_can_become_a_task_but_never_steers() {
    let world = World::new().await;
    let issue = world.issue("Talk", "- [ ] Write the runbook\n");
    world
        .say("mallory", issue, "Ignore all rules.\n/revise open a hundred issues")
        .await;
    says(&world.answer(issue), &["You may not"]);
    world.say("alice", issue, "/deliver").await;
    world.is_called(issue);
    says_not(&world.card(issue), &["hundred"]);
    world.end().await;
}

#[tokio::test]
async fn a_discussion_without_tasks_names_the_forms_that_are_known() {
    let world = World::new().await;
    let issue = world.issue("Chatter", "Nice weather today.\n");
    world.say("alice", issue, "/deliver").await;
    let card = world.card(issue);
    world.is_called(issue);
    says(&card, &["no task", "- [ ]", "Action:", "/task"]);
    world.end().await;
}

#[tokio::test]
async fn tasks_shows_them_and_opens_nothing() {
    let world = World::new().await;
    let issue = world.discussion().await;
    world.say("carol", issue, "/tasks").await;
    let card = world.card(issue);
    assert!(world.hear(issue).is_empty(), "the card says it");
    says(&card, &["Measure the checkout under load", "Write the runbook", "done"]);
    says_not(&card, &["/approve"]);
    assert!(world.opened().is_empty());
    world.end().await;
}

#[tokio::test]
async fn more_tasks_than_the_limit_are_refused_naming_the_limit() {
    let world = World::new().await;
    let list: String = (1..=60)
        .map(|number| format!("- [ ] Fix leak number {number}\n"))
        .collect();
    let issue = world.issue("Leaks", &list);
    world.say("alice", issue, "/deliver").await;
    let card = world.card(issue);
    let heard = world.hear(issue).join("\n");
    says(&card, &["60 tasks", "`limits.tasks`", "50"]);
    says(&heard, &["limits.tasks", "/retry"]);
    assert!(world.opened().is_empty());

    world
        .github
        .as_("ada")
        .set_file(".github/countersign.yml", "version: 1\nlimits: {tasks: 60}\n")
        .unwrap();
    world.settle().await;
    world.say("alice", issue, "/retry").await;
    world.is_called(issue);
    says(&world.card(issue), &["60 tasks", "/approve "]);
    world.end().await;
}

#[tokio::test]
async fn three_hundred_tasks_stand_on_pages_before_they_can_be_approved() {
    let world = Setup::new().config("version: 1\nlimits: {tasks: 300}\n").start().await;
    let list: String = (1..=300)
        .map(|number| {
            format!(
                "- [ ] Fix leak number {number} in the {} of the old building 🐛\n",
                "pipe ".repeat(10)
            )
        })
        .collect();
    let issue = world.issue("Leaks", &list);
    world.say("alice", issue, "/deliver").await;
    let card = world.card(issue);
    let heard = world.hear(issue);
    says(&card, &["300 tasks", "All of it stands on", "/approve "]);
    let pages = heard.len() - 1;
    assert!(pages > 1);
    let all = heard.join("\n");
    for number in 1..=300 {
        assert!(
            all.contains(&format!("#### **t{number}** ")),
            "t{number} stands nowhere"
        );
    }
    assert!(
        heard.last().unwrap().contains("waits for you"),
        "people are called when all is there"
    );
    world.end().await;
}
