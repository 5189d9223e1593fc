//! Plays with a bot of a few lines, to see that the player sees.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Backstage, Colour, Mail, PlayError, Script, play};
use crate::sandbox::models::{Dialect, ModelServer};
use crate::sandbox::{CommentId, Sandbox};

/// A bot that answers `/ping` with a card, `/mail` with a mail, and repeats to a model what `/ask` is followed by.
struct Parrot {
    sandbox: Sandbox,
    models: ModelServer,
    heard: Option<CommentId>,
    mails: Vec<Mail>,
    slept: Duration,
}

impl Backstage for Parrot {
    async fn settle(&mut self) -> Result<(), String> {
        let bot = self.sandbox.as_(&self.sandbox.bot_login());
        for issue in self.sandbox.issues() {
            for comment in self.sandbox.comments(issue.number) {
                if Some(comment.id) <= self.heard || comment.author == self.sandbox.bot_login() {
                    continue;
                }
                self.heard = Some(comment.id);
                let words = comment.body.as_str();
                let said = match words {
                    "/ping" => "### Ping · open\n\n`/approve 0123456789ab`\n\n<!-- countersign fx=x -->".to_owned(),
                    "/mail" => {
                        self.mails.push(Mail {
                            to: vec!["a@example.org".to_owned()],
                            subject: "Hello".to_owned(),
                            text: "One\nTwo\n".to_owned(),
                            ..Mail::default()
                        });
                        "Sent.".to_owned()
                    }
                    "/open" => {
                        bot.open_issue("New", "Text").map_err(|error| error.to_string())?;
                        "Opened.".to_owned()
                    }
                    words if words.starts_with("/ask ") => {
                        let url = format!("{}/chat/completions", self.models.base_url(Dialect::OpenAi));
                        let asked = json!({ "model": "script", "messages": [{ "role": "user", "content": words }] });
                        let client = reqwest::Client::builder().no_proxy().build().unwrap();
                        let answer = client.post(url).json(&asked).send().await.unwrap();
                        let (status, answer) = (answer.status(), answer.json::<Value>().await.unwrap());
                        let text = answer["choices"][0]["message"]["content"].as_str().unwrap_or_default();
                        format!("{}: {text}", status.as_u16())
                    }
                    said => format!("You said {said} after {} s.", self.slept.as_secs()),
                };
                bot.react(comment.id, "eyes").map_err(|error| error.to_string())?;
                bot.comment(issue.number, &said).map_err(|error| error.to_string())?;
            }
        }
        Ok(())
    }

    async fn advance(&mut self, time: Duration) -> Result<(), String> {
        self.slept += time;
        Ok(())
    }

    fn mails(&mut self) -> Vec<Mail> {
        self.mails.clone()
    }
}

async fn played(steps: &str) -> (Result<(), PlayError>, String) {
    let text = format!(
        "title: A test\nworld: {{people: [{{alice: write}}, {{mallory: none}}]}}\nsteps:\n\
         - open: {{by: alice, title: Hello}}\n{steps}"
    );
    play_text(&text).await
}

async fn play_text(text: &str) -> (Result<(), PlayError>, String) {
    let script = Script::parse(text).unwrap();
    let sandbox = script.set_up(Sandbox::builder()).start().await.unwrap();
    let models = ModelServer::start(None).await.unwrap();
    let mut parrot = Parrot {
        models: models.clone(),
        sandbox: sandbox.clone(),
        heard: None,
        mails: Vec::new(),
        slept: Duration::ZERO,
    };
    let mut out = Vec::new();
    let result = play(&script, &sandbox, &models, &mut parrot, &mut out, Colour::Off).await;
    (result, String::from_utf8(out).unwrap())
}

async fn plays(steps: &str) -> String {
    let (result, out) = played(steps).await;
    result.unwrap_or_else(|error| panic!("{error}\n{out}"));
    out
}

async fn fails(steps: &str, line: u64, why: &str) -> String {
    let (result, out) = played(steps).await;
    match result {
        Err(PlayError::Missed { line: found, what }) => {
            assert_eq!(found, line, "{what}");
            assert!(what.contains(why), "{what} does not say {why}");
        }
        other => panic!("{other:?}\n{out}"),
    }
    out
}

const CARD: &str = "- say: {by: alice, text: /ping}\n- bot: {reacts: eyes}\n- card: {shows: ['/approve {digest}']}\n";

#[tokio::test]
async fn a_play_that_comes_out_reads_as_a_conversation() {
    let out = plays(&format!(
        "{CARD}- wait: 2 min\n- say: {{by: mallory, text: 'again {{digest}}'}}\n\
         - bot: {{says: 'You said again {{digest}} after {{n}} s.'}}\n"
    ))
    .await;
    let expected = "A test\nacme/app · alice (write) · mallory (a stranger)\n\n\
                    alice opens #1 “Hello”\n\n\
                    alice writes\n  │ /ping\n  👀 countersign\n\n\
                    countersign writes in #1\n  │ ### Ping · open\n  │\n  │ `/approve 0123456789ab`\n";
    assert!(out.starts_with(expected), "{out}");
    assert!(out.contains("\n(2 min later)\n"), "{out}");
    assert!(out.contains("  │ You said again 0123456789ab after 300 s.\n"), "{out}");
    assert!(
        out.ends_with("✓ 3 expectations met, and the bot said nothing else.\n"),
        "{out}"
    );
}

#[tokio::test]
async fn what_nobody_expects_fails_the_play() {
    fails("- say: {by: alice, text: hi}\n- wait: 1 s\n", 6, "You said hi").await;
    fails("- say: {by: alice, text: hi}\n", 5, "You said hi").await;
    fails("- say: {by: alice, text: /ping}\n", 5, "posted a card").await;
    let read = "- bot: {says: 'Opened.'}\n";
    fails(&format!("- say: {{by: alice, text: /open}}\n{read}"), 6, "opened #2").await;
    let read = "- bot: {says: 'Sent.'}\n";
    fails(&format!("- say: {{by: alice, text: /mail}}\n{read}"), 6, "“Hello”").await;
}

#[tokio::test]
async fn what_does_not_come_fails_the_play() {
    fails("- bot: {says: Hello}\n", 5, "says nothing").await;
    fails("- mail: {subject: Hello}\n", 5, "no mail").await;
    fails("- issue: {number: 2}\n", 5, "no #2").await;
    fails("- card: {shows: [x]}\n", 5, "no card yet").await;
    fails(
        "- say: {by: alice, text: '/approve {digest}'}\n",
        5,
        "{digest} stands for nothing",
    )
    .await;
    fails("- label: {by: mallory, name: x}\n", 5, "GitHub refuses").await;
}

#[tokio::test]
async fn what_comes_otherwise_fails_the_play_and_is_shown() {
    let out = fails(
        "- say: {by: alice, text: hi}\n- bot: {says: 'You said ho {…}'}\n",
        6,
        "something else",
    )
    .await;
    assert!(
        out.contains("  - You said ho {…}\n  + You said hi after 120 s.\n"),
        "{out}"
    );
    fails(
        "- say: {by: alice, text: hi}\n- bot: {reacts: [eyes, rocket]}\n",
        6,
        "👀, not with 👀 🚀",
    )
    .await;
    fails(&format!("{CARD}- card: {{lacks: ['0123']}}\n"), 8, "should not show").await;
    fails(
        &format!("{CARD}- card: {{golden: '### Ping · done'}}\n"),
        8,
        "something else",
    )
    .await;
    let opened = "- say: {by: alice, text: /open}\n- bot: {says: 'Opened.'}\n";
    fails(
        &format!("{opened}- issue: {{number: 2, labels: [docs]}}\n"),
        7,
        "other labels: none, not docs",
    )
    .await;
    let mailed = "- say: {by: alice, text: /mail}\n- bot: {says: 'Sent.'}\n";
    fails(&format!("{mailed}- mail: {{text: [Two, One]}}\n"), 7, "not here: One").await;
    fails(&format!("{mailed}- mail: {{to: b@example.org}}\n"), 7, "goes to others").await;
}

#[tokio::test]
async fn issues_and_mails_that_are_as_expected_are_read() {
    plays("- say: {by: alice, text: /open}\n- bot: {says: 'Opened.'}\n- issue: {number: 2, title: New, open: true}\n")
        .await;
    plays(
        "- say: {by: alice, text: /mail}\n- bot: {says: 'Sent.'}\n\
         - mail: {to: a@example.org, subject: Hello, text: [One, Two], thread: new}\n",
    )
    .await;
}

#[tokio::test]
async fn a_model_answers_what_the_script_says_and_is_asked_what_it_says() {
    let asks = "- say: {by: alice, text: /ask about boats}\n";
    let out = plays(&format!(
        "- model: {{answer: Yes}}\n- model: {{fault: 429, retry_after: 1 min}}\n\
         {asks}- bot: {{says: '200: Yes'}}\n- asked: {{shows: [about boats], lacks: [aeroplanes]}}\n\
         {asks}- bot: {{says: '429: '}}\n- asked: {{}}\n\
         {asks}- bot: {{says: '200: {{}}'}}\n- asked: {{}}\n"
    ))
    .await;
    assert!(out.contains("The model will answer this next\n  │ Yes\n"), "{out}");
    assert!(out.contains("asks the model, which answers 429\n"), "{out}");
    let answered = format!("{asks}- bot: {{says_among_others: '200'}}\n");
    fails(&answered, 6, "a model was asked").await;
    fails(
        &format!("{answered}- asked: {{lacks: [boats]}}\n"),
        7,
        "should not have been told",
    )
    .await;
    fails(
        &format!("{answered}- asked: {{shows: [aeroplanes]}}\n"),
        7,
        "not asked with this",
    )
    .await;
    fails("- asked: {}\n", 5, "no model was asked").await;
    fails("- model: {answer: Yes}\n", 5, "1 of the answers").await;
}

#[tokio::test]
async fn a_draft_goes_on_and_fails_at_its_end_with_the_first_miss() {
    let text = "title: A draft\ndraft: yes\nworld: {people: [{alice: write}]}\nsteps:\n\
                - open: {by: alice, title: Hello}\n\
                - say: {by: alice, text: one}\n\
                - say: {by: alice, text: two}\n\
                - bot: {says: 'You said three'}\n";
    let (result, out) = play_text(text).await;
    match result {
        Err(PlayError::Missed { line: 7, what }) => assert!(what.contains("You said one"), "{what}"),
        other => panic!("{other:?}\n{out}"),
    }
    assert!(out.contains("✗ line 8: the bot says something else"), "{out}");
}

#[test]
fn the_scripts_of_the_repository_can_be_read() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("conversations");
    let mut read = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "yml") {
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(!text.contains("\ndraft:"), "{} is a draft", path.display());
            Script::parse(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            read += 1;
        }
    }
    assert!(read >= 6, "only {read} scripts were found");
}
