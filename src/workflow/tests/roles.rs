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
        let mut made = proposal(phase, 1, phase, &[]);
        made.artifact["verdict"] = "pass".into();
        run.proposes(&made);
        run.shown(phase, made.digest());
        run.asks("bob", Right::Maintain, approve(&made));
        assert_eq!(run.status(phase), PhaseStatus::Completed, "{phase}");
    }
    assert_eq!(run.state.status, Status::Completed);
}
