//! What the stages of a mongoferry migration say to one another: identifiers, positions, plans, progress, phases and
//! failures, and the one codec they travel in. No I/O; everything here can be tested without a server.

mod capture;
mod change_position;
mod checkpoint;
mod codec;
mod collection_plan;
mod collection_uuid;
mod comparison;
mod copy_range;
mod durable;
mod event;
mod explain;
mod failure;
mod finalization;
mod heartbeat;
mod index_progress;
mod inventory;
mod migration_id;
mod migration_settings;
mod migration_status;
mod namespace;
mod oplog_batch;
mod optime;
mod optime_gap;
mod outage;
mod phase;
mod phase_record;
mod process_record;
mod role;
mod throttle;
mod validation_job;
mod validation_report;
mod verification;
mod verified_ahead;
mod wall_clock;
mod work_item;
mod write_order;

pub use capture::{CaptureProgress, StartPoint};
pub use change_position::ChangePosition;
pub use checkpoint::Checkpoint;
pub use codec::{CodecError, FORMAT_VERSION, decode, encode};
pub use collection_plan::{Catalog, CollectionPlan};
pub use collection_uuid::CollectionUuid;
pub use comparison::{Comparison, ComparisonState, PortionRepaired, Remark, RepairDocument, RepairPortion};
pub use copy_range::{CopyRange, RangePlan, RangeProgress, RangeState, ReadOrder};
pub use durable::Durable;
pub use event::{Announced, Event, EventKind};
pub use explain::{Explain, Retry};
pub use failure::Failure;
pub use finalization::{Finalization, FinalizationStep, UnbuiltIndex};
pub use heartbeat::Heartbeat;
pub use index_progress::{IndexProgress, IndexState, IndexStatus};
pub use inventory::{CollectionInventory, DatabaseInventory, Estimates, Inventory, NotCopied};
pub use migration_id::MigrationId;
pub use migration_settings::{ClusterIdentity, CutoverMode, MigrationSettings};
pub use migration_status::{
    CollectionStatus, CopierStatus, FailureStatus, IndexView, Lag, MigrationStatus, OutageStatus, PhaseStay,
    PredictedPart, Report, RoleHistory, VerifiedAheadView, WriteBlockStatus,
};
pub use namespace::Namespace;
pub use oplog_batch::OplogBatch;
pub use optime::Optime;
pub use optime_gap::OptimeGap;
pub use outage::{Outage, Party, Reachability};
pub use phase::Phase;
pub use phase_record::{CutoverRecord, PhaseEntered, PhaseRecord, WriteBlocks};
pub use process_record::{PastOutage, ProcessRecord};
pub use role::Role;
pub use throttle::{CopyShare, CopyShares, Throttle};
pub use validation_job::{ValidationJob, ValidationState};
pub use validation_report::{DropTarget, Finding, Severity, ValidationReport};
pub use verification::{Difference, DifferenceKind, Verification, VerificationState};
pub use verified_ahead::{AheadCollection, AheadState, Followed, ForeignWrite, Suspect, VerifiedAhead};
pub use wall_clock::now_ms;
pub use work_item::{Queue, WorkItem};
pub use write_order::WriteOrder;
