//! Holds what the bot asks of GitHub, and what the sandbox answers and sends, to GitHub's own descriptions:
//! `tests/data/github-openapi.json` (npm `@octokit/openapi`) and `tests/data/github-webhooks.json` (npm
//! `@octokit/webhooks-schemas`), cut down by `scripts/trim-openapi.mjs` and `scripts/trim-webhooks.mjs`.
//!
//! Paths are those of the REST API without the prefix of a GitHub Enterprise Server (`/api/v3`).

mod committed;
mod examples;
mod exceptions;
mod openapi;
mod schema;
mod tests;
mod webhooks;

pub use examples::{github_com_examples, webhook_examples};
pub use openapi::{check_answer, check_answer_fields, check_request};
pub use webhooks::check_webhook;
