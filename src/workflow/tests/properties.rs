//! What holds whatever people and machines do, in whatever order, late, early or twice.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use chrono::TimeDelta;
use proptest::prelude::*;

use super::super::apply::fold;
use super::super::approval::{Fact, Live, checks_hold};
use super::super::artifact::{Proposal, ReviewVerdict, Stage};
use super::super::command::{Ask, Command, Named, Report, RulingResult, RunResult, Verdict};
use super::super::decide::{Facts, awaits_answer};
use super::super::definition::{Definition, Known, OnExpiry, Phase};
use super::super::event::Event;
use super::super::fork::{CannotFork, Request, fork};
use super::super::guidelines::{Found, Guidelines, Text};
use super::super::ids::{Digest, PhaseId};
use super::super::judging::{Check, CheckState, Decision, Judged, Reading, Ruling};
use super::super::labels::shown;
use super::super::plan::{Intent, Notice, plan};
use super::super::right::Right;
use super::super::state::{ActOutcome, Awaited, Ending, Pending, PhaseStatus, State, Status, Surface, Timestamp, Why};
use super::super::variants::Letter;
use super::{Run, authority, key, person, prefix, prompt, proposal};

/// Something that may be tried at any moment, sensible or not; `usize`s choose among what is there.
#[derive(Debug, Clone)]
enum Move {
    Ran {
        phase: usize,
        stale: bool,
        result: Ran,
    },
    Shown {
        phase: usize,
        void: bool,
    },
    ActEnded {
        phase: usize,
        again: bool,
    },
    ActFailed {
        phase: usize,
    },
    ApprovalLost {
        phase: usize,
    },
    GateExpired {
        phase: usize,
        stale: bool,
    },
    SubjectClosed,
    SubjectGone,
    Approve {
        who: usize,
        named: Name,
        verdict: Option<ReviewVerdict>,
    },
    Unapprove {
        who: usize,
        in_flight: bool,
    },
    Reject,
    Revise,
    Amend {
        text: usize,
        stale: bool,
    },
    Respond {
        phase: usize,
        text: usize,
    },
    Hold,
    Unhold,
    Retry {
        variant: usize,
    },
    Choose {
        who: usize,
        variant: usize,
        bare: bool,
    },
    Cancel,
    Ruled {
        phase: usize,
        stale: bool,
        said: Said,
    },
    Checked {
        phase: usize,
        good: bool,
    },
    Later {
        hours: i64,
    },
}

/// What an approver that is a model answers.
#[derive(Debug, Clone, Copy)]
enum Said {
    Yes,
    No,
    /// No, and the prompt in other words.
    Rewritten(usize),
    Failed,
}

#[derive(Debug, Clone)]
enum Ran {
    Proposed(usize),
    Astray,
    NeedsPerson,
    Nothing,
    Failed,
}

#[derive(Debug, Clone)]
enum Name {
    Right,
    Void,
    Bare,
}

fn ran() -> impl Strategy<Value = Ran> {
    prop_oneof![
        8 => (0..6_usize).prop_map(Ran::Proposed),
        1 => Just(Ran::Astray),
        1 => Just(Ran::NeedsPerson),
        1 => Just(Ran::Nothing),
        1 => Just(Ran::Failed),
    ]
}

fn name() -> impl Strategy<Value = Name> {
    prop_oneof![4 => Just(Name::Right), 1 => Just(Name::Void), 2 => Just(Name::Bare)]
}

fn verdict() -> impl Strategy<Value = Option<ReviewVerdict>> {
    prop_oneof![6 => Just(None), 1 => Just(Some(ReviewVerdict::Pass)), 1 => Just(Some(ReviewVerdict::Fail))]
}

fn said() -> impl Strategy<Value = Said> {
    prop_oneof![
        4 => Just(Said::Yes),
        2 => Just(Said::No),
        2 => (0..6_usize).prop_map(Said::Rewritten),
        1 => Just(Said::Failed),
    ]
}

fn a_move() -> impl Strategy<Value = Move> {
    let phase = || 0..5_usize;
    let seldom = || prop::bool::weighted(0.2);
    prop_oneof![
        16 => (phase(), seldom(), ran()).prop_map(|(phase, stale, result)| Move::Ran { phase, stale, result }),
        16 => (phase(), seldom()).prop_map(|(phase, void)| Move::Shown { phase, void }),
        24 => (phase(), seldom()).prop_map(|(phase, again)| Move::ActEnded { phase, again }),
        4 => phase().prop_map(|phase| Move::ActFailed { phase }),
        4 => phase().prop_map(|phase| Move::ApprovalLost { phase }),
        6 => (phase(), seldom()).prop_map(|(phase, stale)| Move::GateExpired { phase, stale }),
        1 => Just(Move::SubjectClosed),
        1 => Just(Move::SubjectGone),
        16 => (0..3_usize, name(), verdict()).prop_map(|(who, named, verdict)| Move::Approve { who, named, verdict }),
        4 => (0..3_usize, seldom()).prop_map(|(who, in_flight)| Move::Unapprove { who, in_flight }),
        4 => Just(Move::Reject),
        4 => Just(Move::Revise),
        6 => (0..6_usize, seldom()).prop_map(|(text, stale)| Move::Amend { text, stale }),
        3 => (phase(), 0..6_usize).prop_map(|(phase, text)| Move::Respond { phase, text }),
        3 => Just(Move::Hold),
        6 => Just(Move::Unhold),
        6 => (0..12_usize).prop_map(|variant| Move::Retry { variant }),
        8 => (0..3_usize, 0..4_usize, any::<bool>()).prop_map(|(who, variant, bare)| Move::Choose { who, variant, bare }),
        1 => Just(Move::Cancel),
        16 => (phase(), seldom(), said()).prop_map(|(phase, stale, said)| Move::Ruled { phase, stale, said }),
        16 => (phase(), prop::bool::weighted(0.7)).prop_map(|(phase, good)| Move::Checked { phase, good }),
        6 => (0..200_i64).prop_map(|hours| Move::Later { hours }),
    ]
}

fn definitions() -> Vec<Definition> {
    let agents = &["extract", "email", "writer"];
    let deliver = include_str!("../../../workflows/deliver.yml");
    let fork = "
name: fork
version: 1
title: Two that act side by side, and one after both
phases:
  - {id: a, title: A, agent: writer, gate: {people: {}}, executes: a, limits: {iterations: 2}}
  - {id: b, title: B, agent: writer, gate: {people: {right: maintain}}, executes: b}
  - {id: c, title: C, agent: writer, needs: [a, b]}
";
    let chain = "
name: chain
version: 1
title: A phase between a proposal and its acts
phases:
  - {id: a, title: A, agent: writer, gate: {people: {expires_after_hours: 24, on_expiry: reject}}}
  - {id: b, title: B, agent: writer, needs: [a]}
  - {id: c, title: C, needs: [b], executes: a}
";
    let known = Known {
        agents,
        prompts: &["plan", "files", "review"],
        schemas: &["plan.v1", "files.v1", "review.v1"],
        ..Known::default()
    };
    let mut all: Vec<Definition> = [
        deliver,
        include_str!("../../../workflows/tasks.yml"),
        super::LINE,
        fork,
        chain,
        &deliver.replace("remind", "reject"),
    ]
    .into_iter()
    .map(|yaml| Definition::parse(yaml, &known).expect("valid"))
    .collect();
    all.extend(LOOPS.map(|yaml| Definition::parse(yaml, &known).expect("valid")));
    all
}

/// Verdicts that go back: to a phase that begins on demand, and past one to a phase that ran before.
const LOOPS: [&str; 2] = [
    "
name: on_demand
version: 1
title: Made, reviewed, mended
phases:
  - {id: a, title: A, prompt: files, schema: files.v1, prompt_gate: {people: {}}, gate: {people: {}}, limits: {retries: 1}}
  - id: b
    title: B
    needs: [a]
    on_demand: true
    inputs: [a, b, c]
    prompt: files
    schema: files.v1
    prompt_gate: {people: {expires_after_hours: 24}}
    limits: {iterations: 2}
  - id: c
    title: C
    needs: [a, b]
    inputs: [a, b]
    prompt: review
    schema: review.v1
    prompt_gate: {people: {}}
    gate: {people: {expires_after_hours: 24, on_expiry: reject}}
    on_fail: b
    limits: {retries: 2}
",
    "
name: there_and_back
version: 1
title: Made, and looked at twice
phases:
  - {id: a, title: A, prompt: files, schema: files.v1, inputs: [a, b, c], gate: {people: {}}, limits: {iterations: 4}}
  - {id: b, title: B, needs: [a], inputs: [a], prompt: review, schema: review.v1, gate: {people: {}}, on_fail: a}
  - id: c
    title: C
    needs: [b]
    inputs: [a, b]
    prompt: review
    schema: review.v1
    prompt_gate: {people: {right: maintain}}
    gate: {people: {}}
    on_fail: a
",
];

/// What a gate may ask for.
const GATES: [&str; 8] = [
    "none",
    "{people: {}}",
    "ai",
    "ai+people",
    "{checks: {host: [schema]}}",
    "{checks: {host: [schema]}, people: {}}",
    "{checks: {host: [secrets]}, ai: {}}",
    "{checks: {host: [schema, secrets]}, ai: {}, people: {}}",
];

/// How a phase may mirror where it stands; `@` is its number.
const LABELS: [&str; 3] = [
    "",
    ", label: wf:@",
    ", label: {blocked: wf:waits, running: wf:@, ready_for_review: wf:review, error: wf:failed, completed: wf:made-@}",
];

/// A definition of up to five phases, each needing any of those before it, with any gate or none, some of them on demand, some with a verdict that goes back to one of those that they need.
fn any_definition() -> impl Strategy<Value = Definition> {
    let phase = (
        any::<u8>(),
        0..GATES.len(),
        0..GATES.len(),
        any::<bool>(),
        prop::option::of(any::<prop::sample::Index>()),
        0..3_u32,
        1..4_u32,
        prop::option::weighted(0.25, 2..5_usize),
        0..LABELS.len(),
    );
    prop::collection::vec(phase, 1..6).prop_map(|phases| {
        let mut yaml = "name: any\nversion: 1\ntitle: Any\nphases:\n".to_owned();
        let mut called = std::collections::BTreeSet::new();
        let mut lines = Vec::new();
        for (at, phase) in phases.iter().enumerate() {
            let (needs, prompt_gate, gate, on_demand, back, retries, iterations, variants, label) = phase;
            let needs: Vec<usize> = (0..at).filter(|before| needs & (1 << before) != 0).collect();
            let decides = GATES[*gate].contains("people");
            let back = back.as_ref().filter(|_| decides && !needs.is_empty() && variants.is_none());
            let back = back.map(|index| needs[index.index(needs.len())]);
            called.extend(back);
            let label = LABELS[*label].replace('@', &at.to_string());
            lines.push((needs, *prompt_gate, *gate, *on_demand, back, *retries, *iterations, *variants, label));
        }
        for (at, line) in lines.into_iter().enumerate() {
            let (needs, prompt_gate, gate, on_demand, back, retries, iterations, variants, label) = line;
            let needs: Vec<String> = needs.iter().map(|need| format!("p{need}")).collect();
            let needs = needs.join(", ");
            let before = match GATES[prompt_gate] {
                "ai" if retries > 0 => "{ai: {rewrite: true}}",
                gate => gate,
            };
            if let Some(variants) = variants {
                // The phase of this name is the choice, so that others need what was chosen.
                yaml += &format!(
                    "  - {{id: v{at}, title: V{at}, needs: [{needs}], prompt: review, schema: review.v1, prompt_gate: {}, \
                     variants: {variants}, limits: {{iterations: {iterations}}}{label}}}\n  - {{id: p{at}, title: P{at}, chooses: \
                     v{at}, gate: {{people: {{}}}}}}\n",
                    GATES[prompt_gate],
                );
                continue;
            }
            let back = back.map(|to| format!(", on_fail: p{to}")).unwrap_or_default();
            yaml += &format!(
                "  - {{id: p{at}, title: P{at}, needs: [{needs}], prompt: review, schema: review.v1, prompt_gate: {}, gate: \
                 {}, on_demand: {}, limits: {{retries: {retries}, iterations: {iterations}}}{back}{label}}}\n",
                before,
                GATES[gate],
                on_demand && called.contains(&at),
            );
        }
        let known = Known {
            prompts: &["review"],
            schemas: &["review.v1"],
            ..Known::default()
        };
        Definition::parse(&yaml, &known).unwrap_or_else(|invalid| panic!("{invalid}\n{yaml}"))
    })
}

/// One of a few proposals that a phase could make now; they share some acts and differ in others.
fn made(state: &State, phase: &PhaseId, text: usize) -> Proposal {
    let at = state.at(phase);
    let defined = state.definition.phase(phase).expect("a phase of the definition");
    let stage = match &at.pending {
        Some(pending) => pending.stage,
        None if !defined.prompt_gate.is_none() && at.prompt.is_none() => Stage::Prompt,
        None => Stage::Response,
    };
    of(defined, at.iteration, text, stage)
}

/// The proposal of a phase with that text: one of a review holds a verdict, one of a prompt does nothing.
fn of(phase: &Phase, iteration: u32, text: usize, stage: Stage) -> Proposal {
    let acts: &[&str] = match text % 3 {
        _ if phase.prompt.is_some() => &[],
        0 => &[],
        1 => &["one"],
        _ => &["one", "two"],
    };
    let mut made = proposal(phase.id.as_str(), iteration, &format!("text {text}"), acts);
    if stage == Stage::Response && phase.schema.as_deref() == Some("review.v1") {
        made.artifact["verdict"] = ["pass", "fail"][text % 2].into();
    }
    match stage {
        Stage::Prompt => prompt(made),
        Stage::Response => made,
    }
}

/// What an engine has planned and not yet seen the end of.
#[derive(Default)]
struct Outstanding(Vec<Intent>);

impl Outstanding {
    fn plan(&mut self, intents: &[Intent]) {
        for intent in intents {
            match intent {
                Intent::CancelPlanned => self.0.clear(),
                Intent::EndTimers { phase } => self.0.retain(|other| match other {
                    Intent::ExpireGate { phase: of, .. }
                    | Intent::ReadChecks { phase: of, .. }
                    | Intent::AskApprover { phase: of, .. } => of != phase,
                    _ => true,
                }),
                Intent::RunAgent { .. }
                | Intent::Act { .. }
                | Intent::ExpireGate { .. }
                | Intent::ReadChecks { .. } => {
                    assert!(!self.0.contains(intent), "planned twice: {intent:?}");
                    self.0.push(intent.clone());
                }
                // One row however often it is planned.
                Intent::AskApprover { .. } => {
                    self.0.retain(|planned| planned != intent);
                    self.0.push(intent.clone());
                }
                Intent::StartChild { .. } | Intent::TellChild { .. } | Intent::TellParent => {
                    panic!("no definition here has children: {intent:?}")
                }
                Intent::Card
                | Intent::Labels
                | Intent::Questions { .. }
                | Intent::CallPeople { .. }
                | Intent::DismissCall { .. }
                | Intent::Tell { .. } => {}
            }
        }
    }

    /// Takes off what a report is the end of. A timer ends at its time: an earlier report is another's, of before.
    fn ends(&mut self, report: &Report, now: Timestamp) {
        self.0.retain(|intent| match (intent, report) {
            (
                Intent::RunAgent {
                    phase,
                    iteration,
                    attempt,
                },
                Report::Ran {
                    phase: of,
                    iteration: i,
                    attempt: a,
                    ..
                },
            ) => (phase, iteration, attempt) != (of, i, a),
            (
                Intent::Act { phase, key, .. },
                Report::ActEnded { phase: of, key: k, .. } | Report::ActFailed { phase: of, key: k, .. },
            ) => (phase, key) != (of, k),
            (Intent::Act { source, digest, .. }, Report::ApprovalLost { phase, digest: of, .. }) => {
                (source, digest) != (phase, of)
            }
            (
                Intent::ExpireGate {
                    phase,
                    digest,
                    reminders,
                    at,
                },
                Report::GateExpired {
                    phase: of,
                    digest: d,
                    reminders: r,
                },
            ) => (phase, digest, reminders) != (of, d, r) || *at > now,
            (
                Intent::AskApprover { phase, digest, attempt },
                Report::Ruled {
                    phase: of,
                    digest: d,
                    attempt: a,
                    ..
                },
            ) => (phase, digest, attempt) != (of, d, a),
            (
                Intent::ReadChecks { phase, digest, at, .. },
                Report::Checked {
                    phase: of, digest: d, ..
                },
            ) => (phase, digest) != (of, d) || *at > now,
            _ => true,
        });
    }

    fn runs(&self, phase: &PhaseId) -> bool {
        let of = |intent: &Intent| matches!(intent, Intent::RunAgent { phase: of, .. } if of == phase);
        self.0.iter().any(of)
    }

    fn acts(&self, phase: &PhaseId) -> bool {
        let of = |intent: &Intent| matches!(intent, Intent::Act { phase: of, .. } if of == phase);
        self.0.iter().any(of)
    }

    fn asks_approver(&self, phase: &PhaseId, pending: &Pending) -> bool {
        self.0.contains(&Intent::AskApprover {
            phase: phase.clone(),
            digest: pending.digest,
            attempt: pending.judged.asked,
        })
    }

    fn reads(&self, phase: &PhaseId, pending: &Pending) -> bool {
        let of = |intent: &Intent| {
            matches!(intent, Intent::ReadChecks { phase: of, digest, readings, .. }
                if (of, *digest, *readings) == (phase, pending.digest, pending.judged.readings))
        };
        self.0.iter().any(of)
    }

    fn expires(&self, phase: &PhaseId) -> bool {
        let of = |intent: &Intent| matches!(intent, Intent::ExpireGate { phase: of, .. } if of == phase);
        self.0.iter().any(of)
    }
}

/// What GitHub says when somebody approves: every check has succeeded by then.
static LIVE: LazyLock<Live> = LazyLock::new(|| Live {
    checks: Fact::Known(reading(true)),
    ..Live::default()
});

fn reading(good: bool) -> Reading {
    let state = match good {
        true => CheckState::Success,
        false => CheckState::Other("a secret in it".into()),
    };
    let check = |name: &str, state| Check {
        name: name.to_owned(),
        state,
    };
    Reading {
        host: vec![check("schema", state.clone()), check("secrets", state)],
        ..Reading::default()
    }
}

fn judged_by(reading: &Reading) -> Judged {
    Judged {
        reading: Some(reading.clone()),
        ..Judged::default()
    }
}

/// What prompts of every second iteration are made with, another text each time.
fn guidelines(iteration: u32) -> Option<Guidelines> {
    let text = Text {
        sha256: Digest::of_bytes(&iteration.to_be_bytes()),
        bytes: iteration.into(),
        cut_at: None,
        blob: None,
    };
    (iteration % 2 == 1).then(|| Guidelines {
        path: "AGENTS.md".to_owned(),
        commit: None,
        found: Found::Given(text),
        instead_of: None,
    })
}

/// The command that a move is at this moment; nothing when there is nothing that it could be about.
fn command(run: &mut Run, a_move: &Move) -> Option<Command> {
    let state = &run.state;
    let phases = &state.definition.phases;
    let phase = |index: &usize| phases[index % phases.len()].id.clone();
    let void = |phase: &PhaseId| state.at(phase).void.last().copied();
    let pending = |phase: &PhaseId| state.at(phase).pending.as_ref().map(|pending| pending.digest);
    let reason = || "because".to_owned();
    let who = |index: &usize| [("alice", Right::Write), ("bob", Right::Admin), ("mia", Right::Maintain)][*index];
    let asks = |(login, right), ask| Some(Command::Person(authority(login, right, run.now), ask));
    let bob = ("bob", Right::Write);
    let report = match a_move {
        Move::Ran {
            phase: of,
            stale,
            result,
        } => {
            let phase = phase(of);
            let at = state.at(&phase);
            let result = match result {
                Ran::Proposed(text) => {
                    let proposal = Box::new(made(state, &phase, *text));
                    match proposal.stage {
                        Stage::Prompt => RunResult::Prompted { proposal },
                        Stage::Response => RunResult::Proposed {
                            proposal,
                            provider: "rules".into(),
                        },
                    }
                }
                Ran::Astray => RunResult::Proposed {
                    proposal: Box::new(proposal(phase.as_str(), at.iteration + 7, "astray", &[])),
                    provider: "rules".into(),
                },
                Ran::NeedsPerson => RunResult::NeedsPerson(Why::Unusable(vec![reason()])),
                Ran::Nothing => RunResult::Ended(Ending::Nothing { reason: reason() }),
                Ran::Failed => RunResult::Failed(Why::Failed(reason())),
            };
            Report::Ran {
                iteration: at.iteration,
                attempt: if *stale { at.attempt + 1 } else { at.attempt },
                phase,
                result,
                guidelines: guidelines(at.iteration),
            }
        }
        Move::Shown { phase: of, void: old } => {
            let phase = phase(of);
            let digest = if *old { void(&phase) } else { pending(&phase) }?;
            Report::Shown {
                phase,
                digest,
                at: run.now,
            }
        }
        Move::ActEnded { phase: of, again } => {
            let phase = phase(of);
            // Acts of a lane end in their order; only what ended before may be reported once more.
            let key = match again {
                true => state.at(&phase).outcomes.keys().next()?.clone(),
                false => state.next_act(&phase)?.0.clone(),
            };
            Report::ActEnded {
                phase,
                key,
                outcome: ActOutcome::NotLinked { reason: reason() },
            }
        }
        Move::ActFailed { phase: of } => {
            let phase = phase(of);
            let key = state
                .next_act(&phase)
                .map_or_else(|| key("none"), |(key, _)| key.clone());
            Report::ActFailed {
                phase,
                key,
                why: reason(),
            }
        }
        Move::ApprovalLost { phase: of } => Report::ApprovalLost {
            phase: phase(of),
            digest: pending(&phase(of))?,
            why: reason(),
        },
        Move::GateExpired { phase: of, stale } => Report::GateExpired {
            phase: phase(of),
            digest: pending(&phase(of))?,
            reminders: state.at(&phase(of)).reminders + u32::from(*stale),
        },
        Move::Ruled { phase: of, stale, said } => {
            let phase = phase(of);
            let pending = state.at(&phase).pending.as_ref()?;
            let ruled = |decision, rewrite| RulingResult::Ruled {
                ruling: Ruling {
                    decision,
                    feedback: reason().into(),
                    by: "http:judge".into(),
                    of: pending.digest,
                    answer: Digest::of_bytes(b"answer"),
                    at: run.now,
                    cut: Vec::new(),
                },
                rewrite,
            };
            let result = match said {
                Said::Yes => ruled(Decision::Approved, None),
                Said::No => ruled(Decision::Rejected, None),
                Said::Rewritten(text) => ruled(Decision::Rejected, Some(Box::new(made(state, &phase, *text)))),
                Said::Failed => RulingResult::Failed(Why::Failed(reason())),
            };
            Report::Ruled {
                digest: pending.digest,
                attempt: pending.judged.asked + u32::from(*stale),
                phase,
                result,
            }
        }
        Move::Checked { phase: of, good } => {
            let phase = phase(of);
            let (gate, pending) = state.gate_at(&phase)?;
            let (checks, reading) = (gate.checks.as_ref()?, reading(*good));
            let read = judged_by(&reading);
            // What stands as it did and does not hold is not reported: the same look is taken again.
            if pending.judged.reading.as_ref() == Some(&reading) && !checks_hold(checks, &read) {
                return None;
            }
            Report::Checked {
                digest: pending.digest,
                phase,
                reading,
            }
        }
        Move::SubjectClosed => Report::SubjectClosed {
            by: Some(person("alice")),
        },
        Move::SubjectGone => Report::SubjectGone { why: reason() },
        Move::Approve {
            who: by,
            named,
            verdict,
        } => {
            let open = state.open_gate().map(|(phase, ..)| phase.clone());
            let open = open.unwrap_or_else(|| phase(&0));
            let named = match named {
                Name::Right => prefix(pending(&open)?),
                Name::Void => prefix(void(&open)?),
                Name::Bare => Named::OnTheCard(run.now),
            };
            let command = asks(
                who(by),
                Ask::Approve {
                    verdict: *verdict,
                    named,
                    reason: Some(reason()),
                },
            );
            run.facts.live = Some(&LIVE);
            return command;
        }
        Move::Unapprove { who: by, in_flight } => {
            let command = asks(who(by), Ask::Unapprove { of: None });
            run.facts.act_in_flight = *in_flight;
            return command;
        }
        Move::Reject => return asks(bob, Ask::Reject { reason: reason() }),
        Move::Revise => return asks(bob, Ask::Revise { text: reason() }),
        Move::Amend { text, stale } => {
            let open = state.open_gate()?.0;
            let base = if *stale { void(open) } else { pending(open) }?;
            let proposal = made(state, open, *text);
            let change = reason();
            return asks(bob, Ask::Amend { base, proposal, change });
        }
        Move::Respond { phase: of, text } => {
            let proposal = made(state, &phase(of), *text);
            return asks(bob, Ask::Respond { proposal });
        }
        Move::Hold => return asks(bob, Ask::Hold { reason: reason() }),
        Move::Unhold => return asks(bob, Ask::Unhold),
        Move::Retry { variant } => {
            let variant = Letter::first(4).nth(*variant);
            return asks(bob, Ask::Retry { variant });
        }
        Move::Choose { who: by, variant, bare } => {
            let open = state.open_gate()?.0;
            let named = match bare {
                true => Named::OnTheCard(run.now),
                false => prefix(pending(open)?),
            };
            let variant = Letter::first(4).nth(*variant)?;
            let reason = None;
            return asks(who(by), Ask::Choose { variant, named, reason });
        }
        Move::Cancel => return asks(bob, Ask::Cancel { reason: reason() }),
        Move::Later { hours } => {
            run.later(TimeDelta::hours(*hours));
            return None;
        }
    };
    Some(Command::System(report))
}

/// A choice is offered among what was made, once all have ended; what was chosen is what goes on.
fn choices_are_sound(run: &Run) {
    let state = &run.state;
    for phase in state.definition.phases.iter().filter(|phase| phase.chooses.is_some()) {
        let at = state.at(&phase.id);
        let choices = state.choices(&phase.id);
        if at.status == PhaseStatus::ReadyForReview {
            assert!(!choices.is_empty(), "{} offers a choice among nothing", phase.id);
            let of = phase.chooses.as_ref().unwrap();
            let ended = |id: &PhaseId| state.at(id).was_made() || state.at(id).gave_up();
            assert!(state.definition.variants_of(of).all(|(variant, _)| ended(&variant.id)));
        }
        if at.status == PhaseStatus::Completed && at.approval.is_some() {
            let chosen = state.chosen(&phase.id).expect("a choice names a variant");
            let made = choices
                .iter()
                .find(|(letter, _)| *letter == chosen)
                .map(|(_, made)| *made);
            assert_eq!(
                at.output,
                Some(made.expect("it was made")),
                "the choice is what goes on"
            );
        }
    }
}

/// Nothing is forgotten: whatever is at work has something planned, or somebody is waited for.
fn nothing_is_forgotten(run: &Run, outstanding: &Outstanding) {
    let state = &run.state;
    if !state.is_open() {
        assert_eq!(
            outstanding
                .0
                .iter()
                // What is asked of a gate that closed is dropped when its turn comes.
                .find(|intent| {
                    !matches!(
                        intent,
                        Intent::ExpireGate { .. } | Intent::AskApprover { .. } | Intent::ReadChecks { .. }
                    )
                }),
            None
        );
        return;
    }
    if state.hold.is_some() {
        assert!(outstanding.0.is_empty(), "planned during a hold: {:?}", outstanding.0);
        return;
    }
    let mut cared_for = false;
    for phase in &state.definition.phases {
        let id = &phase.id;
        match state.at(id).status {
            PhaseStatus::Running => assert!(outstanding.runs(id), "{id} runs and no run is planned"),
            PhaseStatus::Approved => assert!(outstanding.acts(id), "{id} acts and no act is planned"),
            PhaseStatus::Draft | PhaseStatus::ReadyForReview => {
                let (gate, pending) = state.gate_at(id).expect("it stands at a gate");
                let (asks, reads) = (outstanding.asks_approver(id, pending), outstanding.reads(id, pending));
                match state.gate_waits_for(id).expect("it stands at a gate") {
                    Awaited::Approver => assert!(asks, "{id} waits for its approver, whom nobody asks"),
                    Awaited::Checks => assert!(reads, "{id} waits for checks that nobody reads"),
                    Awaited::People => {
                        let people = gate.people.is_some() || state.is_peoples_turn(id);
                        assert!(people || reads, "{id}: nobody opens its gate");
                    }
                }
            }
            PhaseStatus::WaitingForHuman | PhaseStatus::Rejected | PhaseStatus::Error => {
                let answer = state.at(id).is_asking() || awaits_answer(state, id);
                let goes_on = answer || state.can_be_retried() || state.can_be_revised();
                // A choice that was rejected is made among variants that are made anew.
                let round_left = match &phase.chooses {
                    Some(of) => state
                        .definition
                        .variants_of(of)
                        .any(|(variant, _)| state.has_round_left(&variant.id)),
                    None => state.has_round_left(id),
                };
                assert!(
                    goes_on || !round_left,
                    "{id} stopped, and nothing that anybody says moves it on"
                );
            }
            PhaseStatus::Blocked | PhaseStatus::Completed => continue,
        }
        cared_for = true;
    }
    assert!(
        cared_for,
        "open, and neither is anything planned nor anybody waited for"
    );
    let Some((open, gate, pending)) = state.open_gate() else {
        return;
    };
    if gate.expires_after_hours.is_some() && pending.shown_at.is_some() {
        let cap = state.definition.phase(open).unwrap().limits.reminders;
        let reminded_out = gate.on_expiry == OnExpiry::Remind && state.at(open).reminders >= cap;
        let partly_done = state
            .executors_of(open)
            .any(|phase| !state.at(phase).outcomes.is_empty());
        assert!(
            outstanding.expires(open) || reminded_out || partly_done,
            "{open} waits at its gate without a timer"
        );
    }
}

/// No act without a living approval of exactly that digest; nobody is called to a gate that they cannot open.
fn plans_are_sound(run: &Run) {
    let state = &run.state;
    for intent in &run.intents {
        match intent {
            Intent::Act {
                phase, source, digest, ..
            } => {
                let approval = state.at(source).approval.as_ref();
                assert_eq!(approval.map(|approval| approval.digest), Some(*digest), "{intent:?}");
                let pending = state.at(source).pending.as_ref();
                assert_eq!(pending.map(|pending| pending.digest), Some(*digest), "{intent:?}");
                assert_eq!(state.at(phase).status, PhaseStatus::Approved);
                let gate = &state.definition.phase(source).unwrap().gate;
                assert!(gate.people().is_some());
            }
            Intent::CallPeople { phase, digest } => {
                let pending = state.at(phase).pending.as_ref().expect("something to look at");
                let status = state.at(phase).status;
                assert!(matches!(status, PhaseStatus::Draft | PhaseStatus::ReadyForReview));
                assert_eq!(pending.digest, *digest);
                assert!(pending.shown_at.is_some() && state.is_open() && state.hold.is_none());
            }
            Intent::ExpireGate { at, .. } => assert!(*at > run.now),
            Intent::RunAgent { phase, .. } => assert_eq!(state.at(phase).status, PhaseStatus::Running),
            Intent::Tell { notice } => told_of_what_is(state, notice),
            Intent::Questions { phase } => assert!(!state.at(phase).questions.is_empty()),
            Intent::StartChild { .. } | Intent::TellChild { .. } | Intent::TellParent => {
                unreachable!("no children here")
            }
            Intent::AskApprover { phase, digest, attempt } => {
                assert!(state.awaits_ruling(phase, *digest, *attempt) && state.hold.is_none());
            }
            Intent::ReadChecks { phase, digest, at, .. } => {
                let (gate, pending) = state.gate_at(phase).expect("a gate with checks");
                assert!(gate.checks.is_some() && pending.digest == *digest && *at >= run.now);
            }
            Intent::EndTimers { phase } => assert!(state.gate_at(phase).is_none() || !state.at(phase).void.is_empty()),
            Intent::Labels => assert!(state.definition.has_labels()),
            Intent::Card | Intent::DismissCall { .. } | Intent::CancelPlanned => {}
        }
    }
}

/// Whoever approved had the gate's right, and it was of what the gate showed.
fn approvals_are_sound(before: &State, events: &[Event]) {
    for event in events {
        if let Event::Approved { phase, approval, .. } = event {
            let (open, gate, pending) = before.open_gate().expect("an open gate");
            assert_eq!((open, pending.digest), (phase, approval.digest));
            assert!(approval.right >= gate.right && pending.shown_at.is_some() && before.hold.is_none());
            assert_ne!(approval.surface, Surface::System);
            // The checks are read once more for an approval.
            judges_agree(before, events, (phase, approval.digest), Some(reading(true)));
        }
        if let Event::Passed { phase, digest } = event {
            let (gate, _) = before.gate_at(phase).expect("a gate");
            assert!(!gate.is_none() && gate.people.is_none(), "people are asked at {phase}");
            judges_agree(before, events, (phase, *digest), None);
        }
    }
}

/// The approver said yes of exactly this, and the checks were read as succeeded at least once.
fn judges_agree(before: &State, events: &[Event], (of, digest): (&PhaseId, Digest), read: Option<Reading>) {
    let (gate, pending) = before.gate_at(of).expect("a gate");
    assert_eq!(pending.digest, digest);
    let mut judged = pending.judged.clone();
    for event in events {
        match event {
            Event::Ruled { phase, ruling } if phase == of => judged.ruling = Some(ruling.clone()),
            Event::Checked { phase, reading, .. } if phase == of => judged.reading = Some(reading.clone()),
            _ => {}
        }
    }
    if let Some(read) = read {
        assert!(
            gate.checks.is_none() || judged.reading.is_some(),
            "its checks were never read"
        );
        judged.reading = Some(read);
    }
    if gate.ai.is_some() {
        let ruling = judged.ruling.as_ref().expect("its approver was asked");
        assert_eq!((ruling.decision, ruling.of), (Decision::Approved, digest));
    }
    if let Some(checks) = &gate.checks {
        assert!(checks_hold(checks, &judged), "{of} went on by checks that do not hold");
    }
}

/// The labels on the subject, which change only where that is asked for, are those that the state shows.
fn labels_follow(run: &Run, on_subject: &mut BTreeSet<String>) {
    let wanted: BTreeSet<String> = shown(&run.state).into_iter().map(str::to_owned).collect();
    if run.intents.contains(&Intent::Labels) {
        on_subject.clone_from(&wanted);
    }
    assert_eq!(*on_subject, wanted);
}

fn history_is_the_state(run: &Run) {
    let folded = fold(run.history.iter().map(|(event, at)| (event, *at)));
    assert_eq!(folded.as_ref(), Some(&run.state));
    assert_eq!(run.state.version, run.history.len() as u64);
    let stored: Vec<_> = run
        .history
        .iter()
        .map(|(event, at)| {
            let json = serde_json::to_value(event).unwrap();
            assert_eq!(json["type"], event.name(), "the name is the one that is stored");
            (serde_json::from_value::<Event>(json).unwrap(), *at)
        })
        .collect();
    assert_eq!(stored, run.history);
    let json = serde_json::to_string(&run.state).unwrap();
    let mut read: State = serde_json::from_str(&json).unwrap();
    read.definition = Arc::clone(&run.state.definition);
    assert_eq!(read, run.state);
}

fn play(definition: &Definition, moves: &[Move]) -> Run {
    let mut run = Run::start(definition);
    let mut outstanding = Outstanding::default();
    outstanding.plan(&run.intents);
    nothing_is_forgotten(&run, &outstanding);
    let mut on_subject = BTreeSet::new();
    labels_follow(&run, &mut on_subject);
    for a_move in moves {
        run.facts = Facts::default();
        let Some(command) = command(&mut run, a_move) else {
            continue;
        };
        let before = run.state.clone();
        let verdict = run.step(&command);
        if let Command::System(report) = &command {
            outstanding.ends(report, run.now);
        }
        match verdict {
            Verdict::Events(events) => {
                // Each consequence takes a phase a step forward, and no phase has more than five steps.
                assert!(events.len() <= 3 + 5 * before.definition.phases.len(), "{events:?}");
                approvals_are_sound(&before, &events);
                outstanding.plan(&run.intents);
                plans_are_sound(&run);
                labels_follow(&run, &mut on_subject);
            }
            Verdict::Refused(_) | Verdict::Obsolete(_) => assert_eq!(run.state, before),
        }
        nothing_is_forgotten(&run, &outstanding);
        choices_are_sound(&run);
    }
    run
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens(which in 0..8_usize, moves in prop::collection::vec(a_move(), 1..120)) {
        let run = play(&definitions()[which], &moves);
        history_is_the_state(&run);
    }

    #[test]
    fn whatever_happens_to_any_definition(
        definition in any_definition(),
        moves in prop::collection::vec(a_move(), 1..120),
    ) {
        let run = play(&definition, &moves);
        history_is_the_state(&run);
    }

    #[test]
    fn whatever_happened_a_fork_of_it_does_nothing_twice_and_nothing_unapproved(
        which in 0..8_usize,
        moves in prop::collection::vec(a_move(), 1..80),
        after in any::<prop::sample::Index>(),
    ) {
        let run = play(&definitions()[which], &moves);
        let after = after.index(run.history.len()) + 1;
        forks_soundly(&run, after);
    }
}

/// Every proposal that the moves could make, by digest.
fn all_made(definition: &Definition) -> BTreeMap<Digest, Proposal> {
    let mut made = BTreeMap::new();
    for phase in &definition.phases {
        for (iteration, text) in (1..30).flat_map(|iteration| (0..6).map(move |text| (iteration, text))) {
            for stage in [Stage::Prompt, Stage::Response] {
                let proposal = of(phase, iteration, text, stage);
                made.insert(proposal.digest(), proposal);
            }
        }
    }
    made
}

fn forks_soundly(run: &Run, after: usize) {
    let request = Request {
        origin: &"w1".into(),
        history: &run.history,
        after,
        hash: Digest::of_bytes(b"the last event"),
        into: &"w2".into(),
    };
    let then = fold(run.history[..after].iter().map(|(event, at)| (event, *at))).unwrap();
    let fork = match fork(request, &all_made(&then.definition), run.now) {
        Ok(fork) => fork,
        Err(CannotFork::Over(_)) => return assert!(!then.is_open()),
        Err(CannotFork::Between(_)) => {
            return assert!(matches!(run.history[after - 1].0, Event::Revised { .. }));
        }
        Err(other) => panic!("{other}"),
    };
    let mut history = fork.copied.clone();
    history.extend(fork.events.iter().map(|event| (event.clone(), run.now)));
    let state = fold(history.iter().map(|(event, at)| (event, *at))).unwrap();
    assert_eq!(state.id, "w2".into());
    for (id, phase) in &state.phases {
        for (key, outcome) in &then.at(id).outcomes {
            assert_eq!(phase.outcomes.get(key), Some(outcome), "what was done stays done");
        }
        let opens = |executor: &PhaseId| {
            state.at(executor).status != PhaseStatus::Completed && state.next_act(executor).is_some()
        };
        assert!(
            phase.approval.is_none() || !state.executors_of(id).any(opens),
            "{id} has an approval that still opens something"
        );
    }
    for (_, proposal) in &fork.proposals {
        let pending = state.at(&proposal.phase).pending.as_ref().unwrap();
        assert_eq!((pending.digest, pending.shown_at), (proposal.digest(), None));
        assert_eq!(proposal.workflow, "w2".into());
    }
    let intents = plan(Some(&fork.state), &state, &fork.events, run.now);
    for intent in &intents {
        let quiet = matches!(intent, Intent::Card | Intent::RunAgent { .. } | Intent::Tell { .. });
        assert!(quiet, "a fork asks for {intent:?}");
    }
    let mut outstanding = Outstanding::default();
    outstanding.plan(&intents);
    let forked = Run {
        state,
        history,
        now: run.now,
        facts: run.facts,
        intents,
    };
    nothing_is_forgotten(&forked, &outstanding);
    plans_are_sound(&forked);
    history_is_the_state(&forked);
}

/// What is told holds when it is told.
fn told_of_what_is(state: &State, notice: &Notice) {
    match notice {
        Notice::Completed => assert_eq!(state.status, Status::Completed),
        Notice::Stopped { phase } => {
            let stopped = matches!(
                state.at(phase).status,
                PhaseStatus::WaitingForHuman | PhaseStatus::Error
            );
            assert!(stopped, "{phase} is {:?}", state.at(phase).status);
        }
        Notice::AskedMore { phase } => assert!(state.at(phase).is_asking()),
        Notice::ApprovalLost { phase, .. } => assert_eq!(state.at(phase).approval, None),
        Notice::VoteLost { phase, of, .. } => {
            assert!(state.at(phase).votes().all(|vote| vote.by.id != of.id));
        }
        Notice::Expired { phase } => assert_eq!(state.at(phase).status, PhaseStatus::Rejected),
        Notice::Escalated { phase, to } => assert!(state.gate_at(phase).is_none() && state.at(to).called),
        Notice::Closed => assert!(state.hold.is_some()),
    }
}
