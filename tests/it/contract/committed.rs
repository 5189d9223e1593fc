//! The committed files agree with the lists that they are made from, and the App's manifest with what GitHub knows.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{check_request, webhooks};

/// The lines of a list in `scripts/`, without comments.
fn lines(list: &str) -> BTreeSet<String> {
    let kept = list
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    kept.map(str::to_owned).collect()
}

#[test]
fn the_description_holds_the_listed_operations_and_no_other() {
    let description: Value =
        serde_json::from_str(include_str!("../../data/github-openapi.json")).expect("a JSON document");
    let paths = description["paths"].as_object().expect("paths");
    let held: BTreeSet<String> = paths
        .iter()
        .flat_map(|(path, methods)| {
            methods
                .as_object()
                .into_iter()
                .flatten()
                .map(move |(method, _)| (method, path))
        })
        .map(|(method, path)| format!("{} {path}", method.to_uppercase()))
        .collect();
    assert_eq!(held, lines(include_str!("../../../scripts/github-operations.txt")));
}

#[test]
fn the_webhooks_hold_the_listed_events_and_no_other() {
    let listed = lines(include_str!("../../../scripts/github-webhooks.txt"));
    let covers = |wanted: &str, name: &str| match wanted.strip_suffix('*') {
        Some(event) => name.starts_with(event),
        None => name == wanted,
    };
    let held: Vec<&str> = webhooks::known().collect();
    for name in &held {
        assert!(
            listed.iter().any(|wanted| covers(wanted, name)),
            "{name} is not in scripts/github-webhooks.txt"
        );
    }
    for wanted in &listed {
        assert!(
            held.iter().any(|name| covers(wanted, name)),
            "{wanted} is not in tests/data/github-webhooks.json"
        );
    }
}

/// The parts of `app.yml` that GitHub checks against lists of its own.
#[derive(Deserialize)]
struct Manifest {
    default_permissions: Value,
    default_events: Vec<String>,
}

fn manifest() -> Manifest {
    serde_saphyr::from_str(include_str!("../../../app.yml")).expect("app.yml")
}

#[test]
fn the_manifest_asks_for_permissions_that_github_knows() {
    let token = json!({ "permissions": manifest().default_permissions });
    let asked = check_request("POST", "/app/installations/1/access_tokens", "", Some(&token));
    assert_eq!(asked, Ok("apps/create-installation-access-token"));
}

#[test]
fn the_manifest_subscribes_to_events_that_an_app_may_subscribe_to_and_that_are_checked() {
    let webhooks: Value =
        serde_json::from_str(include_str!("../../data/github-webhooks.json")).expect("a JSON document");
    let subscribable = webhooks
        .pointer("/schemas/definitions/app/properties/events/items/enum")
        .expect("a list");
    for event in manifest().default_events {
        assert!(
            subscribable.as_array().expect("a list").contains(&json!(event)),
            "no App subscribes to {event}"
        );
        let mut checked = webhooks::known().map(|name| name.split('.').next().unwrap_or(name));
        assert!(
            checked.any(|known| known == event),
            "{event} is not in scripts/github-webhooks.txt"
        );
    }
}
