//! Every promise of the testbed, kept by real servers.

#![allow(clippy::unwrap_used)] // Clippy only knows the test functions themselves, not what they call.

mod data;
mod nats;
mod owner;
mod proxy;
mod replica_sets;
mod tools;
mod workload;
