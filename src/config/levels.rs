//! The levels above a repository: its owner's, which is a file of the owner's `.github` repository, and the server's.
//!
//! A lower level may ask for more where security is concerned and choose freely elsewhere. What it asks for less of is not
//! a mistake of its file, which may be older than the one above: it has no effect, and `/explain` says so.

use std::collections::{BTreeMap, BTreeSet};

use super::address::Mailbox;
use super::document::{ConfigError, Document};
use super::repository::{GuidelinesFile, Limits, ProviderName, Providers, Recipients, RepositoryConfig};
use crate::workflow::notification::Kind;
use crate::workflow::right::Right;

/// Who says something, the uppermost first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Setter {
    /// The server's operator.
    Server,
    /// The owner's `.github` repository.
    Owner,
    /// The repository's own file.
    Repository,
}

/// Settings with who says them, as against what holds where nobody does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Level {
    /// What holds by this level, and by those under it, alone.
    pub config: RepositoryConfig,
    /// Who says a key; a key that nobody says is not there.
    says: BTreeMap<String, BTreeSet<Setter>>,
}

impl Level {
    /// One file, which was read as `config`.
    pub fn of(setter: Setter, config: RepositoryConfig, text: &str) -> Self {
        let mut keys: Vec<String> = Vec::new();
        if let Ok(document) = Document::parse(text) {
            keys.extend(document.keys(&[]).into_iter().map(str::to_owned));
            for part in ["limits", "providers"] {
                keys.extend(document.keys(&[part]).into_iter().map(|key| format!("{part}.{key}")));
            }
        }
        keys.extend(config.permissions.keys().map(|verb| format!("permissions.{verb}")));
        keys.extend(config.providers.roles.keys().map(|role| of_role(role)));
        let says = keys.into_iter().map(|key| (key, BTreeSet::from([setter]))).collect();
        Self { config, says }
    }

    /// The server's file.
    ///
    /// # Errors
    /// What it says and only a repository may.
    pub fn of_server(config: RepositoryConfig, text: &str) -> Result<Self, Vec<ConfigError>> {
        match Document::parse(text) {
            Ok(document) if !config.definitions.is_empty() => Err(vec![document.key_at(&["definitions"]).error(
                "a definition belongs to a repository; take it out, and put it into that repository's .github/countersign/",
            )]),
            _ => Ok(Self::of(Setter::Server, config, text)),
        }
    }

    fn says(&self, key: &str) -> bool {
        self.says.contains_key(key)
    }

    fn sayers(&self, key: &str) -> BTreeSet<Setter> {
        self.says.get(key).cloned().unwrap_or_default()
    }
}

fn of_role(role: &str) -> String {
    format!("providers.roles.{role}")
}

/// A setting in force, and by whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The key, as it is written in the file.
    pub key: String,
    /// What holds.
    pub value: String,
    /// Who decided: more than one where each adds to it, or they agree.
    pub by: BTreeSet<Setter>,
    /// What a lower level says and an upper one does not allow.
    pub without_effect: Option<String>,
}

/// What holds in a repository under the levels above it, and where each setting comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Joined {
    /// What holds. `approval` is the repository's own: what stands above is asked for beside it.
    pub config: RepositoryConfig,
    /// The settings that one of the levels says something about.
    pub origins: Vec<Origin>,
}

/// The files that hold in a repository.
#[derive(Debug, Clone, Copy)]
pub struct Levels<'a> {
    /// The server's.
    pub server: &'a Level,
    /// The owner's.
    pub owner: &'a Level,
    /// The repository's own.
    pub repository: &'a Level,
}

/// Puts a repository's file under the levels above it. `usable` tells whether an endpoint or a definition that only an
/// upper one named can be had in this repository.
pub fn join(levels: Levels<'_>, usable: Usable<'_>) -> Joined {
    let below = under(levels.owner, levels.repository, &[], usable);
    let says = below.origins.iter().map(|of| (of.key.clone(), of.by.clone())).collect();
    let level = Level {
        config: below.config,
        says,
    };
    under(levels.server, &level, &below.origins, usable)
}

/// One level under another. `origins` are those of the lower one, where it is itself what two others lead to.
fn under(above: &Level, below: &Level, origins: &[Origin], usable: Usable<'_>) -> Joined {
    let mut join = Join {
        above,
        below,
        usable,
        former: origins,
        origins: Vec::new(),
    };
    let config = RepositoryConfig {
        mail: join.mail(),
        permissions: join.permissions(),
        aliases: {
            let mut all = above.config.aliases.clone();
            all.extend(below.config.aliases.clone());
            all
        },
        limits: join.limits(),
        definition: join.definition(),
        providers: join.providers(),
        caps: above.config.caps.tightened_by(&below.config.caps),
        approval: below.config.approval.clone(),
        guidelines: join.guidelines(),
        notifications: join.notifications(),
        // Those in an owner's file are of its own repository.
        definitions: below.config.definitions.clone(),
    };
    for key in ["aliases", "caps", "approval"] {
        join.added(key);
    }
    Joined {
        config,
        origins: join.origins,
    }
}

/// What can be had in a repository of what an upper level names.
#[derive(Clone, Copy)]
pub struct Usable<'a> {
    /// Whether there is such a definition.
    pub definition: &'a dyn Fn(&str) -> bool,
    /// Whether the server offers this provider to the repository.
    pub provider: &'a dyn Fn(&ProviderName) -> bool,
}

struct Join<'a> {
    above: &'a Level,
    below: &'a Level,
    usable: Usable<'a>,
    former: &'a [Origin],
    origins: Vec<Origin>,
}

/// Which of two levels decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Above,
    Below,
    Both,
}

impl Join<'_> {
    fn sayers(&self, key: &str, by: By) -> BTreeSet<Setter> {
        let (above, below) = (self.above.sayers(key), self.below.sayers(key));
        match by {
            By::Above => above,
            By::Below => below,
            By::Both => above.union(&below).copied().collect(),
        }
    }

    fn set(&mut self, key: &str, value: impl ToString, by: By, without_effect: Option<String>) {
        let by = self.sayers(key, by);
        self.set_by(key, value, by, without_effect);
    }

    fn set_by(&mut self, key: &str, value: impl ToString, by: BTreeSet<Setter>, without_effect: Option<String>) {
        let former = self.former.iter().find(|origin| origin.key == key);
        let former = former.and_then(|origin| origin.without_effect.clone());
        let without: Vec<String> = without_effect.into_iter().chain(former).collect();
        self.origins.push(Origin {
            key: key.to_owned(),
            value: value.to_string(),
            by,
            without_effect: (!without.is_empty()).then(|| without.join(", ")),
        });
    }

    /// A part to which each level adds.
    fn added(&mut self, key: &str) {
        if self.above.says(key) || self.below.says(key) {
            self.set(key, "", By::Both, None);
        }
    }

    /// The upper list is all that mail may go to; a lower level takes from it, or the whole.
    fn mail(&mut self) -> Recipients {
        let (above, own) = (&self.above.config.mail, &self.below.config.mail);
        let named = self.above.says("mail") && !(above.to.is_empty() && above.cc.is_empty());
        let shown = |mail: &Recipients| addresses(mail.to.iter().chain(&mail.cc));
        match (named, self.below.says("mail")) {
            (false, false) => Recipients::default(),
            (false, true) => {
                let own = own.clone();
                self.set("mail", shown(&own), By::Below, None);
                own
            }
            (true, false) => {
                let above = above.clone();
                self.set("mail", shown(&above), By::Above, None);
                above
            }
            (true, true) => {
                let allowed: BTreeSet<String> = above.to.iter().chain(&above.cc).map(folded).collect();
                let pick = |list: &[Mailbox]| {
                    let (taken, left): (Vec<_>, Vec<_>) =
                        list.iter().cloned().partition(|one| allowed.contains(&folded(one)));
                    (taken, left)
                };
                let ((to, mut left), (cc, more)) = (pick(&own.to), pick(&own.cc));
                left.extend(more);
                // Nobody is left to write to: a copy alone is no mail.
                let cc = if to.is_empty() { Vec::new() } else { cc };
                let taken = Recipients { to, cc };
                let left = (!left.is_empty()).then(|| addresses(left.iter()));
                self.set("mail", shown(&taken), By::Both, left);
                taken
            }
        }
    }

    fn permissions(&mut self) -> BTreeMap<String, Right> {
        let (above, own) = (&self.above.config.permissions, &self.below.config.permissions);
        let mut all = above.clone();
        let verbs: BTreeSet<&String> = above.keys().chain(own.keys()).collect();
        for verb in verbs {
            let (above, own) = (above.get(verb).copied(), own.get(verb).copied());
            let Some(right) = above.max(own) else { continue };
            let by = match (above == Some(right), own == Some(right)) {
                (true, true) => By::Both,
                (true, false) => By::Above,
                (false, _) => By::Below,
            };
            let lower = own.filter(|own| *own < right).map(|own| own.to_string());
            self.set(&format!("permissions.{verb}"), right, by, lower);
            all.insert(verb.clone(), right);
        }
        all
    }

    fn limits(&mut self) -> Limits {
        let (above, own) = (self.above.config.limits, self.below.config.limits);
        Limits {
            tasks: self.limit("limits.tasks", above.tasks, own.tasks),
            comments: self.limit("limits.comments", above.comments, own.comments),
            guidelines: self.limit("limits.guidelines", above.guidelines, own.guidelines),
        }
    }

    /// An upper level may forbid them, and names a file for those who name none.
    fn guidelines(&mut self) -> GuidelinesFile {
        let (above, own) = (&self.above.config.guidelines, &self.below.config.guidelines);
        let (chosen, by, without) = match (above, own) {
            (GuidelinesFile::AsDefined, GuidelinesFile::AsDefined) => return GuidelinesFile::AsDefined,
            (GuidelinesFile::Off, GuidelinesFile::Off) => (own, By::Both, None),
            (GuidelinesFile::Off, GuidelinesFile::AsDefined) => (above, By::Above, None),
            (GuidelinesFile::Off, GuidelinesFile::At(path)) => (above, By::Above, Some(path.clone())),
            (_, GuidelinesFile::AsDefined) => (above, By::Above, None),
            (_, own) => (own, By::Below, None),
        };
        let chosen = chosen.clone();
        self.set("guidelines", &chosen, by, without);
        chosen
    }

    fn limit(&mut self, key: &str, above: u32, own: u32) -> u32 {
        match (self.above.says(key), self.below.says(key)) {
            (true, true) => {
                let by = if own <= above { By::Below } else { By::Above };
                let higher = (own > above).then(|| own.to_string());
                self.set(key, own.min(above), by, higher);
                own.min(above)
            }
            (true, false) => {
                self.set(key, above, By::Above, None);
                above
            }
            (false, true) => {
                self.set(key, own, By::Below, None);
                own
            }
            (false, false) => own,
        }
    }

    /// What both let be told.
    fn notifications(&mut self) -> Option<BTreeSet<Kind>> {
        let (above, own) = (&self.above.config.notifications, &self.below.config.notifications);
        let words = |kinds: &mut dyn Iterator<Item = &Kind>| -> String {
            let words: Vec<&str> = kinds.map(|kind| kind.as_str()).collect();
            words.join(", ")
        };
        let (kinds, by, more) = match (above, own) {
            (None, None) => return None,
            (Some(above), None) => (above.clone(), By::Above, String::new()),
            (None, Some(own)) => (own.clone(), By::Below, String::new()),
            (Some(above), Some(own)) => (above & own, By::Both, words(&mut own.difference(above))),
        };
        let told = match kinds.is_empty() {
            true => "nothing".to_owned(),
            false => words(&mut kinds.iter()),
        };
        self.set("notifications", told, by, (!more.is_empty()).then_some(more));
        Some(kinds)
    }

    fn definition(&mut self) -> String {
        let (above, own) = (&self.above.config.definition, &self.below.config.definition);
        if self.below.says("definition") {
            self.set("definition", own, By::Below, None);
        } else if self.above.says("definition") && (self.usable.definition)(above) {
            self.set("definition", above, By::Above, None);
            return above.clone();
        }
        own.clone()
    }

    fn providers(&mut self) -> Providers {
        let (above, own) = (&self.above.config.providers, &self.below.config.providers);
        let mut roles = above.roles.clone();
        roles.extend(own.roles.clone());
        let allowed = match (&above.allowed, &own.allowed) {
            (Some(above), Some(own)) => Some(own.iter().filter(|one| above.contains(one)).cloned().collect()),
            (above, own) => above.clone().or_else(|| own.clone()),
        };
        if let Some(allowed) = &allowed {
            let names: Vec<String> = allowed.iter().map(ToString::to_string).collect();
            let by = match (above.allowed.is_some(), own.allowed.is_some()) {
                (true, true) => By::Both,
                (true, false) => By::Above,
                (false, _) => By::Below,
            };
            self.set("providers.allowed", names.join(", "), by, None);
        }
        let roles = roles
            .into_iter()
            .map(|(role, chosen)| {
                let by = match own.roles.contains_key(&role) {
                    true => By::Below,
                    false => By::Above,
                };
                let chosen = self.held(&of_role(&role), chosen, by, allowed.as_deref());
                (role, chosen)
            })
            .collect();
        Providers {
            extract: self.provider("extract", &above.extract, &own.extract, allowed.as_deref()),
            email: self.provider("email", &above.email, &own.email, allowed.as_deref()),
            default: self.provider("default", &above.default, &own.default, allowed.as_deref()),
            roles,
            allowed,
        }
    }

    fn provider(
        &mut self,
        key: &str,
        above: &ProviderName,
        own: &ProviderName,
        allowed: Option<&[ProviderName]>,
    ) -> ProviderName {
        let key = format!("providers.{key}");
        let (chosen, by) = match (self.below.says(&key), self.above.says(&key)) {
            (true, _) => (own, By::Below),
            (false, true) => (above, By::Above),
            (false, false) => return permitted(own.clone(), allowed).0,
        };
        self.held(&key, chosen.clone(), by, allowed)
    }

    fn held(&mut self, key: &str, chosen: ProviderName, by: By, allowed: Option<&[ProviderName]>) -> ProviderName {
        let usable = by == By::Below || (self.usable.provider)(&chosen);
        let (taken, refused) = match usable {
            true => permitted(chosen, allowed),
            false => (ProviderName::Manual, Some(chosen)),
        };
        let by = match usable && refused.is_some() {
            true => self.sayers("providers.allowed", By::Both),
            false => self.sayers(key, by),
        };
        self.set_by(key, &taken, by, refused.map(|refused| refused.to_string()));
        taken
    }
}

/// The provider, or a person in its place: people may always answer.
fn permitted(chosen: ProviderName, allowed: Option<&[ProviderName]>) -> (ProviderName, Option<ProviderName>) {
    let may = chosen == ProviderName::Manual || allowed.is_none_or(|allowed| allowed.contains(&chosen));
    match may {
        true => (chosen, None),
        false => (ProviderName::Manual, Some(chosen)),
    }
}

fn folded(mailbox: &Mailbox) -> String {
    mailbox.address().to_lowercase()
}

fn addresses<'a>(list: impl Iterator<Item = &'a Mailbox>) -> String {
    list.map(|one| one.address().to_owned()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
#[path = "levels_tests.rs"]
mod tests;
