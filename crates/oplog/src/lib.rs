//! The meaning of the source's oplog: from raw entries to typed changes, and from changes to the folded work of each lane.
//!
//! ```text
//! raw entry ── relevance ──▶ BatchBuilder ──▶ OplogBatch ──▶ open_batch ──▶ EntryDecoder ──▶ Change ──▶ RoundBuilder ──▶ Round
//! ```
//!
//! No I/O. No input panics; an entry whose meaning is not known is an error, never skipped.

mod batch;
mod change;
mod ddl;
mod decoder;
mod dispatch;
mod element;
mod envelope;
mod error;
mod expiry;
mod fold;
mod id_key;
mod lane_work;
mod lanes;
mod open_batch;
mod rounds;
mod selection;
mod system_collections;
mod transactions;
mod update_pipeline;

pub use batch::BatchBuilder;
pub use change::{Change, ChangeKind};
pub use ddl::Ddl;
pub use decoder::EntryDecoder;
pub use envelope::{OpKind, Operation, OplogEntry, Session};
pub use error::OplogError;
pub use expiry::deletes_without_session;
pub use fold::LaneFold;
pub use id_key::IdKey;
pub use lane_work::{CollectionWork, LaneWork, OrderedStep, UpdateStep};
pub use lanes::lane_of;
pub use open_batch::{BatchEntries, open_batch};
pub use rounds::{Cut, Round, RoundBuilder, RoundLimits};
pub use selection::{Relevance, relevance};
pub use transactions::{Assembled, TransactionAssembler};
pub use update_pipeline::{is_difference, update_modifiers, update_pipeline};
