//! A repository's own file, `.github/countersign.yml`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::address::Mailbox;
use super::document::{ConfigError, Document, Schema, suggest};
use crate::workflow::right::Right;

/// A repository's settings, checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepositoryConfig {
    /// Whom the mail of a workflow goes to.
    pub mail: Recipients,
    /// Rights that the repository asks for, by verb, where it asks for more than the default.
    pub permissions: BTreeMap<String, Right>,
    /// Further names of verbs: alias to verb. No alias hides a verb.
    pub aliases: BTreeMap<String, String>,
    /// How much one workflow may hold.
    pub limits: Limits,
    /// The definition that a workflow starts with when nobody names one.
    pub definition: String,
    /// Where each agent's text comes from.
    pub providers: Providers,
    /// What may be spent on models, where that is less than the server allows.
    pub caps: crate::workflow::budget::Caps,
}

/// Whom mail goes to. With nobody in `to`, mail is not configured.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipients {
    /// Direct recipients.
    pub to: Vec<Mailbox>,
    /// Recipients of a copy.
    pub cc: Vec<Mailbox>,
}

/// How much one workflow may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Tasks that one proposal may hold.
    pub tasks: u32,
    /// Comments of one thread that agents read.
    pub comments: u32,
}

/// Where each agent's text comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Providers {
    /// For the agent that proposes tasks.
    pub extract: ProviderName,
    /// For the agent that drafts mail.
    pub email: ProviderName,
}

/// A provider that a repository may choose.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProviderName {
    /// The grammar that works without a model.
    #[default]
    Rules,
    /// A person pastes the answer.
    Manual,
    /// A model behind one of the server's endpoints.
    Http(super::EndpointName),
}

impl std::fmt::Display for ProviderName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Rules => f.write_str("rules"),
            Self::Manual => f.write_str("manual"),
            Self::Http(endpoint) => write!(f, "http:{endpoint}"),
        }
    }
}

/// Tasks that one proposal may hold when the file does not say.
const DEFAULT_TASKS: u32 = 50;
/// Comments of one thread that agents read when the file does not say.
const DEFAULT_COMMENTS: u32 = 500;
/// The definition of a workflow when the file does not say.
const DEFAULT_DEFINITION: &str = "deliver";

impl Default for Limits {
    fn default() -> Self {
        Self {
            tasks: DEFAULT_TASKS,
            comments: DEFAULT_COMMENTS,
        }
    }
}

/// What holds in a repository that has no file.
impl Default for RepositoryConfig {
    fn default() -> Self {
        Self {
            mail: Recipients::default(),
            permissions: BTreeMap::new(),
            aliases: BTreeMap::new(),
            limits: Limits::default(),
            definition: DEFAULT_DEFINITION.to_owned(),
            providers: Providers::default(),
            caps: Default::default(),
        }
    }
}

/// The words that a file may use, from the table of verbs and the definitions at hand.
#[derive(Debug, Clone, Copy)]
pub struct Vocabulary<'a> {
    /// Every verb with the right that it asks for by default.
    pub verbs: &'a [(&'a str, Right)],
    /// Names that verbs already answer to besides their own.
    pub taken: &'a [&'a str],
    /// The definitions that a workflow can start with.
    pub definitions: &'a [&'a str],
}

impl Vocabulary<'_> {
    fn right_of(&self, verb: &str) -> Option<Right> {
        self.verbs
            .iter()
            .find(|(name, _)| *name == verb)
            .map(|(_, right)| *right)
    }

    fn unknown_verb(&self, verb: &str) -> String {
        format!(
            "`{verb}` is not a command; {}",
            suggest(verb, self.verbs.iter().map(|(name, _)| *name))
        )
    }
}

// ---- the file as it is written; the text on the fields is what editors show from the schema

/// Settings of Countersign for one repository. The file lies on the default branch as .github/countersign.yml.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Countersign: repository configuration")]
struct File {
    /// The version of this file's form.
    // Held to 1 by the schema; there is nothing to read from it until there is a second.
    #[serde(rename = "version")]
    #[schemars(extend("const" = 1))]
    _version: u32,
    #[serde(default)]
    mail: FileMail,
    /// Who may do what: command to right. A repository may ask for more than the default, never for less.
    #[serde(default)]
    permissions: BTreeMap<String, FileRight>,
    /// Further names of commands: new name to command.
    #[serde(default)]
    #[schemars(extend("maxProperties" = 50))]
    aliases: BTreeMap<String, String>,
    #[serde(default)]
    limits: FileLimits,
    /// The definition that a workflow starts with when nobody names one.
    #[serde(default = "default_definition")]
    definition: String,
    #[serde(default)]
    providers: FileProviders,
}

/// Whom mail goes to: name@host or Name <name@host>. With nobody in `to`, no mail is sent.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct FileMail {
    /// Direct recipients.
    #[schemars(length(max = 50))]
    to: Vec<String>,
    /// Recipients of a copy.
    #[schemars(length(max = 50))]
    cc: Vec<String>,
}

#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum FileRight {
    Read,
    Triage,
    Write,
    Maintain,
    Admin,
}

/// How much one workflow may hold.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct FileLimits {
    /// Tasks that one proposal may hold.
    #[schemars(range(min = 1, max = 300))]
    tasks: u32,
    /// Comments of one thread that agents read.
    #[schemars(range(min = 1, max = 1000))]
    comments: u32,
}

/// Where each agent's text comes from: rules (a grammar, no model) or manual (a person pastes the answer).
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct FileProviders {
    /// For the agent that proposes tasks.
    extract: FileProvider,
    /// For the agent that drafts mail.
    email: FileProvider,
}

#[derive(Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum FileProvider {
    #[default]
    Rules,
    Manual,
}

fn default_definition() -> String {
    DEFAULT_DEFINITION.to_owned()
}

impl Default for FileLimits {
    fn default() -> Self {
        let Limits { tasks, comments } = Limits::default();
        Self { tasks, comments }
    }
}

impl From<FileRight> for Right {
    fn from(right: FileRight) -> Self {
        match right {
            FileRight::Read => Self::Read,
            FileRight::Triage => Self::Triage,
            FileRight::Write => Self::Write,
            FileRight::Maintain => Self::Maintain,
            FileRight::Admin => Self::Admin,
        }
    }
}

impl From<FileProvider> for ProviderName {
    fn from(provider: FileProvider) -> Self {
        match provider {
            FileProvider::Rules => Self::Rules,
            FileProvider::Manual => Self::Manual,
        }
    }
}

static SCHEMA: LazyLock<Schema> = LazyLock::new(Schema::of::<File>);

/// The JSON Schema of the file, for editors; published as `schema/countersign.schema.json`.
pub fn repository_schema() -> serde_json::Value {
    SCHEMA.json().clone()
}

impl RepositoryConfig {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// Every mistake with its line and column, in the file's order.
    pub fn parse(text: &str, vocabulary: Vocabulary<'_>) -> Result<Self, Vec<ConfigError>> {
        let document = Document::parse(text).map_err(|error| vec![error])?;
        let (file, mistakes) = document.fill::<File>(&SCHEMA);
        // Without a version that is known, nothing can be said of the rest.
        let Some(file) = file else { return Err(mistakes) };
        let mut check = Check {
            document: &document,
            vocabulary,
            mistakes,
        };
        let config = Self {
            mail: check.recipients(&file.mail),
            permissions: check.permissions(&file.permissions),
            aliases: check.aliases(&file.aliases),
            limits: Limits {
                tasks: file.limits.tasks,
                comments: file.limits.comments,
            },
            definition: check.definition(file.definition),
            providers: Providers {
                extract: file.providers.extract.into(),
                email: file.providers.email.into(),
            },
            caps: Default::default(),
        };
        if check.mistakes.is_empty() {
            Ok(config)
        } else {
            check.mistakes.sort();
            Err(check.mistakes)
        }
    }
}

/// The checks that no schema can express.
struct Check<'a> {
    document: &'a Document,
    vocabulary: Vocabulary<'a>,
    mistakes: Vec<ConfigError>,
}

impl Check<'_> {
    fn value(&mut self, path: &[&str], message: String) {
        self.mistakes.push(self.document.at(path).error(message));
    }

    fn key(&mut self, path: &[&str], message: String) {
        self.mistakes.push(self.document.key_at(path).error(message));
    }

    fn recipients(&mut self, mail: &FileMail) -> Recipients {
        let mut seen = Vec::new();
        let to = self.mailboxes("to", &mail.to, &mut seen);
        let cc = self.mailboxes("cc", &mail.cc, &mut seen);
        if to.is_empty() && !mail.cc.is_empty() && mail.to.is_empty() {
            self.key(
                &["mail", "cc"],
                "`mail.cc` stands without `mail.to`; name at least one direct recipient".to_owned(),
            );
        }
        Recipients { to, cc }
    }

    fn mailboxes(&mut self, list: &str, texts: &[String], seen: &mut Vec<String>) -> Vec<Mailbox> {
        let mut mailboxes = Vec::new();
        for (index, text) in texts.iter().enumerate() {
            let index = index.to_string();
            let path = ["mail", list, index.as_str()];
            match text.parse::<Mailbox>() {
                Ok(mailbox) => {
                    let address = mailbox.address().to_lowercase();
                    if seen.contains(&address) {
                        self.value(&path, format!("{address} stands here twice; keep one of them"));
                    } else {
                        seen.push(address);
                        mailboxes.push(mailbox);
                    }
                }
                Err(mistake) => self.value(&path, format!("{text:?} {mistake}")),
            }
        }
        mailboxes
    }

    fn permissions(&mut self, permissions: &BTreeMap<String, FileRight>) -> BTreeMap<String, Right> {
        let mut raised = BTreeMap::new();
        for (verb, right) in permissions {
            let right = Right::from(*right);
            let path = ["permissions", verb.as_str()];
            match self.vocabulary.right_of(verb) {
                None => self.key(&path, self.vocabulary.unknown_verb(verb)),
                Some(least) if right < least => self.value(
                    &path,
                    format!(
                        "`{verb}` needs {least} by default; a repository may ask for more, never for less: write `{least}` or higher, or remove the line"
                    ),
                ),
                Some(least) if right > least => {
                    raised.insert(verb.clone(), right);
                }
                Some(_) => {}
            }
        }
        raised
    }

    fn aliases(&mut self, aliases: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        for (alias, verb) in aliases {
            let path = ["aliases", alias.as_str()];
            if self.vocabulary.right_of(alias).is_some() || self.vocabulary.taken.contains(&alias.as_str()) {
                self.key(
                    &path,
                    format!("`{alias}` is a command already and cannot mean another; choose another name"),
                );
            } else if !is_word(alias) {
                self.key(
                    &path,
                    format!(
                        "{alias:?} cannot be a command's name; use up to {WORD_LENGTH} lower-case letters, digits and hyphens, a letter first"
                    ),
                );
            }
            if self.vocabulary.right_of(verb).is_none() {
                self.value(&path, self.vocabulary.unknown_verb(verb));
            }
        }
        aliases.clone()
    }

    fn definition(&mut self, definition: String) -> String {
        if !self.vocabulary.definitions.contains(&definition.as_str()) {
            self.value(
                &["definition"],
                format!(
                    "there is no definition `{definition}`; {}",
                    suggest(&definition, self.vocabulary.definitions.iter().copied())
                ),
            );
        }
        definition
    }
}

const WORD_LENGTH: usize = 32;

fn is_word(text: &str) -> bool {
    text.len() <= WORD_LENGTH
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

#[cfg(test)]
#[path = "repository_tests.rs"]
mod tests;
