//! The source's content, what follows from its size, and what stays behind.

mod estimate;
mod search_indexes;

use std::collections::BTreeMap;

use bson::doc;
use futures_util::{StreamExt, TryStreamExt, stream};
use mongoferry_mongo::{CatalogListing, Cluster, CollectionInfo, CollectionKind, RANGE_BYTES, is_capped, range_count};
use mongoferry_protocol::{CollectionInventory, DatabaseInventory, Inventory, NotCopied};

use crate::{
    checks::{left_out::count_profiles, users::Accounts},
    cluster_observation::ClusterObservation,
    number::number,
    oplog_view::OplogView,
};

const CONCURRENCY: usize = 8;

/// `None` where the content could not be listed.
pub(crate) async fn take(
    source: &ClusterObservation,
    oplog: Option<&OplogView>,
    accounts: Accounts,
) -> Option<Inventory> {
    let catalog = source.catalog.as_ref()?;
    let collections: Vec<CollectionInventory> = sorted(catalog).into_iter().map(of_collection).collect();
    let mut databases = by_database(catalog);
    let names: Vec<String> = databases.iter().map(|database| database.name.clone()).collect();
    let (disk, config_collections, search_indexes, profiler_collections) = tokio::join!(
        on_disk(&source.cluster, &names),
        count_collections(&source.cluster, "config"),
        search_indexes::count(&source.cluster, &catalog.collections),
        count_profiles(&source.cluster, &names),
    );
    for (database, disk) in databases.iter_mut().zip(disk.iter().flatten()) {
        database.index_bytes = disk.index_bytes;
    }
    let disk_bytes = disk.map(|disk| disk.iter().map(|disk| disk.data_bytes + disk.index_bytes).sum());
    let estimates = estimate::estimate(databases.iter().map(|database| database.bytes).sum(), disk_bytes, oplog);
    let not_copied = NotCopied {
        users: accounts.users,
        roles: accounts.roles,
        search_indexes,
        config_collections,
        profiler_collections,
    };
    Some(Inventory { databases, collections, estimates, not_copied })
}

fn sorted(catalog: &CatalogListing) -> Vec<&CollectionInfo> {
    let mut all: Vec<&CollectionInfo> =
        catalog.collections.iter().chain(&catalog.views).chain(&catalog.time_series).collect();
    all.sort_by(|one, other| one.namespace.cmp(&other.namespace));
    all
}

fn of_collection(info: &CollectionInfo) -> CollectionInventory {
    CollectionInventory {
        namespace: info.namespace.to_string(),
        kind: kind(info).into(),
        documents: info.document_count,
        bytes: info.size_bytes,
        indexes: info.indexes.len() as u64,
        ranges: match info.kind {
            CollectionKind::View => 0,
            CollectionKind::Collection if is_capped(&info.options) => 1,
            CollectionKind::Collection | CollectionKind::TimeSeries | CollectionKind::Buckets => {
                range_count(info.size_bytes, RANGE_BYTES)
            }
        },
    }
}

fn kind(info: &CollectionInfo) -> &'static str {
    match info.kind {
        CollectionKind::View => "view",
        CollectionKind::TimeSeries | CollectionKind::Buckets => "time-series",
        CollectionKind::Collection if is_capped(&info.options) => "capped",
        CollectionKind::Collection if matches!(info.options.get("clusteredIndex"), Ok(Some(_))) => "clustered",
        CollectionKind::Collection => "collection",
    }
}

fn by_database(catalog: &CatalogListing) -> Vec<DatabaseInventory> {
    let mut databases: BTreeMap<&str, DatabaseInventory> = BTreeMap::new();
    for info in sorted(catalog) {
        let database = databases.entry(info.namespace.database()).or_default();
        match info.kind {
            CollectionKind::View => database.views += 1,
            CollectionKind::Collection | CollectionKind::TimeSeries | CollectionKind::Buckets => {
                database.collections += 1;
            }
        }
        database.documents += info.document_count;
        database.bytes += info.size_bytes;
        database.indexes += info.indexes.len() as u64;
    }
    databases.into_iter().map(|(name, database)| DatabaseInventory { name: name.to_owned(), ..database }).collect()
}

/// What a database takes on disk.
struct OnDisk {
    data_bytes: u64,
    index_bytes: u64,
}

/// Of each database, in their order; `None` if one does not say.
async fn on_disk(source: &Cluster, databases: &[String]) -> Option<Vec<OnDisk>> {
    let stats = stream::iter(databases).map(|database| source.command(database, doc! {"dbStats": 1}));
    let stats: Vec<_> = stats.buffered(CONCURRENCY).try_collect().await.ok()?;
    let of = |stats, key| number(stats, key).unwrap_or(0);
    let disk = |stats| OnDisk { data_bytes: of(stats, "storageSize"), index_bytes: of(stats, "indexSize") };
    Some(stats.iter().map(disk).collect())
}

async fn count_collections(source: &Cluster, database: &str) -> Option<u64> {
    let list = doc! {"listCollections": 1, "nameOnly": true, "cursor": {"batchSize": 1_000}};
    let reply = source.command(database, list).await.ok()?;
    Some(reply.get_document("cursor").ok()?.get_array("firstBatch").ok()?.len() as u64)
}
