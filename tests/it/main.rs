//! Tests through the front door, and the contract with GitHub.

mod contract;
mod world;

mod cli;
mod story;
