//! Lets documents of clustered and of time-series collections expire as on the source.

use bson::{Bson, RawDocumentBuf, doc};

use crate::{
    catalog::{CatalogListing, CollectionInfo},
    error::MongoError,
    fenced::Fenced,
    index_builder::about_the_index,
    index_finalizer::FinalizationOutcome,
};

const OPTION: &str = "expireAfterSeconds";

/// Sets what differs; the very last step, as documents may go from here on.
pub(crate) async fn expire_collections(
    destination: Fenced<'_>,
    source: &CatalogListing,
    standing: &CatalogListing,
    outcome: &mut FinalizationOutcome,
) -> Result<(), MongoError> {
    for collection in visible(source) {
        let there = visible(standing).find(|other| other.namespace == collection.namespace);
        let (wanted, present) = (expiry(&collection.options), there.and_then(|info| expiry(&info.options)));
        if wanted == present {
            continue;
        }
        let namespace = &collection.namespace;
        let command = doc! {
            "collMod": namespace.collection(), OPTION: wanted.unwrap_or_else(|| "off".into()),
            "writeConcern": {"w": "majority"},
        };
        match destination.change(namespace.database(), command).await {
            Ok(_) => outcome.done.push(format!("collection {namespace}: given its expiry")),
            Err(error) => outcome.problems.push(format!("collection {namespace}: {}", about_the_index(error)?)),
        }
    }
    Ok(())
}

fn visible(listing: &CatalogListing) -> impl Iterator<Item = &CollectionInfo> {
    listing.collections.iter().chain(&listing.time_series)
}

fn expiry(options: &RawDocumentBuf) -> Option<Bson> {
    options.get(OPTION).ok().flatten().and_then(|value| value.try_into().ok())
}
