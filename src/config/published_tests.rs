//! What is published about configuration is what the types say: the schemas and the page for people.

use std::path::Path;

use serde_json::Value;

use super::*;
use crate::workflow::right::Right;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn published(name: &str, generated: &Value) {
    let path = root().join("schema").join(name);
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, serde_json::to_string_pretty(generated).unwrap() + "\n").unwrap();
    }
    let found: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap_or_default()).unwrap_or_default();
    // As values: the order of keys is a matter of serde_json's features.
    assert!(
        found == *generated,
        "schema/{name} is not what the types say; regenerate it: UPDATE_SCHEMA=1 cargo test --lib config::published"
    );
}

#[test]
fn schemas_on_disk_are_generated_from_the_types() {
    published("countersign.schema.json", &repository_schema());
    published("server.schema.json", &server_schema());
    published("definition.schema.json", &definition::definition_schema());
    published("terminal-project.schema.json", &terminal::project_schema());
    published("terminal-user.schema.json", &terminal::user_schema());
}

#[test]
fn schemas_refuse_unknown_keys_and_name_their_dialect() {
    for schema in [repository_schema(), server_schema(), definition::definition_schema()] {
        assert_eq!(schema["additionalProperties"], false);
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
        for (key, property) in schema["properties"].as_object().unwrap() {
            assert!(property["description"].is_string(), "{key} is not described");
        }
    }
}

fn page() -> String {
    std::fs::read_to_string(root().join("docs/configuration.md")).unwrap()
}

/// The YAML blocks of the page whose first line is this comment.
fn examples(first_line: &str) -> Vec<String> {
    let page = page();
    let blocks: Vec<String> = page
        .split("```yaml\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap().to_owned())
        .filter(|block| block.lines().next() == Some(first_line))
        .collect();
    assert!(
        !blocks.is_empty(),
        "docs/configuration.md has no example that begins with {first_line}"
    );
    blocks
}

#[test]
fn the_page_shows_a_repository_file_that_is_valid_and_complete() {
    let vocabulary = Vocabulary {
        verbs: &[
            ("deliver", Right::Triage),
            ("approve", Right::Write),
            ("cancel", Right::Write),
        ],
        taken: &[],
        definitions: Some(&["deliver"]),
        offer: None,
        agents: None,
        children: None,
    };
    for example in examples("# .github/countersign.yml") {
        let config = RepositoryConfig::parse(&example, vocabulary).unwrap_or_else(|errors| panic!("{errors:#?}"));
        assert!(!config.mail.to.is_empty() && !config.permissions.is_empty() && !config.aliases.is_empty());
        all_keys(&repository_schema(), &example, "");
    }
}

/// Every key of the schema, at every depth that has fixed keys, stands in the example.
fn all_keys(schema: &Value, example: &str, above: &str) {
    for (key, property) in schema["properties"].as_object().into_iter().flatten() {
        assert!(
            example
                .split([' ', '\n', '{', ',', '#'])
                .any(|word| word == format!("{key}:")),
            "the example on docs/configuration.md lacks {above}{key}"
        );
        all_keys(property, example, &format!("{above}{key}."));
    }
}

#[test]
fn the_page_shows_a_server_file_that_is_valid_and_complete() {
    let directory = tempfile::tempdir().unwrap();
    for example in examples("# countersign.yml of the server") {
        all_keys(&server_schema(), &example, "");
        let path = directory.path().join("server.yml");
        std::fs::write(&path, &example).unwrap();
        let overrides = Overrides {
            config: Some(path),
            ..Overrides::default()
        };
        let config = Sources {
            overrides: &overrides,
            environment: &|name| match name {
                "COUNTERSIGN_GITHUB_PRIVATE_KEY" => Some(TEST_KEY.to_owned()),
                "COUNTERSIGN_WEBHOOK_SECRET" => Some("s".repeat(32)),
                _ => of_a_receiver(name),
            },
            check_key: None,
        };
        ServerConfig::load(&config).unwrap_or_else(|problems| panic!("{problems}"));
    }
}

#[test]
fn the_rows_for_common_models_on_the_page_are_valid() {
    let directory = tempfile::tempdir().unwrap();
    let schema = server_schema();
    let fields = &schema["properties"]["models"]["properties"]["endpoints"]["additionalProperties"];
    for example in examples("# models of the server") {
        all_keys(fields, &example, "models.endpoints.NAME.");
        let path = directory.path().join("server.yml");
        std::fs::write(&path, &example).unwrap();
        let overrides = Overrides {
            config: Some(path),
            ..Overrides::default()
        };
        let sources = Sources {
            overrides: &overrides,
            environment: &|_| None,
            check_key: None,
        };
        let models = sources.models().unwrap_or_else(|problems| panic!("{problems}"));
        let names: Vec<_> = models.endpoints.iter().map(|endpoint| endpoint.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "vllm",
                "lm-studio",
                "litellm",
                "openrouter",
                "deepseek",
                "openai",
                "anthropic",
                "gemini",
                "ollama"
            ]
        );
        assert_eq!(
            models.endpoint("deepseek").map(|endpoint| endpoint.structured_output),
            Some(StructuredOutput::Object)
        );
        for dialect in [Dialect::OpenAi, Dialect::Anthropic, Dialect::Gemini, Dialect::Ollama] {
            assert!(
                models.endpoints.iter().any(|endpoint| endpoint.dialect == dialect),
                "{dialect:?}"
            );
        }
    }
    let page = page();
    for key in fields["properties"].as_object().unwrap().keys() {
        assert!(
            page.contains(&format!("| `{key}` |")),
            "{key} is not in the table of docs/configuration.md"
        );
    }
}

/// What the variables of the page's receivers could hold.
fn of_a_receiver(name: &str) -> Option<String> {
    match name.rsplit_once('_') {
        Some(("OPS_WEBHOOK", "SECRET") | ("OPS_WEBHOOK_SECRET", "PREVIOUS")) => {
            Some(format!("whsec_{}", "A".repeat(32)))
        }
        Some(("TEAM_SLACK" | "CHAT_DISCORD", "URL")) => Some("https://hooks.example/of-a-channel".to_owned()),
        _ => None,
    }
}

#[test]
fn the_receivers_on_the_page_are_valid_and_each_of_their_keys_has_a_row() {
    let directory = tempfile::tempdir().unwrap();
    let schema = server_schema();
    let fields = &schema["properties"]["notifications"]["properties"]["endpoints"]["additionalProperties"];
    for example in examples("# notifications of the server") {
        all_keys(fields, &example, "notifications.endpoints.NAME.");
        let path = directory.path().join("server.yml");
        std::fs::write(&path, &example).unwrap();
        let overrides = Overrides {
            config: Some(path),
            ..Overrides::default()
        };
        let sources = Sources {
            overrides: &overrides,
            environment: &of_a_receiver,
            check_key: None,
        };
        let notifications = sources.notifications().unwrap_or_else(|problems| panic!("{problems}"));
        let channels: Vec<_> = notifications.endpoints.iter().map(|one| one.channel.as_str()).collect();
        assert_eq!(channels, ["standard", "slack", "discord"]);
    }
    let page = page();
    for key in fields["properties"].as_object().unwrap().keys() {
        assert!(
            page.contains(&format!("| `{key}` |")),
            "{key} is not in the table of docs/configuration.md"
        );
    }
    for kind in crate::workflow::notification::Kind::ALL {
        assert!(
            page.contains(&format!("| `{}` |", kind.as_str())),
            "{kind:?} is not in the table of docs/configuration.md"
        );
    }
}

#[test]
fn the_page_names_every_variable() {
    let page = page();
    // These are sections of the file and nothing else.
    let sections = ["models", "notifications"];
    let schema = server_schema();
    let keys = schema["properties"].as_object().unwrap().keys();
    for key in keys.filter(|key| !sections.contains(&key.as_str())) {
        let variable = format!("COUNTERSIGN_{}", key.to_uppercase());
        assert!(
            page.contains(&format!("`{variable}`")),
            "{variable} is not on docs/configuration.md"
        );
    }
    assert!(page.contains("`COUNTERSIGN_CONFIG`"));
}

/// The shape of a key and nothing more; it opens nothing.
const TEST_KEY: &str = "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n";
