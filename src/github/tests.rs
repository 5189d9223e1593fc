//! The transport and the calls, against a small server that answers as told and remembers what it was asked.

mod app;
mod calls;
mod fake;
mod identity;
mod transport;
