//! MF-V14: nothing on the destination stands where something of the source is to go. Pure.

use std::collections::BTreeSet;

use mongoferry_mongo::CatalogListing;
use mongoferry_protocol::{Finding, Namespace};

use crate::check::{Check, Trouble};

const LISTED: usize = 20;

pub(crate) fn check(source: &CatalogListing, destination: &CatalogListing) -> Vec<Finding> {
    let (ours, theirs) = (namespaces(source), namespaces(destination));
    let overlapping: Vec<&Namespace> = ours.intersection(&theirs).copied().collect();
    let further: Vec<&Namespace> = theirs.difference(&ours).copied().collect();
    vec![overlap(&overlapping), others(&further)]
}

fn overlap(overlapping: &[&Namespace]) -> Finding {
    let check = Check::new("MF-V14", "no namespace exists on both sides");
    if overlapping.is_empty() {
        return check.passes("none");
    }
    let databases: BTreeSet<&str> = overlapping.iter().map(|namespace| namespace.database()).collect();
    check.fails(Trouble::new(
        format!("on the destination too: {}", listed(overlapping)),
        "mongoferry never writes into collections that it did not create.",
        format!(
            "If nobody needs them, drop them on the destination (db.getSiblingDB(\"{}\").dropDatabase(), or the single \
             collections); else name another destination.",
            databases.first().copied().unwrap_or_default()
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

fn namespaces(catalog: &CatalogListing) -> BTreeSet<&Namespace> {
    let all = catalog.collections.iter().chain(&catalog.views).chain(&catalog.time_series);
    all.map(|info| &info.namespace).collect()
}

fn listed(namespaces: &[&Namespace]) -> String {
    let first: Vec<String> = namespaces.iter().take(LISTED).map(ToString::to_string).collect();
    match namespaces.len().saturating_sub(LISTED) {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}
