//! Capped collections at the cutover. Until then they stand on the destination as plain ones, which hold the same documents in
//! the same order, or more.

mod make;
mod settle;

use crate::{
    catalog::{CatalogListing, CollectionInfo},
    collection_options::is_capped,
};
pub(crate) use make::make_capped;
pub(crate) use settle::settle_capped;

/// The source's capped collections that stand on the destination as plain ones.
fn still_plain<'a>(
    source: &'a CatalogListing,
    destination: &'a CatalogListing,
) -> impl Iterator<Item = &'a CollectionInfo> {
    let stands_plain = |wanted: &CollectionInfo| {
        let there = destination.collections.iter().find(|info| info.namespace == wanted.namespace);
        there.is_some_and(|info| !is_capped(&info.options))
    };
    source.collections.iter().filter(move |info| is_capped(&info.options) && stands_plain(info))
}
