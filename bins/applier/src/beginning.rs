//! What the applier must know before the first change: from the bus, and laid out on the destination once.

use std::time::Duration;

use bson::RawDocument;
use mongoferry_bus::{Bus, BusError, Key, key};
use mongoferry_mongo::{ApplyError, Beginning, Cluster, MappedCollection, initialise, is_initialised, write_order};
use mongoferry_protocol::{CollectionPlan, CollectionUuid, MigrationSettings, Optime, StartPoint};
use serde::de::DeserializeOwned;

use crate::applier_error::ApplierError;

const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// What the migration is about, and where its changes begin. The destination's records stand on return. They are laid out
/// only if nothing was ever applied: records that are gone mean that the migration is over, or that somebody removed them.
pub async fn beginning(bus: &Bus, destination: &Cluster) -> Result<(MigrationSettings, StartPoint), ApplierError> {
    let settings = required(bus, &key::settings()).await?;
    let start = required(bus, &key::start_point()).await?;
    if !is_initialised(destination, &settings).await? {
        if bus.records().get(&key::applied()).await?.is_some() {
            let (cluster, detail) = (destination.hosts_label().to_owned(), "they were removed".to_owned());
            return Err(ApplyError::RecordsDamaged { cluster, detail }.into());
        }
        let collections = listed_collections(bus).await?;
        // The copy is complete: what it read is older than what is captured now, or nearly so.
        let captured = bus.records().get(&key::capture()).await?;
        let replay_until = captured.map_or(Optime::ZERO, |captured| captured.value.captured);
        initialise(destination, &settings, &Beginning { start, collections, replay_until }).await?;
    }
    Ok((settings, start))
}

async fn listed_collections(bus: &Bus) -> Result<Vec<(CollectionUuid, MappedCollection)>, BusError> {
    let mut collections = Vec::new();
    for uuid in required(bus, &key::catalog()).await?.collections {
        collections.push((uuid, mapped(&required(bus, &key::collection(uuid)).await?)));
    }
    Ok(collections)
}

fn mapped(plan: &CollectionPlan) -> MappedCollection {
    let order = RawDocument::from_bytes(&plan.options).map(write_order).unwrap_or_default();
    MappedCollection { namespace: plan.namespace.before_cutover(), order }
}

/// The record, as soon as it is there.
async fn required<T: DeserializeOwned>(bus: &Bus, key: &Key<T>) -> Result<T, BusError> {
    loop {
        if let Some(record) = bus.records().get(key).await? {
            return Ok(record.value);
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}
