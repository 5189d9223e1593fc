//! Everything that the bot says on GitHub: pure functions from plain data to Markdown.
//!
//! No other room holds a sentence that a person reads there, apart from the help of the verbs. Text of people and
//! agents is repeated through [`harmless`](crate::text::harmless) or inside code only; hidden markers are the GitHub
//! room's to append.

pub mod approval;
pub mod boxes;
pub mod card;
pub mod children;
pub mod guidelines;
pub mod next;
pub mod replies;
pub mod view;
pub mod why;

mod comparison;
pub mod document;
pub mod judges;
mod mail;
mod markup;
mod outcomes;
mod pages;
mod phrases;
pub mod reasons;
mod record;
pub mod spending;
mod tasks;

pub(super) use markup::code;
pub use markup::grouped;
pub use phrases::{right, standing};

#[cfg(test)]
mod fixtures;
