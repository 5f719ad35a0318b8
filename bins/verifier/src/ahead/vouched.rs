//! What needs no comparing at the cutover.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use mongoferry_mongo::CollectionInfo;
use mongoferry_protocol::{AheadState, CollectionUuid, Optime};
use tokio::time::Instant;

use super::state::{Ahead, State};

/// Following takes moments once the source is silent; without it everything is compared, which takes longer than waiting.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(20);

/// Collections of which only the suspects are left to be compared.
#[derive(Default)]
pub(crate) struct Vouched {
    collections: BTreeMap<CollectionUuid, VouchedCollection>,
}

#[derive(Clone)]
pub(crate) struct VouchedCollection {
    on_destination: CollectionUuid,
    pub(crate) documents: u64,
    pub(crate) bytes: u64,
    /// Bytes of `_id` elements.
    pub(crate) suspects: BTreeSet<Vec<u8>>,
}

impl Vouched {
    /// Waits until every change up to these optimes, of the source and of the destination, was looked at; not for what is known to fail.
    pub(crate) async fn at(ahead: &Ahead, on_source: Optime, on_destination: Optime) -> Self {
        let began = Instant::now();
        while ahead.is_begun() && !ahead.is_broken() && began.elapsed() < PATIENCE {
            {
                let state = ahead.state();
                if state.followed >= on_source && state.destination_followed >= on_destination {
                    return Self::of(&state);
                }
            }
            tokio::time::sleep(LOOK).await;
        }
        Self::default()
    }

    fn of(state: &State) -> Self {
        let mut collections: BTreeMap<CollectionUuid, VouchedCollection> = BTreeMap::new();
        for collection in state.collections.values().filter(|one| one.state == AheadState::Done) {
            let vouched = VouchedCollection {
                on_destination: collection.on_destination,
                documents: collection.documents,
                bytes: collection.bytes,
                suspects: BTreeSet::new(),
            };
            collections.insert(collection.on_source, vouched);
        }
        for (collection, id) in state.suspects.keys() {
            if let Some(collection) = collections.get_mut(collection) {
                collection.suspects.insert(id.clone());
            }
        }
        Self { collections }
    }

    /// What is left of this pair.
    pub(crate) fn for_pair(&self, ours: &CollectionInfo, theirs: &CollectionInfo) -> Option<&VouchedCollection> {
        let vouched = self.collections.get(&ours.uuid?)?;
        (Some(vouched.on_destination) == theirs.uuid).then_some(vouched)
    }
}
