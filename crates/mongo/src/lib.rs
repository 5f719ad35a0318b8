//! The only user of the MongoDB driver: connecting, facts, the oplog, the catalog, reading ranges, writing documents,
//! indexes. Documents pass through as raw BSON; every write is confirmed by a majority.

mod applier_state;
mod bulk_writer;
mod capped;
mod catalog;
mod collection_expiry;
mod collection_options;
mod connection;
mod connection_plan;
mod connection_string;
mod create_collection;
mod cutover_work;
mod ddl_executor;
mod document_scan;
mod doubled_names;
mod drop_collection;
mod error;
mod facts;
mod fault;
mod fenced;
mod final_names;
mod finalization_plan;
mod index_build_progress;
mod index_builder;
mod index_finalizer;
mod index_forms;
mod lane_writer;
mod migratable;
mod oplog_cursor;
mod optimes;
mod range_planner;
mod range_reader;
mod raw_id;
mod start_point;
mod touched_documents;
mod unique_conflicts;
mod views;
mod write_block;
mod zero_timestamp;

pub use applier_state::{
    ApplierState, ApplyError, Beginning, Claim, CollectionMap, DeltaForm, LaneCheckpoint, MapChange, MappedCollection,
    delta_form, initialise, is_initialised, mark_destination,
};
pub use bulk_writer::{Inserted, insert_raw, insert_raw_in_time};
pub use catalog::{
    CatalogListing, CollectionInfo, CollectionKind, is_old_index, list_catalog, list_indexes, list_metadata,
    list_namespaces, name_of,
};
pub use collection_options::{is_capped, options_before_cutover, portable_options, write_order};
pub use connection::Cluster;
pub use connection_plan::{ConnectionPlan, LoginPlan, TlsPlan, connection_plan};
pub use connection_string::{parse_uri, uri_without_secrets};
pub use create_collection::create_collection;
pub use cutover_work::{CutoverWork, IndexEffort, IndexWork, cutover_work, expiring_collections};
pub use ddl_executor::{DdlExecutor, DdlPlan, DdlStep};
pub use document_scan::{DocumentScan, ScannedBatch};
pub use doubled_names::{holds_doubled_name, keeps_doubled_names};
pub use drop_collection::{DropOutcome, drop_collection};
pub use error::{Cause, MongoError};
pub use facts::{ClusterFacts, ServerVersion, Topology, facts, identity};
pub use fault::{Fault, classify, classify_code};
pub use fenced::{Asking, Fenced, StillOurs};
pub use finalization_plan::{IndexStep, finalization_plan};
pub use index_build_progress::index_build_progress;
pub use index_builder::{BuildOutcome, BuildState, build_indexes, standing_indexes};
pub use index_finalizer::{FinalizationOutcome, finalize, prepare_finalization, revert_preparation};
pub use index_forms::{IndexForm, index_forms};
pub use lane_writer::{
    CollectionSteps, InsertForm, LaneRound, LaneWriter, LaneWritten, SourceDocuments, WriteStep,
    is_altered_by_the_server,
};
pub use migratable::refusal;
pub use oplog_cursor::{OplogCursor, OplogEntries};
pub use optimes::{LastOptimes, append_note, last_optimes, oplog_bounds, wait_for_majority};
pub use range_planner::{RANGE_BYTES, draw_ranges, range_count};
pub use range_reader::{CopyBatch, RangeReader, RangeRequest};
pub use start_point::{choose_start_point, first_of_chain};
pub use touched_documents::{TouchedDocument, touched_documents};
pub use write_block::{LIFT_WRITE_BLOCK, Passing, obstacle_to_write_block, set_write_block};
