//! The status of the migration as the API, the page and the terminal show it: measured, nothing assumed.

use mongoferry_bus::{BusError, key};
use mongoferry_mongo::LIFT_WRITE_BLOCK;
use mongoferry_protocol::{
    CaptureProgress, Checkpoint, CutoverMode, Failure, FailureStatus, MigrationSettings, MigrationStatus, OptimeGap,
    Phase, PhaseRecord, PhaseStay, PredictedPart, Retry, Role, StartPoint, Throttle, Verification, VerifiedAhead,
    WriteBlockStatus, WriteBlocks, now_ms,
};

use crate::{
    commands::missing_indexes,
    coordinator_error::CoordinatorError,
    copy_progress::CopyProgress,
    facts::failures,
    lag::lag,
    oplog_room::{headroom, oplog_room},
    settings::label,
    timer::{EXPIRES_SOON, WARN_BEFORE_MS},
    verified_ahead,
    view::View,
};

pub fn build(
    view: &View,
    settings: &MigrationSettings,
    record: &PhaseRecord,
    copy: &CopyProgress,
    bytes_per_second: u64,
    predicted_parts: Vec<PredictedPart>,
) -> Result<MigrationStatus, BusError> {
    let mirror = &view.mirror;
    let capture: Option<CaptureProgress> = mirror.get(&key::capture())?;
    let applied: Option<Checkpoint> = mirror.get(&key::applied())?;
    let start_point: Option<StartPoint> = mirror.get(&key::start_point())?;
    let ahead: Option<VerifiedAhead> = mirror.get(&key::verified_ahead())?;
    let source = view.source_optimes();
    let applied_optime = applied.map(|applied| applied.applied);
    let gap = source.zip(applied_optime).map(|(source, applied)| OptimeGap::between(source.last, applied));
    Ok(MigrationStatus {
        id: settings.id.clone(),
        phase: record.phase,
        came_from: record.came_from,
        phases: phases(record),
        source: label(&settings.source),
        destination: label(&settings.destination),
        can_commit: record.phase == Phase::Ready && settings.cutover != CutoverMode::Rehearse,
        source_optime: source.map(|source| source.last),
        captured_optime: capture.as_ref().map(|capture| capture.captured),
        applied_optime: applied_optime.or(start_point.map(|start| start.apply_after)),
        lag: lag(source, capture.as_ref(), applied.as_ref()),
        gap,
        gap_closed: gap.is_some_and(OptimeGap::is_closed),
        entries_captured: capture.as_ref().map_or(0, |capture| capture.entries_captured),
        changes_applied: applied.map_or(0, |applied| applied.changes_applied),
        documents: copy.documents,
        documents_total: copy.documents_total,
        bytes: copy.bytes,
        bytes_total: copy.bytes_total,
        bytes_per_second,
        copy_eta_seconds: eta(copy, bytes_per_second),
        // Known to who has seen the lag before.
        catch_up_eta_seconds: None,
        // As the coordinator knows it.
        throttle: Throttle::default(),
        repeated_documents: copy.repeated,
        collections: copy.collections.clone(),
        indexes: copy.indexes.clone(),
        copiers: view.liveness.processes(),
        bus_bytes: view.storage().oplog_bytes,
        bus_limit_bytes: view.storage().oplog_limit,
        oplog_window_seconds: view.oplog().map(|reach| u64::from(reach.newest.t.saturating_sub(reach.oldest.t))),
        oplog_headroom_seconds: view
            .oplog()
            .zip(capture.as_ref())
            .map(|(reach, capture)| u64::from(headroom(reach, capture.captured))),
        verified_documents: verified_documents(view, record)?,
        verified_ahead: ahead.as_ref().map(verified_ahead::view),
        comparison: mirror.get(&key::comparison())?,
        expires_at_ms: record.expires_at_ms,
        failures: record.failure.iter().map(shown).collect(),
        held: held(&view.liveness.troubles(), now_ms()),
        warnings: warnings(view, record, copy, ahead.as_ref())?,
        // As of the moment of the question.
        outages: Vec::new(),
        write_blocks: write_blocks(record),
        predicted_downtime_ms: predicted_downtime_ms(record, &predicted_parts),
        predicted_parts: record.rehearsal.clone().unwrap_or(predicted_parts),
        write_downtime_ms: write_downtime_ms(record),
    })
}

/// An election passes sooner.
const HELD_AFTER_MS: u64 = 5_000;

/// The trouble that has lasted longest, if it is more than a moment.
fn held(troubles: &[Failure], now_ms: u64) -> Option<FailureStatus> {
    let oldest = troubles.iter().min_by_key(|trouble| trouble.at_ms)?;
    (now_ms.saturating_sub(oldest.at_ms) >= HELD_AFTER_MS).then(|| shown(oldest))
}

pub fn phases(record: &PhaseRecord) -> Vec<PhaseStay> {
    let ends = record.history.iter().skip(1).map(|next| next.at_ms);
    let last_end = if record.phase.is_final() { record.entered_at_ms() } else { now_ms() };
    let ends = ends.chain([last_end]);
    let stay = |(entered, end): (&mongoferry_protocol::PhaseEntered, u64)| PhaseStay {
        phase: entered.phase,
        entered_at_ms: entered.at_ms,
        duration_ms: end.saturating_sub(entered.at_ms),
    };
    record.history.iter().zip(ends).map(stay).collect()
}

/// From the operator's word that writes had ended until users may write to the destination.
pub fn write_downtime_ms(record: &PhaseRecord) -> Option<u64> {
    let cutover = record.cutover.as_ref()?;
    Some(cutover.committed_at_ms?.saturating_sub(cutover.requested_at_ms))
}

/// While a cutover is under way, or after it, what it was predicted to be.
fn predicted_downtime_ms(record: &PhaseRecord, parts: &[PredictedPart]) -> Option<u64> {
    match record.phase {
        Phase::Ready if parts.is_empty() => None,
        Phase::Rehearsed => Some(record.rehearsal.as_ref()?.iter().map(|part| part.ms).sum()),
        Phase::Ready => Some(parts.iter().map(|part| part.ms).sum()),
        _ => record.cutover.as_ref()?.predicted_ms,
    }
}

pub fn write_blocks(record: &PhaseRecord) -> Vec<WriteBlockStatus> {
    let WriteBlocks { source_since_ms, destination_since_ms } = record.write_blocks;
    let block =
        |cluster: &str, since_ms| WriteBlockStatus { cluster: cluster.into(), since_ms, lift: LIFT_WRITE_BLOCK.into() };
    let source = source_since_ms.map(|since_ms| block("source", since_ms));
    source.into_iter().chain(destination_since_ms.map(|since_ms| block("destination", since_ms))).collect()
}

pub fn shown(failure: &Failure) -> FailureStatus {
    FailureStatus {
        code: failure.code.clone(),
        message: failure.message.clone(),
        hint: failure.hint.clone(),
        role: failure.role.to_string(),
        instance: failure.instance.clone(),
        causes: failure.causes.clone(),
        retry: failure.retry,
        at_ms: failure.at_ms,
    }
}

fn eta(copy: &CopyProgress, bytes_per_second: u64) -> Option<u64> {
    let left = copy.bytes_total.saturating_sub(copy.bytes);
    (bytes_per_second > 0 && !copy.complete).then(|| left / bytes_per_second)
}

fn verified_documents(view: &View, record: &PhaseRecord) -> Result<u64, BusError> {
    let Some(cutover) = &record.cutover else { return Ok(0) };
    let found: Option<Verification> = view.mirror.get(&key::verification(cutover.number, false))?;
    Ok(found.map_or(0, |found| found.documents))
}

fn warnings(
    view: &View,
    record: &PhaseRecord,
    copy: &CopyProgress,
    ahead: Option<&VerifiedAhead>,
) -> Result<Vec<FailureStatus>, BusError> {
    let mut warnings: Vec<FailureStatus> = failures(&view.mirror)?.iter().map(shown).collect();
    let reported: Vec<(String, String)> = warnings.iter().map(reporter).collect();
    let troubles = view.liveness.troubles();
    warnings.extend(troubles.iter().map(shown).filter(|trouble| !reported.contains(&reporter(trouble))));
    warnings.extend(view.source_failure().iter().map(shown));
    warnings.extend(bus_room_warning(view, record));
    warnings.extend(oplog_room_warning(view, record)?);
    warnings.extend(missing_indexes_warning(record, copy));
    warnings.extend(expiry_warning(record));
    warnings.extend(unprotected_warning(record));
    warnings.extend(ahead.filter(|_| !record.phase.is_final()).into_iter().flat_map(verified_ahead::warnings));
    warnings.extend(record.reverted.iter().map(|reason| {
        FailureStatus {
            code: "MF-CUTOVER-3".into(),
            message: format!("the last cutover was taken back: {reason}"),
            hint:
                "Both clusters are as before the cutover, and catching up goes on. End the cause, then cut over again."
                    .into(),
            role: Role::CutoverCoordinator.to_string(),
            instance: String::new(),
            causes: Vec::new(),
            retry: Retry::AfterFix,
            at_ms: record.entered_at_ms(),
        }
    }));
    Ok(warnings)
}

fn reporter(warning: &FailureStatus) -> (String, String) {
    (warning.code.clone(), warning.instance.clone())
}

/// Until the commit makes it the users' own.
fn unprotected_warning(record: &PhaseRecord) -> Option<FailureStatus> {
    let reason = record.unprotected.clone().filter(|_| !record.phase.is_final())?;
    let told = Failure::of(Role::CutoverCoordinator, "", &CoordinatorError::Unprotected { reason });
    Some(FailureStatus { at_ms: record.history.first().map_or(0, |entered| entered.at_ms), ..shown(&told) })
}

/// In time to extend it, or to cut over.
fn expiry_warning(record: &PhaseRecord) -> Option<FailureStatus> {
    let left = record.expires_at_ms?.saturating_sub(now_ms());
    // The time runs while it rests too, and is looked at when it goes on.
    let rests = matches!(record.phase, Phase::Paused | Phase::Failed);
    let is_near = (rests || matches!(record.phase, Phase::CatchingUp | Phase::Ready)) && left < WARN_BEFORE_MS;
    let message = match left / 60_000 {
        0 if rests => "the migration's time is up: it expires as soon as it goes on".into(),
        minutes => format!("the migration expires in {minutes} minutes: it will no longer be kept in step"),
    };
    is_near.then(|| FailureStatus {
        code: EXPIRES_SOON.into(),
        message,
        hint: "Cut over before, or run `mongoferry extend` for 24 hours more.".into(),
        role: Role::CutoverCoordinator.to_string(),
        instance: String::new(),
        causes: Vec::new(),
        retry: Retry::AfterFix,
        at_ms: record.entered_at_ms(),
    })
}

fn bus_room_warning(view: &View, record: &PhaseRecord) -> Option<FailureStatus> {
    let room = view.bus_room().filter(|_| !record.phase.is_final())?;
    Some(shown(&Failure::of(Role::CutoverCoordinator, "", &room)))
}

fn oplog_room_warning(view: &View, record: &PhaseRecord) -> Result<Option<FailureStatus>, BusError> {
    let capture: Option<CaptureProgress> = view.mirror.get(&key::capture())?;
    let known = view.oplog().zip(capture).filter(|_| record.captures());
    let room = known.and_then(|(reach, capture)| oplog_room(reach, capture.captured));
    Ok(room.map(|room| shown(&Failure::of(Role::CutoverCoordinator, "", &room))))
}

/// In time for the operator to mend the cause or to accept it.
fn missing_indexes_warning(record: &PhaseRecord, copy: &CopyProgress) -> Option<FailureStatus> {
    copy.failed_indexes().next()?;
    let error = CoordinatorError::MissingIndexes { summary: missing_indexes(copy) };
    let told = Failure::of(Role::CutoverCoordinator, "", &error);
    Some(FailureStatus { at_ms: record.entered_at_ms(), ..shown(&told) })
}

#[cfg(test)]
mod tests {
    use mongoferry_protocol::{Phase, PhaseRecord, now_ms};

    use super::expiry_warning;
    use crate::timer::WARN_BEFORE_MS;

    #[test]
    fn an_end_that_comes_near_is_told_at_rest_too() {
        let record =
            |phase, expires_at_ms| PhaseRecord { phase, expires_at_ms: Some(expires_at_ms), ..PhaseRecord::created() };
        let (soon, later) = (now_ms() + WARN_BEFORE_MS / 2, now_ms() + 2 * WARN_BEFORE_MS);
        for phase in [Phase::CatchingUp, Phase::Ready, Phase::Paused, Phase::Failed] {
            assert!(expiry_warning(&record(phase, soon)).is_some(), "{phase}");
            assert!(expiry_warning(&record(phase, later)).is_none(), "{phase}");
        }
        for phase in [Phase::Draining, Phase::Expired, Phase::Committed] {
            assert!(expiry_warning(&record(phase, soon)).is_none(), "{phase}");
        }
        let over = expiry_warning(&record(Phase::Paused, 1)).expect("is told");
        assert!(over.message.contains("as soon as it goes on"), "{}", over.message);
    }
}
