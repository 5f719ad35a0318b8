//! Validations that are asked for while the coordinator runs, and what of them holds for the start.

use mongoferry_bus::{BusError, Mirror, Records, key};
use mongoferry_protocol::{PhaseRecord, ValidationJob, ValidationReport};

use crate::{StartChoice, decide::Facts};

/// What was found longer ago says little of the clusters now: a start validates again then.
const RECENT_MS: u64 = 10 * 60 * 1_000;

/// The job that is under way, or a new one: asking twice is asking once.
pub async fn request(records: &Records) -> Result<ValidationJob, BusError> {
    let key = key::validation_job();
    loop {
        let known = records.get(&key).await?;
        if let Some(known) = &known
            && known.value.is_under_way()
        {
            return Ok(known.value.clone());
        }
        let job = ValidationJob::requested(known.as_ref().map_or(1, |known| known.value.id + 1));
        let written = match known {
            Some(known) => records.update(&key, &job, known.revision).await?,
            None => records.create(&key, &job).await?,
        };
        if written.is_some() {
            return Ok(job);
        }
    }
}

/// Whether a start at `now_ms` may rely on it.
pub fn is_recent(report: &ValidationReport, now_ms: u64) -> bool {
    report.finished_at_ms + RECENT_MS > now_ms
}

/// One clause per error.
pub fn errors_of(report: &ValidationReport) -> String {
    let errors: Vec<String> = report.errors().map(|error| format!("{} {}", error.code, error.found)).collect();
    errors.join("; ")
}

/// A launcher that starts by itself has validated right before; on request, what was validated may be old.
pub fn as_begun(facts: Facts, start: StartChoice, mirror: &Mirror, record: &PhaseRecord) -> Result<Facts, BusError> {
    if start == StartChoice::Auto {
        return Ok(Facts { start_is_implied: true, ..facts });
    }
    let report: Option<ValidationReport> = mirror.get(&key::validation())?;
    let counts = report.is_some_and(|report| is_recent(&report, record.entered_at_ms()));
    Ok(Facts { validation_passed: facts.validation_passed.filter(|_| counts), ..facts })
}

#[cfg(test)]
mod tests {
    use mongoferry_protocol::ValidationReport;

    use super::{RECENT_MS, is_recent};

    #[test]
    fn a_report_serves_a_start_for_ten_minutes() {
        let report = ValidationReport { finished_at_ms: 1_000, ..ValidationReport::default() };
        assert!(is_recent(&report, 1_000) && is_recent(&report, 999 + RECENT_MS));
        assert!(!is_recent(&report, 1_000 + RECENT_MS));
    }
}
