//! The checks, one file each. A check answers for itself: trouble in making it is a finding too.

pub(crate) mod bus;
pub(crate) mod bus_disk;
pub(crate) mod clocks;
pub(crate) mod disk;
pub(crate) mod encryption;
pub(crate) mod expiry;
pub(crate) mod field_names;
pub(crate) mod indexes;
pub(crate) mod kinds;
pub(crate) mod left_out;
pub(crate) mod login;
pub(crate) mod marker;
pub(crate) mod members;
pub(crate) mod names;
pub(crate) mod oplog;
pub(crate) mod overlap;
pub(crate) mod pem_files;
pub(crate) mod privileges;
pub(crate) mod reachable;
pub(crate) mod same_cluster;
pub(crate) mod topology;
pub(crate) mod users;
pub(crate) mod versions;
pub(crate) mod write_block;
pub(crate) mod writers;
