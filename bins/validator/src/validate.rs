//! All checks, in the order in which they become possible: the ways to both clusters, what the clusters hold, and then
//! everything else side by side.

use std::{collections::BTreeSet, time::Duration};

use futures_util::{FutureExt, future::BoxFuture, future::join_all};
use mongoferry_mongo::{CatalogListing, MongoError, Topology, list_catalog};
use mongoferry_protocol::{Finding, MigrationId, ValidationReport, now_ms};

use crate::{
    check::{Check, Trouble},
    checks::{
        disk, encryption, kinds, marker, members, oplog, overlap, privileges, same_cluster, topology, users, versions,
    },
    cluster_observation::{ClusterObservation, Side},
    continuation::Continuation,
    reach::{Reach, reach},
};

/// A catalog that changes all the time is listed again and again.
const LISTING_PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Request<'a> {
    pub(crate) source_uri: &'a str,
    pub(crate) destination_uri: &'a str,
    /// The migration that is to begin, where that is known.
    pub(crate) own: Option<&'a MigrationId>,
    pub(crate) continuation: Option<&'a Continuation>,
}

/// The report; `bus` is what the check of the bus found. The only error is [`MongoError::MalformedUri`].
pub(crate) async fn validate(request: &Request<'_>, bus: Vec<Finding>) -> Result<ValidationReport, MongoError> {
    let (source, destination) =
        tokio::try_join!(reach(Side::Source, request.source_uri), reach(Side::Destination, request.destination_uri),)?;
    let mut report = ValidationReport { findings: bus, ..ValidationReport::default() };
    report.findings.push(encryption::check(Side::Source, request.source_uri, &source.addresses));
    report.findings.push(encryption::check(Side::Destination, request.destination_uri, &destination.addresses));
    let (mut source, mut destination) = (take(source, &mut report), take(destination, &mut report));
    report.source = source.as_ref().map(|source| source.identity.clone());
    report.destination = destination.as_ref().map(|destination| destination.identity.clone());
    report.findings.extend(of_facts(source.as_ref(), destination.as_ref()));

    match request.continuation {
        Some(continuation) => {
            report.findings.extend(as_before(continuation, source.as_ref(), destination.as_ref()));
            keep_totals(&mut report, continuation.earlier.as_ref());
        }
        None => {
            let listed = tokio::join!(list(source.as_mut()), list(destination.as_mut()));
            report.findings.extend(listed.0.into_iter().chain(listed.1));
            if let Some(catalog) = source.as_ref().and_then(|source| source.catalog.as_ref()) {
                count(&mut report, catalog);
            }
            report.findings.extend(before_the_start(request, source.as_ref(), destination.as_ref()).await);
        }
    }
    if let Some(destination) = &destination {
        report.findings.push(versions::replays_updates(destination).await);
    }
    report.findings.sort_by(|one, other| one.code.cmp(&other.code));
    report.finished_at_ms = now_ms();
    for cluster in [source, destination].into_iter().flatten() {
        cluster.cluster.shutdown().await;
    }
    Ok(report)
}

fn take(reach: Reach, report: &mut ValidationReport) -> Option<ClusterObservation> {
    report.findings.extend(reach.findings);
    reach.cluster
}

/// What follows from what the clusters say of themselves.
fn of_facts(source: Option<&ClusterObservation>, destination: Option<&ClusterObservation>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for cluster in [source, destination].into_iter().flatten() {
        findings.push(topology::check(cluster.side, &cluster.facts));
        findings.extend(versions::of_one(cluster.side, &cluster.facts));
    }
    if let (Some(source), Some(destination)) = (source, destination) {
        findings.push(versions::of_both(source.facts.version, destination.facts.version));
        findings.push(same_cluster::two_clusters(&source.identity, &destination.identity));
    }
    findings
}

/// For a migration under way.
fn as_before(
    continuation: &Continuation,
    source: Option<&ClusterObservation>,
    destination: Option<&ClusterObservation>,
) -> Vec<Finding> {
    let clusters = [source, destination].into_iter().flatten();
    clusters.map(|cluster| same_cluster::as_before(cluster.side, &continuation.settings, &cluster.identity)).collect()
}

/// Lists what the cluster holds, if it is of a kind that can hold anything for us.
async fn list(cluster: Option<&mut ClusterObservation>) -> Option<Finding> {
    let cluster = cluster?;
    if matches!(cluster.facts.topology, Topology::Standalone | Topology::Mongos) {
        return None;
    }
    match tokio::time::timeout(LISTING_PATIENCE, list_catalog(&cluster.cluster)).await {
        Ok(Ok(catalog)) => {
            cluster.catalog = Some(catalog);
            None
        }
        Ok(Err(error)) => Some(privileges::may_not_read(cluster, &error)),
        Err(_) => {
            Some(Check::new("MF-V06", format!("{}: collections can be listed", cluster.side)).fails(Trouble::new(
                format!("the listing did not come to rest within {} s", LISTING_PATIENCE.as_secs()),
                "Collections are created and dropped all the time, or a majority of the members does not confirm.",
                "Look at the members (rs.status()) and pause what creates collections while the migration begins.",
            )))
        }
    }
}

/// Everything that is asked only before a migration begins, side by side.
async fn before_the_start(
    request: &Request<'_>,
    source: Option<&ClusterObservation>,
    destination: Option<&ClusterObservation>,
) -> Vec<Finding> {
    let databases = source.and_then(|source| source.catalog.as_ref()).map(databases).unwrap_or_default();
    let mut checks: Vec<BoxFuture<'_, Vec<Finding>>> = Vec::new();
    let is_set = |cluster: &&ClusterObservation| cluster.facts.set_name.is_some();
    for cluster in [source, destination].into_iter().flatten().filter(is_set) {
        checks.push(members::check(cluster).map(one).boxed());
    }
    if let Some(source) = source {
        checks.push(users::check(source).map(one).boxed());
    }
    if let Some(source) = source.filter(is_set) {
        checks.push(privileges::of_source(source).boxed());
        checks.push(oplog::check(source).boxed());
    }
    if let Some(destination) = destination {
        let databases = &databases;
        checks.push(async move { one(privileges::of_destination(destination, databases).await) }.boxed());
        checks.push(async move { one(marker::check(&destination.cluster, request.own).await) }.boxed());
    }
    if let (Some(source), Some(destination)) = (source, destination) {
        checks.push(async move { one(disk::check(source, destination).await) }.boxed());
    }
    let mut findings: Vec<Finding> = join_all(checks).await.into_iter().flatten().collect();
    findings.extend(of_catalogs(
        source.and_then(|source| source.catalog.as_ref()),
        destination.and_then(|destination| destination.catalog.as_ref()),
    ));
    findings
}

fn of_catalogs(source: Option<&CatalogListing>, destination: Option<&CatalogListing>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = source.map(kinds::check).into_iter().collect();
    if let (Some(source), Some(destination)) = (source, destination) {
        findings.extend(overlap::check(source, destination));
    }
    findings
}

fn one(finding: Finding) -> Vec<Finding> {
    vec![finding]
}

fn databases(catalog: &CatalogListing) -> BTreeSet<String> {
    let all = catalog.collections.iter().chain(&catalog.views).chain(&catalog.time_series);
    all.map(|info| info.namespace.database().to_owned()).collect()
}

fn count(report: &mut ValidationReport, source: &CatalogListing) {
    report.collections = source.collections.len() as u64;
    for collection in &source.collections {
        report.documents += collection.document_count;
        report.bytes += collection.size_bytes;
        report.indexes += collection.indexes.len() as u64;
    }
}

/// The source's catalog is not listed again for a migration under way.
fn keep_totals(report: &mut ValidationReport, earlier: Option<&ValidationReport>) {
    if let Some(earlier) = earlier {
        report.collections = earlier.collections;
        report.documents = earlier.documents;
        report.bytes = earlier.bytes;
        report.indexes = earlier.indexes;
    }
}
