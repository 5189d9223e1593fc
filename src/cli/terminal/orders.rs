//! `approve`, `reject`, `revise`, `respond` and the rest: what the operator orders of a workflow of a project's folder.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::super::answer::{Answer, Refusal};
use super::super::database::{Database, meant};
use super::super::status::unknown;
use super::phase::Phased;
use super::watch::watched;
use super::{Desk, Entering, root_of, whoever_runs_this, words};
use crate::engine::{Not, Order, expected};
use crate::store::repositories::OperatorCommand;
use crate::workflow::artifact::ReviewVerdict;
use crate::workflow::ids::WorkflowId;
use crate::workflow::state::SubjectKind;
use crate::workflow::unanswered::Aim;
use crate::workflow::variants::Letter;

/// Which workflow, and of which project.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Of {
    /// The workflow's id; left out, the one that is open
    id: Option<String>,
    #[command(flatten)]
    database: Database,
}

/// Text that says something.
fn said(text: &str) -> Result<String, String> {
    match text.trim().is_empty() {
        true => Err("say something: it is kept in the history, and an agent that tries again is told".to_owned()),
        false => Ok(text.to_owned()),
    }
}

/// What is approved.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Approve {
    /// The letter of the variant that is chosen, where variants wait
    #[arg(long, value_name = "LETTER")]
    choose: Option<Letter>,
    /// `complete` or `revise` to have that verdict in place of the review's; the workflow's id where several are open
    #[arg(value_name = "complete|revise|ID", num_args = 0..=2)]
    words: Vec<String>,
    /// Only if this is what waits: a digest, or its first twelve digits
    #[arg(long, value_name = "DIGEST")]
    digest: Option<String>,
    /// What is to be kept with the approval
    #[arg(long, value_parser = said, value_name = "TEXT")]
    reason: Option<String>,
    /// Changes nothing: prompts always have a digest. For scripts of the tool that this carries on
    #[arg(long)]
    hash_prompts: bool,
    #[command(flatten)]
    database: Database,
}

impl Approve {
    /// Approves what waits, as it stands in its file.
    pub(in crate::cli) async fn run(self) -> Result<Answer, Refusal> {
        let verdict = |word: &str| match word {
            "complete" => Some(ReviewVerdict::Pass),
            "revise" => Some(ReviewVerdict::Fail),
            _ => None,
        };
        let (verdict, id) = match self.words.as_slice() {
            [] => (None, None),
            [one] => match (verdict(one), near_a_verdict(one)) {
                (Some(verdict), _) => (Some(verdict), None),
                (None, Some(meant)) => return Err(Refusal::usage(format!("{one} is no verdict; {meant}"))),
                (None, None) => (None, Some(one.clone())),
            },
            [first, id, ..] => match verdict(first) {
                Some(verdict) => (Some(verdict), Some(id.clone())),
                None => {
                    return Err(Refusal::usage(format!(
                        "{first} is no verdict; {}",
                        words::nearest(first, &["complete", "revise"])
                    )));
                }
            },
        };
        if self.choose.is_some() && verdict.is_some() {
            return Err(Refusal::usage(
                "a choice has no verdict: leave one of the two out".to_owned(),
            ));
        }
        let order = Order::Approve {
            digest: self.digest,
            reason: self.reason,
            verdict,
            choice: self.choose,
        };
        give(&self.database, id, &order).await
    }
}

/// The verdict that a word may have been meant as; no workflow's id is like one.
fn near_a_verdict(word: &str) -> Option<String> {
    let nearest = words::nearest(word, &["complete", "revise"]);
    nearest.contains("did you mean").then_some(nearest)
}

/// What is rejected, and why.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Reject {
    /// Why; the agent is told when it tries again
    #[arg(long, short, value_parser = said, value_name = "TEXT")]
    feedback: String,
    #[command(flatten)]
    of: Of,
}

impl Reject {
    /// Rejects the answer that waits.
    pub(in crate::cli) async fn run(self) -> Result<Answer, Refusal> {
        let order = Order::Reject {
            feedback: self.feedback,
        };
        give(&self.of.database, self.of.id, &order).await
    }
}

/// What should be different.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Revise {
    /// What should be different; the agent is told
    #[arg(long, short, value_parser = said, value_name = "TEXT")]
    feedback: String,
    #[command(flatten)]
    of: Of,
}

impl Revise {
    /// Asks for another iteration of the phase that waits.
    pub(in crate::cli) async fn run(self) -> Result<Answer, Refusal> {
        let order = Order::Revise { text: self.feedback };
        give(&self.of.database, self.of.id, &order).await
    }
}

/// An answer to a question.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Answered {
    /// The question's number
    question: u32,
    /// The answer
    #[arg(value_parser = said)]
    text: String,
    #[command(flatten)]
    of: Of,
}

impl Answered {
    /// Answers it.
    pub(in crate::cli) async fn run(self) -> Result<Answer, Refusal> {
        let order = Order::Answer {
            question: self.question,
            text: self.text,
        };
        give(&self.of.database, self.of.id, &order).await
    }
}

/// Whether a reason is kept.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Reasoned {
    /// Why, for the history
    #[arg(long, default_value = "", hide_default_value = true, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    of: Of,
}

macro_rules! with_a_reason {
    ($($(#[$doc:meta])* $name:ident => $order:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Debug, clap::Args)]
        pub(in crate::cli) struct $name {
            #[command(flatten)]
            reasoned: Reasoned,
        }

        impl $name {
            /// Orders it.
            pub(in crate::cli) async fn run(self) -> Result<Answer, Refusal> {
                let Reasoned { reason, of } = self.reasoned;
                give(&of.database, of.id, &Order::$order { reason }).await
            }
        }
    )+};
}

with_a_reason! {
    /// Go on without answers to the questions that are open.
    Skip => Skip;
    /// Stop a workflow for a while.
    Hold => Hold;
    /// End a workflow.
    Cancel => Cancel;
}

/// Let a workflow go on that was held.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Unhold {
    #[command(flatten)]
    of: Of,
}

impl Unhold {
    /// Orders it.
    pub(in crate::cli) async fn run(self) -> Result<Answer, Refusal> {
        give(&self.of.database, self.of.id, &Order::Unhold).await
    }
}

/// Try again what failed.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Retry {
    /// The letter of a variant that is to be made anew
    #[arg(long, value_name = "LETTER")]
    variant: Option<Letter>,
    #[command(flatten)]
    of: Of,
}

impl Retry {
    /// Orders it.
    pub(in crate::cli) async fn run(self) -> Result<Answer, Refusal> {
        give(&self.of.database, self.of.id, &Order::Retry { variant: self.variant }).await
    }
}

/// An answer in an agent's place.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Respond {
    /// The file that holds the answer; `-` for standard input. One of the workflow's own says which prompt it is for
    #[arg(long, value_name = "FILE")]
    file: PathBuf,
    /// Only if this prompt waits: its digest, as `prompt` shows it, or its first twelve digits
    #[arg(long, value_name = "DIGEST")]
    prompt: Option<String>,
    #[command(flatten)]
    phased: Phased,
    #[command(flatten)]
    database: Database,
}

impl Respond {
    /// Hands it in: here where the workflow is a folder's, through the server where it lives on GitHub. It waits at its gate
    /// then.
    pub(in crate::cli) async fn run(self) -> Result<Answer, Refusal> {
        let text = read(&self.file)?;
        let file = Some(self.file).filter(|file| file.as_os_str() != "-");
        match root_of(&self.database)? {
            Some(root) => {
                let desk = Desk::open(&root, &self.database, Entering::Existing).await?;
                let (id, phase) = self.phased.meant(desk.engine.store()).await?;
                let prompt = self.prompt;
                let aim = Aim { phase, prompt };
                carried_out(&desk, &id, &Order::Respond { text, aim, file }).await
            }
            None => ask_server(self.database, self.phased, (self.prompt, text)).await,
        }
    }
}

fn read(file: &Path) -> Result<String, Refusal> {
    let text = match file.as_os_str() == "-" {
        true => std::io::read_to_string(std::io::stdin()),
        false => std::fs::read_to_string(file),
    };
    text.map_err(|error| Refusal::failed(format!("{} cannot be read: {error}", file.display())))
}

/// Leaves an answer for the server, unless it can be seen from here that it would be refused.
async fn ask_server(
    database: Database,
    phased: Phased,
    (prompt, text): (Option<String>, String),
) -> Result<Answer, Refusal> {
    let store = database.outside_writer().await?;
    let (id, phase) = phased.meant(&store).await?;
    let aim = Aim { phase, prompt };
    let stored = store.workflow(&id).await?.ok_or_else(|| unknown(&id))?;
    if stored.state.subject.kind == SubjectKind::Folder {
        return Err(elsewhere(&id));
    }
    let awaited = expected(&store, &id, (&aim, &text))
        .await?
        .map_err(Refusal::failed_for)?;
    let operator = whoever_runs_this(Path::new("."));
    let command = OperatorCommand::Respond {
        workflow: id.as_str().to_owned(),
        phase: awaited.phase.as_str().to_owned(),
        iteration: awaited.iteration,
        attempt: awaited.attempt,
        text,
        by: operator.id.0,
        login: operator.login,
    };
    store.ask_server(&command, chrono::Utc::now()).await?;
    store.close().await;
    Ok(Answer::new(
        json!({ "workflow": id, "requested": "respond", "for": awaited }),
        format!(
            "The server was asked to take the answer for {} {}, iteration {}: one that runs takes it within seconds, else \
             the next one that starts. It waits at its gate then, to be approved on GitHub; `countersign status {id}` \
             shows it. Where it is not taken, the server's log says why.\n",
            id, awaited.phase, awaited.iteration
        ),
    ))
}

fn elsewhere(id: &WorkflowId) -> Refusal {
    Refusal::failed(format!(
        "{id} is a workflow of a project's folder: name the project with --project-dir"
    ))
}

/// Has an order carried out and tells how the workflow stands then.
async fn give(database: &Database, id: Option<String>, order: &Order) -> Result<Answer, Refusal> {
    match root_of(database)? {
        Some(root) => order_in(&root, database, id, order).await,
        None => Err(not_here(database, id).await?),
    }
}

async fn order_in(root: &Path, database: &Database, id: Option<String>, order: &Order) -> Result<Answer, Refusal> {
    let desk = Desk::open(root, database, Entering::Existing).await?;
    let id = meant(desk.engine.store(), id, false).await?;
    carried_out(&desk, &id, order).await
}

async fn carried_out(desk: &Desk, id: &WorkflowId, order: &Order) -> Result<Answer, Refusal> {
    desk.settle(id).await?;
    let store = desk.engine.store();
    if let Err(not) = watched(store, id, desk.engine.obey(id, order)).await? {
        let state = store.workflow(id).await?.map(|stored| stored.state);
        return Err(words::refusal(id, &not, (state.as_ref(), desk.suffix.as_str())));
    }
    desk.settle(id).await?;
    desk.standing(id).await
}

/// Why nothing is decided here: the workflow is a server's.
async fn not_here(database: &Database, id: Option<String>) -> Result<Refusal, Refusal> {
    let store = database.clone().reader().await?;
    let id = meant(&store, id, false).await?;
    let stored = store.workflow(&id).await?.ok_or_else(|| unknown(&id))?;
    if stored.state.subject.kind == SubjectKind::Folder {
        return Ok(elsewhere(&id));
    }
    let card = store.card(&id).await?;
    let not = Not::OnGitHub {
        subject: format!("{}#{}", stored.repository, stored.state.subject.number),
        card: card.map(|card| card.url),
    };
    Ok(words::refusal(&id, &not, (Some(&stored.state), "")))
}
