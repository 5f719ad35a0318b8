//! The unit of copying: a part of one collection.

use serde::{Deserialize, Serialize};

use crate::CollectionUuid;

/// How a range is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReadOrder {
    /// The whole collection in storage order: the cheapest, and the order of capped collections. From 4.4 on it goes on behind the last
    /// written document as long as the same server process is the primary; otherwise all of it is read again.
    Natural,
    /// By the `_id` index between two bounds: goes on at the last written `_id` after an interruption.
    ById,
}

/// Bounds are raw BSON documents `{_id: …}`; absent means open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyRange {
    pub collection: CollectionUuid,
    /// From 0, within the collection's plan.
    pub number: u32,
    pub order: ReadOrder,
    /// Inclusive.
    pub lower: Option<serde_bytes::ByteBuf>,
    /// Exclusive.
    pub upper: Option<serde_bytes::ByteBuf>,
}

/// The ranges of one collection. Drawn once: sampling a second time would draw other bounds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RangePlan {
    pub ranges: Vec<CopyRange>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RangeState {
    #[default]
    Waiting,
    Copying,
    Done,
}

/// How far a range has come. Everything counted here is on a majority of the destination.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RangeProgress {
    pub state: RangeState,
    /// Instance of the copier that holds or finished it.
    pub copier: String,
    /// How often a copier has begun or resumed it.
    pub attempts: u32,
    /// Documents read from the source and now on the destination.
    pub documents: u64,
    /// Their size in bytes.
    pub bytes: u64,
    /// Documents that were found on the destination already: work repeated.
    pub repeated: u64,
    /// Raw BSON of where to go on: `{_id: …}` of the last written document of a range read by id, or the server's own mark in storage
    /// order.
    pub resume: Option<serde_bytes::ByteBuf>,
    /// Milliseconds since 1970.
    pub started_at_ms: u64,
    pub updated_at_ms: u64,
}
