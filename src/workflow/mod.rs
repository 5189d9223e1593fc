//! The core: what a workflow is and how it answers. Pure: no input or output, no clock, nothing asynchronous.

pub mod ids;
