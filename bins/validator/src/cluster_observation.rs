//! What is known of a cluster that was reached: the input of most checks.

use std::fmt;

use mongoferry_mongo::{CatalogListing, Cluster, ClusterFacts};
use mongoferry_protocol::ClusterIdentity;

use crate::privilege_set::PrivilegeSet;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Source,
    Destination,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Source => "source",
            Self::Destination => "destination",
        })
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) database: String,
}

impl fmt::Display for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.name, self.database)
    }
}

#[derive(Clone, Debug)]
pub(crate) struct ClusterObservation {
    pub(crate) side: Side,
    pub(crate) cluster: Cluster,
    pub(crate) facts: ClusterFacts,
    pub(crate) identity: ClusterIdentity,
    /// Who this connection is logged in as; empty without authentication, when everything is permitted.
    pub(crate) users: Vec<User>,
    pub(crate) privileges: PrivilegeSet,
    /// Absent where it could not be listed, or was not needed.
    pub(crate) catalog: Option<CatalogListing>,
}

impl ClusterObservation {
    pub(crate) async fn shutdown(self) {
        self.cluster.shutdown().await;
    }
}
