//! The report for people.

use std::fmt::Write;

use mongoferry_protocol::{ClusterIdentity, Estimates, Finding, Inventory, Severity, ValidationReport};

use crate::format_size::{bytes, counted, seconds};

const RED: &str = "\x1b[31m";
const YELLOW: &str = "\x1b[33m";
const GREEN: &str = "\x1b[32m";
const PLAIN: &str = "\x1b[0m";

/// A line for each finding, and below each that is not fine why it matters and what to do.
pub(crate) fn report_table(report: &ValidationReport, colour: bool) -> String {
    let width = report.findings.iter().map(|finding| finding.check.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for finding in &report.findings {
        write_finding(&mut text, finding, width, colour);
    }
    text.push('\n');
    for (side, cluster) in [("source", &report.source), ("destination", &report.destination)] {
        let _ = writeln!(text, "{side:<11}  {}", cluster.as_ref().map_or("not reached".into(), shown));
    }
    let _ = writeln!(
        text,
        "to migrate   {}, {}, {}, indexes: {}",
        counted(report.collections, "collection"),
        counted(report.documents, "document"),
        bytes(report.bytes),
        report.indexes
    );
    if let Some(inventory) = &report.inventory {
        write_inventory(&mut text, inventory);
    }
    if !report.to_drop.is_empty() {
        let names: Vec<String> = report.to_drop.iter().map(|target| target.namespace.to_string()).collect();
        let _ = writeln!(text, "to drop      {}", names.join(", "));
    }
    let errors = counted(report.errors().count() as u64, "error");
    let warnings = report.findings.iter().filter(|finding| finding.severity == Severity::Warning).count();
    let warnings = counted(warnings as u64, "warning");
    let verdict = if report.passed() { "may begin" } else { "can't begin" };
    let _ = writeln!(text, "the migration {verdict}: {errors}, {warnings}");
    text
}

fn write_finding(text: &mut String, finding: &Finding, width: usize, colour: bool) {
    let (word, paint) = match finding.severity {
        Severity::Info => ("ok", GREEN),
        Severity::Warning => ("warning", YELLOW),
        Severity::Error => ("error", RED),
    };
    let (paint, plain) = if colour { (paint, PLAIN) } else { ("", "") };
    // Writing to a string does not fail.
    let _ = writeln!(text, "{}  {paint}{word:<7}{plain}  {:<width$}  {}", finding.code, finding.check, finding.found);
    for (label, line) in [("why", &finding.reason), ("do", &finding.remedy)] {
        if !line.is_empty() {
            let _ = writeln!(text, "                 {label:<3}  {line}");
        }
    }
}

/// Databases by name, and what follows from the sizes. Single collections are in the JSON report.
fn write_inventory(text: &mut String, inventory: &Inventory) {
    for database in &inventory.databases {
        let _ = writeln!(
            text,
            "  {:<20} {}, {}, {}, {}, {} in indexes",
            database.name,
            counted(database.collections, "collection"),
            counted(database.views, "view"),
            counted(database.documents, "document"),
            bytes(database.bytes),
            bytes(database.index_bytes)
        );
    }
    let Estimates { copy_seconds, bus_disk_bytes, destination_disk_bytes, .. } = &inventory.estimates;
    let size = |size: &Option<u64>| size.map_or("unknown".to_owned(), bytes);
    let _ = writeln!(
        text,
        "estimates    copying about {}; disk needed: destination {}, bus {}",
        seconds(*copy_seconds),
        size(destination_disk_bytes),
        size(bus_disk_bytes)
    );
    let left = &inventory.not_copied;
    let count = |count: &Option<u64>| count.map_or("not countable".to_owned(), |count| count.to_string());
    let _ = writeln!(
        text,
        "not copied   users: {}, roles: {}, search indexes: {}, collections of config: {}, of the profiler: {}",
        count(&left.users),
        count(&left.roles),
        count(&left.search_indexes),
        count(&left.config_collections),
        left.profiler_collections
    );
}

fn shown(cluster: &ClusterIdentity) -> String {
    format!("{}/{}, version {}", cluster.replica_set, cluster.hosts.join(","), cluster.version)
}

#[cfg(test)]
mod tests {
    use mongoferry_protocol::ValidationReport;

    use super::report_table;
    use crate::check::{Check, Trouble};

    #[test]
    fn trouble_comes_with_its_remedy() {
        let findings = vec![
            Check::new("MF-V01", "names").passes("a:1"),
            Check::new("MF-V02", "reachable").fails(Trouble::new("nobody", "It matters.", "Mend it.")),
        ];
        let report = ValidationReport { findings, ..ValidationReport::default() };
        let table = report_table(&report, false);
        assert!(
            table.starts_with(
                "MF-V01  ok       names      a:1\n\
                 MF-V02  error    reachable  nobody\n\
                 \x20                why  It matters.\n\
                 \x20                do   Mend it.\n"
            ),
            "{table}"
        );
        assert!(table.ends_with("the migration can't begin: 1 error, 0 warnings\n"), "{table}");
    }
}
