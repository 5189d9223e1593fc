//! Providers: where an agent's text comes from. Whatever it is, the agent's checks judge its answer alike.
//!
//! `rules` answers at once and offline; `manual` is a person, whose answer comes as a command; `http` is a model behind
//! an API, whose calls are the engine's business because they cost money and fail.

pub mod http;
pub mod rules;
