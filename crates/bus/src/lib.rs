//! The only user of NATS: everything the stages exchange goes through here, typed.
//!
//! [`Bus`] is one migration's part of a NATS server. On it are the records of the migration ([`Records`], one KV bucket), the
//! work queues ([`WorkQueue`]), the chain of oplog batches ([`BatchPublisher`], [`BatchReader`]), leases ([`Lease`]) and
//! heartbeats. `topology.rs` shows every stream, bucket and consumer on one screen.

mod batch_fragments;
mod batch_publisher;
mod batch_reader;
mod connection;
mod error;
mod heartbeats;
pub mod key;
mod lease;
mod limits;
mod look;
mod mirror;
mod phase_watch;
mod records;
mod split_value;
mod suspended_clock;
mod topology;
mod work_queue;

pub use batch_fragments::BatchJoiner;
pub use batch_publisher::{BatchPublisher, StoredBatch};
pub use batch_reader::BatchReader;
pub use connection::{Bus, BusOptions, BusStorage};
pub use error::BusError;
pub use heartbeats::HeartbeatListener;
pub use key::Key;
pub use lease::Lease;
pub use limits::BusLimits;
pub use look::look;
pub use mirror::Mirror;
pub use phase_watch::PhaseWatch;
pub use records::{Records, Versioned};
pub use split_value::StoredValue;
pub use suspended_clock::SuspendedClock;
pub use work_queue::{WorkQueue, WorkTicket};
