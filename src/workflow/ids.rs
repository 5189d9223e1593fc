//! Newtypes for what can be confused.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

macro_rules! number {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )+};
}

macro_rules! text {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// The text as it is stored and shown.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }
    )+};
}

number! {
    /// A repository's numeric id: survives renames and transfers.
    RepositoryId,
    /// An account's numeric id: survives renames; logins do not.
    UserId,
    /// An App installation.
    InstallationId,
    /// A comment's numeric id (issue comment, review or line comment; see `CommentKind`).
    CommentId,
    /// An issue's or pull request's number within its repository.
    IssueNumber,
    /// An issue's database id, which sub-issues and dependencies ask for instead of the number.
    IssueId,
}

text! {
    /// A workflow's id: short, lower case, unique in one database.
    WorkflowId,
    /// A phase's name within its definition.
    PhaseId,
    /// `X-GitHub-Delivery`.
    DeliveryId,
    /// An effect's id, derived from what caused it, so that planning it again gives the same id.
    EffectId,
}

impl WorkflowId {
    /// The id of a workflow that this caused: the same cause, the same workflow.
    pub fn derived(cause: &str) -> Self {
        let name = data_encoding::BASE32_NOPAD.encode(Digest::of_bytes(cause.as_bytes()).as_bytes());
        Self(format!("w{}", name[..9].to_lowercase()))
    }
}

/// SHA-256 over canonical JSON (RFC 8785). Shown by its first twelve hex digits, compared in full.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// How many hex digits name a digest to people.
    pub const SHORT: usize = 12;

    /// The digest of a value's canonical JSON (RFC 8785).
    ///
    /// # Panics
    /// If the value cannot be written as JSON (a map whose keys are no strings): a mistake in our own types.
    pub fn of<T: Serialize>(value: &T) -> Self {
        let canonical = serde_json_canonicalizer::to_vec(value).expect("our own types are JSON");
        Self::of_bytes(&canonical)
    }

    /// The digest of bytes as they are.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The bytes themselves.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The first twelve hex digits: what a card shows and `/approve` takes.
    pub fn short(&self) -> String {
        self.to_string()[..Self::SHORT].to_owned()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({})", self.short())
    }
}

impl std::str::FromStr for Digest {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = data_encoding::HEXLOWER_PERMISSIVE
            .decode(text.as_bytes())
            .map_err(|error| format!("not a hex digest: {error}"))?;
        let bytes: [u8; 32] = bytes.try_into().map_err(|_| "a digest has 64 hex digits".to_owned())?;
        Ok(Self(bytes))
    }
}

impl Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}
