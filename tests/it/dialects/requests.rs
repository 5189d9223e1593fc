//! What is sent, to the letter, and what is made of a good answer.

use countersign::providers::http::{Finish, body};
use countersign::sandbox::models::{ModelRequest, Reply};
use countersign::workflow::budget::Usage;

use super::*;

/// The body that a dialect wants for the question of these tests.
fn wanted(dialect: Dialect, mode: StructuredOutput) -> Value {
    let (schema, tool) = (schema(), "Takes the whole answer.");
    match dialect {
        Dialect::OpenAi => {
            let mut body = json!({
                "model": "script",
                "messages": [
                    { "role": "system", "content": "You give JSON." },
                    { "role": "user", "content": "Hello, give JSON." },
                ],
                "stream": false,
                "max_tokens": 500,
            });
            match mode {
                StructuredOutput::Schema => {
                    body["response_format"] = json!({
                        "type": "json_schema",
                        "json_schema": { "name": "tasks_v1", "strict": true, "schema": schema },
                    });
                }
                StructuredOutput::Object => body["response_format"] = json!({ "type": "json_object" }),
                StructuredOutput::Tool => {
                    body["tools"] = json!([{
                        "type": "function",
                        "function": { "name": "tasks_v1", "description": tool, "parameters": schema },
                    }]);
                    body["tool_choice"] = json!({ "type": "function", "function": { "name": "tasks_v1" } });
                }
                StructuredOutput::Prompt => {}
            }
            body
        }
        Dialect::Anthropic => {
            let mut body = json!({
                "model": "script",
                "max_tokens": 500,
                "system": "You give JSON.",
                "messages": [{ "role": "user", "content": "Hello, give JSON." }],
                "stream": false,
            });
            match mode {
                StructuredOutput::Schema => {
                    body["output_config"] = json!({ "format": { "type": "json_schema", "schema": schema } });
                }
                StructuredOutput::Tool => {
                    body["tools"] = json!([{ "name": "tasks_v1", "description": tool, "input_schema": schema }]);
                    body["tool_choice"] = json!({ "type": "tool", "name": "tasks_v1" });
                }
                StructuredOutput::Object | StructuredOutput::Prompt => {}
            }
            body
        }
        Dialect::Gemini => {
            let mut body = json!({
                "systemInstruction": { "parts": [{ "text": "You give JSON." }] },
                "contents": [{ "role": "user", "parts": [{ "text": "Hello, give JSON." }] }],
                "generationConfig": { "maxOutputTokens": 500 },
            });
            match mode {
                StructuredOutput::Schema => {
                    body["generationConfig"]["responseMimeType"] = json!("application/json");
                    body["generationConfig"]["responseJsonSchema"] = schema;
                }
                StructuredOutput::Object => {
                    body["generationConfig"]["responseMimeType"] = json!("application/json");
                }
                StructuredOutput::Tool => {
                    body["tools"] = json!([{ "functionDeclarations": [
                        { "name": "tasks_v1", "description": tool, "parametersJsonSchema": schema },
                    ] }]);
                    body["toolConfig"] =
                        json!({ "functionCallingConfig": { "mode": "ANY", "allowedFunctionNames": ["tasks_v1"] } });
                }
                StructuredOutput::Prompt => {}
            }
            body
        }
        Dialect::Ollama => {
            let mut body = json!({
                "model": "script",
                "messages": [
                    { "role": "system", "content": "You give JSON." },
                    { "role": "user", "content": "Hello, give JSON." },
                ],
                "stream": false,
                "options": { "num_predict": 500, "num_ctx": 8000 },
            });
            match mode {
                StructuredOutput::Schema => body["format"] = schema,
                StructuredOutput::Object => body["format"] = json!("json"),
                StructuredOutput::Tool => {
                    body["tools"] = json!([{
                        "type": "function",
                        "function": { "name": "tasks_v1", "description": tool, "parameters": schema },
                    }]);
                }
                StructuredOutput::Prompt => {}
            }
            body
        }
    }
}

fn path(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::OpenAi => "/v1/chat/completions",
        Dialect::Anthropic => "/v1/messages",
        Dialect::Gemini => "/v1beta/models/script:generateContent",
        Dialect::Ollama => "/api/chat",
    }
}

/// The header that holds the key, as the journal shows it.
fn key_header(dialect: Dialect) -> (&'static str, &'static str) {
    match dialect {
        Dialect::OpenAi | Dialect::Ollama => ("authorization", "Bearer (key)"),
        Dialect::Anthropic => ("x-api-key", "(key)"),
        Dialect::Gemini => ("x-goog-api-key", "(key)"),
    }
}

fn only(requests: Vec<ModelRequest>) -> ModelRequest {
    let [request] = requests.try_into().unwrap();
    request
}

#[tokio::test]
async fn each_way_to_json_is_asked_for_as_each_dialect_writes_it() {
    for dialect in DIALECTS {
        for mode in MODES {
            let pair = Pair::start().await;
            let endpoint = pair.endpoint(dialect, mode);
            pair.server.prepare(Reply::text(r#"{"a":1}"#).with_usage(40, 0, 9));
            let completion = pair.ask(&endpoint).await.unwrap();
            assert_eq!(completion.text, r#"{"a":1}"#, "{dialect:?} {mode:?}");
            assert_eq!(completion.finish, Finish::Complete);
            assert_eq!(completion.model.as_deref(), Some("script"));
            let counted = Usage {
                input: 40,
                cached: 0,
                output: 9,
            };
            assert_eq!(completion.usage, Some(counted));

            let request = only(pair.server.requests());
            assert_eq!(
                (request.method.as_str(), request.path.as_str()),
                ("POST", path(dialect))
            );
            assert_eq!(request.body, wanted(dialect, mode), "{dialect:?} {mode:?}");
            let (name, shown) = key_header(dialect);
            assert_eq!(request.headers[name], shown, "{dialect:?}");
            let version = (dialect == Dialect::Anthropic).then_some("2023-06-01");
            assert_eq!(request.headers.get("anthropic-version").map(String::as_str), version);
            assert_eq!(request.headers["content-type"], "application/json");

            let (schema, turns) = (schema(), [Turn::User("Hello, give JSON.".to_owned())]);
            let told = body(&endpoint, &question(&schema, &turns));
            assert_eq!(told, request.body, "what is told of a request is what is sent");
        }
    }
}

#[tokio::test]
async fn a_conversation_keeps_its_turns_and_an_absent_system_is_not_sent() {
    for dialect in DIALECTS {
        let pair = Pair::start().await;
        let endpoint = pair.endpoint(dialect, StructuredOutput::Schema);
        let turns = ["one", "two", "three"].map(str::to_owned);
        let [one, two, three] = turns.clone();
        let turns_sent = [Turn::User(one), Turn::Assistant(two), Turn::User(three)];
        let schema = schema();
        let asked = Question {
            system: "",
            ..question(&schema, &turns_sent)
        };
        pair.client.ask(&endpoint, &asked).await.unwrap();
        let body = only(pair.server.requests()).body;
        let (key, model) = match dialect {
            Dialect::Gemini => ("contents", "model"),
            _ => ("messages", "assistant"),
        };
        let sent: Vec<(&str, &str)> = body[key]
            .as_array()
            .unwrap()
            .iter()
            .map(|turn| {
                let text = turn.pointer("/parts/0/text").unwrap_or(&turn["content"]);
                (turn["role"].as_str().unwrap(), text.as_str().unwrap())
            })
            .collect();
        assert_eq!(
            sent,
            [("user", "one"), (model, "two"), ("user", "three")],
            "{dialect:?}"
        );
        assert!(body.get("system").is_none() && body.get("systemInstruction").is_none());
    }
}

#[tokio::test]
async fn a_base_url_keeps_its_path_and_query_with_and_without_a_slash() {
    for dialect in DIALECTS {
        let pair = Pair::start().await;
        pair.server.set_key(None);
        for (base, before, query) in [
            ("", "", ""),
            ("/", "", ""),
            ("/proxy/", "/proxy", ""),
            ("/proxy?v=1", "/proxy", "?v=1"),
        ] {
            let mut endpoint = pair.endpoint(dialect, StructuredOutput::Prompt);
            endpoint.base_url = format!("{}{base}", endpoint.base_url.as_str().trim_end_matches('/'))
                .parse()
                .unwrap();
            // Below another path there is nothing here; the journal has the path all the same.
            let answered = pair.ask(&endpoint).await;
            let path = path(dialect);
            let sent = pair.server.requests().last().unwrap().path.clone();
            let wanted = match dialect {
                Dialect::OpenAi => format!("/v1{before}{}{query}", path.trim_start_matches("/v1")),
                _ => format!("{before}{path}{query}"),
            };
            assert_eq!(sent, wanted);
            assert_eq!(answered.is_ok(), before.is_empty(), "{sent}");
        }
    }
}

#[tokio::test]
async fn without_a_key_no_header_is_sent() {
    for dialect in DIALECTS {
        let pair = Pair::start().await;
        pair.server.set_key(None);
        let endpoint = Endpoint {
            key_env: None,
            key: None,
            ..pair.endpoint(dialect, StructuredOutput::Prompt)
        };
        pair.ask(&endpoint).await.unwrap();
        let request = only(pair.server.requests());
        assert!(!request.headers.contains_key(key_header(dialect).0), "{dialect:?}");
    }
}

#[tokio::test]
async fn the_cached_part_is_counted_where_the_dialect_has_a_word_for_it() {
    for dialect in DIALECTS {
        let pair = Pair::start().await;
        let endpoint = pair.endpoint(dialect, StructuredOutput::Prompt);
        pair.server.prepare(Reply::text("{}").with_usage(100, 60, 5));
        let cached = if dialect == Dialect::Ollama { 0 } else { 60 };
        let counted = Usage {
            input: 100,
            cached,
            output: 5,
        };
        assert_eq!(pair.ask(&endpoint).await.unwrap().usage, Some(counted), "{dialect:?}");
        pair.server.prepare(Reply::text("{}").without_usage());
        assert_eq!(pair.ask(&endpoint).await.unwrap().usage, None, "{dialect:?}");
    }
}

#[tokio::test]
async fn what_a_model_says_is_given_on_as_it_is() {
    let fenced = "```json\n{\"a\":1}\n```";
    for dialect in DIALECTS {
        for mode in MODES {
            let pair = Pair::start().await;
            let endpoint = pair.endpoint(dialect, mode);
            for (reply, text, finish) in [
                (Reply::text(""), "", Finish::Complete),
                (Reply::fenced("{\"a\":1}"), fenced, Finish::Complete),
                (Reply::text("[1]"), "[1]", Finish::Complete),
                (Reply::truncated("{\"a\":"), "{\"a\":", Finish::Truncated),
            ] {
                pair.server.prepare(reply);
                let completion = pair.ask(&endpoint).await.unwrap();
                assert_eq!(completion.text, text, "{dialect:?} {mode:?}");
                assert_eq!(completion.finish, finish, "{dialect:?} {mode:?}");
            }
            pair.server.prepare(Reply::in_prose("{\"a\":1}"));
            let prose = pair.ask(&endpoint).await.unwrap().text;
            assert!(prose.contains("\n\n{\"a\":1}\n\n"), "{prose}");
        }
    }
}

#[tokio::test]
async fn a_refusal_is_an_answer_of_its_own() {
    for dialect in DIALECTS {
        let pair = Pair::start().await;
        let endpoint = pair.endpoint(dialect, StructuredOutput::Schema);
        pair.server.prepare(Reply::refusal("I will not."));
        let finish = pair.ask(&endpoint).await.unwrap().finish;
        let wanted = match dialect {
            Dialect::OpenAi | Dialect::Anthropic => Finish::Refused("I will not.".into()),
            Dialect::Gemini => Finish::Refused("SAFETY".into()),
            // It has no word for it.
            Dialect::Ollama => Finish::Complete,
        };
        assert_eq!(finish, wanted, "{dialect:?}");
    }
}

#[tokio::test]
async fn the_script_answers_from_the_prompt_where_nothing_is_prepared() {
    let schema: Value = serde_json::from_str(include_str!("../../../src/agents/extract/tasks.v1.json")).unwrap();
    let data = r#"[{"id":3,"author":"alice","created_at":"2026-11-02","text":"I will fix it."}]"#;
    let turns = [Turn::User(format!(
        "Give JSON.\n0123456789ab\n{data}\n0123456789ab\nBy this schema (tasks.v1)."
    ))];
    for dialect in DIALECTS {
        for mode in MODES {
            let pair = Pair::start().await;
            let endpoint = pair.endpoint(dialect, mode);
            let completion = pair.client.ask(&endpoint, &question(&schema, &turns)).await.unwrap();
            let answer: Value = serde_json::from_str(&completion.text).unwrap();
            assert_eq!(answer["tasks"][0]["title"], "Fix it", "{dialect:?} {mode:?}");
            assert!(
                completion
                    .usage
                    .is_some_and(|usage| usage.input > 0 && usage.output > 0)
            );
        }
    }
}

#[tokio::test]
async fn a_test_may_play_the_model_itself() {
    let pair = Pair::start().await;
    pair.server.set_role(std::sync::Arc::new(|asked: &models::Asked| {
        format!("{} / {} / {:?}", asked.system, asked.user_turns[0], asked.mode)
    }));
    for dialect in DIALECTS {
        let endpoint = pair.endpoint(dialect, StructuredOutput::Prompt);
        let said = pair.ask(&endpoint).await.unwrap().text;
        assert_eq!(said, "You give JSON. / Hello, give JSON. / Prompt");
    }
}
