//! Everything that is asked only before a migration begins, side by side, each within its own time.

use std::{collections::BTreeSet, time::Duration};

use futures_util::{FutureExt, future::BoxFuture, future::join_all};
use mongoferry_mongo::CatalogListing;
use mongoferry_protocol::{DropTarget, Finding, Inventory, Namespace, ValidationReport};

use super::{
    Pair, Request,
    listing::{list, namespaces},
};
use crate::{
    check::Check,
    checks::{
        clocks, disk, expiry, field_names, indexes, kinds, left_out, marker, members, oplog, overlap, privileges,
        users, write_block, writers,
    },
    cluster_observation::ClusterObservation,
    drop_sizes, inventory,
    oplog_view::OplogView,
};

/// For one check. Servers that are fine answer within milliseconds.
const PATIENCE: Duration = Duration::from_secs(8);

type Running<'a> = BoxFuture<'a, Vec<Finding>>;

pub(super) async fn before_start(request: &Request<'_>, pair: &mut Pair, report: &mut ValidationReport) {
    // Clocks first: what follows keeps this machine busy.
    let clocks = of_each(pair, |cluster| one(clocks::check(cluster)), "MF-V22", "clock").await;
    let listed = tokio::join!(list(pair.source.as_mut()), list(pair.destination.as_mut()));
    report.findings.extend(clocks.into_iter().chain(listed.0).chain(listed.1));
    let source = pair.source.as_ref().filter(|source| source.facts.set_name.is_some());
    let (oplog, accounts) = tokio::join!(view(source), accounts(pair));
    if let Some(source) = source {
        let view = oplog.as_ref().and_then(|oplog| oplog.as_ref().ok());
        report.inventory = inventory::take(source, view, accounts.0).await;
    }
    report.findings.extend(oplog.iter().flat_map(oplog::check));
    if pair.source.is_some() {
        report.findings.push(users::check(accounts.0, accounts.1));
    }
    if let Some(catalog) = pair.source.as_ref().and_then(|source| source.catalog.as_ref()) {
        count(report, catalog);
    }
    report.to_drop = to_drop(request, pair).await;
    report.findings.extend(asked(request, pair, report).await);
    report.findings.extend(of_catalogs(request, pair, report.inventory.as_ref()));
}

async fn view(source: Option<&ClusterObservation>) -> Option<Result<OplogView, mongoferry_mongo::MongoError>> {
    Some(OplogView::of(&source?.cluster).await)
}

async fn accounts(pair: &Pair) -> (users::Accounts, Option<users::Accounts>) {
    let of = async |cluster: Option<&ClusterObservation>| match cluster {
        Some(cluster) => Some(users::count(cluster).await),
        None => None,
    };
    let (source, destination) = tokio::join!(of(pair.source.as_ref()), of(pair.destination.as_ref()));
    (source.unwrap_or_default(), destination)
}

/// The checks that ask the servers something.
async fn asked(request: &Request<'_>, pair: &Pair, report: &ValidationReport) -> Vec<Finding> {
    let due = pair.source.as_ref().and_then(|source| source.catalog.as_ref()).map(namespaces).unwrap_or_default();
    let mut running: Vec<Running<'_>> =
        vec![of_each(pair, |cluster| members::check(cluster).boxed(), "MF-V24", "members").boxed()];
    if let Some(destination) = &pair.destination {
        running.push(on_destination(request, destination, &due).boxed());
        if let Some(inventory) = &report.inventory {
            let check = Check::new("MF-V13", "destination: disk");
            let disk = one(disk::check(&inventory.estimates, destination, &report.to_drop));
            running.push(async move { check.within(PATIENCE, disk).await }.boxed());
        }
    }
    if let (Some(source), Some(destination)) = (&pair.source, &pair.destination) {
        running.push(one(field_names::check(source, destination.facts.version)));
    }
    let mut findings: Vec<Finding> =
        pair.source.iter().flat_map(|source| privileges::of_source(source, &due)).collect();
    findings.extend(join_all(running).await.into_iter().flatten());
    findings
}

async fn on_destination(
    request: &Request<'_>,
    destination: &ClusterObservation,
    due: &BTreeSet<Namespace>,
) -> Vec<Finding> {
    let (marker, blocked, others) = (
        Check::new("MF-V26", "destination: no other migration"),
        Check::new("MF-V06", "destination: writes are not blocked"),
        Check::new("MF-V23", "destination: nobody else writes"),
    );
    let (marker, blocked, others) = tokio::join!(
        marker.within(PATIENCE, one(marker::check(&destination.cluster, request.own))),
        blocked.within(PATIENCE, write_block::check(destination)),
        others.within(PATIENCE, one(writers::check(destination))),
    );
    let mut findings = vec![privileges::of_destination(destination, due)];
    findings.extend([marker, blocked, others].into_iter().flatten());
    findings
}

/// The same check on both replica sets.
async fn of_each<'a>(
    pair: &'a Pair,
    check: impl Fn(&'a ClusterObservation) -> Running<'a>,
    code: &'static str,
    what: &str,
) -> Vec<Finding> {
    let sets = [&pair.source, &pair.destination].into_iter().flatten().filter(|set| set.facts.set_name.is_some());
    let running = sets.map(|set| {
        let (limit, findings) = (Check::new(code, format!("{}: {what}", set.side)), check(set));
        async move { limit.within(PATIENCE, findings).await }
    });
    join_all(running).await.into_iter().flatten().collect()
}

/// The checks that follow from the listings.
fn of_catalogs(request: &Request<'_>, pair: &Pair, inventory: Option<&Inventory>) -> Vec<Finding> {
    let Some(source) = pair.source.as_ref().and_then(|source| source.catalog.as_ref()) else { return Vec::new() };
    let version = pair.destination.as_ref().map(|destination| destination.facts.version);
    let profiles = inventory.map_or(0, |inventory| inventory.not_copied.profiler_collections);
    let mut findings = kinds::check(source, version);
    findings.extend(left_out::check(source, profiles));
    findings.push(expiry::check(source));
    findings.extend(version.map(|version| indexes::check(source, version)));
    if let Some((destination, catalog)) = listed(pair.destination.as_ref()) {
        findings.extend(overlap::check(source, catalog, leave(request, destination)));
    }
    findings
}

/// What the operator gave leave to drop.
async fn to_drop(request: &Request<'_>, pair: &Pair) -> Vec<DropTarget> {
    let (Some((_, source)), Some((destination, catalog))) =
        (listed(pair.source.as_ref()), listed(pair.destination.as_ref()))
    else {
        return Vec::new();
    };
    let targets = overlap::to_drop(source, catalog, leave(request, destination));
    drop_sizes::with_sizes(&destination.cluster, targets).await
}

fn leave<'a>(request: &Request<'a>, destination: &'a ClusterObservation) -> overlap::Leave<'a> {
    overlap::Leave { typed: request.may_drop_from, destination: &destination.identity.replica_set }
}

fn listed(cluster: Option<&ClusterObservation>) -> Option<(&ClusterObservation, &CatalogListing)> {
    cluster.and_then(|cluster| Some((cluster, cluster.catalog.as_ref()?)))
}

fn one<'a>(finding: impl Future<Output = Finding> + Send + 'a) -> Running<'a> {
    finding.map(|finding| vec![finding]).boxed()
}

fn count(report: &mut ValidationReport, source: &CatalogListing) {
    report.collections = source.collections.len() as u64;
    for collection in &source.collections {
        report.documents += collection.document_count;
        report.bytes += collection.size_bytes;
        report.indexes += collection.indexes.len() as u64;
    }
}
