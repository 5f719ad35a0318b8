//! What the validator found, for the terminal. Pure.

use mongoferry_protocol::{Finding, Severity, ValidationReport};

use crate::amounts::{bytes_text, counted};

/// Warnings and errors in full, what passed as a number.
pub fn validation_text(report: &ValidationReport) -> String {
    let count = |severity| report.findings.iter().filter(|finding| finding.severity == severity).count() as u64;
    let mut text = format!(
        "validation {}: {}, {}, {} passed\n",
        if report.passed() { "passed" } else { "found errors" },
        counted(count(Severity::Error), "error"),
        counted(count(Severity::Warning), "warning"),
        counted(count(Severity::Info), "check"),
    );
    text += &format!(
        "to migrate: {} in {}, {} of data, {}",
        counted(report.documents, "document"),
        counted(report.collections, "collection"),
        bytes_text(report.bytes),
        counted(report.indexes, "index"),
    );
    for severity in [Severity::Error, Severity::Warning] {
        for finding in report.findings.iter().filter(|finding| finding.severity == severity) {
            text += &finding_text(finding);
        }
    }
    text
}

fn finding_text(finding: &Finding) -> String {
    let severity = match finding.severity {
        Severity::Info => "info",
        Severity::Warning => "warning",
        Severity::Error => "error",
    };
    let mut text = format!("\n{severity} [{}] {}\n  found  {}", finding.code, finding.check, finding.found);
    for (label, line) in [("why", &finding.reason), ("do", &finding.remedy)] {
        if !line.is_empty() {
            text += &format!("\n  {label:<5}  {line}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use mongoferry_protocol::{Finding, Severity, ValidationReport};

    use super::validation_text;

    fn finding(severity: Severity, code: &str) -> Finding {
        Finding {
            code: code.into(),
            severity,
            check: "destination is empty".into(),
            found: "2 user collections".into(),
            reason: "They would be mixed up.".into(),
            remedy: "Drop them.".into(),
            may_pass: false,
        }
    }

    #[test]
    fn shows_errors_first_and_only_counts_what_passed() {
        let report = ValidationReport {
            findings: vec![
                finding(Severity::Info, "MF-V01"),
                finding(Severity::Warning, "MF-V02"),
                finding(Severity::Error, "MF-V03"),
            ],
            collections: 3,
            documents: 1200,
            bytes: 1 << 20,
            indexes: 4,
            ..ValidationReport::default()
        };
        let expected = "validation found errors: 1 error, 1 warning, 1 check passed\n\
            to migrate: 1,200 documents in 3 collections, 1.0 MiB of data, 4 indexes\n\
            error [MF-V03] destination is empty\n  found  2 user collections\n  why    They would be mixed up.\n  \
            do     Drop them.\n\
            warning [MF-V02] destination is empty\n  found  2 user collections\n  why    They would be mixed up.\n  \
            do     Drop them.";
        assert_eq!(validation_text(&report), expected);
    }
}
