//! How long the demo's application could not write, seen from outside and by the coordinator. Pure.

use mongoferry_protocol::{Phase, Report};

use crate::amounts::ms_text;

/// `silent_at_ms` is when the application's last write was over, in milliseconds since 1970.
pub fn downtime_text(silent_at_ms: u64, report: &Report) -> String {
    let committed = report.phases.iter().find(|stay| stay.phase == Phase::Committed);
    let outside = match committed {
        Some(stay) => ms_text(stay.entered_at_ms.saturating_sub(silent_at_ms)),
        None => return "the application can't go on: there was no commit".into(),
    };
    let inside = report.write_downtime_ms.map_or_else(|| "unknown".into(), ms_text);
    format!(
        "The application could not write for {outside}: from its last write until the commit. By the coordinator's clock, \
        from the request on: {inside}."
    )
}

#[cfg(test)]
mod tests {
    use mongoferry_protocol::{Phase, PhaseStay, Report};

    use super::downtime_text;

    #[test]
    fn counts_from_the_last_write_to_the_commit() {
        let report = Report {
            id: "demo".parse().unwrap(),
            phase: Phase::Committed,
            mongoferry_version: String::new(),
            source: String::new(),
            destination: String::new(),
            started_at_ms: 0,
            finished_at_ms: 0,
            phases: vec![PhaseStay { phase: Phase::Committed, entered_at_ms: 5_850, duration_ms: 0 }],
            write_downtime_ms: Some(800),
            predicted_downtime_ms: None,
            predicted_parts: Vec::new(),
            write_blocks: Vec::new(),
            collections: 0,
            documents_copied: 0,
            bytes_copied: 0,
            repeated_documents: 0,
            repeated_index_builds: 0,
            repeated_changes: 0,
            repeated_catalog_changes: 0,
            processes: Vec::new(),
            outages: Vec::new(),
            indexes: Vec::new(),
            entries_captured: 0,
            changes_applied: 0,
            expiries_in_cutover: 0,
            verification: "equal".into(),
            verified_collections: 0,
            verified_documents: 0,
            verified_bytes: 0,
            differences: Vec::new(),
            difference_count: 0,
            finalization: Vec::new(),
            failures: Vec::new(),
            next_steps: Vec::new(),
        };
        let text = downtime_text(5_000, &report);
        assert!(text.contains("for 850 ms:") && text.ends_with("800 ms."), "{text}");
    }
}
