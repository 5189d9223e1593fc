//! `roles`: whichever of its phases fails, it is that one which is tried again.

use super::super::command::{Ask, RunResult};
use super::super::definition::{Definition, Known};
use super::super::right::Right;
use super::super::state::{PhaseStatus, Status, Why};
use super::story::approve;
use super::{Run, proposal};

fn roles() -> Definition {
    let known = Known {
        prompts: &[
            "roles/assistant",
            "roles/coder",
            "roles/tester",
            "roles/verifier",
            "roles/releaser",
            "roles/discovery",
            "roles/planning",
            "roles/implementation",
            "roles/testing",
            "roles/verification",
            "roles/deployment",
        ],
        schemas: &["document.v1", "plan.v1", "files.v1", "handoff.v1"],
        ..Known::default()
    };
    Definition::parse(include_str!("../../../workflows/roles.yml"), &known).unwrap()
}

/// Proposes for a phase with this verdict, and approves it.
fn made(run: &mut Run, phase: &str, verdict: &str) {
    let iteration = run.state.at(&phase.into()).iteration;
    let mut made = proposal(phase, iteration, phase, &[]);
    made.artifact["verdict"] = verdict.into();
    run.proposes(&made);
    run.shown(phase, made.digest());
    run.asks("bob", Right::Maintain, approve(&made));
}

#[test]
fn testing_and_verification_each_send_the_implementation_back() {
    for judge in ["testing", "verification"] {
        let mut run = Run::start(&roles());
        for phase in ["discovery", "planning", "implementation", "testing", "verification"] {
            made(&mut run, phase, if phase == judge { "fail" } else { "pass" });
            if phase == judge {
                break;
            }
        }
        let at = run.state.at(&"implementation".into());
        assert_eq!((at.status, at.iteration), (PhaseStatus::Running, 2), "{judge}");
        assert_eq!(run.status("deployment"), PhaseStatus::Blocked, "{judge}");
    }
}

#[test]
fn each_phase_may_fail_and_is_tried_again_deployment_too() {
    let definition = roles();
    let mut run = Run::start(&definition);
    for phase in definition.phases.iter().map(|phase| phase.id.as_str()) {
        assert_eq!(run.status(phase), PhaseStatus::Running, "{phase}");
        run.ran(phase, RunResult::Failed(Why::Failed("broken".into())));
        assert_eq!(run.status(phase), PhaseStatus::Error, "{phase}");
        run.asks("bob", Right::Write, Ask::Retry { variant: None });
        assert_eq!(run.status(phase), PhaseStatus::Running, "{phase}");
        made(&mut run, phase, "pass");
        assert_eq!(run.status(phase), PhaseStatus::Completed, "{phase}");
    }
    assert_eq!(run.state.status, Status::Completed);
}
