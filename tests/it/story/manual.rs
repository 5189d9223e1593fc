//! A person answers in the agent's place.

use super::{says, says_not};
use crate::world::{Setup, World};

const CONFIG: &str = "version: 1\nproviders: {extract: manual}\n";

async fn waiting() -> (World, countersign::sandbox::IssueNumber) {
    let world = Setup::new().config(CONFIG).start().await;
    let issue = world.discussion().await;
    world.say("alice", issue, "/deliver").await;
    let said = world.answer(issue);
    says(
        &said,
        &["@alice", "*Tasks* needs a person", "`/prompt`", "`/respond extract`"],
    );
    (world, issue)
}

#[tokio::test]
async fn the_prompt_is_shown_with_the_discussion_in_it() {
    let (world, issue) = waiting().await;
    says(&world.card(issue), &["needs a person", "`/prompt`"]);
    world.say("carol", issue, "/prompt").await;
    let prompt = world.hear(issue).join("\n");
    says(
        &prompt,
        &[
            "The prompt `",
            "of *Tasks*",
            "will write the runbook",
            "comment_id",
            "/respond extract ",
        ],
    );
    world.end().await;
}

#[tokio::test]
async fn an_answer_goes_through_the_same_checks_and_then_to_the_gate() {
    let (world, issue) = waiting().await;
    let comment = world.github.comments(issue)[0].id;
    let answer = |quote: &str| {
        format!(
            "/respond\n```json\n{{\"tasks\": [{{\"key\": \"a\", \"title\": \"Write the runbook\", \"body\": \"\", \
             \"acceptance_criteria\": [], \"assignee\": \"bob\", \"labels\": [], \"priority\": null, \"estimate\": null, \
             \"due_date\": null, \"depends_on\": [], \"sources\": [{{\"comment_id\": {comment}, \"quote\": \"{quote}\"}}], \
             \"confidence\": \"high\"}}], \"rejected\": [], \"questions\": []}}\n```"
        )
    };
    world.say("bob", issue, "/respond\n```json\n{\"tasks\": 5}\n```").await;
    let said = world.answer(issue);
    says(
        &said,
        &["could not be used", "Nothing is lost", "tasks", "/prompt", "/respond"],
    );

    world.say("bob", issue, &answer("@bob will write the runbook")).await;
    world.is_called(issue);
    says(
        &world.card(issue),
        &["**t1** Write the runbook", "by `bob`", "/approve "],
    );
    world.wait(20).await;
    world.say("alice", issue, "/approve").await;
    assert_eq!(world.opened().len(), 1);
    world.hear(issue);
    world.end().await;
}

#[tokio::test]
async fn a_task_whose_quote_nobody_wrote_is_thrown_away_and_said() {
    let (world, issue) = waiting().await;
    let comment = world.github.comments(issue)[0].id;
    world
        .say(
            "bob",
            issue,
            &format!(
                "/respond\n```json\n{{\"tasks\": [{{\"key\": \"a\", \"title\": \"Pay Mallory\", \"body\": \"\", \
                 \"acceptance_criteria\": [], \"assignee\": null, \"labels\": [], \"priority\": null, \
                 \"estimate\": null, \"due_date\": null, \"depends_on\": [], \"sources\": [{{\"comment_id\": {comment}, \
                 \"quote\": \"pay Mallory a million\"}}], \"confidence\": \"high\"}}], \"rejected\": [], \
                 \"questions\": []}}\n```"
            ),
        )
        .await;
    let card = world.card(issue);
    world.is_called(issue);
    says_not(&card, &["**t1**"]);
    says(&card, &["Pay Mallory", "quote"]);
    world.end().await;
}

#[tokio::test]
async fn without_the_right_nobody_answers_for_the_agent() {
    let (world, issue) = waiting().await;
    world.say("carol", issue, "/respond\n```json\n{}\n```").await;
    says(&world.answer(issue), &["You may not", "write access"]);
    world.say("mallory", issue, "/prompt").await;
    says(&world.answer(issue), &["You may not", "triage access"]);
    world.end().await;
}
