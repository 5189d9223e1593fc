//! What goes wrong with a model, in every dialect: what the card says of it, what is kept of it, and what comes next.

use countersign::sandbox::models::{Dialect, Fault, Gate, ModelServer, Reply, Wait};
use countersign::store::calls::{CallEnd, CountedBy, Turn};
use countersign::workflow::budget::Money;

use super::{NOTHING, TALK, asks, calls, end, ends, server_file, world};
use crate::world::{Setup, World};

macro_rules! in_every_dialect {
    ($($test:ident: $story:ident),+ $(,)?) => {$(
        mod $test {
            use super::Dialect;
            #[tokio::test]
            async fn openai() { super::$story(Dialect::OpenAi).await; }
            #[tokio::test]
            async fn anthropic() { super::$story(Dialect::Anthropic).await; }
            #[tokio::test]
            async fn gemini() { super::$story(Dialect::Gemini).await; }
            #[tokio::test]
            async fn ollama() { super::$story(Dialect::Ollama).await; }
        }
    )+};
}

in_every_dialect! {
    what_passes_is_asked_again_in_its_time: passes,
    what_stays_waits_for_a_person: stays,
    answers_are_found_mended_or_handed_to_a_person: answers,
}

async fn passes(dialect: Dialect) {
    let models = ModelServer::start(None).await.unwrap();
    let world = world(&models, dialect).await;
    let until = |now: &str, until: &str| Wait::Until {
        now: now.to_owned(),
        until: until.to_owned(),
    };
    let rows = [
        (Fault::RateLimited(None), 5, "429"),
        (Fault::RateLimited(Some(Wait::Seconds(1))), 5, "429"),
        (Fault::RateLimited(Some(Wait::Seconds(120))), 120, "429"),
        (Fault::RateLimited(Some(Wait::Milliseconds(90_000))), 90, "429"),
        (
            Fault::RateLimited(Some(until(
                "Wed, 21 Oct 2015 07:28:00 GMT",
                "Wed, 21 Oct 2015 07:29:40 GMT",
            ))),
            100,
            "429",
        ),
        (Fault::Status(408), 5, "408"),
        (Fault::Status(409), 5, "409"),
        (Fault::Status(500), 5, "500"),
        (Fault::Status(503), 5, "503"),
        (Fault::Status(529), 5, "529"),
        (Fault::Inside(429), 5, "429"),
        (Fault::Inside(502), 5, "502"),
        (Fault::ResetBeforeStatus, 5, "the connection to"),
        (Fault::ResetAfterStatus, 5, "the connection to"),
        (Fault::HalfJson, 5, "ends in the middle"),
    ];
    for (fault, seconds, said) in rows {
        let at = format!("{dialect:?}, {fault:?}");
        let paid = matches!(
            fault,
            Fault::ResetBeforeStatus | Fault::ResetAfterStatus | Fault::HalfJson
        );
        models.prepare(Reply::fault(fault));
        let before = models.requests().len();
        let issue = world.issue("Release 1.4", TALK);
        world.say("alice", issue, "/deliver").await;
        let card = world.card(issue);
        for words in ["`http:local` could not be asked:", said, "It is asked again after"] {
            assert!(card.contains(words), "{at}: {words}: {card}");
        }
        world.wait(seconds - 1).await;
        assert_eq!(models.requests().len(), before + 1, "{at}: asked too early");
        assert_eq!(ends(&world, issue).await, "failed", "{at}");
        world.wait(1).await;
        assert_eq!(models.requests().len(), before + 2, "{at}");
        let calls = calls(&world, issue).await;
        assert!(matches!(calls[1].end, CallEnd::Answered(_)), "{at}: {calls:?}");
        // What may have been answered without our seeing it counts whole; a refusal costs nothing.
        let spent = if paid { calls[0].reserved.tokens } else { 0 };
        assert_eq!(calls[0].spent.tokens, spent, "{at}");
        world.digest(issue);
        world.hear(issue);
    }
    end(world).await;
}

async fn stays(dialect: Dialect) {
    let models = ModelServer::start(None).await.unwrap();
    let world = world(&models, dialect).await;
    let elsewhere = models.base_url(dialect);
    let rows = [
        (
            Fault::UnknownModel,
            "does not know the model `script`, or its `base_url` is wrong",
        ),
        (Fault::Status(400), "refused the request"),
        (Fault::Status(402), "refused the request"),
        (Fault::Status(413), "refused the request"),
        (Fault::Status(422), "refused the request"),
        (
            Fault::Status(401),
            "does not take a call without a key (`key_env` is not set)",
        ),
        (
            Fault::Status(403),
            "does not take a call without a key (`key_env` is not set)",
        ),
        (Fault::Inside(401), "does not take a call without a key"),
        (Fault::Page, "does not speak its `dialect`: it answered with a web page"),
        (
            Fault::OtherJson,
            "does not speak its `dialect`: it answered JSON of another shape",
        ),
        (Fault::Redirect(elsewhere), "redirects are not followed"),
    ];
    for (fault, said) in rows {
        let at = format!("{dialect:?}, {fault:?}");
        models.prepare(Reply::fault(fault));
        let before = models.requests().len();
        let issue = world.issue("Release 1.4", TALK);
        world.say("alice", issue, "/deliver").await;
        let card = world.card(issue);
        assert!(!card.contains("\\`/"), "{at}: a command is no code: {card}");
        for words in [said, "http:local", "`/prompt`", "`/respond extract`"] {
            assert!(card.contains(words), "{at}: {words}: {card}");
        }
        assert_eq!(world.hear(issue).len(), 1, "{at}: people are told once");
        world.wait(4_000).await;
        assert_eq!(models.requests().len(), before + 1, "{at}: nobody asks again unasked");
        assert_eq!(ends(&world, issue).await, "failed", "{at}");
        world.say("alice", issue, "/retry").await;
        assert_eq!(ends(&world, issue).await, "failed answered", "{at}");
        world.digest(issue);
        world.hear(issue);
    }
    end(world).await;
}

const WRONG: &str = "{\"tasks\": 5, \"nonsense\": \"of mine\"}";
const EMPTY: &str = "{\"tasks\": [], \"rejected\": [], \"questions\": []}";

async fn answers(dialect: Dialect) {
    let models = ModelServer::start(None).await.unwrap();
    let world = world(&models, dialect).await;
    let person = |said: &'static str| (said, "needs a person");
    let no_person = ("Models took", "");
    let rows = [
        (vec![Reply::fenced(EMPTY)], "answered", no_person),
        (vec![Reply::in_prose(EMPTY)], "answered", no_person),
        (vec![Reply::text(EMPTY).without_usage()], "answered", no_person),
        (
            vec![Reply::text(EMPTY).with_usage(900, 300, 70)],
            "answered",
            ("Models took 970 of 1,000,000 tokens", ""),
        ),
        (vec![Reply::text("")], "answered answered", no_person),
        (vec![Reply::text(WRONG)], "answered answered", no_person),
        (
            vec![Reply::text(WRONG), Reply::fault(Fault::Status(500))],
            "answered failed answered",
            no_person,
        ),
        (
            vec![Reply::text(WRONG), Reply::text("{\"tasks\": 6}")],
            "answered answered",
            person("What the agent proposed could not be used"),
        ),
        (
            vec![Reply::truncated("{\"tasks\": [")],
            "answered",
            person("was cut off at 4,000 tokens (`max_output_tokens`)"),
        ),
        match dialect {
            // Its model says so as its answer, and is asked for JSON.
            Dialect::Ollama => (vec![Reply::refusal("I will not")], "answered answered", no_person),
            _ => (
                vec![Reply::refusal("I will not, @mallory")],
                "answered",
                person("would not answer"),
            ),
        },
    ];
    for (replies, expected, (said, told)) in rows {
        let at = format!("{dialect:?}, {replies:?}");
        let uncounted = format!("{replies:?}").contains("Missing");
        for reply in replies {
            models.prepare(reply);
        }
        let before = models.requests().len();
        let issue = world.issue("Release 1.4", TALK);
        world.say("alice", issue, "/deliver").await;
        world.wait(5).await;
        assert_eq!(models.prepared(), 0, "{at}");
        assert_eq!(ends(&world, issue).await, expected, "{at}");
        let card = world.card(issue);
        assert!(card.contains(said), "{at}: {card}");
        let heard = world.hear(issue).join("\n");
        assert!(heard.contains(told), "{at}: {heard}");
        assert!(!card.contains("@mallory"), "{at}: {card}");
        let calls = calls(&world, issue).await;
        for call in &calls {
            let CallEnd::Answered(answered) = &call.end else {
                continue;
            };
            let by = if uncounted { CountedBy::Us } else { CountedBy::Endpoint };
            assert_eq!(answered.counted_by, by, "{at}");
            assert!(
                call.spent.tokens > 0 && call.spent.money > Some(Money(0)),
                "{at}: {call:?}"
            );
        }
        if told.is_empty() {
            world.digest(issue);
        } else {
            assert!(
                card.contains("`/prompt`") && card.contains("`/respond extract`"),
                "{at}: {card}"
            );
            world.say("bob", issue, "/prompt").await;
            assert!(world.answer(issue).contains("tasks.v1"), "{at}");
            world.say("bob", issue, NOTHING).await;
            world.hear(issue);
            assert!(
                !world.card(issue).contains("needs a person"),
                "{at}: {}",
                world.card(issue)
            );
        }
        let requests = models.requests();
        let repairs = calls.iter().zip(&requests[before..]);
        for (call, request) in repairs.filter(|(call, _)| call.turn == Turn::Repair) {
            let sent = request.body.to_string();
            let wrong = sent.contains("of mine");
            assert!(!wrong || sent.contains("Additional properties"), "{at}: {sent}");
            let of_empty = at.contains("Some(\"\")");
            assert!(!of_empty || sent.contains("holds no JSON object"), "{at}: {sent}");
            assert!(!call.asked.is_empty(), "{at}");
        }
    }
    // The second request of a repair holds the first answer, and the validator's sentences without its values.
    models.prepare(Reply::text(WRONG));
    let before = models.requests().len();
    let issue = world.issue("Release 1.4", TALK);
    world.say("alice", issue, "/deliver").await;
    let requests = models.requests();
    let repair = requests[before + 1].body.to_string();
    for words in ["of mine", "is not of type", "/tasks", "tasks.v1"] {
        assert!(repair.contains(words), "{dialect:?}: {words}: {repair}");
    }
    world.hear(issue);
    end(world).await;
}

/// A world with one endpoint whose key stands in a variable.
async fn keyed(models: &ModelServer, dialect: Dialect, key: Option<&str>) -> World {
    let endpoints = [("local", dialect, "key_env: SCRIPT_KEY")];
    let setup = Setup::new()
        .server_file(&server_file(models, &endpoints, "{}"))
        .config(&asks("http:local"));
    match key {
        Some(key) => setup.set("SCRIPT_KEY", key).start().await,
        None => setup.start().await,
    }
}

const RIGHT: &str = "sk-the-right-key-0123456789";
const WRONG_KEY: &str = "sk-the-wrong-key-0123456789";

#[tokio::test]
async fn a_key_that_is_missing_or_refused_is_named_and_never_shown() {
    for dialect in Dialect::ALL {
        let models = ModelServer::start(None).await.unwrap();
        models.set_key(Some(RIGHT));
        let mut world = keyed(&models, dialect, None).await;
        let issue = world.issue("Release 1.4", TALK);
        world.say("alice", issue, "/deliver").await;
        let card = world.card(issue);
        for words in [
            "the key of `http:local` is missing",
            "`SCRIPT_KEY`",
            "`/retry`",
            "`/prompt`",
            "`/respond extract`",
        ] {
            assert!(
                card.to_lowercase().contains(&words.to_lowercase()),
                "{dialect:?}: {words}: {card}"
            );
        }
        assert_eq!(models.requests().len(), 0, "nobody is asked without the key");
        world.hear(issue);
        world.change_environment("SCRIPT_KEY", WRONG_KEY);
        world.restart().await;
        world.say("alice", issue, "/retry").await;
        let card = world.card(issue);
        assert!(
            card.contains("does not take the key in `SCRIPT_KEY`"),
            "{dialect:?}: {card}"
        );
        world.hear(issue);
        // An endpoint that repeats the key does not get it onto the card.
        models.set_key(None);
        for status in [401, 400, 500] {
            models.prepare(Reply::fault(Fault::Repeating(status)));
            world.say("alice", issue, "/retry").await;
            let card = world.card(issue);
            assert!(
                card.contains("key\\]") && !card.contains(WRONG_KEY),
                "{dialect:?}: {card}"
            );
            world.hear(issue);
            world.wait(5).await;
            if status == 500 {
                world.digest(issue);
                world.hear(issue);
            }
        }
        let issue = world.issue("Release 1.5", TALK);
        models.set_key(Some(RIGHT));
        world.say("alice", issue, "/deliver").await;
        world.hear(issue);
        world.say("bob", issue, NOTHING).await;
        assert!(
            world.card(issue).contains("bob"),
            "a person answers: {}",
            world.card(issue)
        );
        world.hear(issue);
        world.change_environment("SCRIPT_KEY", RIGHT);
        world.restart().await;
        let issue = world.issue("Release 1.6", TALK);
        world.say("alice", issue, "/deliver").await;
        world.digest(issue);
        world.hear(issue);
        for request in models.requests() {
            assert!(!format!("{:?}", request.body).contains("sk-the-"), "{request:?}");
        }
        end(world).await;
    }
}

#[tokio::test]
async fn an_endpoint_that_is_slow_is_left_and_counted_whole() {
    let models = ModelServer::start(None).await.unwrap();
    let endpoints = [("local", Dialect::OpenAi, "timeout_seconds: 1")];
    let world = Setup::new()
        .server_file(&server_file(&models, &endpoints, "{}"))
        .config(&asks("http:local"))
        .start()
        .await;
    for fault in [Fault::SlowFirstByte(Gate::default()), Fault::SlowBody(Gate::default())] {
        models.prepare(Reply::fault(fault));
        let issue = world.issue("Release 1.4", TALK);
        world.say("alice", issue, "/deliver").await;
        let card = world.card(issue);
        assert!(card.contains("no whole answer within 1s"), "{card}");
        let calls = calls(&world, issue).await;
        assert_eq!(calls[0].spent, calls[0].reserved);
        world.wait(5).await;
        world.digest(issue);
        assert_eq!(ends(&world, issue).await, "failed answered");
        world.hear(issue);
    }
    end(world).await;
}

#[tokio::test]
async fn an_endpoint_that_is_away_longer_than_the_run_may_take_is_given_up() {
    let models = ModelServer::start(None).await.unwrap();
    let world = world(&models, Dialect::OpenAi).await;
    // A wait that no clock can count is a wait too long, and nothing else.
    for seconds in [3_601, 10_000_000_000_000] {
        models.prepare(Reply::fault(Fault::RateLimited(Some(Wait::Seconds(seconds)))));
        let issue = world.issue("Release 1.4", TALK);
        world.say("alice", issue, "/deliver").await;
        let card = world.card(issue);
        assert!(card.contains("could not be asked in time, after 1 call"), "{card}");
        assert!(card.contains("`/prompt`"), "{card}");
        world.hear(issue);
    }
    // Nobody listens there.
    models.shutdown();
    models.stopped().await;
    let issue = world.issue("Release 1.5", TALK);
    world.say("alice", issue, "/deliver").await;
    assert!(
        world.card(issue).contains("no connection to 127.0.0.1"),
        "{}",
        world.card(issue)
    );
    let calls_first = calls(&world, issue).await;
    assert_eq!(calls_first[0].spent.tokens, 0, "what was not asked costs nothing");
    for _ in 0..20 {
        world.wait(600).await;
    }
    assert!(
        world.card(issue).contains("could not be asked in time"),
        "{}",
        world.card(issue)
    );
    world.hear(issue);
    end(world).await;
}

#[tokio::test]
async fn an_endpoint_that_is_listed_takes_over_and_mends_its_own_answer() {
    let models = ModelServer::start(None).await.unwrap();
    let endpoints = [
        ("first", Dialect::OpenAi, "failover: [second]"),
        ("second", Dialect::Anthropic, ""),
        ("third", Dialect::Gemini, ""),
    ];
    let world = Setup::new()
        .server_file(&server_file(&models, &endpoints, "{}"))
        .config(&asks("http:first"))
        .start()
        .await;
    for reply in [
        Reply::fault(Fault::Status(529)),
        Reply::fault(Fault::Status(503)),
        Reply::text(WRONG),
    ] {
        models.prepare(reply);
    }
    let issue = world.issue("Release 1.4", TALK);
    world.say("alice", issue, "/deliver").await;
    assert_eq!(models.requests().len(), 1, "one failure is no reason for another");
    world.wait(5).await;
    world.wait(10).await;
    let dialects: Vec<_> = models.requests().iter().map(|request| request.dialect).collect();
    let (first, second) = (Some(Dialect::OpenAi), Some(Dialect::Anthropic));
    assert_eq!(dialects, [first, first, second, second]);
    let card = world.card(issue);
    assert!(
        card.contains("`http:second` was asked in the place of `http:first`: it answered 503"),
        "{card}"
    );
    assert_eq!(ends(&world, issue).await, "failed failed answered answered");
    world.hear(issue);
    // A limit that outlasts the run is no reason to wait either, and nobody who is not listed is asked.
    models.prepare(Reply::fault(Fault::RateLimited(Some(Wait::Seconds(7_200)))));
    models.prepare(Reply::fault(Fault::UnknownModel));
    let issue = world.issue("Release 1.5", TALK);
    world.say("alice", issue, "/deliver").await;
    let dialects: Vec<_> = models
        .requests()
        .iter()
        .skip(4)
        .map(|request| request.dialect)
        .collect();
    assert_eq!(dialects, [first, second]);
    let card = world.card(issue);
    assert!(card.contains("`http:first` could not be asked in time"), "{card}");
    world.hear(issue);
    end(world).await;
}
