//! Which level set what: the server, the owner's `.github` repository, or the repository itself.

use crate::chat::say::markup::{code, collapsed, table};

/// What the server's own level is called.
pub const THE_POLICY: &str = "the server's policy";

/// A setting in force.
#[derive(Debug, Clone)]
pub struct Setting<'a> {
    /// Its key in the file.
    pub key: &'a str,
    /// What holds; empty where each file adds to it.
    pub value: &'a str,
    /// Who decided, the uppermost first.
    pub by: Vec<SetBy<'a>>,
    /// What a lower level asks for and an upper one does not allow.
    pub without_effect: Option<&'a str>,
}

/// Who decided a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetBy<'a> {
    /// The server's policy.
    Server,
    /// The owner, by this repository: `owner/.github`.
    Owner(&'a str),
    /// The repository.
    Repository,
}

impl SetBy<'_> {
    fn words(self) -> String {
        match self {
            Self::Server => THE_POLICY.to_owned(),
            Self::Owner(name) => code(name),
            Self::Repository => "this repository".to_owned(),
        }
    }
}

/// The settings of a repository with levels above it.
pub fn settings(settings: &[Setting<'_>]) -> String {
    let rows: Vec<Vec<String>> = settings
        .iter()
        .map(|setting| {
            let by: Vec<String> = setting.by.iter().map(|by| by.words()).collect();
            let by = by.join(" and ");
            let shown = |text: &str| if text.is_empty() { String::new() } else { code(text) };
            let without = setting.without_effect.map(shown).unwrap_or_default();
            vec![code(setting.key), shown(setting.value), by, without]
        })
        .collect();
    let head = ["Setting", "In force", "Set by", "Without effect"];
    collapsed("Settings, and which file set them", &table(&head, &rows))
}
