//! Answers: one function each, and each ends with the command that goes on from there.
//!
//! Reactions say that a comment was seen (👀), did what it said (🚀) or did not (👎); a comment of ours is due only
//! where a person has to know more. What the card shows at once is acknowledged by the reaction alone: that a workflow
//! started, `/hold`, `/unhold`, an edit, an approval. The end, which an edited card tells nobody, gets one
//! ([`ended`]). Malformed and unknown commands are answered by the table of verbs, which knows their usage.

mod beginnings;
mod by_hand;
mod card;
mod levels;
mod notices;
mod people;
mod proposed;
mod questions;
mod refusals;
mod repair;
mod views;

pub use super::phrases::topic;
pub use beginnings::*;
pub use by_hand::*;
pub use card::*;
pub use levels::*;
pub use notices::*;
pub use people::*;
pub use proposed::*;
pub use questions::*;
pub use refusals::*;
pub use repair::*;
pub use views::*;

#[cfg(test)]
mod tests;
