//! MF-V14: nothing on the destination stands where something of the source is to go, or it may be dropped. Pure.

use std::collections::{BTreeMap, BTreeSet};

use mongoferry_mongo::{CatalogListing, CollectionInfo};
use mongoferry_protocol::{DropTarget, Finding, Namespace};

use crate::check::{Check, Trouble};

const LISTED: usize = 20;

/// The replica set that may be dropped from as the operator typed it, and the destination's own name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Leave<'a> {
    pub(crate) typed: Option<&'a str>,
    pub(crate) destination: &'a str,
}

impl Leave<'_> {
    fn is_given(self) -> bool {
        self.typed == Some(self.destination)
    }
}

pub(crate) fn check(source: &CatalogListing, destination: &CatalogListing, leave: Leave<'_>) -> Vec<Finding> {
    let (ours, theirs) = (by_namespace(source), by_namespace(destination));
    let overlapping: Vec<&Namespace> = theirs.keys().filter(|name| ours.contains_key(**name)).copied().collect();
    let further: Vec<&Namespace> = theirs.keys().filter(|name| !ours.contains_key(**name)).copied().collect();
    let mut findings = vec![overlap(&overlapping, leave), others(&further)];
    findings.extend(leave.typed.filter(|_| !leave.is_given()).map(|typed| wrong_name(typed, leave.destination)));
    findings
}

/// What is to be dropped, its sizes still unknown. Nothing without leave.
pub(crate) fn to_drop(source: &CatalogListing, destination: &CatalogListing, leave: Leave<'_>) -> Vec<DropTarget> {
    if !leave.is_given() {
        return Vec::new();
    }
    let ours = by_namespace(source);
    let overlapping = by_namespace(destination).into_values().filter(|info| ours.contains_key(&info.namespace));
    overlapping
        .map(|info| DropTarget { namespace: info.namespace.clone(), uuid: info.uuid, documents: 0, disk_bytes: 0 })
        .collect()
}

fn overlap(overlapping: &[&Namespace], leave: Leave<'_>) -> Finding {
    let check = Check::new("MF-V14", "no namespace exists on both sides");
    if overlapping.is_empty() {
        return check.passes("none");
    }
    if leave.is_given() {
        return check.warns(Trouble::new(
            format!("to be dropped from the destination: {}", listed(overlapping)),
            "You asked for it with --drop. What is dropped is gone for good.",
            "Look through the list once more before the migration begins.",
        ));
    }
    let databases: BTreeSet<&str> = overlapping.iter().map(|namespace| namespace.database()).collect();
    check.fails(Trouble::new(
        format!("on the destination too: {}", listed(overlapping)),
        "mongoferry never writes into collections that it did not create.",
        format!(
            "If nobody needs them, let the migration drop exactly these: --drop --confirm-destination {}; or drop them by \
             hand (db.getSiblingDB(\"{}\").dropDatabase(), or the single collections); else name another destination.",
            leave.destination,
            databases.first().copied().unwrap_or_default()
        ),
    ))
}

fn wrong_name(typed: &str, destination: &str) -> Finding {
    Check::new("MF-V14", "leave to drop on the destination").fails(Trouble::new(
        format!("--confirm-destination says {typed:?}, and the destination's replica set is called {destination:?}"),
        "The name is typed out so that nothing is dropped on a cluster that was not meant.",
        format!(
            "Check that the destination is the right one. If it is, write --confirm-destination {destination}; nothing was \
             dropped."
        ),
    ))
}

fn others(further: &[&Namespace]) -> Finding {
    let check = Check::new("MF-V14", "destination: holds nothing else");
    if further.is_empty() {
        return check.passes("nothing");
    }
    check.warns(Trouble::new(
        format!("on the destination alone: {}", listed(further)),
        "At the cutover the two sides are compared, and what only the destination has is a difference.",
        "Drop or move them before the cutover, or do without the verification.",
    ))
}

fn by_namespace(catalog: &CatalogListing) -> BTreeMap<&Namespace, &CollectionInfo> {
    let all = catalog.collections.iter().chain(&catalog.views).chain(&catalog.time_series);
    all.map(|info| (&info.namespace, info)).collect()
}

fn listed(namespaces: &[&Namespace]) -> String {
    let first: Vec<String> = namespaces.iter().take(LISTED).map(ToString::to_string).collect();
    match namespaces.len().saturating_sub(LISTED) {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}
