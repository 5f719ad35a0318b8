//! Divides a collection into ranges. Together they cover every document whatever the types of `_id`, because each bound
//! is the upper end of one range and the lower end of the next.

use bson::{Bson, Document, RawDocumentBuf, doc};
use futures_util::TryStreamExt;
use mongoferry_protocol::{CollectionUuid, CopyRange, Namespace, RangePlan, ReadOrder};
use serde_bytes::ByteBuf;

use crate::{
    catalog::{name_of, uuid_binary},
    connection::Cluster,
    error::MongoError,
    facts::ServerVersion,
};

/// What a range should hold unless told otherwise: small enough to be copied again whole, large enough to be worth its
/// bookkeeping.
pub const RANGE_BYTES: u64 = 128 * 1024 * 1024;
/// Samples per range; the more, the more even the ranges.
const OVERSAMPLING: u64 = 20;
/// The plan is one record on the bus; past this the ranges grow instead.
const MOST_RANGES: u64 = 4_000;

/// Draws the ranges of a collection. A second drawing differs from the first: the result must be kept.
/// A collection that is gone has none. `namespace` is where it was last seen; `range_bytes` is usually
/// [`RANGE_BYTES`].
pub async fn draw_ranges(
    source: &Cluster,
    version: ServerVersion,
    uuid: CollectionUuid,
    namespace: &Namespace,
    size_bytes: u64,
    range_bytes: u64,
) -> Result<RangePlan, MongoError> {
    let count = range_count(size_bytes, range_bytes);
    if count <= 1 {
        return Ok(RangePlan { ranges: vec![whole(uuid)] });
    }
    // `$sample` goes by name, and names change under way.
    let mut name = name_of(source, namespace.database(), uuid).await?;
    while let Some(present) = name {
        let sampled = sample(source, version, uuid, &present, count * OVERSAMPLING).await;
        name = name_of(source, namespace.database(), uuid).await?;
        if name.as_ref() == Some(&present) {
            return Ok(RangePlan { ranges: divide(uuid, &sampled?) });
        }
    }
    Ok(RangePlan { ranges: Vec::new() })
}

/// How many ranges are aimed at for so many bytes of documents. Pure.
pub fn range_count(size_bytes: u64, range_bytes: u64) -> u64 {
    size_bytes.div_ceil(range_bytes.max(1)).clamp(1, MOST_RANGES)
}

fn whole(collection: CollectionUuid) -> CopyRange {
    CopyRange { collection, number: 0, order: ReadOrder::Natural, lower: None, upper: None }
}

/// Sampled `_id`s as `{_id: …}` in the server's order across types.
async fn sample(
    source: &Cluster,
    version: ServerVersion,
    uuid: CollectionUuid,
    namespace: &Namespace,
    size: u64,
) -> Result<Vec<Document>, MongoError> {
    let size = i64::try_from(size).unwrap_or(i64::MAX);
    let mut command = doc! {
        "aggregate": namespace.collection(),
        "pipeline": [{"$sample": {"size": size}}, {"$project": {"_id": 1}}, {"$sort": {"_id": 1}}],
        "allowDiskUse": true,
        "cursor": {},
    };
    if version.is_at_least(6, 0) {
        command.insert("collectionUUID", uuid_binary(uuid));
    }
    let explain = |error| source.explain(&format!("aggregate on {namespace}"), &error);
    let database = source.database(namespace.database());
    database.run_cursor_command(command).await.map_err(explain)?.try_collect().await.map_err(explain)
}

/// Every [`OVERSAMPLING`]th sample is a bound. Pure.
fn divide(collection: CollectionUuid, samples: &[Document]) -> Vec<CopyRange> {
    let mut bounds: Vec<&Bson> = samples
        .iter()
        .filter_map(|sample| sample.get("_id"))
        .skip(OVERSAMPLING as usize)
        .step_by(OVERSAMPLING as usize)
        .collect();
    bounds.dedup();
    let bounds: Vec<ByteBuf> = bounds.into_iter().filter_map(bound).collect();
    if bounds.is_empty() {
        return vec![whole(collection)];
    }
    let lowers = std::iter::once(None).chain(bounds.iter().cloned().map(Some));
    let uppers = bounds.iter().cloned().map(Some).chain(std::iter::once(None));
    lowers
        .zip(uppers)
        .zip(0..)
        .map(|((lower, upper), number)| CopyRange { collection, number, order: ReadOrder::ById, lower, upper })
        .collect()
}

fn bound(id: &Bson) -> Option<ByteBuf> {
    RawDocumentBuf::try_from(&doc! {"_id": id}).ok().map(|raw| ByteBuf::from(raw.into_bytes()))
}

#[cfg(test)]
mod tests {
    use bson::{Document, doc};
    use mongoferry_protocol::{CollectionUuid, ReadOrder};

    use super::{OVERSAMPLING, divide};

    #[test]
    fn neighbours_share_a_bound_and_the_ends_are_open() {
        let samples: Vec<Document> = (0..5 * OVERSAMPLING as i64).map(|id| doc! {"_id": id}).collect();
        let ranges = divide(CollectionUuid::from_bytes([1; 16]), &samples);
        assert_eq!(ranges.len(), 5);
        assert!(ranges[0].lower.is_none() && ranges[4].upper.is_none());
        for (i, pair) in ranges.windows(2).enumerate() {
            assert!(pair[0].upper.is_some() && pair[0].upper == pair[1].lower);
            assert_eq!(pair[0].number as usize, i);
        }
    }

    #[test]
    fn equal_or_few_samples_make_fewer_ranges() {
        let equal: Vec<Document> = (0..100).map(|_| doc! {"_id": 1}).collect();
        assert_eq!(divide(CollectionUuid::from_bytes([1; 16]), &equal).len(), 2);
        let few = divide(CollectionUuid::from_bytes([1; 16]), &[doc! {"_id": 1}]);
        assert_eq!((few.len(), few[0].order), (1, ReadOrder::Natural));
    }
}
