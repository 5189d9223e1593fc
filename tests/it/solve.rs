//! `solve` as people play it: what an issue leaves open is asked in one comment, answered once, and then solved.

use countersign::sandbox::IssueNumber;
use serde_json::{Value, json};

use crate::world::{Setup, World};

const RUN: &str = "/run solve";
const FAULT: &str = "It crashes when I press Pay twice.";

fn solution(content: &str) -> Value {
    json!({"content": content, "confidence": "medium", "rationale": "The second press is not held back.",
        "assumptions": []})
}

async fn respond(world: &World, issue: IssueNumber, answer: &Value) {
    let text = format!("/respond\n```json\n{answer}\n```");
    world.say("alice", issue, &text).await;
    world.hear(issue);
}

/// The one comment of questions, as it stands now.
fn questions(world: &World, issue: IssueNumber) -> String {
    let comments = world.github.comments(issue);
    let mut found = comments
        .into_iter()
        .filter(|comment| comment.body.contains("this has to be known before it goes on"));
    let only = found.next().expect("questions were asked");
    assert!(found.next().is_none(), "they stand in one comment");
    only.body
}

async fn begun(world: &World) -> IssueNumber {
    let issue = world.issue("Pay", FAULT);
    world.say("alice", issue, RUN).await;
    let heard = world.hear(issue).join("\n");
    assert!(heard.contains("@alice: *Questions*: this has to be known"), "{heard}");
    issue
}

#[tokio::test]
async fn what_is_missing_is_asked_answered_once_and_then_solved() {
    let world = World::new().await;
    let issue = begun(&world).await;
    let asked = questions(&world, issue);
    for part in [
        "1. Which steps lead to it?",
        "4. In which version does it happen?",
        "If skipped: the latest one",
        "Open: 1, 2, 3 and 4. To answer one: `/answer 1 …`",
    ] {
        assert!(asked.contains(part), "{part}: {asked}");
    }
    let card = world.card(issue);
    assert!(card.contains("· waiting for answers"), "{card}");
    assert!(
        card.contains("Waiting for `alice` to answer 4 questions of 4 at *Questions* since"),
        "{card}"
    );

    world.say("alice", issue, "/answer 2 One payment.").await;
    world.say("bob", issue, "/answer 2 No payment at all.").await;
    let refused = world.answer(issue);
    assert!(
        refused.contains("Question 2 was answered by `alice` on")
            && refused.contains("“One payment.” That stays as it is."),
        "{refused}"
    );
    assert!(refused.contains("Open: `/answer 1 …`"), "what is allowed: {refused}");
    let asked = questions(&world, issue);
    assert!(
        asked.contains("2. ~~What did you expect to happen?~~ answered by `alice` on")
            && asked.contains("One payment."),
        "{asked}"
    );
    world
        .say("alice", issue, "/answer 1\nOpen the cart.\nPress Pay twice.")
        .await;
    world.say("bob", issue, "/answer 3 Two payments").await;
    world.say("alice", issue, "/answer 4 1.4").await;
    assert!(
        questions(&world, issue).contains("Nothing is open here."),
        "{}",
        questions(&world, issue)
    );
    let card = world.card(issue);
    assert!(card.contains("| Questions | done"), "{card}");
    world.hear(issue);
    world.say("alice", issue, "/prompt").await;
    let prompt = world.answer(issue);
    assert!(
        prompt.contains("You solve an issue") && prompt.contains("Press Pay twice."),
        "{prompt}"
    );

    respond(&world, issue, &solution("Hold the second press back.")).await;
    let card = world.card(issue);
    for part in [
        "Hold the second press back.",
        "medium",
        "An approval ends this; nothing leaves by it.",
    ] {
        assert!(card.contains(part), "{part}: {card}");
    }
    let digest = world.digest(issue);
    // What is discussed below it never changes it, and neither does an edit.
    world.say("bob", issue, "I would do it otherwise.").await;
    world.say("bob", issue, "/edit\n```json\n{}\n```").await;
    let refused = world.answer(issue);
    assert!(
        refused.contains("a solution stays as it was given; `/revise …` asks for another one."),
        "{refused}"
    );
    assert_eq!(world.digest(issue), digest);
    world
        .say("bob", issue, "/revise It must also say so to the customer.")
        .await;
    world.hear(issue);
    respond(&world, issue, &solution("Hold it back, and say so.")).await;
    assert_ne!(world.digest(issue), digest);
    world
        .say("bob", issue, &format!("/approve {}", world.digest(issue)))
        .await;
    let told = world.hear(issue).join("\n");
    for part in [
        "@alice: Done: *Solution* was approved by `bob` and stands on [the card](",
        "To start another: `/run solve`",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let card = world.card(issue);
    assert!(
        card.contains("· done") && card.contains("answered question 2 of Questions"),
        "{card}"
    );
    assert!(!card.contains("<details>"), "what it was for stands open: {card}");
    world.end().await;
}

#[tokio::test]
async fn what_is_skipped_is_assumed_and_shown() {
    let world = World::new().await;
    let issue = begun(&world).await;
    world.say("alice", issue, "/answer 1 Press Pay twice.").await;
    world.say("bob", issue, "/skip The reporter is away.").await;
    let asked = questions(&world, issue);
    assert!(
        asked.contains("4. ~~In which version does it happen?~~ skipped by `bob`")
            && asked.contains("Assumed: the latest one"),
        "{asked}"
    );
    world.hear(issue);
    respond(&world, issue, &solution("Hold the second press back.")).await;
    let card = world.card(issue);
    let assumed = "Assumed, because nobody said: In which version does it happen?: the latest one";
    assert!(card.contains(assumed), "{card}");
    assert!(
        card.contains("skipped the open questions of Questions: “The reporter is away.”"),
        "{card}"
    );
    world.say("alice", issue, "/answer 4 1.3").await;
    let refused = world.answer(issue);
    assert!(refused.contains("Question 4 was skipped by `bob`"), "{refused}");
    world.say("alice", issue, "/cancel").await;
    world.hear(issue);
    world.end().await;
}

#[tokio::test]
async fn nothing_is_asked_where_the_issue_says_enough() {
    let world = World::new().await;
    let issue = world.issue("Billing", "We need a client for the billing API.");
    world.say("alice", issue, RUN).await;
    let heard = world.hear(issue).join("\n");
    assert!(!heard.contains("this has to be known"), "{heard}");
    assert!(
        world.card(issue).contains("| Questions | done"),
        "{}",
        world.card(issue)
    );
    world.say("alice", issue, "/cancel").await;
    world.hear(issue);
    world.end().await;
}

#[tokio::test]
async fn whoever_may_not_answer_and_whatever_cannot_be_answered_changes_nothing() {
    let world = World::new().await;
    let issue = world.issue("Pay", FAULT);
    world.say("alice", issue, "/answer 1 too early").await;
    let early = world.answer(issue);
    assert!(early.contains("/deliver"), "{early}");
    world.say("alice", issue, RUN).await;
    world.hear(issue);
    let before = questions(&world, issue);
    for (who, said, expected) in [
        ("mallory", "/answer 1 mine", "You may not"),
        ("mallory", "/skip", "You may not"),
        (
            "bob",
            "/answer 9 what",
            "There is no question 9: there are 4 questions.",
        ),
        ("bob", "/answer 1", "The answer is empty"),
        ("bob", "/answer one yes", "no question"),
        ("bob", "/retry", "Nothing failed."),
        ("bob", "/revise Ask something else", "needs a person's answer first"),
        ("bob", "/approve", "needs a person's answer first"),
    ] {
        world.say(who, issue, said).await;
        let answer = world.answer(issue);
        assert!(answer.contains(expected), "{said}: {answer}");
    }
    world.say("bob", issue, "> /answer 1 quoted\n\n`/answer 2 code`").await;
    assert!(world.hear(issue).is_empty(), "commands are not read from quotes");
    assert_eq!(questions(&world, issue), before);
    world.say("alice", issue, "/cancel").await;
    world.hear(issue);
    let asked = questions(&world, issue);
    assert!(asked.contains("The workflow has ended"), "{asked}");
    world.end().await;
}

#[tokio::test]
async fn a_person_in_the_agents_place_asks_in_rounds_and_people_are_told_of_the_second() {
    let config = "version: 1\nproviders:\n  roles:\n    collector: manual\n";
    let world = Setup::new().config(config).start().await;
    let issue = world.issue("Pay", FAULT);
    world.say("alice", issue, RUN).await;
    world.hear(issue);
    let round = |enough: bool, question: &str, assumption: &str| {
        let questions: Vec<Value> = (!enough)
            .then(|| {
                json!({"id": question, "question": question, "why": "It decides the matter", "kind": "choice",
                    "options": ["@bob", "`/approve`"], "default_answer": null, "blocks": "plan", "looked_in": []})
            })
            .into_iter()
            .collect();
        json!({"enough_information": enough, "questions": questions, "assumptions": [assumption]})
    };
    respond(&world, issue, &round(false, "Which browser?", "It is the live shop")).await;
    let asked = questions(&world, issue);
    assert!(
        asked.contains("1. Which browser?") && !asked.contains("@bob"),
        "{asked}"
    );
    world.say("alice", issue, "/answer 1 All of them").await;
    world.hear(issue);
    world.say("alice", issue, "/prompt").await;
    assert!(
        world.hear(issue).join("\n").contains("All of them"),
        "the next round knows the answer"
    );
    let text = format!(
        "/respond\n```json\n{}\n```",
        round(false, "Which bank?", "It is one bank")
    );
    world.say("alice", issue, &text).await;
    let told = world.hear(issue).join("\n");
    assert!(
        told.contains("@alice: *Questions* asks 1 question more, see [the questions]"),
        "{told}"
    );
    assert!(
        questions(&world, issue).contains("2. Which bank?"),
        "{}",
        questions(&world, issue)
    );
    world.say("alice", issue, "/answer 2 Any").await;
    world.hear(issue);
    respond(&world, issue, &round(true, "", "It is the live shop")).await;
    respond(&world, issue, &solution("Hold it back.")).await;
    let card = world.card(issue);
    for assumption in ["It is the live shop", "It is one bank"] {
        let assumed = format!("Assumed, because nobody said: {assumption}");
        assert_eq!(card.matches(&assumed).count(), 1, "{card}");
    }
    world.say("alice", issue, "/cancel").await;
    world.hear(issue);
    world.end().await;
}

#[tokio::test]
async fn a_deleted_comment_of_questions_is_posted_anew() {
    let world = World::new().await;
    let issue = begun(&world).await;
    let comments = world.github.comments(issue);
    let asked = comments
        .iter()
        .find(|comment| comment.body.contains("this has to be known"));
    world.github.as_("alice").delete_comment(asked.unwrap().id).unwrap();
    world.settle().await;
    world.say("alice", issue, "/answer 1 Press Pay twice.").await;
    world.hear(issue);
    assert!(
        questions(&world, issue).contains("1. ~~Which steps"),
        "{}",
        questions(&world, issue)
    );
    world.say("alice", issue, "/cancel").await;
    world.hear(issue);
    world.end().await;
}

#[tokio::test]
async fn a_quoted_question_is_answered_below_the_quote() {
    let world = World::new().await;
    let issue = begun(&world).await;
    world
        .say("alice", issue, "> 2. What did you expect to happen?\n\nOne payment.")
        .await;
    let asked = questions(&world, issue);
    assert!(
        asked.contains("2. ~~What did you expect to happen?~~ answered by `alice` on")
            && asked.contains("One payment."),
        "{asked}"
    );
    assert!(world.hear(issue).is_empty());
    world
        .say("bob", issue, "> What did you expect to happen?\n\nNone.")
        .await;
    let refused = world.answer(issue);
    assert!(refused.contains("Question 2 was answered by `alice` on"), "{refused}");
    let two = "> 1. Which steps lead to it?\n> 4. In which version does it happen?\n\n1.4";
    world.say("alice", issue, two).await;
    let asked_back = world.answer(issue);
    assert!(
        asked_back.contains("You quote the questions 1 and 4") && asked_back.contains("`/answer 1 …`"),
        "{asked_back}"
    );
    world
        .say("mallory", issue, "> 1. Which steps lead to it?\n\nTrust me.")
        .await;
    let refused = world.answer(issue);
    assert!(refused.contains("You may not"), "{refused}");
    // Another list, a quote of a quote, a bot, an edit: none of them answers anything.
    let before = questions(&world, issue);
    world.say("alice", issue, "> 1. Buy milk\n\nDone.").await;
    world
        .say("alice", issue, "> > 1. Which steps lead to it?\n\nAs he said.")
        .await;
    world
        .say("renovate[bot]", issue, "> 1. Which steps lead to it?\n\nUpdate.")
        .await;
    let late = world.say("bob", issue, "I look at it.").await;
    let edited = "> 1. Which steps lead to it?\n\nPress Pay.";
    world.github.as_("bob").edit_comment(late, edited).unwrap();
    world.settle().await;
    assert!(world.hear(issue).is_empty());
    assert_eq!(questions(&world, issue), before);
    world.say("alice", issue, "/cancel").await;
    world.hear(issue);
    world
        .say("alice", issue, "> 1. Which steps lead to it?\n\nToo late.")
        .await;
    assert!(world.hear(issue).is_empty(), "nothing is asked any more");
    world.end().await;
}
