//! The page's requests, over HTTP.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::sandbox::play::Mail;
use crate::sandbox::{IssueNumber, Role, Sandbox};

struct Browser {
    sandbox: Sandbox,
    http: reqwest::Client,
}

impl Browser {
    async fn open() -> Self {
        let builder = Sandbox::builder().person("alice", Role::Write).stranger("mallory");
        Self {
            sandbox: builder.start().await.unwrap(),
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
        }
    }

    async fn state(&self, issue: u64) -> Value {
        let url = format!("{}/sandbox/state?issue={issue}", self.sandbox.base_url());
        self.http.get(url).send().await.unwrap().json().await.unwrap()
    }

    async fn act(&self, who: &str, act: Value) -> (u16, Value) {
        let url = format!("{}/sandbox/acts", self.sandbox.base_url());
        let wish = json!({ "as": who, "act": act });
        let answer = self.http.post(url).json(&wish).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }
}

#[tokio::test]
async fn what_is_done_on_the_page_is_done_on_github() {
    let browser = Browser::open().await;
    let open = json!({ "open": { "title": "Hello", "body": "- [ ] one\n- [ ] two" } });
    assert_eq!(browser.act("alice", open).await, (200, json!({ "issue": 1 })));
    let said = json!({ "comment": { "issue": 1, "body": "See <b>#1</b> & <script>x</script>" } });
    assert_eq!(browser.act("mallory", said).await.0, 200);

    let state = browser.state(1).await;
    let thread = &state["thread"];
    assert_eq!(thread["comments"][0]["author"], "mallory");
    let html = thread["comments"][0]["html"].as_str().unwrap();
    assert!(html.contains("<b>") && !html.contains("<script"), "{html}");

    let tick =
        |version: &Value| json!({ "tick": { "issue": 1, "comment": null, "nth": 2, "on": true, "version": version } });
    assert_eq!(browser.act("alice", tick(&thread["version"])).await.0, 200);
    let issue = browser.sandbox.issue(IssueNumber(1)).unwrap();
    assert_eq!(issue.body, "- [ ] one\n- [x] two");
    let (status, answer) = browser.act("alice", tick(&thread["version"])).await;
    assert_eq!(status, 409, "{answer}");

    let label = json!({ "label": { "issue": 1, "name": "countersign:approve" } });
    assert_eq!(browser.act("alice", label.clone()).await.0, 200);
    assert_eq!(
        browser.state(1).await["thread"]["labels"],
        json!(["countersign:approve"])
    );
    assert_eq!(browser.act("mallory", label).await.0, 403);
    assert_eq!(browser.act("alice", json!({ "close": { "issue": 1 } })).await.0, 200);
    assert_eq!(browser.state(1).await["issues"][0]["open"], false);
}

#[tokio::test]
async fn a_file_is_changed_by_who_may_and_only_as_it_was_seen() {
    let sandbox = Sandbox::builder()
        .person("alice", Role::Write)
        .stranger("mallory")
        .file("a.yml", "version: 1\n");
    let browser = Browser {
        sandbox: sandbox.start().await.unwrap(),
        http: reqwest::Client::builder().no_proxy().build().unwrap(),
    };
    let file = browser.state(1).await["files"][0].clone();
    assert_eq!(file["path"], "a.yml");
    let write = json!({ "write": { "path": "a.yml", "text": "version: 2\n", "version": file["version"] } });
    assert_eq!(browser.act("mallory", write.clone()).await.0, 403);
    assert_eq!(browser.act("alice", write.clone()).await.0, 200);
    assert_eq!(browser.state(1).await["files"][0]["text"], "version: 2\n");
    let sent = browser.sandbox.pending();
    assert!(sent.iter().any(|packet| packet.event == "push"), "{sent:?}");
    assert_eq!(browser.act("alice", write).await.0, 409);
    let other = json!({ "write": { "path": "b.yml", "text": "", "version": "" } });
    assert_eq!(browser.act("alice", other).await.0, 404);
}

#[tokio::test]
async fn files_roles_and_teams_are_made_on_the_page() {
    let browser = Browser::open().await;
    let new = json!({ "write": { "path": ".github/CODEOWNERS", "text": "* @acme/security\n", "version": null } });
    assert_eq!(browser.act("mallory", new.clone()).await.0, 403);
    assert_eq!(browser.act("alice", new.clone()).await.0, 200);
    assert_eq!(browser.act("alice", new).await.0, 409, "it is there now");
    assert_eq!(browser.state(1).await["files"][0]["path"], ".github/CODEOWNERS");

    let role = |of: &str, is: &str| json!({ "role": { "of": of, "is": is } });
    assert_eq!(browser.act("alice", role("mallory", "maintain")).await.0, 200);
    assert_eq!(browser.act("alice", role("erin", "read")).await.0, 200);
    let people = browser.state(1).await["people"].clone();
    for (login, is) in [("mallory", "maintain"), ("erin", "read")] {
        let expected = json!({ "login": login, "role": is });
        assert!(people.as_array().unwrap().contains(&expected), "{people}");
    }

    let team = |name: &str, people: &[&str]| json!({ "team": { "name": name, "people": people } });
    assert_eq!(
        browser.act("alice", team("@acme/security", &["alice", "erin"])).await.0,
        200
    );
    assert_eq!(
        browser.state(1).await["teams"],
        json!([{ "name": "acme/security", "people": ["alice", "erin"] }])
    );
    for wrong in [
        role("erin", "king"),
        role("no one", "read"),
        team("security", &["alice"]),
        team("acme/security", &["nobody"]),
    ] {
        let (status, answer) = browser.act("alice", wrong).await;
        assert_eq!(status, 422, "{answer}");
    }
}

#[tokio::test]
async fn the_html_of_a_mail_is_shown_where_nothing_runs() {
    let browser = Browser::open().await;
    let mail = |html: &str| Mail {
        html: html.to_owned(),
        ..Mail::default()
    };
    let mails = vec![mail(""), mail("<p style='color:red'>Moved</p>")];
    browser.sandbox.set_mailbox(Arc::new(move || mails.clone()));
    let get = |nth: usize| {
        let url = format!("{}/sandbox/mails/{nth}", browser.sandbox.base_url());
        browser.http.get(url).send()
    };
    let shown = get(1).await.unwrap();
    let policy = shown.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(
        policy.starts_with("sandbox ") && policy.contains("default-src 'none'"),
        "{policy}"
    );
    assert!(
        !policy.contains("allow-scripts") && !policy.contains("script-src"),
        "{policy}"
    );
    let text = shown.text().await.unwrap();
    assert!(text.ends_with("<p style='color:red'>Moved</p>"), "{text}");
    for none in [0, 2] {
        assert_eq!(get(none).await.unwrap().status(), 404);
    }
}

#[tokio::test]
async fn a_wish_that_makes_no_sense_is_refused_with_words() {
    let browser = Browser::open().await;
    for (who, act, status) in [
        ("nobody", json!({ "close": { "issue": 1 } }), 422),
        ("alice", json!({ "close": { "issue": 9 } }), 404),
        ("alice", json!({ "explode": {} }), 422),
        ("alice", json!({ "close": { "issue": 1, "why": "x" } }), 422),
    ] {
        let (found, answer) = browser.act(who, act).await;
        assert_eq!(found, status, "{answer}");
        assert!(!answer["message"].as_str().unwrap().is_empty());
    }
}

#[tokio::test]
async fn other_sites_are_refused_and_forms_too() {
    let browser = Browser::open().await;
    let url = format!("{}/sandbox/acts", browser.sandbox.base_url());
    let wish = json!({ "as": "alice", "act": { "open": { "title": "x", "body": "" } } });
    let strange = browser
        .http
        .post(&url)
        .header("origin", "http://evil.example")
        .json(&wish);
    assert_eq!(strange.send().await.unwrap().status(), 403);
    let strange = browser
        .http
        .get(browser.sandbox.base_url())
        .header("host", "evil.example");
    assert_eq!(strange.send().await.unwrap().status(), 403);
    let form = browser
        .http
        .post(&url)
        .header("content-type", "text/plain")
        .body(wish.to_string());
    assert_eq!(form.send().await.unwrap().status(), 415);
    assert!(browser.sandbox.issues().is_empty());
}

#[tokio::test]
async fn the_page_stands_at_every_issue_and_brings_its_policy() {
    let browser = Browser::open().await;
    for path in ["/", "/acme/app/issues/1"] {
        let url = format!("{}{path}", browser.sandbox.base_url());
        let answer = browser.http.get(url).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let policy = answer.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(
            policy.contains("script-src 'self'") && !policy.contains("unsafe"),
            "{policy}"
        );
        let text = answer.text().await.unwrap();
        let dialog = text.split("<dialog").nth(1).unwrap();
        assert_eq!(
            dialog.matches("type=\"submit\"").count(),
            1,
            "Enter in a field presses the first of them"
        );
        for inline in ["<style", "style=", "onclick=", "<script>"] {
            assert!(!text.contains(inline), "the policy forbids {inline}");
        }
    }
}

#[tokio::test]
async fn mailbox_and_workflows_are_shown_and_asked_for_once_per_change() {
    let browser = Browser::open().await;
    assert_eq!(browser.state(1).await["mails"], json!([]));
    let mail = Mail {
        subject: "Hello".to_owned(),
        ..Mail::default()
    };
    browser.sandbox.set_mailbox(Arc::new(move || vec![mail.clone()]));
    browser
        .sandbox
        .set_workflows(Arc::new(|| Box::pin(async { json!([{ "id": "w1", "phases": [] }]) })));
    let state = browser.state(1).await;
    assert_eq!(state["mails"][0]["subject"], "Hello");
    assert_eq!(state["workflows"][0]["id"], "w1");

    let url = format!("{}/sandbox/state", browser.sandbox.base_url());
    let first = browser.http.get(&url).send().await.unwrap();
    let tag = first.headers()["etag"].clone();
    let again = browser
        .http
        .get(&url)
        .header("if-none-match", tag)
        .send()
        .await
        .unwrap();
    assert_eq!(again.status(), 304);
}

#[tokio::test]
async fn the_page_does_not_keep_the_sandbox_alive() {
    let browser = Browser::open().await;
    let shared = Arc::clone(&browser.sandbox.shared);
    drop(browser.sandbox);
    assert!(shared.stop.is_cancelled());
}
