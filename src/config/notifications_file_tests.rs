use super::super::{Notifications, Overrides, Problems, Sources};
use super::*;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const HOOK: &str = "https://hooks.slack.com/services/T0/B0/hunter2";

/// What the variables hold that the tests name.
const ENVIRONMENT: [(&str, &str); 6] = [
    ("SECRET", SECRET),
    ("OLD", "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
    ("WEAK", "hunter2"),
    ("HOOK", HOOK),
    ("CLEAR", "http://hooks.example/hunter2"),
    ("BLANK", " \n"),
];

fn load(text: &str) -> Result<Notifications, Problems> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("server.yml");
    std::fs::write(&path, text).unwrap();
    let overrides = Overrides {
        config: Some(path),
        ..Overrides::default()
    };
    let sources = Sources {
        overrides: &overrides,
        environment: &|name| {
            let found = ENVIRONMENT.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        },
        check_key: None,
    };
    sources.notifications()
}

fn read(text: &str) -> Notifications {
    load(text).unwrap_or_else(|problems| panic!("{problems}"))
}

/// The mistakes, each without the path of the file.
fn refuse(text: &str) -> Vec<String> {
    let problems = match load(text) {
        Ok(notifications) => panic!("{text} was taken as {notifications:?}"),
        Err(problems) => problems,
    };
    let said = problems.to_string();
    assert!(!said.contains("hunter2") && !said.contains("MfKQ"), "{said}");
    let mistakes = problems.sentences().iter();
    mistakes
        .map(|sentence| sentence.split_once("server.yml, ").expect(sentence).1.to_owned())
        .collect()
}

/// A file with one endpoint that has these keys.
fn with(keys: &str) -> String {
    format!("notifications:\n  endpoints:\n    ops: {{{keys}}}\n")
}

/// The same with what a standard one needs.
fn standard(keys: &str) -> String {
    with(&format!("url: https://ops.example/in, secret_env: SECRET, {keys}"))
}

#[test]
fn without_a_file_or_a_section_nobody_is_told() {
    let none = Sources {
        overrides: &Overrides::default(),
        environment: &|_| None,
        check_key: None,
    };
    for notifications in [
        none.notifications().unwrap(),
        read("listen: 127.0.0.1:1\n"),
        read("notifications:\n"),
        read("notifications: {endpoints: {}}\n"),
    ] {
        assert_eq!(notifications, Notifications::default());
    }
}

#[test]
fn what_an_endpoint_leaves_out_has_a_default() {
    let notifications = read(&standard(""));
    let [endpoint] = notifications.endpoints.as_slice() else {
        panic!("{notifications:?}")
    };
    assert_eq!(endpoint.name.as_str(), "ops");
    assert_eq!(endpoint.channel.as_str(), "standard");
    assert_eq!(endpoint.channel.host(), Some("ops.example"));
    assert_eq!(endpoint.events, Kind::ALL.into());
    for kind in Kind::ALL {
        assert!(endpoint.wants(kind, "acme/shop"));
    }
}

#[test]
fn everything_said() {
    let text = "notifications:
  endpoints:
    zeta:
      url: http://127.0.0.1:9/in?x=1
      secret_env: SECRET
      secret_previous_env: OLD
      events: [waiting, failed, waiting]
      repositories: [acme/*, Acme-Corp_x/a.b_c]
    team: {format: slack, url_env: HOOK, events: [stuck]}
    chat: {format: discord, url_env: HOOK}
    hidden: {url_env: HOOK, secret_env: SECRET}
";
    let notifications = read(text);
    let names: Vec<_> = notifications.endpoints.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["zeta", "team", "chat", "hidden"], "the file's order");
    let zeta = notifications.endpoint("zeta").unwrap();
    let Channel::Standard { secret, previous, .. } = &zeta.channel else {
        panic!("{zeta:?}")
    };
    assert_eq!((secret.expose().len(), previous.is_some()), (24, true));
    assert!(zeta.wants(Kind::Waiting, "ACME/anything") && zeta.wants(Kind::Failed, "acme-corp_x/A.b_c"));
    assert!(!zeta.wants(Kind::Waiting, "acme-corp_x/other") && !zeta.wants(Kind::Approved, "acme/shop"));
    for name in ["team", "chat", "hidden"] {
        let channel = &notifications.endpoint(name).unwrap().channel;
        assert_eq!((channel.expose_url().as_str(), channel.host()), (HOOK, None), "{name}");
    }
    let shown = format!("{notifications:?}");
    assert!(!shown.contains("hunter2") && !shown.contains("MfKQ"), "{shown}");
}

#[test]
fn one_mistake_each() {
    for (text, wanted) in [
        (
            "notifications: []\n".to_owned(),
            "line 1, column 16: `notifications` must be a mapping",
        ),
        (
            "notifications:\n  endpoint: {}\n".to_owned(),
            "line 2, column 3: `endpoint` is not known in `notifications`; did you mean `endpoints`?",
        ),
        (
            "notifications:\n  endpoints:\n    Ops: {url: https://a.example, secret_env: SECRET}\n".to_owned(),
            "line 3, column 5: \"Ops\" cannot be an endpoint's name; use up to 32 lower-case letters",
        ),
        (
            standard("event: [failed]"),
            "line 3, column 60: `event` is not known in `notifications.endpoints.ops`; did you mean `events`?",
        ),
        (
            standard("events: [done]"),
            "line 3, column 69: `notifications.endpoints.ops.events.0` must be one of `started`, `waiting`",
        ),
        (standard("events: [wating]"), "did you mean `waiting`?"),
        (
            standard("events: []"),
            "line 3, column 68: `notifications.endpoints.ops.events` asks for nothing",
        ),
        (
            standard("repositories: []"),
            "line 3, column 74: `notifications.endpoints.ops.repositories` names no repository",
        ),
        (
            standard("repositories: [acme]"),
            "line 3, column 75: `notifications.endpoints.ops.repositories.0` must be owner/name",
        ),
        (
            with("format: teams, url_env: HOOK"),
            "line 3, column 19: `notifications.endpoints.ops.format` must be one of `standard`, `slack`, `discord`",
        ),
        (
            with("secret_env: SECRET"),
            "line 3, column 10: `notifications.endpoints.ops` lacks `url`; add the address",
        ),
        (
            with("url: https://ops.example"),
            "line 3, column 10: `notifications.endpoints.ops` lacks `secret_env`",
        ),
        (
            with("url: 5, secret_env: SECRET"),
            "line 3, column 16: `notifications.endpoints.ops.url` must be text",
        ),
        (
            with("url: https://ops.example, secret_env: ABSENT"),
            "line 3, column 49: `notifications.endpoints.ops.secret_env` names ABSENT, which is not set; set it, or remove the endpoint",
        ),
        (
            with("url: https://ops.example, secret_env: BLANK"),
            "names BLANK, which is not set",
        ),
        (
            with("url: https://ops.example, secret_env: WEAK"),
            "names WEAK, which is not whsec_ and Base64 of 24 to 64 bytes; make one",
        ),
        (
            with("url: https://ops.example, secret_env: whsec_hunter2hunter2hunter2"),
            "`notifications.endpoints.ops.secret_env` must be the name of an environment variable",
        ),
        (
            with("url: https://ops.example, secret_env: SECRET, secret_previous_env: WEAK"),
            "`notifications.endpoints.ops.secret_previous_env` names WEAK, which is not whsec_",
        ),
        (
            with("url: https://ops.example, url_env: HOOK, secret_env: SECRET"),
            "`notifications.endpoints.ops.url_env` and `url` both say where it is; remove one of them",
        ),
        (
            with("format: slack, url: https://hooks.slack.com/hunter2"),
            "`notifications.endpoints.ops.url` is the secret of slack, which does not stand in a file",
        ),
        (
            with("format: slack"),
            "`notifications.endpoints.ops` lacks `url_env`; name the environment variable",
        ),
        (
            with("format: discord, url_env: CLEAR"),
            "`notifications.endpoints.ops.url_env` names CLEAR, which would be told in clear over a network; use https",
        ),
        (
            with("format: discord, url_env: HOOK, secret_env: SECRET"),
            "`notifications.endpoints.ops.secret_env` is for the format standard: discord checks no signature",
        ),
    ] {
        let mistakes = refuse(&text);
        assert!(
            mistakes.len() == 1 && mistakes[0].contains(wanted),
            "{text}wanted {wanted:?}: {mistakes:#?}"
        );
    }
}

#[test]
fn an_address_is_https_or_of_this_machine_and_is_not_repeated() {
    for (url, wanted) in [
        ("ops.example/hunter2", "is not a URL"),
        ("ftp://ops.example/hunter2", "is neither https nor http"),
        ("http://ops.example/hunter2", "would be told in clear"),
        ("https://bot:hunter2@ops.example", "holds a user or password"),
        ("https://ops.example/in#hunter2", "has something after #"),
        ("https://", "is not a URL"),
    ] {
        let mistakes = refuse(&with(&format!("url: '{url}', secret_env: SECRET")));
        assert!(
            mistakes.len() == 1 && mistakes[0].contains(wanted),
            "{url}: {mistakes:#?}"
        );
    }
    for url in [
        "https://ops.example:8443/in?key=1",
        "http://[::1]:9/",
        "http://localhost/x",
    ] {
        read(&with(&format!("url: '{url}', secret_env: SECRET")));
    }
}

#[test]
fn all_mistakes_are_told_in_the_files_order_and_hide_none_of_the_models() {
    let text = "notifications:
  endpoints:
    ops: {url: http://ops.example, secret_env: ABSENT}
    team: {format: slack}
models:
  endpoints:
    a: {dialect: openai}
";
    let mistakes = refuse(text);
    let places: Vec<&str> = mistakes
        .iter()
        .map(|mistake| mistake.split(':').next().unwrap())
        .collect();
    assert!(
        places.contains(&"line 3, column 16") && places.contains(&"line 4, column 11"),
        "{mistakes:#?}"
    );
}

#[test]
fn there_are_at_most_twenty() {
    let many = |count: usize| {
        let rows: String = (0..count)
            .map(|at| format!("    e{at}: {{url: https://ops.example, secret_env: SECRET}}\n"))
            .collect();
        format!("notifications:\n  endpoints:\n{rows}")
    };
    assert_eq!(read(&many(20)).endpoints.len(), 20);
    assert!(refuse(&many(21))[0].contains("must hold at most 20 entries"));
}
