//! What people write and what the bot says.
//!
//! [`reader`] finds the lines of a comment that address the bot, [`verbs`] says what each of them asks, [`label`] what
//! a label does, [`request`] is that as a value, and [`say`] is every answer. Pure and total: whatever somebody writes, nothing here
//! panics, waits or asks anybody.

pub mod args;
pub mod label;
pub mod reader;
pub mod request;
pub mod say;
pub mod verbs;
