//! `docs/systems.md`: every feature of the former systems has a row that says where it lives and what holds it, and
//! what holds it is there: each test in the file that is named before it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// How many features each of the former systems had.
const FEATURES: [u32; 5] = [15, 29, 26, 20, 15];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below a folder, by its path from the root.
fn below(folder: &Path, into: &mut BTreeMap<String, BTreeSet<String>>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            below(&path, into);
            continue;
        }
        let name = path.strip_prefix(root()).unwrap().display().to_string();
        let tests = match name.strip_suffix(".rs") {
            Some(_) => tests(&std::fs::read_to_string(&path).unwrap()),
            None => BTreeSet::new(),
        };
        into.insert(name, tests);
    }
}

/// The functions below a line with `test` in its attribute.
fn tests(text: &str) -> BTreeSet<String> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let named = |at: usize| {
        let (before, after) = lines[at].split_once("fn ")?;
        let attributes = lines[..at].iter().rev().take_while(|line| line.starts_with("#["));
        let is_test = ["", "async "].contains(&before) && attributes.clone().any(|line| line.contains("test"));
        is_test.then(|| after.split(['(', '<']).next().unwrap_or_default().to_owned())
    };
    (0..lines.len()).filter_map(named).collect()
}

/// What stands between backticks, each with the word before it.
fn names(text: &str) -> Vec<(&str, &str)> {
    let parts: Vec<&str> = text.split('`').collect();
    let words = parts.iter().step_by(2);
    let named = parts.iter().skip(1).step_by(2);
    words
        .zip(named)
        .map(|(before, name)| (before.split_whitespace().next_back().unwrap_or_default(), *name))
        .collect()
}

/// The path of a file as a row names it: `core` and `it` are rooms, `conversation` is a folder.
fn path_of(word: &str, name: &str, former: &str) -> String {
    if name.contains('/') && name.starts_with("src/") {
        return name.to_owned();
    }
    match word {
        "core" => format!("src/workflow/tests/{name}"),
        "it" => format!("tests/it/{name}"),
        "conversation" | "conversations" => format!("conversations/{name}"),
        _ => format!("{former}{name}"),
    }
}

/// Holds the cell of a row that says what holds it.
fn hold(row: &str, held: &str, files: &BTreeMap<String, BTreeSet<String>>) {
    let mut file = String::new();
    let mut room = String::new();
    for (word, name) in names(held) {
        if let Some((_, "rs" | "yml")) = name.rsplit_once('.') {
            file = path_of(word, name, &room);
            room = file[..file.len() - name.len().min(file.len())].to_owned();
            assert!(files.contains_key(&file), "there is no file {file}: {row}");
        } else {
            let tests = files
                .get(&file)
                .unwrap_or_else(|| panic!("{name} is in no file: {row}"));
            assert!(tests.contains(name), "there is no test {name} in {file}: {row}");
        }
    }
}

/// The numbers of a row's first cell, such as `4.11, 4.12`.
fn numbers(cell: &str) -> Vec<(u32, u32)> {
    let one = |text: &str| {
        let (system, feature) = text.trim().split_once('.')?;
        Some((system.parse().ok()?, feature.parse().ok()?))
    };
    cell.split(',').filter_map(one).collect()
}

#[test]
fn every_feature_has_its_place_and_a_test_that_is_there() {
    let mut files = BTreeMap::new();
    for folder in ["src", "tests", "conversations"] {
        below(&root().join(folder), &mut files);
    }
    let page = std::fs::read_to_string(root().join("docs/systems.md")).unwrap();
    let mut told = BTreeSet::new();
    for row in page
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| ---"))
    {
        let cells: Vec<&str> = row.trim().trim_matches('|').split('|').map(str::trim).collect();
        let [number, _, place, held] = cells[..] else {
            panic!("four cells: {row}");
        };
        if held == "held by" {
            continue;
        }
        told.extend(numbers(number));
        let absent = ["later", "no"].contains(&held);
        assert!(!place.is_empty() || held == "later", "where, or why not: {row}");
        assert!(absent || held.contains('`'), "what holds it: {row}");
        hold(row, held, &files);
    }
    let wanted = (1u32..)
        .zip(FEATURES)
        .flat_map(|(system, last)| (1..=last).map(move |feature| (system, feature)));
    assert_eq!(told, wanted.collect::<BTreeSet<_>>());
}

#[test]
fn every_conversation_is_listed_in_its_folder() {
    let folder = root().join("conversations");
    let page = std::fs::read_to_string(folder.join("README.md")).unwrap();
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(
            name == "README.md" || page.contains(&format!("\n| `{name}` |")),
            "{name}"
        );
    }
}
