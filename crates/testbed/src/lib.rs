//! Real servers for the tests, for `mongoferry demo`, and (nats-server alone) for `mongoferry migrate`: binaries found or
//! provisioned, replica sets, nats-server, a TCP proxy that misbehaves on demand, believable data, concurrent writers, and
//! a comparison that shares nothing with the product's verifier.
//!
//! Whatever is started here ends with its owner: on drop, after a panic, and when the owner is killed with SIGKILL.

mod equality;
mod free_port;
mod nats_cluster;
mod nats_server;
mod proxy_port;
mod replica_set;
mod scratch_dir;
mod server_process;
mod testbed_error;

pub mod seed;
pub mod tools;
pub mod workload;

pub use equality::{assert_equal, differences};
pub use nats_cluster::NatsCluster;
pub use nats_server::{NatsCredentials, NatsServer, NatsServerBuilder};
pub use proxy_port::{ProxyMode, ProxyPort};
pub use replica_set::{ReplicaSet, ReplicaSetBuilder, UserDocument};
pub use seed::{SeedSize, SeedSummary};
pub use testbed_error::TestbedError;
pub use tools::{Mongod, MongodVersion};
pub use workload::{Counts, Workload, WorkloadOptions};
