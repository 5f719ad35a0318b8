//! A change of the destination's catalog as steps, each of which may be done twice.

use mongoferry_protocol::{CollectionUuid, Namespace, decode, encode};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::applier_state::MapChange;

/// Namespaces are the destination's. `uuid` is the collection's on the destination, filled in when the plan is resolved;
/// none means that it did not stand there then. Options and specs are raw BSON documents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DdlStep {
    Create { namespace: Namespace, options: ByteBuf },
    Drop { namespace: Namespace, uuid: Option<CollectionUuid> },
    Rename { from: Namespace, to: Namespace, uuid: Option<CollectionUuid> },
    CreateIndexes { namespace: Namespace, uuid: Option<CollectionUuid>, specs: Vec<ByteBuf> },
    DropIndex { namespace: Namespace, uuid: Option<CollectionUuid>, name: String },
    CollMod { namespace: Namespace, uuid: Option<CollectionUuid>, options: ByteBuf },
}

/// What one entry of the oplog comes to on the destination.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DdlPlan {
    /// The source's command, for people.
    pub kind: String,
    pub steps: Vec<DdlStep>,
    pub map_changes: Vec<MapChange>,
}

impl DdlPlan {
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        encode(self).expect("made of strings, bytes and numbers")
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        decode(bytes).ok()
    }
}
