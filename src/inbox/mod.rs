//! What GitHub sends: who signed it, what becomes of it, what never came.

pub mod signature;
pub mod sweep;
pub mod triage;
