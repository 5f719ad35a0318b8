//! An error as it is shown in terminal, log, API and report, and as it travels on the bus.

use serde::{Deserialize, Serialize};

use crate::{Explain, Retry, Role, now_ms};

/// What happened to whom, why, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    pub role: Role,
    pub instance: String,
    pub code: String,
    pub message: String,
    /// The chain of causes, outermost first, without the message itself.
    pub causes: Vec<String>,
    pub hint: String,
    pub retry: Retry,
    /// Milliseconds since 1970.
    pub at_ms: u64,
}

impl Failure {
    pub fn of(role: Role, instance: &str, error: &dyn Explain) -> Self {
        let mut causes = Vec::new();
        let mut cause = error.source();
        while let Some(next) = cause {
            causes.push(next.to_string());
            cause = next.source();
        }
        Self {
            role,
            instance: instance.to_owned(),
            code: error.code().to_owned(),
            message: error.to_string(),
            causes,
            hint: error.hint(),
            retry: error.retry(),
            at_ms: now_ms(),
        }
    }
}
