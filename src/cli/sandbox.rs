//! `countersign sandbox`: the bot beside a GitHub in memory.

use std::process::ExitCode;

/// Where the sandbox listens.
#[derive(Debug, clap::Args)]
pub struct Sandbox {
    /// Address and port of the sandbox's page
    #[arg(long, default_value = "127.0.0.1:8090")]
    listen: String,
}

impl Sandbox {
    /// Runs until it is told to stop.
    pub async fn run(self) -> ExitCode {
        let _ = self.listen;
        ExitCode::SUCCESS
    }
}
