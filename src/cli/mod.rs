//! The command line: one file per subcommand, the log, and the house put together.

pub mod house;
pub mod logging;
mod sandbox;
mod serve;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Exit codes, the same for every subcommand.
pub mod exit {
    /// The command failed, or a play differed from its script.
    pub const FAILED: u8 = 1;
    /// The command line was not understood (clap's own code).
    pub const USAGE: u8 = 2;
    /// The configuration or the set-up is not usable; nothing was started.
    pub const CONFIGURATION: u8 = 3;
}

/// Agents propose, people countersign, GitHub remembers.
#[derive(Debug, Parser)]
#[command(name = "countersign", version, about, max_term_width = 100)]
pub struct Arguments {
    /// How log lines look (they go to standard error)
    #[arg(
        long,
        global = true,
        value_enum,
        default_value = "pretty",
        env = "COUNTERSIGN_LOG_FORMAT"
    )]
    log_format: logging::Format,
    /// Which log lines are written, in the notation of RUST_LOG
    #[arg(long, global = true, env = "COUNTERSIGN_LOG", default_value = logging::DEFAULT_FILTER)]
    log: String,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve webhooks
    Serve(serve::Serve),
    /// Try everything with a GitHub in memory: no account, no key
    Sandbox(sandbox::Sandbox),
}

impl Arguments {
    /// Does what was asked.
    pub async fn run(self) -> ExitCode {
        if let Err(error) = logging::init(self.log_format, &self.log) {
            eprintln!("error: {error}");
            return ExitCode::from(exit::USAGE);
        }
        match self.command {
            Command::Serve(serve) => serve.run().await,
            Command::Sandbox(sandbox) => sandbox.run().await,
        }
    }
}

/// Reads the command line of this process.
pub fn arguments() -> Arguments {
    Arguments::parse()
}
