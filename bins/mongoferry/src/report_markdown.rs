//! The report of a migration as Markdown. Pure.

mod survived;

use mongoferry_protocol::{IndexState, IndexView, Phase, PhaseStay, PredictedPart, Report, Retry};
use survived::survived;

use crate::amounts::{bytes_text, count_text, ms_text, time_text};

pub fn report_markdown(report: &Report) -> String {
    let sections = [
        headline(report),
        phases(&report.phases),
        prediction(&report.predicted_parts),
        numbers(report),
        verification(report),
        indexes(&report.indexes),
        list("Finalization", &report.finalization),
        survived(report),
        failures(report),
        list("Next steps", &report.next_steps),
    ];
    let written: Vec<_> = sections.into_iter().filter(|section| !section.is_empty()).collect();
    written.join("\n\n") + "\n"
}

fn headline(report: &Report) -> String {
    let result = match report.phase {
        Phase::Committed => "**Committed**: the destination has everything, applications may write to it.".to_owned(),
        Phase::Rehearsed => "**Rehearsed**: everything up to the cutover was done. The source is as before.".to_owned(),
        phase => format!("**Not committed**: the migration is in phase {phase}."),
    };
    let mut lines = vec![
        format!("# Migration {}", report.id),
        String::new(),
        result,
        String::new(),
        format!("- From: {}", cell(&report.source)),
        format!("- To: {}", cell(&report.destination)),
    ];
    if let Some(downtime) = report.write_downtime_ms {
        let predicted = report.predicted_downtime_ms.map(|ms| format!(" ({} were predicted)", ms_text(ms)));
        lines.push(format!("- Write downtime: **{}**{}", ms_text(downtime), predicted.unwrap_or_default()));
    }
    if let (None, Some(ms)) = (report.write_downtime_ms, report.predicted_downtime_ms) {
        lines.push(format!("- Predicted write downtime: {}", ms_text(ms)));
    }
    lines.push(format!("- Took: {}", ms_text(report.finished_at_ms.saturating_sub(report.started_at_ms))));
    lines.push(format!("- mongoferry {}", report.mongoferry_version));
    lines.join("\n")
}

fn phases(stays: &[PhaseStay]) -> String {
    let mut lines =
        vec!["## Phases".to_owned(), String::new(), "| phase | entered | duration |".into(), "|---|---|---:|".into()];
    lines.extend(stays.iter().map(|stay| {
        let duration = if stay.phase.is_final() { String::new() } else { ms_text(stay.duration_ms) };
        format!("| {} | {} | {duration} |", stay.phase, time_text(stay.entered_at_ms))
    }));
    lines.join("\n")
}

fn prediction(parts: &[PredictedPart]) -> String {
    if parts.is_empty() {
        return String::new();
    }
    let mut lines =
        vec!["## Predicted cutover".to_owned(), String::new(), "| part | time |".into(), "|---|---:|".into()];
    lines.extend(parts.iter().map(|part| format!("| {} | {} |", cell(&part.what), ms_text(part.ms))));
    lines.join("\n")
}

fn numbers(report: &Report) -> String {
    let copying: u64 =
        report.phases.iter().filter(|stay| stay.phase == Phase::Copying).map(|stay| stay.duration_ms).sum();
    let rate = (report.bytes_copied * 1000).checked_div(copying);
    let mut rows = vec![
        ("collections", count_text(report.collections)),
        ("documents copied", count_text(report.documents_copied)),
        ("bytes copied", bytes_text(report.bytes_copied)),
    ];
    rows.extend(rate.map(|rate| ("average rate, indexes included", format!("{}/s", bytes_text(rate)))));
    rows.push(("documents copied again after an interruption", count_text(report.repeated_documents)));
    rows.extend([
        ("index builds asked for again after an interruption", count_text(report.repeated_index_builds)),
        ("changes read again and found applied", count_text(report.repeated_changes)),
        ("catalog changes done again", count_text(report.repeated_catalog_changes)),
    ]);
    rows.push(("oplog entries captured", count_text(report.entries_captured)));
    rows.push(("changes applied", count_text(report.changes_applied)));
    if report.expiries_in_cutover > 0 {
        rows.push(("deletes of expired documents during the cutover", count_text(report.expiries_in_cutover)));
    }
    let mut lines = vec!["## Numbers".to_owned(), String::new(), "| | |".into(), "|---|---:|".into()];
    lines.extend(rows.into_iter().map(|(name, value)| format!("| {name} | {value} |")));
    lines.join("\n")
}

fn verification(report: &Report) -> String {
    let result = match report.verification.as_str() {
        "equal" => format!(
            "**Equal**: {} of {} in {} collections were compared byte for byte, and all indexes, options and views.",
            count_text(report.verified_documents) + " documents",
            bytes_text(report.verified_bytes),
            count_text(report.verified_collections)
        ),
        "different" => format!("**Different**: {} differences.", count_text(report.difference_count)),
        "skipped" => "Skipped, as asked for (`--no-verify`): nothing proves that both sides are equal.".to_owned(),
        other => format!("Equality was {other}."),
    };
    let mut lines = vec!["## Verification".to_owned(), String::new(), result];
    if !report.differences.is_empty() {
        lines.push(String::new());
    }
    for difference in &report.differences {
        let item = difference.item.as_ref().map(|item| format!(" `{item}`")).unwrap_or_default();
        lines.push(format!("- {}{item}: {}", difference.namespace, difference.detail));
    }
    let untold = report.difference_count.saturating_sub(report.differences.len() as u64);
    if untold > 0 && !report.differences.is_empty() {
        lines.push(format!("- and {} more", count_text(untold)));
    }
    lines.join("\n")
}

fn indexes(all: &[IndexView]) -> String {
    if all.is_empty() {
        return String::new();
    }
    let built = all.iter().filter(|index| index.state == IndexState::Built).count();
    let mut lines = vec!["## Indexes".to_owned(), String::new(), format!("{built} of {} built.", all.len())];
    let remarks = all.iter().filter_map(|index| {
        let reason = index.reason.as_ref()?;
        Some(format!("| {} | {} | {} |", cell(&index.namespace), cell(&index.name), cell(reason)))
    });
    let remarks: Vec<_> = remarks.collect();
    if !remarks.is_empty() {
        lines.extend([String::new(), "| collection | index | remark |".into(), "|---|---|---|".into()]);
        lines.extend(remarks);
    }
    lines.join("\n")
}

fn failures(report: &Report) -> String {
    let told = report.failures.iter().map(|failure| {
        let survived = if failure.retry == Retry::Soon { "survived" } else { "stopped the migration" };
        format!("{} [{}] {survived}: {}", failure.instance, failure.code, failure.message)
    });
    list("Failures", &told.collect::<Vec<_>>())
}

fn list(title: &str, lines: &[String]) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let items: Vec<_> = lines.iter().map(|line| format!("- {}", line.replace('\n', " "))).collect();
    format!("## {title}\n\n{}", items.join("\n"))
}

/// A bar would end the cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use mongoferry_protocol::{
        Difference, DifferenceKind, IndexState, IndexView, Party, PastOutage, Phase, PhaseStay, Report, RoleHistory,
    };

    use super::report_markdown;

    fn report() -> Report {
        let stay = |phase, duration_ms| PhaseStay { phase, entered_at_ms: 0, duration_ms };
        Report {
            id: "orders".parse().unwrap(),
            phase: Phase::Committed,
            mongoferry_version: "0.1.0".into(),
            source: "rs/a:1".into(),
            destination: "rs/b:1".into(),
            started_at_ms: 1_000,
            finished_at_ms: 66_000,
            phases: vec![stay(Phase::Copying, 10_000), stay(Phase::Ready, 4_000), stay(Phase::Committed, 0)],
            write_downtime_ms: Some(850),
            predicted_downtime_ms: Some(900),
            predicted_parts: Vec::new(),
            write_blocks: Vec::new(),
            collections: 2,
            documents_copied: 1_200,
            bytes_copied: 100 << 20,
            repeated_documents: 0,
            repeated_index_builds: 0,
            repeated_changes: 7,
            repeated_catalog_changes: 0,
            processes: vec![RoleHistory {
                role: "copier".into(),
                processes: 2,
                starts: 3,
                abrupt_ends: 1,
                ..RoleHistory::default()
            }],
            outages: vec![PastOutage { party: Party::Source, since_ms: 2_000, until_ms: 9_500 }],
            indexes: vec![IndexView {
                namespace: "shop.orders".into(),
                name: "a|b".into(),
                state: IndexState::Built,
                reason: Some("unique since the cutover".into()),
            }],
            entries_captured: 30,
            changes_applied: 25,
            expiries_in_cutover: 0,
            verification: "equal".into(),
            verified_collections: 2,
            verified_documents: 1_210,
            verified_bytes: 100 << 20,
            differences: Vec::new(),
            difference_count: 0,
            finalization: vec!["shop.orders.a|b became unique".into()],
            failures: Vec::new(),
            next_steps: vec!["Point the applications at the destination.".into()],
        }
    }

    #[test]
    fn a_committed_migration() {
        let expected = "\
# Migration orders

**Committed**: the destination has everything, applications may write to it.

- From: rs/a:1
- To: rs/b:1
- Write downtime: **850 ms** (900 ms were predicted)
- Took: 1 min 05 s
- mongoferry 0.1.0

## Phases

| phase | entered | duration |
|---|---|---:|
| copying | 1970-01-01 00:00:00 UTC | 10 s |
| ready | 1970-01-01 00:00:00 UTC | 4.0 s |
| committed | 1970-01-01 00:00:00 UTC |  |

## Numbers

| | |
|---|---:|
| collections | 2 |
| documents copied | 1,200 |
| bytes copied | 100 MiB |
| average rate, indexes included | 10 MiB/s |
| documents copied again after an interruption | 0 |
| index builds asked for again after an interruption | 0 |
| changes read again and found applied | 7 |
| catalog changes done again | 0 |
| oplog entries captured | 30 |
| changes applied | 25 |

## Verification

**Equal**: 1,210 documents of 100 MiB in 2 collections were compared byte for byte, and all indexes, options and views.

## Indexes

1 of 1 built.

| collection | index | remark |
|---|---|---|
| shop.orders | a\\|b | unique since the cutover |

## Finalization

- shop.orders.a|b became unique

## Survived

- copier: 3 starts of 2 processes; 1 ended without a word, as after a kill
- the source was not reached once, for 7.5 s

## Next steps

- Point the applications at the destination.
";
        assert_eq!(report_markdown(&report()), expected);
    }

    #[test]
    fn differences_are_listed_and_the_rest_counted() {
        let difference = Difference {
            kind: DifferenceKind::ChangedDocument,
            namespace: "shop.orders".into(),
            item: Some("7".into()),
            detail: "differs in 3 bytes".into(),
        };
        let failed = Report {
            phase: Phase::Failed,
            verification: "different".into(),
            differences: vec![difference],
            difference_count: 5,
            ..report()
        };
        let text = report_markdown(&failed);
        assert!(text.contains("**Not committed**: the migration is in phase failed."), "{text}");
        assert!(text.contains("**Different**: 5 differences.\n\n- shop.orders `7`: differs in 3 bytes\n- and 4 more"));
    }
}
