//! An owner's level above the repositories: what its `.github` repository says for all of them.
//!
//! A repository may ask for more where security is concerned and choose freely elsewhere. What it asks for less of is not
//! a mistake of its file, which may be older than the owner's: it has no effect, and `/explain` says so.

use std::collections::BTreeSet;

use super::address::Mailbox;
use super::document::Document;
use super::repository::{GuidelinesFile, Limits, ProviderName, Providers, Recipients, RepositoryConfig};
use crate::workflow::right::Right;

/// A file with what it says itself, as against what holds where it is silent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Level {
    /// What holds by this file alone.
    pub config: RepositoryConfig,
    says: BTreeSet<String>,
}

impl Level {
    /// A file that was read as `config`.
    pub fn of(config: RepositoryConfig, text: &str) -> Self {
        let mut says = BTreeSet::new();
        if let Ok(document) = Document::parse(text) {
            says.extend(document.keys(&[]).into_iter().map(str::to_owned));
            for part in ["limits", "providers"] {
                says.extend(document.keys(&[part]).into_iter().map(|key| format!("{part}.{key}")));
            }
        }
        Self { config, says }
    }

    fn says(&self, key: &str) -> bool {
        self.says.contains(key)
    }
}

/// Who decided a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setter {
    /// The owner's `.github` repository.
    Owner,
    /// The repository's own file.
    Repository,
    /// Both: each adds to it, or they agree.
    Both,
}

/// A setting in force, and by whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The key, as it is written in the file.
    pub key: String,
    /// What holds.
    pub value: String,
    /// Who decided.
    pub by: Setter,
    /// What the repository's file says and the owner's does not allow.
    pub without_effect: Option<String>,
}

/// What holds in a repository under its owner's level, and where each setting comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Joined {
    /// What holds. `approval` is the repository's own: the owner's is asked for beside it.
    pub config: RepositoryConfig,
    /// The settings that one of the two files says something about.
    pub origins: Vec<Origin>,
}

/// Puts a repository's file under its owner's. `usable` tells whether an endpoint or a definition that only the owner
/// named can be had in this repository.
pub fn join(owner: &Level, repository: &Level, usable: Usable<'_>) -> Joined {
    let mut join = Join {
        owner,
        repository,
        usable,
        origins: Vec::new(),
    };
    let config = RepositoryConfig {
        mail: join.mail(),
        permissions: join.permissions(),
        aliases: {
            let mut all = owner.config.aliases.clone();
            all.extend(repository.config.aliases.clone());
            all
        },
        limits: join.limits(),
        definition: join.definition(),
        providers: join.providers(),
        caps: owner.config.caps.tightened_by(&repository.config.caps),
        approval: repository.config.approval.clone(),
        guidelines: join.guidelines(),
        // Those in the owner's file are of its own repository.
        definitions: repository.config.definitions.clone(),
    };
    for key in ["aliases", "caps", "approval"] {
        join.added(key);
    }
    Joined {
        config,
        origins: join.origins,
    }
}

/// What can be had in a repository of what its owner names.
#[derive(Clone, Copy)]
pub struct Usable<'a> {
    /// Whether there is such a definition.
    pub definition: &'a dyn Fn(&str) -> bool,
    /// Whether the server offers this provider to the repository.
    pub provider: &'a dyn Fn(&ProviderName) -> bool,
}

struct Join<'a> {
    owner: &'a Level,
    repository: &'a Level,
    usable: Usable<'a>,
    origins: Vec<Origin>,
}

impl Join<'_> {
    fn set(&mut self, key: impl Into<String>, value: impl ToString, by: Setter, without_effect: Option<String>) {
        self.origins.push(Origin {
            key: key.into(),
            value: value.to_string(),
            by,
            without_effect,
        });
    }

    /// A part to which each file adds.
    fn added(&mut self, key: &str) {
        let by = match (self.owner.says(key), self.repository.says(key)) {
            (true, true) => Setter::Both,
            (true, false) => Setter::Owner,
            (false, true) => Setter::Repository,
            (false, false) => return,
        };
        self.set(key, "", by, None);
    }

    /// The owner's list is all that mail may go to; a repository takes from it, or the whole.
    fn mail(&mut self) -> Recipients {
        let (above, own) = (&self.owner.config.mail, &self.repository.config.mail);
        let named = self.owner.says("mail") && !(above.to.is_empty() && above.cc.is_empty());
        let shown = |mail: &Recipients| addresses(mail.to.iter().chain(&mail.cc));
        match (named, self.repository.says("mail")) {
            (false, false) => Recipients::default(),
            (false, true) => {
                let own = own.clone();
                self.set("mail", shown(&own), Setter::Repository, None);
                own
            }
            (true, false) => {
                let above = above.clone();
                self.set("mail", shown(&above), Setter::Owner, None);
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
                self.set("mail", shown(&taken), Setter::Both, left);
                taken
            }
        }
    }

    fn permissions(&mut self) -> std::collections::BTreeMap<String, Right> {
        let (above, own) = (&self.owner.config.permissions, &self.repository.config.permissions);
        let mut all = above.clone();
        let verbs: BTreeSet<&String> = above.keys().chain(own.keys()).collect();
        for verb in verbs {
            let (above, own) = (above.get(verb).copied(), own.get(verb).copied());
            let Some(right) = above.max(own) else { continue };
            let by = match (above == Some(right), own == Some(right)) {
                (true, true) => Setter::Both,
                (true, false) => Setter::Owner,
                (false, _) => Setter::Repository,
            };
            let lower = own.filter(|own| *own < right).map(|own| own.to_string());
            self.set(format!("permissions.{verb}"), right, by, lower);
            all.insert(verb.clone(), right);
        }
        all
    }

    fn limits(&mut self) -> Limits {
        let (above, own) = (self.owner.config.limits, self.repository.config.limits);
        Limits {
            tasks: self.limit("limits.tasks", above.tasks, own.tasks),
            comments: self.limit("limits.comments", above.comments, own.comments),
            guidelines: self.limit("limits.guidelines", above.guidelines, own.guidelines),
        }
    }

    /// The owner may forbid them, and names a file for those who name none.
    fn guidelines(&mut self) -> GuidelinesFile {
        let (above, own) = (&self.owner.config.guidelines, &self.repository.config.guidelines);
        let (chosen, by, without) = match (above, own) {
            (GuidelinesFile::AsDefined, GuidelinesFile::AsDefined) => return GuidelinesFile::AsDefined,
            (GuidelinesFile::Off, GuidelinesFile::Off) => (own, Setter::Both, None),
            (GuidelinesFile::Off, GuidelinesFile::AsDefined) => (above, Setter::Owner, None),
            (GuidelinesFile::Off, GuidelinesFile::At(path)) => (above, Setter::Owner, Some(path.clone())),
            (_, GuidelinesFile::AsDefined) => (above, Setter::Owner, None),
            (_, own) => (own, Setter::Repository, None),
        };
        let chosen = chosen.clone();
        self.set("guidelines", &chosen, by, without);
        chosen
    }

    fn limit(&mut self, key: &str, above: u32, own: u32) -> u32 {
        match (self.owner.says(key), self.repository.says(key)) {
            (true, true) => {
                let by = if own <= above {
                    Setter::Repository
                } else {
                    Setter::Owner
                };
                let higher = (own > above).then(|| own.to_string());
                self.set(key, own.min(above), by, higher);
                own.min(above)
            }
            (true, false) => {
                self.set(key, above, Setter::Owner, None);
                above
            }
            (false, true) => {
                self.set(key, own, Setter::Repository, None);
                own
            }
            (false, false) => own,
        }
    }

    fn definition(&mut self) -> String {
        let (above, own) = (&self.owner.config.definition, &self.repository.config.definition);
        if self.repository.says("definition") {
            self.set("definition", own, Setter::Repository, None);
        } else if self.owner.says("definition") && (self.usable.definition)(above) {
            self.set("definition", above, Setter::Owner, None);
            return above.clone();
        }
        own.clone()
    }

    fn providers(&mut self) -> Providers {
        let (above, own) = (&self.owner.config.providers, &self.repository.config.providers);
        let mut roles = above.roles.clone();
        roles.extend(own.roles.clone());
        let allowed = match (&above.allowed, &own.allowed) {
            (Some(above), Some(own)) => Some(own.iter().filter(|one| above.contains(one)).cloned().collect()),
            (above, own) => above.clone().or_else(|| own.clone()),
        };
        if let Some(allowed) = &allowed {
            let names: Vec<String> = allowed.iter().map(ToString::to_string).collect();
            let by = match (above.allowed.is_some(), own.allowed.is_some()) {
                (true, true) => Setter::Both,
                (true, false) => Setter::Owner,
                (false, _) => Setter::Repository,
            };
            self.set("providers.allowed", names.join(", "), by, None);
        }
        let roles = roles
            .into_iter()
            .map(|(role, chosen)| {
                let by = match own.roles.contains_key(&role) {
                    true => Setter::Repository,
                    false => Setter::Owner,
                };
                let chosen = self.held(&format!("providers.roles.{role}"), chosen, by, allowed.as_deref());
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
        let (chosen, by) = match (self.repository.says(&key), self.owner.says(&key)) {
            (true, _) => (own, Setter::Repository),
            (false, true) => (above, Setter::Owner),
            (false, false) => return permitted(own.clone(), allowed).0,
        };
        self.held(&key, chosen.clone(), by, allowed)
    }

    fn held(&mut self, key: &str, chosen: ProviderName, by: Setter, allowed: Option<&[ProviderName]>) -> ProviderName {
        let usable = by == Setter::Repository || (self.usable.provider)(&chosen);
        let (taken, refused) = match usable {
            true => permitted(chosen, allowed),
            false => (ProviderName::Manual, Some(chosen)),
        };
        let by = if refused.is_some() { Setter::Owner } else { by };
        self.set(key, &taken, by, refused.map(|refused| refused.to_string()));
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
