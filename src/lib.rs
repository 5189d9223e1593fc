//! Countersign: agents propose, people countersign, GitHub remembers.
//!
//! The house, from the street to the cellar. Arrows run downwards only.
//!
//! | room | what it is for |
//! | --- | --- |
//! | [`cli`] | one file per subcommand; the only place that joins the server and the sandbox |
//! | [`web`] | router: the webhook, health, metrics |
//! | [`inbox`] | signature, delivery triage, the sweep of missed deliveries |
//! | [`engine`] | lanes, leases, effect runner, timers, recovery, repair |
//! | [`chat`] | what people write and what the bot says |
//! | [`agents`] | one file per agent: inputs, prompt, schema, host checks |
//! | [`providers`] | where an agent's text comes from |
//! | [`github`] | the only room that knows octocrab |
//! | [`mail`] | the only room that knows lettre |
//! | [`notify`] | telling others than GitHub what happened |
//! | [`store`] | the only room that holds SQL |
//! | [`config`] | raw to valid: the server's settings and a repository's file |
//! | [`figures`] | what is counted, by which name; every room may count |
//! | [`traces`] | where the work at hand is in a trace, and the way to a collector; the only room that knows OpenTelemetry |
//! | [`outgoing`] | clients for HTTP: how they are made, and what they trust |
//! | [`text`] | what a reader sees of a text, how it is split, how it is repeated harmlessly; knows no other room |
//! | [`workflow`] | the core: pure, no input or output, no clock, nothing asynchronous |
//! | [`sandbox`] | a GitHub in memory; imports nothing of the house and speaks HTTP only |
#![forbid(unsafe_code)]

pub mod agents;
pub mod chat;
pub mod cli;
pub mod config;
pub mod engine;
pub mod figures;
pub mod github;
pub mod inbox;
pub mod mail;
pub mod notify;
pub mod outgoing;
pub mod providers;
pub mod sandbox;
pub mod store;
pub mod text;
pub mod traces;
pub mod web;
pub mod workflow;
