//! What people may do on a repository.

/// GitHub's order of rights on a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    None,
    Read,
    Triage,
    Write,
    Maintain,
    Admin,
}

impl Level {
    /// The name that GitHub gives to this level as a role.
    pub fn role_name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Read => "read",
            Self::Triage => "triage",
            Self::Write => "write",
            Self::Maintain => "maintain",
            Self::Admin => "admin",
        }
    }

    /// The older four-step name: `maintain` counts as `write` and `triage` as `read`.
    pub fn legacy_permission(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Read | Self::Triage => "read",
            Self::Write | Self::Maintain => "write",
            Self::Admin => "admin",
        }
    }
}

/// What a person was given on a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    None,
    Read,
    Triage,
    Write,
    Maintain,
    Admin,
    /// An organisation's own role.
    Custom(CustomRole),
}

/// An organisation's own role: it inherits from a base and may add single rights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomRole {
    pub name: String,
    /// What it inherits from; GitHub answers `permission` with this one's older name.
    pub base: Level,
    /// What the role's holder may really do, shown by `user.permissions`.
    pub effective: Level,
}

impl Role {
    /// A role of the organisation's own.
    pub fn custom(name: &str, base: Level, effective: Level) -> Self {
        Self::Custom(CustomRole {
            name: name.to_owned(),
            base,
            effective,
        })
    }

    /// What GitHub's older `permission` field is derived from.
    pub fn base(&self) -> Level {
        match self {
            Self::None => Level::None,
            Self::Read => Level::Read,
            Self::Triage => Level::Triage,
            Self::Write => Level::Write,
            Self::Maintain => Level::Maintain,
            Self::Admin => Level::Admin,
            Self::Custom(role) => role.base,
        }
    }

    /// What its holder may do.
    pub fn effective(&self) -> Level {
        match self {
            Self::Custom(role) => role.effective,
            standard => standard.base(),
        }
    }

    /// The name in `role_name`.
    pub fn name(&self) -> &str {
        match self {
            Self::Custom(role) => &role.name,
            standard => standard.base().role_name(),
        }
    }
}
