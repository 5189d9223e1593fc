//! What an operator may rely on, with real parts: the real program as a process of its own, killed, frozen, cut off from
//! its database, told another time, on a disk that is full; people and GitHub go on meanwhile. At the end everything is
//! counted exactly, from GitHub's own record, the mail that arrived, and the database.
//!
//! `docs/reliability.md` says what is promised and which of these tests holds it. Those that are `long_…` are ignored
//! unless they are asked for.

#[allow(dead_code, reason = "each test binary uses a part of it")]
#[path = "../postgres/cluster.rs"]
mod cluster;
#[path = "../parts/invariants.rs"]
mod invariants;
#[allow(dead_code, reason = "each test binary uses a part of it")]
#[path = "../parts/program.rs"]
mod program;

mod clock;
mod count;
mod people;
mod post;
mod servers;
mod stage;

mod clocks;
mod database;
mod disk;
mod freeze;
mod kill;
mod replicas;
mod storm;
mod upgrade;
