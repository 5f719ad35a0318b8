//! Which collection of the destination belongs to which of the source. Pure.

use std::collections::HashMap;

use mongoferry_protocol::{CollectionUuid, Namespace};
use serde::{Deserialize, Serialize};

/// Source UUID to destination namespace. A UUID that is missing belongs to a collection that was dropped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CollectionMap(HashMap<CollectionUuid, Namespace>);

/// What a catalog change does to the map.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MapChange {
    Set(CollectionUuid, Namespace),
    Remove(CollectionUuid),
}

impl CollectionMap {
    pub fn get(&self, uuid: CollectionUuid) -> Option<&Namespace> {
        self.0.get(&uuid)
    }

    /// The collection that stands under `namespace`.
    pub fn holder_of(&self, namespace: &Namespace) -> Option<CollectionUuid> {
        self.0.iter().find(|(_, held)| *held == namespace).map(|(uuid, _)| *uuid)
    }

    pub fn apply(&mut self, change: &MapChange) {
        match change {
            MapChange::Set(uuid, namespace) => drop(self.0.insert(*uuid, namespace.clone())),
            MapChange::Remove(uuid) => drop(self.0.remove(uuid)),
        }
    }
}

impl FromIterator<(CollectionUuid, Namespace)> for CollectionMap {
    fn from_iter<I: IntoIterator<Item = (CollectionUuid, Namespace)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}
