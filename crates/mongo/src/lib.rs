//! The only user of the MongoDB driver: connecting, facts, the oplog, the catalog, reading ranges, writing documents,
//! indexes. Documents pass through as raw BSON; every write is confirmed by a majority.

mod connection;
mod connection_string;
mod error;
mod facts;
mod fault;
mod optimes;

pub use connection::Cluster;
pub use connection_string::{parse_uri, uri_without_secrets};
pub use error::{Cause, MongoError};
pub use facts::{ClusterFacts, ServerVersion, Topology, facts, identity};
pub use fault::{Fault, classify, classify_code};
pub use optimes::{LastOptimes, append_note, last_optimes, oplog_bounds, wait_for_majority};
