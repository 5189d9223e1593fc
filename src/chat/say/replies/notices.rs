//! What the bot says of itself: something happened that a person has to know.
