//! What people write and what the bot says.

pub mod harmless;
pub mod reader;
pub mod say;
