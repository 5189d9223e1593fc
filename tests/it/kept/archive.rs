//! The archive of a workflow.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

use serde_json::Value;

use super::{completed, data, rejected_with_a_number};
use crate::cli::{run, run_with};

/// The files of an archive by their paths.
pub type Files = BTreeMap<String, Vec<u8>>;

/// Reads an archive.
pub fn unpacked(path: &Path) -> Files {
    let mut archive = tar::Archive::new(std::fs::File::open(path).unwrap());
    let entries = archive.entries().unwrap();
    entries
        .map(|entry| {
            let mut entry = entry.unwrap();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            (entry.path().unwrap().display().to_string(), bytes)
        })
        .collect()
}

/// Writes an archive.
pub fn packed(path: &Path, files: &Files) {
    let mut tar = tar::Builder::new(std::fs::File::create(path).unwrap());
    for (path, bytes) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o600);
        tar.append_data(&mut header, path, bytes.as_slice()).unwrap();
    }
    tar.finish().unwrap();
}

/// Makes the manifest fit the files again, as somebody would who forges an archive.
pub fn listed(files: &mut Files) {
    let mut manifest: Value = serde_json::from_slice(&files["manifest.json"]).unwrap();
    for (path, bytes) in files.iter().filter(|(path, _)| *path != "manifest.json") {
        let sha256 = countersign::workflow::ids::Digest::of_bytes(bytes).to_string();
        manifest["files"][path] = serde_json::json!({ "bytes": bytes.len(), "sha256": sha256 });
    }
    files.insert("manifest.json".to_owned(), serde_json::to_vec(&manifest).unwrap());
}

fn replace(files: &mut Files, path: &str, from: &str, to: &str) {
    let text = String::from_utf8(files[path].clone()).unwrap();
    assert!(text.contains(from), "{from} is not in {path}");
    files.insert(path.to_owned(), text.replacen(from, to, 1).into_bytes());
}

#[tokio::test]
async fn an_archive_holds_everything_and_its_bytes_are_the_same_each_time() {
    let (world, _, id) = completed().await;
    let home = world.home();
    let exported = run(home, &["export", &id]);
    assert!(
        exported.page().contains(&format!("archive   {id}.tar")),
        "{}",
        exported.out
    );
    let again = data(&run(home, &["export", &id, "--output", "again.tar", "--json"]));
    let path = home.join(format!("{id}.tar"));
    assert_eq!(
        std::fs::read(&path).unwrap(),
        std::fs::read(home.join("again.tar")).unwrap()
    );
    let files = unpacked(&path);
    let events = String::from_utf8(files["events.jsonl"].clone()).unwrap();
    let manifest: Value = serde_json::from_slice(&files["manifest.json"]).unwrap();
    assert_eq!(manifest, again["manifest"]);
    assert_eq!(manifest["workflow"], id);
    assert_eq!(manifest["definition"], "deliver");
    assert_eq!(manifest["counts"]["events"], events.lines().count());
    assert_eq!(manifest["counts"]["approvals"], 2);
    assert_eq!(manifest["files"].as_object().unwrap().len(), files.len() - 1);
    let with = |start: &str, end: &str| {
        files
            .keys()
            .filter(|path| path.starts_with(start) && path.ends_with(end))
            .count()
    };
    assert_eq!(with("artifacts/", ".json"), 2);
    for file in ["/prompt.md", "/answer.md", "/run.json", "/calls.json"] {
        assert_eq!(with("runs/", file), 2, "{file}");
    }
    for file in [
        "state.json",
        "definition.json",
        "approvals.json",
        "gates.json",
        "effects.json",
    ] {
        assert!(files.contains_key(file), "{file}");
    }
    let secret = crate::world::SECRET.as_bytes();
    assert!(
        files
            .values()
            .all(|bytes| !bytes.windows(secret.len()).any(|part| part == secret))
    );

    let taken = run(home, &["export", &id]);
    assert_eq!(taken.code, 1, "nothing is written over");
    let there = format!("{id}.tar is there already, and nothing is written over: name another file with --output");
    assert!(taken.err.contains(&there), "{}", taken.err);
    world.end().await;
}

#[tokio::test]
async fn a_whole_archive_verifies_without_a_database_and_a_touched_one_says_where() {
    let (world, _, id) = completed().await;
    run(world.home(), &["export", &id, "--output", "whole.tar"]).page();
    let elsewhere = tempfile::tempdir().unwrap();
    let path = elsewhere.path().join("a.tar");
    std::fs::copy(world.home().join("whole.tar"), &path).unwrap();
    let verified = |expected: i32| {
        let ran = run_with(elsewhere.path(), &[], &["export", "--verify", "a.tar"]);
        assert_eq!(ran.code, expected, "{}{}", ran.out, ran.err);
        format!("{}{}", ran.out, ran.err)
    };
    assert!(verified(0).contains("a.tar is whole"));

    let whole = unpacked(&path);
    let artifact = whole
        .keys()
        .find(|path| path.starts_with("artifacts/"))
        .unwrap()
        .clone();
    let answer = whole.keys().find(|path| path.ends_with("/answer.md")).unwrap().clone();
    let check = |says: &str, change: &dyn Fn(&mut Files)| {
        let mut files = whole.clone();
        change(&mut files);
        packed(&path, &files);
        let said = verified(1);
        assert!(said.contains(says), "{says} is not in {said}");
    };
    check("approvals.json: it was changed: it has another checksum", &|files| {
        replace(files, "approvals.json", "bob", "eve");
    });
    check("gates.json: it is missing", &|files| {
        files.remove("gates.json");
    });
    check("more.txt: the manifest does not list it", &|files| {
        files.insert("more.txt".to_owned(), Vec::new());
    });
    check("manifest.json: it is missing", &|files| {
        files.remove("manifest.json");
    });
    // Whoever forges the checksums as well still meets the chain, the fold and the digests.
    check("event 1: it, or its place, was changed", &|files| {
        replace(files, "events.jsonl", "\"alice\"", "\"eve\"");
        listed(files);
    });
    check("state: it is not what the events lead to", &|files| {
        replace(files, "state.json", "\"login\": \"bob\"", "\"login\": \"eve\"");
        listed(files);
    });
    check(": it was changed: it has another digest now", &|files| {
        replace(files, &artifact, "\"iteration\": 1", "\"iteration\": 2");
        listed(files);
    });
    check("answer of ", &|files| {
        files.insert(answer.clone(), b"another".to_vec());
        listed(files);
    });
    check("approvals.json: it is not what the events say", &|files| {
        replace(files, "approvals.json", "\"bob\"", "\"eve\"");
        listed(files);
    });

    std::fs::write(&path, "no archive").unwrap();
    assert!(verified(1).contains("a.tar: "));
    std::fs::remove_file(&path).unwrap();
    assert!(verified(1).contains("could not be opened"));
    world.end().await;
}

#[tokio::test]
async fn an_archive_whose_words_were_rewritten_does_not_verify() {
    let (world, _, id, seq) = rejected_with_a_number().await;
    run(world.home(), &["export", &id, "--output", "whole.tar"]).page();
    let whole = unpacked(&world.home().join("whole.tar"));
    let forged = |paths: &[&str], to: &str| {
        let mut files = whole.clone();
        for path in paths {
            let text = String::from_utf8(files[*path].clone()).unwrap();
            files.insert(
                (*path).to_owned(),
                text.replace("\"call me on 555-0199\"", to).into_bytes(),
            );
        }
        listed(&mut files);
        packed(&world.home().join("forged.tar"), &files);
        run(world.home(), &["export", "--verify", "forged.tar"])
    };
    let events = ["events.jsonl", "approvals.json"];
    let rewritten = forged(&events, "\"call me on 555-0100\"");
    let wrong = format!("forged.tar: event {seq}: what a person wrote was changed: its reason has another digest now");
    assert!(
        rewritten.code == 1 && rewritten.err.contains(&wrong),
        "{}{}",
        rewritten.out,
        rewritten.err
    );
    let state = forged(&["state.json"], "\"call me on 555-0100\"");
    assert!(
        state.err.contains("forged.tar: state: what a person wrote was changed"),
        "{}",
        state.err
    );
    forged(&["events.jsonl", "approvals.json", "state.json"], "null").page();
    world.end().await;
}
