//! What scenarios are made of: the built binaries, a migration as a user starts it, and its API.
//!
//! Everything is real: mongod and nats-server from the testbed, the product's binaries as child processes. Nothing here
//! uses the product's own verifier; equality is the testbed's.

mod binaries;
mod catalog_history;
mod client_certificate;
mod clusters;
pub mod every_collection;
pub mod every_index;
mod held_commands;
mod migration;
pub mod odd_values;
pub mod raw_writes;
mod set_changes;
mod signals;
mod stage_process;
mod terminal;

pub use binaries::binary;
pub use catalog_history::{CatalogHistory, Filling};
pub use client_certificate::log_in_by_certificate;
pub use clusters::Clusters;
pub use held_commands::HeldCommands;
pub use migration::{Migration, MigrationBuilder, Outcome};
pub use set_changes::{remove_and_add, restart_all, set_replication};
pub use signals::{child_if_any, child_of, children_of, is_running, kill, stop, suspend, wake};
pub use stage_process::StageProcess;
pub use terminal::Terminal;
