//! The count at the end: what GitHub holds and what was asked of it, what mail arrived, what the database keeps.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::process::Stdio;

use countersign::sandbox::{CommentId, CommentView, IssueNumber, RequestRecord};
use countersign::store::Store;

use crate::invariants;
use crate::people::{OPENED, TOO_EARLY};
use crate::post::{IN_DOUBT, Post, SENT};
use crate::stage::Stage;

/// How the ids of deliveries begin that nobody sent: what was found when a workflow was compared with GitHub.
const FOUND: &str = "found:";

/// What there is of one workflow on GitHub, without what may differ between two of them: numbers and digests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    card: String,
    said: Vec<String>,
    signs: Vec<String>,
    opened: Vec<String>,
    sub_issues: Vec<String>,
    waits: Vec<String>,
}

impl Ending {
    /// Of the workflow of this subject.
    pub fn of(stage: &Stage, subject: IssueNumber) -> Self {
        let github = &stage.github;
        let bot = github.bot_login();
        let comments = github.comments(subject);
        let card = stage.people.card(subject).unwrap();
        let ours = comments
            .iter()
            .filter(|comment| comment.author == bot && comment.id != card.id);
        // Whether a mail that may have been taken was, is counted where mail arrives.
        let said = ours.map(|comment| gist(&comment.body.replace(IN_DOUBT, SENT)));
        // Whoever is called is not called any more when somebody else was faster.
        let said = said.filter(|gist| !gist.starts_with('@') && !gist.starts_with(TOO_EARLY));
        let theirs = comments
            .iter()
            .filter(|comment| comment.author != bot && !too_early(stage, comment));
        let signs = theirs.flat_map(|comment| {
            let mut reactions: Vec<_> = github.reactions(comment.id).into_iter().collect();
            reactions.sort_by(|a, b| a.content.cmp(&b.content));
            let words = gist(&comment.body);
            reactions
                .into_iter()
                .map(move |reaction| format!("{words}: {} by {}", reaction.content, reaction.author))
        });
        let title = |number: IssueNumber| github.issue(number).unwrap().title;
        let opened: Vec<IssueNumber> = github
            .issues()
            .into_iter()
            .filter(|issue| issue.author == bot && issue.body.contains(&format!("#{subject}")))
            .map(|issue| issue.number)
            .filter(|number| github.parent(*number) == Some(subject))
            .collect();
        let waits = opened.iter().flat_map(|number| {
            let before = github.blocked_by(*number).into_iter();
            before.map(|other| format!("{} after {}", title(*number), title(other)))
        });
        Self {
            card: gist(&card.body),
            said: sorted(said.collect()),
            signs: sorted(signs.collect()),
            sub_issues: sorted(github.sub_issues(subject).into_iter().map(title).collect()),
            waits: sorted(waits.collect()),
            opened: sorted(opened.into_iter().map(title).collect()),
        }
    }
}

/// Whether it is an approval by somebody with the right to it that was not taken, and was repeated.
fn too_early(stage: &Stage, comment: &CommentView) -> bool {
    let refused = || {
        stage
            .github
            .reactions(comment.id)
            .iter()
            .any(|sign| sign.content == "-1")
    };
    comment.body.starts_with("/approve") && comment.author != "mallory" && refused()
}

fn sorted(mut lines: Vec<String>) -> Vec<String> {
    lines.sort();
    lines
}

/// The first line of a text, without digests and numbers.
fn gist(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    let mut gist = String::new();
    for word in line.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
        let core = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        let number = !core.is_empty() && core.bytes().all(|byte| byte.is_ascii_digit());
        let id = gist.ends_with('`') && core.len() >= 10
            || core.len() == 12 && core.bytes().all(|byte| byte.is_ascii_hexdigit());
        match number || id {
            true => gist.extend(["N", &word[core.len()..]]),
            false => gist.push_str(word),
        }
    }
    gist
}

/// What was found at the end of a run.
pub struct Counted {
    pub workflows: usize,
    pub deliveries: usize,
    pub comments: usize,
    pub issues: usize,
    pub mails: usize,
}

impl fmt::Display for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            workflows,
            deliveries,
            comments,
            issues,
            mails,
        } = self;
        write!(
            f,
            "{workflows} workflows, {deliveries} deliveries, {comments} comments, {issues} issues, {mails} mails: \
             nothing lost, nothing doubled"
        )
    }
}

impl Stage {
    /// Counts, when everything has come to rest. `first` is a subject whose story nothing disturbed: all others must have ended as it did.
    pub async fn count(&self, first: IssueNumber, others: &[IssueNumber]) -> Counted {
        let expected = Ending::of(self, first);
        assert_eq!(expected.opened.len(), OPENED, "{expected:#?}");
        for subject in others {
            let ending = Ending::of(self, *subject);
            assert_eq!(ending, expected, "#{subject} ended otherwise than #{first}");
        }
        let (comments, issues) = self.nothing_twice();
        let workflows = others.len() + 1;
        assert_eq!(issues, workflows * OPENED, "issues that the bot opened");
        let store = self.store().await;
        assert_eq!(invariants::hold(&store).await, workflows);
        store.close().await;
        self.verified();
        Counted {
            workflows,
            mails: self.mails(),
            comments,
            issues,
            deliveries: self.github.webhooks_sent().len(),
        }
    }

    /// What GitHub sent and the inbox does not have, and what waits to be done. Fails where something was given up.
    pub async fn waits(&self, store: Store) -> Vec<String> {
        let mut waits = self.missing(&store).await;
        waits.extend(open(&store).await);
        store.close().await;
        waits
    }

    /// What GitHub sent and the inbox does not have.
    async fn missing(&self, store: &Store) -> Vec<String> {
        const INBOX: &str = "SELECT id FROM deliveries";
        let rows = store.read(INBOX, Vec::new()).await.unwrap();
        let inbox: BTreeSet<String> = rows.iter().map(|row| row.text("id").unwrap().to_owned()).collect();
        let sent = self.github.webhooks_sent();
        let known: BTreeSet<&str> = sent.iter().map(|webhook| webhook.guid.as_str()).collect();
        // What the bot found on GitHub itself stands beside what was sent of it; its meaning acts once all the same.
        let told = inbox.iter().filter(|id| !id.starts_with(FOUND));
        let unknown: Vec<_> = told.filter(|id| !known.contains(id.as_str())).collect();
        assert!(
            unknown.is_empty(),
            "in the inbox are deliveries that nobody sent: {unknown:?}"
        );
        let missing = known.into_iter().filter(|id| !inbox.contains(*id));
        missing.map(|id| format!("{id} is not in the inbox")).collect()
    }

    /// Holds GitHub's record to it that no act was carried out twice. How many comments and issues the bot made.
    pub fn nothing_twice(&self) -> (usize, usize) {
        let made = |what: &str| {
            let requests = self.github.requests().into_iter();
            requests
                .filter(move |request| {
                    request.method == "POST" && request.status == 201 && request.path.ends_with(what)
                })
                .collect::<Vec<_>>()
        };
        let (comments, issues) = (made("/comments"), made("/issues"));
        for (what, made) in [("comment", &comments), ("issue", &issues)] {
            let mut marked: BTreeMap<&str, usize> = BTreeMap::new();
            for request in made {
                *marked.entry(marker(request)).or_default() += 1;
            }
            let doubled: Vec<_> = marked.iter().filter(|(_, times)| **times > 1).collect();
            assert!(
                doubled.is_empty(),
                "the same {what} was made more than once: {doubled:?}"
            );
        }
        (comments.len(), issues.len())
    }

    /// A command was heard and done.
    pub fn was_answered(&self, command: CommentId) {
        let signs = self.github.reactions(command).into_iter();
        let signs: Vec<String> = signs.map(|sign| sign.content).collect();
        assert!(signs.contains(&"rocket".to_owned()), "{signs:?}");
    }

    /// Holds the post to it that no mail arrived twice, and that each arrived for which the bot does not say that it does not
    /// know. How many arrived.
    pub fn mails(&self) -> usize {
        let mut arrived = self.post.arrived();
        let count = arrived.len();
        arrived.sort();
        arrived.dedup();
        assert_eq!(arrived.len(), count, "a mail arrived twice");
        let said = |words: &str| {
            let issues = self.github.issues().into_iter();
            let comments = issues.flat_map(|issue| self.github.comments(issue.number));
            comments.filter(|comment| comment.body.contains(words)).count()
        };
        let (sent, doubtful) = (said(SENT), said(IN_DOUBT));
        assert!(
            (sent..=sent + doubtful).contains(&count),
            "{count} mails arrived, {sent} were sent, {doubtful} are in doubt"
        );
        if let Post::Folder(_) = self.post {
            assert_eq!(doubtful, 0, "what is written to a folder can be looked for");
        }
        count
    }

    /// What the operator's own command says of the whole database.
    fn verified(&self) {
        let verify = self
            .server(99)
            .command(&["verify"])
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&verify.stderr);
        assert!(verify.status.success(), "countersign verify: {said}");
    }
}

/// What waits to be done, or was given up.
async fn open(store: &Store) -> Vec<String> {
    const DELIVERIES: &str = "SELECT id, event, state, outcome FROM deliveries WHERE state <> 'done'";
    // The timers by which workflows are compared with GitHub come again, and are planned anew where one was given up.
    const EFFECTS: &str = "SELECT id, kind, state, last_error FROM effects
        WHERE state IN ('ready', 'inflight', 'failed') AND kind <> 'reconcile'";
    let mut open = Vec::new();
    for (sql, word, why) in [(DELIVERIES, "event", "outcome"), (EFFECTS, "kind", "last_error")] {
        for row in store.read(sql, Vec::new()).await.unwrap() {
            let state = row.text("state").unwrap();
            let line = format!(
                "{} {} {state}: {:?}",
                row.text("id").unwrap(),
                row.text(word).unwrap(),
                row.opt_text(why).unwrap()
            );
            assert!(!["failed", "dead"].contains(&state), "it was given up: {line}");
            open.push(line);
        }
    }
    open
}

/// The hidden marker in what was sent.
fn marker(request: &RequestRecord) -> &str {
    let body = request
        .body
        .as_ref()
        .and_then(|body| body["body"].as_str())
        .unwrap_or_default();
    let (_, marker) = body
        .split_once("<!-- countersign fx=")
        .unwrap_or_else(|| panic!("the bot wrote without a marker: {body}"));
    marker.split_once(" -->").unwrap().0
}
