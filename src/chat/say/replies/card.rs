//! Answers about a card that is not what the bot wrote.

use crate::chat::say::markup::code;
use crate::workflow::ids::Digest;

/// The boxes of the card say something else than the proposal.
pub fn boxes_differ(current: Option<&Digest>) -> String {
    format!(
        "The boxes on the card were not what I would have done, so I approved nothing and have drawn it anew. {}",
        look_again(current)
    )
}

/// The card shows something else of the bot's own than what could be approved.
pub fn card_was_behind(current: Option<&Digest>) -> String {
    format!(
        "The card did not show yet what there is to approve, so I approved nothing and have drawn it anew. {}",
        look_again(current)
    )
}

/// The card was deleted.
pub fn card_was_deleted(current: Option<&Digest>) -> String {
    format!(
        "The card was deleted, so nobody could see what was approved; I have posted it anew. {}",
        look_again(current)
    )
}

fn look_again(current: Option<&Digest>) -> String {
    match current {
        Some(current) => format!("Look at it, then: {}", code(&format!("/approve {}", current.short()))),
        None => format!("How it stands: {}", code("/status")),
    }
}
