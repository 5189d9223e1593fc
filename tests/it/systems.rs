//! `docs/systems.md`: each row says where a feature lives and what holds it, and both are there.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below a folder.
fn below(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => below(&path, into),
            false => into.push(path),
        }
    }
}

/// What stands between backticks.
fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn every_feature_has_its_place_and_a_test_that_is_there() {
    let mut files = Vec::new();
    for folder in ["src", "tests", "conversations"] {
        below(&root().join(folder), &mut files);
    }
    let ends: BTreeSet<String> = files
        .iter()
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    let sources = files
        .iter()
        .filter(|path| path.extension().is_some_and(|end| end == "rs"));
    let functions: BTreeSet<String> = sources
        .flat_map(|path| {
            let text = std::fs::read_to_string(path).unwrap();
            let found = text
                .lines()
                .filter_map(|line| line.split_once("fn ")?.1.split_once('('));
            found.map(|(name, _)| name.to_owned()).collect::<Vec<_>>()
        })
        .collect();
    let page = std::fs::read_to_string(root().join("docs/systems.md")).unwrap();
    let mut rows = 0;
    for row in page
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| ---"))
    {
        let cells: Vec<&str> = row.trim().trim_matches('|').split('|').map(str::trim).collect();
        let [_, place, held] = cells[..] else {
            panic!("three cells: {row}");
        };
        if held == "held by" {
            continue;
        }
        rows += 1;
        assert!(!row.contains("not yet"), "{row}");
        let later = |cell: &str| cell.is_empty() || cell.contains("later");
        assert!(held == "later" || !later(place) || held.contains('`'), "{row}");
        for name in names(held) {
            let is_test = name.contains('_')
                && name
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
            if is_test && name != "there_and_back" {
                assert!(functions.contains(name), "there is no test {name}: {row}");
            }
            if let Some((_, end)) = name.rsplit_once('.')
                && ["rs", "yml"].contains(&end)
            {
                let file = name.rsplit('/').next().unwrap_or(name);
                assert!(ends.contains(file), "there is no file {name}: {row}");
            }
        }
    }
    assert!(rows > 80, "{rows}");
}
