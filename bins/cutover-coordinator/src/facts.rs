//! Gathers what a decision rests on from the records and the source.

use mongoferry_bus::{BusError, Mirror, key};
use mongoferry_protocol::{
    CaptureProgress, Checkpoint, DifferenceKind, Failure, Finalization, FinalizationStep, MigrationSettings,
    PhaseRecord, Retry, StartPoint, ValidationReport, Verification, VerificationState, now_ms,
};

use crate::{
    copy_progress::{CopyProgress, Plans},
    decide::{Facts, Outcome},
    lag::lag,
    view::View,
};

pub fn gather(
    view: &View,
    plans: &Plans,
    copy: &CopyProgress,
    settings: &MigrationSettings,
    record: &PhaseRecord,
    accept_missing_indexes: bool,
    rehearsed: bool,
) -> Result<Facts, BusError> {
    let mirror = &view.mirror;
    let capture: Option<CaptureProgress> = mirror.get(&key::capture())?;
    let applied: Option<Checkpoint> = mirror.get(&key::applied())?;
    let start_point: Option<StartPoint> = mirror.get(&key::start_point())?;
    let validation: Option<ValidationReport> = mirror.get(&key::validation())?;
    let number = record.cutover.as_ref().map_or(0, |cutover| cutover.number);
    let source = view.source_optimes();
    Ok(Facts {
        start_is_implied: false,
        cutover_mode: Some(settings.cutover),
        cutover_limit_ms: settings.cutover_limit_ms,
        verify: settings.verify,
        validation_passed: validation.map(|report| report.passed()),
        capture_started: start_point.is_some(),
        catalog_listed: plans.catalog.is_some(),
        indexes_to_queue: copy.indexes_to_queue.clone(),
        copy_complete: copy.complete,
        failed_indexes: copy.failed_indexes().next().is_some(),
        accept_missing_indexes,
        rehearsed,
        repairing: mirror.get(&key::comparison())?.is_some_and(|order| order.is_running() && order.repair),
        lag_ms: lag(source, capture.as_ref(), applied.as_ref()).map(|lag| lag.total_ms),
        applied: applied.map(|checkpoint| checkpoint.applied),
        captured: capture.as_ref().map(|capture| capture.captured),
        silent_until: None,
        last_change: capture.as_ref().map(|capture| capture.last_change).unwrap_or_default(),
        last_expiry: capture.as_ref().map(|capture| capture.last_expiry).unwrap_or_default(),
        last_change_namespace: capture.and_then(|capture| capture.last_change_namespace),
        now_ms: now_ms(),
        prepared: outcome(mirror, number, FinalizationStep::Prepare)?,
        finalized: outcome(mirror, number, FinalizationStep::Finalize)?,
        documents_verified: verified(mirror, number, false)?,
        verified_at_ms: verified_at_ms(mirror, number)?,
        metadata_verified: metadata_verified(mirror, number)?,
        failure: failures(mirror)?.into_iter().find(|failure| failure.retry != Retry::Soon),
    })
}

/// What the processes have reported, newest first.
pub fn failures(mirror: &Mirror) -> Result<Vec<Failure>, BusError> {
    let mut failures: Vec<Failure> = mirror.all(key::FAILURE_PREFIX)?.into_iter().map(|(_, failure)| failure).collect();
    failures.sort_by_key(|failure| std::cmp::Reverse(failure.at_ms));
    Ok(failures)
}

fn outcome(mirror: &Mirror, cutover: u32, step: FinalizationStep) -> Result<Option<Outcome>, BusError> {
    let record: Option<Finalization> = mirror.get(&key::finalization(cutover, step))?;
    Ok(record
        .filter(|record| record.complete)
        .map(|record| Outcome { problems: record.problems, unbuilt: record.unbuilt }))
}

fn verified(mirror: &Mirror, cutover: u32, metadata: bool) -> Result<Option<VerificationState>, BusError> {
    let record: Option<Verification> = mirror.get(&key::verification(cutover, metadata))?;
    Ok(record.map(|record| record.state))
}

fn verified_at_ms(mirror: &Mirror, cutover: u32) -> Result<u64, BusError> {
    let record: Option<Verification> = mirror.get(&key::verification(cutover, false))?;
    Ok(record.map_or(0, |record| record.finished_at_ms))
}

/// Indexes that the finalization could not build are missing, as it has said; whether that may be is decided there.
pub fn metadata_verified(mirror: &Mirror, cutover: u32) -> Result<Option<VerificationState>, BusError> {
    let record: Option<Verification> = mirror.get(&key::verification(cutover, true))?;
    let finalized: Option<Finalization> = mirror.get(&key::finalization(cutover, FinalizationStep::Finalize))?;
    let unbuilt = finalized.map(|finalized| finalized.unbuilt).unwrap_or_default();
    Ok(record.map(|record| {
        let is_known = |difference: &mongoferry_protocol::Difference| {
            difference.kind == DifferenceKind::Index
                && unbuilt.iter().any(|index| {
                    difference.item.as_ref() == Some(&index.name) && index.namespace.to_string() == difference.namespace
                })
        };
        let known = record.differences.iter().filter(|difference| is_known(difference)).count() as u64;
        match record.state {
            VerificationState::Different if known == record.difference_count => VerificationState::Equal,
            state => state,
        }
    }))
}
