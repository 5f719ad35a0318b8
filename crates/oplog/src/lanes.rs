//! Which lane a document's changes go through. Depends on nothing but its arguments, for ever: each lane has a checkpoint of
//! its own that outlives the process.

use mongoferry_protocol::CollectionUuid;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use crate::IdKey;

/// A number below `lanes`, which must not be 0. Changes of one document meet in one lane, as do all changes of a collection's
/// documents with unfoldable `_id`s.
pub fn lane_of(uuid: CollectionUuid, key: &IdKey, lanes: u32) -> u32 {
    let seed = xxh3_64(&uuid.bytes());
    let hash = match key {
        IdKey::Number(number) => xxh3_64_with_seed(&number.to_le_bytes(), seed),
        IdKey::ObjectId(bytes) => xxh3_64_with_seed(bytes, seed),
        IdKey::Simple(bytes) => xxh3_64_with_seed(bytes, seed),
        IdKey::Unfoldable => seed,
    };
    u32::try_from(hash % u64::from(lanes)).expect("less than a u32")
}

#[cfg(test)]
mod tests {
    use mongoferry_protocol::CollectionUuid;

    use super::lane_of;
    use crate::IdKey;

    #[test]
    fn a_lane_never_changes_between_builds() {
        let uuid = CollectionUuid::from_bytes([7; 16]);
        let keys =
            [IdKey::Number(42), IdKey::ObjectId([9; 12]), IdKey::Simple(Box::from(*b"\x02abc")), IdKey::Unfoldable];
        assert_eq!(keys.map(|key| lane_of(uuid, &key, 1_000_000)), [920_430, 972_728, 107_568, 368_115]);
    }

    #[test]
    fn documents_spread_over_all_lanes() {
        let uuid = CollectionUuid::from_bytes([7; 16]);
        let mut counts = [0; 8];
        for number in 0..8_000 {
            counts[lane_of(uuid, &IdKey::Number(number), 8) as usize] += 1;
        }
        assert!(counts.iter().all(|count| (800..1200).contains(count)), "{counts:?}");
    }
}
