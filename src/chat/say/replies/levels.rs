//! Which level set what: the owner's `.github` repository, or the repository itself.

use crate::chat::say::markup::{code, collapsed, table};

/// A setting in force.
#[derive(Debug, Clone, Copy)]
pub struct Setting<'a> {
    /// Its key in the file.
    pub key: &'a str,
    /// What holds; empty where each file adds to it.
    pub value: &'a str,
    /// Who decided.
    pub by: SetBy,
    /// What the repository asks for and its owner does not allow.
    pub without_effect: Option<&'a str>,
}

/// Who decided a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetBy {
    /// The owner.
    Owner,
    /// The repository.
    Repository,
    /// Both.
    Both,
}

/// The settings of a repository whose owner has a level of its own; `owner` is `owner/.github`.
pub fn settings(owner: &str, settings: &[Setting<'_>]) -> String {
    let rows: Vec<Vec<String>> = settings
        .iter()
        .map(|setting| {
            let by = match setting.by {
                SetBy::Owner => code(owner),
                SetBy::Repository => "this repository".to_owned(),
                SetBy::Both => format!("{} and this repository", code(owner)),
            };
            let shown = |text: &str| if text.is_empty() { String::new() } else { code(text) };
            let without = setting.without_effect.map(shown).unwrap_or_default();
            vec![code(setting.key), shown(setting.value), by, without]
        })
        .collect();
    let head = ["Setting", "In force", "Set by", "Without effect"];
    collapsed("Settings, and which file set them", &table(&head, &rows))
}
