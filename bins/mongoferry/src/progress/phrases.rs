//! The state of a migration in a few words. Pure.

use std::time::Duration;

use mongoferry_protocol::{IndexState, MigrationStatus, Phase};

use crate::amounts::{bytes_text, counted, duration_text, ms_text, percent};

/// One line that says it all, for logs.
pub fn progress_line(status: &MigrationStatus) -> String {
    let mut parts = vec![standing_phrase(status)];
    match status.came_from.unwrap_or(status.phase) {
        Phase::Copying => {
            parts[0] += &format!(" {}", copy_phrase(status));
            parts.extend(index_phrase(status));
            parts.push(format!("{} captured", counted(status.entries_captured, "oplog entry")));
        }
        Phase::CatchingUp | Phase::Ready | Phase::Draining => {
            parts.push(lag_phrase(status));
            parts.push(format!("{} applied", counted(status.changes_applied, "change")));
        }
        Phase::Verifying => parts.push(format!("{} compared", counted(status.verified_documents, "document"))),
        Phase::Created
        | Phase::Validating
        | Phase::Starting
        | Phase::Finalizing
        | Phase::Committed
        | Phase::Rehearsed
        | Phase::Paused
        | Phase::Failed
        | Phase::Cancelled
        | Phase::Expired => {}
    }
    parts.join(", ")
}

/// The phase, and what work waits for in it.
pub fn standing_phrase(status: &MigrationStatus) -> String {
    match &status.held {
        Some(held) => format!("{}, held [{}] {}", phase_phrase(status), held.code, held.message),
        None => phase_phrase(status),
    }
}

/// `copying`, `paused in copying`.
pub fn phase_phrase(status: &MigrationStatus) -> String {
    match status.came_from {
        Some(came_from) => format!("{} in {came_from}", status.phase),
        None => status.phase.to_string(),
    }
}

/// `43 % (120 MiB of 280 MiB, 96 MiB/s, eta 2.0 s)`, or `nothing yet` while the collections are not listed.
pub fn copy_phrase(status: &MigrationStatus) -> String {
    if status.collections.is_empty() {
        return "nothing yet".into();
    }
    let amount = format!("{} of {}", bytes_text(status.bytes), bytes_text(status.bytes_total));
    let mut details = vec![amount];
    if status.bytes < status.bytes_total {
        details.push(format!("{}/s", bytes_text(status.bytes_per_second)));
        details.extend(
            status.copy_eta_seconds.map(|seconds| format!("eta {}", duration_text(Duration::from_secs(seconds)))),
        );
    }
    format!("{} % ({})", percent(status.bytes, status.bytes_total), details.join(", "))
}

/// `5 of 12 indexes built, shop.orders.customer_1 building`; nothing if there are none.
pub fn index_phrase(status: &MigrationStatus) -> Option<String> {
    if status.indexes.is_empty() {
        return None;
    }
    let count = |state| status.indexes.iter().filter(|index| index.state == state).count();
    let mut text = format!("{} of {} indexes built", count(IndexState::Built), status.indexes.len());
    for (state, word) in [(IndexState::Deferred, "deferred to the cutover"), (IndexState::Failed, "failed")] {
        if count(state) > 0 {
            text += &format!(", {} {word}", count(state));
        }
    }
    if let Some(building) = status.indexes.iter().find(|index| index.state == IndexState::Building) {
        text += &format!(", {}.{} building", building.namespace, building.name);
        text.extend(building.reason.iter().map(|how_far| format!(" ({how_far})")));
    }
    Some(text)
}

/// `lag 2.3 s (source to bus 12 ms, bus to destination 2.3 s)`, `lag 0 ms, nothing left to apply`.
pub fn lag_phrase(status: &MigrationStatus) -> String {
    let Some(lag) = status.lag else { return "lag unknown".into() };
    if status.gap_closed {
        return format!("lag {}, nothing left to apply", ms_text(lag.total_ms));
    }
    let eta = status
        .catch_up_eta_seconds
        .map(|seconds| format!(", in step in {}", duration_text(Duration::from_secs(seconds))));
    format!(
        "lag {} (source to bus {}, bus to destination {}){}",
        ms_text(lag.total_ms),
        ms_text(lag.source_to_bus_ms),
        ms_text(lag.bus_to_destination_ms),
        eta.unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use mongoferry_protocol::{IndexState, IndexView, Lag, Phase};

    use super::progress_line;
    use crate::status_text::{example_collection, example_status};

    #[test]
    fn copying() {
        let mut status = example_status(&[Phase::Copying]);
        (status.bytes, status.bytes_total) = (120 << 20, 280 << 20);
        (status.bytes_per_second, status.copy_eta_seconds) = (96 << 20, Some(2));
        status.entries_captured = 1203;
        status.collections = vec![example_collection("shop.orders", 120 << 20, 280 << 20)];
        let index =
            |name: &str, state| IndexView { namespace: "shop.orders".into(), name: name.into(), state, reason: None };
        status.indexes = vec![
            index("a_1", IndexState::Built),
            index("b_1", IndexState::Building),
            index("c_1", IndexState::Deferred),
        ];
        assert_eq!(
            progress_line(&status),
            "copying 42 % (120 MiB of 280 MiB, 96 MiB/s, eta 2.0 s), 1 of 3 indexes built, 1 deferred to the cutover, \
            shop.orders.b_1 building, 1,203 oplog entries captured"
        );
    }

    #[test]
    fn what_work_waits_for_comes_first() {
        let mut status = example_status(&[Phase::Ready]);
        status.held = Some(mongoferry_protocol::FailureStatus {
            code: "MF-MONGO-10".into(),
            message: "the disk of rs/b is full".into(),
            hint: "Make room.".into(),
            role: "applier".into(),
            instance: "applier-1".into(),
            causes: Vec::new(),
            retry: mongoferry_protocol::Retry::Soon,
            at_ms: 0,
        });
        let line = progress_line(&status);
        assert!(line.starts_with("ready, held [MF-MONGO-10] the disk of rs/b is full, lag unknown"), "{line}");
        assert!(crate::status_text::status_text(&status).starts_with("HELD for "));
    }

    #[test]
    fn paused_and_catching_up() {
        let mut status = example_status(&[Phase::CatchingUp, Phase::Paused]);
        status.came_from = Some(Phase::CatchingUp);
        status.lag = Some(Lag { source_to_bus_ms: 12, bus_to_destination_ms: 2300, total_ms: 2312 });
        status.changes_applied = 1;
        assert_eq!(
            progress_line(&status),
            "paused in catching-up, lag 2.3 s (source to bus 12 ms, bus to destination 2.3 s), 1 change applied"
        );
    }
}
