//! The core: what a workflow is and how it answers. Pure: no input or output, no clock, nothing asynchronous.

pub mod act;
pub mod ids;
pub mod right;
