//! The core: what a workflow is and how it answers. Pure: no input or output, no clock, nothing asynchronous.
//!
//! [`decide`](decide::decide) turns a command into events or a refusal, [`apply`](apply::apply) folds events into a
//! [`State`](state::State), and [`plan`](plan::plan) says what an event asks of the outside. A definition is data;
//! nothing here knows what an agent or an act is for.

pub mod act;
pub mod apply;
pub mod approval;
pub mod artifact;
pub mod asking;
pub mod awaits;
pub mod budget;
pub mod children;
pub mod command;
pub mod decide;
pub mod definition;
pub mod event;
pub mod fork;
pub mod gate;
pub mod guidelines;
pub mod ids;
pub mod judging;
pub mod labels;
pub mod notification;
pub mod plan;
pub mod repair;
pub mod right;
pub mod state;
pub mod unanswered;
pub mod variants;
pub mod why;
pub mod words;

#[cfg(test)]
mod tests;
