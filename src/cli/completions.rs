//! `countersign completions SHELL`: what a shell needs to complete these commands.

use super::answer::{Answer, Refusal};

/// Which shell.
#[derive(Debug, clap::Args)]
pub(super) struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: clap_complete::Shell,
}

impl Completions {
    /// Answers with the script.
    pub(super) fn run(self, command: &mut clap::Command) -> Result<Answer, Refusal> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, command, "countersign", &mut script);
        let script = String::from_utf8_lossy(&script).into_owned();
        let data = serde_json::json!({ "shell": self.shell.to_string(), "script": script });
        Ok(Answer::new(data, script))
    }
}
