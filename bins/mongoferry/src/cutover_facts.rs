//! What an operator should know before he cuts over: the same that the page shows there. Pure.

use std::time::Duration;

use mongoferry_protocol::{IndexState, IndexView, MigrationStatus};

use crate::{
    amounts::{bytes_text, counted, ms_text},
    status_text::prediction_lines,
};

pub fn cutover_facts(status: &MigrationStatus) -> Vec<String> {
    let ahead = status.verified_ahead.as_ref();
    let begun = ahead.filter(|ahead| ahead.collections_total + ahead.collections_at_cutover > 0);
    let mut facts = vec![
        format!("to apply       {}", to_apply(status)),
        format!("to compare     {}", begun.map_or("everything".into(), |ahead| bytes_text(ahead.bytes_at_cutover))),
    ];
    if let Some(ahead) = ahead.filter(|ahead| ahead.suspects > 0) {
        facts.push(format!("to look at     {} again", counted(ahead.suspects, "document")));
    }
    if let Some(ahead) = ahead.filter(|ahead| ahead.differing_count > 0) {
        facts.push(format!("DIFFERENT      {}: this stops the cutover", counted(ahead.differing_count, "document")));
    }
    let waiting = status.indexes.iter().filter(|index| index.state == IndexState::Deferred).count() as u64;
    if waiting > 0 {
        facts.push(format!("to build       {}", counted(waiting, "index")));
    }
    let missing = status.indexes.iter().filter(|index| index.state == IndexState::Failed);
    facts.extend(missing.map(missing_index));
    facts.extend(prediction_lines(status));
    facts
}

fn to_apply(status: &MigrationStatus) -> String {
    match status.lag {
        None => "unknown".into(),
        Some(_) if status.gap_closed => "nothing".into(),
        Some(lag) => format!("{} behind", ms_text(lag.total_ms)),
    }
}

fn missing_index(index: &IndexView) -> String {
    let reason = index.reason.as_deref().unwrap_or("for an unknown reason");
    format!("MISSING        index {} of {}: {reason}", index.name, index.namespace)
}

/// Whether the source still seems to be written to, by what was applied between two looks.
pub fn silence(before: &MigrationStatus, now: &MigrationStatus, between: Duration) -> String {
    let seconds = between.as_secs();
    match now.changes_applied.saturating_sub(before.changes_applied) {
        0 if now.gap_closed => format!("no change was seen in the last {seconds} s, and nothing is left to apply"),
        0 => "the source's newest oplog entry is not applied yet".into(),
        applied => {
            format!("SOMETHING MAY STILL WRITE: {} applied in the last {seconds} s", counted(applied, "change"))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mongoferry_protocol::{IndexState, IndexView, Lag, MigrationStatus, Phase, VerifiedAheadView};

    use super::{cutover_facts, silence};
    use crate::status_text::example_status;

    #[test]
    fn what_is_left_differs_or_is_missing_is_told() {
        let index = |name: &str, state, reason: Option<&str>| IndexView {
            namespace: "shop.orders".into(),
            name: name.into(),
            state,
            reason: reason.map(Into::into),
        };
        let ahead = VerifiedAheadView {
            collections_total: 2,
            bytes_at_cutover: 5 << 20,
            suspects: 3,
            differing_count: 1,
            ..VerifiedAheadView::default()
        };
        let status = MigrationStatus {
            lag: Some(Lag { total_ms: 1_500, ..Lag::default() }),
            verified_ahead: Some(ahead),
            indexes: vec![index("a_1", IndexState::Deferred, None), index("b_1", IndexState::Failed, Some("too many"))],
            predicted_downtime_ms: Some(900),
            ..example_status(&[Phase::Ready])
        };
        let expected = "\
to apply       1.5 s behind
to compare     5.0 MiB
to look at     3 documents again
DIFFERENT      1 document: this stops the cutover
to build       1 index
MISSING        index b_1 of shop.orders: too many
predicted write downtime  900 ms";
        assert_eq!(cutover_facts(&status).join("\n"), expected);
        let unknown = cutover_facts(&example_status(&[Phase::Ready])).join("\n");
        assert_eq!(unknown, "to apply       unknown\nto compare     everything");
    }

    #[test]
    fn silence_is_what_two_looks_have_seen() {
        let seen = |changes_applied, gap_closed| MigrationStatus {
            changes_applied,
            gap_closed,
            ..example_status(&[Phase::Ready])
        };
        let told = |now| silence(&seen(7, true), &now, Duration::from_secs(3));
        assert_eq!(told(seen(7, true)), "no change was seen in the last 3 s, and nothing is left to apply");
        assert_eq!(told(seen(7, false)), "the source's newest oplog entry is not applied yet");
        assert_eq!(told(seen(9, true)), "SOMETHING MAY STILL WRITE: 2 changes applied in the last 3 s");
    }
}
