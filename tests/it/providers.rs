//! `countersign providers`, and what `countersign check` makes of endpoints: the real program.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::thread::JoinHandle;

use serde_json::{Value, json};

use crate::cli::{Ran, run_with};

const KEY: &str = "hunter2-hunter2-hunter2";

/// A folder with a server's file of this text.
fn home(server: &str) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("server.yml"), server).unwrap();
    home
}

fn run(home: &Path, environment: &[(&str, &str)], arguments: &[&str]) -> Ran {
    let file = ("COUNTERSIGN_CONFIG", "server.yml");
    let ran = run_with(home, &[&[file], environment].concat(), arguments);
    assert!(
        !ran.out.contains("hunter2") && !ran.err.contains("hunter2"),
        "{}{}",
        ran.out,
        ran.err
    );
    ran
}

const SERVER: &str = "models:
  currency: EUR
  caps:
    run: {tokens: 1000, money: 0.5}
  endpoints:
    local:
      dialect: openai
      base_url: http://127.0.0.1:8000/v1
      model: qwen3
      key_env: LOCAL_MODEL_KEY
      context_tokens: 32768
      price: {input: 0.25, cached: 0.025, output: 2}
    free: {dialect: ollama, model: 'q:8b', context_tokens: 9000, repositories: [acme/*], structured_output: prompt}
";

#[test]
fn without_a_server_file_there_are_rules_people_and_caps() {
    let home = tempfile::tempdir().unwrap();
    let page = run_with(home.path(), &[], &["providers"]).page().to_owned();
    let lines: Vec<&str> = page.lines().collect();
    assert!(lines[1].starts_with("rules ") && lines[1].contains("usable"), "{page}");
    assert!(lines[2].starts_with("manual ") && lines[2].contains("usable"), "{page}");
    assert!(lines[3].starts_with("No model endpoint is configured"), "{page}");
    let caps: Vec<Vec<&str>> = lines[5..]
        .iter()
        .map(|line| {
            line.split("  ")
                .map(str::trim)
                .filter(|cell| !cell.is_empty())
                .collect()
        })
        .collect();
    assert_eq!(
        caps,
        [
            ["CAP", "TOKENS", "MONEY"],
            ["run", "200000", "no cap"],
            ["workflow", "1000000", "no cap"],
            ["repository, a day", "5000000", "no cap"],
            ["person, a day", "2000000", "no cap"],
            ["server, a day", "10000000", "no cap"],
        ]
    );
}

#[test]
fn each_endpoint_is_shown_with_its_state_and_a_missing_key_by_its_variable() {
    let home = home(SERVER);
    let page = run(home.path(), &[], &["providers"]).page().to_owned();
    let row = |page: &str, name: &str| page.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
    let local = row(&page, "http:local ");
    for part in [
        "openai",
        "qwen3",
        "http://127.0.0.1:8000",
        "schema",
        "0.25/0.025/2.00",
        "32768",
    ] {
        assert!(local.contains(part), "{part}: {local}");
    }
    assert!(local.ends_with("LOCAL_MODEL_KEY is not set"), "{local}");
    let free = row(&page, "http:free ");
    assert!(free.contains(" unknown ") && !free.contains("0.00"), "{free}");
    assert!(free.ends_with("usable in acme/*"), "{free}");
    assert!(page.contains("Prices are in EUR for a million tokens."), "{page}");
    let cap = row(&page, "run ");
    assert!(cap.contains("1000 ") && cap.ends_with("0.50 EUR"), "{cap}");
    let page = run(home.path(), &[("LOCAL_MODEL_KEY", KEY)], &["providers", "list"])
        .page()
        .to_owned();
    assert!(row(&page, "http:local ").ends_with(" usable"), "{page}");
}

#[test]
fn programs_get_all_of_it_with_money_as_text() {
    let home = home(SERVER);
    let envelope = run(home.path(), &[], &["providers", "--json"]).envelope();
    assert_eq!(envelope["command"], "providers list");
    let data = &envelope["data"];
    assert_eq!(data["currency"], "EUR");
    let providers = data["providers"].as_array().unwrap();
    let names: Vec<_> = providers.iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["rules", "manual", "http:local", "http:free"]);
    let local = &providers[2];
    assert_eq!(local["usable"], false);
    assert_eq!(local["why_not"], "LOCAL_MODEL_KEY is not set");
    assert_eq!(
        local["endpoint"]["price"],
        json!({ "input": "0.25", "cached": "0.025", "output": "2.00" })
    );
    assert_eq!(providers[3]["endpoint"]["price"], Value::Null);
    assert_eq!(data["caps"]["run"], json!({ "tokens": 1000, "money": "0.50" }));
    assert_eq!(data["caps"]["day"], json!({ "tokens": 10_000_000, "money": null }));
}

#[test]
fn a_mistake_in_the_servers_file_is_told_with_its_place() {
    let home = home("models:\n  caps:\n    run: {tokens: -1}\n");
    for arguments in [&["providers"][..], &["providers", "test", "local"], &["serve"]] {
        let ran = run(home.path(), &[], arguments);
        assert_eq!(ran.code, 3, "{arguments:?}");
        assert!(
            ran.err.contains("server.yml, line 3, column 19: `models.caps.run.tokens` must be at least 1; give a positive cap, or remove it"),
            "{}",
            ran.err
        );
    }
}

#[test]
fn check_holds_endpoints_to_the_servers_file_and_says_where_it_cannot() {
    let home = home(SERVER);
    let check = |providers: &str, environment: &[(&str, &str)], more: &[&str]| {
        let text = format!("version: 1\nproviders: {{extract: {providers}}}\n");
        std::fs::write(home.path().join("c.yml"), text).unwrap();
        run_with(home.path(), environment, &[&["check", "c.yml"], more].concat())
    };
    let server = &[("COUNTERSIGN_CONFIG", "server.yml")][..];
    assert_eq!(check("http:local", server, &[]).page(), "c.yml is good.\n");
    assert_eq!(
        check("http:local", &[], &["--config", "server.yml"]).page(),
        "c.yml is good.\n"
    );
    let unknown = check("http:lokal", server, &[]);
    assert_eq!(unknown.code, 1);
    assert!(
        unknown
            .err
            .starts_with("c.yml:2:22: `http:lokal` is no provider here; did you mean `http:local`? The server offers "),
        "{}",
        unknown.err
    );
    let foreign = check("http:free", server, &["--repository", "other/shop"]);
    assert!(
        foreign
            .err
            .starts_with("c.yml:2:22: the server does not offer `http:free` to other/shop. "),
        "{}",
        foreign.err
    );
    assert_eq!(
        check("http:free", server, &["--repository", "acme/shop"]).page(),
        "c.yml is good.\n"
    );
    for (providers, environment, wanted) in [
        ("http:free", server, "name it with --repository"),
        ("http:any", &[], "no server configuration is named"),
    ] {
        let ran = check(providers, environment, &[]);
        let page = ran.page();
        assert!(page.starts_with("c.yml is good. ") && page.contains(wanted), "{page}");
    }
    let none = check("http:any", &[("COUNTERSIGN_CONFIG", "none.yml")], &[]);
    assert_eq!(none.code, 2);
    assert!(
        none.err
            .contains("none.yml (--config, or COUNTERSIGN_CONFIG): there is no such file"),
        "{}",
        none.err
    );
    let envelope = check("http:any", &[], &["--json"]).envelope();
    assert!(envelope["data"]["unchecked"].as_str().unwrap().contains("`http:any`"));
    assert_eq!(
        check("rules", &[], &["--json"]).envelope()["data"]["unchecked"],
        Value::Null
    );
}

/// An endpoint on this machine that gives one answer to one call; in the end it tells what it was asked.
struct Endpoint {
    home: tempfile::TempDir,
    asked: JoinHandle<String>,
}

impl Endpoint {
    fn new(status: u16, kind: &str, body: &str, more: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let answer = format!(
            "HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        );
        let asked = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            let mut chunk = [0; 4096];
            while !whole(&request) {
                let read = stream.read(&mut chunk).unwrap();
                assert!(read > 0, "the request broke off");
                request.extend_from_slice(&chunk[..read]);
            }
            stream.write_all(answer.as_bytes()).unwrap();
            String::from_utf8(request).unwrap()
        });
        let server = format!(
            "models:\n  currency: EUR\n  endpoints:\n    local: {{dialect: openai, base_url: 'http://127.0.0.1:{port}/v1', model: m-1, context_tokens: 9000, key_env: A_KEY{more}}}\n"
        );
        Self {
            home: home(&server),
            asked,
        }
    }

    /// Tests it, and gives what it was asked beside.
    fn test(self, arguments: &[&str]) -> (Ran, String) {
        let ran = run(
            self.home.path(),
            &[("A_KEY", KEY)],
            &[&["providers", "test"], arguments].concat(),
        );
        (ran, self.asked.join().unwrap())
    }
}

/// Whether a request has come with all of its body.
fn whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse::<usize>().ok())?
    });
    length.is_none_or(|length| body.len() >= length)
}

fn completion(content: &str, usage: &Value) -> String {
    let message = json!({ "role": "assistant", "content": content });
    json!({ "model": "m-1-long-name", "choices": [{ "message": message, "finish_reason": "stop" }], "usage": usage })
        .to_string()
}

const GOOD: &str = r#"{"works": true, "word": "countersign"}"#;

#[test]
fn a_test_tells_time_tokens_and_price_and_that_the_schema_held() {
    let usage = json!({ "prompt_tokens": 1000, "completion_tokens": 100 });
    let body = completion(GOOD, &usage);
    let endpoint = Endpoint::new(200, "application/json", &body, ", price: {input: 3, output: 15}");
    let (ran, asked) = endpoint.test(&["local"]);
    let page = ran.page();
    for part in [
        "http:local",
        "m-1-long-name",
        "1000 in, 100 out (counted by the endpoint)",
        "0.0045 EUR",
        "held",
        " ms",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(asked.starts_with("POST /v1/chat/completions HTTP/1.1\r\n"), "{asked}");
    assert!(
        asked.contains(&format!("Bearer {KEY}")) && asked.contains("\"max_tokens\":4000"),
        "{asked}"
    );
}

#[test]
fn what_nobody_counts_is_estimated_and_what_has_no_price_is_unknown() {
    let endpoint = Endpoint::new(200, "application/json", &completion(GOOD, &Value::Null), "");
    let (ran, _) = endpoint.test(&["http:local", "--json"]);
    let envelope = ran.envelope();
    assert_eq!(envelope["command"], "providers test");
    let data = &envelope["data"];
    assert_eq!(data["counted_by_endpoint"], false);
    assert!(data["tokens"].as_u64().unwrap() > 20, "{data}");
    assert_eq!(data["money"], Value::Null);
    assert_eq!(data["schema_held"], true);
}

#[test]
fn an_answer_without_the_schema_fails() {
    for (content, wanted) in [
        (r#"{"works": "yes", "word": "x"}"#, "has not the schema"),
        ("It works.", "no JSON object"),
    ] {
        let endpoint = Endpoint::new(200, "application/json", &completion(content, &Value::Null), "");
        let (ran, _) = endpoint.test(&["local", "--json"]);
        let envelope = ran.envelope();
        assert_eq!(ran.code, 1);
        assert_eq!(envelope["data"]["schema_held"], false);
        let message = envelope["error"]["messages"][0].as_str().unwrap();
        assert!(
            message.contains(wanted) && message.contains("`structured_output` is schema"),
            "{message}"
        );
    }
}

#[test]
fn a_failure_says_what_to_do_and_never_the_key() {
    let error = |message: &str| json!({ "error": { "message": message } }).to_string();
    for (status, kind, body, wanted) in [
        (200, "text/html", "<html>".to_owned(), "speaks openai"),
        (
            401,
            "application/json",
            error(&format!("bad key {KEY}")),
            "check the key in A_KEY",
        ),
        (
            404,
            "application/json",
            error("no such model"),
            "check the name m-1 (`model`)",
        ),
        (429, "application/json", error("slow down"), "try again later"),
        (
            422,
            "application/json",
            error("response_format"),
            "choose another: schema, object, tool or prompt",
        ),
    ] {
        let (ran, _) = Endpoint::new(status, kind, &body, "").test(&["local"]);
        assert_eq!((ran.code, ran.out.as_str()), (1, ""));
        assert!(
            ran.err.starts_with("error: http:local: ") && ran.err.contains(wanted),
            "{}",
            ran.err
        );
    }
}

#[test]
fn what_cannot_be_asked_is_not_asked() {
    let home = home(SERVER);
    for (name, wanted) in [
        ("local", "http:local cannot be asked: LOCAL_MODEL_KEY is not set"),
        (
            "http:lokal",
            "`http:lokal` is no provider here; did you mean `http:local`?",
        ),
        ("rules", "rules asks no model"),
        ("Not A Name", "is no endpoint's name"),
    ] {
        let ran = run(home.path(), &[], &["providers", "test", name]);
        assert_eq!(ran.code, 1, "{name}");
        assert!(ran.err.contains(wanted), "{}", ran.err);
    }
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    std::fs::write(
        home.path().join("server.yml"),
        format!("models: {{endpoints: {{gone: {{dialect: ollama, base_url: 'http://127.0.0.1:{nobody}', model: m, context_tokens: 9000}}}}}}\n"),
    )
    .unwrap();
    let ran = run(home.path(), &[], &["providers", "test", "gone"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.err
            .contains(&format!("check that a server answers at http://127.0.0.1:{nobody}/")),
        "{}",
        ran.err
    );
}
