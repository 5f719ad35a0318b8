//! MF-V18: every collection of the source is of a kind that this version migrates. Pure.

use mongoferry_mongo::{CatalogListing, refusal};
use mongoferry_protocol::Finding;

use crate::{
    check::{Check, Trouble},
    format_size::counted,
};

const LISTED: usize = 20;

pub(crate) fn check(source: &CatalogListing) -> Finding {
    let check = Check::new("MF-V18", "source: kinds of collections");
    let candidates = source.collections.iter().chain(&source.time_series);
    let refused: Vec<String> = candidates
        .filter_map(|info| {
            let reason = refusal(&info.options, &info.namespace)?;
            Some(format!("{} {reason}", info.namespace))
        })
        .collect();
    if refused.is_empty() {
        let (collections, views) = (source.collections.len() as u64, source.views.len() as u64);
        return check.passes(format!("{}, {}", counted(collections, "collection"), counted(views, "view")));
    }
    let mut found = refused.iter().take(LISTED).cloned().collect::<Vec<_>>().join("; ");
    if refused.len() > LISTED {
        found += &format!("; and {} more", refused.len() - LISTED);
    }
    check.fails(Trouble::new(
        found,
        "They would arrive changed, or not at all; mongoferry skips nothing silently.",
        "Drop them on the source, or move their documents into plain collections, before the migration.",
    ))
}
