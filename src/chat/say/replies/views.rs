//! Answers to people who ask how things stand.
