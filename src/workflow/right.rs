//! Rights on a repository, and what a verb asks for.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::ids::UserId;

/// A person as the record keeps them: the id counts, the login is for reading.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The account's id, which survives renames.
    pub id: UserId,
    /// The login at the time.
    pub login: String,
}

/// Above every account's id of GitHub: from here on ids are of users of an operating system.
const OPERATORS: u64 = 1 << 48;

impl Person {
    /// A user of the operating system that the program runs on.
    pub fn operator(user: u32, name: String) -> Self {
        Self {
            id: UserId(OPERATORS | u64::from(user)),
            login: name,
        }
    }

    /// Whether it is a user of the operating system, and not one of GitHub.
    pub fn is_operator(&self) -> bool {
        self.id.0 >= OPERATORS
    }
}

/// A right on a repository, least first.
///
/// The names are GitHub's role names
/// (<https://docs.github.com/organizations/managing-user-access-to-your-organizations-repositories/managing-repository-roles/repository-roles-for-an-organization>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Right {
    /// No access beyond what the public has.
    None,
    /// May read.
    Read,
    /// May manage issues.
    Triage,
    /// May push.
    Write,
    /// May manage the repository.
    Maintain,
    /// May do everything.
    Admin,
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Read => "read",
            Self::Triage => "triage",
            Self::Write => "write",
            Self::Maintain => "maintain",
            Self::Admin => "admin",
        })
    }
}

/// What somebody is to the subject, whatever their right on the repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// Opened the issue or pull request.
    Author,
    /// Is assigned to it.
    Assignee,
}

/// What a verb asks of the person who uses it: this right, or one of these standings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Requirement {
    /// The least right that suffices alone.
    pub right: Right,
    /// Standings that suffice without the right.
    pub or: &'static [Standing],
}

impl Requirement {
    /// Anybody may.
    pub const ANYONE: Self = Self::at_least(Right::None);

    /// Only the right counts.
    pub const fn at_least(right: Right) -> Self {
        Self { right, or: &[] }
    }

    /// The same, raised to at least `floor`: configuration may ask for more, never for less.
    /// A raised requirement keeps none of its standings but the author's: whoever opened an issue may always stop what
    /// is done about it.
    pub fn raised_to(self, floor: Right) -> Self {
        if floor <= self.right {
            return self;
        }
        let or: &[Standing] = if self.or.contains(&Standing::Author) {
            &[Standing::Author]
        } else {
            &[]
        };
        Self { right: floor, or }
    }

    /// Whether somebody with this right and these standings meets it.
    pub fn met_by(&self, right: Right, standings: &[Standing]) -> bool {
        right >= self.right || standings.iter().any(|standing| self.or.contains(standing))
    }
}
