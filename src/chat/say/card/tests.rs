use proptest::prelude::*;

use super::*;
use crate::chat::say::boxes::{TickDiff, ticks, without_boxes};
use crate::chat::say::fixtures::*;
use crate::chat::say::view::{LeftOut, MailView, Selection, Source, TaskView, TasksView};
use crate::workflow::event::{Event, HoldCause};
use crate::workflow::state::{ActOutcome, Ending, Surface, Why};

#[test]
fn a_gate_of_tasks() {
    let scene = Scene::new(at_the_tasks(), Some(of_tasks(first(), tasks())));
    let rendered = card(&scene.view());
    assert_eq!(rendered.pages, Vec::<String>::new());
    assert_eq!(
        rendered.card,
        "\
### Deliver what was discussed · waiting for approval

Waiting for `alice` or `bob` (write access or more) at *Tasks* since 2025-12-04 12:02 UTC.

Workflow `w7f3a`, started by `alice` on 2025-12-04 12:00 UTC ([comment](https://github.com/acme/app/issues/12#issuecomment-1)).

| Phase | State | Since | Result |
| --- | --- | --- | --- |
| Tasks | **waiting for approval** | 2025-12-04 12:02 UTC | `a7937b64b8ca` by `rules` |
| Issues | waits for Tasks |  |  |
| Mail | waits for Issues |  |  |

#### Proposal `a7937b64b8ca`: 1 of 2 tasks

An approval opens the ticked tasks as issues in `acme/app` under #12, and creates the label `docs`.

- [x] **t1** Write the runbook — `bob`, high priority, size M, due 2025-12-19, labels `docs`, high confidence

  > Write down what to do when the login is down.

  Acceptance criteria:

  - It names who is called
  - \\[ \\] it was tried once

  `alice` [wrote](https://github.com/acme/app/issues/12#issuecomment-3):

  > Action: @\u{2060}bob will write the runbook
- [ ] **t2** Rate-limit the \\<login\\> form — after t1

Open questions:

- Who is on call?

Left out:

- maybe we should rewrite it all — nobody said that they will ([see](https://github.com/acme/app/issues/12#issuecomment-4))

**Approve exactly this:** `/approve a7937b64b8ca` — or set the label `countersign:approve`.

Or, before that:

- leave one out: untick its box
- change one: `/edit t1 title=\"…\"`
- add one: `/task title=\"…\"`

Not approved within 7 days, I ask again. Silence approves nothing.

`/revise …` to ask for another round · `/reject …` to say no · `/hold …` to pause it · `/cancel …` to end it."
    );
}

#[test]
fn a_finished_workflow_ends_with_the_record() {
    let scene = Scene::new(done(), Some(of_mail("Hello,\n```\n/approve x\n")));
    assert_eq!(
        card(&scene.view()).card,
        "\
### Deliver what was discussed · done

Workflow `w7f3a`, started by `alice` on 2025-12-04 12:00 UTC ([comment](https://github.com/acme/app/issues/12#issuecomment-1)).

| Phase | State | Since | Result |
| --- | --- | --- | --- |
| Tasks | approved by `bob` | 2025-12-04 12:06 UTC | `16367aacb67a` by `alice` |
| Issues | done | 2025-12-04 12:10 UTC | 1 issue opened, 1 link not made |
| Mail | approved by `bob` | 2025-12-04 12:16 UTC | mail sent |

#### Mail `00d8d3f11739`

**To** `team@acme.test`
**Cc** `boss@acme.test`
**Subject** What was decided in \\#\u{2060}12

  ````text
  Hello,
  ```
  /approve x

  ````

Opened:

- [#41](https://github.com/acme/app/issues/41) Write the runbook (GitHub would not take the assignee carol)

Not linked:

- [#41](https://github.com/acme/app/issues/41) as a sub-issue: the parent has 100 sub-issues

The mail was handed over as `w7f3a.1@countersign`.

#### Record

| When | Who | What | How |
| --- | --- | --- | --- |
| 2025-12-04 12:00 UTC | `alice` | started it | [comment](https://github.com/acme/app/issues/12#issuecomment-1) |
| 2025-12-04 12:04 UTC | `alice` | changed Tasks to `16367aacb67a`: “t2 left out” |  |
| 2025-12-04 12:05 UTC | `bob` | **approved** Tasks `16367aacb67a` | [comment](https://github.com/acme/app/issues/12#issuecomment-7) |
| 2025-12-04 12:14 UTC | `bob` | **approved** Mail `00d8d3f11739` | label `countersign:approve` |

`/deliver` to start a new one."
    );
}

fn after(events: &[Event]) -> Scene {
    let mut all = vec![
        running("extract"),
        proposed("extract", first(), &["issue:t1"]),
        shown("extract", first()),
    ];
    all.extend_from_slice(events);
    Scene::new(deliver(&all), Some(of_tasks(first(), tasks())))
}

fn approves(card: &str) -> bool {
    card.contains("`/approve ")
}

#[test]
fn what_cannot_be_approved_now_has_neither_approve_line_nor_boxes() {
    let cancelled = Event::Cancelled {
        surface: None,
        by: Some(person("alice")),
        reason: "no time".into(),
    };
    let approved = approved("extract", first(), comment(7));
    for (events, said) in [
        (
            vec![held()],
            "Held by `alice` since 2025-12-04 12:04 UTC: “wait for @\u{2060}carol”.",
        ),
        (vec![cancelled], "Cancelled by `alice`: “no time”."),
        (vec![approved], "approved by `bob`, being carried out"),
        // The proposal given is not the one at the gate.
        (vec![amended(second())], "waiting for approval"),
    ] {
        let card = card(&after(&events).view()).card;
        assert!(card.contains(said), "{card}");
        assert!(!approves(&card), "{card}");
        assert!(!card.contains("- [x]") && !card.contains("- [ ]"), "{card}");
    }
    let mut unseen = after(&[]);
    unseen.proposal = None;
    assert!(!approves(&card(&unseen.view()).card));
    assert!(approves(&card(&after(&[]).view()).card));
}

#[test]
fn a_new_digest_says_that_the_former_is_void() {
    let mut scene = after(&[amended(second())]);
    scene.proposal = Some(of_tasks(second(), tasks()));
    let card = card(&scene.view()).card;
    assert!(
        card.contains(&format!("The former digest `{}` is void.", first().short())),
        "{card}"
    );
    assert!(card.contains(&format!("`/approve {}`", second().short())), "{card}");
    assert!(!card.contains(&format!("/approve {}", first().short())), "{card}");
}

#[test]
fn a_phase_that_needs_a_person_says_why() {
    let waits = |why| Event::WaitsForHuman {
        phase: "extract".into(),
        why,
        guidelines: None,
    };
    let unusable = waits(Why::Unusable(vec!["at /tasks/0: `title` is missing".to_owned()]));
    for (event, said) in [
        (waits(Why::ManualProvider), "A person answers in the agent's place."),
        (
            unusable,
            "What the agent proposed could not be used:\n\n- at /tasks/0: `title` is missing.",
        ),
        (failed("extract"), "It failed: GitHub answered 422."),
    ] {
        let scene = Scene::new(deliver(&[running("extract"), event]), None);
        let card = card(&scene.view()).card;
        assert!(card.contains(said), "{card}");
        assert!(
            card.contains("Waiting for `alice` or `bob` at *Tasks* since 2025-12-04 12:02 UTC."),
            "{card}"
        );
        assert!(card.contains("`/respond extract` to answer it"), "{card}");
    }
}

#[test]
fn mail_that_is_not_configured_names_the_key() {
    let ended = Event::PhaseCompleted {
        phase: "email".into(),
        ending: Ending::NotConfigured {
            key: "mail.to".to_owned(),
        },
    };
    let scene = Scene::new(deliver(&[running("email"), ended]), None);
    let card = card(&scene.view()).card;
    assert!(card.contains("| Mail | not configured |"), "{card}");
    assert!(card.contains("Set `mail.to` in `.github/countersign.yml`."), "{card}");
}

/// Pages and cards are never longer than this.
fn fits(rendered: &Rendered) {
    for text in rendered.pages.iter().chain([&rendered.card]) {
        assert!(units(text) <= LONGEST, "{} units", units(text));
    }
}

#[test]
fn a_long_body_stands_in_full_on_pages_before_it_can_be_approved() {
    let mut scene = after(&[]);
    let mut long = tasks();
    let words: Vec<String> = (0..13_000).map(|number| format!("w{number}")).collect();
    long.tasks[0].body = words.join(" ");
    assert!(long.tasks[0].body.len() > 65_000);
    scene.proposal = Some(of_tasks(first(), long));
    let before = card(&scene.view());
    fits(&before);
    assert_eq!(before.pages.len(), 2);
    assert!(!approves(&before.card), "{}", before.card);
    assert!(
        before
            .card
            .contains("All of it is being written on 2 pages; it can be approved then.")
    );
    assert!(before.pages[1].starts_with("**Page 2 of 2 of proposal `a7937b64b8ca`** · workflow `w7f3a`\n\n"));
    let pages = before.pages.join("\n");
    let said: std::collections::HashSet<&str> = pages.split_whitespace().collect();
    let missing: Vec<&String> = words.iter().filter(|word| !said.contains(word.as_str())).collect();
    assert!(missing.is_empty(), "{missing:?}");

    let partly = scene.posted(1);
    assert!(!approves(&card(&partly.view()).card));
    let posted = partly.posted(2);
    let card = card(&posted.view());
    assert_eq!(card.pages, before.pages);
    assert!(approves(&card.card));
    assert!(card.card.contains(
        "All of it stands on 2 pages: [1](https://github.com/acme/app/issues/12#issuecomment-101), \
         [2](https://github.com/acme/app/issues/12#issuecomment-102)."
    ));
}

#[test]
fn pages_of_another_proposal_do_not_count() {
    let mut scene = after(&[]);
    let mut long = tasks();
    long.tasks[0].body = "é".repeat(65_000);
    scene.proposal = Some(of_tasks(first(), long));
    let needed = card(&scene.view()).pages.len();
    let mut scene = scene.posted(needed);
    scene.pages.as_mut().unwrap().digest = second();
    assert!(!approves(&card(&scene.view()).card));
}

#[test]
fn three_hundred_tasks_with_any_script_have_a_box_each() {
    let mut scene = after(&[]);
    let title = "السلام عليكم 🦀🚀 @carol <b> | `x` ".repeat(8);
    let many: Vec<TaskView> = (1..=300)
        .map(|number| TaskView {
            body: "A body of some length, with @carol in it.\n".repeat(10),
            ..task(&format!("t{number}"), &title)
        })
        .collect();
    scene.proposal = Some(of_tasks(first(), TasksView { tasks: many, ..tasks() }));
    let rendered = card(&scene.view());
    fits(&rendered);
    assert!(rendered.card.contains("#### Proposal `a7937b64b8ca`: 300 tasks"));
    for number in 1..=300 {
        assert!(rendered.card.contains(&format!("\n- [x] **t{number}** ")));
        let on_pages = rendered
            .pages
            .iter()
            .filter(|page| page.contains(&format!("#### **t{number}** ")))
            .count();
        assert!(on_pages >= 1, "t{number} stands on a page");
    }
    for text in rendered.pages.iter().chain([&rendered.card]) {
        assert_eq!(live(text, &[HOST]), Vec::<String>::new());
    }
}

#[test]
fn what_was_decided_is_not_paged_any_more() {
    let mut scene = after(&[approved("extract", first(), comment(7))]);
    let mut long = tasks();
    long.tasks[0].body = "é".repeat(65_000);
    scene.proposal = Some(of_tasks(first(), long));
    let rendered = card(&scene.view());
    fits(&rendered);
    assert_eq!(rendered.pages, Vec::<String>::new());
    assert!(!rendered.card.contains("page"), "{}", rendered.card);
    assert!(
        card(&scene.posted(3).view())
            .card
            .contains("All of it stands on 3 pages")
    );
}

#[test]
fn a_long_mail_stands_on_pages() {
    let state = deliver(&[running("email"), proposed("email", mailing(), &["mail"])]);
    let text: String = (0..9_000).map(|number| format!("line {number}\n")).collect();
    let scene = Scene::new(state, Some(of_mail(&text)));
    let rendered = card(&scene.view());
    fits(&rendered);
    assert!(!approves(&rendered.card));
    assert!(rendered.card.contains("**To** `team@acme.test`"));
    let pages = rendered.pages.concat();
    let lines: std::collections::HashSet<&str> = pages.lines().collect();
    assert!((0..9_000).all(|number| lines.contains(format!("  line {number}").as_str())));
    assert!(approves(&card(&scene.posted(rendered.pages.len()).view()).card));
}

#[test]
fn three_hundred_outcomes_and_a_long_record_fit() {
    let mut events = vec![running("tickets")];
    for number in 1..=300 {
        let title = "🦀".repeat(256);
        events.push(acted(
            "tickets",
            &format!("issue:t{number}"),
            opened(number, &title, &["the label x"]),
        ));
        let refused = ActOutcome::NotLinked {
            reason: "x".repeat(900),
        };
        events.push(acted("tickets", &format!("link:t{number}"), refused));
        events.extend([
            held(),
            Event::Unheld {
                surface: None,
                by: person("bob"),
            },
        ]);
    }
    events.push(Event::Cancelled {
        surface: None,
        by: None,
        reason: "the issue was deleted".into(),
    });
    let rendered = card(&Scene::new(deliver(&events), None).view());
    fits(&rendered);
    assert!(rendered.card.contains("#300"));
    assert!(
        rendered
            .card
            .contains("Cancelled by countersign: “the issue was deleted”.")
    );
    assert!(rendered.card.contains("more"));
}

#[test]
fn boxes_of_a_card_can_be_read_back() {
    let scene = after(&[]);
    let before = card(&scene.view()).card;
    let after = before.replace("- [x] **t1**", "- [ ] **t1**").replace('\n', "\r\n");
    assert_eq!(ticks(&before, &after), TickDiff::Ticked(vec![("t1".to_owned(), false)]));
    assert_eq!(without_boxes(&before), without_boxes(&after));
    // A criterion that looks like a box is none.
    let forged = before.replace("\\[ \\] it was", "[x] it was");
    assert_ne!(forged, before);
    assert_eq!(ticks(&before, &forged), TickDiff::Other);
}

const HOST: &str = "https://github.com/";

/// Any event about any phase, whatever came before: the fold takes all of them.
fn any_event() -> impl Strategy<Value = Event> {
    let phase = prop::sample::select(vec!["extract", "tickets", "email"]);
    let digest = prop::sample::select(vec![first(), second(), mailing()]);
    let text = prop::sample::select(HOSTILE.to_vec());
    (0..19_u8, phase, digest, text).prop_map(|(kind, phase, digest, text)| {
        let by = person("bob");
        let id: PhaseId = phase.into();
        match kind {
            0 => running(phase),
            1 | 2 => proposed(phase, digest, &["a", "b"]),
            3 => shown(phase, digest),
            4 => approved(phase, digest, Surface::Box),
            5 => Event::Unapproved {
                surface: None,
                phase: id,
                of: None,
                by,
            },
            17 => Event::VoteWithdrawn {
                surface: None,
                phase: id,
                of: by.clone(),
                by,
            },
            18 => match approved(phase, digest, Surface::Box) {
                Event::Approved { phase, approval, .. } => Event::Voted { phase, approval },
                other => other,
            },
            6 => Event::ApprovalLost {
                phase: id,
                reason: text.to_owned(),
            },
            7 => Event::Rejected {
                surface: None,
                phase: id,
                by: Some(by),
                reason: text.into(),
            },
            8 => Event::Revised {
                surface: None,
                phase: id,
                by,
                text: text.into(),
                said_at: at(0),
            },
            9 => Event::WaitsForHuman {
                phase: id,
                why: Why::Unusable(vec![text.to_owned()]),
                guidelines: None,
            },
            10 => Event::Failed {
                phase: id,
                why: Why::Failed(text.to_owned()),
            },
            11 => acted(phase, text, opened(9, text, &[text])),
            12 => acted(
                phase,
                text,
                ActOutcome::NotLinked {
                    reason: text.to_owned(),
                },
            ),
            13 => Event::PhaseCompleted {
                phase: id,
                ending: Ending::Nothing {
                    reason: text.to_owned(),
                },
            },
            14 => Event::Held {
                surface: None,
                by: None,
                reason: text.into(),
                cause: HoldCause::Asked,
            },
            15 => Event::Unheld { surface: None, by },
            _ => Event::Cancelled {
                surface: None,
                by: Some(by),
                reason: text.into(),
            },
        }
    })
}

fn any_text() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(HOSTILE.to_vec()), 1..4).prop_map(|texts| texts.join(" "))
}

/// Addresses are the host's; what people wrote comes into them at most as a part.
fn address(text: &str) -> String {
    format!("{HOST}{text}")
}

fn any_task(number: usize) -> impl Strategy<Value = TaskView> {
    (
        any_text(),
        any_text(),
        any_text(),
        any_text(),
        any::<bool>(),
        1..200_usize,
    )
        .prop_map(move |(title, body, quote, name, on, times)| TaskView {
            selection: if on { Selection::On } else { Selection::Off },
            body: format!("{body}\n").repeat(times),
            acceptance_criteria: vec![quote.clone(), title.clone()],
            assignee: Some(name.clone()),
            labels: vec![name.clone()],
            priority: Some(name.clone()),
            depends_on: vec![name.clone()],
            sources: vec![Source {
                author: name.clone(),
                url: address(&name),
                quote,
            }],
            added_by: Some(name),
            ..task(&format!("t{number}"), &title)
        })
}

fn any_shown() -> impl Strategy<Value = Shown> {
    let tasks = prop::collection::vec(any_task(1), 0..20).prop_map(|mut tasks| {
        for (at, task) in tasks.iter_mut().enumerate() {
            task.key = format!("t{}", at + 1);
        }
        tasks
    });
    let tasks = (tasks, any_text()).prop_map(|(tasks, text)| {
        Shown::Tasks(TasksView {
            tasks,
            tracking: None,
            new_labels: vec![text.clone()],
            left_out: vec![LeftOut {
                what: text.clone(),
                why: text.clone(),
                url: Some(address(&text)),
            }],
            questions: vec![text],
        })
    });
    let mail = (any_text(), 1..3_000_usize).prop_map(|(text, times)| {
        Shown::Mail(MailView {
            to: vec![text.clone()],
            cc: vec![text.clone()],
            subject: text.clone(),
            text: format!("{text}\n").repeat(times),
        })
    });
    prop_oneof![3 => tasks, 1 => mail]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn any_card_fits_and_is_harmless_and_is_approved_only_when_all_is_shown(
        mut events in prop::collection::vec(any_event(), 0..14),
        at_the_gate in any::<bool>(),
        shown in any_shown(),
        phase in prop::sample::select(vec!["extract", "email"]),
        digest in prop::sample::select(vec![first(), second(), mailing()]),
        posted in 0..4_usize,
        note in any_text(),
    ) {
        if at_the_gate {
            events.retain(|event| !matches!(event, Event::Held { .. } | Event::Cancelled { .. }));
            events.push(proposed(phase, digest, &["a"]));
        }
        let mut scene = Scene::new(deliver(&events), Some(ProposalView { phase: phase.into(), digest, shown }));
        scene.notes = vec![Note::Said(note.clone()), Note::Forms("- `Action: …`")];
        scene.providers.insert(phase.into(), note.clone());
        scene.asked.push(note);
        let needed = card(&scene.view()).pages.len();
        // None, the right number, or one too few.
        let scene = match posted {
            0 => scene,
            1 => scene.posted(needed.saturating_sub(1)),
            _ => scene.posted(needed),
        };
        let rendered = card(&scene.view());
        fits(&rendered);
        prop_assert_eq!(rendered.pages.len(), needed);
        for text in rendered.pages.iter().chain([&rendered.card]) {
            prop_assert_eq!(live(text, &[HOST]), Vec::<String>::new(), "{}", text);
        }
        let state = &scene.state;
        let open = state.status == Status::Open && state.hold.is_none();
        let at_gate = state.open_gate().is_some_and(|(id, _, pending)| id.as_str() == phase && pending.digest == digest);
        let all_shown = needed == 0 || posted > 1;
        let line = format!("`/approve {}`", digest.short());
        prop_assert_eq!(rendered.card.contains(&line), open && at_gate && all_shown, "{}", rendered.card);
        prop_assert_eq!(approves(&rendered.card), open && at_gate && all_shown);
        prop_assert_eq!(ticks(&rendered.card, &rendered.card.replace('\n', "\r\n")), TickDiff::Same);
    }
}
