//! Raw to valid: the server's settings and a repository's file.
//!
//! Nothing in here calls GitHub, opens a socket or reads the process's environment: what is needed is passed in. A
//! value of [`ServerConfig`] or [`RepositoryConfig`] is proof that it was checked. Every mistake is reported, not only
//! the first, each with the place where it stands.

mod address;
mod approval_file;
mod caps_file;
mod database;
pub mod definition;
mod document;
mod github_api;
mod levels;
mod mail_url;
mod models;
mod models_file;
mod notifications;
mod notifications_file;
pub mod quorums;
mod repository;
mod secret;
mod server;
pub mod terminal;
mod traces_url;

#[cfg(test)]
mod published_tests;

pub use address::{AddressMistake, Mailbox};
pub use database::{DatabaseUrl, PostgresUrl};
pub use document::ConfigError;
pub use github_api::{GithubApiUrl, Pace, is_loopback};
pub use levels::{Joined, Level, Levels, Origin, Setter, Usable, join};
pub use mail_url::{Credentials, InDoubt, MailUrl, Security, SmtpUrl};
pub use models::{Dialect, Endpoint, EndpointName, Models, StructuredOutput};
pub use notifications::{Channel, NotificationEndpoint, Notifications, StandardUrl};
pub use repository::{
    GuidelinesFile, Limits, MOST_OF_GUIDELINES, Offer, ProviderName, Providers, Recipients, RepositoryConfig,
    Vocabulary, repository_schema,
};
pub use secret::{ApiKey, AppId, MailPassword, PrivateKey, SecretUrl, SigningSecret, WebhookSecret};
pub use server::{
    AppSettings, GuidelinesBytes, KeyCheck, Overrides, PerHour, PolicyFile, Problems, ServerConfig, Sources,
    server_schema,
};
pub use traces_url::TracesUrl;

/// Where a repository keeps its configuration, read from the default branch only.
pub const REPOSITORY_FILE: &str = ".github/countersign.yml";
