//! Tells the outside what happens: webhooks, a command hook, and whoever follows GET /api/v1/events.
//!
//!     status ──▶ news ──▶ Announced (bus) ──▶ webhooks, command hook; then it is no longer pending
//!                               └──▶ GET /api/v1/events
//!
//! What happened is recorded before it is told, so each event is told at least once, also behind a kill, and under one id.
//! Nothing here holds up the migration.

mod announcer;
mod command_hook;
mod news;
mod post;
mod target;
mod webhook;

pub use announcer::Announcer;
pub use target::Targets;
