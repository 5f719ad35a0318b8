//! What the coordinator does next. Pure: the same record and facts give the same step.

use mongoferry_protocol::{
    CollectionUuid, CutoverMode, CutoverRecord, Failure, Namespace, Optime, Phase, PhaseRecord, Retry, UnbuiltIndex,
    VerificationState,
};

/// Everything a decision rests on, measured or read just before.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Begins by itself.
    pub start_is_implied: bool,
    pub cutover_mode: Option<CutoverMode>,
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
    /// Write a note into the source's oplog behind which there is silence.
    WriteNote,
    /// Documents expired on the source since the note: apply that too, behind another note.
    DrainAgain,
    /// Everything up to the note is applied.
    RecordDrained,
    Prepare(u32),
    VerifyDocuments(u32),
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
}

/// Lag under which the cutover may begin.
const READY_LAG_MS: u64 = 5_000;
/// Lag over which a migration that was ready is catching up again.
const BEHIND_LAG_MS: u64 = 60_000;
/// So long a delete may take from the source to the bus.
const CAPTURED_WITHIN_MS: u64 = 3_000;
/// A cutover that is not past its point of no return by then is taken back.
const CUTOVER_LIMIT_MS: u64 = 10 * 60 * 1_000;

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
    if let Some(confirmed_from) = cutover.confirmed_from
        && facts.last_change > confirmed_from
    {
        let namespace = facts.last_change_namespace.as_ref().map(ToString::to_string);
        let namespace = namespace.unwrap_or_else(|| "a migrated namespace".into());
        return Some(format!(
            "the source was written to after the cutover began: {namespace} at {}",
            facts.last_change
        ));
    }
    if facts.now_ms.saturating_sub(cutover.requested_at_ms) > CUTOVER_LIMIT_MS {
        return Some("it was not done within 10 minutes".into());
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
    // Preparing changes no document, so both run side by side.
    if facts.prepared.is_none() {
        return Step::Prepare(cutover.number);
    }
    match facts.documents_verified {
        _ if !facts.verify => Step::Enter(Phase::Finalizing),
        None | Some(VerificationState::Running) => Step::VerifyDocuments(cutover.number),
        Some(VerificationState::Equal) => Step::Enter(Phase::Finalizing),
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
    match (&facts.finalized, facts.metadata_verified) {
        (None, _) => Step::Finalize(number),
        (Some(outcome), _) if !problems(record, facts, outcome).is_empty() => {
            Step::Fail(StopReason::Finalization(problems(record, facts, outcome)))
        }
        (Some(_), _) if !facts.verify => Step::Commit,
        (Some(_), None | Some(VerificationState::Running)) => Step::VerifyMetadata(number),
        (Some(_), Some(VerificationState::Equal)) => Step::Commit,
        (Some(_), Some(VerificationState::Different)) => Step::Fail(StopReason::MetadataDiffers),
    }
}

fn problems(record: &PhaseRecord, facts: &Facts, outcome: &Outcome) -> Vec<String> {
    [outcome.problems.clone(), unaccepted(record, facts, outcome)].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(phase: Phase) -> PhaseRecord {
        PhaseRecord { phase, ..PhaseRecord::created() }
    }

    fn in_cutover(phase: Phase, silent_from: Option<Optime>, drained: bool) -> PhaseRecord {
        let cutover = CutoverRecord {
            number: 3,
            requested_at_ms: 1_000,
            silent_from,
            confirmed_from: silent_from,
            drained_at_ms: drained.then_some(2_000),
            committed_at_ms: None,
            accept_missing_indexes: false,
            block_writes: false,
            blocked_at_ms: None,
            predicted_ms: None,
            expiring: Vec::new(),
        };
        PhaseRecord { cutover: Some(cutover), ..at(phase) }
    }

    fn facts() -> Facts {
        Facts { verify: true, now_ms: 3_000, ..Facts::default() }
    }

    #[test]
    fn the_main_road() {
        let passed = Facts { validation_passed: Some(true), ..facts() };
        let implied = Facts { start_is_implied: true, ..facts() };
        assert_eq!(decide(&at(Phase::Created), &facts()), Step::Wait);
        assert_eq!(decide(&at(Phase::Created), &implied), Step::Enter(Phase::Validating));
        assert_eq!(decide(&at(Phase::Validating), &facts()), Step::Validate);
        assert_eq!(decide(&at(Phase::Validating), &passed), Step::Enter(Phase::Starting));
        assert_eq!(decide(&at(Phase::Starting), &facts()), Step::Wait);
        let capturing = Facts { capture_started: true, ..facts() };
        assert_eq!(decide(&at(Phase::Starting), &capturing), Step::Enter(Phase::Copying));
        assert_eq!(decide(&at(Phase::Copying), &facts()), Step::ListCatalog);
        let copied = Facts { catalog_listed: true, copy_complete: true, ..facts() };
        assert_eq!(decide(&at(Phase::Copying), &copied), Step::Enter(Phase::CatchingUp));
    }

    #[test]
    fn ready_comes_and_goes_with_the_lag() {
        let lag = |lag_ms| Facts { lag_ms, ..facts() };
        assert_eq!(decide(&at(Phase::CatchingUp), &lag(None)), Step::Wait);
        assert_eq!(decide(&at(Phase::CatchingUp), &lag(Some(5_001))), Step::Wait);
        assert_eq!(decide(&at(Phase::CatchingUp), &lag(Some(5_000))), Step::Enter(Phase::Ready));
        assert_eq!(decide(&at(Phase::Ready), &lag(Some(60_000))), Step::Wait);
        assert_eq!(decide(&at(Phase::Ready), &lag(Some(60_001))), Step::Enter(Phase::CatchingUp));
        let auto = Facts { cutover_mode: Some(CutoverMode::Auto), ..lag(Some(0)) };
        assert_eq!(decide(&at(Phase::Ready), &auto), Step::BeginCutover);
    }

    #[test]
    fn the_time_of_being_ready_is_up_once() {
        let late = Facts { lag_ms: Some(0), now_ms: 5_000, ..facts() };
        let timed = |phase, expires_at_ms| PhaseRecord { expires_at_ms: Some(expires_at_ms), ..at(phase) };
        assert_eq!(decide(&timed(Phase::Ready, 5_001), &late), Step::Wait);
        assert_eq!(decide(&timed(Phase::Ready, 5_000), &late), Step::Enter(Phase::Expired));
        assert_eq!(decide(&timed(Phase::CatchingUp, 4_000), &late), Step::Enter(Phase::Expired));
        assert_eq!(decide(&timed(Phase::Expired, 4_000), &late), Step::Wait);
        let cutover = PhaseRecord { expires_at_ms: Some(1), ..in_cutover(Phase::Draining, None, false) };
        assert_eq!(decide(&cutover, &late), Step::WriteNote);
    }

    #[test]
    fn documents_that_expire_are_drained_too_and_do_not_take_the_cutover_back() {
        let note = Optime::new(10, 1);
        let expired = Facts { last_expiry: Optime::new(10, 2), applied: Some(note), ..facts() };
        for phase in [Phase::Draining, Phase::Verifying] {
            assert_eq!(decide(&in_cutover(phase, Some(note), true), &expired), Step::DrainAgain, "{phase}");
        }
        assert_eq!(decide(&in_cutover(Phase::Finalizing, Some(note), true), &expired), Step::Finalize(3));
        let mut again = in_cutover(Phase::Draining, Some(Optime::new(10, 3)), false);
        again.cutover.as_mut().expect("in a cutover").confirmed_from = Some(note);
        assert_eq!(decide(&again, &expired), Step::Wait);
        let wrote = Facts { last_change: Optime::new(10, 2), ..expired };
        assert!(matches!(decide(&again, &wrote), Step::Revert(_)), "between the notes nobody may write");
        let mut verifying = in_cutover(Phase::Verifying, Some(note), true);
        verifying.cutover.as_mut().expect("in a cutover").expiring = vec![CollectionUuid::from_bytes([1; 16])];
        let different = Facts {
            prepared: Some(Outcome::default()),
            documents_verified: Some(VerificationState::Different),
            verified_at_ms: 1_000,
            ..facts()
        };
        assert_eq!(decide(&verifying, &different), Step::Wait);
        let settled = Facts { now_ms: 4_000, ..different };
        assert_eq!(decide(&verifying, &settled), Step::Fail(StopReason::DocumentsDiffer));
    }

    #[test]
    fn a_rehearsal_ends_where_a_cutover_would_begin() {
        let mode = Some(CutoverMode::Rehearse);
        let early = Facts { cutover_mode: mode, lag_ms: Some(0), ..facts() };
        assert_eq!(decide(&at(Phase::Ready), &early), Step::Wait);
        let known = Facts { rehearsed: true, ..early };
        assert_eq!(decide(&at(Phase::Ready), &known), Step::EndRehearsal);
        assert_eq!(decide(&at(Phase::CatchingUp), &known), Step::Enter(Phase::Ready));
        assert_eq!(decide(&at(Phase::Rehearsed), &known), Step::Wait);
        assert_eq!(decide(&at(Phase::Ready), &Facts { cutover_mode: Some(CutoverMode::Manual), ..known }), Step::Wait);
    }

    #[test]
    fn draining_waits_for_the_note_to_be_applied() {
        let note = Optime::new(10, 1);
        assert_eq!(decide(&in_cutover(Phase::Draining, None, false), &facts()), Step::WriteNote);
        let draining = in_cutover(Phase::Draining, Some(note), false);
        let applied = |applied| Facts { applied: Some(applied), ..facts() };
        assert_eq!(decide(&draining, &applied(Optime::new(10, 0))), Step::Wait);
        assert_eq!(decide(&draining, &applied(note)), Step::RecordDrained);
        assert_eq!(decide(&in_cutover(Phase::Draining, Some(note), true), &facts()), Step::Enter(Phase::Verifying));
    }

    #[test]
    fn a_block_of_the_source_ends_with_its_cutover_but_not_behind_the_point_of_no_return() {
        let mut draining = in_cutover(Phase::Draining, None, false);
        draining.cutover.as_mut().expect("in a cutover").block_writes = true;
        assert_eq!(decide(&draining, &facts()), Step::BlockSource);
        draining.cutover.as_mut().expect("in a cutover").blocked_at_ms = Some(1_500);
        draining.write_blocks.source_since_ms = Some(1_500);
        assert_eq!(decide(&draining, &facts()), Step::WriteNote);
        let blocked = |phase, came_from| PhaseRecord { phase, came_from, ..draining.clone() };
        for (phase, came_from, lifted) in [
            (Phase::CatchingUp, None, true),
            (Phase::Failed, Some(Phase::Verifying), true),
            (Phase::Paused, Some(Phase::Ready), true),
            (Phase::Verifying, None, false),
            (Phase::Failed, Some(Phase::Finalizing), false),
            (Phase::Committed, None, false),
        ] {
            let step = decide(&blocked(phase, came_from), &facts());
            assert_eq!(step == Step::LiftSourceBlock, lifted, "{phase}: {step:?}");
        }
    }

    #[test]
    fn a_write_after_the_note_takes_the_cutover_back_until_the_point_of_no_return() {
        let note = Optime::new(10, 1);
        let wrote = Facts { last_change: Optime::new(10, 2), ..facts() };
        for phase in [Phase::Draining, Phase::Verifying] {
            assert!(matches!(decide(&in_cutover(phase, Some(note), true), &wrote), Step::Revert(_)), "{phase}");
        }
        assert_eq!(decide(&in_cutover(Phase::Finalizing, Some(note), true), &wrote), Step::Finalize(3));
    }

    #[test]
    fn a_cutover_that_takes_too_long_is_taken_back() {
        let late = Facts { now_ms: 1_000 + CUTOVER_LIMIT_MS + 1, ..facts() };
        assert!(matches!(decide(&in_cutover(Phase::Verifying, None, false), &late), Step::Revert(_)));
    }

    #[test]
    fn a_difference_stops_before_the_point_of_no_return() {
        let verifying = in_cutover(Phase::Verifying, Some(Optime::new(1, 1)), true);
        let prepared = Some(Outcome::default());
        let state = |documents_verified| Facts { prepared: prepared.clone(), documents_verified, ..facts() };
        assert_eq!(decide(&verifying, &facts()), Step::Prepare(3));
        assert_eq!(decide(&verifying, &state(None)), Step::VerifyDocuments(3));
        assert_eq!(decide(&verifying, &state(Some(VerificationState::Equal))), Step::Enter(Phase::Finalizing));
        let different = state(Some(VerificationState::Different));
        assert_eq!(decide(&verifying, &different), Step::Fail(StopReason::DocumentsDiffer));
        let unique =
            Facts { prepared: Some(Outcome { problems: vec!["email".into()], unbuilt: Vec::new() }), ..facts() };
        assert!(matches!(decide(&verifying, &unique), Step::Revert(_)));
    }

    #[test]
    fn nothing_is_committed_before_the_metadata_is_equal() {
        let finalizing = in_cutover(Phase::Finalizing, Some(Optime::new(1, 1)), true);
        let done = Facts { finalized: Some(Outcome::default()), ..facts() };
        assert_eq!(decide(&finalizing, &facts()), Step::Finalize(3));
        assert_eq!(decide(&finalizing, &done), Step::VerifyMetadata(3));
        let equal = Facts { metadata_verified: Some(VerificationState::Equal), ..done.clone() };
        assert_eq!(decide(&finalizing, &equal), Step::Commit);
        let skipped = Facts { verify: false, ..done };
        assert_eq!(decide(&finalizing, &skipped), Step::Commit);
    }

    #[test]
    fn an_index_that_can_not_be_built_waits_for_the_operator() {
        let index = UnbuiltIndex { namespace: Namespace::new("a", "b"), name: "c".into(), reason: "no".into() };
        let outcome = Some(Outcome { problems: Vec::new(), unbuilt: vec![index] });
        let mut record = in_cutover(Phase::Verifying, Some(Optime::new(1, 1)), true);
        let prepared = Facts { prepared: outcome.clone(), ..facts() };
        assert!(matches!(decide(&record, &prepared), Step::Revert(reason) if reason.contains("index c of a.b")));
        let finalizing = PhaseRecord { phase: Phase::Finalizing, ..record.clone() };
        let finalized = Facts { finalized: outcome, ..facts() };
        assert!(matches!(decide(&finalizing, &finalized), Step::Fail(StopReason::Finalization(_))));
        let accepted = Facts { accept_missing_indexes: true, ..prepared.clone() };
        assert_eq!(decide(&record, &accepted), Step::VerifyDocuments(3));
        record.cutover.as_mut().expect("in a cutover").accept_missing_indexes = true;
        assert_eq!(decide(&record, &prepared), Step::VerifyDocuments(3));
        assert_eq!(decide(&PhaseRecord { phase: Phase::Finalizing, ..record }, &finalized), Step::VerifyMetadata(3));

        let auto = Facts { cutover_mode: Some(CutoverMode::Auto), failed_indexes: true, ..facts() };
        assert_eq!(decide(&at(Phase::Ready), &auto), Step::Wait);
        let accepted = Facts { accept_missing_indexes: true, ..auto };
        assert_eq!(decide(&at(Phase::Ready), &accepted), Step::BeginCutover);
        let repairing = Facts { repairing: true, ..accepted };
        assert_eq!(decide(&at(Phase::Ready), &repairing), Step::Wait);
    }

    #[test]
    fn what_a_restart_does_not_mend_stops_every_running_phase() {
        let failure = Failure {
            role: mongoferry_protocol::Role::Applier,
            instance: "applier-0".into(),
            code: "MF-X-1".into(),
            message: String::new(),
            causes: Vec::new(),
            hint: String::new(),
            retry: Retry::Never,
            at_ms: 0,
        };
        let facts = Facts { failure: Some(failure.clone()), ..facts() };
        let stopped = Step::Fail(StopReason::Reported(Box::new(failure)));
        for phase in [Phase::Copying, Phase::Ready, Phase::Finalizing, Phase::Paused] {
            assert_eq!(decide(&at(phase), &facts), stopped, "{phase}");
        }
        for phase in [Phase::Failed, Phase::Committed, Phase::Cancelled] {
            assert_eq!(decide(&at(phase), &facts), Step::Wait, "{phase}");
        }
    }
}
