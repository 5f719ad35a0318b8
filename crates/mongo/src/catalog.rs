//! Lists what a cluster holds of users' collections and views, at one moment.
//!
//! The listing is stable: names and UUIDs were the same before and after the details were fetched, and everything it
//! names is on a majority and was listed within one term, so that no rollback can take it back.

use std::collections::BTreeMap;

use bson::{Document, RawBsonRef, RawDocument, RawDocumentBuf, doc, raw::cstr, rawdoc};
use futures_util::{StreamExt, TryStreamExt, stream};
use mongoferry_protocol::{CollectionUuid, Namespace, Optime};

use crate::{
    collection_options::has_collation,
    connection::Cluster,
    error::MongoError,
    optimes::{last_optimes, operation_time, wait_for_majority},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CollectionKind {
    Collection,
    Buckets,
    View,
    TimeSeries,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CollectionInfo {
    pub namespace: Namespace,
    /// Views and time-series collections have none.
    pub uuid: Option<CollectionUuid>,
    pub kind: CollectionKind,
    /// As [`listed_options`] says.
    pub options: RawDocumentBuf,
    /// The specifications of listIndexes in the server's order, `_id_` included.
    pub indexes: Vec<RawDocumentBuf>,
    /// Uncompressed data and documents, as the server keeps count of them. Zero where statistics were not asked for.
    pub size_bytes: u64,
    pub document_count: u64,
}

impl CollectionInfo {
    /// What a server makes on the way to something else, and removes itself if it comes to nothing. A client can't make one.
    pub fn is_temporary(&self) -> bool {
        self.options.get_bool("temp").unwrap_or(false)
    }
}

#[derive(Clone, Debug)]
pub struct CatalogListing {
    /// A majority optime at or after which the listing was complete.
    pub listed_at: Optime,
    /// Sorted by namespace, as are the others.
    pub collections: Vec<CollectionInfo>,
    /// Each holds the data of one of the `time_series`, under a name of the server's.
    pub buckets: Vec<CollectionInfo>,
    pub views: Vec<CollectionInfo>,
    /// What users see of the `buckets`, whose statistics they have.
    pub time_series: Vec<CollectionInfo>,
}

impl CatalogListing {
    /// Everything that holds documents of its own.
    pub fn stores(&self) -> impl Iterator<Item = &CollectionInfo> {
        self.collections.iter().chain(&self.buckets)
    }
}

/// How many commands are in flight while details are fetched.
const CONCURRENCY: usize = 16;

/// What is asked of each collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Detail {
    Nothing,
    Indexes,
    IndexesAndStatistics,
}

/// Everything, with statistics.
pub async fn list_catalog(cluster: &Cluster) -> Result<CatalogListing, MongoError> {
    list_until_stable(cluster, Detail::IndexesAndStatistics).await
}

/// As [`list_catalog`] without sizes and counts: for comparing and finalizing.
pub async fn list_metadata(cluster: &Cluster) -> Result<CatalogListing, MongoError> {
    list_until_stable(cluster, Detail::Indexes).await
}

/// Names, kinds and options alone: a few commands for each database, none for a collection.
pub async fn list_namespaces(cluster: &Cluster) -> Result<CatalogListing, MongoError> {
    list_until_stable(cluster, Detail::Nothing).await
}

/// The present name of a collection of `database`; `None` if it is gone. A rename to another database changes the UUID.
pub async fn name_of(cluster: &Cluster, database: &str, uuid: CollectionUuid) -> Result<Option<Namespace>, MongoError> {
    let found = list_database(cluster, database, rawdoc! {"info.uuid": uuid_binary(uuid)}).await?;
    Ok(found.0.into_iter().next().map(|info| info.namespace))
}

/// Whether indexes of this collection that say nothing of a collation get one that is not the simple one.
pub(crate) async fn has_default_collation(cluster: &Cluster, namespace: &Namespace) -> Result<bool, MongoError> {
    let found = list_database(cluster, namespace.database(), rawdoc! {"name": namespace.collection()}).await?;
    Ok(found.0.first().is_some_and(|info| has_collation(&info.options)))
}

/// Collections, buckets and views with their indexes, at some moment; nothing is waited for.
pub(crate) async fn list_now(cluster: &Cluster) -> Result<Vec<CollectionInfo>, MongoError> {
    loop {
        let (names, _) = list_names(cluster).await?;
        match details(cluster, names, Detail::Indexes).await {
            Err(MongoError::CollectionGone { .. }) => {}
            listed => return listed,
        }
    }
}

async fn details(
    cluster: &Cluster,
    names: Vec<CollectionInfo>,
    wanted: Detail,
) -> Result<Vec<CollectionInfo>, MongoError> {
    stream::iter(names).map(|info| detail(cluster, info, wanted)).buffered(CONCURRENCY).try_collect().await
}

async fn list_until_stable(cluster: &Cluster, wanted: Detail) -> Result<CatalogListing, MongoError> {
    loop {
        let term = last_optimes(cluster).await?.term;
        let (names, _) = list_names(cluster).await?;
        let detailed = match details(cluster, names.clone(), wanted).await {
            Err(MongoError::CollectionGone { .. }) => continue,
            other => other?,
        };
        let (again, operation_time) = list_names(cluster).await?;
        if again != names {
            continue;
        }
        let confirmed = wait_for_majority(cluster, operation_time).await?;
        if confirmed.term == term {
            return Ok(split(confirmed.majority, detailed));
        }
    }
}

fn split(listed_at: Optime, all: Vec<CollectionInfo>) -> CatalogListing {
    let of_kind = |kind| all.iter().filter(|info| info.kind == kind).cloned().collect::<Vec<_>>();
    let buckets = of_kind(CollectionKind::Buckets);
    let mut time_series = of_kind(CollectionKind::TimeSeries);
    for series in &mut time_series {
        let own = buckets.iter().find(|info| info.namespace.time_series().as_ref() == Some(&series.namespace));
        if let Some(CollectionInfo { size_bytes, document_count, .. }) = own {
            (series.size_bytes, series.document_count) = (*size_bytes, *document_count);
        }
    }
    CatalogListing {
        listed_at,
        collections: of_kind(CollectionKind::Collection),
        buckets,
        views: of_kind(CollectionKind::View),
        time_series,
    }
}

/// All users' collections and views without details, sorted, and the latest operation time seen.
async fn list_names(cluster: &Cluster) -> Result<(Vec<CollectionInfo>, Optime), MongoError> {
    let reply = cluster.command("admin", doc! {"listDatabases": 1, "nameOnly": true}).await?;
    let databases: Vec<String> = reply
        .get_array("databases")
        .map_err(|error| cluster.unexpected("listDatabases", error))?
        .iter()
        .filter_map(|database| database.as_document()?.get_str("name").ok())
        .filter(|name| !Namespace::is_internal_database(name))
        .map(ToOwned::to_owned)
        .collect();
    let mut listed_at = operation_time(&reply).unwrap_or(Optime::ZERO);
    let mut sorted = BTreeMap::new();
    for database in databases {
        let (found, operation_time) = list_database(cluster, &database, RawDocumentBuf::new()).await?;
        listed_at = listed_at.max(operation_time);
        sorted.extend(found.into_iter().map(|info| (info.namespace.clone(), info)));
    }
    Ok((sorted.into_values().collect(), listed_at))
}

async fn list_database(
    cluster: &Cluster,
    database: &str,
    filter: RawDocumentBuf,
) -> Result<(Vec<CollectionInfo>, Optime), MongoError> {
    let what = format!("listCollections on {database}");
    let command = rawdoc! {"listCollections": 1, "filter": filter, "cursor": {"batchSize": 10_000}};
    let mut cursor = cluster
        .database(database)
        .run_raw_cursor_command(command)
        .batch()
        .await
        .map_err(|error| cluster.explain(&what, &error))?;
    let (mut found, mut operation_time) = (Vec::new(), Optime::ZERO);
    while let Some(batch) = cursor.next().await {
        let batch = batch.map_err(|error| cluster.explain(&what, &error))?;
        if let Ok(ts) = batch.as_raw_document().get_timestamp("operationTime") {
            operation_time = operation_time.max(Optime::new(ts.time, ts.increment));
        }
        let entries = batch.doc_slices().map_err(|error| cluster.explain(&what, &error))?;
        for entry in entries {
            let entry = entry.map_err(|error| cluster.unexpected(&what, error))?;
            let entry = entry.as_document().ok_or_else(|| cluster.unexpected(&what, "an entry that is no document"))?;
            found.extend(parse_entry(database, entry).map_err(|error| cluster.unexpected(&what, error))?);
        }
    }
    Ok((found, operation_time))
}

/// `None` for what the server keeps for itself: the store of the views, and of the profiler.
fn parse_entry(database: &str, entry: &RawDocument) -> Result<Option<CollectionInfo>, bson::error::Error> {
    let name = entry.get_str("name")?;
    if matches!(name, "system.views" | "system.profile") {
        return Ok(None);
    }
    let namespace = Namespace::new(database, name);
    let kind = match entry.get_str("type")? {
        "view" => CollectionKind::View,
        _ if namespace.time_series().is_some() => CollectionKind::Buckets,
        "timeseries" => CollectionKind::TimeSeries,
        _ => CollectionKind::Collection,
    };
    let uuid = match entry.get_document("info")?.get("uuid")? {
        Some(value) => value.as_binary().and_then(|binary| binary.bytes.try_into().ok()),
        None => None,
    };
    Ok(Some(CollectionInfo {
        namespace,
        uuid: uuid.map(CollectionUuid::from_bytes),
        kind,
        options: listed_options(entry)?,
        indexes: Vec::new(),
        size_bytes: 0,
        document_count: 0,
    }))
}

/// `options` of an entry of listCollections as it came; with `idIndex`, as `create` takes it, where that is of the version
/// before 2: servers up to 3.2 made such, and keep them.
pub(crate) fn listed_options(entry: &RawDocument) -> Result<RawDocumentBuf, bson::error::Error> {
    let mut options = entry.get_document("options")?.to_owned();
    if let Some(index) = entry.get("idIndex")?.and_then(|index| index.as_document()).filter(|index| is_old_index(index))
    {
        options.append(cstr!("idIndex"), index.to_owned());
    }
    Ok(options)
}

/// An index of the version before 2.
pub fn is_old_index(index: &RawDocument) -> bool {
    matches!(index.get("v"), Ok(Some(RawBsonRef::Int32(1) | RawBsonRef::Int64(1) | RawBsonRef::Double(1.0))))
}

async fn detail(cluster: &Cluster, info: CollectionInfo, wanted: Detail) -> Result<CollectionInfo, MongoError> {
    let stores = matches!(info.kind, CollectionKind::Collection | CollectionKind::Buckets);
    if !stores || wanted == Detail::Nothing {
        return Ok(info);
    }
    let indexes = list_indexes(cluster, &info.namespace).await?;
    if wanted == Detail::Indexes {
        return Ok(CollectionInfo { indexes, ..info });
    }
    // Measured on 6.0.5: 0.04 ms of the server's processor for a collection; collStats takes 0.75 ms.
    let size = doc! {"dataSize": info.namespace.to_string(), "estimate": true};
    let stats = cluster.command(info.namespace.database(), size).await?;
    Ok(CollectionInfo {
        indexes,
        size_bytes: number(&stats, "size"),
        document_count: number(&stats, "numObjects"),
        ..info
    })
}

/// The index specifications of one collection as raw BSON, in the server's order.
pub async fn list_indexes(cluster: &Cluster, namespace: &Namespace) -> Result<Vec<RawDocumentBuf>, MongoError> {
    let what = format!("listIndexes on {namespace}");
    let command = rawdoc! {"listIndexes": namespace.collection(), "cursor": {"batchSize": 1_000}};
    let mut cursor = cluster
        .database(namespace.database())
        .run_raw_cursor_command(command)
        .batch()
        .await
        .map_err(|error| cluster.explain(&what, &error))?;
    let mut indexes = Vec::new();
    while let Some(batch) = cursor.next().await {
        let batch = batch.map_err(|error| cluster.explain(&what, &error))?;
        for index in batch.doc_slices().map_err(|error| cluster.explain(&what, &error))? {
            let index = index.map_err(|error| cluster.unexpected(&what, error))?;
            let index = index.as_document().ok_or_else(|| cluster.unexpected(&what, "an index that is no document"))?;
            indexes.push(index.to_owned());
        }
    }
    Ok(indexes)
}

pub(crate) fn uuid_binary(uuid: CollectionUuid) -> bson::Binary {
    bson::Binary { subtype: bson::spec::BinarySubtype::Uuid, bytes: uuid.bytes().to_vec() }
}

fn number(document: &Document, key: &str) -> u64 {
    match document.get(key) {
        Some(bson::Bson::Int32(value)) => u64::try_from(*value).unwrap_or(0),
        Some(bson::Bson::Int64(value)) => u64::try_from(*value).unwrap_or(0),
        Some(bson::Bson::Double(value)) => *value as u64,
        _ => 0,
    }
}
