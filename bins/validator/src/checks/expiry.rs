//! MF-V16: how many TTL indexes will be held back until the cutover. Pure.

use mongoferry_mongo::CatalogListing;
use mongoferry_protocol::Finding;

use crate::{check::Check, format_size::counted};

pub(crate) fn check(source: &CatalogListing) -> Finding {
    let check = Check::new("MF-V16", "source: TTL indexes");
    let expires = |index: &bson::RawDocumentBuf| index.get("expireAfterSeconds").ok().flatten().is_some();
    let counts = source.collections.iter().map(|info| info.indexes.iter().filter(|index| expires(index)).count());
    let (collections, indexes) = counts
        .filter(|count| *count > 0)
        .fold((0, 0), |(collections, indexes), count| (collections + 1, indexes + count));
    if indexes == 0 {
        return check.passes("none");
    }
    check.passes(format!(
        "{indexes} in {}; on the destination they expire nothing before the cutover",
        counted(collections, "collection")
    ))
}
