//! Which collection of the destination belongs to which of the source, and how it is written. Pure.

use std::collections::HashMap;

use mongoferry_protocol::{CollectionUuid, Namespace, WriteOrder};
use serde::{Deserialize, Serialize};

/// Source UUID to where the collection stands on the destination. A UUID that is missing belongs to a collection that was
/// dropped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CollectionMap(HashMap<CollectionUuid, MappedCollection>);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MappedCollection {
    pub namespace: Namespace,
    pub order: WriteOrder,
}

/// What a catalog change does to the map.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MapChange {
    Set(CollectionUuid, MappedCollection),
    Remove(CollectionUuid),
}

impl CollectionMap {
    pub fn get(&self, uuid: CollectionUuid) -> Option<&MappedCollection> {
        self.0.get(&uuid)
    }

    pub fn namespace(&self, uuid: CollectionUuid) -> Option<&Namespace> {
        self.get(uuid).map(|mapped| &mapped.namespace)
    }

    /// Of a collection that was dropped, there is nothing to keep in order.
    pub fn order(&self, uuid: CollectionUuid) -> WriteOrder {
        self.get(uuid).map(|mapped| mapped.order).unwrap_or_default()
    }

    /// The collection that stands under `namespace`.
    pub fn holder_of(&self, namespace: &Namespace) -> Option<CollectionUuid> {
        self.0.iter().find(|(_, held)| held.namespace == *namespace).map(|(uuid, _)| *uuid)
    }

    pub fn apply(&mut self, change: &MapChange) {
        match change {
            MapChange::Set(uuid, mapped) => drop(self.0.insert(*uuid, mapped.clone())),
            MapChange::Remove(uuid) => drop(self.0.remove(uuid)),
        }
    }
}

impl FromIterator<(CollectionUuid, MappedCollection)> for CollectionMap {
    fn from_iter<I: IntoIterator<Item = (CollectionUuid, MappedCollection)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}
