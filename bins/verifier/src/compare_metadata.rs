//! Compares what two clusters hold beside documents: collections, options, validators, views, indexes. Pure.

use std::collections::BTreeMap;

use bson::{Document, error::Error};
use mongoferry_mongo::{CatalogListing, CollectionInfo, CollectionKind, ServerVersion};
use mongoferry_protocol::{Difference, DifferenceKind};

use crate::{
    collection_pairs::pair_everything,
    normal_form::{differing_fields, normal_index, normal_options},
};

/// All differences. `version` is the destination's.
pub fn compare_metadata(
    source: &CatalogListing,
    destination: &CatalogListing,
    version: ServerVersion,
) -> Result<Vec<Difference>, Error> {
    let pairs = pair_everything(source, destination);
    let mut differences = pairs.differences;
    for (ours, theirs) in pairs.both {
        differences.extend(compare_options(ours, theirs, version)?);
        differences.extend(compare_indexes(ours, theirs)?);
    }
    Ok(differences)
}

fn compare_options(
    ours: &CollectionInfo,
    theirs: &CollectionInfo,
    version: ServerVersion,
) -> Result<Option<Difference>, Error> {
    let detail = if ours.kind == CollectionKind::Buckets && theirs.kind == CollectionKind::Buckets {
        // Made by each server of what users set for the time-series collection, which is compared.
        None
    } else if ours.kind == theirs.kind {
        differing_fields(&normal_options(&ours.options, version)?, &normal_options(&theirs.options, version)?)
    } else {
        Some(format!("{} on the source, {} on the destination", kind(ours), kind(theirs)))
    };
    let of_view = ours.kind == CollectionKind::View;
    let differs = if of_view { DifferenceKind::View } else { DifferenceKind::CollectionOptions };
    Ok(detail.map(|detail| difference(differs, ours, None, detail)))
}

fn compare_indexes(ours: &CollectionInfo, theirs: &CollectionInfo) -> Result<Vec<Difference>, Error> {
    let source = by_name(ours)?;
    let mut left = by_name(theirs)?;
    let mut differences = Vec::new();
    for (name, specification) in source {
        let detail = match left.remove(&name) {
            Some(other) => differing_fields(&specification, &other),
            None => Some("exists on the source only".into()),
        };
        differences.extend(detail.map(|detail| difference(DifferenceKind::Index, ours, Some(name), detail)));
    }
    for name in left.into_keys() {
        let detail = "exists on the destination only".into();
        differences.push(difference(DifferenceKind::Index, ours, Some(name), detail));
    }
    Ok(differences)
}

fn by_name(collection: &CollectionInfo) -> Result<BTreeMap<String, Document>, Error> {
    let specifications = collection.indexes.iter().map(|specification| normal_index(specification));
    specifications
        .map(|specification| {
            let specification = specification?;
            Ok((specification.get_str("name").unwrap_or_default().to_owned(), specification))
        })
        .collect()
}

fn difference(kind: DifferenceKind, of: &CollectionInfo, item: Option<String>, detail: String) -> Difference {
    Difference { kind, namespace: of.namespace.to_string(), item, detail }
}

fn kind(of: &CollectionInfo) -> &'static str {
    match of.kind {
        CollectionKind::Collection => "a collection",
        CollectionKind::Buckets => "the buckets of a time-series collection",
        CollectionKind::View => "a view",
        CollectionKind::TimeSeries => "a time-series collection",
    }
}
