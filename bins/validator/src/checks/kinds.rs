//! MF-V18: every collection of the source is of a kind that the destination has. Pure.

use mongoferry_mongo::{CatalogListing, CollectionInfo, ServerVersion};
use mongoferry_protocol::Finding;

use crate::{
    check::{Check, Trouble},
    format_size::counted,
};

const LISTED: usize = 20;

type IsKind = fn(&CollectionInfo) -> bool;

/// How a kind is called when counted, and what is of it.
const KINDS: [(&str, IsKind); 5] = [
    ("capped", |info| info.options.get_bool("capped").unwrap_or(false)),
    ("time-series", |info| has(info, "timeseries")),
    ("clustered", |info| has(info, "clusteredIndex")),
    ("with a default collation", |info| has(info, "collation")),
    ("with a validator", |info| has(info, "validator")),
];

fn has(info: &CollectionInfo, option: &str) -> bool {
    info.options.get(option).ok().flatten().is_some()
}

pub(crate) fn check(source: &CatalogListing, destination: Option<ServerVersion>) -> Vec<Finding> {
    let check = Check::new("MF-V18", "source: kinds of collections");
    let all = || source.collections.iter().chain(&source.time_series);
    let refused: Vec<String> =
        all().filter_map(|info| Some(format!("{} {}", info.namespace, lacking(info, destination?)?))).collect();
    let mut findings = vec![Check::new("MF-V18", "source: counts of kinds").passes(counts(source))];
    if !refused.is_empty() {
        let mut found = refused.iter().take(LISTED).cloned().collect::<Vec<_>>().join("; ");
        if refused.len() > LISTED {
            found += &format!("; and {} more", refused.len() - LISTED);
        }
        findings.push(check.fails(Trouble::new(
            found,
            "They would arrive changed, or not at all; mongoferry skips nothing silently.",
            "Choose a newer destination, or move their documents into plain collections before the migration.",
        )));
    }
    findings
}

/// What an older server does not have.
fn lacking(info: &CollectionInfo, destination: ServerVersion) -> Option<String> {
    if has(info, "timeseries") && !destination.is_at_least(5, 0) {
        return Some(format!(
            "is a time-series collection, which the destination's version {destination} does not have"
        ));
    }
    (has(info, "clusteredIndex") && !destination.is_at_least(5, 3))
        .then(|| format!("is clustered, which the destination's version {destination} does not know"))
}

fn counts(source: &CatalogListing) -> String {
    let all = || source.collections.iter().chain(&source.time_series);
    let total = source.collections.len() + source.time_series.len();
    let mut parts = vec![counted(total as u64, "collection")];
    for (name, is) in KINDS {
        let count = all().filter(|info| is(info)).count();
        if count > 0 {
            parts.push(format!("{count} {name}"));
        }
    }
    let files = source.collections.iter().filter(|info| info.namespace.collection().ends_with(".chunks")).count();
    if files > 0 {
        parts.push(format!("{files} of GridFS chunks"));
    }
    parts.push(counted(source.views.len() as u64, "view"));
    parts.join(", ")
}
