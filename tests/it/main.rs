//! Tests through the front door, and the contract with GitHub.

mod contract;
mod world;

mod bad_input;
mod crash;
mod cli;
mod examples;
mod faults;
mod once;
mod start;
mod story;
