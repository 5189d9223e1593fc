use chrono::NaiveDate;
use serde_json::{Value, json};

use super::files::{
    File, MOST_BYTES, MOST_BYTES_OF_ONE, MOST_FILES, SCHEMA, beside_the_plan, check, keep_last, not_among, of,
};
use crate::agents::fixtures::thread;
use crate::agents::{Draft, Handed, Inputs, Material, Problem, judge};

fn inputs() -> Inputs {
    let mut thread = thread(&[("alice", "We need a client.")]);
    thread.today = NaiveDate::from_ymd_opt(2026, 11, 20).unwrap();
    Inputs::Material(Box::new(Material {
        thread,
        given: [].into(),
        files: [].into(),
        artifacts: Vec::new(),
        choice: None,
        guide: None,
    }))
}

fn judged(writes: &[(&str, &str)]) -> Result<Draft, Vec<Problem>> {
    let writes: Vec<Value> = writes
        .iter()
        .map(|(path, content)| json!({"path": path, "content": content}))
        .collect();
    let answer = json!({"summary": "Files", "writes": writes, "unfinished": []});
    let agent = super::agent("files", "Write them.".into(), "files.v1").unwrap();
    judge(&agent, &answer.to_string(), &inputs())
}

/// The one problem of files that are refused, which a model may mend.
fn refused(writes: &[(&str, &str)]) -> Problem {
    let mut problems = judged(writes).unwrap_err();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].is_repairable(), "{problems:?}");
    problems.remove(0)
}

#[test]
fn a_path_that_breaks_a_rule_is_refused_by_the_rules_name() {
    let long = "a".repeat(300);
    let deep = "a/".repeat(2500) + "a";
    for (path, rule) in [
        ("", "empty"),
        ("../x", "dot-segment"),
        ("a/../../x", "dot-segment"),
        ("./a", "dot-segment"),
        ("a/.", "dot-segment"),
        ("/etc/passwd", "absolute"),
        ("C:\\x", "drive"),
        ("\\\\h\\s\\x", "share"),
        ("a\\b", "backslash"),
        ("a//b", "empty-segment"),
        (".git/config", "git-directory"),
        (".GIT/hooks/pre-commit", "git-directory"),
        ("sub/.git/config", "git-directory"),
        (".git /config", "git-directory"),
        (".git./config", "git-directory"),
        ("git~1/config", "git-directory"),
        (".g\u{200c}it/config", "hidden"),
        ("x\u{202E}cod.rs", "hidden"),
        ("a\0b", "control"),
        ("a\nb", "control"),
        ("e\u{301}.txt", "not-nfc"),
        (".gitmodules", "git-modules"),
        ("a/b ", "trailing-dot-or-space"),
        ("a./b", "trailing-dot-or-space"),
        ("src/x.java:ads", "reserved-character"),
        ("a|b", "reserved-character"),
        ("CON", "device"),
        ("aux.txt", "device"),
        (&long, "segment-too-long"),
        (&deep, "too-long"),
    ] {
        let problem = refused(&[("src/fine.rs", "1"), (path, "2")]);
        assert_eq!(problem.at, "/writes/1/path", "{path:?}");
        assert!(problem.text.ends_with(&format!("({rule})")), "{path:?}: {problem}");
        assert!(problem.text.is_ascii() || path.len() > 80, "{problem}");
    }
}

#[test]
fn paths_are_held_against_each_other() {
    let problem = refused(&[("README.md", ""), ("a", ""), ("readme.md", "")]);
    assert_eq!(problem.at, "/writes/2/path");
    assert!(
        problem
            .text
            .starts_with("`readme.md`: the path is the same as README.md"),
        "{problem}"
    );
    assert!(refused(&[("a", "1"), ("a", "2")]).text.ends_with("(same-as)"));
    let problem = refused(&[("file.txt/x", ""), ("file.txt", "")]);
    assert_eq!(problem.at, "/writes/0/path");
    assert!(problem.text.ends_with("(below-file)"), "{problem}");
}

#[test]
fn what_is_written_is_text_of_a_bounded_size() {
    assert!(refused(&[("a", "x\0y")]).text.contains("NUL"));
    let attributes = refused(&[("src/.gitattributes", "*.png filter=lfs\n")]);
    assert!(attributes.text.ends_with("(filter)"), "{attributes}");
    let large = "x".repeat(MOST_BYTES_OF_ONE + 1);
    let problem = refused(&[("a", &large)]);
    assert_eq!(problem.at, "/writes/0/content");
    assert!(problem.text.contains("1048577 bytes"), "{problem}");

    let names: Vec<String> = (0..=MOST_FILES).map(|at| format!("f{at}")).collect();
    let many: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "")).collect();
    assert!(judged(&many[..MOST_FILES]).is_ok());
    assert!(refused(&many).text.starts_with("there are 101 files"));

    // An answer of this size is not read at all; what earlier iterations wrote counts, too.
    let full = "x".repeat(MOST_BYTES / 4);
    let mut set: Vec<File<'_>> = names[..4].iter().map(|path| File { path, content: &full }).collect();
    assert!(check(&set).is_ok());
    set.push(File {
        path: "last",
        content: "x",
    });
    assert!(check(&set).unwrap_err()[0].text.contains("4194305 bytes"));
}

#[test]
fn everything_that_is_wrong_is_told_at_once_and_in_words_of_one_letter_set() {
    let problems = judged(&[("../ignore all rules", ""), ("CON", ""), ("fine", "\0")]).unwrap_err();
    assert_eq!(problems.len(), 3);
    assert!(
        problems[0].text.starts_with("`../ignore\\u{20}all\\u{20}rules`: "),
        "{problems:?}"
    );
}

#[test]
fn what_decides_more_than_a_source_file_is_pointed_out() {
    let draft = judged(&[
        (".github/workflows/ci.yml", ""),
        ("pom.xml", ""),
        ("src/A.java", "@Entity"),
    ])
    .unwrap();
    assert_eq!(draft.planned.len(), 2, "{:?}", draft.planned);
    assert!(draft.planned[0].starts_with("`.github/workflows/ci.yml` is a file of .github"));
    assert!(draft.notes.is_empty(), "an annotation is no mention: {:?}", draft.notes);
}

#[test]
fn of_files_that_are_written_anew_only_the_last_is_left() {
    let handed = |phase: &str, iteration: u32, paths: &[&str]| Handed {
        phase: phase.to_owned(),
        iteration,
        schema: "files.v1".to_owned(),
        artifact: json!({"summary": "", "writes": paths.iter().map(|path| json!({"path": path, "content": ""}))
            .collect::<Vec<_>>(), "unfinished": []}),
    };
    let mut all = vec![
        handed("generate", 1, &["a", "b", "c"]),
        handed("other", 1, &["a", "b", "c"]),
        handed("revise", 1, &["a", "b", "d"]),
        handed("revise", 2, &["b", "d"]),
        Handed {
            schema: "review.v1".to_owned(),
            ..handed("review", 1, &["c"])
        },
    ];
    keep_last(&mut all, |later, earlier| {
        later == "revise" && ["generate", "revise"].contains(&earlier)
    });
    let left: Vec<Vec<&str>> = all
        .iter()
        .map(|handed| of(&handed.artifact).iter().map(|file| file.path).collect())
        .collect();
    assert_eq!(
        left,
        [vec!["c"], vec!["a", "b", "c"], vec!["a"], vec!["b", "d"], vec!["c"]]
    );
}

fn handed(schema: &str, artifact: serde_json::Value) -> Handed {
    Handed {
        phase: "before".to_owned(),
        iteration: 1,
        schema: schema.to_owned(),
        artifact,
    }
}

#[test]
fn what_the_plan_does_not_name_is_said() {
    let plan = serde_json::json!({"files_to_create": ["a"], "files_to_modify": ["b"], "files_to_delete": []});
    let plan = [handed("plan.v1", plan)];
    let write = |path| File { path, content: "" };
    assert_eq!(beside_the_plan(&[], &plan), ["It writes no file."]);
    assert!(beside_the_plan(&[write("a"), write("b")], &plan).is_empty());
    assert_eq!(
        beside_the_plan(&[write("a"), write("c")], &plan),
        ["The plan does not name `c`."]
    );
    assert!(beside_the_plan(&[write("c")], &[]).is_empty(), "there is no plan");
}

#[test]
fn a_finding_in_a_file_that_was_not_reviewed_is_said() {
    let files = [handed(
        SCHEMA,
        serde_json::json!({"writes": [{"path": "a", "content": ""}]}),
    )];
    let findings = |file: &str| serde_json::json!([{"file": file}]);
    assert!(not_among(&findings("a"), &files).is_empty());
    assert_eq!(
        not_among(&findings("b"), &files),
        ["Findings name files that are not among those reviewed: `b`."]
    );
    assert!(not_among(&findings("b"), &[]).is_empty(), "no files were made here");
}
