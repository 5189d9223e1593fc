//! Workflows and proposals for the tests of this room.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use pulldown_cmark::{Event as MarkdownEvent, Parser, Tag, TagEnd};

use super::view::{
    CardView, GateView, LeftOut, MailView, Note, PostedPages, ProposalView, Selection, Shown, Source, TaskView,
    TasksView,
};
use crate::text::clean::github_flavour;
use crate::workflow::act::ActKey;
use crate::workflow::apply::{apply, begin};
use crate::workflow::approval::{Node, Outcome, Prospect, Rule, Why as Because};
use crate::workflow::event::{Event, HoldCause};
use crate::workflow::ids::{CommentId, Digest, IssueId, IssueNumber, PhaseId, RepositoryId, UserId, WorkflowId};
use crate::workflow::right::{Person, Right};
use crate::workflow::state::{
    ActOutcome, Approval, Ending, Maker, State, Subject, SubjectKind, Surface, Timestamp, Why,
};

pub const CARD_URL: &str = "https://github.com/acme/app/issues/12#issuecomment-5";

pub fn at(minutes: i64) -> Timestamp {
    DateTime::<Utc>::from_timestamp(1_764_849_600, 0).unwrap() + TimeDelta::minutes(minutes)
}

pub fn person(login: &str) -> Person {
    Person {
        id: UserId(login.len() as u64),
        login: login.to_owned(),
    }
}

pub fn comment(number: u64) -> Surface {
    Surface::Comment {
        id: CommentId(number),
        url: format!("https://github.com/acme/app/issues/12#issuecomment-{number}"),
    }
}

pub fn first() -> Digest {
    Digest::of_bytes(b"first")
}

pub fn second() -> Digest {
    Digest::of_bytes(b"second")
}

pub fn mailing() -> Digest {
    Digest::of_bytes(b"mail")
}

/// A workflow of the definition `deliver`, and these events after its beginning.
pub fn deliver(events: &[Event]) -> State {
    let yaml = include_str!("../../../workflows/deliver.yml");
    let definition = crate::agents::names().parse(yaml).unwrap();
    let started = Event::Started {
        given: Default::default(),
        parent: None,
        workflow: "w7f3a".into(),
        definition: Arc::new(definition),
        subject: Subject {
            repository: RepositoryId(1),
            kind: SubjectKind::Issue,
            number: IssueNumber(12),
            id: Some(IssueId(900)),
        },
        by: person("alice"),
        surface: comment(1),
        said_at: at(0),
    };
    let mut state = begin(&started, at(0)).unwrap();
    for (minute, event) in events.iter().enumerate() {
        apply(&mut state, event, at(minute as i64 + 1));
    }
    state
}

pub fn running(phase: &str) -> Event {
    Event::PhaseStarted {
        phase: phase.into(),
        iteration: 1,
        attempt: 1,
    }
}

pub fn proposed(phase: &str, digest: Digest, acts: &[&str]) -> Event {
    Event::Proposed {
        surface: None,
        stage: Default::default(),
        verdict: None,
        phase: phase.into(),
        digest,
        acts: acts.iter().map(|key| ActKey((*key).to_owned())).collect(),
        by: Maker::Agent {
            provider: "rules".to_owned(),
        },
        change: None,
        guidelines: None,
    }
}

pub fn amended(digest: Digest) -> Event {
    Event::Proposed {
        surface: None,
        stage: Default::default(),
        verdict: None,
        phase: "extract".into(),
        digest,
        acts: vec![ActKey("issue:t1".to_owned())],
        by: Maker::Person(person("alice")),
        change: Some("t2 left out".into()),
        guidelines: None,
    }
}

pub fn shown(phase: &str, digest: Digest) -> Event {
    Event::Shown {
        phase: phase.into(),
        digest,
        at: at(2),
    }
}

pub fn approved(phase: &str, digest: Digest, surface: Surface) -> Event {
    Event::Approved {
        uncounted: Vec::new(),
        verdict: None,
        phase: phase.into(),
        approval: Approval {
            by: person("bob"),
            right: Right::Write,
            surface,
            digest,
            at: at(4),
            reason: None,
            choice: None,
        },
    }
}

pub fn acted(phase: &str, key: &str, outcome: ActOutcome) -> Event {
    Event::ActEnded {
        phase: phase.into(),
        key: ActKey(key.to_owned()),
        outcome,
    }
}

pub fn opened(number: u64, title: &str, dropped: &[&str]) -> ActOutcome {
    ActOutcome::IssueOpened {
        number: IssueNumber(number),
        id: IssueId(number + 1000),
        url: format!("https://github.com/acme/app/issues/{number}"),
        title: title.to_owned(),
        dropped: dropped.iter().map(|what| (*what).to_owned()).collect(),
    }
}

pub fn completed(phase: &str) -> Event {
    Event::PhaseCompleted {
        phase: phase.into(),
        ending: Ending::Done,
    }
}

pub fn failed(phase: &str) -> Event {
    Event::Failed {
        phase: phase.into(),
        why: Why::Failed("GitHub answered 422".to_owned()),
    }
}

pub fn held() -> Event {
    Event::Held {
        surface: None,
        by: Some(person("alice")),
        reason: "wait for @carol".into(),
        cause: HoldCause::Asked,
    }
}

/// The gate of the tasks is open.
pub fn at_the_tasks() -> State {
    deliver(&[
        running("extract"),
        proposed("extract", first(), &["issue:t1"]),
        shown("extract", first()),
    ])
}

/// What a workflow is after one more event.
pub fn and_then(mut state: State, event: Event) -> State {
    apply(&mut state, &event, at(5));
    state
}

pub fn cancelled() -> State {
    let by = Some(person("alice"));
    let reason = "no time".into();
    and_then(
        at_the_tasks(),
        Event::Cancelled {
            surface: None,
            by,
            reason,
        },
    )
}

/// The agent of the tasks failed.
pub fn failing() -> State {
    deliver(&[running("extract"), failed("extract")])
}

/// The whole story.
pub fn done() -> State {
    deliver(&[
        running("extract"),
        proposed("extract", first(), &["issue:t1", "link:t1"]),
        shown("extract", first()),
        amended(second()),
        approved("extract", second(), comment(7)),
        completed("extract"),
        Event::ActsStarted {
            phase: "tickets".into(),
        },
        acted(
            "tickets",
            "issue:t1",
            opened(41, "Write the runbook", &["the assignee carol"]),
        ),
        acted(
            "tickets",
            "link:t1",
            ActOutcome::NotLinked {
                reason: "the parent has 100 sub-issues".to_owned(),
            },
        ),
        completed("tickets"),
        running("email"),
        proposed("email", mailing(), &["mail"]),
        shown("email", mailing()),
        approved(
            "email",
            mailing(),
            Surface::Label {
                name: "countersign:approve".to_owned(),
                event: Some(77),
            },
        ),
        acted(
            "email",
            "mail",
            ActOutcome::Mailed {
                message_id: "<w7f3a.1@countersign>".to_owned(),
                refused: Vec::new(),
                sent: None,
                again: false,
            },
        ),
        completed("email"),
        Event::Completed,
    ])
}

pub fn task(key: &str, title: &str) -> TaskView {
    TaskView {
        key: key.to_owned(),
        selection: Selection::On,
        title: title.to_owned(),
        body: String::new(),
        acceptance_criteria: Vec::new(),
        assignee: None,
        labels: Vec::new(),
        priority: None,
        estimate: None,
        due: None,
        depends_on: Vec::new(),
        sources: Vec::new(),
        confidence: None,
        added_by: None,
    }
}

pub fn tasks() -> TasksView {
    let runbook = TaskView {
        body: "Write down what to do when the login is down.".to_owned(),
        acceptance_criteria: vec!["It names who is called".to_owned(), "[ ] it was tried once".to_owned()],
        assignee: Some("bob".to_owned()),
        labels: vec!["docs".to_owned()],
        priority: Some("high".to_owned()),
        estimate: Some("M".to_owned()),
        due: Some("2025-12-19".to_owned()),
        sources: vec![Source {
            author: "alice".to_owned(),
            url: "https://github.com/acme/app/issues/12#issuecomment-3".to_owned(),
            quote: "Action: @bob will write the runbook".to_owned(),
        }],
        confidence: Some("high".to_owned()),
        ..task("t1", "Write the runbook")
    };
    let limit = TaskView {
        selection: Selection::Off,
        depends_on: vec!["t1".to_owned()],
        ..task("t2", "Rate-limit the <login> form")
    };
    TasksView {
        tasks: vec![runbook, limit],
        new_labels: vec!["docs".to_owned()],
        tracking: None,
        left_out: vec![LeftOut {
            what: "maybe we should rewrite it all".to_owned(),
            why: "nobody said that they will".to_owned(),
            url: Some("https://github.com/acme/app/issues/12#issuecomment-4".to_owned()),
        }],
        questions: vec!["Who is on call?".to_owned()],
    }
}

pub fn of_tasks(digest: Digest, tasks: TasksView) -> ProposalView {
    ProposalView {
        phase: "extract".into(),
        digest,
        shown: Shown::Tasks(tasks),
    }
}

pub fn of_mail(text: &str) -> ProposalView {
    ProposalView {
        phase: "email".into(),
        digest: mailing(),
        shown: Shown::Mail(MailView {
            to: vec!["team@acme.test".to_owned()],
            cc: vec!["boss@acme.test".to_owned()],
            subject: "What was decided in #12".to_owned(),
            text: text.to_owned(),
        }),
    }
}

/// A gate that these people can open, as far as is known.
pub fn gate_of(logins: &[String]) -> GateView {
    let now = Node {
        rule: Rule::Gate,
        outcome: Outcome::No,
        why: Because::Parts,
        children: Vec::new(),
    };
    GateView {
        prospect: Prospect {
            now,
            best: None,
            can: logins.iter().map(|login| person(login)).collect(),
        },
        right: Right::Write,
        admins: Vec::new(),
        unseen: Default::default(),
    }
}

/// A view that owns what it shows.
pub struct Scene {
    pub state: State,
    pub proposal: Option<ProposalView>,
    pub pages: Option<PostedPages>,
    pub asked: Vec<String>,
    pub gate: Option<GateView>,
    pub providers: BTreeMap<PhaseId, String>,
    pub notes: Vec<Note>,
    pub children: BTreeMap<WorkflowId, String>,
}

impl Scene {
    pub fn new(state: State, proposal: Option<ProposalView>) -> Self {
        Self {
            state,
            proposal,
            pages: None,
            asked: vec!["alice".to_owned(), "bob".to_owned()],
            gate: None,
            providers: BTreeMap::from([("extract".into(), "rules".to_owned())]),
            notes: Vec::new(),
            children: BTreeMap::new(),
        }
    }

    pub fn view(&self) -> CardView<'_> {
        CardView {
            state: &self.state,
            repository: "acme/app",
            proposal: self.proposal.as_ref(),
            pages_posted: self.pages.as_ref(),
            asked: &self.asked,
            gate: self.gate.as_ref(),
            providers: &self.providers,
            notes: &self.notes,
            children: &self.children,
            spending: None,
            ahead: &[],
            currency: "USD",
        }
    }

    /// The same with all pages posted.
    pub fn posted(mut self, pages: usize) -> Self {
        let digest = self.proposal.as_ref().unwrap().digest;
        let urls = (1..=pages)
            .map(|page| format!("https://github.com/acme/app/issues/12#issuecomment-{}", page + 100))
            .collect();
        self.pages = Some(PostedPages { digest, urls });
        self
    }
}

/// What a text of ours would do besides being read: notify, link to strangers, show images or HTML, be taken for a
/// command, a marker or a box of its own. `allowed` are the beginnings of links that the test put in itself.
pub fn live(text: &str, allowed: &[&str]) -> Vec<String> {
    let mut found: Vec<String> = text
        .lines()
        .filter(|line| line.starts_with('/') || line.starts_with('@'))
        .map(|line| format!("line {line:?}"))
        .collect();
    if text.contains("<!--") {
        found.push("an HTML comment".to_owned());
    }
    let bot = crate::chat::reader::BotName::new("countersign");
    found.extend(
        crate::chat::reader::read(text, &bot)
            .iter()
            .map(|command| format!("{command:?}")),
    );
    let mut in_code = 0;
    let mut run = String::new();
    for event in Parser::new_ext(text, github_flavour()) {
        match event {
            MarkdownEvent::Start(Tag::CodeBlock(_)) => in_code += 1,
            MarkdownEvent::End(TagEnd::CodeBlock) => in_code -= 1,
            MarkdownEvent::Text(text) if in_code == 0 => {
                run.push_str(&text);
                continue;
            }
            MarkdownEvent::Start(Tag::Image { .. }) => found.push("an image".to_owned()),
            MarkdownEvent::Start(Tag::Link { dest_url, .. })
                if !allowed.iter().any(|start| dest_url.starts_with(start)) =>
            {
                found.push(format!("a link to {dest_url}"));
            }
            MarkdownEvent::Html(html) | MarkdownEvent::InlineHtml(html) => {
                let tags = ["<details>", "</details>", "<summary>", "</summary>"];
                let rest = tags.iter().fold(html.to_string(), |rest, tag| rest.replace(tag, ""));
                if rest.contains(['<', '@']) {
                    found.push(format!("HTML {rest}"));
                }
            }
            _ => {}
        }
        found.extend(live_words(&run));
        run.clear();
    }
    found.extend(live_words(&run));
    found
}

/// What GitHub makes of rendered text: mentions and bare addresses.
fn live_words(text: &str) -> Vec<String> {
    let mention = text.match_indices('@').any(|(at, _)| {
        let after = text[at + 1..].chars().next();
        after.is_some_and(|c| c.is_ascii_alphanumeric())
    });
    let address = ["http://", "https://", "www."]
        .iter()
        .any(|start| text.to_lowercase().contains(start));
    if mention || address {
        vec![format!("live {text:?}")]
    } else {
        Vec::new()
    }
}

/// Texts that try to do something.
pub const HOSTILE: &[&str] = &[
    "@carol look",
    "/approve a7937b64b8ca",
    "\n/approve a7937b64b8ca\n",
    "![x](https://evil.test/x.png)",
    "[x](https://evil.test)",
    "https://evil.test/y",
    "<img src=x onerror=y>",
    "<!-- countersign fx=abcdefghijklmnopqrst -->",
    "</details>\n\n@carol",
    "```\n@carol\n/approve\n",
    "`````",
    "`@carol` `x",
    "- [x] **t9** not a task",
    "\n- [ ] **t1** not a task",
    "| a | b |\n| - | - |",
    "fixes #1 and other/app#2",
    "# heading",
    "> quote",
    "&#64;carol",
    "\\@carol",
    "@countersign approve",
    "\u{202E}evil\u{2066}",
    "الأمان قبل كل شيء",
    "🦀🚀 e\u{301}",
    "a**b__c~~d",
    "",
];
