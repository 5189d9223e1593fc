//! The check run on a pull request that touches the configuration.

use crate::chat::say::markup::{code, count, words};

/// How many mistakes are listed.
const LISTED: usize = 50;

/// Title and summary: what was looked at, and each mistake by file, line and column.
pub fn proposed_configuration(paths: &[String], mistakes: &[(&str, String)]) -> (String, String) {
    let looked: Vec<String> = paths.iter().map(|path| code(path)).collect();
    let looked = looked.join(", ");
    if mistakes.is_empty() {
        let title = "The configuration can be used".to_owned();
        return (title, format!("Looked at: {looked}. It holds once this is merged."));
    }
    let title = format!("{} in the configuration", count(mistakes.len(), "mistake", "mistakes"));
    let shown = mistakes.iter().take(LISTED);
    let mut lines: Vec<String> = shown
        .map(|(path, mistake)| format!("- {}: {}", code(path), words(mistake)))
        .collect();
    if let Some(more) = mistakes.len().checked_sub(LISTED).filter(|more| *more > 0) {
        lines.push(format!("- {} more", count(more, "mistake", "mistakes")));
    }
    let summary = format!(
        "Once this is merged the files named here cannot be used, and the last good ones stay in force.\n\n{}",
        lines.join("\n")
    );
    (title, summary)
}
