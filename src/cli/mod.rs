//! The command line: one file per subcommand, the log, and the house put together.

mod again;
mod answer;
mod backup;
mod check;
mod completions;
mod database;
mod definitions;
mod deliveries;
mod doctor;
mod effects;
mod export;
mod files;
mod fork;
mod history;
pub mod house;
mod list;
pub mod logging;
mod notifications;
mod page;
mod providers;
mod quorums;
mod replay;
mod runs;
mod sandbox;
mod serve;
mod show;
mod stats;
mod status;
mod terminal;
mod verify;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

use answer::{Form, Refusal};
use logging::Log;

/// Exit codes, the same for every subcommand.
pub mod exit {
    /// It did what was asked.
    pub const DONE: u8 = 0;
    /// The command failed, a file has mistakes, or a play differed from its script.
    pub const FAILED: u8 = 1;
    /// The command line was not understood (clap's own code).
    pub const USAGE: u8 = 2;
    /// The configuration or the set-up is not usable; nothing was started.
    pub const CONFIGURATION: u8 = 3;
}

const EXIT_CODES: &str = "\
Exit codes:
  0  it did what was asked
  1  it failed: nothing of that id, mistakes in a file, an order that is refused,
     a model that failed its test, a step of a play that came out otherwise
  2  the command line was not understood
  3  the configuration or the database is not usable; nothing was started

Of a server's workflows only `serve` and `sandbox` write the database, and `restore`, which replaces it. The other commands
read it, beside a running server or without one; `deliveries retry`, `effects retry`, `fork` and `respond` leave a request for the server. Decisions are not made
here: authority is a person's on GitHub. A workflow that `run` starts lives in a project's folder, and whoever runs the
program there decides.";

/// Agents propose, people countersign, GitHub remembers.
#[derive(Debug, Parser)]
#[command(name = "countersign", version, about, max_term_width = 120, after_help = EXIT_CODES)]
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
    /// Which log lines are written, in the notation of RUST_LOG [default: warn,countersign=info; less in a sandbox]
    #[arg(long, global = true, env = "COUNTERSIGN_LOG")]
    log: Option<String>,
    /// Answer with one JSON object on standard output: schema_version, command, exit_code, error, data
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve webhooks
    Serve(serve::Serve),
    /// Try everything with a GitHub in memory: no account, no key
    Sandbox(sandbox::Sandbox),
    /// Start a workflow of a project's folder: no GitHub, no server; where it waits for you, the file and the next command
    /// are named
    #[command(visible_alias = "init")]
    Run(terminal::Run),
    /// Approve what waits in a project's workflow, as it stands in its file
    Approve(terminal::Approve),
    /// Reject the answer that waits; it is tried again with what you say
    Reject(terminal::Reject),
    /// Ask for another iteration of the phase that waits
    Revise(terminal::Revise),
    /// Answer a question of a project's workflow
    Answer(terminal::Answered),
    /// Go on without answers to the questions that are open
    Skip(terminal::Skip),
    /// Stop a project's workflow for a while
    Hold(terminal::Hold),
    /// Let a project's workflow go on that was held
    Unhold(terminal::Unhold),
    /// Try again what failed in a project's workflow
    Retry(terminal::Retry),
    /// End a project's workflow
    Cancel(terminal::Cancel),
    /// Print the complete request of the phase that is asked now
    Prompt(terminal::Prompted),
    /// Give an agent's answer in its place, for any workflow: it meets the same checks and the same gate
    Respond(terminal::Respond),
    /// Validate that providers and standards can be used
    Validate(terminal::Validate),
    /// List workflows, the last changed first
    List(list::List),
    /// Show how a workflow stands
    Status(status::Status),
    /// Show all that happened in a workflow, and verify the chain of its events
    History(history::History),
    /// Show what was proposed, asked or answered, by its digest
    Show(show::Show),
    /// Show how a workflow stood after one of its events
    Replay(replay::Replay),
    /// Verify that nothing kept of workflows was changed outside of this program
    Verify(verify::Verify),
    /// Write all that is kept of a workflow into one archive, or verify such an archive
    Export(export::Export),
    /// Write the files that a workflow made and people approved into a new directory
    Files(files::Files),
    /// Look at everything that a server relies on; nothing is written or sent
    Doctor(doctor::Doctor),
    /// Write the whole database into one file, while the server runs
    Backup(backup::Backup),
    /// Put a backup in the database's place; the server must be stopped
    Restore(backup::Restore),
    /// Ask the server for a new workflow that goes on from an event of one that has ended
    Fork(fork::Fork),
    /// List webhook deliveries, the newest first; show one, or have one tried again
    Deliveries(deliveries::Deliveries),
    /// List writes to the outside that wait or were given up, or have one tried again
    Effects(effects::Effects),
    /// Check a repository's configuration file
    Check(check::Check),
    /// List the definitions of workflows; check, draw or walk one, or print their schema
    #[command(visible_alias = "profiles")]
    Definitions(definitions::Definitions),
    /// List where agents' text can come from, usable or why not, with prices and caps; test a model endpoint
    Providers(providers::Providers),
    /// List whom else than GitHub a server tells what happens; test one of them
    Notifications(notifications::Notified),
    /// List what agents were asked and what it cost, the newest first; show one run whole
    Runs(runs::Runs),
    /// Count workflows by definition and status, how long they took, and what models took by month, provider and role
    Stats(stats::Stats),
    /// Print a shell's completion script
    Completions(completions::Completions),
}

impl Command {
    /// Whether it runs until it is told to stop: such a one tells what it does by its log.
    fn serves(&self) -> bool {
        matches!(self, Self::Serve(_) | Self::Sandbox(_))
    }
}

impl Arguments {
    /// Does what was asked.
    pub async fn run(self) -> ExitCode {
        let form = Form::from_flag(self.json);
        let filter = match (&self.log, &self.command) {
            (Some(filter), _) => filter,
            (None, Command::Sandbox(sandbox)) => sandbox.log_filter(),
            (None, command) if !command.serves() => "warn",
            (None, _) => logging::DEFAULT_FILTER,
        };
        let log = match Log::new(self.log_format, filter) {
            Ok(log) => log,
            Err(error) => return form.give(None, Err(Refusal::usage(error))),
        };
        let command = match self.command {
            // It begins its log when its settings say whether it keeps traces.
            Command::Serve(serve) if !self.json => return serve.run(log).await,
            command => command,
        };
        if let Err(error) = log.begin(None) {
            return form.give(None, Err(Refusal::usage(error)));
        }
        let (name, outcome) = match command {
            Command::Serve(_) => return form.give(None, Err(without_answer())),
            Command::Sandbox(_) if self.json => return form.give(None, Err(without_answer())),
            Command::Sandbox(sandbox) => return sandbox.run().await,
            Command::Run(run) => ("run", run.run().await),
            Command::Approve(approve) => ("approve", approve.run().await),
            Command::Reject(reject) => ("reject", reject.run().await),
            Command::Revise(revise) => ("revise", revise.run().await),
            Command::Answer(answer) => ("answer", answer.run().await),
            Command::Skip(skip) => ("skip", skip.run().await),
            Command::Hold(hold) => ("hold", hold.run().await),
            Command::Unhold(unhold) => ("unhold", unhold.run().await),
            Command::Retry(retry) => ("retry", retry.run().await),
            Command::Cancel(cancel) => ("cancel", cancel.run().await),
            Command::Prompt(prompt) => ("prompt", prompt.run().await),
            Command::Respond(respond) => ("respond", respond.run().await),
            Command::Validate(validate) => ("validate", validate.run()),
            Command::List(list) => ("list", list.run().await),
            Command::Status(status) => ("status", status.run().await),
            Command::History(history) => ("history", history.run().await),
            Command::Show(show) => ("show", show.run().await),
            Command::Replay(replay) => ("replay", replay.run().await),
            Command::Verify(verify) => ("verify", verify.run().await),
            Command::Export(export) => (export.name(), export.run().await),
            Command::Files(files) => ("files", files.run().await),
            Command::Doctor(doctor) => ("doctor", doctor.run().await),
            Command::Backup(backup) => ("backup", backup.run().await),
            Command::Restore(restore) => ("restore", restore.run().await),
            Command::Fork(fork) => ("fork", fork.run().await),
            Command::Deliveries(deliveries) => (deliveries.name(), deliveries.run().await),
            Command::Effects(effects) => (effects.name(), effects.run().await),
            Command::Check(check) => ("check", check.run().await),
            Command::Definitions(definitions) => (definitions.name(), definitions.run().await),
            Command::Providers(providers) => (providers.name(), providers.run().await),
            Command::Notifications(notified) => (notified.name(), notified.run().await),
            Command::Runs(runs) => ("runs", runs.run().await),
            Command::Stats(stats) => ("stats", stats.run().await),
            Command::Completions(completions) => ("completions", completions.run(&mut Self::command())),
        };
        form.give(Some(name), outcome)
    }
}

fn without_answer() -> Refusal {
    Refusal::usage("--json is for commands that answer and end")
}

/// Reads the command line of this process. Where it is not understood, the process ends here with its exit code.
pub fn arguments() -> Arguments {
    let error = match Arguments::try_parse() {
        Ok(arguments) => return arguments,
        Err(error) => error,
    };
    let wants_json = std::env::args_os().skip(1).any(|argument| argument == "--json");
    if wants_json && error.use_stderr() {
        let sentence = error.to_string();
        Form::Json.give(None, Err(Refusal::usage(sentence.trim_end())));
        std::process::exit(exit::USAGE.into());
    }
    error.exit()
}
