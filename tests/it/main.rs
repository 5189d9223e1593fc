//! Tests through the front door, and the contract with GitHub.

mod contract;
mod world;

mod reading;
mod rights;
mod story;
