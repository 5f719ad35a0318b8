//! The HTTP API of a running coordinator, as scripts use it.

mod document;
mod notifications;
mod receiver;
mod schema;
mod start;
mod support;
mod throttle;
mod token;
