//! Answers: one function each, and each ends with the command that goes on from there.
//!
//! Reactions say that a comment was seen (👀), did what it said (🚀) or did not (👎); a comment of ours is due only
//! where a person has to know more. `/hold` and `/unhold` are acknowledged by a reaction and the card alone.

mod notices;
mod people;
mod refusals;
mod views;

pub use notices::*;
pub use people::*;
pub use refusals::*;
pub use views::*;

#[cfg(test)]
mod tests;
