//! Workflows of a project's folder, played from a terminal: the real program, no GitHub, no server.

mod guidelines;
mod models;
mod orders;
mod prompts;
mod refused;
mod settings;

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::cli::{Ran, run_with};
use crate::jpa::{DOMAIN, below, folder, plan, text, written};
use crate::stages::review;

/// What `jpa-mt` asks for.
const GIVEN: [&str; 8] = [
    "-c",
    "entity=Product",
    "-c",
    "table=app.products",
    "-c",
    "context=catalog",
    "-c",
    "schema=db/schema.sql",
];

/// A project's folder, in a home of its own.
pub struct Project {
    home: tempfile::TempDir,
}

impl Project {
    /// With the schema that `jpa-mt` reads.
    pub fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let project = Self { home };
        project.put(
            "db/schema.sql",
            &std::fs::read_to_string(folder().join("schema.sql")).unwrap(),
        );
        project
    }

    pub fn root(&self) -> PathBuf {
        self.home.path().join("shop")
    }

    /// Runs the program in the project's folder.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        self.run_in(&self.root(), arguments)
    }

    pub fn run_in(&self, folder: &Path, arguments: &[&str]) -> Ran {
        let home = self.home.path().display().to_string();
        run_with(folder, &[("HOME", &home)], arguments)
    }

    /// Runs it and reads what it told.
    pub fn told(&self, arguments: &[&str]) -> Value {
        let mut arguments = arguments.to_vec();
        arguments.push("--json");
        let ran = self.run(&arguments);
        assert_eq!(ran.code, 0, "{arguments:?}: {}{}", ran.out, ran.err);
        ran.envelope()["data"].take()
    }

    /// Starts `jpa-mt` and tells its id.
    pub fn started(&self, more: &[&str]) -> String {
        let mut arguments = vec!["run", "jpa-mt"];
        arguments.extend(GIVEN);
        arguments.extend(more);
        self.told(&arguments)["workflow"].as_str().unwrap().to_owned()
    }

    pub fn put(&self, path: &str, text: &str) {
        let whole = self.root().join(path);
        std::fs::create_dir_all(whole.parent().unwrap()).unwrap();
        std::fs::write(whole, text).unwrap();
    }

    pub fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// The paths of the project's own files.
    pub fn tree(&self) -> Vec<String> {
        let mut all = below(&self.root());
        all.retain(|path| !path.starts_with(".countersign/"));
        all
    }

    /// The file that waits for the operator.
    pub fn at_hand(&self) -> String {
        self.told(&["status"])["file"].as_str().unwrap().to_owned()
    }

    /// The prompt is approved, the answer pasted into its file, and that approved.
    pub fn through(&self, answer: &Value) -> Value {
        self.told(&["approve"]);
        self.put(&self.at_hand(), &format!("Here it is:\n```json\n{answer:#}\n```\n"));
        self.told(&["approve"])
    }

    /// A refusal: its exit code and what was said.
    pub fn refused(&self, arguments: &[&str]) -> (i32, String) {
        let ran = self.run(arguments);
        assert_ne!(ran.code, 0, "{arguments:?}: {}", ran.out);
        (ran.code, ran.err)
    }
}

#[test]
fn a_table_becomes_files_of_the_project_by_hand() {
    let project = Project::new();
    let ran = project.run(&[&["init", "jpa-mt"], GIVEN.as_slice()].concat());
    let page = ran.page();
    for part in [
        "(jpa-mt)",
        "plan: prompt ready",
        "iteration-1/planning-prompt.md",
        "countersign approve",
    ] {
        assert!(page.contains(part), "{part} is not in\n{page}");
    }
    let id = project.told(&["list"])["workflows"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let papers = format!(".countersign/{id}");
    let standards = std::fs::read_to_string(format!(
        "{}/templates/prompts/jpa-mt/standards.md",
        env!("CARGO_MANIFEST_DIR")
    ));
    assert_eq!(
        project.read(&format!("{papers}/standards-bundle.md")),
        standards.unwrap()
    );
    let prompt = project.read(&format!("{papers}/iteration-1/planning-prompt.md"));
    for part in [
        "FORCE ROW LEVEL SECURITY",
        "CREATE TABLE app.products",
        "\"scope\":\"domain\"",
    ] {
        assert!(prompt.contains(part), "{part} is not in {prompt}");
    }

    let after = project.told(&["approve"]);
    assert_eq!(after["phase_status"], "waiting_for_human");
    assert_eq!(after["file"], format!("{papers}/iteration-1/planning-response.md"));
    let (code, said) = project.refused(&["approve"]);
    assert_eq!(code, 1);
    assert!(
        said.contains("nothing stands in") && said.contains("planning-response.md"),
        "{said}"
    );
    project.put(after["file"].as_str().unwrap(), &plan(&DOMAIN).to_string());
    let after = project.told(&["approve"]);
    assert_eq!(after["phase"], "generate");
    let after = project.through(&written(&DOMAIN));
    assert_eq!(after["phase"], "review");
    assert_eq!(
        project.tree(),
        ["db/schema.sql"],
        "nothing is written before the review"
    );
    let code = format!("{papers}/iteration-1/code/{}", DOMAIN[0]);
    assert_eq!(project.read(&code), text(DOMAIN[0]));
    let done = project.through(&review(None));
    assert_eq!(done["status"]["status"], "completed");

    let mut expected: Vec<&str> = DOMAIN.to_vec();
    expected.push("db/schema.sql");
    expected.sort_unstable();
    assert_eq!(project.tree(), expected);
    for path in DOMAIN {
        assert_eq!(project.read(path), text(path), "{path}");
    }
    assert_eq!(done["files"].as_array().unwrap().len(), DOMAIN.len());

    let history = project.run(&["history"]);
    assert!(history.page().contains("The chain of"), "{}", history.out);
    assert!(project.run(&["verify"]).page().contains(&id));
    let replayed = project.told(&["replay", &id, "--to", "1"]);
    assert_eq!(
        replayed["state"]["starter"]["login"],
        project.told(&["status", &id])["starter"]
    );
    let digest = project.told(&["status", &id])["phases"][0]["digest"]
        .as_str()
        .unwrap()
        .to_owned();
    let shown = project.run(&["show", &id, &digest]);
    assert!(shown.page().contains("(admin) in a terminal"), "{}", shown.out);
    project.run(&["export", &id, "--output", "a.tar"]).page();
    assert!(
        project
            .run(&["export", "--verify", "a.tar"])
            .page()
            .contains("is whole")
    );
    let again = project.told(&["files"]);
    assert_eq!(
        again["files"].as_array().unwrap().len(),
        DOMAIN.len(),
        "writing them again is no harm"
    );
    let listed = project.told(&["list", "--profile", "jpa-mt", "--status", "completed", "--limit", "1"]);
    assert_eq!(listed["workflows"][0]["id"], id);
    assert_eq!(
        project.told(&["list", "--status", "open"])["workflows"],
        serde_json::json!([])
    );
}

#[test]
fn two_projects_know_nothing_of_each_other_and_one_is_named_by_its_folder() {
    let (one, other) = (Project::new(), Project::new());
    one.started(&[]);
    let elsewhere = one.home.path();
    let ran = one.run_in(elsewhere, &["status", "--project-dir", "shop"]);
    assert!(ran.page().contains("subject     shop\n"), "{}", ran.out);
    let ran = one.run_in(elsewhere, &["approve", "--project-dir", "shop"]);
    assert!(
        ran.page().contains("countersign approve --project-dir shop"),
        "{}",
        ran.out
    );
    let (code, said) = other.refused(&["approve"]);
    assert_eq!(code, 3);
    assert!(said.contains("there is no workflow here"), "{said}");
    assert_eq!(other.tree(), ["db/schema.sql"]);
    assert!(!other.root().join(".countersign").exists());
}
