use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;
use crate::config::{EndpointName, SigningSecret, StandardUrl};
use crate::workflow::awaits::Awaits;
use crate::workflow::gate::Quorum;
use crate::workflow::ids::{IssueNumber, RepositoryId};
use crate::workflow::notification::{PhaseThen, Standing};
use crate::workflow::right::Right;
use crate::workflow::state::{PhaseStatus, Subject, SubjectKind};
use crate::workflow::why::WhyKind;

const SITE: &str = "https://github.com";
const CARD: &str = "https://github.com/acme/shop/issues/7#issuecomment-31";

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// One of each kind, as a workflow could have it.
fn example(kind: Kind) -> Notification {
    let phase = |id: &str, status, digest: Option<&str>, why| {
        Some(PhaseThen {
            id: id.into(),
            status,
            iteration: 1,
            digest: digest.map(str::to_owned),
            why,
            reminders: 0,
        })
    };
    let digest = Some("0123456789ab");
    let approval = Awaits::Approval {
        phase: "extract".into(),
        right: Right::Maintain,
        quorums: vec![Quorum::parse("2 of @acme/security, @mona").unwrap()],
        code_owners: false,
    };
    let (standing, phase, waits_for) = match kind {
        Kind::Started => (Standing::Open, None, None),
        Kind::Waiting => (
            Standing::Open,
            phase("extract", PhaseStatus::ReadyForReview, digest, None),
            Some(approval),
        ),
        Kind::Approved => (
            Standing::Open,
            phase("extract", PhaseStatus::Completed, digest, None),
            None,
        ),
        Kind::Rejected => (
            Standing::Open,
            phase("extract", PhaseStatus::Rejected, digest, None),
            Some(Awaits::Revision {
                phase: "extract".into(),
            }),
        ),
        Kind::Held => (Standing::Held, None, Some(Awaits::Unhold)),
        Kind::Unheld => (Standing::Open, None, Some(approval)),
        Kind::Failed => (
            Standing::Open,
            phase("extract", PhaseStatus::Error, None, Some(WhyKind::Cap)),
            Some(Awaits::Retry {
                phase: "extract".into(),
            }),
        ),
        Kind::Doubt => (
            Standing::Open,
            phase("email", PhaseStatus::Approved, digest, None),
            None,
        ),
        Kind::Stuck => (Standing::Open, None, None),
        Kind::Completed => (Standing::Completed, None, None),
        Kind::Cancelled => (Standing::Cancelled, None, None),
    };
    Notification {
        key: "12".to_owned(),
        kind,
        at: "2026-11-20T09:00:01.000002Z".parse().unwrap(),
        workflow: "wq3hx7bnta".into(),
        definition: "deliver".to_owned(),
        subject: Subject {
            repository: RepositoryId(42),
            kind: SubjectKind::Issue,
            number: IssueNumber(7),
            id: None,
        },
        standing,
        phase,
        waits_for,
    }
}

fn told(notification: &Notification) -> Told<'_> {
    Told {
        notification,
        repository: "acme/shop",
        card: (notification.kind != Kind::Started).then_some(CARD),
    }
}

#[test]
fn the_schema_on_disk_is_generated_from_the_types() {
    let path = root().join("schema/notification.schema.json");
    let generated = schema();
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(&path, serde_json::to_string_pretty(&generated).unwrap() + "\n").unwrap();
    }
    let found: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap_or_default()).unwrap_or_default();
    assert!(
        found == generated,
        "schema/notification.schema.json is not what the types say; regenerate it: UPDATE_SCHEMA=1 cargo test --lib notify"
    );
    assert_eq!(generated["properties"]["schema_version"]["const"], SCHEMA_VERSION);
}

/// What receivers were once given: a field that changes its meaning or goes needs another version of the schema, and
/// then other files. `UPDATE_GOLDEN=1` writes them.
#[test]
fn each_kind_has_its_body_and_keeps_to_the_schema() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    for kind in Kind::ALL {
        let body = body::of(&told(&example(kind)), SITE);
        let value: Value = serde_json::from_slice(&body).unwrap();
        assert!(validator.is_valid(&value), "{value:#}");
        let path = root().join(format!("tests/golden/notifications/{}.json", kind.as_str()));
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, format!("{value:#}\n")).unwrap();
        }
        let golden = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(format!("{value:#}\n"), golden, "{kind:?}");
    }
    let body = body::of_a_test("2026-11-20T09:00:01Z".parse().unwrap());
    let test: Value = serde_json::from_slice(&body).unwrap();
    assert!(validator.is_valid(&test), "{test:#}");
    assert_eq!(
        test,
        json!({ "type": "endpoint.test", "timestamp": "2026-11-20T09:00:01Z", "schema_version": 1, "data": null })
    );
    // The schema says something: an unknown word, or a field that is missing, is no body.
    let good: Value = serde_json::from_slice(&body::of(&told(&example(Kind::Waiting)), SITE)).unwrap();
    for (pointer, wrong) in [
        ("/type", json!("workflow.danced")),
        ("/schema_version", json!(2)),
        ("/data/phase/status", json!("asleep")),
        ("/data/waits_for", json!({ "what": "rain" })),
        ("/data/subject", json!({ "kind": "issue" })),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(pointer).unwrap() = wrong;
        assert!(!validator.is_valid(&bad), "{pointer}");
    }
}

#[test]
fn the_page_shows_a_body_as_it_is() {
    let page = std::fs::read_to_string(root().join("docs/configuration.md")).unwrap();
    let (_, section) = page.split_once("\n## Notifications\n").unwrap();
    let (_, block) = section.split_once("```json\n").unwrap();
    let shown: Value = serde_json::from_str(block.split("```").next().unwrap()).unwrap();
    let is: Value = serde_json::from_slice(&body::of(&told(&example(Kind::Waiting)), SITE)).unwrap();
    assert_eq!(shown, is);
}

#[test]
fn each_kind_is_a_line_for_people() {
    for (kind, line) in [
        (Kind::Started, "was started"),
        (
            Kind::Waiting,
            "waits for approval of `extract` by people with maintain access, 2 of `@acme/security`, `@mona`",
        ),
        (Kind::Approved, "was approved at `extract`"),
        (
            Kind::Rejected,
            "was rejected at `extract`; it waits for `/revise`, `/retry` or `/cancel` of `extract`",
        ),
        (Kind::Held, "is held; it waits for `/unhold`"),
        (
            Kind::Unheld,
            "goes on again; it waits for approval of `extract` by people with maintain access, 2 of `@acme/security`, `@mona`",
        ),
        (
            Kind::Failed,
            "failed at `extract` by a cap on what may be spent; it waits for `/retry` or `/cancel` of `extract`",
        ),
        (
            Kind::Doubt,
            "does not know whether its mail was sent at `email`, and does not send it again",
        ),
        (
            Kind::Stuck,
            "stands still, which is a mistake of the program: `countersign doctor` says more",
        ),
        (Kind::Completed, "is complete"),
        (Kind::Cancelled, "was cancelled"),
    ] {
        let link = match kind {
            Kind::Started => "https://github.com/acme/shop/issues/7",
            _ => CARD,
        };
        let notification = example(kind);
        let slack: Value = serde_json::from_slice(&message::slack(&told(&notification), SITE)).unwrap();
        assert_eq!(
            slack,
            json!({ "text": format!("acme/shop #7: `deliver` {line}\n{link}") }),
            "{kind:?}"
        );
        let discord: Value = serde_json::from_slice(&message::discord(&told(&notification), SITE)).unwrap();
        assert_eq!(
            discord,
            json!({
                "content": format!("acme/shop #7: `deliver` {line}\n<{link}>"),
                "allowed_mentions": { "parse": [] },
            }),
            "{kind:?}"
        );
    }
}

#[test]
fn what_is_waited_for_has_its_words() {
    let waiting = |waits_for, reminders| {
        let mut notification = example(Kind::Waiting);
        notification.waits_for = Some(waits_for);
        notification.phase.as_mut().unwrap().reminders = reminders;
        let slack: Value = serde_json::from_slice(&message::slack(&told(&notification), SITE)).unwrap();
        let text = slack["text"].as_str().unwrap();
        text.lines()
            .next()
            .unwrap()
            .strip_prefix("acme/shop #7: `deliver` ")
            .unwrap()
            .to_owned()
    };
    let phase = || "work".into();
    let quorum = |text: &str| Quorum::parse(text).unwrap();
    for (awaits, line) in [
        (
            Awaits::Approval {
                phase: phase(),
                right: Right::Write,
                quorums: vec![quorum("1")],
                code_owners: false,
            },
            "waits for approval of `work` by people with write access",
        ),
        (
            Awaits::Approval {
                phase: phase(),
                right: Right::Write,
                quorums: vec![quorum("2"), quorum("1 of @acme/security")],
                code_owners: true,
            },
            "waits for approval of `work` by people with write access, 2 of them and 1 of `@acme/security`, with the owners of \
             the code",
        ),
        (
            Awaits::Edit { phase: phase() },
            "waits for an edit or a revision of `work`, which its approver rejected",
        ),
        (Awaits::Checks { phase: phase() }, "waits for the checks of `work`"),
        (Awaits::Approver { phase: phase() }, "waits for the approver of `work`"),
        (
            Awaits::Answers {
                phase: phase(),
                questions: vec![2],
            },
            "waits for answers to one question of `work`",
        ),
        (
            Awaits::Answer {
                phases: vec![phase(), "more".into()],
            },
            "waits for an answer for `work`, `more`",
        ),
        (
            Awaits::Children {
                phase: phase(),
                issues: Vec::new(),
            },
            "waits for the children of `work`",
        ),
    ] {
        assert_eq!(waiting(awaits, 0), line);
    }
    let reminded = waiting(Awaits::Unhold, 2);
    assert_eq!(reminded, "still waits for `/unhold`");
}

#[test]
fn a_subject_has_its_page() {
    for (kind, url) in [
        (SubjectKind::Issue, "https://github.com/acme/shop/issues/7"),
        (SubjectKind::PullRequest, "https://github.com/acme/shop/pull/7"),
        (SubjectKind::Discussion, "https://github.com/acme/shop/discussions/7"),
    ] {
        let mut notification = example(Kind::Started);
        notification.subject.kind = kind;
        let body: Value = serde_json::from_slice(&body::of(&told(&notification), SITE)).unwrap();
        assert_eq!(body["data"]["subject"]["url"], url);
    }
}

#[test]
fn an_id_is_the_same_for_every_attempt_and_no_other_has_it() {
    let first = example(Kind::Waiting);
    let mut others = vec![first.clone(); 3];
    others[0].key = "13".to_owned();
    others[1].workflow = "w2".into();
    // After a backup was restored the same may happen at another time.
    others[2].at += chrono::TimeDelta::microseconds(1);
    let ids: BTreeSet<String> = others.iter().chain([&first]).map(id_of).collect();
    assert_eq!(ids.len(), 4);
    assert_eq!(id_of(&first), id_of(&first.clone()));
    for id in ids {
        let random = id.strip_prefix("msg_").unwrap();
        assert!(
            random.len() == 32 && random.bytes().all(|byte| byte.is_ascii_hexdigit()),
            "{id}"
        );
    }
}

#[test]
fn an_answer_is_taken_as_standard_webhooks_has_it() {
    let none = HeaderMap::new();
    for status in [200, 201, 202, 204, 299] {
        assert_eq!(judged(status, &none), Ok(()), "{status}");
    }
    for status in [408, 425, 429, 500, 502, 503, 504, 599] {
        let busy = Failure::Busy {
            status,
            retry_after: None,
        };
        assert_eq!(judged(status, &none), Err(busy), "{status}");
    }
    for (status, says) in [
        (301, "redirects with 301"),
        (307, "redirects with 307"),
        (400, "answered 400"),
        (401, "answered 401"),
        (404, "answered 404"),
        (410, "it wants no more"),
    ] {
        let Err(Failure::Refused(why)) = judged(status, &none) else {
            panic!("{status} is refused for good");
        };
        assert!(why.contains(says), "{why}");
    }
    let mut asked = HeaderMap::new();
    asked.insert("retry-after", "120".parse().unwrap());
    let busy = Failure::Busy {
        status: 503,
        retry_after: Some(Duration::from_secs(120)),
    };
    assert_eq!(judged(503, &asked), Err(busy));
}

/// A receiver at an address with a secret in it.
fn receiver(at: &str, patience: Duration) -> Receiver {
    let endpoint = NotificationEndpoint {
        name: EndpointName::parse("ops").unwrap(),
        channel: Channel::Standard {
            url: StandardUrl::Known(format!("http://{at}/hunter2").parse().unwrap()),
            secret: SigningSecret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap(),
            previous: None,
        },
        events: Kind::ALL.into(),
        repositories: Vec::new(),
    };
    Receiver::within(&endpoint, patience).unwrap()
}

async fn try_to_tell(receiver: &Receiver) -> Failure {
    let notification = example(Kind::Completed);
    let failed = Notifier::silent().tell(receiver, told(&notification), Utc::now()).await;
    let failed = failed.unwrap_err();
    assert!(!failed.to_string().contains("hunter2"), "{failed}");
    failed
}

#[tokio::test]
async fn nobody_there_is_no_doubt_and_silence_is() {
    crate::outgoing::choose_tls();
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = closed.local_addr().unwrap().to_string();
    drop(closed);
    let unreachable = try_to_tell(&receiver(&address, PATIENCE)).await;
    assert!(matches!(unreachable, Failure::Unreachable(_)), "{unreachable:?}");

    // One that takes the request and never answers, and one that hangs up.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let held = tokio::spawn(async move {
        let (mut first, _) = silent.accept().await.unwrap();
        let mut read = [0; 1024];
        assert!(first.read(&mut read).await.unwrap() > 0);
        let (mut second, _) = silent.accept().await.unwrap();
        assert!(second.read(&mut read).await.unwrap() > 0);
        second.shutdown().await.unwrap();
        drop(second);
        first
    });
    let failed = try_to_tell(&receiver(&address, Duration::from_millis(200))).await;
    assert!(matches!(failed, Failure::BrokenOff(_)), "{failed:?}");
    let failed = try_to_tell(&receiver(&address, PATIENCE)).await;
    assert!(matches!(failed, Failure::BrokenOff(_)), "{failed:?}");
    drop(held.await.unwrap());
}
