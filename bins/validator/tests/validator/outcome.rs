//! Runs the binary and takes what it says.

use std::process::{Command, Stdio};

use mongoferry_protocol::{Finding, Severity, ValidationReport};

pub struct Outcome {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Outcome {
    /// Connection strings go through the environment, as a launcher hands them over.
    pub async fn of(source: &str, destination: &str, arguments: &[&str]) -> Self {
        Self::with(source, destination, arguments, &[]).await
    }

    pub async fn with(source: &str, destination: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mongoferry-validator"));
        command.env_clear().env("MONGOFERRY_SOURCE", source).env("MONGOFERRY_DESTINATION", destination);
        command.envs(environment.iter().copied()).args(arguments).stdin(Stdio::null());
        let output = tokio::task::spawn_blocking(move || command.output()).await.expect("no panic");
        let output = output.expect("the validator starts");
        Self {
            code: output.status.code().expect("an exit code"),
            stdout: String::from_utf8(output.stdout).expect("text"),
            stderr: String::from_utf8(output.stderr).expect("text"),
        }
    }

    pub async fn json(source: &str, destination: &str) -> (i32, ValidationReport) {
        let outcome = Self::of(source, destination, &["--format", "json"]).await;
        let report = serde_json::from_str(&outcome.stdout);
        (outcome.code, report.unwrap_or_else(|error| panic!("{error}: {} {}", outcome.stdout, outcome.stderr)))
    }
}

/// The findings that are not fine, as `code severity`.
pub fn troubles(report: &ValidationReport) -> Vec<&Finding> {
    report.findings.iter().filter(|finding| finding.severity != Severity::Info).collect()
}

/// The one error of a report that must hold no other.
pub fn only_error(report: &ValidationReport) -> &Finding {
    let errors: Vec<&Finding> = report.errors().collect();
    assert_eq!(errors.len(), 1, "{errors:#?}");
    assert!(!errors[0].reason.is_empty() && !errors[0].remedy.is_empty(), "{errors:#?}");
    errors[0]
}

/// The findings of one code that are not fine.
pub fn troubles_of<'a>(report: &'a ValidationReport, code: &str) -> Vec<&'a Finding> {
    troubles(report).into_iter().filter(|finding| finding.code == code).collect()
}

/// What the passed checks of one code say.
pub fn passed(report: &ValidationReport, code: &str) -> String {
    let passed = report.findings.iter().filter(|finding| finding.code == code && finding.severity == Severity::Info);
    passed.map(|finding| finding.found.clone()).collect::<Vec<_>>().join("; ")
}
