//! A repository's own file, `.github/countersign.yml`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::address::Mailbox;
use super::approval_file::FileApproval;
use super::caps_file::{Amounts, RepositoryCaps};
use super::definition::Part;
use super::document::{ConfigError, Document, Schema, suggest};
use super::models::{EndpointName, Models, WORD_LENGTH, is_word};
use super::notifications_file::kinds;
use crate::agents::Names;
use crate::text::paths;
use crate::workflow::budget::Caps;
use crate::workflow::definition::Definition;
use crate::workflow::gate::Tightening;
use crate::workflow::notification::Kind;
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
    /// The most that models may cost here. It only lowers what the server allows.
    #[serde(default)]
    pub caps: Caps,
    /// What every gate of people asks for beyond its definition.
    #[serde(default)]
    pub approval: Tightening,
    /// What may be told of this repository to the server's endpoints; `None` for all that they ask for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notifications: Option<BTreeSet<Kind>>,
    /// Where the guidelines are that prompts are made with.
    #[serde(default, skip_serializing_if = "GuidelinesFile::is_as_defined")]
    pub guidelines: GuidelinesFile,
    /// The definitions that the file itself holds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub definitions: Vec<Definition>,
}

/// Whom mail goes to. With nobody in `to`, mail is not configured.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipients {
    /// Direct recipients.
    pub to: Vec<Mailbox>,
    /// Recipients of a copy.
    pub cc: Vec<Mailbox>,
}

/// Where the guidelines of a repository are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GuidelinesFile {
    /// Where the definition looks for them.
    #[default]
    AsDefined,
    /// In this file, whatever the definition says; for definitions that take some.
    At(String),
    /// Nowhere: no prompt is made with any.
    Off,
}

impl GuidelinesFile {
    /// What is written to have none.
    pub const OFF: &'static str = "off";

    /// Reads a path, or `off`.
    ///
    /// # Errors
    /// A sentence about a path that cannot be.
    pub fn parse(text: &str) -> Result<Self, String> {
        let path = text.trim();
        if path == Self::OFF {
            return Ok(Self::Off);
        }
        match paths::check(path) {
            Ok(_) => Ok(Self::At(path.to_owned())),
            Err(rule) => Err(format!(
                "{} cannot be a file of the repository: {rule}; write a path such as `docs/agents.md`, or `{}`",
                quoted(path),
                Self::OFF
            )),
        }
    }

    // serde hands it a reference.
    fn is_as_defined(&self) -> bool {
        *self == Self::AsDefined
    }
}

impl std::fmt::Display for GuidelinesFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::AsDefined => "",
            Self::At(path) => path,
            Self::Off => Self::OFF,
        })
    }
}

/// How much one workflow may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Tasks that one proposal may hold.
    pub tasks: u32,
    /// Comments of one thread that agents read.
    pub comments: u32,
    /// Bytes of the repository's guidelines that a prompt is made with.
    #[serde(default = "default_guidelines")]
    pub guidelines: u32,
}

fn default_guidelines() -> u32 {
    DEFAULT_GUIDELINES
}

/// Where each agent's text comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Providers {
    /// For the agent that proposes tasks.
    pub extract: ProviderName,
    /// For the agent that drafts mail.
    pub email: ProviderName,
    /// For the agents that definitions make, unless their role is named.
    #[serde(default = "by_hand")]
    pub default: ProviderName,
    /// For the agents of a role.
    #[serde(default)]
    pub roles: BTreeMap<String, ProviderName>,
    /// The only ones that may be chosen, besides people; `None` for all that the server offers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed: Option<Vec<ProviderName>>,
}

impl Default for Providers {
    fn default() -> Self {
        Self {
            extract: ProviderName::Rules,
            email: ProviderName::Rules,
            default: by_hand(),
            roles: BTreeMap::new(),
            allowed: None,
        }
    }
}

/// No rules can do what a definition's prompt asks for.
fn by_hand() -> ProviderName {
    ProviderName::Manual
}

/// A provider that a repository may choose.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum ProviderName {
    /// The grammar that works without a model.
    #[default]
    Rules,
    /// A person pastes the answer.
    Manual,
    /// An endpoint of the server: `http:NAME`.
    Http(EndpointName),
}

impl ProviderName {
    /// What stands before the name of an endpoint.
    pub const HTTP: &'static str = "http:";

    /// The endpoint, where it is one.
    pub fn endpoint(&self) -> Option<&EndpointName> {
        match self {
            Self::Http(name) => Some(name),
            Self::Rules | Self::Manual => None,
        }
    }
}

impl std::fmt::Display for ProviderName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Rules => f.write_str("rules"),
            Self::Manual => f.write_str("manual"),
            Self::Http(name) => write!(f, "{}{name}", Self::HTTP),
        }
    }
}

impl std::str::FromStr for ProviderName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let endpoint = || text.strip_prefix(Self::HTTP).and_then(EndpointName::parse);
        match text {
            "rules" => Ok(Self::Rules),
            "manual" => Ok(Self::Manual),
            _ => endpoint().map(Self::Http).ok_or_else(|| {
                format!("{text:?} is no provider; there are `rules`, `manual` and the server's endpoints, `http:NAME`")
            }),
        }
    }
}

impl From<ProviderName> for String {
    fn from(name: ProviderName) -> Self {
        name.to_string()
    }
}

impl TryFrom<String> for ProviderName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// Tasks that one proposal may hold when the file does not say.
const DEFAULT_TASKS: u32 = 50;
/// Comments of one thread that agents read when the file does not say.
const DEFAULT_COMMENTS: u32 = 500;
/// Bytes of guidelines that a prompt is made with when the file does not say.
const DEFAULT_GUIDELINES: u32 = 32 * 1024;
/// The most bytes of guidelines that any prompt is made with.
pub const MOST_OF_GUIDELINES: u32 = 128 * 1024;
/// The definition of a workflow when the file does not say.
const DEFAULT_DEFINITION: &str = "deliver";

impl Default for Limits {
    fn default() -> Self {
        Self {
            tasks: DEFAULT_TASKS,
            comments: DEFAULT_COMMENTS,
            guidelines: DEFAULT_GUIDELINES,
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
            caps: Caps::default(),
            approval: Tightening::default(),
            notifications: None,
            guidelines: GuidelinesFile::default(),
            definitions: Vec::new(),
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
    /// The definitions that a workflow can start with; `None` where they are not known, and any is taken.
    pub definitions: Option<&'a [&'a str]>,
    /// What the server offers; `None` where that is not known, and any endpoint is taken.
    pub offer: Option<Offer<'a>>,
    /// What the file's own definitions may name; `None` where it is not known, and only their form is looked at.
    pub agents: Option<&'a Names>,
    /// The definitions that may be children of the file's own, beside those themselves; `None` where they are not
    /// known, and children are not looked at.
    pub children: Option<&'a [Definition]>,
}

/// The model endpoints that a repository may choose from.
#[derive(Debug, Clone, Copy)]
pub struct Offer<'a> {
    /// The server's.
    pub models: &'a Models,
    /// The repository (`owner/name`); `None` where it is not known, and what an endpoint allows is not asked.
    pub repository: Option<&'a str>,
}

impl Offer<'_> {
    /// What may be written for a provider.
    fn providers(&self) -> Vec<String> {
        let open = self
            .models
            .endpoints
            .iter()
            .filter(|endpoint| self.repository.is_none_or(|repository| endpoint.allows(repository)))
            .map(|endpoint| ProviderName::Http(endpoint.name.clone()));
        [ProviderName::Rules, ProviderName::Manual]
            .into_iter()
            .chain(open)
            .map(|provider| provider.to_string())
            .collect()
    }

    /// Why an endpoint cannot be chosen; a sentence, with what there is to choose from.
    pub fn refusal(&self, name: &EndpointName) -> Option<String> {
        match (self.models.endpoint(name.as_str()), self.repository) {
            (None, _) => Some(self.unknown(&format!("{}{name}", ProviderName::HTTP))),
            (Some(endpoint), Some(repository)) if !endpoint.allows(repository) => Some(format!(
                "the server does not offer `{}{name}` to {repository}. {}",
                ProviderName::HTTP,
                self.list()
            )),
            (Some(_), _) => None,
        }
    }

    fn unknown(&self, text: &str) -> String {
        let known = self.providers();
        let nearest = suggest(text, known.iter().map(String::as_str));
        let guess = match nearest.starts_with("did you mean") {
            true => format!("; {nearest}"),
            false => ".".to_owned(),
        };
        format!("{} is no provider here{guess} {}", quoted(text), self.list())
    }

    fn list(&self) -> String {
        let all: Vec<_> = self.providers().iter().map(|one| format!("`{one}`")).collect();
        format!("The server offers {}", all.join(", "))
    }
}

/// What somebody wrote, as it can stand in a sentence.
fn quoted(text: &str) -> String {
    if text.len() <= 64 && text.chars().all(|c| c.is_ascii_graphic() && c != '`') {
        format!("`{text}`")
    } else {
        format!("{:?}", text.chars().take(64).collect::<String>())
    }
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
    #[serde(default)]
    caps: RepositoryCaps,
    #[serde(default)]
    approval: FileApproval,
    /// What may be told of this repository to the server's notification endpoints. Without it, all that they ask for; []
    /// for nothing.
    #[serde(default)]
    #[schemars(with = "Vec<String>", extend("items" = kinds()))]
    notifications: Option<Vec<Kind>>,
    /// The file with the repository's guidelines, which prompts that ask for something to be written are made with: a
    /// path, or off for none. Without it, the file is looked for where the definition says.
    #[serde(default)]
    #[schemars(with = "String", extend("examples" = ["AGENTS.md", "off"]))]
    guidelines: Option<String>,
    /// Definitions of the repository's own, in the language of the files in .github/countersign/.
    #[serde(default)]
    #[schemars(length(max = MOST_DEFINITIONS))]
    definitions: Vec<Definition>,
}

/// How many definitions the file may hold. More of them, and larger ones, have files of their own.
const MOST_DEFINITIONS: usize = 20;

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
    /// Bytes of the repository's guidelines that a prompt is made with; what is longer is cut.
    #[schemars(range(min = 1, max = MOST_OF_GUIDELINES))]
    guidelines: u32,
}

/// Where each agent's text comes from: rules (a grammar, no model), manual (a person pastes the answer), or http:NAME (a
/// model endpoint that the server offers; `countersign providers` lists them).
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct FileProviders {
    /// For the agent that proposes tasks.
    #[schemars(extend("examples" = ["rules", "manual", "http:NAME"]))]
    extract: FileProvider,
    /// For the agent that drafts mail.
    #[schemars(extend("examples" = ["rules", "manual", "http:NAME"]))]
    email: FileProvider,
    /// For the agents that definitions make, unless their role stands below. Without it a person answers.
    #[schemars(extend("examples" = ["manual", "http:NAME"]))]
    default: Option<FileProvider>,
    /// For the agents of a role of a definition: role to provider.
    #[schemars(extend("maxProperties" = 50))]
    roles: BTreeMap<String, FileProvider>,
    /// The only providers that may be chosen, here and, in the owner's .github repository, in all of the owner's. People
    /// may always answer (manual).
    #[schemars(length(max = 50))]
    allowed: Option<Vec<FileProvider>>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
struct FileProvider(String);

impl Default for FileProvider {
    fn default() -> Self {
        Self(ProviderName::default().to_string())
    }
}

fn default_definition() -> String {
    DEFAULT_DEFINITION.to_owned()
}

impl Default for FileLimits {
    fn default() -> Self {
        let Limits {
            tasks,
            comments,
            guidelines,
        } = Limits::default();
        Self {
            tasks,
            comments,
            guidelines,
        }
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

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| Schema::of::<File>().with_parts(PARTS));

/// What can be left out alone when it has a mistake.
const PARTS: &[&[&str]] = &[&["providers", "*"], &["caps", "*", "*"], &["approval", "*"]];

/// The JSON Schema of the file, for editors; published as `schema/countersign.schema.json`.
pub fn repository_schema() -> serde_json::Value {
    SCHEMA.json().clone()
}

impl RepositoryConfig {
    /// Whether this may be told of the repository.
    pub fn lets_tell(&self, kind: Kind) -> bool {
        self.notifications.as_ref().is_none_or(|kinds| kinds.contains(&kind))
    }

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
                guidelines: file.limits.guidelines,
            },
            definition: check.definition(file.definition),
            providers: check.providers(&file.providers),
            caps: file.caps.read(
                &mut Amounts {
                    document: &document,
                    mistakes: &mut check.mistakes,
                },
                &["caps"],
            ),
            approval: file.approval.read(&document, &mut check.mistakes),
            notifications: file.notifications.map(|kinds| kinds.into_iter().collect()),
            guidelines: check.guidelines(file.guidelines.as_deref()),
            definitions: check.definitions(file.definitions),
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

    fn guidelines(&mut self, text: Option<&str>) -> GuidelinesFile {
        let Some(text) = text else {
            return GuidelinesFile::default();
        };
        GuidelinesFile::parse(text).unwrap_or_else(|sentence| {
            self.value(&["guidelines"], sentence);
            GuidelinesFile::default()
        })
    }

    fn definition(&mut self, definition: String) -> String {
        let Some(known) = self.vocabulary.definitions else {
            return definition;
        };
        // One that has a mistake is named as such, and is not missing.
        let document = self.document;
        let numbers = (0..MOST_DEFINITIONS).map(|number| number.to_string());
        let own = numbers.filter_map(|number| document.text(&["definitions", &number, "name"]));
        let known: Vec<&str> = known.iter().copied().chain(own).collect();
        if !known.contains(&definition.as_str()) {
            let instead = suggest(&definition, known.iter().copied());
            self.value(
                &["definition"],
                format!("there is no definition `{definition}`; {instead}"),
            );
        }
        definition
    }

    fn definitions(&mut self, definitions: Vec<Definition>) -> Vec<Definition> {
        let Some(names) = self.vocabulary.agents else {
            return definitions;
        };
        let document = self.document;
        let mut taken: Vec<&str> = self.vocabulary.definitions.unwrap_or_default().to_vec();
        let others = self.vocabulary.children.map(|others| [others, &definitions].concat());
        let strangers = document.strangers(&SCHEMA);
        for (number, definition) in definitions.iter().enumerate() {
            let number = number.to_string();
            let part = Part {
                document,
                path: &["definitions", &number],
                strangers: &strangers,
            };
            let mut mistakes = part.mistakes(definition, names, &taken);
            if let (Some(others), true) = (&others, mistakes.is_empty()) {
                mistakes = part.childless(definition, others);
            }
            self.mistakes.extend(mistakes);
            taken.push(&definition.name);
        }
        definitions
    }

    fn providers(&mut self, file: &FileProviders) -> Providers {
        let allowed = file.allowed.as_ref().map(|allowed| {
            let named = allowed.iter().enumerate();
            named
                .map(|(at, provider)| self.provider(&["allowed", &at.to_string()], provider))
                .collect()
        });
        Providers {
            allowed,
            extract: self.provider(&["extract"], &file.extract),
            email: self.provider(&["email"], &file.email),
            default: match &file.default {
                Some(provider) => self.provider(&["default"], provider),
                None => by_hand(),
            },
            roles: file
                .roles
                .iter()
                .map(|(role, provider)| (role.clone(), self.provider(&["roles", role], provider)))
                .collect(),
        }
    }

    fn provider(&mut self, of: &[&str], file: &FileProvider) -> ProviderName {
        let text = file.0.trim();
        let parsed = text.parse::<ProviderName>();
        let refusal = match (&parsed, self.vocabulary.offer) {
            (Ok(ProviderName::Http(name)), Some(offer)) => offer.refusal(name),
            (Ok(_), _) => None,
            (Err(_), Some(offer)) => Some(offer.unknown(text)),
            (Err(_), None) => Some(format!(
                "{} is no provider; write `rules`, `manual`, or `http:NAME` for an endpoint of the server",
                quoted(text)
            )),
        };
        if let Some(refusal) = refusal {
            let path: Vec<&str> = ["providers"].iter().chain(of).copied().collect();
            self.value(&path, refusal);
        }
        parsed.unwrap_or_default()
    }
}

#[cfg(test)]
#[path = "repository_tests.rs"]
mod tests;
