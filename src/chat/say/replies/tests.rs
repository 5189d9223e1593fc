use super::*;
use crate::chat::say::fixtures::*;
use crate::workflow::apply::apply;
use crate::workflow::command::Refusal;
use crate::workflow::event::Event;
use crate::workflow::right::{Requirement, Right, Standing};
use crate::workflow::state::PhaseStatus;
use crate::workflow::state::Why;

#[test]
fn show() {
    let known = WhoCan::Known(vec!["alice".into(), "bob".into()]);
    let gate = at_the_tasks();
    let over = done();
    let mut onhold = at_the_tasks();
    apply(&mut onhold, &held(), at(5));
    let failing = deliver(&[running("extract"), failed("extract")]);
    let needs = Requirement {
        right: Right::Triage,
        or: &[Standing::Author, Standing::Assignee],
    };
    let p = |t: &str, s: String| println!("--- {t}\n{s}");
    p(
        "not_allowed",
        not_allowed(&NotAllowed {
            verb: "approve",
            needs: Requirement::at_least(Right::Write),
            has: Right::None,
            who: &known,
        }),
    );
    p(
        "not_allowed hold",
        not_allowed(&NotAllowed {
            verb: "hold",
            needs,
            has: Right::Read,
            who: &WhoCan::Unknown,
        }),
    );
    p("check", could_not_check("approve", "e51f", Again::WillTry));
    p("check2", could_not_check("approve", "e51f", Again::GaveUp));
    p(
        "lacks",
        app_lacks(&Lacks {
            to: "open issues",
            permission: "issues=write",
            accept_url: "https://github.com/organizations/acme/settings/installations/7/permissions/update",
        }),
    );
    p(
        "call",
        call(
            &["alice".into(), "bob".into(), "x y".into()],
            "Tasks",
            &first(),
            CARD_URL,
        ),
    );
    p("answered", call_answered(&first(), CARD_URL));
    let refusals: Vec<(&str, Refusal, &crate::workflow::state::State)> = vec![
        ("approve", Refusal::Over, &over),
        ("approve", Refusal::Held(onhold.hold.clone().unwrap()), &onhold),
        ("unhold", Refusal::NotHeld, &gate),
        (
            "approve",
            Refusal::NoOpenGate(Some(("extract".into(), PhaseStatus::Error))),
            &failing,
        ),
        (
            "approve",
            Refusal::WrongDigest {
                given: "3f9c0a417be2".into(),
                current: first(),
                void: true,
            },
            &gate,
        ),
        (
            "approve",
            Refusal::WrongDigest {
                given: "@bob".into(),
                current: first(),
                void: false,
            },
            &gate,
        ),
        ("approve", Refusal::NotShownYet, &gate),
        ("approve", Refusal::ChangedJustNow { current: first() }, &gate),
        ("unapprove", Refusal::NothingApproved, &gate),
        (
            "unapprove",
            Refusal::NotYours {
                of: person("bob"),
                needs: Right::Maintain,
            },
            &gate,
        ),
        ("unapprove", Refusal::TooLate, &gate),
        ("edit", Refusal::PartlyDone, &gate),
        ("retry", Refusal::NothingToRetry, &gate),
        ("respond", Refusal::NoAnswerAwaited, &gate),
        ("edit", Refusal::Stale { current: first() }, &gate),
        ("edit", Refusal::NoChange, &gate),
        (
            "revise",
            Refusal::CapReached {
                phase: "extract".into(),
                iterations: 10,
            },
            &gate,
        ),
    ];
    for (verb, r, state) in &refusals {
        p(
            &format!("{r:?}"),
            refusal(
                r,
                &Refused {
                    verb,
                    state: Some(state),
                    card_url: CARD_URL,
                    who: &known,
                },
            ),
        );
    }
    let scene = Scene::new(at_the_tasks(), None);
    p("status", status(&scene.view(), CARD_URL));
    p("nothing", nothing_open(Some((&"w1".into(), CARD_URL))));
    p("already", already_open(&gate, CARD_URL));
    p(
        "who",
        who(
            &[
                ("help", Requirement::ANYONE),
                ("hold", needs),
                ("deliver", Requirement::at_least(Right::Triage)),
                ("approve", Requirement::at_least(Right::Write)),
                ("status", Requirement::ANYONE),
            ],
            Some(&gate),
            &known,
        ),
    );
    let d = "d1".into();
    p(
        "explain",
        explain(
            Some(&gate),
            &[
                Happening::Recorded(&gate.record[0]),
                Happening::Heard {
                    at: at(1),
                    delivery: &d,
                    event: "issue_comment.created",
                    outcome: Heard::Nothing("no command in it"),
                },
                Happening::Heard {
                    at: at(1),
                    delivery: &d,
                    event: "x",
                    outcome: Heard::Failed("e1"),
                },
            ],
        ),
    );
    p(
        "prompt",
        prompt(&gate, &"extract".into(), "You read\n```\na thread\n```").join("\n=====\n"),
    );
    p("no_prompt", no_prompt(&gate));
    p(
        "addressed",
        addressed(
            &person("mallory"),
            &crate::workflow::state::Surface::Label {
                name: "countersign:approve".into(),
                event: 1,
            },
            "You may not.",
        ),
    );
    p("ended", ended(&over, CARD_URL));
    let mut cancelled = at_the_tasks();
    apply(
        &mut cancelled,
        &Event::Cancelled {
            by: Some(person("alice")),
            reason: "no time".into(),
        },
        at(7),
    );
    p("cancelled", ended(&cancelled, CARD_URL));
    p(
        "stopped",
        stopped(&["alice".into()], &failing, &"extract".into(), CARD_URL),
    );
    let waiting = deliver(&[
        running("extract"),
        Event::WaitsForHuman {
            phase: "extract".into(),
            why: Why::Unusable(vec!["`title` is missing".into()]),
        },
    ]);
    p(
        "waits",
        stopped(&["alice".into()], &waiting, &"extract".into(), CARD_URL),
    );
    p("rejected", answer_rejected(&["at /tasks: `title` is missing".into()]));
    p("amend", amendment_refused("edit", "there is no task `t9`", &first()));
    p(
        "restored",
        card_restored(&Tampered {
            before: "a\nTo: team\nc",
            after: "a\r\nTo: evil\r\nc",
            editor: Some("mallory"),
            current: Some(&first()),
        }),
    );
    p(
        "lost",
        approval_lost(&gate, &"extract".into(), "bob has no write access any more", CARD_URL),
    );
    p(
        "expired",
        gate_expired(
            &{
                let mut s = at_the_tasks();
                apply(
                    &mut s,
                    &Event::Rejected {
                        phase: "extract".into(),
                        by: None,
                        reason: "nobody answered".into(),
                    },
                    at(9),
                );
                s
            },
            &"extract".into(),
        ),
    );
    p(
        "config",
        configuration_broken(
            &[Mistake {
                line: 3,
                column: 7,
                message: "there is no key `mial`; did you mean `mail`?".into(),
            }],
            Some("4c1d2aa"),
        ),
    );
    p("many", too_many_tasks(73, 50));
    p("links", links_unavailable());
    p("closed", subject_closed(Some(&person("carol"))));
    p(
        "unlinked",
        unlinked_issues(&[Unlinked {
            number: crate::workflow::ids::IssueNumber(41),
            title: "Write <it>".into(),
            reason: Some("the parent has 100 sub-issues".into()),
        }]),
    );
    p(
        "nothing",
        nothing_found(&gate, &["- [ ] what is to be done", "Action: @login will do it"]),
    );
    p("internal", internal_error("e51f"));
}
