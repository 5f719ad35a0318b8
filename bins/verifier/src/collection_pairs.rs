//! Which collections, views and time-series collections stand against which. Pure.

use std::collections::BTreeMap;

use mongoferry_mongo::{CatalogListing, CollectionInfo};
use mongoferry_protocol::{Difference, DifferenceKind, Namespace};

/// What two listings have in common, and what they do not.
pub(crate) struct CollectionPairs<'a> {
    /// Source first.
    pub(crate) both: Vec<(&'a CollectionInfo, &'a CollectionInfo)>,
    pub(crate) differences: Vec<Difference>,
}

/// Pairs the collections that hold documents of their own, also where they stand under another name until the cutover.
pub(crate) fn pair_collections<'a>(source: &'a CatalogListing, destination: &'a CatalogListing) -> CollectionPairs<'a> {
    pair(source.stores(), destination.stores(), Namespace::from_cutover)
}

/// Pairs everything that has a name, but for the source's temporary collections: the destination shall not keep them.
pub(crate) fn pair_everything<'a>(source: &'a CatalogListing, destination: &'a CatalogListing) -> CollectionPairs<'a> {
    pair(everything(source).filter(|info| !info.is_temporary()), everything(destination), Namespace::clone)
}

fn everything(listing: &CatalogListing) -> impl Iterator<Item = &CollectionInfo> {
    listing.stores().chain(&listing.views).chain(&listing.time_series)
}

fn pair<'a>(
    source: impl Iterator<Item = &'a CollectionInfo>,
    destination: impl Iterator<Item = &'a CollectionInfo>,
    name: impl Fn(&Namespace) -> Namespace,
) -> CollectionPairs<'a> {
    let mut left: BTreeMap<Namespace, &CollectionInfo> =
        destination.map(|info| (name(&info.namespace), info)).collect();
    let mut pairs = CollectionPairs { both: Vec::new(), differences: Vec::new() };
    for ours in source {
        match left.remove(&ours.namespace) {
            Some(theirs) => pairs.both.push((ours, theirs)),
            None => pairs.differences.push(Difference {
                kind: DifferenceKind::MissingCollection,
                namespace: ours.namespace.to_string(),
                item: None,
                detail: "exists on the source only".into(),
            }),
        }
    }
    pairs.differences.extend(left.into_keys().map(|namespace| Difference {
        kind: DifferenceKind::ExtraCollection,
        namespace: namespace.to_string(),
        item: None,
        detail: "exists on the destination only".into(),
    }));
    pairs
}
