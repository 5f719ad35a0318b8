//! The keys of the bucket and the type behind each. Built from UUIDs and numbers, never from namespaces.

use std::marker::PhantomData;

use mongoferry_protocol::{
    Announced, CaptureProgress, Catalog, Checkpoint, CollectionPlan, CollectionUuid, Comparison, CopyShares, Failure,
    Finalization, FinalizationStep, Followed, IndexProgress, MigrationSettings, PhaseRecord, PortionRepaired,
    ProcessRecord, RangePlan, RangeProgress, RepairPortion, Role, StartPoint, Throttle, ValidationJob,
    ValidationReport, Verification, VerifiedAhead,
};

/// A key whose value is a `T`.
pub struct Key<T> {
    pub(crate) text: String,
    value: PhantomData<fn() -> T>,
}

impl<T> Key<T> {
    fn named(text: impl Into<String>) -> Self {
        Self { text: text.into(), value: PhantomData }
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// Written by the coordinator once, when the migration is created.
pub fn settings() -> Key<MigrationSettings> {
    Key::named("settings")
}

/// Written by the coordinator.
pub fn phase() -> Key<PhaseRecord> {
    Key::named("phase")
}

/// Written by the validator.
pub fn validation() -> Key<ValidationReport> {
    Key::named("validation")
}

/// Written by the coordinator, with compare-and-set.
pub fn announced() -> Key<Announced> {
    Key::named("announced")
}

/// Written by the coordinator when an operator says so.
pub fn throttle() -> Key<Throttle> {
    Key::named("throttle")
}

/// Written by the coordinator.
pub fn copy_shares() -> Key<CopyShares> {
    Key::named("copy-shares")
}

/// Created by the coordinator when somebody asks for a validation, then written by the validator that carries it out; always
/// with compare-and-set.
pub fn validation_job() -> Key<ValidationJob> {
    Key::named("validation-job")
}

/// Written by the oplog-tailer once, when the first batch is stored.
pub fn start_point() -> Key<StartPoint> {
    Key::named("start-point")
}

/// Written by the oplog-tailer.
pub fn capture() -> Key<CaptureProgress> {
    Key::named("capture")
}

/// Written by the coordinator once, after every [`collection`].
pub fn catalog() -> Key<Catalog> {
    Key::named("catalog")
}

/// Written by the coordinator once.
pub fn collection(uuid: CollectionUuid) -> Key<CollectionPlan> {
    Key::named(format!("collection.{uuid}"))
}

/// Written by the copier that planned the collection, once.
pub fn range_plan(uuid: CollectionUuid) -> Key<RangePlan> {
    Key::named(format!("ranges.{uuid}"))
}

/// Written by the copier that holds the range, with compare-and-set.
pub fn range(uuid: CollectionUuid, number: u32) -> Key<RangeProgress> {
    Key::named(format!("{RANGE_PREFIX}{uuid}.{number}"))
}

pub const RANGE_PREFIX: &str = "range.";

/// Whether documents of the collection hold two fields of one name. Written by the copier or the applier that met the first,
/// before the document counts as written, and by the applier if it met none.
pub fn doubled_names(uuid: CollectionUuid) -> Key<bool> {
    Key::named(format!("doubled-names.{uuid}"))
}

/// Written by the coordinator when it queues the collection's indexes, then by the indexer.
pub fn index(uuid: CollectionUuid) -> Key<IndexProgress> {
    Key::named(format!("index.{uuid}"))
}

/// Written by the applier: a copy of its checkpoint on the destination.
pub fn applied() -> Key<Checkpoint> {
    Key::named("applied")
}

/// Written by the indexer.
pub fn finalization(cutover: u32, step: FinalizationStep) -> Key<Finalization> {
    let step = match step {
        FinalizationStep::Prepare => "prepare",
        FinalizationStep::Finalize => "finalize",
    };
    Key::named(format!("finalization.{cutover}.{step}"))
}

/// Written by the verifier.
pub fn verification(cutover: u32, metadata: bool) -> Key<Verification> {
    Key::named(format!("verification.{cutover}.{}", if metadata { "metadata" } else { "documents" }))
}

/// Written by the verifier while it lacks a right without which nothing can be compared ahead of the cutover: why.
pub fn obstacle_to_looking_ahead() -> Key<String> {
    Key::named("obstacle-to-looking-ahead")
}

/// Written by the verifier that holds its role's lease.
pub fn verified_ahead() -> Key<VerifiedAhead> {
    Key::named("verified-ahead")
}

/// Written by the same one.
pub fn followed() -> Key<Followed> {
    Key::named("followed")
}

/// Created by the coordinator, then written by the verifier, with compare-and-set.
pub fn comparison() -> Key<Comparison> {
    Key::named("comparison")
}

/// Written by the verifier that compares again.
pub fn repair_portion() -> Key<RepairPortion> {
    Key::named("repair-portion")
}

/// Written by the applier.
pub fn portion_repaired() -> Key<PortionRepaired> {
    Key::named("portion-repaired")
}

/// The last failure of a process, written by itself.
pub fn failure(role: Role, instance: &str) -> Key<Failure> {
    Key::named(format!("{FAILURE_PREFIX}{role}.{instance}"))
}

pub const FAILURE_PREFIX: &str = "failure.";

/// What befell a process, written by itself.
pub fn process(role: Role, instance: &str) -> Key<ProcessRecord> {
    Key::named(format!("{PROCESS_PREFIX}{role}.{instance}"))
}

pub const PROCESS_PREFIX: &str = "process.";

pub(crate) fn lease(name: &str) -> String {
    format!("lease.{name}")
}
