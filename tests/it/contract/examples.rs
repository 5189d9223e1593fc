//! The payloads of npm `@octokit/webhooks-examples`, recorded from GitHub and from GitHub Enterprise Server.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

/// One event of one product in the package.
#[derive(Deserialize)]
struct Examples {
    name: String,
    examples: Vec<Value>,
}

/// Every payload with its event, from the directory in `COUNTERSIGN_WEBHOOK_EXAMPLES` (by default
/// `target/webhooks-examples`), where `scripts/fetch-webhook-examples.sh` puts them.
///
/// None, with a word about the script, when they were not fetched; with `CI=true` that is an error.
pub fn webhook_examples() -> Vec<(String, Value)> {
    files().iter().flat_map(|file| read(file)).collect()
}

/// The same without those of Enterprise Server releases, which are older than the schemas.
pub fn github_com_examples() -> Vec<(String, Value)> {
    files()
        .iter()
        .filter(|file| file.parent().is_some_and(|product| product.ends_with("api.github.com")))
        .flat_map(|file| read(file))
        .collect()
}

/// One file a product.
fn files() -> Vec<PathBuf> {
    let directory = env::var_os("COUNTERSIGN_WEBHOOK_EXAMPLES").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("target/webhooks-examples"),
        PathBuf::from,
    );
    let mut files: Vec<PathBuf> = fs::read_dir(&directory)
        .into_iter()
        .flatten()
        .map(|entry| entry.expect("a readable directory").path().join("index.json"))
        .filter(|file| file.is_file())
        .collect();
    files.sort();
    if files.is_empty() {
        let missing = format!(
            "no webhook examples in {}: run scripts/fetch-webhook-examples.sh",
            directory.display()
        );
        assert!(env::var("CI").as_deref() != Ok("true"), "{missing}");
        eprintln!("{missing}");
    }
    files
}

fn read(file: &Path) -> Vec<(String, Value)> {
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let events: Vec<Examples> =
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    events
        .into_iter()
        .flat_map(|Examples { name, examples }| examples.into_iter().map(move |it| (name.clone(), it)))
        .collect()
}
