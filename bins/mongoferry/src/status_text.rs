//! One screen that says how a migration stands and what to do next. Pure.

use mongoferry_protocol::{
    CollectionStatus, Comparison, ComparisonState, CopierStatus, FailureStatus, IndexState, MigrationStatus,
    OutageStatus, Phase, Throttle, VerifiedAheadView, WriteBlockStatus, now_ms,
};

use crate::{
    amounts::{bytes_text, counted, ms_text, percent},
    error_text::failure_status_text,
    progress::{copy_phrase, index_phrase, lag_phrase, phase_phrase},
};

const COLLECTIONS_SHOWN: usize = 10;
const PARTS_SHOWN: usize = 8;
/// Parts below this fraction of the whole are not worth a line.
const PARTS_WORTH_TELLING: u64 = 20;

pub fn status_text(status: &MigrationStatus) -> String {
    let mut sections: Vec<String> = status.held.iter().map(held).collect();
    sections.extend([overview(status), collections(&status.collections), indexes(status), processes(&status.copiers)]);
    sections.extend(status.failures.iter().map(failure_status_text));
    sections.push(status.outages.iter().map(outage).collect::<Vec<_>>().join("\n"));
    let told_above = |warning: &&FailureStatus| Some(*warning) == status.held.as_ref();
    let warnings = status.warnings.iter().filter(|warning| !told_above(warning));
    sections.push(warnings.map(warning).collect::<Vec<_>>().join("\n"));
    sections.push(format!("next: {}", next_step(status)));
    sections.retain(|section| !section.is_empty());
    sections.join("\n\n")
}

fn overview(status: &MigrationStatus) -> String {
    let in_phase = status.phases.last().map_or(0, |stay| stay.duration_ms);
    let mut lines = vec![
        format!("migration    {}", status.id),
        format!("source       {}", status.source),
        format!("destination  {}", status.destination),
        format!("phase        {} for {}", phase_phrase(status), ms_text(in_phase)),
        format!("copy         {}, {}", copy_phrase(status), counted(status.documents, "document")),
    ];
    lines.extend(index_phrase(status).map(|text| format!("indexes      {text}")));
    lines.extend(throttle_phrase(&status.throttle).map(|text| format!("throttle     {text}")));
    lines.push(format!(
        "oplog        {} captured, {} applied, {} kept on the bus",
        counted(status.entries_captured, "entry"),
        counted(status.changes_applied, "change"),
        bus_phrase(status)
    ));
    lines.push(format!("lag          {}", lag_phrase(status).trim_start_matches("lag ")));
    lines.extend(gap_phrase(status).map(|text| format!("gap          {text}")));
    if let Some(seconds) = status.oplog_window_seconds {
        let left = status
            .oplog_headroom_seconds
            .map(|left| format!("; capture may be away for at least {}", ms_text(left * 1000)));
        let left = left.unwrap_or_default();
        lines.push(format!("headroom     the source's oplog holds {}{left}", ms_text(seconds * 1000)));
    }
    lines.extend(timer_phrase(status).map(|text| format!("timer        {text}")));
    lines.extend(status.verified_ahead.as_ref().map(|ahead| format!("verified ahead  {}", ahead_phrase(ahead))));
    lines.extend(status.comparison.as_ref().map(|again| format!("compared again  {}", comparison_phrase(again))));
    if status.verified_documents > 0 {
        lines.push(format!("verified     {}", counted(status.verified_documents, "document")));
    }
    lines.extend(status.write_blocks.iter().map(block_phrase));
    lines.extend(prediction_lines(status));
    lines.extend(status.write_downtime_ms.map(|downtime| format!("write downtime  {}", ms_text(downtime))));
    lines.join("\n")
}

/// `2.0 MiB/s, 1 range at once`; nothing if nothing is limited.
pub fn throttle_phrase(throttle: &Throttle) -> Option<String> {
    let limits = [
        throttle.documents_per_second.map(|rate| format!("{}/s", counted(rate, "document"))),
        throttle.bytes_per_second.map(|rate| format!("{}/s", bytes_text(rate))),
        throttle.ranges_at_once.map(|count| format!("{} at once", counted(count.into(), "range"))),
    ];
    let limits: Vec<String> = limits.into_iter().flatten().collect();
    (!limits.is_empty()).then(|| limits.join(", "))
}

/// `0, all applied up to 1796012745:3`, or how far apart the two are.
fn gap_phrase(status: &MigrationStatus) -> Option<String> {
    let (gap, applied, source) = (status.gap?, status.applied_optime?, status.source_optime?);
    Some(match gap.is_closed() {
        true => format!("0, all applied up to {applied}"),
        false => format!("{gap}, applied up to {applied}, source at {source}"),
    })
}

/// `12 MiB`, `12 MiB of at most 2.0 GiB`.
fn bus_phrase(status: &MigrationStatus) -> String {
    let limit = status.bus_limit_bytes.map(|limit| format!(" of at most {}", bytes_text(limit)));
    format!("{}{}", bytes_text(status.bus_bytes), limit.unwrap_or_default())
}

fn block_phrase(block: &WriteBlockStatus) -> String {
    format!("write block  the {} refuses the writes of users; to lift it there by hand: {}", block.cluster, block.lift)
}

/// For the end: nobody of ours lifts it any more.
pub fn standing_block(block: &WriteBlockStatus) -> String {
    format!("the {} refuses the writes of users; to lift it there: {}", block.cluster, block.lift)
}

/// What the write downtime will be, and what it is mostly made of; nothing where it is not known.
pub fn prediction_lines(status: &MigrationStatus) -> Vec<String> {
    let Some(ms) = status.predicted_downtime_ms.filter(|_| status.write_downtime_ms.is_none()) else {
        return Vec::new();
    };
    let total: u64 = status.predicted_parts.iter().map(|part| part.ms).sum();
    let told = status.predicted_parts.iter().filter(|part| part.ms * PARTS_WORTH_TELLING >= total).take(PARTS_SHOWN);
    let parts = told.map(|part| format!("               {} to {}", ms_text(part.ms), part.what));
    [format!("predicted write downtime  {}", ms_text(ms))].into_iter().chain(parts).collect()
}

fn timer_phrase(status: &MigrationStatus) -> Option<String> {
    let left = status.expires_at_ms?.saturating_sub(now_ms());
    matches!(status.phase, Phase::CatchingUp | Phase::Ready | Phase::Paused | Phase::Failed)
        .then(|| format!("expires in {}; `mongoferry extend` adds 24 h", ms_text(left)))
}

/// How much is left for the cutover is what the operator waits for.
pub fn ahead_phrase(ahead: &VerifiedAheadView) -> String {
    let mut parts = vec![
        format!("{} of {}", bytes_text(ahead.bytes), bytes_text(ahead.bytes_total)),
        format!("{} of {} collections", ahead.collections, ahead.collections_total),
        format!("{} compared again", counted(ahead.compared_again, "changed document")),
        format!("{} left for the cutover", bytes_text(ahead.bytes_at_cutover)),
    ];
    if ahead.suspects > 0 {
        parts.push(format!("{} to be looked at again", counted(ahead.suspects, "document")));
    }
    if ahead.differing_count > 0 {
        parts.push(format!("{} DIFFERENT", counted(ahead.differing_count, "document")));
    }
    parts.join(", ")
}

/// How far an order to compare again is, or what came of it.
pub fn comparison_phrase(again: &Comparison) -> String {
    let state = match again.state {
        ComparisonState::Running => "under way",
        ComparisonState::Equal => "all equal",
        ComparisonState::Different => "DIFFERENT",
        ComparisonState::Stopped => "stopped",
    };
    let mut parts = vec![state.to_owned(), format!("{} looked at", counted(again.looked_at, "document"))];
    if again.repair {
        parts.push(format!("{} copied again", counted(again.repaired, "document")));
    }
    if again.differing_count > 0 {
        parts.push(format!("{} left", counted(again.differing_count, "difference")));
    }
    parts.join(", ")
}

fn collections(all: &[CollectionStatus]) -> String {
    let mut under_way: Vec<_> = all.iter().filter(|collection| !collection.complete).collect();
    let finished = all.len() - under_way.len();
    if all.is_empty() {
        return String::new();
    }
    under_way.sort_by(|a, b| b.bytes_total.cmp(&a.bytes_total).then_with(|| a.namespace.cmp(&b.namespace)));
    let mut lines = vec![format!("collections: {finished} of {} copied", all.len())];
    lines.extend(under_way.iter().take(COLLECTIONS_SHOWN).map(|collection| {
        format!(
            "  {:<32} {:>3} %  {} of {}, {} of {} ranges",
            collection.namespace,
            percent(collection.bytes, collection.bytes_total),
            bytes_text(collection.bytes),
            bytes_text(collection.bytes_total),
            collection.ranges,
            collection.ranges_total
        )
    }));
    if under_way.len() > COLLECTIONS_SHOWN {
        lines.push(format!("  and {} smaller ones", under_way.len() - COLLECTIONS_SHOWN));
    }
    lines.join("\n")
}

/// Those that an operator may want to know of: not simply waiting or built.
fn indexes(status: &MigrationStatus) -> String {
    let remarkable = |state| matches!(state, IndexState::Building | IndexState::Deferred | IndexState::Failed);
    let lines = status.indexes.iter().filter(|index| remarkable(index.state)).map(|index| {
        let state = match index.state {
            IndexState::Waiting => "waiting",
            IndexState::Building => "building",
            IndexState::Built => "built",
            IndexState::Deferred => "deferred",
            IndexState::Failed => "failed",
        };
        let reason = index.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        format!("  {}.{} {state}{reason}", index.namespace, index.name)
    });
    let lines: Vec<_> = lines.collect();
    if lines.is_empty() { String::new() } else { format!("indexes:\n{}", lines.join("\n")) }
}

fn processes(all: &[CopierStatus]) -> String {
    if all.is_empty() {
        return "processes: none gave a sign of life".into();
    }
    let line = |process: &CopierStatus| {
        let silent = if process.seen_ms_ago > 5_000 {
            format!(" (silent for {})", ms_text(process.seen_ms_ago))
        } else {
            String::new()
        };
        format!("  {:<24} {:>7} on {}: {}{silent}", process.instance, process.pid, process.host, process.activity)
    };
    let mut lines = vec!["processes:".to_owned()];
    lines.extend(all.iter().map(line));
    lines.join("\n")
}

fn outage(outage: &OutageStatus) -> String {
    format!(
        "down: the {} for {}, not reached by {}: {}\n  do     nothing if it comes back by itself; work goes on from where it stands",
        outage.party,
        ms_text(outage.down_for_ms),
        outage.instances.join(", "),
        outage.reason
    )
}

/// Before everything else: nothing moves until somebody acts, or it passes.
fn held(held: &FailureStatus) -> String {
    let since = ms_text(now_ms().saturating_sub(held.at_ms));
    format!("HELD for {since} [{}] {}: {}\n  do     {}", held.code, held.instance, held.message, held.hint)
}

fn warning(warning: &FailureStatus) -> String {
    format!("warning [{}] {}\n  do     {}", warning.code, warning.message, warning.hint)
}

/// What the operator does now.
pub fn next_step(status: &MigrationStatus) -> &'static str {
    match status.phase {
        Phase::Created | Phase::Validating | Phase::Starting | Phase::Copying | Phase::CatchingUp => "wait",
        Phase::Ready if !status.can_commit => "wait: the rehearsal ends by itself",
        Phase::Ready => "stop the writes to the source, then run `mongoferry cutover`",
        Phase::Draining | Phase::Verifying | Phase::Finalizing => "wait, and keep the source silent",
        Phase::Committed => "point the applications at the destination; `mongoferry report` has the numbers",
        Phase::Rehearsed => "read the report; the copy on the destination is yours to try things on",
        Phase::Paused => "run `mongoferry resume` to go on",
        Phase::Failed if status.came_from == Some(Phase::Finalizing) => {
            "let nobody write to the source; do what the failure says, then start `mongoferry migrate` again: the cutover goes on"
        }
        Phase::Failed => "do what the failure says, then run `mongoferry resume`, or start `mongoferry migrate` again",
        Phase::Cancelled => "drop what was copied before another attempt",
        Phase::Expired => {
            "run `mongoferry extend` to go on, as long as the source's oplog reaches back to when capturing ended"
        }
    }
}

/// For tests of texts: a migration that went through `phases`.
#[cfg(test)]
pub fn example_status(phases: &[Phase]) -> MigrationStatus {
    let stay = |&phase: &Phase| mongoferry_protocol::PhaseStay { phase, entered_at_ms: 1_000, duration_ms: 65_000 };
    MigrationStatus {
        id: "orders".parse().expect("valid"),
        phase: *phases.last().expect("there is a phase"),
        came_from: None,
        phases: phases.iter().map(stay).collect(),
        source: "rs/a:1".into(),
        destination: "rs/b:1".into(),
        can_commit: false,
        source_optime: None,
        captured_optime: None,
        applied_optime: None,
        lag: None,
        gap: None,
        gap_closed: false,
        entries_captured: 0,
        changes_applied: 0,
        documents: 0,
        documents_total: 0,
        bytes: 0,
        bytes_total: 0,
        bytes_per_second: 0,
        copy_eta_seconds: None,
        catch_up_eta_seconds: None,
        repeated_documents: 0,
        collections: Vec::new(),
        indexes: Vec::new(),
        copiers: Vec::new(),
        bus_bytes: 0,
        bus_limit_bytes: None,
        oplog_window_seconds: None,
        oplog_headroom_seconds: None,
        verified_documents: 0,
        verified_ahead: None,
        comparison: None,
        expires_at_ms: None,
        failures: Vec::new(),
        held: None,
        warnings: Vec::new(),
        outages: Vec::new(),
        throttle: Throttle::default(),
        write_blocks: Vec::new(),
        predicted_downtime_ms: None,
        predicted_parts: Vec::new(),
        write_downtime_ms: None,
    }
}

#[cfg(test)]
pub fn example_collection(namespace: &str, bytes: u64, bytes_total: u64) -> CollectionStatus {
    CollectionStatus {
        namespace: namespace.into(),
        documents: bytes / 1000,
        documents_total: bytes_total / 1000,
        bytes,
        bytes_total,
        ranges: 1,
        ranges_total: 2,
        complete: bytes == bytes_total,
    }
}

#[cfg(test)]
mod tests {
    use mongoferry_protocol::{CopierStatus, Lag, Optime, OptimeGap, Phase};

    use super::{example_collection, example_status, status_text};

    #[test]
    fn one_screen() {
        let mut status = example_status(&[Phase::Starting, Phase::Copying]);
        (status.bytes, status.bytes_total, status.documents) = (5 << 20, 10 << 20, 12_345);
        status.bytes_per_second = 1 << 20;
        status.lag = Some(Lag::default());
        (status.gap, status.gap_closed) = (Some(OptimeGap::default()), true);
        let last = Optime::new(1_796_012_745, 3);
        (status.source_optime, status.applied_optime) = (Some(last), Some(last));
        status.bus_limit_bytes = Some(2 << 30);
        status.collections = vec![example_collection("shop.orders", 5 << 20, 10 << 20)];
        status.copiers = vec![CopierStatus {
            role: "copier".into(),
            instance: "copier-1".into(),
            host: "here".into(),
            pid: 7,
            active: true,
            activity: "copying shop.orders".into(),
            seen_ms_ago: 6_000,
        }];
        let expected = "\
migration    orders
source       rs/a:1
destination  rs/b:1
phase        copying for 1 min 05 s
copy         50 % (5.0 MiB of 10 MiB, 1.0 MiB/s), 12,345 documents
oplog        0 entries captured, 0 changes applied, 0 B of at most 2.0 GiB kept on the bus
lag          0 ms, nothing left to apply
gap          0, all applied up to 1796012745:3

collections: 0 of 1 copied
  shop.orders                       50 %  5.0 MiB of 10 MiB, 1 of 2 ranges

processes:
  copier-1                       7 on here: copying shop.orders (silent for 6.0 s)

next: wait";
        assert_eq!(status_text(&status), expected);
    }
}
