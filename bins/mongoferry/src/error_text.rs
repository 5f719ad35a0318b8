//! Errors and failures as text for people, in the form that every binary uses.

use mongoferry_protocol::{Explain, FailureStatus};

/// The command's own error.
pub fn error_text(error: &dyn Explain) -> String {
    let mut causes = Vec::new();
    let mut cause = error.source();
    while let Some(next) = cause {
        causes.push(next.to_string());
        cause = next.source();
    }
    block("mongoferry failed", error.code(), &error.to_string(), &causes, &error.hint())
}

/// A failure or warning that a stage reported.
pub fn failure_status_text(failure: &FailureStatus) -> String {
    let who = if failure.instance.is_empty() { &failure.role } else { &failure.instance };
    block(&format!("{who} failed"), &failure.code, &failure.message, &failure.causes, &failure.hint)
}

fn block(headline: &str, code: &str, message: &str, causes: &[String], hint: &str) -> String {
    let mut text = format!("{headline} [{code}]\n  what   {message}");
    for cause in causes {
        text += &format!("\n  cause  {cause}");
    }
    text + &format!("\n  do     {hint}")
}

#[cfg(test)]
mod tests {
    use mongoferry_protocol::{FailureStatus, Retry};

    use super::failure_status_text;

    #[test]
    fn tells_who_what_why_and_what_to_do() {
        let failure = FailureStatus {
            code: "MF-OPLOG-1".into(),
            message: "source oplog no longer holds 1:2".into(),
            hint: "Enlarge it.".into(),
            role: "oplog-tailer".into(),
            instance: "oplog-tailer-1".into(),
            causes: vec!["CappedPositionLost".into()],
            retry: Retry::Never,
            at_ms: 0,
        };
        let expected = "oplog-tailer-1 failed [MF-OPLOG-1]\n  what   source oplog no longer holds 1:2\n  \
            cause  CappedPositionLost\n  do     Enlarge it.";
        assert_eq!(failure_status_text(&failure), expected);
    }
}
