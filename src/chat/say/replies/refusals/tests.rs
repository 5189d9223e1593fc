use super::*;
use crate::chat::say::fixtures::*;
use crate::workflow::event::Event;
use crate::workflow::right::{Requirement, Right};

const WRITERS: Requirement = Requirement::at_least(Right::Write);

fn known() -> WhoCan {
    WhoCan::Known(vec!["alice".to_owned(), "bob".to_owned()])
}

#[test]
fn every_refusal_says_how_it_stands_and_what_goes_on() {
    let gate = at_the_tasks();
    let held = and_then(at_the_tasks(), held());
    let last = deliver(&[
        Event::PhaseStarted {
            phase: "extract".into(),
            iteration: 10,
            attempt: 1,
        },
        proposed("extract", first(), &["issue:t1"]),
        shown("extract", first()),
    ]);
    let hold = held.hold.clone().unwrap();
    let current = first();
    let wrong = |given: &str, void| Refusal::WrongDigest {
        choice: None,
        given: given.to_owned(),
        current,
        void,
    };
    let theirs = Refusal::NotYours {
        of: person("bob"),
        needs: Right::Maintain,
    };
    let capped = Refusal::CapReached {
        phase: "extract".into(),
        iterations: 10,
    };
    let not_open = |status| Refusal::NoOpenGate(Some(("extract".into(), status)));
    let missing = Refusal::NotAllowed {
        needs: WRITERS,
        has: Right::None,
    };
    let table: &[(&str, Refusal, &State, &str)] = &[
        (
            "approve",
            missing,
            &gate,
            "You may not: `/approve` needs write access on the repository. You have no access beyond what everybody has. Who can: `alice` and `bob`. `/who` says who may do what.",
        ),
        (
            "approve",
            Refusal::Over,
            &done(),
            "This workflow is done; [the card](https://github.com/acme/app/issues/12#issuecomment-5) is its record. Next: `/deliver` to start a new one.",
        ),
        (
            "approve",
            Refusal::Over,
            &cancelled(),
            "This workflow was cancelled by `alice`: “no time”. Next: `/deliver` to start a new one.",
        ),
        (
            "approve",
            Refusal::Held(hold),
            &held,
            "It is on hold, by `alice` since 2025-12-04 12:05 UTC: “wait for @\u{2060}carol”. Next: `/unhold` to let it go on or `/cancel …` to end it.",
        ),
        (
            "unhold",
            Refusal::NotHeld,
            &gate,
            "It is not on hold. Next: `/approve a7937b64b8ca` to approve exactly this, `/revise …` to ask for another round or `/reject …` to say no.",
        ),
        (
            "approve",
            not_open(PhaseStatus::Error),
            &failing(),
            "Nothing is waiting for approval: *Tasks* failed. Next: `/retry` to try again, `/revise …` to ask for another round or `/prompt` to see what is asked.",
        ),
        (
            "approve",
            wrong("3f9c0a417be2", true),
            &gate,
            "`3f9c0a417be2` is void: the proposal changed after it was shown. Now `a7937b64b8ca` is shown on [the card](https://github.com/acme/app/issues/12#issuecomment-5). To approve what is shown: `/approve a7937b64b8ca`",
        ),
        (
            "approve",
            wrong("@bob", false),
            &gate,
            "`@bob` is not what is shown. [The card](https://github.com/acme/app/issues/12#issuecomment-5) shows `a7937b64b8ca`. To approve what is shown: `/approve a7937b64b8ca`",
        ),
        (
            "approve",
            Refusal::NotShownYet,
            &gate,
            "The proposal does not stand here in full yet, and nobody approves what was not shown. The approve line appears on the card when it does. Next: `/revise …` to ask for another round, `/reject …` to say no or `/hold …` to pause it.",
        ),
        (
            "approve",
            Refusal::ChangedJustNow { current, choice: None },
            &gate,
            "[The card](https://github.com/acme/app/issues/12#issuecomment-5) changed less than ten seconds before you wrote, so I cannot know that you saw `a7937b64b8ca`. Look again. To approve what is shown: `/approve a7937b64b8ca`",
        ),
        (
            "unapprove",
            Refusal::NothingApproved,
            &gate,
            "There is no approval that could be taken back. Next: `/approve a7937b64b8ca` to approve exactly this, `/revise …` to ask for another round or `/reject …` to say no.",
        ),
        (
            "unapprove",
            theirs,
            &gate,
            "That approval is `bob`'s; taking back another's needs the maintain role. Who can: `alice` and `bob`. Next: `/approve a7937b64b8ca` to approve exactly this, `/revise …` to ask for another round or `/reject …` to say no.",
        ),
        (
            "unapprove",
            Refusal::TooLate,
            &gate,
            "What was approved is being carried out already. Next: `/approve a7937b64b8ca` to approve exactly this, `/revise …` to ask for another round or `/reject …` to say no.",
        ),
        (
            "edit",
            Refusal::PartlyDone,
            &gate,
            "Part of this has been carried out already, so it can only be approved as it stands, or cancelled. To approve what is shown: `/approve a7937b64b8ca`",
        ),
        (
            "retry",
            Refusal::NothingToRetry,
            &gate,
            "Nothing failed. Next: `/approve a7937b64b8ca` to approve exactly this, `/revise …` to ask for another round or `/reject …` to say no.",
        ),
        (
            "respond",
            Refusal::NoAnswerAwaited,
            &gate,
            "No answer of a person is awaited. Next: `/approve a7937b64b8ca` to approve exactly this, `/revise …` to ask for another round or `/reject …` to say no.",
        ),
        (
            "edit",
            Refusal::Stale { current },
            &gate,
            "The proposal changed while I read that: `a7937b64b8ca` is shown now. Look again, then repeat it. Next: `/approve a7937b64b8ca` to approve exactly this, `/revise …` to ask for another round or `/reject …` to say no.",
        ),
        (
            "edit",
            Refusal::NoChange,
            &gate,
            "That changes nothing: the proposal says so already. Next: `/approve a7937b64b8ca` to approve exactly this, `/revise …` to ask for another round or `/reject …` to say no.",
        ),
        (
            "revise",
            capped,
            &last,
            "*Tasks* had 10 rounds, which is the limit. Next: `/approve a7937b64b8ca` to approve exactly this, `/reject …` to say no or `/hold …` to pause it.",
        ),
    ];
    for (verb, refused, state, said) in table {
        let about = Refused {
            verb,
            state: Some(state),
            card_url: CARD_URL,
            who: &known(),
            gate: None,
        };
        assert_eq!(refusal(refused, &about), *said, "{refused:?}");
    }
}

#[test]
fn a_phase_without_an_open_gate_says_where_it_stands() {
    for status in PhaseStatus::ALL {
        let about = Refused {
            verb: "approve",
            state: None,
            card_url: CARD_URL,
            who: &known(),
            gate: None,
        };
        let said = refusal(&Refusal::NoOpenGate(Some(("extract".into(), status))), &about);
        assert!(
            said.starts_with("Nothing is waiting for approval: *`extract`* "),
            "{said}"
        );
        assert!(said.ends_with("To start one: `/deliver`"), "{said}");
    }
}
