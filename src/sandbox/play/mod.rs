//! Conversations that are played without a person: a script says what people do on this GitHub and what must come of
//! it, the player does it, prints it as it happens, and stops where it comes out otherwise.
//!
//! The player knows the sandbox and nothing of the bot: whoever calls [`play`] owns the bot, lets it work and passes
//! time, as a [`Backstage`].
//!
//! | file | what it is for |
//! | --- | --- |
//! | `script` | the form of a script |
//! | `player` | a play from its first step to its last, and the acts |
//! | `expect` | expectations |
//! | `golden` | expected texts with placeholders |
//! | `observe` | what became different in the world |
//! | `print` | the conversation for a reader |
//! | `model` | what is answered in a model's place, and what a model must have been asked |
//! | `mail` | a mail, and how an `.eml` file is read |

mod expect;
mod golden;
mod mail;
mod model;
mod observe;
mod player;
mod print;
mod script;
#[cfg(test)]
mod tests;

pub use mail::Mail;
pub use player::{Backstage, PlayError, play};
pub use print::Colour;
pub use script::{Script, ScriptError};
