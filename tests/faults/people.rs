//! What people do: the whole story of one workflow, from the first words to the mail. They say everything once, however
//! long the answer takes.

use std::time::Duration;

use countersign::sandbox::{CommentId, CommentView, IssueNumber, Sandbox, Tick};

const DISCUSSION: &str = "Orders take ten seconds since Monday.\n\n\
    - [ ] Measure the checkout (label: performance)\n\
    - [ ] Add an index to orders (high, after t1)\n\
    - [ ] Book a room for the party\n";

/// How many issues one story opens, and how many links it makes.
pub const OPENED: usize = 2;

/// What GitHub gives an installation. One story takes about 70.
const CALLS_AN_HOUR: u64 = 5_000;

/// What stands on a card before the digest that it offers.
const OFFERED: &str = "**Approve exactly this:** `/approve ";

/// How the bot says that it does not know yet whether GitHub has all of a proposal.
pub const TOO_EARLY: &str = "The proposal does not stand here in full yet";

/// People at one GitHub. A clone is the same people.
#[derive(Clone)]
pub struct People {
    github: Sandbox,
    patience: Duration,
}

impl People {
    pub fn at(github: &Sandbox, patience: Duration) -> Self {
        Self {
            github: github.clone(),
            patience,
        }
    }

    /// Waits until something can be seen on GitHub.
    pub async fn see<T>(&self, what: &str, look: impl Fn(&Sandbox) -> Option<T>) -> T {
        let mut changes = self.github.changes();
        let waiting = async {
            loop {
                changes.mark_unchanged();
                if let Some(seen) = look(&self.github) {
                    return seen;
                }
                changes.changed().await.unwrap();
            }
        };
        tokio::time::timeout(self.patience, waiting)
            .await
            .unwrap_or_else(|_| panic!("it never came to this: {what}"))
    }

    /// The card of a workflow.
    pub fn card(&self, subject: IssueNumber) -> Option<CommentView> {
        let bot = self.github.bot_login();
        let comments = self.github.comments(subject).into_iter();
        let is_card = |comment: &CommentView| comment.body.starts_with("### ") && comment.body.contains("\nWorkflow `");
        comments.rev().find(|comment| comment.author == bot && is_card(comment))
    }

    /// What the card offers for approval.
    fn offered(&self, subject: IssueNumber) -> Option<String> {
        let card = self.card(subject)?.body;
        let (_, behind) = card.split_once(OFFERED)?;
        Some(behind[..12].to_owned())
    }

    /// The offer that takes the place of another.
    async fn offer_after(&self, subject: IssueNumber, former: &str) -> String {
        let what = format!("#{subject} offers another proposal than `{former}`");
        self.see(&what, |_| self.offered(subject).filter(|offered| offered != former))
            .await
    }

    /// Somebody writes a command and waits for the bot's sign that it was heard and done, or refused.
    pub async fn command(&self, who: &str, subject: IssueNumber, text: &str, sign: &str) -> CommentId {
        let comment = self.github.as_(who).comment(subject, text).unwrap();
        let bot = self.github.bot_login();
        let what = format!("`{text}` by {who} in #{subject} is answered with {sign}");
        self.see(&what, |github| {
            let mut reactions = github.reactions(comment).into_iter();
            reactions.find(|reaction| reaction.author == bot && reaction.content == sign)
        })
        .await;
        comment
    }

    /// Somebody approves. Where the bot does not know yet that GitHub has all of the proposal it says so, and they say it
    /// again, as people do.
    async fn approve(&self, who: &str, subject: IssueNumber, digest: &str) {
        let text = format!("/approve {digest}");
        let bot = self.github.bot_login();
        loop {
            let comment = self.github.as_(who).comment(subject, &text).unwrap();
            let what = format!("`{text}` by {who} in #{subject} is answered");
            let sign = self.see(&what, |github| {
                let mut signs = github.reactions(comment).into_iter();
                signs.find(|sign| sign.author == bot && sign.content != "eyes")
            });
            if sign.await.content == "rocket" {
                return;
            }
            let what = format!("it is said why `{text}` by {who} in #{subject} was not done");
            let why = self.see(&what, |github| {
                let comments = github.comments(subject).into_iter();
                let mut said = comments.skip_while(|said| said.id != comment);
                said.find(|said| said.author == bot && !said.body.starts_with('@'))
            });
            let why = why.await.body;
            assert!(why.starts_with(TOO_EARLY), "{what}: {why}");
        }
    }

    /// The whole story. Tells where it was.
    pub async fn story(&self) -> IssueNumber {
        // GitHub's budget of an hour is not what is at stake here, and the hour is over soon.
        self.github.set_remaining(CALLS_AN_HOUR);
        let alice = self.github.as_("alice");
        let subject = alice.open_issue("Checkout is slow", DISCUSSION).unwrap();
        let carol = self.github.as_("carol");
        carol
            .comment(subject, "I saw that too. It is worse in the evening.")
            .unwrap();
        self.command("alice", subject, "/deliver", "rocket").await;
        let first = self.offer_after(subject, "").await;
        self.command("mallory", subject, &format!("/approve {first}"), "-1")
            .await;
        let card = self.card(subject).unwrap().id;
        alice.tick(card, "Book a room", Tick::Off).unwrap();
        let tasks = self.offer_after(subject, &first).await;
        self.approve("bob", subject, &tasks).await;
        let mail = self.offer_after(subject, &tasks).await;
        self.approve("alice", subject, &mail).await;
        let what = format!("the workflow of #{subject} is done");
        self.see(&what, |_| {
            let card = self.card(subject)?;
            card.body.lines().next()?.ends_with("· done").then_some(())
        })
        .await;
        self.command("rita", subject, "/status", "rocket").await;
        subject
    }
}
