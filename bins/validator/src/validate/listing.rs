//! What a cluster holds, listed within a limit of time.

use std::{collections::BTreeSet, time::Duration};

use mongoferry_mongo::{CatalogListing, MongoError, Topology, list_catalog, list_namespaces};
use mongoferry_protocol::{Finding, Namespace};

use crate::{
    check::{Check, Trouble},
    checks::privileges,
    cluster_observation::{ClusterObservation, Side},
};

/// A catalog that changes all the time is listed again and again.
const PATIENCE: Duration = Duration::from_secs(60);

/// Lists what the cluster holds, if it is of a kind that can hold anything for us. Of the destination names are enough.
pub(super) async fn list(cluster: Option<&mut ClusterObservation>) -> Option<Finding> {
    let cluster = cluster?;
    if matches!(cluster.facts.topology, Topology::Standalone | Topology::Mongos) {
        return None;
    }
    match tokio::time::timeout(PATIENCE, listing(cluster)).await {
        Ok(Ok(catalog)) => {
            cluster.catalog = Some(catalog);
            None
        }
        Ok(Err(error)) => Some(privileges::may_not_read(cluster, &error)),
        Err(_) => {
            Some(Check::new("MF-V06", format!("{}: collections can be listed", cluster.side)).fails(Trouble::new(
                format!("the listing did not come to rest within {} s", PATIENCE.as_secs()),
                "Collections are created and dropped all the time, or a majority of the members does not confirm.",
                "Look at the members (rs.status()) and pause what creates collections while the migration begins.",
            )))
        }
    }
}

async fn listing(cluster: &ClusterObservation) -> Result<CatalogListing, MongoError> {
    match cluster.side {
        Side::Source => list_catalog(&cluster.cluster).await,
        Side::Destination => list_namespaces(&cluster.cluster).await,
    }
}

pub(super) fn namespaces(catalog: &CatalogListing) -> BTreeSet<Namespace> {
    let all = catalog.collections.iter().chain(&catalog.views).chain(&catalog.time_series);
    all.map(|info| info.namespace.clone()).collect()
}
