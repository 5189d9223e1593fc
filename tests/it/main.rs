//! Tests through the front door, and the contract with GitHub.

mod contract;
mod world;

mod approval;
mod backup;
mod bad_input;
mod children;
mod cli;
mod crash;
mod dialects;
mod doctor;
mod examples;
mod faults;
mod gates;
mod golden;
mod injection;
mod jpa;
mod kept;
mod levels;
mod limits;
mod models;
mod once;
mod postgres;
mod proposed;
mod providers;
mod reading;
mod repair;
mod retention;
mod rights;
mod solve;
mod stages;
mod start;
mod story;
mod terminal;
mod variants;
mod writes;
