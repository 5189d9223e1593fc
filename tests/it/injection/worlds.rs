//! The same texts through the front door: a model that obeys each of them proposes, people see what it tried, and only
//! what the card showed is done.

use std::sync::{Arc, Mutex};

use countersign::agents;
use countersign::sandbox::models::{Asked, Dialect, ModelServer};
use countersign::sandbox::{CommentId, IssueNumber};
use serde_json::json;

use super::{COMMITTED, Entry, Place, RECIPIENT, SITE, UNREAD, corpus, look, obeying};
use crate::models::{asks, end, server_file};
use crate::world::{Setup, World};

/// What an obeying model answers to both agents.
fn obey(entry: &Entry, asked: &Asked) -> String {
    let has_tasks = |schema: &serde_json::Value| schema["properties"].get("tasks").is_some();
    if asked.schema.as_ref().is_some_and(has_tasks) {
        return obeying(agents::find("extract").unwrap(), entry).to_string();
    }
    let mut answer = obeying(agents::find("email").unwrap(), entry);
    // One task was opened, so there is one to refer to.
    answer["decisions_needed"][0]["ref"] = json!("t1");
    answer.to_string()
}

/// What has left this repository's discussion, or changed beside it.
fn outside(world: &World, issue: IssueNumber) -> (usize, usize, Vec<String>, Vec<String>) {
    let github = &world.github;
    let mut labels = github.repo_labels();
    // The bot's own labels are made when it first meets the repository.
    labels.retain(|label| !label.starts_with("countersign"));
    let on_it = github.issue(issue).map(|issue| issue.labels).unwrap_or_default();
    (world.opened().len(), world.mails().len(), labels, on_it)
}

/// The bot's Markdown without the tags of its own template and its marker.
fn bare(body: &str, issue: IssueNumber) -> String {
    let mut text = body.split("<!-- countersign").next().unwrap_or_default().to_owned();
    for tag in ["<details>", "</details>", "<summary>", "</summary>"] {
        text = text.replace(tag, "");
    }
    // A `www.` is linked after a space or one of `*_~(` only (GFM, 6.9): not behind the backtick that stands here.
    text = text.replace("\\`www.\u{2060}", "\\`");
    // It names the issue that the tasks stand under.
    text = text.replace(&format!("under #{issue}"), "");
    // It calls people by name, who may act here.
    for person in ["alice", "bob", "mona", "ada"] {
        text = text
            .replace(&format!("@{person} "), "")
            .replace(&format!("@{person}:"), "");
    }
    text
}

/// Nothing that the bot wrote does anything.
fn harmless(world: &World, issue: IssueNumber, at: &str) -> Vec<CommentId> {
    let bot = world.github.bot_login();
    let comments = world.github.comments(issue).into_iter();
    let of_the_bot = comments.filter(|comment| comment.author == bot);
    of_the_bot
        .map(|comment| {
            look::markdown(&bare(&comment.body, issue), SITE, at);
            comment.id
        })
        .collect()
}

async fn through(world: &World, entry: &Entry) {
    let at = entry.name.as_str();
    let title = entry.at(Place::Title).unwrap_or("Orders get lost");
    let issue = world.issue(title, "Orders get lost.\n\nbob: I will write the runbook.");
    let comment = match entry.place {
        Place::Title | Place::Wish => "Nothing to add.",
        _ => &entry.text,
    };
    world.say("bob", issue, comment).await;
    if let Some(more) = &entry.more {
        world.say("bob", issue, more).await;
    }
    world.hear(issue);
    let before = outside(world, issue);
    world.say("alice", issue, "/deliver").await;
    if entry.place == Place::Wish {
        world.say("alice", issue, &format!("/revise {}", entry.text)).await;
    }
    assert_eq!(outside(world, issue), before, "{at}: something left before an approval");
    harmless(world, issue, at);
    let card = world.card(issue);
    world.hear(issue);
    for words in &entry.tells {
        assert!(card.contains(words.as_str()), "{at}: {words}: {card}");
    }
    if !card.contains("`/approve ") {
        assert!(card.contains("needs a person"), "{at}: {card}");
        world.say("alice", issue, "/cancel enough").await;
        world.hear(issue);
        return;
    }
    assert!(!card.contains(UNREAD), "{at}: {card}");
    let opened = world.opened().len();
    world
        .say("alice", issue, &format!("/approve {}", world.digest(issue)))
        .await;
    let new = world.opened().split_off(opened);
    if card.contains(": no tasks") {
        assert_eq!(outside(world, issue), before, "{at}: no task was shown");
        world.hear(issue);
        return;
    }
    assert_eq!(new.len(), 1, "{at}: one task was shown: {card}");
    look::plain(&new[0].title, at);
    look::markdown(&bare(&new[0].body, issue), SITE, at);
    assert!(new[0].body.contains(COMMITTED), "{at}: {}", new[0].body);
    assert!(new[0].assignees.is_empty(), "{at}: {:?}", new[0].assignees);
    assert!(
        new[0].labels.iter().all(|label| label == "countersign"),
        "{at}: {:?}",
        new[0].labels
    );
    assert_eq!(world.mails().len(), before.1, "{at}: a mail left before its approval");
    harmless(world, issue, at);
    world.hear(issue);
    let card = world.card(issue);
    if !card.contains("`/approve ") {
        assert!(card.contains("needs a person"), "{at}: {card}");
        world.say("alice", issue, "/cancel enough").await;
        world.hear(issue);
        return;
    }
    world
        .say("alice", issue, &format!("/approve {}", world.digest(issue)))
        .await;
    let mails = world.mails();
    assert_eq!(mails.len(), before.1 + 1, "{at}: {}", world.card(issue));
    for letter in mails {
        assert_eq!(letter.header("to").as_deref(), Some(RECIPIENT), "{at}");
        assert!(letter.header("cc").is_none() && letter.header("bcc").is_none(), "{at}");
    }
    let after = outside(world, issue);
    assert_eq!((&after.2, &after.3), (&before.2, &before.3), "{at}: labels changed");
    harmless(world, issue, at);
    world.hear(issue);
}

/// Every `PARTS`-th text, all in one world.
async fn part(first: usize) {
    let models = ModelServer::start(None).await.unwrap();
    let world = Setup::new()
        .github(|github| github.site("https://github.test"))
        .server_file(&server_file(
            &models,
            &[("local", Dialect::OpenAi, "")],
            "{person: {tokens: 100000000}}",
        ))
        .config(&asks("http:local"))
        .start()
        .await;
    let obeyed = Arc::new(Mutex::new(corpus().remove(0)));
    let heeds = Arc::clone(&obeyed);
    models.set_role(Arc::new(move |asked| obey(&heeds.lock().unwrap(), asked)));
    for entry in corpus().into_iter().skip(first).step_by(PARTS) {
        *obeyed.lock().unwrap() = entry.clone();
        through(&world, &entry).await;
    }
    let mails = world.mails().len();
    assert!(mails >= 10, "only {mails} went the whole way");
    end(world).await;
}

/// The corpus is cut into so many tests, which run beside each other.
const PARTS: usize = 6;

macro_rules! parts {
    ($($name:ident: $first:literal),+ $(,)?) => {
        $(#[tokio::test]
        async fn $name() {
            part($first).await;
        })+
    };
}

parts! {
    an_obeying_model_through_the_front_door_1: 0,
    an_obeying_model_through_the_front_door_2: 1,
    an_obeying_model_through_the_front_door_3: 2,
    an_obeying_model_through_the_front_door_4: 3,
    an_obeying_model_through_the_front_door_5: 4,
    an_obeying_model_through_the_front_door_6: 5,
}
