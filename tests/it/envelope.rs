//! What programs are answered: one envelope for every command, and flags of the former tool.

use crate::cli::run;
use crate::terminal::Project;

/// What does not end by itself, or prints a text that is meant for a shell.
const OTHERS: [&str; 4] = ["serve", "sandbox", "completions", "help"];

#[test]
fn every_command_that_ends_answers_in_the_envelope_also_where_it_fails() {
    let home = tempfile::tempdir().unwrap();
    let help = run(home.path(), &["help"]);
    let listed = help.out.lines().filter_map(|line| {
        let name = line.strip_prefix("  ")?.split_whitespace().next()?;
        (!line.starts_with("   ") && name.chars().all(|c| c.is_ascii_lowercase())).then_some(name)
    });
    let commands: Vec<&str> = listed.filter(|name| !OTHERS.contains(name)).collect();
    assert!(commands.len() >= 25, "{commands:?}");
    for command in commands {
        let ran = run(home.path(), &[command, "--json"]);
        let answered = ran.envelope()["command"].clone();
        let understood = answered.as_str().is_none_or(|name| name.starts_with(command));
        assert!(understood, "{command}: {answered}");
    }
}

#[test]
fn prompts_have_a_digest_whether_or_not_it_is_asked_for() {
    let project = Project::new();
    let id = project.started(&[]);
    let waiting = project.told(&["status", &id])["phases"][0]["digest"].clone();
    assert!(waiting.as_str().is_some_and(|digest| digest.len() >= 12), "{waiting}");
    let after = project.told(&["approve", "--hash-prompts"]);
    assert_eq!(after["phase_status"], "waiting_for_human");
}
