//! What the migration is about: recorded once, and compared whenever a coordinator starts.

use mongoferry_bus::{Records, key};
use mongoferry_mongo::{Cluster, identity};
use mongoferry_protocol::{ClusterIdentity, MigrationId, MigrationSettings, now_ms};

use crate::{CoordinatorArgs, coordinator_error::CoordinatorError};

/// Lanes of the applier. Two per core of a small destination hide the latency of a majority write.
const LANES: u32 = 4;

/// The settings of this migration. Cutover mode, its limit and verification follow today's arguments, the rest is as it began.
pub async fn settle(
    records: &Records,
    id: &MigrationId,
    source: &Cluster,
    destination: &Cluster,
    args: &CoordinatorArgs,
) -> Result<MigrationSettings, CoordinatorError> {
    let mut settings = MigrationSettings {
        id: id.clone(),
        source: identity(source).await?,
        destination: identity(destination).await?,
        cutover: args.cutover.into(),
        cutover_limit_ms: args.cutover_limit.as_ms(),
        verify: !args.no_verify,
        lanes: LANES,
        created_at_ms: now_ms(),
    };
    if let Some(known) = records.get(&key::settings()).await? {
        same(id, "source", &known.value.source, &settings.source)?;
        same(id, "destination", &known.value.destination, &settings.destination)?;
        settings.lanes = known.value.lanes;
        settings.created_at_ms = known.value.created_at_ms;
    }
    records.put(&key::settings(), &settings).await?;
    Ok(settings)
}

fn same(
    id: &MigrationId,
    which: &'static str,
    known: &ClusterIdentity,
    given: &ClusterIdentity,
) -> Result<(), CoordinatorError> {
    if known.is_same_cluster(given) {
        return Ok(());
    }
    Err(CoordinatorError::OtherCluster { id: id.to_string(), which, known: label(known), given: label(given) })
}

/// `set/host1,host2`.
pub fn label(cluster: &ClusterIdentity) -> String {
    format!("{}/{}", cluster.replica_set, cluster.hosts.join(","))
}
