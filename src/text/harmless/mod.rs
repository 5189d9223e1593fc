//! Two ways to repeat somebody's text on GitHub so that it notifies nobody, hides nothing and commands no bot.
//!
//! [`literal`] shows a text exactly as it was typed, with no formatting at all: for what the bot quotes in its own
//! comments. [`markdown`] lets formatting be formatting and takes the effects out: for what becomes the text of an
//! issue.

pub mod attempts;
pub mod literal;
pub mod markdown;
pub mod names;
