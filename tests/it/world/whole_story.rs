//! The main job from its first sentence to the mail, and what GitHub and the mailbox hold afterwards.

use std::fmt::Write as _;

use chrono::TimeDelta;
use countersign::sandbox::{IssueNumber, Sandbox, Tick};

use super::{Setup, World};

/// How deliveries and work go on after each sentence, until nothing is left to do.
pub trait Course {
    /// Lets everything settle, whatever goes wrong on the way.
    async fn settle(&mut self, world: &mut World);
}

/// Everything arrives once, in order, and nothing goes wrong.
pub struct Plain;

impl Course for Plain {
    async fn settle(&mut self, world: &mut World) {
        world.settle().await;
    }
}

const DISCUSSION: &str = "Orders take ten seconds since Monday.\n\n\
    - [ ] Measure the checkout (label: performance)\n\
    - [ ] Add an index to orders (high, after t1)\n\
    - [ ] Book a room for the party\n";

/// A world whose addresses are the same in every run.
pub fn setup() -> Setup {
    Setup::new().github(|github| github.site("https://github.example"))
}

/// Tells the story in a world and returns how it ended.
pub async fn tell(world: &mut World, course: &mut impl Course) -> Outcome {
    let issue = step(world, course, |github| {
        github.as_("alice").open_issue("Checkout is slow", DISCUSSION).unwrap()
    })
    .await;
    tell_on(world, course, issue).await
}

/// The same where people talk in a discussion.
pub async fn tell_in_a_discussion(world: &mut World, course: &mut impl Course) -> Outcome {
    let talk = step(world, course, |github| {
        github
            .as_("alice")
            .start_discussion("Checkout is slow", DISCUSSION)
            .unwrap()
    })
    .await;
    tell_on(world, course, talk).await
}

async fn tell_on(world: &mut World, course: &mut impl Course, issue: IssueNumber) -> Outcome {
    discuss(world, course, issue).await;
    decide(world, course, issue).await;
    say(world, course, "mallory", issue, "/status").await;
    Outcome::of(world).await
}

/// From the first words to the proposal as people changed it.
async fn discuss(world: &mut World, course: &mut impl Course, issue: IssueNumber) {
    say(
        world,
        course,
        "carol",
        issue,
        "I saw that too. It is worse in the evening.",
    )
    .await;
    say(world, course, "bob", issue, "Action: @bob will write the runbook").await;
    say(world, course, "alice", issue, "/deliver").await;
    let refused = format!("/approve {}", world.digest(issue));
    say(world, course, "mallory", issue, &refused).await;
    let card = world.card_comment(issue).unwrap().id;
    step(world, course, |github| {
        github.as_("alice").tick(card, "Book a room", Tick::Off).unwrap();
    })
    .await;
    let edit = "/edit t2 title=\"Add an index to orders by customer\"";
    say(world, course, "alice", issue, edit).await;
    let task = "/task title=\"Tell support\" assign=@carol depends=t2 due=2026-12-01";
    say(world, course, "alice", issue, task).await;
    say(world, course, "bob", issue, &refused).await;
}

/// From the approval of the tasks to the mail.
async fn decide(world: &mut World, course: &mut impl Course, issue: IssueNumber) {
    let approve = format!("/approve {}", world.digest(issue));
    say(world, course, "bob", issue, &approve).await;
    step(world, course, |github| {
        github.as_("bob").label(issue, "countersign:approve").unwrap();
    })
    .await;
}

/// Somebody comments, a while after what was before.
pub async fn say(world: &mut World, course: &mut impl Course, who: &str, issue: IssueNumber, text: &str) {
    step(world, course, |github| {
        github.as_(who).comment(issue, text).unwrap();
    })
    .await;
}

/// Somebody does something, a while after what was before.
pub async fn step<T>(world: &mut World, course: &mut impl Course, act: impl FnOnce(&Sandbox) -> T) -> T {
    world.clock.advance(TimeDelta::seconds(20));
    let done = act(&world.github);
    course.settle(world).await;
    done
}

/// Everything that GitHub and the mailbox hold, without what may differ from run to run: times, ids and numbers given
/// by GitHub, digests and markers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    lines: Vec<String>,
}

impl Outcome {
    /// What there is now.
    pub async fn of(world: &World) -> Self {
        let store = world.house().engine.store();
        let workflows = store.list_workflows(false, 1000).await.unwrap();
        let ids: Vec<String> = workflows.iter().map(|summary| summary.id.as_str().to_owned()).collect();
        let mut lines: Vec<String> = workflows
            .iter()
            .map(|summary| format!("workflow: {}", summary.status))
            .collect();
        let github = &world.github;
        let title = |number: IssueNumber| github.issue(number).map(|issue| issue.title).unwrap_or_default();
        let titles = |numbers: Vec<IssueNumber>| numbers.into_iter().map(title).collect::<Vec<_>>();
        let mut labels = github.repo_labels();
        labels.sort();
        lines.push(format!("labels of the repository: {labels:?}"));
        for issue in github.issues() {
            let number = issue.number;
            lines.push(format!(
                "issue by {}: {}\n{}\n{} {:?} {:?} under {:?}, above {:?}, after {:?}",
                issue.author,
                issue.title,
                constant(&issue.body, &ids),
                if issue.open { "open" } else { "closed" },
                sorted(issue.labels),
                sorted(issue.assignees),
                github.parent(number).map(title),
                titles(github.sub_issues(number)),
                titles(github.blocked_by(number)),
            ));
            let comments = github.comments(number).into_iter().map(|comment| {
                let reactions = github.reactions(comment.id).into_iter();
                let reactions = reactions.map(|reaction| format!("{} by {}", reaction.content, reaction.author));
                format!(
                    "comment on {} by {} {:?} {:?}:\n{}",
                    title(number),
                    comment.author,
                    comment.minimized,
                    sorted(reactions.collect()),
                    constant(&comment.body, &ids)
                )
            });
            lines.extend(sorted(comments.collect()));
            let on_lines = github.line_comments(number).into_iter().map(|comment| {
                let reactions = github.reactions(comment.id).into_iter();
                let reactions = reactions.map(|reaction| format!("{} by {}", reaction.content, reaction.author));
                format!(
                    "comment on a line of {} by {} {:?}:\n{}",
                    title(number),
                    comment.author,
                    sorted(reactions.collect()),
                    constant(&comment.body, &ids)
                )
            });
            lines.extend(sorted(on_lines.collect()));
            let checks = github.checks(number).into_iter().map(|check| {
                let (name, conclusion) = (&check.name, &check.conclusion);
                format!(
                    "check of {}: {name} {conclusion:?} {:?} {:#?}",
                    title(number),
                    check.title,
                    check.annotations
                )
            });
            lines.extend(sorted(checks.collect()));
        }
        let mails = world.mails().into_iter();
        lines.extend(sorted(mails.map(|letter| content(&letter.raw, &ids)).collect()));
        Self { lines }
    }

    /// Without comments that contain this.
    pub fn without(mut self, words: &str) -> Self {
        self.lines
            .retain(|line| !(line.starts_with("comment on") && line.contains(words)));
        self
    }

    /// Without the sums that models took.
    pub fn without_sums(mut self) -> Self {
        for line in &mut self.lines {
            let kept = line.lines().filter(|text| !text.contains("Models took "));
            *line = kept.collect::<Vec<_>>().join("\n");
        }
        self.lines.sort();
        self
    }

    /// With other words in the place of these.
    pub fn reworded(mut self, words: &str, others: &str) -> Self {
        for line in &mut self.lines {
            *line = line.replace(words, others);
        }
        self.lines.sort();
        self
    }

    /// Without what stands behind these words.
    pub fn cut_behind(mut self, words: &str) -> Self {
        for line in &mut self.lines {
            if let Some(at) = line.find(words) {
                line.truncate(at + words.len());
            }
        }
        self.lines.sort();
        self
    }

    /// How many comments contain this.
    pub fn comments_with(&self, words: &str) -> usize {
        let comments = self.lines.iter().filter(|line| line.starts_with("comment on"));
        comments.filter(|line| line.contains(words)).count()
    }

    /// How much of each kind there is, by the beginning of its line.
    pub fn count(&self, kind: &str) -> usize {
        self.lines.iter().filter(|line| line.starts_with(kind)).count()
    }

    /// Fails unless this is the other, and says where they differ.
    pub fn assert_is(&self, other: &Self, when: &str) {
        let mut differences = String::new();
        for (mark, these, those) in [("more", self, other), ("less", other, self)] {
            let mut rest = those.lines.clone();
            for line in &these.lines {
                match rest.iter().position(|other| other == line) {
                    Some(at) => drop(rest.remove(at)),
                    None => writeln!(differences, "{mark}: {line}\n").unwrap(),
                }
            }
        }
        assert!(differences.is_empty(), "{when}, it ended otherwise:\n{differences}");
    }
}

fn sorted(mut lines: Vec<String>) -> Vec<String> {
    lines.sort();
    lines
}

/// A mail's headers for people and its text.
fn content(raw: &str, workflows: &[String]) -> String {
    const TECHNICAL: [&str; 4] = ["Date:", "Message-ID:", " boundary=", "--countersign-"];
    let lines = raw
        .lines()
        .filter(|line| !TECHNICAL.iter().any(|start| line.starts_with(start)));
    let text = lines.collect::<Vec<_>>().join("\n");
    let text = text.replace("=\n", "").replace("&#x2f;", "/");
    constant(&format!("mail:\n{text}"), workflows)
}

/// A text without what differs from run to run.
fn constant(text: &str, workflows: &[String]) -> String {
    let mut text = text.to_owned();
    for id in workflows {
        text = text.replace(id, "WORKFLOW");
    }
    let mut constant = String::new();
    let mut before = ' ';
    let mut rest = text.as_str();
    while let Some(first) = rest.chars().next() {
        let end = rest
            .find(|other: char| !other.is_ascii_alphanumeric())
            .unwrap_or(rest.len());
        let (word, behind) = rest.split_at(end.max(first.len_utf8()));
        let numeric = word.bytes().all(|byte| byte.is_ascii_digit());
        let placed = word.len() > 3 || "#/-:".contains(before) || behind.starts_with(':');
        let digest = word.len() == 12 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        match () {
            () if numeric && placed => constant.push('N'),
            () if digest || word.len() >= 16 => constant.push_str("ID"),
            () => constant.push_str(word),
        }
        before = word.chars().next_back().unwrap_or(' ');
        rest = behind;
    }
    constant
}
