//! The calls, one file per family. Each answers with a small struct of ours.

pub mod app;
pub mod checks;
pub mod comments;
mod discussions;
pub mod graphql;
pub mod issues;
pub mod labels;
pub mod links;
pub mod people;
pub mod repository;
pub mod teams;
pub mod thread;
