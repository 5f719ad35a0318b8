//! One check and the findings it can end in.

use std::time::Duration;

use mongoferry_mongo::MongoError;
use mongoferry_protocol::{Explain, Finding, Severity};

use crate::check_list::worst;

/// A stable code, and what is checked in a few words.
#[derive(Clone, Debug)]
pub(crate) struct Check {
    code: &'static str,
    what: String,
}

/// What is wrong: found, why it matters, what to do.
#[derive(Clone, Debug)]
pub(crate) struct Trouble {
    pub(crate) found: String,
    pub(crate) reason: String,
    pub(crate) remedy: String,
}

impl Trouble {
    pub(crate) fn new(found: impl Into<String>, reason: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { found: found.into(), reason: reason.into(), remedy: remedy.into() }
    }
}

impl Check {
    pub(crate) fn new(code: &'static str, what: impl Into<String>) -> Self {
        Self { code, what: what.into() }
    }

    pub(crate) fn passes(&self, found: impl Into<String>) -> Finding {
        self.finding(Severity::Info, Trouble::new(found, "", ""))
    }

    pub(crate) fn warns(&self, trouble: Trouble) -> Finding {
        self.finding(Severity::Warning, trouble)
    }

    pub(crate) fn fails(&self, trouble: Trouble) -> Finding {
        self.finding(Severity::Error, trouble)
    }

    /// For what may be over by itself, as after a reboot of everything.
    pub(crate) fn fails_for_now(&self, trouble: Trouble, may_pass: bool) -> Finding {
        Finding { may_pass, ..self.fails(trouble) }
    }

    /// For what must be known before a migration begins.
    pub(crate) fn fails_by(&self, error: &MongoError) -> Finding {
        let reason = "Without this answer the migration can't begin.";
        self.fails(Trouble::new(with_causes(error), reason, error.hint()))
    }

    /// For what is good to know.
    pub(crate) fn unanswered(&self, error: &MongoError) -> Finding {
        let reason = "The check could not be made, so trouble of this kind would show only later.";
        self.warns(Trouble::new(with_causes(error), reason, error.hint()))
    }

    /// What `findings` come to, or that they came to nothing in time: no check may hold up the others.
    pub(crate) async fn within(
        &self,
        patience: Duration,
        findings: impl Future<Output = Vec<Finding>>,
    ) -> Vec<Finding> {
        match tokio::time::timeout(patience, findings).await {
            Ok(findings) => findings,
            Err(_) => vec![self.warns(Trouble::new(
                format!("no answer within {} s", patience.as_secs()),
                "The check could not be made, so trouble of this kind would show only later.",
                "See whether the servers are overloaded, then validate again.",
            ))],
        }
    }

    fn finding(&self, severity: Severity, trouble: Trouble) -> Finding {
        debug_assert!(worst(self.code).is_some_and(|worst| severity <= worst), "{} is listed otherwise", self.code);
        Finding {
            code: self.code.into(),
            severity,
            check: self.what.clone(),
            found: trouble.found,
            reason: trouble.reason,
            remedy: trouble.remedy,
            may_pass: false,
        }
    }
}

/// The error and its causes as one sentence.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text += &format!(": {next}");
        cause = next.source();
    }
    text
}
