//! Text of people and models: what a reader sees of it, what is left when all that is hidden is gone, how a line is
//! split into arguments, and how it is repeated on GitHub so that it does nothing there.
//!
//! Pure and total, and below every room that reads or writes text: none of them is known here.

pub mod arguments;
pub mod clean;
pub mod harmless;
pub mod visible;
