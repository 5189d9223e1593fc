//! `jpa-mt` as people play it: a table becomes an entity with its repository and tests, or the whole slice above it, and
//! what was approved is written as files.

use std::path::{Path, PathBuf};

use countersign::sandbox::IssueNumber;
use countersign::workflow::ids::Digest;
use serde_json::{Value, json};

use crate::cli::{only_workflow, run};
use crate::kept::archive::{listed, packed, unpacked};
use crate::stages::{approve, respond, review, through};
use crate::world::{Setup, World};

/// Files of scope `domain`, below the folder of sources.
pub const DOMAIN: [&str; 9] = [
    "src/main/java/com/example/shop/catalog/Product.java",
    "src/main/java/com/example/shop/catalog/ProductId.java",
    "src/main/java/com/example/shop/catalog/ProductRepository.java",
    "src/main/java/com/example/shop/tenancy/TenantContext.java",
    "src/main/java/com/example/shop/tenancy/TenantTransactionManager.java",
    "src/main/java/com/example/shop/tenancy/package-info.java",
    "src/main/resources/db/migration/V7__products_of_one_tenant_at_a_time.sql",
    "src/test/java/com/example/shop/PostgresTest.java",
    "src/test/java/com/example/shop/catalog/ProductRepositoryTest.java",
];

/// What scope `vertical` has beside those.
const ABOVE: [&str; 6] = [
    "src/main/java/com/example/shop/catalog/ProductController.java",
    "src/main/java/com/example/shop/catalog/ProductRefusedException.java",
    "src/main/java/com/example/shop/catalog/ProductService.java",
    "src/main/java/com/example/shop/tenancy/TenantFilter.java",
    "src/test/java/com/example/shop/catalog/ProductIntegrationTest.java",
    "src/test/java/com/example/shop/catalog/ProductServiceTest.java",
];

/// What a file may import that is none of the set: the Java platform and what the plan's dependencies bring.
const LIBRARIES: [&str; 8] = [
    "java.",
    "jakarta.",
    "org.assertj.core.",
    "org.hibernate.",
    "org.junit.jupiter.",
    "org.mockito.",
    "org.springframework.",
    "org.testcontainers.",
];

/// The one that sets the database's wall.
const TRANSACTIONS: &str = "src/main/java/com/example/shop/tenancy/TenantTransactionManager.java";

pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/jpa")
}

pub fn text(path: &str) -> String {
    std::fs::read_to_string(folder().join("files").join(path)).unwrap()
}

pub fn written(paths: &[&str]) -> Value {
    let writes: Vec<Value> = paths
        .iter()
        .map(|path| json!({"path": path, "content": text(path)}))
        .collect();
    json!({"summary": "Products of one tenant at a time", "writes": writes, "unfinished": []})
}

pub fn plan(paths: &[&str]) -> Value {
    json!({
        "summary": "app.products is a tenant's table", "approach": "Composite key, filter, policy",
        "alternatives": [{"name": "A schema for each tenant", "why_not": "One migration for all is wanted"}],
        "steps": [{"id": "s1", "title": "All of it", "detail": "In the order of the list", "files": paths,
            "risk": "low", "verify": "The repository test passes as the application's role"}],
        "files_to_create": paths, "files_to_modify": [], "files_to_delete": [],
        "dependencies_added": [
            {"ecosystem": "maven", "name": "org.springframework.boot:spring-boot-starter-data-jpa", "reason": "Entities"},
            {"ecosystem": "maven", "name": "org.testcontainers:postgresql", "reason": "Policies need a real database"},
        ],
        "commands": [], "criteria_map": [], "out_of_scope": ["Category, of which the application has no entity yet"],
        "open_questions": [],
    })
}

async fn world() -> World {
    let schema = std::fs::read_to_string(folder().join("schema.sql")).unwrap();
    Setup::new()
        .github(|github| github.file("db/schema.sql", &schema))
        .start()
        .await
}

async fn started(world: &World, scope: &str) -> IssueNumber {
    let body = "The catalog needs its products. Requests are signed in by a JWT, whose claim `tenant` says for whom.";
    let issue = world.issue("Products", body);
    let said = format!("/run jpa-mt entity=Product table=app.products context=catalog schema=db/schema.sql{scope}");
    world.say("alice", issue, &said).await;
    world.hear(issue);
    issue
}

/// Every file below a folder, by its path from there.
pub fn below(root: &Path) -> Vec<String> {
    let mut open = vec![root.to_owned()];
    let mut found = Vec::new();
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => open.push(path),
                false => found.push(path.strip_prefix(root).unwrap().display().to_string()),
            }
        }
    }
    found.sort();
    found
}

/// What `files` writes is what was approved, letter by letter.
fn hold_output(world: &World, id: &str, paths: &[&str]) {
    let told = run(world.home(), &["files", id, "--output", "out", "--json"]).envelope();
    assert_eq!(told["data"]["files"].as_array().unwrap().len(), paths.len());
    let out = world.home().join("out");
    assert_eq!(below(&out), paths);
    for path in paths {
        assert_eq!(std::fs::read_to_string(out.join(path)).unwrap(), text(path), "{path}");
    }
}

#[tokio::test]
async fn a_table_becomes_entity_repository_and_repository_test() {
    let world = world().await;
    let issue = started(&world, "").await;
    let standards = Digest::of_bytes(include_bytes!("../../templates/prompts/jpa-mt/standards.md")).to_string();
    let note = format!("Standards `jpa-mt/standards`, SHA-256 `{standards}`.");
    assert!(world.card(issue).contains(&note), "{}", world.card(issue));
    approve(&world, issue).await;
    world.say("alice", issue, "/prompt").await;
    let prompt = world.hear(issue).join("\n");
    for part in [
        &standards,
        "FORCE ROW LEVEL SECURITY",
        "CREATE TABLE app.products",
        "\"tenant_column\":\"tenant_id\"",
        "\"scope\":\"domain\"",
    ] {
        assert!(prompt.contains(part), "{part} is not in {prompt}");
    }
    respond(&world, issue, &plan(&DOMAIN)).await;
    assert!(world.card(issue).contains(&note), "{}", world.card(issue));
    approve(&world, issue).await;

    let id = only_workflow(&world);
    let early = run(world.home(), &["files", &id, "--output", "out"]);
    assert_eq!(early.code, 1);
    assert!(early.err.contains("has no approved files"), "{}", early.err);

    approve(&world, issue).await;
    let mut outside = written(&DOMAIN);
    outside["writes"][1]["path"] = json!("../ProductId.java");
    let answer = format!("/respond\n```json\n{outside}\n```");
    world.hear(issue);
    world.say("alice", issue, &answer).await;
    let refusal = world.answer(issue);
    assert!(refusal.contains("(dot-segment)"), "{refusal}");
    respond(&world, issue, &written(&DOMAIN)).await;
    let card = world.card(issue);
    for path in DOMAIN {
        let heading = format!("{path} ({} bytes)", text(path).len());
        let shown = card.replace('\\', "");
        assert!(shown.contains(&heading), "{heading} is not on {card}");
    }
    approve(&world, issue).await;
    through(&world, issue, &review(None)).await;
    assert!(world.card(issue).contains("· done"), "{}", world.card(issue));

    hold_output(&world, &id, &DOMAIN);
    let again = run(world.home(), &["files", &id, "--output", "out"]);
    assert_eq!(again.code, 1, "nothing is written over");
    assert!(again.err.contains("it is not empty"), "{}", again.err);
    world.hear(issue);
    world.end().await;
}

#[tokio::test]
async fn a_vertical_slice_has_service_controller_and_their_tests_and_a_revision_writes_over() {
    let world = world().await;
    let issue = started(&world, " scope=vertical").await;
    let mut paths: Vec<&str> = DOMAIN.into_iter().chain(ABOVE).collect();
    paths.sort_unstable();
    through(&world, issue, &plan(&paths)).await;
    let mut first = written(&paths);
    let mended = paths.iter().position(|path| *path == TRANSACTIONS).unwrap();
    let of_the_session = text(TRANSACTIONS).replace(":tenant, true)", ":tenant, false)");
    assert_ne!(of_the_session, text(TRANSACTIONS));
    first["writes"][mended]["content"] = json!(of_the_session);
    through(&world, issue, &first).await;
    through(&world, issue, &review(Some("critical"))).await;
    through(&world, issue, &written(&[TRANSACTIONS])).await;
    through(&world, issue, &review(None)).await;
    assert!(world.card(issue).contains("· done"), "{}", world.card(issue));
    let id = only_workflow(&world);
    hold_output(&world, &id, &paths);

    run(world.home(), &["export", &id, "--output", "a.tar"]).page();
    assert!(
        run(world.home(), &["export", "--verify", "a.tar"])
            .page()
            .contains("is whole")
    );
    let archive = world.home().join("a.tar");
    let whole = unpacked(&archive);
    let exported: Vec<&str> = whole.keys().filter_map(|path| path.strip_prefix("files/")).collect();
    assert_eq!(exported, paths);
    let first = format!("files/{}", paths[0]);
    for (says, content) in [
        ("it is not what was approved", Some("class Other {}\n")),
        ("it was approved and is missing", None),
    ] {
        let mut files = whole.clone();
        match content {
            Some(content) => files.insert(first.clone(), content.into()),
            None => files.remove(&first),
        };
        let mut manifest: Value = serde_json::from_slice(&files["manifest.json"]).unwrap();
        manifest["files"].as_object_mut().unwrap().remove(&first);
        files.insert("manifest.json".to_owned(), serde_json::to_vec(&manifest).unwrap());
        listed(&mut files);
        packed(&archive, &files);
        let verified = run(world.home(), &["export", "--verify", "a.tar"]);
        assert_eq!(verified.code, 1);
        assert!(verified.err.contains(says), "{says}: {}", verified.err);
    }
    world.hear(issue);
    world.end().await;
}

#[tokio::test]
async fn what_the_definition_asks_for_must_be_there() {
    let world = world().await;
    let issue = world.issue("Products", "The catalog needs its products.");
    let given = "entity=Product table=app.products context=catalog";
    for (said, expected) in [
        (given.to_owned(), "`schema` is missing"),
        (format!("{given} schema=db/none.sql"), "db/none.sql"),
        (format!("{given} schema=db/schema.sql scope=all"), "`domain`"),
    ] {
        world.say("alice", issue, &format!("/run jpa-mt {said}")).await;
        let answer = world.answer(issue);
        assert!(answer.contains(expected), "{said}: {answer}");
    }
    assert!(world.card_comment(issue).is_none());
    world.end().await;
}

/// The file that an import names, if it is one of this application.
fn own(import: &str) -> Option<String> {
    let class = import.strip_prefix("com.example.shop.")?;
    let names: Vec<&str> = class.split('.').collect();
    let length = names.iter().position(|name| name.starts_with(char::is_uppercase))? + 1;
    Some(format!("com/example/shop/{}.java", names[..length].join("/")))
}

#[test]
fn what_is_imported_is_a_librarys_or_among_the_files() {
    let vertical: Vec<&str> = DOMAIN.into_iter().chain(ABOVE).collect();
    for set in [&DOMAIN[..], &vertical] {
        for path in set.iter().filter(|path| path.ends_with(".java")) {
            let text = text(path);
            let imports = text
                .lines()
                .filter_map(|line| line.strip_prefix("import ")?.strip_suffix(';'));
            for import in imports.map(|import| import.trim_start_matches("static ")) {
                let known = match own(import) {
                    Some(file) => set.iter().any(|other| other.ends_with(&file)),
                    None => LIBRARIES.iter().any(|library| import.starts_with(library)),
                };
                assert!(known, "{path} imports {import}");
            }
        }
    }
}

/// The answers of a conversation: what stands between the fences of its comments.
fn answers(conversation: &str) -> Vec<Value> {
    let lines: Vec<&str> = conversation.lines().map(str::trim_start).collect();
    let fences = lines.split(|line| *line == "```json").skip(1);
    let texts = fences.map(|rest| {
        rest.iter()
            .take_while(|line| **line != "```")
            .copied()
            .collect::<String>()
    });
    texts.map(|text| serde_json::from_str(&text).unwrap()).collect()
}

#[test]
fn what_the_conversation_plays_are_these_files() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text_of = |path: &str| std::fs::read_to_string(root.join(path)).unwrap();
    let schema = std::fs::read_to_string(folder().join("schema.sql")).unwrap();
    let indented: String = schema
        .lines()
        .map(|line| format!("      {line}").trim_end().to_owned() + "\n")
        .collect();
    let conversation = text_of("conversations/jpa-mt.yml");
    assert!(conversation.contains(&indented), "another schema");
    let mut files = std::collections::BTreeMap::new();
    let refused = |path: &str| path.starts_with("../") || path.ends_with("/aux.java");
    let mut rounds = 0;
    for answer in answers(&conversation) {
        for write in answer["writes"].as_array().into_iter().flatten() {
            let path = write["path"].as_str().unwrap();
            if !refused(path) {
                files.insert(path.to_owned(), write["content"].as_str().unwrap().to_owned());
            }
        }
        rounds += usize::from(answer["verdict"].is_string());
    }
    assert_eq!(rounds, 3, "domain is reviewed twice, the slice above it once");
    let paths: Vec<&str> = files.keys().map(String::as_str).collect();
    let mut expected: Vec<&str> = DOMAIN.into_iter().chain(ABOVE).collect();
    expected.sort_unstable();
    assert_eq!(paths, expected);
    for (path, content) in &files {
        assert_eq!(*content, text(path), "{path}");
    }
}
