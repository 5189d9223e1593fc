//! What may be wrong with the parts of a gate that are no people, and with where an expiry goes.

use super::{Definition, Gate, Phase};
use crate::workflow::ids::PhaseId;
use crate::workflow::judging::{AiGate, ChecksGate, HostCheck};

/// Characters of the longest name of a check, as GitHub has them.
const LONGEST: usize = 100;

/// Where a gate stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum At {
    /// In front of the prompt.
    Prompt,
    /// Behind the answer.
    Response,
}

/// What leads from a gate to a mistake, and a sentence.
type Found = (&'static [&'static str], String);

/// Every mistake of the approver and the checks of a gate, but the names of what stands elsewhere.
pub(super) fn mistakes(phase: &Phase, at: At, gate: &Gate) -> Vec<Found> {
    let approver = gate.ai.iter().flat_map(|ai| of_approver(phase, at, ai));
    let checks = gate.checks.iter().flat_map(|checks| of_checks(phase, at, checks));
    approver.chain(checks).collect()
}

fn of_approver(phase: &Phase, at: At, ai: &AiGate) -> Vec<Found> {
    let mut mistakes: Vec<Found> = Vec::new();
    if let Some(provider) = &ai.provider
        && provider.strip_prefix("http:").is_none_or(str::is_empty)
    {
        let text = format!(
            "`{provider}` cannot be an approver: it is one of the server's endpoints, `http:NAME`; where a person is to say \
             yes, write `people`"
        );
        mistakes.push((&["ai", "provider"], text));
    }
    if ai.rewrite && at == At::Response {
        let text = "an answer is tried again with what its approver said; `rewrite` is for a prompt_gate".to_owned();
        mistakes.push((&["ai", "rewrite"], text));
    }
    if ai.rewrite && phase.limits.retries == 0 {
        let text = "`rewrite` needs `limits.retries`: how often a prompt is put in other words".to_owned();
        mistakes.push((&["ai", "rewrite"], text));
    }
    mistakes
}

fn of_checks(phase: &Phase, at: At, checks: &ChecksGate) -> Vec<Found> {
    let mut mistakes: Vec<Found> = Vec::new();
    if checks.host.is_empty() && !checks.of_a_commit() {
        let text = "it names no check: give `host`, `named` or `all: true`".to_owned();
        mistakes.push((&["checks"], text));
    }
    if checks.host.contains(&HostCheck::Paths) && (at == At::Prompt || !phase.makes_files()) {
        let text = "`paths` looks at the files of a files.v1, and nothing here writes files".to_owned();
        mistakes.push((&["checks", "host"], text));
    }
    let wrong = |name: &&String| name.trim().is_empty() || name.chars().count() > LONGEST;
    if checks.named.iter().any(|name| wrong(&name)) {
        let text = format!("a check's name has from 1 to {LONGEST} characters");
        mistakes.push((&["checks", "named"], text));
    }
    mistakes
}

impl Definition {
    /// Every way back: the key that names it, where it begins, and where it goes.
    pub(super) fn ways_back(&self) -> impl Iterator<Item = (&'static str, &Phase, &PhaseId)> {
        self.phases.iter().flat_map(|phase| {
            let failed = phase.on_fail.iter().map(move |to| ("on_fail", phase, to));
            failed.chain(phase.on_expiry().map(move |(key, to)| (key, phase, to)))
        })
    }
}
