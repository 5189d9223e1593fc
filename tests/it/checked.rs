//! `countersign check` and `definitions check` with a GitHub beside them: whether people could ever meet what a file asks
//! for. The real program.

use std::path::Path;

use countersign::sandbox::{APP_PRIVATE_KEY, Role, Sandbox};

use crate::cli::{Ran, run_with};
use crate::world::SECRET;

/// A GitHub by this machine's clock, whose App is installed, with a team of two.
async fn github() -> Sandbox {
    let builder = Sandbox::builder()
        .repo("acme/shop")
        .app(4711, "countersign")
        .secret(SECRET)
        .person("bob", Role::Write)
        .person("mona", Role::Write)
        .team("acme/security", &["bob", "mona"]);
    builder.start().await.unwrap()
}

async fn check(home: &Path, github: Option<&Sandbox>, arguments: &'static [&'static str]) -> Ran {
    let home = home.to_owned();
    let mut environment = Vec::new();
    if let Some(github) = github {
        environment = vec![
            ("COUNTERSIGN_GITHUB_API_URL", github.base_url()),
            ("COUNTERSIGN_GITHUB_APP_ID", "4711".to_owned()),
            ("COUNTERSIGN_GITHUB_PRIVATE_KEY", APP_PRIVATE_KEY.to_owned()),
        ];
    }
    // It asks a GitHub that this very process plays.
    let ran = tokio::task::spawn_blocking(move || {
        let environment: Vec<(&str, &str)> = environment
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        run_with(&home, &environment, arguments)
    });
    ran.await.unwrap()
}

/// A definition whose gate asks for this.
fn definition(people: &str) -> String {
    format!(
        "name: notes\nversion: 1\ntitle: Notes\nphases:\n  - id: write\n    title: Notes\n    agent: extract\n    gate:\n      \
         people: {people}\n"
    )
}

const CONFIG: [&str; 4] = ["check", "countersign.yml", "--repository", "acme/shop"];
const DEFINITION: [&str; 5] = [
    "definitions",
    "check",
    "countersign/notes.yml",
    "--repository",
    "acme/shop",
];

#[tokio::test]
async fn a_quorum_that_is_too_great_and_a_team_that_is_none_have_their_place() {
    let github = github().await;
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join("countersign")).unwrap();
    let write = |file: &str, text: &str| std::fs::write(home.path().join(file), text).unwrap();
    for (quorum, mistake) in [
        ("2 of @acme/security", None),
        (
            "3 of @acme/security",
            Some("a quorum of 3 cannot be met: there are 2 people in @acme/security"),
        ),
        (
            "1 of @acme/sekurity",
            Some("there is no team @acme/sekurity that I can see"),
        ),
    ] {
        write(
            "countersign.yml",
            &format!("version: 1\napproval:\n  quorum: {quorum}\n"),
        );
        write(
            "countersign/notes.yml",
            &definition(&format!("{{quorum: {quorum}, expires_after_hours: 24}}")),
        );
        let of_config = check(home.path(), Some(&github), &CONFIG).await;
        let of_definition = check(home.path(), Some(&github), &DEFINITION).await;
        match mistake {
            None => {
                assert_eq!(of_config.page(), "countersign.yml is good.\n");
                assert_eq!(
                    of_definition.page(),
                    "countersign/notes.yml is good: notes 1, 1 phases.\n"
                );
            }
            Some(mistake) => {
                assert_eq!((of_config.code, of_definition.code), (1, 1));
                let wanted = format!("countersign.yml:3:11: {mistake}");
                assert!(of_config.err.starts_with(&wanted), "{wanted}: {}", of_config.err);
                let wanted = format!("countersign/notes.yml:9:24: {mistake}");
                assert!(
                    of_definition.err.starts_with(&wanted),
                    "{wanted}: {}",
                    of_definition.err
                );
            }
        }
    }
    for hours in ["-3", "0"] {
        write(
            "countersign/notes.yml",
            &definition(&format!("{{expires_after_hours: {hours}}}")),
        );
        let past = check(home.path(), Some(&github), &DEFINITION).await;
        let wanted = "countersign/notes.yml:9:37: `phases.0.gate.people.expires_after_hours` must be at least 1";
        assert!(past.err.starts_with(wanted), "{hours}: {}", past.err);
    }
}

#[tokio::test]
async fn what_could_not_be_asked_is_said_aloud() {
    let github = github().await;
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join("countersign")).unwrap();
    let config = "version: 1\napproval: {quorum: 2 of @acme/security}\n";
    std::fs::write(home.path().join("countersign.yml"), config).unwrap();
    let notes = definition("{quorum: 2 of @acme/security}");
    std::fs::write(home.path().join("countersign/notes.yml"), notes).unwrap();
    let elsewhere = &["check", "countersign.yml", "--repository", "acme/other"];
    let unnamed = &["check", "countersign.yml"];
    for (github, arguments, why) in [
        (None, &CONFIG[..], "COUNTERSIGN_GITHUB_APP_ID"),
        (None, &DEFINITION[..], "COUNTERSIGN_GITHUB_APP_ID"),
        (
            Some(&github),
            unnamed,
            "no repository is named (--repository OWNER/NAME)",
        ),
        (Some(&github), elsewhere, "the App is not installed on acme/other"),
    ] {
        let ran = check(home.path(), github, arguments).await;
        let page = ran.page();
        let said = "Whether `@acme/security` exists and is large enough was not checked: ";
        assert!(page.contains(said) && page.contains(why), "{why}: {page}");
    }
}

/// A definition is checked as a server would take it: beside the others, and beside the configuration.
#[tokio::test]
async fn a_definition_is_checked_beside_its_repositorys_configuration() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("countersign");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("notes.yml"), definition("{}")).unwrap();
    let good = check(home.path(), None, &DEFINITION).await;
    assert_eq!(good.page(), "countersign/notes.yml is good: notes 1, 1 phases.\n");

    let own = "version: 1\ndefinitions:\n  - name: notes\n    version: 1\n    title: Notes\n    phases: [{id: a, title: A, agent: \
               extract}]\n";
    std::fs::write(home.path().join("countersign.yml"), own).unwrap();
    // The file's name is as good as the configuration's; `check` of the other says the same.
    let taken = check(home.path(), None, &DEFINITION).await;
    assert_eq!(taken.code, 1);
    assert!(
        taken
            .err
            .starts_with("countersign/notes.yml:1:7: the name notes is taken"),
        "{}",
        taken.err
    );

    let broken = "version: 1\nmail: {to: nobody}\n";
    std::fs::write(home.path().join("countersign.yml"), broken).unwrap();
    let page = check(home.path(), None, &DEFINITION).await.page().to_owned();
    assert!(
        page.contains("Names in countersign.yml were not looked at, because it has mistakes"),
        "{page}"
    );

    std::fs::remove_file(home.path().join("countersign.yml")).unwrap();
    std::fs::write(folder.join("more.yml"), definition("{}")).unwrap();
    let twice = check(home.path(), None, &DEFINITION).await;
    assert!(
        twice
            .err
            .starts_with("countersign/notes.yml:1:7: the name notes is taken"),
        "{}",
        twice.err
    );
}
