//! The main job as people live through it, one test for each sentence of it.

mod asking;
mod card;
mod carrying_out;
mod deciding;
mod manual;
mod proposal;
mod surfaces;

use countersign::sandbox::{IssueNumber, Tick};

use crate::world::World;

/// What Alice writes when she opens the issue.
const OPENING: &str = "Orders get lost when the checkout is slow.\n\n\
    - [ ] Measure the checkout under load (@carol, M, high, label: performance)\n\
    - [ ] Add an index to the orders table, after t1\n\
    - [x] Buy a domain\n";

/// What Bob answers.
const ACTION: &str = "Action: @bob will write the runbook by 2026-12-01. It must cover paging.";

impl World {
    /// Alice, Bob and Carol talk: a list with boxes, an action, chatter, a quoted reply.
    pub async fn discussion(&self) -> IssueNumber {
        let issue = self.issue("Orders get lost", OPENING);
        self.say("bob", issue, ACTION).await;
        let chatter = "The weather is fine here, the coffee machine is not. ".repeat(30);
        self.say("carol", issue, &chatter).await;
        self.say(
            "carol",
            issue,
            "> Action: @bob will write the runbook by 2026-12-01.\n\nGood. We should also rewrite it all one day.",
        )
        .await;
        issue
    }

    /// The discussion, delivered: the card shows the tasks, people were called, and ten seconds passed.
    pub async fn delivered(&self) -> IssueNumber {
        let issue = self.discussion().await;
        self.say("alice", issue, "/deliver").await;
        self.is_called(issue);
        self.wait(20).await;
        issue
    }

    /// The discussion, its tasks approved by Bob and opened, and the mail at its gate.
    pub async fn opened_all(&self) -> IssueNumber {
        let issue = self.delivered().await;
        self.approve("bob", issue).await;
        self.is_called(issue);
        self.wait(20).await;
        issue
    }

    /// Somebody approves what the card shows, by its digest.
    pub async fn approve(&self, who: &str, issue: IssueNumber) {
        let command = format!("/approve {}", self.digest(issue));
        self.say(who, issue, &command).await;
    }

    /// The one thing that the bot said is its call to the people who can approve.
    pub fn is_called(&self, issue: IssueNumber) {
        let call = self.answer(issue);
        assert!(call.contains("waits for you"), "{call}");
    }

    /// Somebody sets or clears the box of a task on the card.
    pub async fn tick(&self, who: &str, issue: IssueNumber, key: &str, tick: Tick) {
        self.clock.advance(chrono::TimeDelta::seconds(1));
        let card = self.card_comment(issue).expect("there is a card").id;
        let line = format!("**{key}**");
        self.github.as_(who).tick(card, line.as_str(), tick).unwrap();
        self.settle().await;
    }
}

/// Every word is there.
#[track_caller]
pub fn says(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "“{word}” is missing in:\n{text}");
    }
}

/// None of the words is there.
#[track_caller]
pub fn says_not(text: &str, words: &[&str]) {
    for word in words {
        assert!(!text.contains(word), "“{word}” is not wanted in:\n{text}");
    }
}
