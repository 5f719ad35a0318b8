//! Makes the destination's indexes and views equal to the source's at the cutover, when both have the same documents.
//!
//! Preparing is revertible: it asks the server to refuse new violations of every index that is to become unique, and
//! tries the conversion out. Finalizing does it. Both start from listings of both clusters, so that they can be
//! repeated after any interruption. Neither changes anything once the [`Fenced`] destination is no longer theirs.

use bson::{Document, doc};
use mongoferry_protocol::{Namespace, UnbuiltIndex};

use crate::{
    capped::{make_capped, settle_capped},
    catalog::{CatalogListing, CollectionInfo, list_metadata},
    collection_expiry::expire_collections,
    collection_options::has_collation,
    connection::Cluster,
    error::MongoError,
    facts::{ServerVersion, facts},
    fenced::Fenced,
    final_names::take_final_names,
    finalization_plan::{IndexStep, finalization_plan, missing_indexes},
    index_builder::{IndexFailure, about_the_index},
    index_forms::{create_indexes, is_id_index, normalized, truth},
    unique_conflicts::unique_conflicts,
    views::finalize_views,
};

const INDEX_NOT_FOUND: i32 = 27;

/// One line each, for the report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FinalizationOutcome {
    pub done: Vec<String>,
    /// Indexes or views that can't become what they are on the source, with the reason.
    pub problems: Vec<String>,
    /// Indexes that the destination can't build at all.
    pub unbuilt: Vec<UnbuiltIndex>,
}

impl FinalizationOutcome {
    fn is_unbuilt(&self, namespace: &Namespace, name: &str) -> bool {
        self.unbuilt.iter().any(|index| index.name == name && index.namespace == *namespace)
    }

    /// A key that two documents share is a fault of the documents, whatever the step.
    fn add_failure(&mut self, namespace: &Namespace, step: &IndexStep, failure: IndexFailure) {
        let (namespace, name) = (namespace.clone(), step.name().to_owned());
        match (step, failure) {
            (IndexStep::Build { .. } | IndexStep::BuildWhole { .. }, IndexFailure::Refused(reason)) => {
                self.unbuilt.push(UnbuiltIndex { namespace, name, reason });
            }
            (_, IndexFailure::Refused(reason) | IndexFailure::Duplicates(reason)) => {
                self.problems.push(format!("index {name} of {namespace}: {reason}"));
            }
        }
    }
}

/// Lets capped collections hold what the source's hold, builds what is missing and what stands in another place than on the
/// source, prepares every conversion to unique and lists the conflicts. On destinations before 6.0 an index is made unique here by
/// being built anew; all else is left to the finalization.
pub async fn prepare_finalization(
    source: &Cluster,
    destination: Fenced<'_>,
) -> Result<FinalizationOutcome, MongoError> {
    let mut outcome = FinalizationOutcome::default();
    settle_capped(source, destination, &mut outcome).await?;
    let plan = plan(source, destination, &mut outcome).await?;
    if plan.version.is_at_least(6, 0) {
        run_steps(destination, &plan, IndexStep::is_preparation, &mut outcome).await?;
    }
    for (namespace, name) in plan.steps().filter_map(made_unique) {
        if outcome.is_unbuilt(namespace, name) {
            continue;
        }
        set_index(destination, namespace, doc! {"name": name, "prepareUnique": true}).await?;
        match unique_conflicts(destination.cluster(), namespace, name).await? {
            None => outcome.done.push(format!("index {name} of {namespace} can become unique")),
            Some(conflicts) => outcome.problems.push(conflicts),
        }
    }
    build_unique(destination, &plan, &mut outcome).await?;
    Ok(outcome)
}

/// Builds what is unique and can't become so, in the place of what stands under its name.
async fn build_unique(
    destination: Fenced<'_>,
    plan: &Plan,
    outcome: &mut FinalizationOutcome,
) -> Result<(), MongoError> {
    for (namespace, step) in plan.steps() {
        let Some(unique) = step.built_unique().filter(|unique| !outcome.is_unbuilt(namespace, unique.name())) else {
            continue;
        };
        match drop_index(destination, namespace, unique.name()).await {
            Ok(()) => {}
            Err(MongoError::Command { cause, .. }) if cause.code == Some(INDEX_NOT_FOUND) => {}
            Err(error) => return Err(error),
        }
        run_and_tell(destination, namespace, &unique, outcome).await?;
    }
    Ok(())
}

fn made_unique<'a>((namespace, step): (&'a Namespace, &'a IndexStep)) -> Option<(&'a Namespace, &'a str)> {
    matches!(step, IndexStep::MakeUnique { .. }).then_some((namespace, step.name()))
}

/// Changes are applied meanwhile, and another process may take back the same.
fn unless_gone(undone: Result<(), MongoError>) -> Result<(), MongoError> {
    match undone {
        Err(MongoError::Command { cause, .. }) if cause.code == Some(INDEX_NOT_FOUND) => Ok(()),
        Err(MongoError::CollectionGone { .. }) => Ok(()),
        undone => undone,
    }
}

/// Takes back what preparing did, so that changes can be applied again. Returns what it did, one line each.
pub async fn revert_preparation(source: &Cluster, destination: Fenced<'_>) -> Result<Vec<String>, MongoError> {
    let (wanted, standing) = (list_metadata(source).await?, list_metadata(destination.cluster()).await?);
    let mut done = Vec::new();
    for collection in standing.stores() {
        let wanted = indexes_of(&wanted, &collection.namespace, source)?;
        for index in indexes(collection, destination.cluster())?.iter().filter(|index| is_unique(index)) {
            let name = index.get_str("name").unwrap_or_default();
            unless_gone(drop_index(destination, &collection.namespace, name).await)?;
            done.push(format!(
                "index {name} of {}, which was unique, is dropped until the next cutover",
                collection.namespace
            ));
        }
        for index in indexes(collection, destination.cluster())?.iter().filter(|index| is_prepared(index)) {
            let name = index.get_str("name").unwrap_or_default();
            let is_so_on_the_source =
                wanted.iter().any(|index| is_prepared(index) && index.get_str("name").is_ok_and(|other| other == name));
            if !is_so_on_the_source {
                let accepting = doc! {"name": name, "prepareUnique": false};
                unless_gone(set_index(destination, &collection.namespace, accepting).await)?;
                done.push(format!("index {name} of {} is no longer prepared", collection.namespace));
            }
        }
    }
    Ok(done)
}

/// Names and capped collections; missing, unique and extra indexes and hiding; then views; then expiry.
pub async fn finalize(source: &Cluster, destination: Fenced<'_>) -> Result<FinalizationOutcome, MongoError> {
    let mut outcome = FinalizationOutcome::default();
    take_final_names(destination, &mut outcome).await?;
    make_capped(source, destination, &mut outcome).await?;
    let plan = plan(source, destination, &mut outcome).await?;
    drop_temporary(destination, &plan, &mut outcome).await?;
    run_steps(destination, &plan, |step| !step.is_expiry(), &mut outcome).await?;
    finalize_views(destination, &plan.source.views, &plan.destination.views, &mut outcome).await?;
    run_steps(destination, &plan, IndexStep::is_expiry, &mut outcome).await?;
    expire_collections(destination, &plan.source, &plan.destination, &mut outcome).await?;
    Ok(outcome)
}

struct Plan {
    version: ServerVersion,
    source: CatalogListing,
    destination: CatalogListing,
    collections: Vec<(Namespace, Vec<IndexStep>)>,
}

impl Plan {
    fn steps(&self) -> impl Iterator<Item = (&Namespace, &IndexStep)> {
        self.collections.iter().flat_map(|(namespace, steps)| steps.iter().map(move |step| (namespace, step)))
    }
}

/// Builds what is missing where that is possible, and computes the steps of every collection that stands on both sides. What
/// can't be built is left out of them: it shall not stand in the way of the others' order.
async fn plan(
    source: &Cluster,
    destination: Fenced<'_>,
    outcome: &mut FinalizationOutcome,
) -> Result<Plan, MongoError> {
    let version: ServerVersion = facts(destination.cluster()).await?.version;
    let (wanted, mut standing) = (list_metadata(source).await?, list_metadata(destination.cluster()).await?);
    let done_before = outcome.done.len();
    for collection in standing.stores() {
        let indexes_there = indexes_of(&wanted, &collection.namespace, source)?;
        let collated = has_collation(&collection.options);
        for spec in missing_indexes(&indexes_there, &indexes(collection, destination.cluster())?, version) {
            let step = IndexStep::Build { spec }.with_own_collation(collated);
            run_and_tell(destination, &collection.namespace, &step, outcome).await?;
        }
    }
    if outcome.done.len() > done_before {
        standing = list_metadata(destination.cluster()).await?;
    }
    let mut collections = Vec::new();
    for collection in standing.stores() {
        let namespace = &collection.namespace;
        if !wanted.stores().any(|other| other.namespace == *namespace && !other.is_temporary()) {
            continue;
        }
        let mut indexes_there = indexes_of(&wanted, namespace, source)?;
        indexes_there.retain(|index| !outcome.is_unbuilt(namespace, index.get_str("name").unwrap_or_default()));
        let collated = has_collation(&collection.options);
        let steps = finalization_plan(&indexes_there, &indexes(collection, destination.cluster())?, version);
        let steps = steps.into_iter().map(|step| step.with_own_collation(collated)).collect();
        collections.push((namespace.clone(), steps));
    }
    Ok(Plan { version, source: wanted, destination: standing, collections })
}

/// Temporary collections that the source still has came to nothing; here they would stay for ever.
async fn drop_temporary(
    destination: Fenced<'_>,
    plan: &Plan,
    outcome: &mut FinalizationOutcome,
) -> Result<(), MongoError> {
    for collection in plan.source.collections.iter().filter(|collection| collection.is_temporary()) {
        let namespace = &collection.namespace;
        let command = doc! {"drop": namespace.collection(), "writeConcern": {"w": "majority"}};
        match destination.change(namespace.database(), command).await {
            Ok(_) => outcome.done.push(format!("collection {namespace}: dropped, it is temporary on the source")),
            Err(MongoError::CollectionGone { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

async fn run_steps(
    destination: Fenced<'_>,
    plan: &Plan,
    wanted: impl Fn(&IndexStep) -> bool,
    outcome: &mut FinalizationOutcome,
) -> Result<(), MongoError> {
    for (namespace, step) in plan.steps().filter(|(_, step)| wanted(step)) {
        if outcome.is_unbuilt(namespace, step.name()) {
            continue;
        }
        run_and_tell(destination, namespace, step, outcome).await?;
    }
    Ok(())
}

async fn run_and_tell(
    destination: Fenced<'_>,
    namespace: &Namespace,
    step: &IndexStep,
    outcome: &mut FinalizationOutcome,
) -> Result<(), MongoError> {
    match run_step(destination, namespace, step).await {
        Ok(()) => outcome.done.push(format!("index {} of {namespace}: {}", step.name(), deed(step))),
        Err(error) => outcome.add_failure(namespace, step, about_the_index(error)?),
    }
    Ok(())
}

async fn run_step(destination: Fenced<'_>, namespace: &Namespace, step: &IndexStep) -> Result<(), MongoError> {
    match step {
        IndexStep::Drop { name } => drop_index(destination, namespace, name).await,
        IndexStep::MakeUnique { name } => {
            set_index(destination, namespace, doc! {"name": name, "prepareUnique": true}).await?;
            set_index(destination, namespace, doc! {"name": name, "unique": true}).await
        }
        IndexStep::Build { spec } | IndexStep::BuildWhole { spec } => create(destination, namespace, spec).await,
        IndexStep::PrepareUnique { name } => {
            set_index(destination, namespace, doc! {"name": name, "prepareUnique": true}).await
        }
        IndexStep::SetHidden { name, hidden } => {
            set_index(destination, namespace, doc! {"name": name, "hidden": *hidden}).await
        }
        IndexStep::SetExpiry { name, seconds } => {
            set_index(destination, namespace, doc! {"name": name, "expireAfterSeconds": seconds.clone()}).await
        }
    }
}

fn deed(step: &IndexStep) -> &'static str {
    match step {
        IndexStep::Drop { .. } => "dropped, the source has it otherwise or not at all",
        IndexStep::MakeUnique { .. } => "made unique",
        IndexStep::Build { .. } | IndexStep::BuildWhole { .. } => "built",
        IndexStep::PrepareUnique { .. } => "prepared for unique, as on the source",
        IndexStep::SetHidden { hidden: true, .. } => "hidden",
        IndexStep::SetHidden { hidden: false, .. } => "shown",
        IndexStep::SetExpiry { .. } => "given its expiry",
    }
}

async fn create(destination: Fenced<'_>, namespace: &Namespace, spec: &Document) -> Result<(), MongoError> {
    let command = create_indexes(namespace.collection(), std::slice::from_ref(spec));
    destination.change(namespace.database(), command).await.map(drop)
}

async fn drop_index(destination: Fenced<'_>, namespace: &Namespace, name: &str) -> Result<(), MongoError> {
    let command = doc! {"dropIndexes": namespace.collection(), "index": name, "writeConcern": {"w": "majority"}};
    destination.change(namespace.database(), command).await.map(drop)
}

async fn set_index(destination: Fenced<'_>, namespace: &Namespace, index: Document) -> Result<(), MongoError> {
    let command = doc! {"collMod": namespace.collection(), "index": index, "writeConcern": {"w": "majority"}};
    destination.change(namespace.database(), command).await.map(drop)
}

pub(crate) fn indexes(collection: &CollectionInfo, cluster: &Cluster) -> Result<Vec<Document>, MongoError> {
    let what = format!("listIndexes on {}", collection.namespace);
    let normalize = |index: &bson::RawDocumentBuf| normalized(index).map_err(|error| cluster.unexpected(&what, error));
    collection.indexes.iter().map(normalize).collect()
}

pub(crate) fn indexes_of(
    listing: &CatalogListing,
    namespace: &Namespace,
    cluster: &Cluster,
) -> Result<Vec<Document>, MongoError> {
    match listing.stores().find(|collection| collection.namespace == *namespace) {
        Some(collection) => indexes(collection, cluster),
        None => Ok(Vec::new()),
    }
}

/// Beside `_id_`, as which no other index counts.
fn is_unique(index: &Document) -> bool {
    index.get("unique").is_some_and(truth) && !is_id_index(index)
}

fn is_prepared(index: &Document) -> bool {
    index.get_bool("prepareUnique").unwrap_or(false)
}
