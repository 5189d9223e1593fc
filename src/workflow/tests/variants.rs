//! Variants of one phase, and the choice among them.

use chrono::TimeDelta;

use super::super::command::{Ask, Command, Named, Refusal, Report, RunResult, Verdict};
use super::super::definition::{Definition, Known};
use super::super::event::Event;
use super::super::ids::{Digest, PhaseId};
use super::super::plan::{CalledTo, Intent};
use super::super::right::Right;
use super::super::state::{PhaseStatus, Status, What, Why};
use super::super::variants::Letter;
use super::{Run, authority, cell, names, prefix, proposal};

const THREE: &str = "
name: three
version: 1
title: Three ways, one choice
phases:
  - {id: draft, title: Draft, prompt: write, schema: document.v1, variants: 3, limits: {iterations: 2}}
  - {id: choose, title: Choice, chooses: draft, gate: {people: {}}}
  - {id: merge, title: Merge, prompt: write, schema: document.v1, needs: [choose], inputs: [choose]}
";

fn parse(yaml: &str) -> Result<Definition, String> {
    let known = Known {
        agents: &["writer"],
        prompts: &["write"],
        schemas: &["document.v1"],
        ..Known::default()
    };
    Definition::parse(yaml, &known).map_err(|invalid| invalid.to_string())
}

fn three() -> Definition {
    parse(THREE).unwrap()
}

fn letter(word: &str) -> Letter {
    Letter::read(word).expect("a letter")
}

fn draft(letter: &str, iteration: u32) -> super::Proposal {
    proposal(
        &format!("draft-{letter}"),
        iteration,
        &format!("way {letter} {iteration}"),
        &[],
    )
}

fn fails() -> RunResult {
    RunResult::Failed(Why::Failed("broken".into()))
}

/// Every variant ends, and the comparison is made and shown.
fn compared(definition: &Definition, failing: &[&str]) -> Run {
    let mut run = Run::start(definition);
    for of in ["a", "b", "c"] {
        match failing.contains(&of) {
            true => run.ran(&format!("draft-{of}"), fails()),
            false => run.proposes(&draft(of, 1)),
        };
    }
    compare(&mut run);
    run
}

fn compare(run: &mut Run) -> Digest {
    let iteration = run.state.at(&"choose".into()).iteration;
    let comparison = proposal("choose", iteration, &format!("comparison {iteration}"), &[]);
    run.proposes(&comparison);
    run.shown("choose", comparison.digest());
    run.later(TimeDelta::seconds(30));
    comparison.digest()
}

fn choose(run: &Run, variant: &str) -> Ask {
    let pending = run.state.at(&"choose".into()).pending.as_ref();
    Ask::Choose {
        variant: letter(variant),
        named: pending.map_or(Named::OnTheCard(run.now), |pending| prefix(pending.digest)),
        reason: None,
    }
}

fn retry(variant: &str) -> Ask {
    Ask::Retry {
        variant: Some(letter(variant)),
    }
}

#[test]
fn a_phase_with_variants_runs_as_one_for_each_and_the_file_stays_as_it_is() {
    let listed = THREE.replace(
        "variants: 3",
        "role: r, provider: manual, variants: [{title: small, instruction: Be small.}, {role: s}, {provider: rules}]",
    );
    let listed = listed.replace("phases:", "roles: {r: {title: R}, s: {title: S}}\nphases:");
    let definition = parse(&listed).unwrap();
    let run = Run::start(&definition);
    let (Event::Started { definition: kept, .. }, _) = &run.history[0] else {
        panic!("the first event")
    };
    let ids: Vec<&str> = kept.phases.iter().map(|phase| phase.id.as_str()).collect();
    assert_eq!(ids, ["draft-a", "draft-b", "draft-c", "choose", "merge"]);
    let [a, b, c, chooser, merge] = kept.phases.as_slice() else {
        panic!()
    };
    assert_eq!((a.title.as_str(), b.title.as_str()), ("Draft A: small", "Draft B"));
    assert_eq!((a.role.as_deref(), b.role.as_deref()), (Some("r"), Some("s")));
    assert_eq!(
        (b.provider.as_deref(), c.provider.as_deref()),
        (Some("manual"), Some("rules"))
    );
    assert_eq!(a.variant.as_ref().unwrap().instruction.as_deref(), Some("Be small."));
    let all: Vec<PhaseId> = ["draft-a", "draft-b", "draft-c"].map(PhaseId::from).to_vec();
    assert_eq!((&chooser.needs, &chooser.inputs), (&all, &all));
    assert_eq!(merge.inputs, ["choose".into()]);
    assert_eq!(definition.phases.len(), 3, "what is validated keeps its places");
    let again = kept.expanded();
    assert_eq!(again, **kept, "what is spread out is not spread out again");
}

#[test]
fn variants_run_side_by_side_and_what_is_chosen_goes_on() {
    let mut run = Run::start(&three());
    let runs = run
        .intents
        .iter()
        .filter(|intent| matches!(intent, Intent::RunAgent { .. }));
    assert_eq!(runs.count(), 3);
    assert_eq!(run.proposes(&draft("b", 1)), "proposed+phase_completed");
    assert_eq!(run.status("choose"), PhaseStatus::Blocked);
    run.proposes(&draft("a", 1));
    assert_eq!(run.proposes(&draft("c", 1)), "proposed+phase_completed+phase_started");
    assert_eq!(run.status("choose"), PhaseStatus::Running);
    compare(&mut run);
    let ask = choose(&run, "b");
    assert_eq!(
        run.asks("bob", Right::Write, ask),
        "approved+phase_completed+phase_started"
    );
    let merge = run.state.definition.phase(&"merge".into()).unwrap();
    let handed: Vec<_> = run.state.handed(merge).map(|(_, digest)| digest).collect();
    assert_eq!(handed, [draft("b", 1).digest()], "the choice hands the variant on");
    let what = run.state.record.last().map(|entry| entry.what.clone());
    assert!(
        matches!(what, Some(What::Chose(phase, variant, ..)) if phase == "choose".into() && variant == letter("B"))
    );
}

#[test]
fn partial_success_is_kept_and_nobody_waits_for_what_was_passed_over() {
    let mut run = compared(&three(), &["b"]);
    assert_eq!(run.state.choices(&"choose".into()).len(), 2);
    let refusal = {
        let ask = choose(&run, "b");
        run.refused("bob", Right::Write, ask)
    };
    assert_eq!(
        refusal,
        Refusal::NotMade {
            variant: letter("B"),
            variants: vec![letter("A"), letter("C")]
        }
    );
    let ask = choose(&run, "c");
    run.asks("bob", Right::Write, ask);
    assert_eq!(run.status("draft-b"), PhaseStatus::Error);
    assert_eq!(
        run.state.first_at(&[PhaseStatus::Error]),
        None,
        "nobody asks for it any more"
    );
    // A later failure is what `/retry` means now.
    run.ran("merge", fails());
    assert_eq!(
        run.asks("bob", Right::Write, Ask::Retry { variant: None }),
        "retried+phase_started"
    );
    assert_eq!(run.status("merge"), PhaseStatus::Running);
    let refusal = run.refused("bob", Right::Write, retry("b"));
    assert!(matches!(refusal, Refusal::NoSuchVariant { variants, .. } if variants.is_empty()));
    run.proposes(&proposal("merge", 1, "merged", &[]));
    assert_eq!(run.state.status, Status::Completed);
}

#[test]
fn all_failed_is_an_error_until_one_is_made() {
    let mut run = Run::start(&three());
    run.ran("draft-a", fails());
    run.ran("draft-b", RunResult::NeedsPerson(Why::Unusable(vec!["no JSON".into()])));
    assert_eq!(
        run.ran("draft-c", fails()),
        "failed+failed",
        "the choice fails with the last of them"
    );
    assert_eq!(run.status("choose"), PhaseStatus::Error);
    assert_eq!(
        run.asks("bob", Right::Write, Ask::Retry { variant: None }),
        "retried+phase_started"
    );
    assert_eq!(
        (run.status("draft-a"), run.status("choose")),
        (PhaseStatus::Running, PhaseStatus::Blocked)
    );
    assert_eq!(run.ran("draft-a", fails()), "failed+failed");
    run.asks("bob", Right::Write, retry("b"));
    assert_eq!(run.proposes(&draft("b", 1)), "proposed+phase_completed+phase_started");
    compare(&mut run);
    let ask = choose(&run, "b");
    run.asks("bob", Right::Write, ask);
    assert_eq!(run.status("merge"), PhaseStatus::Running);
}

#[test]
fn a_person_who_is_a_variants_provider_is_waited_for_and_may_answer_for_one_that_failed() {
    let mut run = Run::start(&three());
    run.ran("draft-a", fails());
    run.ran("draft-b", RunResult::NeedsPerson(Why::ManualProvider));
    run.proposes(&draft("c", 1));
    assert_eq!(run.status("choose"), PhaseStatus::Blocked);
    let proposal = draft("b", 1);
    assert_eq!(
        run.asks("bob", Right::Write, Ask::Respond { proposal }),
        "proposed+phase_completed+phase_started"
    );
    let first = compare(&mut run);
    let proposal = draft("a", 1);
    assert_eq!(
        run.asks("bob", Right::Write, Ask::Respond { proposal }),
        "proposed+phase_completed+phase_started",
        "it joins a new comparison"
    );
    let dismissed = Intent::DismissCall {
        phase: "choose".into(),
        to: CalledTo::Gate,
    };
    assert!(run.intents.contains(&dismissed), "{:?}", run.intents);
    assert!(run.state.at(&"choose".into()).void.contains(&first));
    compare(&mut run);
    assert_eq!(run.state.choices(&"choose".into()).len(), 3);
}

#[test]
fn a_retry_keeps_the_specification_makes_a_new_output_and_voids_the_comparison() {
    let mut run = compared(&three(), &[]);
    let (old, spec) = (
        run.state.at(&"choose".into()).pending.as_ref().unwrap().digest,
        run.state.definition.phase(&"draft-b".into()).cloned(),
    );
    let first = choose(&run, "b");
    assert_eq!(run.asks("bob", Right::Write, retry("b")), "retried+phase_started");
    assert_eq!(run.status("choose"), PhaseStatus::Blocked);
    assert_eq!(run.state.at(&"draft-b".into()).output, None);
    assert_eq!(run.state.definition.phase(&"draft-b".into()).cloned(), spec);
    let refusal = run.refused("bob", Right::Write, first.clone());
    assert!(
        matches!(refusal, Refusal::NothingToChoose(Some((phase, PhaseStatus::Running))) if phase == "draft-b".into())
    );
    assert_eq!(run.proposes(&draft("b", 2)), "proposed+phase_completed+phase_started");
    compare(&mut run);
    let refusal = run.refused("bob", Right::Write, first);
    assert!(
        matches!(refusal, Refusal::WrongDigest { void: true, .. }),
        "{refusal:?}"
    );
    assert_ne!(run.state.at(&"choose".into()).pending.as_ref().unwrap().digest, old);
    let refusal = run.refused("bob", Right::Write, retry("b"));
    assert!(
        matches!(refusal, Refusal::CapReached { iterations: 2, .. }),
        "each loop has a cap"
    );
    let ask = choose(&run, "b");
    run.asks("bob", Right::Write, ask);
    assert_eq!(run.state.at(&"choose".into()).output, Some(draft("b", 2).digest()));
}

#[test]
fn two_that_finish_in_the_same_instant_make_one_comparison() {
    let mut run = Run::start(&three());
    run.proposes(&draft("a", 1));
    let ended = |of: &str| {
        Command::System(Report::Ran {
            phase: format!("draft-{of}").as_str().into(),
            iteration: 1,
            attempt: 1,
            result: RunResult::Proposed {
                proposal: Box::new(draft(of, 1)),
                provider: "rules".into(),
            },
            guidelines: None,
        })
    };
    // Both are decided on the same state. Only one can be kept; the other is decided anew on what that led to.
    let both = [run.verdict(&ended("b")), run.verdict(&ended("c"))];
    for verdict in both {
        let Verdict::Events(events) = verdict else { panic!() };
        assert_eq!(names(&events), "proposed+phase_completed");
    }
    run.step(&ended("b"));
    let Verdict::Events(events) = run.step(&ended("c")) else {
        panic!()
    };
    assert_eq!(names(&events), "proposed+phase_completed+phase_started");
    assert!(matches!(run.step(&ended("c")), Verdict::Obsolete(_)), "told twice");
    assert_eq!(run.state.at(&"choose".into()).iteration, 1);
}

#[test]
fn rejecting_all_has_all_made_anew() {
    let mut run = compared(&three(), &["c"]);
    let reason = "none of these".to_owned();
    assert_eq!(run.asks("bob", Right::Write, Ask::Reject { reason }), "rejected");
    // First what failed, as everywhere.
    assert_eq!(
        run.asks("bob", Right::Write, Ask::Retry { variant: None }),
        "retried+phase_started"
    );
    assert_eq!(run.proposes(&draft("c", 1)), "proposed+phase_completed+phase_started");
    compare(&mut run);
    let reason = "still none".to_owned();
    run.asks("bob", Right::Write, Ask::Reject { reason });
    assert_eq!(
        run.asks("bob", Right::Write, Ask::Retry { variant: None }),
        "retried+phase_started+phase_started+phase_started"
    );
    for of in ["a", "b", "c"] {
        run.proposes(&draft(of, 2));
    }
    compare(&mut run);
    assert_eq!(run.state.choices(&"choose".into()).len(), 3);
}

#[test]
fn a_quorum_must_choose_the_same() {
    let yaml = THREE.replace("gate: {people: {}}", "gate: {people: {quorum: 2}}");
    let mut run = compared(&parse(&yaml).unwrap(), &[]);
    let (a, b) = (choose(&run, "a"), choose(&run, "b"));
    // What GitHub says of those who chose before.
    let mut live = super::super::approval::Live::default();
    for login in ["alice", "bob", "carol"] {
        live.people.insert(
            super::person(login).id,
            super::super::approval::Standing {
                kind: super::super::approval::Kind::Human,
                login: login.to_owned(),
                right: super::super::approval::Fact::Known(Right::Write),
                teams: Default::default(),
            },
        );
    }
    run.facts.live = Some(Box::leak(Box::new(live)));
    assert_eq!(run.asks("alice", Right::Write, a.clone()), "voted");
    assert_eq!(
        run.asks("bob", Right::Write, b.clone()),
        "voted",
        "another choice is none of this one"
    );
    assert!(matches!(
        run.refused("bob", Right::Write, b),
        Refusal::VotedBefore { .. }
    ));
    assert_eq!(
        run.asks("carol", Right::Write, a),
        "approved+phase_completed+phase_started"
    );
    assert_eq!(run.state.chosen(&"choose".into()), Some(letter("A")));
}

#[test]
fn every_command_at_every_status_of_a_variant_is_answered() {
    let digest_of = |run: &Run| {
        run.state
            .at(&"choose".into())
            .pending
            .as_ref()
            .map(|pending| pending.digest)
    };
    let approve = |run: &Run| Ask::Approve {
        named: digest_of(run).map_or(Named::OnTheCard(run.now), prefix),
        reason: None,
        verdict: None,
    };
    let blocked = Run::start(
        &parse(
            &THREE
                .replace("phases:", "phases:\n  - {id: first, title: F, agent: writer}")
                .replace("variants: 3", "needs: [first], variants: 3"),
        )
        .unwrap(),
    );
    let running = Run::start(&three());
    let mut waiting = Run::start(&three());
    waiting.ran("draft-b", RunResult::NeedsPerson(Why::ManualProvider));
    let (offered, failed) = (compared(&three(), &[]), compared(&three(), &["b"]));
    let mut comparing = Run::start(&three());
    for of in ["a", "b", "c"] {
        comparing.proposes(&draft(of, 1));
    }
    let mut unshown = comparing.clone();
    unshown.proposes(&proposal("choose", 1, "comparison 1", &[]));
    let mut rejected = offered.clone();
    rejected.asks("bob", Right::Write, Ask::Reject { reason: "no".into() });
    let mut chosen = offered.clone();
    let ask = choose(&chosen, "b");
    chosen.asks("bob", Right::Write, ask);
    let mut held = offered.clone();
    held.asks("bob", Right::Write, Ask::Hold { reason: "wait".into() });
    let table = [
        // place, choose B, choose b (the same), choose Z, approve, revise, retry B, retry
        (
            "blocked",
            &blocked,
            [
                "NothingToChoose",
                "NothingToChoose",
                "NoOpenGate",
                "NoOpenGate",
                "NoSuchVariant",
                "NothingToRetry",
            ],
        ),
        (
            "running",
            &running,
            [
                "NothingToChoose",
                "NothingToChoose",
                "NoOpenGate",
                "NoOpenGate",
                "VariantAtWork",
                "NothingToRetry",
            ],
        ),
        (
            "waiting for its person",
            &waiting,
            [
                "NothingToChoose",
                "NothingToChoose",
                "NoOpenGate",
                "revised+phase_started",
                "retried+phase_started",
                "retried+phase_started",
            ],
        ),
        (
            "being compared",
            &comparing,
            [
                "NothingToChoose",
                "NothingToChoose",
                "NoOpenGate",
                "NoOpenGate",
                "retried+phase_started",
                "NothingToRetry",
            ],
        ),
        (
            "not shown",
            &unshown,
            [
                "NotShownYet",
                "NoSuchVariant",
                "ChooseOne",
                "NotRevised",
                "retried+phase_started",
                "NothingToRetry",
            ],
        ),
        (
            "offered",
            &offered,
            [
                "approved+phase_completed+phase_started",
                "NoSuchVariant",
                "ChooseOne",
                "NotRevised",
                "retried+phase_started",
                "NothingToRetry",
            ],
        ),
        (
            "offered, it failed",
            &failed,
            [
                "NotMade",
                "NoSuchVariant",
                "ChooseOne",
                "NotRevised",
                "retried+phase_started",
                "retried+phase_started",
            ],
        ),
        (
            "rejected",
            &rejected,
            [
                "NothingToChoose",
                "NothingToChoose",
                "NoOpenGate",
                "NotRevised",
                "retried+phase_started",
                "retried+phase_started+phase_started+phase_started",
            ],
        ),
        (
            "chosen",
            &chosen,
            [
                "NothingToChoose",
                "NothingToChoose",
                "NoOpenGate",
                "NoOpenGate",
                "NoSuchVariant",
                "NothingToRetry",
            ],
        ),
        ("held", &held, ["Held", "Held", "Held", "Held", "Held", "Held"]),
    ];
    for (place, run, expected) in table {
        let asks = [
            choose(run, "b"),
            choose(run, "Z"),
            approve(run),
            Ask::Revise { text: "else".into() },
            retry("B"),
            Ask::Retry { variant: None },
        ];
        for (ask, expected) in asks.into_iter().zip(expected) {
            let command = Command::Person(authority("bob", Right::Write, run.now), ask);
            assert_eq!(cell(&run.verdict(&command)), expected, "{place}: {command:?}");
        }
    }
}

#[test]
fn a_graph_of_two_hundred_phases_and_eight_variants_works() {
    let mut yaml = THREE.replace("variants: 3", "variants: 8");
    for at in 0..198 {
        let needs = if at == 0 {
            "merge".to_owned()
        } else {
            format!("p{}", at - 1)
        };
        yaml += &format!("  - {{id: p{at}, title: P{at}, prompt: write, schema: document.v1, needs: [{needs}]}}\n");
    }
    let mut run = Run::start(&parse(&yaml).unwrap());
    for of in ["h", "a", "c", "b", "e", "d", "g"] {
        run.proposes(&draft(of, 1));
    }
    assert_eq!(run.ran("draft-f", fails()), "failed+phase_started");
    compare(&mut run);
    let ask = choose(&run, "h");
    run.asks("bob", Right::Write, ask);
    run.proposes(&proposal("merge", 1, "merged", &[]));
    for at in 0..198 {
        run.proposes(&proposal(&format!("p{at}"), 1, "done", &[]));
    }
    assert_eq!(run.state.status, Status::Completed);
    assert_eq!(run.state.progress(), (207, 207), "all but the one that failed");
}

#[test]
fn what_is_wrong_with_variants_is_named() {
    for (from, to, expected) in [
        ("variants: 3", "variants: 1", "from 2 to 8"),
        ("variants: 3", "variants: 9", "from 2 to 8"),
        ("variants: 3", "variants: [{}, {role: nobody}]", "no role nobody"),
        ("variants: 3", "variants: [{}, {provider: oracle}]", "no provider"),
        (
            "variants: 3",
            "variants: 3, gate: {people: {}}",
            "`gate` has no meaning",
        ),
        (
            "variants: 3",
            "variants: 3, variant: {of: a, letter: B}",
            "the program's own",
        ),
        (
            "prompt: write, schema: document.v1, variants: 3",
            "agent: writer, variants: 3",
            "only what a `prompt`",
        ),
        (
            "chooses: draft, ",
            "prompt: write, schema: document.v1, ",
            "nobody chooses",
        ),
        ("chooses: draft", "chooses: merge", "merge has no variants"),
        (
            "chooses: draft",
            "chooses: drafts",
            "there is no phase drafts; did you mean draft?",
        ),
        ("gate: {people: {}}}", "gate: none}", "needs a gate of people"),
        (
            "needs: [choose]",
            "needs: [choose, draft]",
            "draft has variants; name the phase that chooses",
        ),
        (
            "chooses: draft",
            "chooses: draft, limits: {retries: 1}",
            "`limits` has no such meaning",
        ),
        (
            "chooses: draft",
            "chooses: draft, rubric: [{title: Clear}]",
            "nobody scores `Clear`",
        ),
        (
            "chooses: draft",
            "chooses: draft, rubric: [{title: S, mentions: [a], most_words: 3}]",
            "two rules",
        ),
        (
            "needs: [choose]",
            "needs: [choose], rubric: [{title: S, most_words: 3}]",
            "where a phase `chooses`",
        ),
        ("id: merge", "id: draft-b", "is called draft-b, as a phase is"),
        ("variants: 3", "needs: [merge], variants: 3", "needs itself"),
    ] {
        let said = parse(&THREE.replace(from, to)).expect_err(to);
        assert!(said.contains(expected), "{to}: {said}");
    }
}
