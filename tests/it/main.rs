//! Tests through the front door, and the contract with GitHub.

mod contract;
mod world;

mod bad_input;
mod cli;
mod examples;
mod start;
mod story;
