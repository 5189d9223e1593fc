//! What the digest of a proposal covers.

use serde_json::{Value, json};

use super::super::act::{Act, Deed, Mail};
use super::super::artifact::{Proposal, Stage, Targets};
use super::super::ids::{Digest, IssueNumber, RepositoryId};
use super::key;

/// A proposal with a value in every field that there is, and each kind of deed.
fn whole() -> Proposal {
    let acts = [
        Deed::CreateLabel {
            name: "docs".into(),
            color: "0e8a16".into(),
            description: "Documentation".into(),
        },
        Deed::OpenIssue {
            title: "Write the runbook".into(),
            body: "How to restart. \u{1f6a2}".into(),
            labels: vec!["docs".into()],
            assignees: vec!["bob".into(), "carol".into()],
        },
        Deed::LinkSubIssue {
            child: key("issue"),
            parent: None,
        },
        Deed::LinkBlockedBy {
            issue: key("issue"),
            blocked_by: key("other"),
        },
        Deed::ListUnlinked,
        Deed::SendMail(Mail {
            to: vec!["team@example.test".into()],
            cc: vec!["boss@example.test".into()],
            subject: "Tasks".into(),
            text: "One".into(),
            html: "<p>One</p>".into(),
        }),
    ];
    let names = ["label", "issue", "sub", "blocked", "list", "mail"];
    let acts = names
        .into_iter()
        .zip(acts)
        .map(|(name, deed)| Act { key: key(name), deed });
    Proposal {
        workflow: "w1".into(),
        phase: "extract".into(),
        iteration: 2,
        stage: Stage::Response,
        schema: "tasks.v1".into(),
        artifact: json!({
            "tasks": [{ "title": "Write the runbook", "estimate": 1.5, "priority": null, "done": false }],
            "left_out": {},
        }),
        targets: Targets {
            repository: RepositoryId(11),
            subject: IssueNumber(7),
            acts: acts.collect(),
        },
    }
}

/// Every way of changing one leaf of a JSON value, with the leaf's path: another value, left out, one item more.
fn changes(value: &Value) -> Vec<(String, Value)> {
    match value {
        Value::Object(map) => {
            let mut all = Vec::new();
            for (name, inner) in map {
                let put = |new: Value| {
                    let mut map = map.clone();
                    map.insert(name.clone(), new);
                    Value::Object(map)
                };
                all.extend(
                    changes(inner)
                        .into_iter()
                        .map(|(path, new)| (format!(".{name}{path}"), put(new))),
                );
                let mut without = map.clone();
                without.remove(name);
                all.push((format!(".{name} left out"), Value::Object(without)));
            }
            all
        }
        Value::Array(items) => {
            let mut all = Vec::new();
            for (index, inner) in items.iter().enumerate() {
                for (path, new) in changes(inner) {
                    let mut items = items.clone();
                    items[index] = new;
                    all.push((format!("[{index}]{path}"), Value::Array(items)));
                }
                let mut without = items.clone();
                without.remove(index);
                all.push((format!("[{index}] left out"), Value::Array(without)));
            }
            if items.len() > 1 {
                let mut turned = items.clone();
                turned.rotate_left(1);
                all.push((" in another order".into(), Value::Array(turned)));
            }
            all
        }
        Value::String(text) => vec![
            (" + a space".into(), json!(format!("{text} "))),
            (
                " in another case".into(),
                json!(text.to_uppercase() + &text.to_lowercase()),
            ),
        ],
        Value::Number(number) => vec![(" + 1".into(), json!(number.as_f64().unwrap_or_default() + 1.0))],
        Value::Bool(yes) => vec![(" turned".into(), json!(!yes))],
        Value::Null => vec![(" said".into(), json!("said"))],
    }
}

#[test]
fn a_change_of_anything_in_a_proposal_is_another_digest() {
    let digest = whole().digest();
    let value = serde_json::to_value(whole()).unwrap();
    assert_eq!(Digest::of(&value), digest, "the digest is that of the stored JSON");
    let changes = changes(&value);
    assert!(changes.len() > 100, "{} changes", changes.len());
    for (path, changed) in changes {
        assert_ne!(Digest::of(&changed), digest, "{path}");
    }
}

/// A new field does not compile here until somebody has thought of whether the digest covers it: it must.
#[test]
fn every_field_stands_in_what_is_digested() {
    let Proposal {
        workflow: _,
        phase: _,
        iteration: _,
        stage: _,
        schema: _,
        artifact: _,
        targets: Targets {
            repository: _,
            subject: _,
            acts: _,
        },
    } = whole();
    let value = serde_json::to_value(whole()).unwrap();
    let fields: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = [
        "workflow",
        "phase",
        "iteration",
        "stage",
        "schema",
        "artifact",
        "targets",
    ];
    assert_eq!(fields.len(), expected.len());
    assert!(expected.iter().all(|field| fields.contains(field)), "{fields:?}");
    let targets: Vec<&str> = value["targets"]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(targets.len(), 3, "{targets:?}");
}

#[test]
fn the_order_of_keys_and_the_way_of_writing_do_not_matter() {
    let one: Value = serde_json::from_str(r#"{"a": 1, "b": {"c": "x", "d": [1, 2]}, "e": 1.0}"#).unwrap();
    let other: Value = serde_json::from_str("{ \"e\":1,\"b\":{\"d\":[1,2],\"c\":\"\\u0078\"},\n\"a\":1e0 }").unwrap();
    assert_eq!(Digest::of(&one), Digest::of(&other));
    let turned: Value = serde_json::from_str(r#"{"a": 1, "b": {"c": "x", "d": [2, 1]}, "e": 1}"#).unwrap();
    assert_ne!(Digest::of(&one), Digest::of(&turned), "the order of a list does");
}

#[test]
fn a_stored_proposal_reads_back_with_the_same_digest() {
    let stored = serde_json::to_string(&whole()).unwrap();
    let read: Proposal = serde_json::from_str(&stored).unwrap();
    assert_eq!(read, whole());
    assert_eq!(read.digest(), whole().digest());
    let pretty = serde_json::to_string_pretty(&whole()).unwrap();
    assert_eq!(
        serde_json::from_str::<Proposal>(&pretty).unwrap().digest(),
        whole().digest()
    );
}

/// Approvals that were given must stay valid: a change here makes every one of them void.
#[test]
fn the_digest_of_a_proposal_stays_what_it_is() {
    let canonical = serde_json_canonicalizer::to_string(&super::proposal("work", 1, "text", &["one"])).unwrap();
    assert_eq!(
        canonical,
        r#"{"artifact":{"text":"text"},"iteration":1,"phase":"work","schema":"words.v1","stage":"response","targets":{"acts":[{"deed":"list_unlinked","key":"one"}],"repository":11,"subject":7},"workflow":"w1"}"#
    );
    assert_eq!(
        super::proposal("work", 1, "text", &["one"]).digest().to_string(),
        "a7cfdf742d6f2adc39caa54c949fed45e1d236c8dd3ecc28600d3d1d497aafee"
    );
    assert_eq!(
        whole().digest().to_string(),
        "d084114582e195c15f15d5094d832724e6088e65b40966769da3d22cddcff61e"
    );
}

#[test]
fn a_digest_is_read_in_full_or_not_at_all() {
    let digest = whole().digest();
    assert_eq!(digest.to_string().parse(), Ok(digest));
    assert_eq!(digest.to_string().to_uppercase().parse(), Ok(digest));
    assert_eq!(digest.short().len(), Digest::SHORT);
    for wrong in [&digest.short(), "", "zz", &(digest.to_string() + "00")] {
        assert!(wrong.parse::<Digest>().is_err(), "{wrong}");
    }
}

/// RFC 8785 writes numbers as IEEE doubles: whole numbers are exact up to 2^53 and no further. Schemas of artifacts
/// keep their numbers below that; GitHub's ids are far below.
#[test]
fn whole_numbers_are_told_apart_up_to_2_to_the_53() {
    let last = 1_u64 << 53;
    let digests: std::collections::BTreeSet<Digest> = (last - 3..=last)
        .map(|number| Digest::of(&RepositoryId(number)))
        .collect();
    assert_eq!(digests.len(), 4);
    assert_eq!(
        Digest::of(&json!(last)),
        Digest::of(&json!(last + 1)),
        "beyond, they are not"
    );
}
