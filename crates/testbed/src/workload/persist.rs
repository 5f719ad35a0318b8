//! Trying an operation again while the source elects a primary, as a careful application does.

use std::time::Duration;

use mongodb::error::{
    Error, ErrorKind, RETRYABLE_ERROR, RETRYABLE_WRITE_ERROR, Result, TRANSIENT_TRANSACTION_ERROR, WriteFailure,
};
use tokio::time::Instant;

const PATIENCE: Duration = Duration::from_secs(90);
const PAUSE: Duration = Duration::from_millis(100);

/// Stepping down, shutting down, no primary, interrupted, conflict with another transaction, write concern not reached.
const PASSING_CODES: [i32; 16] = [6, 7, 24, 64, 89, 91, 112, 189, 246, 251, 9001, 10107, 11600, 11602, 13435, 13436];
const DUPLICATE_KEY: i32 = 11000;

/// Runs `operation` until it is acknowledged. A duplicate key counts as done: it is either our own first attempt, whose
/// acknowledgement was lost, or another writer who was quicker to take the same value.
pub(super) async fn persist<F>(operation: impl Fn() -> F) -> Result<()>
where
    F: Future<Output = Result<()>>,
{
    let give_up_at = Instant::now() + PATIENCE;
    loop {
        match operation().await {
            Err(error) if code_of(&error) == Some(DUPLICATE_KEY) => return Ok(()),
            Err(error) if passes_by_itself(&error) && Instant::now() < give_up_at => {
                tokio::time::sleep(PAUSE).await;
            }
            ended => return ended,
        }
    }
}

fn passes_by_itself(error: &Error) -> bool {
    let labels = [RETRYABLE_WRITE_ERROR, TRANSIENT_TRANSACTION_ERROR, RETRYABLE_ERROR];
    if labels.iter().any(|label| error.contains_label(label)) {
        return true;
    }
    match error.kind.as_ref() {
        ErrorKind::Io(_) | ErrorKind::ServerSelection { .. } | ErrorKind::ConnectionPoolCleared { .. } => true,
        _ => code_of(error).is_some_and(|code| PASSING_CODES.contains(&code)),
    }
}

pub(super) fn code_of(error: &Error) -> Option<i32> {
    match error.kind.as_ref() {
        ErrorKind::Command(failure) => Some(failure.code),
        ErrorKind::Write(WriteFailure::WriteError(failure)) => Some(failure.code),
        ErrorKind::Write(WriteFailure::WriteConcernError(failure)) => Some(failure.code),
        ErrorKind::InsertMany(failure) => match (&failure.write_errors, &failure.write_concern_error) {
            (Some(errors), _) => errors.first().map(|error| error.code),
            (None, Some(error)) => Some(error.code),
            (None, None) => None,
        },
        _ => None,
    }
}
