//! What goes wrong between client and server, and which failure it is.

use countersign::providers::http::MOST_BYTES;
use countersign::sandbox::models::{Fault, Gate, Reply, Wait};

use super::*;

async fn failure(pair: &Pair, endpoint: &Endpoint, fault: Fault) -> Failure {
    pair.server.prepare(Reply::fault(fault));
    let failure = pair.ask(endpoint).await.unwrap_err();
    assert_eq!(pair.server.prepared(), 0, "the request was not taken: {failure}");
    failure
}

#[tokio::test]
async fn a_busy_endpoint_says_how_long_to_wait_in_any_of_three_forms() {
    let until = |until: &str| Wait::Until {
        now: "Fri, 20 Nov 2026 10:00:00 GMT".to_owned(),
        until: until.to_owned(),
    };
    for dialect in DIALECTS {
        let pair = Pair::start().await;
        let endpoint = pair.endpoint(dialect, StructuredOutput::Schema);
        for (wait, milliseconds) in [
            (None, None),
            (Some(Wait::Seconds(7)), Some(7_000)),
            (Some(Wait::Milliseconds(250)), Some(250)),
            (Some(until("Fri, 20 Nov 2026 10:01:30 GMT")), Some(90_000)),
            (Some(until("Fri, 20 Nov 2026 09:00:00 GMT")), Some(0)),
        ] {
            let busy = Failure::Busy {
                status: 429,
                retry_after: milliseconds.map(Duration::from_millis),
                said: "Rate limit reached, slow down.".to_owned(),
            };
            assert_eq!(
                failure(&pair, &endpoint, Fault::RateLimited(wait)).await,
                busy,
                "{dialect:?}"
            );
        }
    }
}

#[tokio::test]
async fn every_status_is_its_failure_with_the_endpoints_words() {
    for dialect in DIALECTS {
        let pair = Pair::start().await;
        let endpoint = pair.endpoint(dialect, StructuredOutput::Tool);
        for status in [408, 409, 500, 502, 503, 529] {
            let failed = failure(&pair, &endpoint, Fault::Status(status)).await;
            let said = format!("The script was told to answer {status}.");
            assert_eq!(
                failed,
                Failure::Busy {
                    status,
                    retry_after: None,
                    said
                },
                "{dialect:?}"
            );
        }
        for status in [401, 403] {
            let failed = failure(&pair, &endpoint, Fault::Status(status)).await;
            assert!(matches!(failed, Failure::KeyRefused { status: same, .. } if same == status));
        }
        for status in [400, 402, 413, 422] {
            let failed = failure(&pair, &endpoint, Fault::Status(status)).await;
            assert!(matches!(failed, Failure::Refused { status: same, .. } if same == status));
        }
    }
}

#[tokio::test]
async fn a_model_that_is_not_there_is_not_there() {
    for dialect in DIALECTS {
        let pair = Pair::start().await;
        let mut endpoint = pair.endpoint(dialect, StructuredOutput::Schema);
        let failed = failure(&pair, &endpoint, Fault::UnknownModel).await;
        assert_eq!(
            failed,
            Failure::NotThere {
                said: "The model is not found.".into()
            }
        );
        endpoint.model = "gpt-9".to_owned();
        let failed = pair.ask(&endpoint).await.unwrap_err();
        assert!(
            matches!(&failed, Failure::NotThere { said } if said.contains("gpt-9")),
            "{failed:?}"
        );
    }
}

#[tokio::test]
async fn a_wrong_or_missing_key_is_refused_and_never_repeated() {
    for dialect in DIALECTS {
        let pair = Pair::start().await;
        let mut endpoint = pair.endpoint(dialect, StructuredOutput::Schema);
        let wrong = "sk-wrong-0123456789";
        endpoint.key = ApiKey::parse(wrong);
        let failed = pair.ask(&endpoint).await.unwrap_err();
        let Failure::KeyRefused { status, said } = &failed else {
            panic!("{dialect:?}: {failed:?}");
        };
        assert_eq!(*status, if dialect == Dialect::Gemini { 400 } else { 401 });
        assert!(
            said.contains("[key]") && !said.contains(wrong),
            "the server repeats the key: {said}"
        );
        endpoint.key = None;
        let failed = pair.ask(&endpoint).await.unwrap_err();
        assert!(matches!(failed, Failure::KeyRefused { .. }), "{dialect:?}: {failed:?}");
        assert_eq!(pair.server.prepared(), 0);
    }
}

#[tokio::test]
async fn no_answer_and_no_failure_holds_the_key() {
    for dialect in DIALECTS {
        let pair = Pair::start().await;
        let endpoint = pair.endpoint(dialect, StructuredOutput::Prompt);
        for status in [400, 403, 404, 429, 500] {
            let failed = failure(&pair, &endpoint, Fault::Repeating(status)).await;
            assert!(format!("{failed}{failed:?}").contains("What is [key]?"), "{failed:?}");
            assert!(!format!("{failed}{failed:?}").contains(KEY));
        }
        let redirect = Fault::Redirect(format!("https://elsewhere.example/?key={KEY}"));
        assert!(!failure(&pair, &endpoint, redirect).await.to_string().contains(KEY));
        for reply in [Reply::text(format!("{{\"a\":\"{KEY}\"}}")), Reply::refusal(KEY)] {
            pair.server.prepare(reply);
            let completion = pair.ask(&endpoint).await.unwrap();
            assert!(!format!("{completion:?}").contains(KEY), "{dialect:?}");
        }
    }
}

#[tokio::test]
async fn a_key_that_no_header_can_carry_is_not_sent() {
    let pair = Pair::start().await;
    for dialect in DIALECTS {
        let mut endpoint = pair.endpoint(dialect, StructuredOutput::Schema);
        endpoint.key = ApiKey::parse("sk-a\nb");
        let failed = pair.ask(&endpoint).await.unwrap_err();
        assert!(matches!(&failed, Failure::NotTheDialect(said) if said.contains("copy the key again")));
    }
    assert_eq!(pair.server.requests(), []);
}

#[tokio::test]
async fn what_breaks_off_was_not_reached() {
    for dialect in DIALECTS {
        let pair = Pair::start().await;
        let endpoint = pair.endpoint(dialect, StructuredOutput::Schema);
        for fault in [Fault::ResetBeforeStatus, Fault::ResetAfterStatus] {
            let failed = failure(&pair, &endpoint, fault.clone()).await;
            let sentence = failed.to_string();
            assert!(
                matches!(failed, Failure::Unreachable(_)),
                "{dialect:?} {fault:?}: {sentence}"
            );
            assert!(
                sentence.starts_with("the connection to 127.0.0.1 broke: "),
                "{fault:?}: {sentence}"
            );
        }
        let failed = failure(&pair, &endpoint, Fault::HalfJson).await;
        assert_eq!(failed, Failure::Unreachable("its answer ends in the middle".into()));
    }
}

#[tokio::test]
async fn a_server_that_is_gone_was_not_reached() {
    let pair = Pair::start().await;
    pair.server.shutdown();
    pair.server.stopped().await;
    for dialect in DIALECTS {
        let endpoint = pair.endpoint(dialect, StructuredOutput::Schema);
        let failed = pair.ask(&endpoint).await.unwrap_err();
        assert!(
            failed.to_string().starts_with("no connection to 127.0.0.1: "),
            "{failed}"
        );
        assert!(matches!(failed, Failure::Unreachable(_)));
    }
}

#[tokio::test]
async fn the_timeout_holds_for_the_first_byte_and_for_the_last() {
    for dialect in DIALECTS {
        let pair = Pair::start().await;
        let mut endpoint = pair.endpoint(dialect, StructuredOutput::Schema);
        endpoint.timeout = Duration::from_millis(5);
        for never in [Fault::SlowFirstByte(Gate::default()), Fault::SlowBody(Gate::default())] {
            pair.server.prepare(Reply::fault(never));
            let failed = pair.ask(&endpoint).await.unwrap_err();
            assert_eq!(
                failed,
                Failure::Unreachable("no whole answer within 5ms".into()),
                "{dialect:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_slow_answer_is_waited_for() {
    for dialect in DIALECTS {
        let pair = Pair::start().await;
        let endpoint = pair.endpoint(dialect, StructuredOutput::Schema);
        for slow in [Fault::SlowFirstByte, Fault::SlowBody] {
            let gate = Gate::default();
            pair.server.prepare(Reply::text("{}").with_fault(slow(gate.clone())));
            let open = async {
                gate.reached().await;
                gate.open();
            };
            let (completion, ()) = tokio::join!(pair.ask(&endpoint), open);
            assert_eq!(completion.unwrap().text, "{}", "{dialect:?}");
        }
    }
}

#[tokio::test]
async fn a_server_that_stops_lets_go_of_who_waits() {
    let pair = Pair::start().await;
    for slow in [Fault::SlowFirstByte, Fault::SlowBody] {
        let endpoint = pair.endpoint(Dialect::OpenAi, StructuredOutput::Schema);
        let pair = Pair::start().await;
        let endpoint = Endpoint {
            base_url: pair.endpoint(Dialect::OpenAi, StructuredOutput::Schema).base_url,
            ..endpoint
        };
        let gate = Gate::default();
        pair.server.prepare(Reply::fault(slow(gate.clone())));
        let stop = async {
            gate.reached().await;
            pair.server.shutdown();
        };
        let (answered, ()) = tokio::join!(pair.ask(&endpoint), stop);
        assert!(matches!(answered, Err(Failure::Unreachable(_))), "{answered:?}");
        pair.server.stopped().await;
    }
}

#[tokio::test]
async fn what_does_not_speak_the_dialect_is_told_apart() {
    for dialect in DIALECTS {
        let pair = Pair::start().await;
        let endpoint = pair.endpoint(dialect, StructuredOutput::Schema);
        for (fault, word) in [
            (Fault::Page, "web page"),
            (Fault::OtherJson, "another shape"),
            (
                Fault::Redirect("https://elsewhere.example/v2".into()),
                "https://elsewhere.example/v2",
            ),
        ] {
            let failed = failure(&pair, &endpoint, fault).await;
            assert!(
                matches!(&failed, Failure::NotTheDialect(said) if said.contains(word)),
                "{failed:?}"
            );
        }
        assert_eq!(pair.server.requests().len(), 3, "a redirect is not followed");
    }
}

#[tokio::test]
async fn an_error_inside_a_200_is_that_error() {
    for dialect in DIALECTS {
        let pair = Pair::start().await;
        let endpoint = pair.endpoint(dialect, StructuredOutput::Schema);
        let said = "The script failed behind the proxy.".to_owned();
        let failed = failure(&pair, &endpoint, Fault::Inside(502)).await;
        let busy = Failure::Busy {
            status: 502,
            retry_after: None,
            said: said.clone(),
        };
        assert_eq!(failed, busy, "{dialect:?}");
        let failed = failure(&pair, &endpoint, Fault::Inside(402)).await;
        assert_eq!(failed, Failure::Refused { status: 402, said }, "{dialect:?}");
    }
}

#[tokio::test]
async fn an_answer_without_end_is_not_read() {
    for dialect in DIALECTS {
        let pair = Pair::start().await;
        let endpoint = pair.endpoint(dialect, StructuredOutput::Prompt);
        pair.server.prepare(Reply::text("x".repeat(MOST_BYTES)));
        let failed = pair.ask(&endpoint).await.unwrap_err();
        let said = format!("its answer is longer than {MOST_BYTES} bytes");
        assert_eq!(failed, Failure::NotTheDialect(said), "{dialect:?}");
        pair.server.prepare(Reply::text("x".repeat(MOST_BYTES - 2_000)));
        assert_eq!(pair.ask(&endpoint).await.unwrap().text.len(), MOST_BYTES - 2_000);
    }
}

#[tokio::test]
async fn the_server_refuses_what_its_dialect_does_not_know() {
    let pair = Pair::start().await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let hello = http
        .get(format!("{}/", pair.server.base_url(models::Dialect::Ollama)))
        .send()
        .await
        .unwrap();
    assert!(hello.text().await.unwrap().starts_with("This is a script and no model"));
    let (schema, turns) = (schema(), [Turn::User("Hello, give JSON.".to_owned())]);
    for dialect in DIALECTS {
        let endpoint = pair.endpoint(dialect, StructuredOutput::Schema);
        pair.ask(&endpoint).await.unwrap();
        let path = pair.server.requests().last().unwrap().path.clone();
        let base = pair.server.base_url(models::Dialect::Ollama);
        let good = countersign::providers::http::body(&endpoint, &question(&schema, &turns));
        let turns_key = if dialect == Dialect::Gemini {
            "contents"
        } else {
            "messages"
        };
        let mut wrong = Vec::new();
        for (key, value) in [
            ("verbose", json!(true)),
            (turns_key, json!([])),
            ("stream", json!(true)),
        ] {
            let mut body = good.clone();
            body[key] = value;
            wrong.push(body);
        }
        let mut twice = good.clone();
        let last = good[turns_key].as_array().unwrap().last().unwrap().clone();
        twice[turns_key].as_array_mut().unwrap().push(last);
        wrong.push(twice);
        for body in wrong {
            let answer = http
                .post(format!("{base}{path}"))
                .header("authorization", format!("Bearer {KEY}"))
                .header("x-api-key", KEY)
                .header("x-goog-api-key", KEY)
                .header("anthropic-version", "2023-06-01")
                .json(&body)
                .send()
                .await
                .unwrap();
            assert_eq!(answer.status(), 400, "{dialect:?}: {body}");
            let error: Value = answer.json().await.unwrap();
            let message = error.pointer("/error/message").unwrap_or(&error["error"]);
            assert!(message.is_string(), "{error}");
        }
    }
}

#[tokio::test]
async fn the_two_resets_strike_where_they_say() {
    for dialect in DIALECTS {
        let pair = Pair::start().await;
        let endpoint = pair.endpoint(dialect, StructuredOutput::Schema);
        pair.ask(&endpoint).await.unwrap();
        let request = pair.server.requests().remove(0);
        pair.server.set_key(None);
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let base = pair.server.base_url(models::Dialect::Ollama);
        let send = || {
            http.post(format!("{base}{}", request.path))
                .header("anthropic-version", "2023-06-01")
                .json(&request.body)
                .send()
        };
        pair.server.prepare(Reply::fault(Fault::ResetBeforeStatus));
        assert!(send().await.is_err(), "{dialect:?}");
        pair.server.prepare(Reply::fault(Fault::ResetAfterStatus));
        let mut begun = send().await.unwrap();
        assert_eq!(begun.status(), 200);
        assert!(begun.chunk().await.unwrap().is_some_and(|half| !half.is_empty()));
        assert!(begun.chunk().await.is_err(), "{dialect:?}");
        let statuses: Vec<u16> = pair.server.requests().iter().map(|request| request.status).collect();
        assert_eq!(statuses, [200, 0, 200]);
    }
}
