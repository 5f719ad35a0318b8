//! What the coordinator does next. Pure: the same record and facts give the same step.

use mongoferry_protocol::{
    CollectionUuid, CutoverMode, CutoverRecord, Failure, Namespace, Optime, Phase, PhaseRecord, Retry, UnbuiltIndex,
    VerificationState,
};
use mongoferry_stage::TimeLimit;

/// Everything a decision rests on, measured or read just before.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Begins by itself.
    pub start_is_implied: bool,
    pub cutover_mode: Option<CutoverMode>,
    /// A cutover that is not past its point of no return by then is taken back.
    pub cutover_limit_ms: u64,
    pub verify: bool,
    pub validation_passed: Option<bool>,
    pub capture_started: bool,
    pub catalog_listed: bool,
    /// Collections whose ranges are all copied and whose indexes nobody was told to build.
    pub indexes_to_queue: Vec<CollectionUuid>,
    /// Nothing is left to copy or to index.
    pub copy_complete: bool,
    /// Indexes that could not be built so far.
    pub failed_indexes: bool,
    /// The operator goes without indexes that can't be built, whichever they are.
    pub accept_missing_indexes: bool,
    /// Documents are being copied again on an operator's order.
    pub repairing: bool,
    pub lag_ms: Option<u64>,
    pub applied: Option<Optime>,
    /// Everything up to here is captured; of what came later, the last change and the last expiry tell nothing.
    pub captured: Option<Optime>,
    /// How far the source's oplog went when it was last asked, in this stay in the phase.
    pub silent_until: Option<Optime>,
    /// The last captured change of a user.
    pub last_change: Optime,
    pub last_change_namespace: Option<Namespace>,
    /// The last captured delete of a document that expired.
    pub last_expiry: Optime,
    pub now_ms: u64,
    pub prepared: Option<Outcome>,
    pub finalized: Option<Outcome>,
    pub documents_verified: Option<VerificationState>,
    /// When that was found, in milliseconds since 1970.
    pub verified_at_ms: u64,
    pub metadata_verified: Option<VerificationState>,
    /// A process reported something that a restart does not mend.
    pub failure: Option<Failure>,
    /// What a cutover would take is known, and nothing more can be verified ahead of it.
    pub rehearsed: bool,
}

/// How a step of the indexer ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    pub problems: Vec<String>,
    pub unbuilt: Vec<UnbuiltIndex>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Wait,
    Enter(Phase),
    /// Have the clusters validated.
    Validate,
    /// List the source's collections, record them and queue their planning.
    ListCatalog,
    QueueIndexes(Vec<CollectionUuid>),
    /// Ready for a cutover that is not wanted.
    EndRehearsal,
    /// The operator's request, made by ourselves in automatic mode.
    BeginCutover,
    /// Keep users from writing to the source.
    BlockSource,
    /// Let users write to the source again: no cutover is under way any more.
    LiftSourceBlock,
    /// The same on the destination, of a migration that was given up while it was away.
    LiftDestinationBlock,
    /// Write a note into the source's oplog behind which there is silence.
    WriteNote,
    /// Documents expired on the source since the note: apply that too, behind another note.
    DrainAgain,
    /// Let indexes that were prepared for a cutover that was taken back accept everything again.
    UndoPreparation,
    /// Everything up to the note is applied.
    RecordDrained,
    Prepare(u32),
    VerifyDocuments(u32),
    /// Note how far the source's oplog goes: users were silent if nothing of theirs is captured up to there.
    AskForSilence,
    Finalize(u32),
    VerifyMetadata(u32),
    Commit,
    /// Take the cutover back to catching up; why.
    Revert(String),
    Fail(StopReason),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StopReason {
    Validation,
    Reported(Box<Failure>),
    DocumentsDiffer,
    MetadataDiffers,
    Finalization(Vec<String>),
    /// Behind the point of no return; what, and when.
    SourceWrittenTo(String),
}

/// Lag under which the cutover may begin.
const READY_LAG_MS: u64 = 5_000;
/// Lag over which a migration that was ready is catching up again.
const BEHIND_LAG_MS: u64 = 60_000;
/// So long a delete may take from the source to the bus.
const CAPTURED_WITHIN_MS: u64 = 3_000;

pub fn decide(record: &PhaseRecord, facts: &Facts) -> Step {
    // First, because a write on the source during the cutover can be what made a process fail.
    if record.phase.is_revertible_cutover()
        && let Some(reason) = reason_to_revert(record, facts)
    {
        return Step::Revert(reason);
    }
    if source_is_blocked_in_vain(record) {
        return Step::LiftSourceBlock;
    }
    if record.phase == Phase::Cancelled && record.write_blocks.destination_since_ms.is_some() {
        return Step::LiftDestinationBlock;
    }
    // Before failures: of a change that an index refuses meanwhile, too.
    if record.preparation_stands && record.phase.applies() {
        return Step::UndoPreparation;
    }
    if let Some(failure) = stopping_failure(record.phase, facts) {
        return Step::Fail(StopReason::Reported(Box::new(failure)));
    }
    if matches!(record.phase, Phase::CatchingUp | Phase::Ready)
        && record.expires_at_ms.is_some_and(|at| facts.now_ms >= at)
    {
        return Step::Enter(Phase::Expired);
    }
    match record.phase {
        Phase::Created if facts.start_is_implied => Step::Enter(Phase::Validating),
        Phase::Validating => match facts.validation_passed {
            None => Step::Validate,
            Some(true) => Step::Enter(Phase::Starting),
            Some(false) => Step::Fail(StopReason::Validation),
        },
        Phase::Starting if facts.capture_started => Step::Enter(Phase::Copying),
        Phase::Copying => while_copying(facts),
        Phase::CatchingUp if facts.lag_ms.is_some_and(|lag| lag <= READY_LAG_MS) => Step::Enter(Phase::Ready),
        Phase::Ready if facts.lag_ms.is_some_and(|lag| lag > BEHIND_LAG_MS) => Step::Enter(Phase::CatchingUp),
        Phase::Ready
            if facts.cutover_mode == Some(CutoverMode::Auto) && !waits_for_acceptance(facts) && !facts.repairing =>
        {
            Step::BeginCutover
        }
        Phase::Ready if facts.cutover_mode == Some(CutoverMode::Rehearse) && facts.rehearsed => Step::EndRehearsal,
        Phase::Draining => while_draining(record, facts),
        Phase::Verifying => while_verifying(record, facts),
        Phase::Finalizing => while_finalizing(record, facts),
        Phase::Created
        | Phase::Starting
        | Phase::CatchingUp
        | Phase::Ready
        | Phase::Committed
        | Phase::Rehearsed
        | Phase::Paused
        | Phase::Failed
        | Phase::Cancelled
        | Phase::Expired => Step::Wait,
    }
}

/// Its cutover was taken back or has failed; behind the point of no return nobody is to write to the source any more.
fn source_is_blocked_in_vain(record: &PhaseRecord) -> bool {
    let is_over = match record.underlying() {
        Phase::Draining | Phase::Verifying => record.phase == Phase::Failed,
        Phase::Finalizing | Phase::Committed => false,
        _ => true,
    };
    record.write_blocks.source_since_ms.is_some() && is_over
}

fn stopping_failure(phase: Phase, facts: &Facts) -> Option<Failure> {
    let running = !phase.is_final() && !matches!(phase, Phase::Failed | Phase::Expired);
    facts.failure.clone().filter(|failure| running && failure.retry != Retry::Soon)
}

fn reason_to_revert(record: &PhaseRecord, facts: &Facts) -> Option<String> {
    let cutover = record.cutover.as_ref()?;
    if let Some(change) = change_since_note(cutover, facts) {
        return Some(format!("the source was written to after the cutover began: {change}"));
    }
    if cutover.blocked_at_ms.is_some() && record.write_blocks.source_since_ms.is_none() {
        return Some("the block of the source's writes was lifted".into());
    }
    if facts.now_ms.saturating_sub(cutover.requested_at_ms) > facts.cutover_limit_ms {
        return Some(format!("it was not done within {}", TimeLimit::from_ms(facts.cutover_limit_ms)));
    }
    let prepared = facts.prepared.as_ref()?;
    if !prepared.problems.is_empty() {
        let problems = prepared.problems.join("; ");
        return Some(format!("indexes can't become what they are on the source: {problems}"));
    }
    let missing = unaccepted(record, facts, prepared);
    (!missing.is_empty())
        .then(|| format!("{}; cut over with --accept-missing-indexes to go without", missing.join("; ")))
}

/// The last change of a user's that is not on the destination.
pub fn change_since_note(cutover: &CutoverRecord, facts: &Facts) -> Option<String> {
    if facts.last_change <= cutover.confirmed_from? {
        return None;
    }
    let namespace = facts.last_change_namespace.as_ref().map(ToString::to_string);
    let namespace = namespace.unwrap_or_else(|| "a migrated namespace".into());
    Some(format!("{namespace} at {}", facts.last_change))
}

/// A change that is not captured yet is not seen. `next` follows once everything is captured that the source had when it was asked,
/// which was after all other work: what it had by then is decided upon before.
fn once_silent(facts: &Facts, next: Step) -> Step {
    match facts.silent_until {
        None => Step::AskForSilence,
        Some(until) if facts.captured.is_some_and(|captured| captured >= until) => next,
        Some(_) => Step::Wait,
    }
}

/// Whether indexes are missing that nobody has accepted to go without.
pub fn waits_for_acceptance(facts: &Facts) -> bool {
    facts.failed_indexes && !facts.accept_missing_indexes
}

fn unaccepted(record: &PhaseRecord, facts: &Facts, outcome: &Outcome) -> Vec<String> {
    let accepted = record.cutover.as_ref().is_some_and(|cutover| cutover.accept_missing_indexes);
    if accepted || facts.accept_missing_indexes {
        return Vec::new();
    }
    let sentence = |index: &UnbuiltIndex| {
        format!("index {} of {} can't be built on the destination: {}", index.name, index.namespace, index.reason)
    };
    outcome.unbuilt.iter().map(sentence).collect()
}

fn while_copying(facts: &Facts) -> Step {
    if !facts.catalog_listed {
        Step::ListCatalog
    } else if !facts.indexes_to_queue.is_empty() {
        Step::QueueIndexes(facts.indexes_to_queue.clone())
    } else if facts.copy_complete {
        Step::Enter(Phase::CatchingUp)
    } else {
        Step::Wait
    }
}

fn while_draining(record: &PhaseRecord, facts: &Facts) -> Step {
    let Some(cutover) = &record.cutover else { return Step::Enter(Phase::CatchingUp) };
    if cutover.block_writes && cutover.blocked_at_ms.is_none() {
        return Step::BlockSource;
    }
    if expired_since_note(cutover, facts) {
        return Step::DrainAgain;
    }
    match (cutover.silent_from, cutover.drained_at_ms) {
        (None, _) => Step::WriteNote,
        (Some(_), Some(_)) => Step::Enter(Phase::Verifying),
        (Some(silent_from), None) if facts.applied.is_some_and(|applied| applied >= silent_from) => Step::RecordDrained,
        _ => Step::Wait,
    }
}

fn while_verifying(record: &PhaseRecord, facts: &Facts) -> Step {
    let Some(cutover) = &record.cutover else { return Step::Enter(Phase::CatchingUp) };
    if expired_since_note(cutover, facts) {
        return Step::DrainAgain;
    }
    // First, for what stands in the way of preparing is told before minutes are spent on comparing.
    if facts.prepared.is_none() {
        return Step::Prepare(cutover.number);
    }
    match facts.documents_verified {
        _ if !facts.verify => once_silent(facts, Step::Enter(Phase::Finalizing)),
        None | Some(VerificationState::Running) => Step::VerifyDocuments(cutover.number),
        Some(VerificationState::Equal) => once_silent(facts, Step::Enter(Phase::Finalizing)),
        Some(VerificationState::Different) if may_have_expired(cutover, facts) => Step::Wait,
        Some(VerificationState::Different) => Step::Fail(StopReason::DocumentsDiffer),
    }
}

fn expired_since_note(cutover: &CutoverRecord, facts: &Facts) -> bool {
    cutover.silent_from.is_some_and(|silent_from| facts.last_expiry > silent_from)
}

/// A document that expired while it was compared differs until its delete is captured, which takes moments.
fn may_have_expired(cutover: &CutoverRecord, facts: &Facts) -> bool {
    !cutover.expiring.is_empty() && facts.now_ms.saturating_sub(facts.verified_at_ms) < CAPTURED_WITHIN_MS
}

fn while_finalizing(record: &PhaseRecord, facts: &Facts) -> Step {
    let number = record.cutover.as_ref().map_or(0, |cutover| cutover.number);
    let unaccepted = record.cutover.as_ref().filter(|cutover| !cutover.accept_source_writes);
    if let Some(change) = unaccepted.and_then(|cutover| change_since_note(cutover, facts)) {
        return Step::Fail(StopReason::SourceWrittenTo(change));
    }
    match (&facts.finalized, facts.metadata_verified) {
        (None, _) => Step::Finalize(number),
        (Some(outcome), _) if !problems(record, facts, outcome).is_empty() => {
            Step::Fail(StopReason::Finalization(problems(record, facts, outcome)))
        }
        (Some(_), _) if !facts.verify => once_silent(facts, Step::Commit),
        (Some(_), None | Some(VerificationState::Running)) => Step::VerifyMetadata(number),
        (Some(_), Some(VerificationState::Equal)) => once_silent(facts, Step::Commit),
        (Some(_), Some(VerificationState::Different)) => Step::Fail(StopReason::MetadataDiffers),
    }
}

fn problems(record: &PhaseRecord, facts: &Facts, outcome: &Outcome) -> Vec<String> {
    [outcome.problems.clone(), unaccepted(record, facts, outcome)].concat()
}

#[cfg(test)]
mod tests;
