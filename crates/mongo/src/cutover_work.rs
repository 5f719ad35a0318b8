//! What a cutover would have to do to indexes and collections, read from both clusters; nothing is changed.

use mongoferry_protocol::{CollectionUuid, Namespace};

use crate::{
    catalog::{CollectionInfo, list_metadata, list_now},
    collection_options::is_capped,
    connection::Cluster,
    error::MongoError,
    facts::facts,
    finalization_plan::{IndexStep, finalization_plan, missing_indexes},
    index_finalizer::{indexes, indexes_of},
};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CutoverWork {
    pub indexes: Vec<IndexWork>,
    /// Collections that are copied once more, to become capped.
    pub to_cap: Vec<Namespace>,
    /// Collections on the destination, each of which is looked at.
    pub collections: u64,
}

/// What becomes of one index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexWork {
    pub namespace: Namespace,
    pub name: String,
    pub effort: IndexEffort,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IndexEffort {
    /// Every document is read, its keys are sorted and stored.
    Build,
    /// The keys are read through, to see that none is there twice.
    ReadThrough,
    /// A property is set.
    Set,
}

/// Lists both catalogs: a few commands for each collection.
pub async fn cutover_work(source: &Cluster, destination: &Cluster) -> Result<CutoverWork, MongoError> {
    let version = facts(destination).await?.version;
    let (wanted, standing) = (list_metadata(source).await?, list_metadata(destination).await?);
    let mut work = CutoverWork::default();
    for collection in standing.stores() {
        work.collections += 1;
        let namespace = &collection.namespace;
        let Some(original) = wanted.stores().find(|other| other.namespace == *namespace && !other.is_temporary())
        else {
            continue;
        };
        if is_capped(&original.options) && !is_capped(&collection.options) {
            work.to_cap.push(namespace.clone());
        }
        let (there, here) = (indexes_of(&wanted, namespace, source)?, indexes(collection, destination)?);
        let missing = missing_indexes(&there, &here, version).into_iter().map(|spec| IndexStep::Build { spec });
        // What is missing is in the plan too, as something that does not stand where it should.
        let planned = finalization_plan(&there, &here, version);
        let missing: Vec<IndexStep> =
            missing.filter(|step| planned.iter().all(|other| other.name() != step.name())).collect();
        for step in planned.iter().chain(&missing) {
            if let Some(effort) = effort(step) {
                let (namespace, name) = (namespace.clone(), step.name().to_owned());
                work.indexes.push(IndexWork { namespace, name, effort });
            }
        }
    }
    Ok(work)
}

/// Collections of the source whose documents expire by themselves.
pub async fn expiring_collections(source: &Cluster) -> Result<Vec<CollectionUuid>, MongoError> {
    let listed = list_now(source).await?;
    Ok(listed.iter().filter(|collection| expires(collection)).filter_map(|collection| collection.uuid).collect())
}

/// By an index, or as a whole: clustered and time-series collections.
fn expires(collection: &CollectionInfo) -> bool {
    const EXPIRY: &str = "expireAfterSeconds";
    let has = |document: &bson::RawDocument| document.get(EXPIRY).is_ok_and(|value| value.is_some());
    has(&collection.options) || collection.indexes.iter().any(|index| has(index))
}

fn effort(step: &IndexStep) -> Option<IndexEffort> {
    match step {
        IndexStep::Drop { .. } => None,
        IndexStep::Build { .. } | IndexStep::BuildWhole { .. } => Some(IndexEffort::Build),
        IndexStep::MakeUnique { .. } => Some(IndexEffort::ReadThrough),
        IndexStep::PrepareUnique { .. } | IndexStep::SetHidden { .. } | IndexStep::SetExpiry { .. } => {
            Some(IndexEffort::Set)
        }
    }
}
