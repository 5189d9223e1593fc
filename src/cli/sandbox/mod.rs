//! `countersign sandbox`: the bot beside a GitHub in memory and a script in a model's place. With `--play` the people of
//! a conversation speak, else a person does, on the sandbox's page.

mod stage;

use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{exit, house};
use crate::sandbox::play::{Colour, Script, play};
use crate::sandbox::{Builder, Delivery, Role, Sandbox as Github};
use crate::web;
use stage::{PlayClock, Stage};

/// How often webhooks and the engine may wake each other before one thing that a person did must have settled.
const MOST_ROUNDS: usize = 2_000;

/// Where the sandbox listens, or what is played in it.
#[derive(Debug, clap::Args)]
pub struct Sandbox {
    /// Address and port of the sandbox's page, on this machine
    #[arg(long, default_value = "127.0.0.1:8090", value_parser = loopback)]
    listen: SocketAddr,
    /// Play a conversation instead, print it, and fail where it comes out otherwise
    #[arg(long, value_name = "FILE", conflicts_with = "listen")]
    play: Option<PathBuf>,
}

/// Everybody may do everything in a sandbox, and its App's key is public.
fn loopback(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr = text
        .parse()
        .map_err(|_| "it is not an address with a port, such as 127.0.0.1:8090".to_owned())?;
    if address.ip().is_loopback() {
        Ok(address)
    } else {
        Err(
            "others could reach it and play every role: use an address of this machine alone, such as 127.0.0.1:8090"
                .to_owned(),
        )
    }
}

impl Sandbox {
    /// Which log lines are written when nobody says: the conversation itself is what one wants to see.
    pub fn log_filter(&self) -> &'static str {
        match self.play {
            Some(_) => "error",
            None => "warn",
        }
    }

    /// Plays the script, or runs until it is told to stop.
    pub async fn run(self) -> ExitCode {
        let outcome = match &self.play {
            Some(file) => perform(file).await,
            None => open_the_page(self.listen).await,
        };
        match outcome {
            Ok(()) => ExitCode::SUCCESS,
            Err((code, sentence)) => {
                eprintln!("error: {sentence}");
                ExitCode::from(code)
            }
        }
    }
}

/// An exit code and a sentence.
type Trouble = (u8, String);

fn failed(problem: impl ToString) -> Trouble {
    (exit::FAILED, problem.to_string())
}

fn not_started(problem: impl ToString) -> Trouble {
    (exit::CONFIGURATION, problem.to_string())
}

/// How one sees the path of a model where there is none.
const WITHOUT_A_KEY: &str = "\
Its agents follow rules and ask no model. To see the path of a model without a key, edit
.github/countersign.yml on the page (under Files), as somebody with write access, and add:

  providers: {extract: http:script, email: http:script}

`script` is no model: it is a script of fixed rules that speaks a model's protocol. Its costs are made up, too.
What it was asked, what it answered, and the costs; and what the server offers:
";

/// The world of the page: what the README's story needs.
fn small_world() -> Builder {
    Github::builder()
        .repo("acme/shop")
        .person("alice", Role::Write)
        .person("bob", Role::Write)
        .person("carol", Role::Triage)
        .person("mona", Role::Maintain)
        .stranger("mallory")
        .file(
            crate::config::REPOSITORY_FILE,
            "version: 1\nmail:\n  to: [Release team <releases@example.org>]\n  cc: [archive@example.org]\n",
        )
}

async fn open_the_page(listen: SocketAddr) -> Result<(), Trouble> {
    let builder = small_world().listen(&listen.to_string()).delivery(Delivery::Automatic);
    let github = builder.start().await.map_err(|error| {
        not_started(format!(
            "{listen} cannot be listened on ({error}): stop what listens there, or choose another address with --listen"
        ))
    })?;
    let mut signals = web::StopSignals::listen().map_err(failed)?;
    let stage = Stage::set(github, house::machine_clock()).await.map_err(not_started)?;
    stage.show_on_the_page();
    println!(
        "A GitHub in memory, and Countersign beside it. Nothing leaves this machine, and nothing is kept.\n\n  \
         page   {}\n  mail   {}\n\nOn the page you play every role: open an issue with a few check boxes, write /deliver, \
         approve what the bot\nproposes. Ctrl-C ends it.\n\n{WITHOUT_A_KEY}\n  \
         countersign runs --database-url {}\n  countersign providers --config {}",
        stage.github.base_url(),
        stage.mail_directory().display(),
        stage.database_url(),
        stage.server_file().display(),
    );
    let stop = CancellationToken::new();
    let until = stop.clone();
    tokio::spawn(async move {
        signals.next().await;
        until.cancel();
    });
    stage.house.work(stop).await;
    stage.strike().await;
    Ok(())
}

async fn perform(file: &Path) -> Result<(), Trouble> {
    let name = file.display();
    let text = std::fs::read_to_string(file).map_err(|error| failed(format!("{name} cannot be read: {error}")))?;
    let script = Script::parse(&text).map_err(|mistake| failed(format!("{name}, {mistake}")))?;
    let clock = PlayClock::default();
    let builder = script.set_up(Github::builder().clock(clock.hand()));
    let github = builder.start().await.map_err(not_started)?;
    let stage = Stage::set(github, clock.hand()).await.map_err(not_started)?;
    let mut backstage = Backstage {
        stage: &stage,
        clock: &clock,
    };
    let mut out = std::io::stdout();
    let colour = match out.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()) {
        true => Colour::On,
        false => Colour::Off,
    };
    let played = play(&script, &stage.github, &stage.models, &mut backstage, &mut out, colour).await;
    stage.strike().await;
    played.map_err(|missed| failed(format!("{name}, {missed}")))
}

/// The caller's side of a play: nothing happens by itself, neither time nor webhooks nor the bot's work.
struct Backstage<'a> {
    stage: &'a Stage,
    clock: &'a PlayClock,
}

impl crate::sandbox::play::Backstage for Backstage<'_> {
    async fn settle(&mut self) -> Result<(), String> {
        for _ in 0..MOST_ROUNDS {
            let delivered = self.stage.github.deliver_all().await.len();
            let worked = self
                .stage
                .house
                .engine
                .pump()
                .await
                .map_err(|error| error.to_string())?;
            if delivered + worked == 0 {
                return Ok(());
            }
        }
        Err("the bot and GitHub keep each other busy without an end".to_owned())
    }

    async fn advance(&mut self, time: Duration) -> Result<(), String> {
        self.clock.advance(time);
        Ok(())
    }

    fn mails(&mut self) -> Vec<crate::sandbox::play::Mail> {
        stage::mails(self.stage.mail_directory())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_listened_on() {
        for text in ["127.0.0.1:0", "[::1]:8090"] {
            assert!(loopback(text).is_ok(), "{text}");
        }
        for (text, word) in [
            ("0.0.0.0:8090", "others could reach it"),
            ("localhost", "an address with a port"),
        ] {
            assert!(loopback(text).unwrap_err().contains(word), "{text}");
        }
    }
}
