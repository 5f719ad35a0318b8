//! The report: what happened, in numbers, and what to do now.

use mongoferry_bus::{BusError, key};
use mongoferry_protocol::{
    CaptureProgress, Checkpoint, Comparison, Finalization, FinalizationStep, IndexState, IndexView, MigrationSettings,
    Phase, PhaseRecord, PredictedPart, Report, Verification, VerificationState, now_ms,
};

use crate::{
    copy_progress::CopyProgress,
    facts::{failures, metadata_verified},
    settings::label,
    status::{phases, shown, write_blocks, write_downtime_ms},
    survived::survived,
    view::View,
};

pub fn build(
    view: &View,
    settings: &MigrationSettings,
    record: &PhaseRecord,
    copy: &CopyProgress,
    (predicted_downtime_ms, predicted_parts): (Option<u64>, Vec<PredictedPart>),
) -> Result<Report, BusError> {
    let mirror = &view.mirror;
    let number = record.cutover.as_ref().map_or(0, |cutover| cutover.number);
    let capture: Option<CaptureProgress> = mirror.get(&key::capture())?;
    let applied: Option<Checkpoint> = mirror.get(&key::applied())?;
    let documents: Option<Verification> = mirror.get(&key::verification(number, false))?;
    let metadata: Option<Verification> = mirror.get(&key::verification(number, true))?;
    let finalized: Option<Finalization> = mirror.get(&key::finalization(number, FinalizationStep::Finalize))?;
    let mut documents_differ = documents.clone().map(|check| (check.differences, check.difference_count));
    // What was compared again since counts more than what that cutover found.
    let comparison: Option<Comparison> = mirror.get(&key::comparison())?;
    if let Some(left) = comparison.filter(|one| one.cutover == number && number > 0 && one.is_whole()) {
        documents_differ = Some((left.differing, left.differing_count));
    }
    let checks = || {
        documents_differ
            .iter()
            .cloned()
            .chain(metadata.clone().map(|check| (check.differences, check.difference_count)))
    };
    let survived = survived(&mirror.all(key::PROCESS_PREFIX)?);
    Ok(Report {
        id: settings.id.clone(),
        phase: record.phase,
        mongoferry_version: env!("CARGO_PKG_VERSION").into(),
        source: label(&settings.source),
        destination: label(&settings.destination),
        started_at_ms: settings.created_at_ms,
        finished_at_ms: if record.phase.is_final() { record.entered_at_ms() } else { now_ms() },
        phases: phases(record),
        write_downtime_ms: write_downtime_ms(record),
        predicted_downtime_ms,
        predicted_parts,
        write_blocks: write_blocks(record),
        collections: copy.collections.len() as u64,
        documents_copied: copy.documents,
        bytes_copied: copy.bytes,
        repeated_documents: copy.repeated,
        repeated_index_builds: survived.index_builds_again,
        repeated_changes: survived.changes_read_again,
        repeated_catalog_changes: survived.catalog_changes_again,
        processes: survived.processes,
        outages: survived.outages,
        indexes: remarkable(&copy.indexes, finalized.as_ref()),
        expiries_in_cutover: capture.as_ref().map_or(0, |capture| capture.expiries),
        entries_captured: capture.as_ref().map_or(0, |capture| capture.entries_captured),
        changes_applied: applied.map_or(0, |applied| applied.changes_applied),
        verification: verdict(
            settings.verify,
            documents.as_ref().map(|documents| documents.state),
            metadata_verified(mirror, number)?,
        )
        .into(),
        verified_collections: documents.as_ref().map_or(0, |documents| documents.collections),
        verified_documents: documents.as_ref().map_or(0, |documents| documents.documents),
        verified_bytes: documents.as_ref().map_or(0, |documents| documents.bytes),
        differences: checks().flat_map(|(differences, _)| differences).collect(),
        difference_count: checks().map(|(_, count)| count).sum(),
        finalization: finalized.map(|finalized| finalized.done).unwrap_or_default(),
        failures: record.failure.iter().chain(&failures(mirror)?).map(shown).collect(),
        next_steps: next_steps(record, capture.as_ref()),
    })
}

fn verdict(verify: bool, documents: Option<VerificationState>, metadata: Option<VerificationState>) -> &'static str {
    let is = |state| [documents == Some(state), metadata == Some(state)];
    match () {
        () if !verify => "skipped",
        () if is(VerificationState::Different).contains(&true) => "different",
        () if is(VerificationState::Equal) == [true, true] => "equal",
        () => "not reached",
    }
}

/// Indexes that need a word; after finalizing, those that waited for it are what they should be.
fn remarkable(indexes: &[IndexView], finalized: Option<&Finalization>) -> Vec<IndexView> {
    let settled = finalized.is_some_and(|finalized| finalized.complete && finalized.problems.is_empty());
    let unbuilt = |index: &IndexView| {
        let mut unbuilt = finalized.iter().flat_map(|finalized| &finalized.unbuilt);
        unbuilt.any(|other| other.name == index.name && other.namespace.to_string() == index.namespace)
    };
    let worth_it = |index: &&IndexView| {
        if settled { unbuilt(index) } else { index.state != IndexState::Built || index.reason.is_some() }
    };
    indexes.iter().filter(worth_it).cloned().collect()
}

fn next_steps(record: &PhaseRecord, capture: Option<&CaptureProgress>) -> Vec<String> {
    let blocked = write_blocks(record).into_iter().map(|block| match (block.cluster.as_str(), record.phase) {
        ("source", Phase::Committed) => {
            format!(
                "The source refuses the writes of users, so that nobody goes on there by mistake; to lift it: {}",
                block.lift
            )
        }
        (cluster, _) => format!("The {cluster} refuses the writes of users; to lift it: {}", block.lift),
    });
    let wrote_nothing = record.history.iter().all(|entered| entered.phase != Phase::Starting);
    let steps = match (record.phase, record.came_from) {
        (Phase::Failed, Some(Phase::Finalizing)) => FAILED_WHILE_FINALIZING.to_vec(),
        (Phase::Cancelled, _) if wrote_nothing => vec![NOTHING_WRITTEN],
        (phase, _) => steps_of_phase(phase),
    };
    steps.into_iter().map(Into::into).chain(left_behind(record, capture)).chain(blocked).collect()
}

const FAILED_WHILE_FINALIZING: [&str; 3] = [
    "The source is complete. The destination has everything up to the cutover, and gets no more: it is past the point of no return.",
    "Let nobody write to the source. What is written there now is not carried over; it is looked for before the commit, and stops it.",
    "Mend the cause, then run the same command again: it continues where it stopped.",
];

/// What the operator went without.
fn left_behind(record: &PhaseRecord, capture: Option<&CaptureProgress>) -> Option<String> {
    let (cutover, capture) = (record.cutover.as_ref()?, capture?);
    let is_accepted = cutover.accept_source_writes && record.phase == Phase::Committed;
    let namespace = capture.last_change_namespace.as_ref().map(|name| format!("in {name} ")).unwrap_or_default();
    (is_accepted && capture.last_change > cutover.confirmed_from?).then(|| {
        format!(
            "Users wrote to the source after the cutover began, last {namespace}at {}. As was accepted, the destination has \
             nothing of that but what was carried over by hand.",
            capture.last_change
        )
    })
}

const NOTHING_WRITTEN: &str = "Nothing was begun: both clusters are as they were.";

fn steps_of_phase(phase: Phase) -> Vec<&'static str> {
    match phase {
        Phase::Committed => vec![
            "Point the applications at the destination.",
            "Create users and roles on the destination: they are never copied.",
            "Remove mongoferry's users and firewall entries on both clusters.",
            "Keep the source until you are sure: it holds everything up to the cutover.",
        ],
        Phase::Rehearsed => vec![
            "The source was not changed; users went on working with it.",
            "The destination is a copy to try things on, no longer kept in step. Unique indexes, expiry and capped sizes get their last \
             form at a cutover only.",
            "Before the migration itself, drop what was copied, or run it with --drop.",
        ],
        Phase::Failed => vec![
            "The source is untouched and complete; users go on working with it.",
            "Mend the cause, then run the same command again: it continues where it stopped.",
        ],
        Phase::Cancelled => vec![
            "The source is untouched and complete; users go on working with it.",
            "The destination holds an incomplete copy. Drop the migrated databases there before another migration.",
        ],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use mongoferry_protocol::{Phase, PhaseEntered, PhaseRecord};

    use super::{NOTHING_WRITTEN, next_steps};

    #[test]
    fn what_was_cancelled_before_it_began_left_nothing() {
        let cancelled = |road: &[Phase]| PhaseRecord {
            phase: Phase::Cancelled,
            history: road.iter().map(|&phase| PhaseEntered { phase, at_ms: 1 }).collect(),
            ..PhaseRecord::created()
        };
        assert_eq!(next_steps(&cancelled(&[Phase::Created, Phase::Validating]), None), [NOTHING_WRITTEN]);
        let begun = next_steps(&cancelled(&[Phase::Created, Phase::Validating, Phase::Starting, Phase::Copying]), None);
        assert!(begun.iter().any(|step| step.contains("incomplete copy")), "{begun:?}");
        let mut blocked = cancelled(&[Phase::Created]);
        blocked.write_blocks.source_since_ms = Some(1);
        assert!(next_steps(&blocked, None).iter().any(|step| step.contains("setUserWriteBlockMode")));
    }
}
