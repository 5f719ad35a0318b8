//! The checks, one file each. A check answers for itself: trouble in making it is a finding too.

pub(crate) mod bus;
pub(crate) mod disk;
pub(crate) mod encryption;
pub(crate) mod kinds;
pub(crate) mod login;
pub(crate) mod marker;
pub(crate) mod members;
pub(crate) mod oplog;
pub(crate) mod overlap;
pub(crate) mod privileges;
pub(crate) mod same_cluster;
pub(crate) mod topology;
pub(crate) mod users;
pub(crate) mod versions;
