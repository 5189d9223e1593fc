use proptest::prelude::*;

use super::*;
use crate::chat::say::fixtures::*;
use crate::chat::say::markup::units;
use crate::chat::say::pages::LONGEST;
use crate::workflow::command::Refusal;
use crate::workflow::event::{Event, HoldCause};
use crate::workflow::ids::IssueNumber;
use crate::workflow::right::{Requirement, Right, Standing};
use crate::workflow::state::{Surface, Why};
use crate::workflow::unanswered::{Astray, OpenPrompt};

const HOLDERS: Requirement = Requirement {
    right: Right::Triage,
    or: &[Standing::Author, Standing::Assignee],
};
const WRITERS: Requirement = Requirement::at_least(Right::Write);

fn known() -> WhoCan {
    WhoCan::Known(vec!["alice".to_owned(), "bob".to_owned()])
}

#[test]
fn the_right_is_missing() {
    let refused = |verb, needs, has, who: &WhoCan| {
        let who = people::who_can(who);
        not_allowed(&NotAllowed { verb, needs, has, who })
    };
    assert_eq!(
        refused("approve", WRITERS, Right::None, &known()),
        "You may not: `/approve` needs write access on the repository. You have no access beyond what everybody has. Who can: `alice` and `bob`. `/who` says who may do what."
    );
    assert_eq!(
        refused("hold", HOLDERS, Right::Read, &WhoCan::Unknown),
        "You may not: `/hold` needs triage access on the repository, or being its author or assignee. You have read access. I could not find out who can. `/who` says who may do what."
    );
    let nobody = refused("approve", WRITERS, Right::Read, &WhoCan::Known(Vec::new()));
    assert!(nobody.contains("I know of nobody who can right now."), "{nobody}");
    let crowd = WhoCan::Known((0..25).map(|number| format!("p{number}")).collect());
    let crowd = refused("approve", WRITERS, Right::Read, &crowd);
    assert!(crowd.contains("`p19` and 5 more."), "{crowd}");
}

#[test]
fn what_could_not_be_checked_is_neither_yes_nor_no() {
    assert_eq!(
        could_not_check("approve", "e51f", Again::WillTry),
        "I could not check whether you may: GitHub did not answer. That is neither yes nor no. I will try again by myself and then act on `/approve`, or say why not. (error `e51f`)"
    );
    assert_eq!(
        could_not_check("approve", "e51f", Again::GaveUp),
        "I could not check whether you may, and have stopped trying: GitHub did not answer. Nothing was done. (error `e51f`) Please comment `/approve` again."
    );
}

#[test]
fn what_the_app_lacks_and_where_it_is_accepted() {
    let accept_url = "https://github.com/organizations/acme/settings/installations/7/permissions/update";
    let lacks = Lacks {
        to: "open issues",
        permission: "issues=write",
        accept_url,
        again: "retry",
    };
    assert_eq!(
        app_lacks(&lacks),
        "I could not open issues: my installation lacks the permission `issues=write`. An owner accepts it in [the installation's settings](https://github.com/organizations/acme/settings/installations/7/permissions/update). After that: `/retry`"
    );
    assert!(
        app_lacks(&Lacks {
            permission: "",
            ..lacks
        })
        .contains("lacks a permission.")
    );
    // Where GitHub does not tell the address, there is no link without one.
    let unlinked = app_lacks(&Lacks {
        accept_url: "",
        ..lacks
    });
    assert!(
        unlinked.contains("accepts it in the installation's settings. After"),
        "{unlinked}"
    );
    assert_eq!(
        why_app_lacks("issues=write", ""),
        "my installation lacks the permission `issues=write`, which an owner accepts in the installation's settings"
    );
}

#[test]
fn people_are_called_by_name_and_nobody_else_is() {
    let people = ["alice", "bob", "x y", "carol@evil", "acme/team", "dan_acme"].map(str::to_owned);
    let gate = at_the_tasks();
    let called = |people: &[String]| call(people, &gate, &"extract".into(), CARD_URL);
    assert_eq!(
        called(&people[..3]),
        "@alice @bob: *Tasks* waits for you. What would be done, and the line that approves it, stand on \
         [the card](https://github.com/acme/app/issues/12#issuecomment-5)."
    );
    assert!(called(&people[2..]).starts_with("@dan_acme: *Tasks* waits for you."));
    assert!(called(&[]).starts_with("*Tasks* waits for approval."));
}

#[test]
fn how_it_stands() {
    let gate = at_the_tasks();
    let scene = Scene::new(at_the_tasks(), None);
    assert_eq!(status(&scene.view(), CARD_URL), "**Deliver what was discussed: waiting for approval.**

Waiting for `alice` or `bob` (write access or more) at *Tasks* since 2025-12-04 12:02 UTC.

Workflow `w7f3a`, started by `alice` on 2025-12-04 12:00 UTC ([comment](https://github.com/acme/app/issues/12#issuecomment-1)).

| Phase | State | Since | Result |
| --- | --- | --- | --- |
| Tasks | **waiting for approval** | 2025-12-04 12:02 UTC | `a7937b64b8ca` by `rules` |
| Issues | waits for Tasks |  |  |
| Mail | waits for Issues |  |  |

Everything stands on [the card](https://github.com/acme/app/issues/12#issuecomment-5).

`/approve a7937b64b8ca` to approve exactly this · `/revise …` to ask for another round · `/reject …` to say no · `/hold …` to pause it · `/cancel …` to end it.");
    assert_eq!(
        nothing_open(Some((&"w1".into(), CARD_URL))),
        "No workflow is open here. The last was `w1`: [its record](https://github.com/acme/app/issues/12#issuecomment-5). To start one: `/deliver`"
    );
    assert_eq!(nothing_open(None), "No workflow is open here. To start one: `/deliver`");
    assert_eq!(
        already_open(&gate, CARD_URL),
        "One is open here already: `w7f3a`, started on 2025-12-04 12:00 UTC; see [its card](https://github.com/acme/app/issues/12#issuecomment-5). To start another, end it first: `/cancel …`"
    );
}

#[test]
fn who_may_do_what_and_who_can_decide_now() {
    let verbs = [
        ("help", Requirement::ANYONE),
        ("hold", HOLDERS),
        ("deliver", Requirement::at_least(Right::Triage)),
        ("approve", WRITERS),
        ("status", Requirement::ANYONE),
    ];
    let named = ["alice".to_owned(), "bob".to_owned()];
    assert_eq!(
        who(&verbs, Some(&at_the_tasks()), Some(&gate_of(&named)), None),
        "| Commands | Need |
| --- | --- |
| `/help` `/status` | nothing |
| `/hold` | triage access on the repository, or being its author or assignee |
| `/deliver` | triage access on the repository |
| `/approve` | write access on the repository |

*Tasks* is waiting for approval. Who can decide now: `alice` and `bob`.

How it stands: `/status`"
    );
    for state in [None, Some(&cancelled())] {
        let said = who(&verbs, state, None, None);
        assert!(said.contains("Nothing is waiting for approval now."), "{said}");
    }
    assert!(who(&verbs, Some(&at_the_tasks()), None, None).contains("I could not find out who can decide."));
}

#[test]
fn what_happened_is_explained_from_record_and_deliveries() {
    let gate = at_the_tasks();
    let heard = |what, outcome| Happening::Heard {
        at: at(1),
        by: Some("mallory"),
        what,
        url: matches!(what, Told::Command(_) | Told::Comment).then_some(CARD_URL),
        outcome,
    };
    let refusal = "You may not: `/approve` needs write access. Who can: `alice`.\n\n- one: 0 of 1";
    let happened = [
        Happening::Recorded(&gate.record[0]),
        heard(Told::Comment, Heard::Nothing("no command in it")),
        heard(Told::Label("countersign:approve"), Heard::Failed("e1")),
        heard(Told::Closing, Heard::Waiting),
        heard(Told::Command("status"), Heard::Answered),
        heard(Told::Command("approve"), Heard::Refused(Some(refusal))),
        heard(Told::Command("edit"), Heard::Refused(Some("a|b"))),
    ];
    assert_eq!(
        explain(Some(&gate), &happened, None),
        "| When | Who | What | What came of it |
| --- | --- | --- | --- |
| 2025-12-04 12:00 UTC | `alice` | started it | [comment](https://github.com/acme/app/issues/12#issuecomment-1) |
| 2025-12-04 12:01 UTC | `mallory` | [a comment](https://github.com/acme/app/issues/12#issuecomment-5) | nothing: no command in it |
| 2025-12-04 12:01 UTC | `mallory` | the label `countersign:approve` | failed (error `e1`) |
| 2025-12-04 12:01 UTC | `mallory` | closed it | waits for its turn |
| 2025-12-04 12:01 UTC | `mallory` | [`/status`](https://github.com/acme/app/issues/12#issuecomment-5) | answered |
| 2025-12-04 12:01 UTC | `mallory` | [`/approve`](https://github.com/acme/app/issues/12#issuecomment-5) | refused: You may not: `/approve` needs write access. Who can: `alice`. |
| 2025-12-04 12:01 UTC | `mallory` | [`/edit`](https://github.com/acme/app/issues/12#issuecomment-5) | refused |

How it stands: `/status`"
    );
    assert!(explain(None, &[], None).starts_with("I have heard of nothing here"));
    let many = vec![heard(Told::Other, Heard::Done); 23];
    assert!(explain(None, &many, None).contains("\n\n3 lines more.\n\n"));
    assert_eq!(
        explain_comment(Some(&gate), &happened[5..6], None),
        "| When | Who | What | What came of it |
| --- | --- | --- | --- |
| 2025-12-04 12:01 UTC | `mallory` | [`/approve`](https://github.com/acme/app/issues/12#issuecomment-5) | refused |

I refused `/approve` with these words:

> You may not: `/approve` needs write access. Who can: `alice`.
>
> - one: 0 of 1

How it stands: `/status`"
    );
}

#[test]
fn a_prompt_is_shown_with_how_to_answer_it() {
    let gate = at_the_tasks();
    let phase = "extract".into();
    let waits = first();
    assert_eq!(
        prompt(&gate, (&phase, Some(&waits)), "You read\n```\na thread\n```"),
        ["The prompt `a7937b64b8ca` of *Tasks*.

<details><summary>Show the prompt</summary>

  ````text
  You read
  ```
  a thread
  ```
  ````

</details>

Give it to a person or a model of your choice. The answer goes into a comment of this form:

  ````
  /respond extract a7937b64b8ca
  ```json
  { … }
  ```
  ````"]
    );
    let long = "`".repeat(65_000);
    let parts = prompt(&gate, (&phase, Some(&waits)), &long);
    assert_eq!(parts.len(), 4);
    assert!(parts.iter().all(|part| units(part) <= LONGEST));
    assert!(parts[1].starts_with("The prompt `a7937b64b8ca` of *Tasks*, part 2 of 4."));
    assert!(!parts[1].contains("/respond") && parts[3].contains("  /respond extract "));
    assert!(
        !prompt(&gate, (&phase, None), "You read")[0].contains("/respond"),
        "it waits for approval"
    );
    assert_eq!(
        no_prompt(&gate),
        "No prompt is waiting for an answer. `/approve a7937b64b8ca` to approve exactly this · `/revise …` to ask for another round · `/reject …` to say no · `/hold …` to pause it · `/cancel …` to end it."
    );
}

#[test]
fn an_answer_to_a_label_names_whom_it_answers() {
    let label = Surface::Label {
        name: "countersign:approve".to_owned(),
        event: Some(1),
    };
    assert_eq!(
        addressed(&person("mallory"), &label, "You may not."),
        "To `mallory` (label `countersign:approve`): You may not."
    );
}

#[test]
fn the_end_says_what_came_of_it() {
    assert_eq!(
        ended(&[], &done(), CARD_URL),
        "Done. Opened: [#41](https://github.com/acme/app/issues/41). The mail was sent. Who approved what stands on [the card](https://github.com/acme/app/issues/12#issuecomment-5). To start another: `/deliver`"
    );
    assert_eq!(
        ended(&[], &cancelled(), CARD_URL),
        "Cancelled by `alice`: “no time”. Nothing was opened or sent. Who approved what stands on [the card](https://github.com/acme/app/issues/12#issuecomment-5). To start another: `/deliver`"
    );
    let opened = deliver(&[
        running("tickets"),
        acted("tickets", "issue:t1", opened(41, "Runbook", &[])),
        Event::Cancelled {
            surface: None,
            by: None,
            reason: "gone".into(),
        },
    ]);
    assert!(ended(&[], &opened, CARD_URL).contains("What was opened stays: [#41]("));
}

#[test]
fn a_phase_that_stopped_calls_people() {
    let phase = "extract".into();
    let people = ["alice".to_owned()];
    assert_eq!(stopped(&people, &failing(), &phase, CARD_URL), "@alice: *Tasks* failed, see [the card](https://github.com/acme/app/issues/12#issuecomment-5).

It failed: GitHub answered 422.

`/retry` to try again · `/revise …` to ask for another round · `/prompt` to see what is asked · `/respond extract` to answer it in a fenced block · `/hold …` to pause it · `/cancel …` to end it.");
    let waits = Event::WaitsForHuman {
        phase: phase.clone(),
        why: Why::Unusable(vec!["`title` is missing".to_owned()]),
        guidelines: None,
    };
    let waiting = deliver(&[running("extract"), waits]);
    assert_eq!(stopped(&people, &waiting, &phase, CARD_URL), "@alice: *Tasks* needs a person, see [the card](https://github.com/acme/app/issues/12#issuecomment-5).

What the agent proposed could not be used:

- `title` is missing.

`/retry` to try again · `/revise …` to ask for another round · `/prompt` to see what is asked · `/respond extract` to answer it in a fenced block · `/hold …` to pause it · `/cancel …` to end it.");
}

#[test]
fn answers_and_edits_that_do_not_pass_change_nothing() {
    assert_eq!(
        answer_rejected(&failing(), &extract(), &["at /tasks: `title` is missing".to_owned()]),
        "That answer could not be used. Nothing is lost, and nothing has changed.

- at /tasks: `title` is missing.

What is asked: `/prompt extract` — put it right and answer again: `/respond extract a7937b64b8ca`"
    );
    assert!(answer_rejected(&failing(), &extract(), &vec!["no".to_owned(); 30]).contains("\n- 10 more\n"));
    assert_eq!(
        amendment_refused("edit", "there is no task `t9`", &first()),
        "I changed nothing: there is no task `t9`. `a7937b64b8ca` is still what is shown. How it is typed: `/help edit`"
    );
}

/// The prompt of the tasks, while it waits for an answer by hand.
fn extract() -> OpenPrompt {
    OpenPrompt {
        phase: "extract".into(),
        iteration: 1,
        attempt: 1,
        prompt: first(),
    }
}

#[test]
fn an_answer_to_another_prompt_hears_what_is_expected() {
    let state = failing();
    let other = Astray::OtherPrompt("3f9c0a417be2".to_owned(), vec![extract()]);
    assert_eq!(
        answer_astray(&state, &other),
        "No prompt `3f9c0a417be2` waits for an answer. Nothing has changed.

Expected now:

- Tasks, round 1: `/respond extract a7937b64b8ca`"
    );
    let none = Astray::NotAwaited("mail".into(), Vec::new());
    let said = answer_astray(&state, &none);
    assert!(
        said.contains("waits for no answer") && said.contains("No answer is expected now."),
        "{said}"
    );
    let several = Astray::Several(vec![extract()]);
    assert_eq!(
        prompt_astray(&state, &several),
        "Several prompts wait for an answer, so name the one that you mean. To see one: `/prompt extract` for *Tasks*."
    );
}

#[test]
fn a_restored_card_names_the_change_and_its_editor() {
    let current = first();
    let tampered = Tampered {
        before: "a\nTo: team\nc",
        after: "a\r\nTo: evil\r\nc",
        editor: Some("mallory"),
        current: Some(&current),
    };
    assert_eq!(
        card_restored(&tampered),
        "I have put the card back as I wrote it. `mallory` changed it:

  ```diff
  -To: team
  +To: evil
  ```

Look at it again. An approval that was given meanwhile does not count and has to be repeated: `/approve a7937b64b8ca`"
    );
    let unknown = Tampered {
        after: "c\nTo: team\na",
        editor: None,
        current: None,
        ..tampered
    };
    let said = card_restored(&unknown);
    assert!(
        said.contains("GitHub does not say by whom:\n\n  ```diff\n   (only the order of lines)\n"),
        "{said}"
    );
    assert!(said.ends_with("How it stands: `/status`"), "{said}");
}

#[test]
fn approvals_that_no_longer_count_say_why() {
    let phase = "extract".into();
    let reason = "bob has no write access any more";
    assert_eq!(
        approval_lost(&at_the_tasks(), &phase, reason, CARD_URL),
        "The approval of *Tasks* no longer counts: bob has no write access any more. Nothing more is done under it, see [the card](https://github.com/acme/app/issues/12#issuecomment-5). To approve it anew: `/approve a7937b64b8ca`"
    );
    let expired = Event::Rejected {
        surface: None,
        phase: "extract".into(),
        by: None,
        reason: "nobody answered".into(),
    };
    assert_eq!(
        gate_expired(&and_then(at_the_tasks(), expired), &phase),
        "The time of *Tasks* ran out before it was approved, so it is rejected. Silence approves nothing. `/retry` to try again · `/revise …` to ask for another round · `/hold …` to pause it · `/cancel …` to end it."
    );
}

#[test]
fn what_keeps_a_workflow_from_beginning_is_named() {
    assert_eq!(
        configuration_is_broken(".github/countersign.yml", "line 3, column 7: there is no key `mial`"),
        "`.github/countersign.yml` cannot be used: line 3, column 7: there is no key `mial`. The last good \
         configuration stays in force. Put it right on the default branch, and it is read at once."
    );
    assert_eq!(
        subject_is_closed("deliver"),
        "This is closed, so I start nothing on it. Reopen it, then: `/deliver`"
    );
    assert_eq!(
        unknown_definition("delvier", &["deliver", "tasks"]),
        "There is no definition `delvier`. There are `deliver` and `tasks`. Did you mean: `/run deliver`"
    );
}

#[test]
fn a_card_that_is_not_what_was_written_approves_nothing() {
    let current = first();
    assert_eq!(
        boxes_differ(Some(&current)),
        "The boxes on the card were not what I would have done, so I approved nothing and have drawn it anew. Look at \
         it, then: `/approve a7937b64b8ca`"
    );
    assert_eq!(
        card_was_deleted(None),
        "The card was deleted, so nobody could see what was approved; I have posted it anew. How it stands: `/status`"
    );
}

#[test]
fn what_was_closed_is_said() {
    assert_eq!(
        subject_closed(Some(&person("carol"))),
        "`carol` closed this, so I have put the workflow on hold. To let it go on: `/unhold` — to end it: `/cancel …`"
    );
    assert!(subject_closed(None).starts_with("This was closed, so I have"));
}

#[test]
fn issues_that_could_not_be_linked_are_listed_and_fit() {
    let issue = |number, title: &str| Unlinked {
        number: IssueNumber(number),
        title: title.to_owned(),
        reason: Some("the parent has 100 sub-issues".to_owned()),
    };
    assert_eq!(
        unlinked_issues(&[issue(41, "Write <it>")]),
        "Opened for this, but not as a sub-issue:

- [ ] #41 Write \\<it\\> (the parent has 100 sub-issues)"
    );
    let many: Vec<Unlinked> = (1..=300).map(|number| issue(number, &"🦀".repeat(256))).collect();
    let said = unlinked_issues(&many);
    assert!(units(&said) <= LONGEST && said.ends_with(" more"), "{}", units(&said));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn nothing_that_is_repeated_does_anything(
        a in prop::sample::select(HOSTILE.to_vec()),
        b in prop::sample::select(HOSTILE.to_vec()),
    ) {
        let text = format!("{a} {b}");
        let texts = [text.clone(), b.to_owned()];
        let (gate, current) = (at_the_tasks(), first());
        let mallory = person(&text);
        let phase = "extract".into();
        let who_can = WhoCan::Known(texts.to_vec());
        let hold = Event::Held { surface: None, by: Some(mallory.clone()), reason: text.as_str().into(), cause: HoldCause::Asked };
        let held = and_then(at_the_tasks(), hold);
        let end = Event::Cancelled { surface: None, by: Some(mallory.clone()), reason: text.as_str().into() };
        let why = Event::Failed { phase: "extract".into(), why: Why::Failed(text.clone()) };
        let failed = and_then(deliver(&[running("extract")]), why);
        let heard = Happening::Heard { at: at(0), by: Some(&text), what: Told::Label(&text), url: Some(&text), outcome: Heard::Nothing(&text) };
        let about = Refused { verb: "approve", state: Some(&held), card_url: CARD_URL, who: &who_can, gate: None };
        let wrong = Refusal::WrongDigest { given: text.clone(), current, void: false, choice: None };
        let theirs = Refusal::NotYours { of: mallory.clone(), needs: Right::Maintain };
        let unlinked = Unlinked { number: IssueNumber(1), title: text.clone(), reason: Some(text.clone()) };
        let tampered = Tampered { before: &text, after: b, editor: Some(&text), current: None };
        let mut said = vec![
            not_allowed(&NotAllowed { verb: "approve", needs: WRITERS, has: Right::None, who: people::who_can(&who_can) }),
            could_not_check("approve", &text, Again::WillTry),
            app_lacks(&Lacks { to: &text, permission: &text, accept_url: &text, again: &text }),
            call(&texts, &gate, &phase, &text),
            refusal(&Refusal::Held(held.hold.clone().unwrap()), &about),
            refusal(&wrong, &about),
            refusal(&theirs, &about),
            refusal(&Refusal::Over, &Refused { state: Some(&and_then(at_the_tasks(), end)), ..about }),
            status(&Scene::new(held.clone(), None).view(), CARD_URL),
            already_open(&gate, &text),
            who(&[("approve", WRITERS)], Some(&gate), Some(&gate_of(&texts)), None),
            explain(Some(&held), &[heard, Happening::Recorded(held.record.last().unwrap())], None),
            addressed(&mallory, &Surface::Label { name: text.clone(), event: Some(1) }, "no"),
            stopped(&texts, &failed, &phase, CARD_URL),
            answer_rejected(&failed, &extract(), &texts),
            answer_astray(&failed, &Astray::NoSuchPhase(text.clone(), vec![extract()])),
            answer_astray(&failed, &Astray::OtherPrompt(text.clone(), Vec::new())),
            amendment_refused("edit", &text, &current),
            card_restored(&tampered),
            approval_lost(&gate, &phase, &text, CARD_URL),
            configuration_is_broken(&text, &text), unknown_definition(&text, &[&text]),
            subject_closed(Some(&mallory)),
            unlinked_issues(&[unlinked]),
        ];
        said.extend(prompt(&gate, (&phase, Some(&current)), &text));
        for said in said {
            prop_assert_eq!(live(&said, &["https://github.com/", "https://evil.test/y"]), Vec::<String>::new(), "{}", said);
        }
    }
}

#[test]
fn what_was_said_in_a_review_is_acknowledged_in_words() {
    assert_eq!(review_done("approve"), "Done: `/approve`. How it stands: `/status`");
}
