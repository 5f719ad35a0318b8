//! What the coordinator found on the source after the start point.

use serde::{Deserialize, Serialize};

use crate::{CollectionUuid, Namespace, Optime};

/// Everything that is to be copied. Written once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Catalog {
    /// The source's majority optime when the listing was complete.
    pub listed_at: Optime,
    /// Largest first. Each has a [`CollectionPlan`] under its own key.
    pub collections: Vec<CollectionUuid>,
}

/// One collection as it was listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CollectionPlan {
    pub uuid: CollectionUuid,
    /// Its name when it was listed, and its name on the destination until the applier renames it.
    pub namespace: Namespace,
    /// `options` of listCollections as a raw BSON document.
    #[serde(with = "serde_bytes")]
    pub options: Vec<u8>,
    /// The specifications of listIndexes as raw BSON documents, in order, `_id_` included.
    pub indexes: Vec<serde_bytes::ByteBuf>,
    /// Uncompressed data. An estimate.
    pub size_bytes: u64,
    /// An estimate.
    pub document_count: u64,
}
