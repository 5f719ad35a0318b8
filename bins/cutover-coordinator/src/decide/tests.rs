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
        accept_source_writes: false,
        block_writes: false,
        blocked_at_ms: None,
        predicted_ms: None,
        expiring: Vec::new(),
    };
    PhaseRecord { cutover: Some(cutover), ..at(phase) }
}

fn facts() -> Facts {
    Facts { verify: true, now_ms: 3_000, cutover_limit_ms: 600_000, ..Facts::default() }
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
fn what_was_prepared_is_undone_before_anything_else_is_begun() {
    let auto = Facts { cutover_mode: Some(CutoverMode::Auto), lag_ms: Some(0), ..facts() };
    for phase in [Phase::CatchingUp, Phase::Ready, Phase::Draining] {
        let taken_back = PhaseRecord { preparation_stands: true, ..in_cutover(phase, None, false) };
        assert_eq!(decide(&taken_back, &auto), Step::UndoPreparation);
    }
    let paused = PhaseRecord { preparation_stands: true, ..at(Phase::Paused) };
    assert_eq!(decide(&paused, &auto), Step::Wait);
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
    // A coordinator that ended between lifting and the rest of taking back.
    draining.write_blocks.source_since_ms = None;
    assert!(matches!(decide(&draining, &facts()), Step::Revert(_)));
    let mut cancelled = at(Phase::Cancelled);
    cancelled.write_blocks.destination_since_ms = Some(1_500);
    assert_eq!(decide(&cancelled, &facts()), Step::LiftDestinationBlock);
}

#[test]
fn a_write_after_the_note_takes_the_cutover_back_until_the_point_of_no_return() {
    let note = Optime::new(10, 1);
    let wrote = Facts { last_change: Optime::new(10, 2), ..facts() };
    for phase in [Phase::Draining, Phase::Verifying] {
        assert!(matches!(decide(&in_cutover(phase, Some(note), true), &wrote), Step::Revert(_)), "{phase}");
    }
    let mut finalizing = in_cutover(Phase::Finalizing, Some(note), true);
    let stopped = Step::Fail(StopReason::SourceWrittenTo("a migrated namespace at 10:2".into()));
    assert_eq!(decide(&finalizing, &wrote), stopped);
    finalizing.cutover.as_mut().expect("in a cutover").accept_source_writes = true;
    assert_eq!(decide(&finalizing, &wrote), Step::Finalize(3));
}

#[test]
fn silence_is_proven_before_the_point_of_no_return_and_before_the_commit() {
    let (note, asked) = (Optime::new(10, 1), Optime::new(20, 1));
    let verified = Facts {
        prepared: Some(Outcome::default()),
        documents_verified: Some(VerificationState::Equal),
        captured: Some(note),
        ..facts()
    };
    let metadata_verified = Some(VerificationState::Equal);
    let finalized = Facts { finalized: Some(Outcome::default()), metadata_verified, ..verified.clone() };
    let onward =
        [(Phase::Verifying, &verified, Step::Enter(Phase::Finalizing)), (Phase::Finalizing, &finalized, Step::Commit)];
    for (phase, done, next) in onward {
        let record = in_cutover(phase, Some(note), true);
        for done in [done.clone(), Facts { verify: false, ..done.clone() }] {
            assert_eq!(decide(&record, &done), Step::AskForSilence, "{phase}");
            let behind = Facts { silent_until: Some(asked), ..done };
            assert_eq!(decide(&record, &behind), Step::Wait, "{phase}");
            assert_eq!(decide(&record, &Facts { captured: None, ..behind.clone() }), Step::Wait, "{phase}");
            let captured = Facts { captured: Some(asked), ..behind };
            assert_eq!(decide(&record, &captured), next, "{phase}");
            let wrote = Facts { last_change: Optime::new(15, 1), ..captured };
            assert!(matches!(decide(&record, &wrote), Step::Revert(_) | Step::Fail(_)), "{phase}");
        }
    }
}

#[test]
fn a_cutover_that_takes_too_long_is_taken_back() {
    let after = |ms: u64| Facts { now_ms: 1_000 + ms, cutover_limit_ms: 90_000, ..facts() };
    let verifying = in_cutover(Phase::Verifying, None, false);
    assert_eq!(decide(&verifying, &after(90_000)), Step::Prepare(3));
    assert_eq!(decide(&verifying, &after(90_001)), Step::Revert("it was not done within 90 seconds".into()));
    assert_eq!(decide(&in_cutover(Phase::Finalizing, None, false), &after(90_001)), Step::Finalize(3));
}

#[test]
fn a_difference_stops_before_the_point_of_no_return() {
    let verifying = in_cutover(Phase::Verifying, Some(Optime::new(1, 1)), true);
    let prepared = Some(Outcome::default());
    let state = |documents_verified| Facts { prepared: prepared.clone(), documents_verified, ..facts() };
    assert_eq!(decide(&verifying, &facts()), Step::Prepare(3));
    assert_eq!(decide(&verifying, &state(None)), Step::VerifyDocuments(3));
    assert_eq!(decide(&verifying, &state(Some(VerificationState::Equal))), Step::AskForSilence);
    let different = state(Some(VerificationState::Different));
    assert_eq!(decide(&verifying, &different), Step::Fail(StopReason::DocumentsDiffer));
    let unique = Facts { prepared: Some(Outcome { problems: vec!["email".into()], unbuilt: Vec::new() }), ..facts() };
    assert!(matches!(decide(&verifying, &unique), Step::Revert(_)));
}

#[test]
fn nothing_is_committed_before_the_metadata_is_equal() {
    let finalizing = in_cutover(Phase::Finalizing, Some(Optime::new(1, 1)), true);
    let done = Facts { finalized: Some(Outcome::default()), ..facts() };
    assert_eq!(decide(&finalizing, &facts()), Step::Finalize(3));
    assert_eq!(decide(&finalizing, &done), Step::VerifyMetadata(3));
    let silent = Facts { silent_until: Some(Optime::new(2, 1)), captured: Some(Optime::new(2, 1)), ..done };
    let equal = Facts { metadata_verified: Some(VerificationState::Equal), ..silent.clone() };
    assert_eq!(decide(&finalizing, &equal), Step::Commit);
    let skipped = Facts { verify: false, ..silent };
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
