//! Plays a script: one step after another, and nothing that the bot said may go unread.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::{self, Write};
use std::time::Duration;

use super::golden::{self, Captures, Difference};
use super::mail::Mail;
use super::model::ModelAnswer;
use super::observe::{Change, Seen, changes, look};
use super::print::{Colour, Printer};
use super::script::{Draft, Script, Step};
use crate::sandbox::models::{ModelRequest, ModelServer};
use crate::sandbox::{CommentId, CommentView, IssueNumber, Person, Refusal, Sandbox, Tick};

/// The caller's side of a play: the bot, the time and the mailbox.
pub trait Backstage {
    /// Delivers all webhooks and lets the bot work until it has nothing left to do now.
    fn settle(&mut self) -> impl Future<Output = Result<(), String>> + Send;

    /// Lets so much time pass, for the bot and for the sandbox.
    fn advance(&mut self, time: Duration) -> impl Future<Output = Result<(), String>> + Send;

    /// All mails that were sent since the play began, the oldest first.
    fn mails(&mut self) -> Vec<Mail>;
}

/// Why a play ended before its end.
#[derive(Debug, thiserror::Error)]
pub enum PlayError {
    /// A step came out otherwise; what was expected and what was found was printed.
    #[error("line {line}: {what}")]
    Missed {
        /// Where the step stands in the script.
        line: u64,
        /// What came out otherwise.
        what: String,
    },
    /// The conversation could not be printed.
    #[error("the conversation could not be printed: {0}")]
    Output(#[from] io::Error),
}

/// Plays a script in a sandbox that [`Script::set_up`] prepared, and prints it. `models` answers in the place of the
/// models that the bot knows.
///
/// # Errors
/// When a step comes out otherwise than the script says, or the bot said, opened, mailed or asked a model something that
/// the script does not expect before the next act or its end, or a model was not asked for what it was to answer.
pub async fn play<B: Backstage>(
    script: &Script,
    sandbox: &Sandbox,
    models: &ModelServer,
    backstage: &mut B,
    out: &mut (dyn Write + Send),
    colour: Colour,
) -> Result<(), PlayError> {
    let bot = sandbox.bot_login();
    let mut player = Player {
        sandbox,
        models,
        backstage,
        printer: Printer::new(out, colour, bot.clone()),
        bot,
        draft: script.draft(),
        pace: script.pace(),
        seen: look(sandbox),
        unread: Unread::default(),
        read: Vec::new(),
        mails: 0,
        questions: models.requests().len(),
        threads: Vec::new(),
        subject: None,
        said: None,
        cards: BTreeMap::new(),
        captures: Captures::from([("site".to_owned(), sandbox.base_url())]),
        met: 0,
        first_miss: None,
    };
    player.printer.title(script.title(), &script.cast())?;
    let mut last = 0;
    for (line, step) in script.steps() {
        last = line;
        match player.step(line, step).await {
            Err(PlayError::Missed { .. }) if player.draft == Draft::Yes => {}
            other => other?,
        }
    }
    player.all_read(last)?;
    player.all_asked(last)?;
    if let Some((line, what)) = player.first_miss {
        return Err(PlayError::Missed { line, what });
    }
    player.printer.end(player.met)?;
    Ok(())
}

/// What the bot did and nobody has looked at yet.
#[derive(Debug, Default)]
pub(super) struct Unread {
    pub comments: VecDeque<(IssueNumber, CommentView)>,
    pub cards: BTreeSet<IssueNumber>,
    pub issues: BTreeSet<IssueNumber>,
    pub mails: VecDeque<Mail>,
    pub questions: VecDeque<ModelRequest>,
}

pub(super) struct Player<'a, B> {
    pub(super) sandbox: &'a Sandbox,
    models: &'a ModelServer,
    backstage: &'a mut B,
    printer: Printer<'a>,
    pub(super) bot: String,
    draft: Draft,
    pace: Duration,
    seen: Seen,
    pub(super) unread: Unread,
    /// Comments of the bot that were looked at.
    pub(super) read: Vec<CommentId>,
    /// How many mails were there when last looked.
    mails: usize,
    /// How many questions to models there were when last looked.
    questions: usize,
    /// The Message-IDs of mails that were looked at.
    pub(super) threads: Vec<String>,
    /// The issue that the conversation is about.
    subject: Option<IssueNumber>,
    /// What a person said last.
    pub(super) said: Option<CommentId>,
    /// The newest card on each issue.
    cards: BTreeMap<IssueNumber, CommentId>,
    pub(super) captures: Captures,
    met: usize,
    first_miss: Option<(u64, String)>,
}

/// How a step came out otherwise.
pub(super) struct Missed {
    pub what: String,
    pub difference: Vec<Difference>,
}

impl From<String> for Missed {
    fn from(what: String) -> Self {
        Self {
            what,
            difference: Vec::new(),
        }
    }
}

impl From<&str> for Missed {
    fn from(what: &str) -> Self {
        what.to_owned().into()
    }
}

impl From<Refusal> for Missed {
    fn from(refusal: Refusal) -> Self {
        format!("GitHub refuses this: {} ({})", refusal, refusal.status).into()
    }
}

impl From<io::Error> for Missed {
    fn from(error: io::Error) -> Self {
        format!("the conversation could not be printed: {error}").into()
    }
}

/// What a step comes to.
pub(super) type Outcome = Result<(), Missed>;

impl<B: Backstage> Player<'_, B> {
    async fn step(&mut self, line: u64, step: &Step) -> Result<(), PlayError> {
        let outcome = match step {
            Step::Note(text) => self.printer.note(text).map_err(Missed::from),
            Step::Bot(bot) => self.expect_bot(bot),
            Step::Card(card) => self.expect_card(card),
            Step::Issue(issue) => self.expect_issue(issue),
            Step::Mail(mail) => self.expect_mail(mail),
            Step::Asked(asked) => self.expect_asked(asked),
            Step::Model(answer) => self.prepare(answer),
            Step::Nothing(_) => {
                self.all_read(line)?;
                self.meets("the bot says nothing")
            }
            act => {
                let unread = self.all_read(line);
                if self.draft == Draft::No {
                    unread?;
                }
                self.act(act).await
            }
        };
        outcome.or_else(|missed| self.fail(line, missed))
    }

    fn fail(&mut self, line: u64, missed: Missed) -> Result<(), PlayError> {
        self.printer.missed(line, &missed.what, &missed.difference)?;
        self.first_miss.get_or_insert_with(|| (line, missed.what.clone()));
        Err(PlayError::Missed {
            line,
            what: missed.what,
        })
    }

    /// Nothing that the bot did may be left when somebody acts again.
    fn all_read(&mut self, line: u64) -> Result<(), PlayError> {
        let unread = &self.unread;
        let what = if let Some((number, comment)) = unread.comments.front() {
            format!(
                "before this line the bot wrote in #{number}, and the script does not expect it:\n{}",
                golden::visible(&comment.body).join("\n")
            )
        } else if let Some(number) = unread.cards.first() {
            format!("before this line the bot posted a card on #{number}, and the script does not look at it")
        } else if let Some(number) = unread.issues.first() {
            format!("before this line the bot opened #{number}, and the script does not expect it")
        } else if let Some(mail) = unread.mails.front() {
            format!(
                "before this line the bot sent “{}”, and the script does not expect it",
                mail.subject
            )
        } else if !unread.questions.is_empty() {
            "before this line a model was asked, and the script does not look at it".to_owned()
        } else {
            return Ok(());
        };
        self.unread = Unread::default();
        self.fail(line, what.into())
    }

    /// No answer may be left that a model was to give.
    fn all_asked(&mut self, line: u64) -> Result<(), PlayError> {
        match self.models.prepared() {
            0 => Ok(()),
            left => {
                let what = format!("{left} of the answers that the script prepared for a model were not asked for");
                self.fail(line, what.into())
            }
        }
    }

    /// Not an act: nobody hears of it until the model is asked.
    fn prepare(&mut self, answer: &ModelAnswer) -> Outcome {
        let (answer, text) = match answer {
            ModelAnswer::Text(text) => {
                let text = self.filled(text.trim_end())?;
                (ModelAnswer::Text(text.clone()), text)
            }
            other => (other.clone(), String::new()),
        };
        self.models.prepare(answer.reply());
        Ok(self.printer.act("The model", &answer.words(), &text)?)
    }

    pub(super) fn meets(&mut self, what: &str) -> Outcome {
        self.met += 1;
        Ok(self.printer.met(what)?)
    }

    // What people do.

    async fn act(&mut self, step: &Step) -> Outcome {
        if !matches!(step, Step::Wait(_)) {
            self.backstage.advance(self.pace).await.map_err(Missed::from)?;
        }
        self.perform(step).await?;
        // What the person did was printed already; from here on it is the bot's doing.
        self.seen = look(self.sandbox);
        self.backstage.settle().await.map_err(Missed::from)?;
        self.observe()
    }

    fn person(&self, login: &str) -> Person {
        self.sandbox.as_(login)
    }

    fn issue_of(&self, on: Option<u64>) -> Result<IssueNumber, Missed> {
        let chosen = on.map(IssueNumber).or(self.subject);
        chosen.ok_or_else(|| "no issue was opened yet; say `on: 1` or open one".into())
    }

    /// The newest card on an issue; without one, on the issue that the conversation is about.
    pub(super) fn card_id(&self, on: Option<u64>) -> Result<(IssueNumber, CommentId), Missed> {
        let number = on.map(IssueNumber).or(self.subject);
        let card = number.and_then(|number| Some((number, *self.cards.get(&number)?)));
        card.ok_or_else(|| "the bot has posted no card yet".into())
    }

    pub(super) fn filled(&self, text: &str) -> Result<String, Missed> {
        golden::fill(text, &self.captures)
            .map_err(|name| format!("{{{name}}} stands for nothing yet: it was not seen before this line").into())
    }

    /// The newest comment of a person.
    fn newest(&self, login: &str) -> Result<CommentView, Missed> {
        let number = self.issue_of(None)?;
        let mine = self
            .sandbox
            .comments(number)
            .into_iter()
            .rfind(|found| found.author == login);
        mine.ok_or_else(|| format!("{login} has no comment in #{number}").into())
    }

    async fn perform(&mut self, step: &Step) -> Outcome {
        match step {
            Step::Open(open) => {
                let (title, body) = (self.filled(&open.title)?, self.filled(&open.body)?);
                let number = self.person(&open.by).open_issue(&title, &body)?;
                self.subject = Some(number);
                self.printer
                    .act(&open.by, &format!("opens #{number} “{title}”"), &body)?;
            }
            Step::Say(say) => {
                let number = self.issue_of(say.on)?;
                let text = self.filled(say.text.trim_end())?;
                self.said = Some(self.person(&say.by).comment(number, &text)?);
                let place = if Some(number) == self.subject {
                    String::new()
                } else {
                    format!(" in #{number}")
                };
                self.printer.act(&say.by, &format!("writes{place}"), &text)?;
            }
            Step::Reply(reply) => {
                let text = self.filled(reply.text.trim_end())?;
                let to = self.newest(&reply.to)?;
                let thread = to.reply_to.unwrap_or(to.id);
                self.said = Some(self.person(&reply.by).reply(thread, &text)?);
                self.printer
                    .act(&reply.by, &format!("replies to {}", reply.to), &text)?;
            }
            Step::Edit(edit) => {
                let text = self.filled(edit.text.trim_end())?;
                let comment = self.newest(&edit.by)?.id;
                self.person(&edit.by).edit_comment(comment, &text)?;
                self.said = Some(comment);
                self.printer.act(&edit.by, "edits that comment", &text)?;
            }
            Step::Delete(act) => {
                let comment = self.newest(&act.by)?;
                self.person(&act.by).delete_comment(comment.id)?;
                self.printer.act(&act.by, "deletes a comment", &comment.body)?;
            }
            Step::Tamper(tamper) => {
                let (_, card) = self.card_id(None)?;
                let body = self.sandbox.comment(card).map(|card| card.body).unwrap_or_default();
                if !body.contains(&tamper.replace) {
                    return Err(format!("the card does not say {:?}", tamper.replace).into());
                }
                let changed = body.replacen(&tamper.replace, &tamper.with, 1);
                self.person(&tamper.by).edit_comment(card, &changed)?;
                let text = format!("{}\n→ {}", tamper.replace, tamper.with);
                self.printer.act(&tamper.by, "edits the bot's card", &text)?;
            }
            Step::Tick(tick) => self.tick(&tick.by, &tick.key, Tick::On)?,
            Step::Untick(tick) => self.tick(&tick.by, &tick.key, Tick::Off)?,
            other => return self.perform_on_the_issue(other).await,
        }
        Ok(())
    }

    fn tick(&mut self, by: &str, key: &str, tick: Tick) -> Outcome {
        let (_, card) = self.card_id(None)?;
        let does = match tick {
            Tick::On => "ticks",
            Tick::Off => "unticks",
        };
        self.person(by).tick(card, format!("**{key}**").as_str(), tick)?;
        Ok(self.printer.act(by, &format!("{does} {key} on the card"), "")?)
    }

    async fn perform_on_the_issue(&mut self, step: &Step) -> Outcome {
        let (by, on, does) = match step {
            Step::Label(label) => (&label.by, label.on, format!("sets the label {}", label.name)),
            Step::Unlabel(label) => (&label.by, label.on, format!("takes off the label {}", label.name)),
            Step::Close(act) => (&act.by, act.on, "closes".to_owned()),
            Step::Reopen(act) => (&act.by, act.on, "reopens".to_owned()),
            Step::Lock(act) => (&act.by, act.on, "locks".to_owned()),
            Step::Unlock(act) => (&act.by, act.on, "unlocks".to_owned()),
            other => return self.perform_elsewhere(other).await,
        };
        let number = self.issue_of(on)?;
        let person = self.person(by);
        match step {
            Step::Label(label) => person.label(number, &label.name)?,
            Step::Unlabel(label) => person.unlabel(number, &label.name)?,
            Step::Close(_) => person.close(number)?,
            Step::Reopen(_) => person.reopen(number)?,
            Step::Lock(_) => person.lock(number)?,
            _ => person.unlock(number)?,
        }
        let preposition = if matches!(step, Step::Label(_) | Step::Unlabel(_)) {
            " on"
        } else {
            ""
        };
        Ok(self.printer.act(by, &format!("{does}{preposition} #{number}"), "")?)
    }

    async fn perform_elsewhere(&mut self, step: &Step) -> Outcome {
        match step {
            Step::Pull(open) => {
                let (title, body) = (self.filled(&open.title)?, self.filled(&open.body)?);
                let number = self.person(&open.by).open_pull(&title, &body, "change")?;
                self.subject = Some(number);
                self.printer
                    .act(&open.by, &format!("opens the pull request #{number} “{title}”"), &body)?;
            }
            Step::Discussion(open) => {
                let (title, body) = (self.filled(&open.title)?, self.filled(&open.body)?);
                let number = self.person(&open.by).start_discussion(&title, &body)?;
                self.subject = Some(number);
                self.printer
                    .act(&open.by, &format!("starts the discussion #{number} “{title}”"), &body)?;
            }
            Step::Push(act) => {
                let number = self.issue_of(act.on)?;
                self.person(&act.by).push(number)?;
                self.printer.act(&act.by, &format!("pushes to #{number}"), "")?;
            }
            Step::Check(check) => {
                let number = self.issue_of(check.on)?;
                let conclusion = check.conclusion.as_deref();
                self.person(&check.by).check(number, &check.name, conclusion)?;
                let stands = conclusion.unwrap_or("runs");
                self.printer.act(
                    &check.by,
                    &format!("runs the check {} on #{number}: {stands}", check.name),
                    "",
                )?;
            }
            Step::Status(status) => {
                let number = self.issue_of(status.on)?;
                self.person(&status.by).status(number, &status.context, &status.state)?;
                self.printer.act(
                    &status.by,
                    &format!(
                        "sets the commit status {} on #{number}: {}",
                        status.context, status.state
                    ),
                    "",
                )?;
            }
            Step::Write(file) => {
                self.person(&file.by).set_file(&file.path, &file.text)?;
                self.printer
                    .act(&file.by, &format!("commits {}", file.path), &file.text)?;
            }
            Step::Role(role) => {
                self.sandbox.set_role(&role.of, role.is.role());
                self.printer
                    .event(&format!("{} now has the role {}", role.of, role.is.name()))?;
            }
            Step::Wait(wait) => {
                self.printer.event(&format!("{} later", wait.words))?;
                self.backstage.advance(wait.time).await.map_err(Missed::from)?;
            }
            Step::Fault(fault) => {
                self.sandbox.fault(fault.rule());
                self.printer.event(&fault.words())?;
            }
            Step::Heal(_) => {
                self.sandbox.heal();
                self.printer.event("GitHub is well again")?;
            }
            // Expectations and notes are told apart before this.
            _ => {}
        }
        Ok(())
    }

    // What comes of it.

    fn observe(&mut self) -> Outcome {
        let questions = self.models.requests();
        for question in questions.iter().skip(self.questions) {
            self.printer.question(question.status)?;
            self.unread.questions.push_back(question.clone());
        }
        self.questions = questions.len();
        let now = look(self.sandbox);
        for change in changes(&self.seen, &now) {
            self.printer.change(&change)?;
            self.note_unread(change);
        }
        self.seen = now;
        let mails = self.backstage.mails();
        for mail in mails.iter().skip(self.mails) {
            self.printer.mail(mail)?;
            self.unread.mails.push_back(mail.clone());
        }
        self.mails = mails.len();
        self.capture_digest();
        Ok(())
    }

    fn note_unread(&mut self, change: Change) {
        match change {
            Change::Commented(number, comment) if comment.author == self.bot => {
                if is_card(&comment.body) {
                    self.cards.insert(number, comment.id);
                    self.unread.cards.insert(number);
                } else {
                    self.unread.comments.push_back((number, comment));
                }
            }
            Change::Opened(issue) if issue.author == self.bot => {
                self.unread.issues.insert(issue.number);
            }
            _ => {}
        }
    }

    /// Keeps the digest that the card asks to approve as `{digest}`, and the one before as `{old_digest}`.
    fn capture_digest(&mut self) {
        let card = self.subject.and_then(|number| self.cards.get(&number));
        let body = card.and_then(|card| self.sandbox.comment(*card)).map(|card| card.body);
        let shown = body.as_deref().and_then(approvable);
        if let Some(shown) = shown.filter(|shown| self.captures.get("digest") != Some(shown))
            && let Some(old) = self.captures.insert("digest".to_owned(), shown)
        {
            self.captures.insert("old_digest".to_owned(), old);
        }
    }
}

/// Whether a comment of the bot is a card: it begins with a heading that says how a workflow stands.
fn is_card(body: &str) -> bool {
    let first = golden::visible(body).into_iter().find(|line| !line.is_empty());
    first.is_some_and(|line| line.starts_with("### ") && line.contains(" · "))
}

/// The digest that a card asks to approve. What people wrote may stand on a card as well, in another form than this.
fn approvable(body: &str) -> Option<String> {
    let approved = body.match_indices("`/approve ").map(|(at, verb)| at + verb.len());
    // A choice names a letter first.
    let chosen = body.match_indices("`/choose ").map(|(at, verb)| at + verb.len() + 2);
    approved.chain(chosen).find_map(|at| {
        let digest = body.get(at..at + 12)?;
        let hex = digest.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        hex.then(|| digest.to_owned())
    })
}
