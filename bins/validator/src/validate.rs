//! All checks, in the order in which they become possible: the ways to both clusters, what the clusters hold, and then
//! everything else side by side.

mod before_start;
mod listing;

use std::path::Path;

use mongoferry_bus::BusLimits;
use mongoferry_mongo::MongoError;
use mongoferry_protocol::{Finding, MigrationId, ValidationReport, now_ms};

use self::before_start::before_start;
use crate::{
    checks::{bus, bus_disk, same_cluster, topology, versions},
    cluster_observation::{ClusterObservation, Side},
    continuation::Continuation,
    reach::{Reach, reach},
};

pub(crate) struct Request<'a> {
    pub(crate) source_uri: &'a str,
    pub(crate) destination_uri: &'a str,
    /// The migration that is to begin, where that is known.
    pub(crate) own: Option<&'a MigrationId>,
    pub(crate) continuation: Option<&'a Continuation>,
    /// The replica set that may be dropped from, as the operator typed it.
    pub(crate) may_drop_from: Option<&'a str>,
    /// Where a bus is given and answers.
    pub(crate) bus_limits: Option<BusLimits>,
    /// Where a bus of this machine will keep the oplog.
    pub(crate) bus_directory: Option<&'a Path>,
}

/// What was reached of the two.
struct Pair {
    source: Option<ClusterObservation>,
    destination: Option<ClusterObservation>,
}

/// The report; `bus` is what the look at the bus found. The only error is [`MongoError::MalformedUri`].
pub(crate) async fn validate(request: &Request<'_>, bus: Vec<Finding>) -> Result<ValidationReport, MongoError> {
    let (source, destination) =
        tokio::try_join!(reach(Side::Source, request.source_uri), reach(Side::Destination, request.destination_uri))?;
    let mut report = ValidationReport { findings: bus, ..ValidationReport::default() };
    let mut pair = Pair { source: take(source, &mut report), destination: take(destination, &mut report) };
    report.source = pair.source.as_ref().map(|source| source.identity.clone());
    report.destination = pair.destination.as_ref().map(|destination| destination.identity.clone());
    report.findings.extend(of_facts(&pair));
    match request.continuation {
        Some(continuation) => {
            report.findings.extend(as_before(continuation, &pair));
            keep_totals(&mut report, continuation.earlier.as_ref());
        }
        None => before_start(request, &mut pair, &mut report).await,
    }
    if let Some(destination) = &pair.destination {
        report.findings.push(versions::replays_updates(destination).await);
    }
    let estimates = report.inventory.as_ref().map(|inventory| &inventory.estimates);
    let limits = request.bus_limits.into_iter().flat_map(|limits| bus::limits(limits, estimates));
    let disk = request.bus_directory.map(|directory| bus_disk::check(directory, estimates));
    let of_bus: Vec<Finding> = limits.chain(disk).collect();
    report.findings.extend(of_bus);
    report.findings.sort_by(|one, other| one.code.cmp(&other.code));
    report.finished_at_ms = now_ms();
    for cluster in [pair.source, pair.destination].into_iter().flatten() {
        cluster.shutdown().await;
    }
    Ok(report)
}

fn take(reach: Reach, report: &mut ValidationReport) -> Option<ClusterObservation> {
    report.findings.extend(reach.findings);
    reach.cluster
}

/// What follows from what the clusters say of themselves.
fn of_facts(pair: &Pair) -> Vec<Finding> {
    let mut findings = Vec::new();
    for cluster in [&pair.source, &pair.destination].into_iter().flatten() {
        findings.push(topology::check(cluster.side, &cluster.facts));
        findings.extend(versions::of_one(cluster.side, &cluster.facts));
    }
    if let (Some(source), Some(destination)) = (&pair.source, &pair.destination) {
        findings.push(versions::of_both(&source.facts, destination.facts.version));
        findings.push(same_cluster::two_clusters(&source.identity, &destination.identity));
    }
    findings
}

/// For a migration under way.
fn as_before(continuation: &Continuation, pair: &Pair) -> Vec<Finding> {
    let clusters = [&pair.source, &pair.destination].into_iter().flatten();
    clusters.map(|cluster| same_cluster::as_before(cluster.side, &continuation.settings, &cluster.identity)).collect()
}

/// The source's catalog is not listed again for a migration under way.
fn keep_totals(report: &mut ValidationReport, earlier: Option<&ValidationReport>) {
    if let Some(earlier) = earlier {
        report.collections = earlier.collections;
        report.documents = earlier.documents;
        report.bytes = earlier.bytes;
        report.indexes = earlier.indexes;
        report.inventory = earlier.inventory.clone();
    }
}
