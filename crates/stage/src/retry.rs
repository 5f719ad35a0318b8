//! The one place where something is done again.

use std::time::Duration;

use mongoferry_protocol::{Explain, Failure, Retry};
use tokio::time::Instant;

use crate::Stage;

const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// After this long without success the process ends with the error, so that it is seen, and is started again.
const PATIENCE: Duration = Duration::from_secs(60);

/// Does `unit`, which must be whole and idempotent, until it succeeds, fails for good, the patience is used up or
/// the process is to end (then the last error is returned). An election takes seconds and is outlasted here. Meanwhile the heartbeats
/// tell what is tried again.
pub async fn retry<T, E: Explain, F: Future<Output = Result<T, E>>>(
    stage: &Stage,
    what: &'static str,
    mut unit: impl FnMut() -> F,
) -> Result<T, E> {
    let stopping = &stage.stopping;
    let trouble = stage.trouble();
    let mut began = Instant::now();
    let mut pause = FIRST_PAUSE;
    loop {
        let attempt = Instant::now();
        let error = match unit().await {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        // What worked for so long has got over the earlier failure.
        if attempt.elapsed() > LONGEST_PAUSE {
            (began, pause) = (Instant::now(), FIRST_PAUSE);
        }
        if error.retry() != Retry::Soon || began.elapsed() > PATIENCE || stopping.is_cancelled() {
            return Err(error);
        }
        trouble.note(Failure::of(stage.role, &stage.instance, &error));
        tracing::warn!(code = error.code(), %error, "{what} failed and is tried again");
        tokio::select! {
            () = stopping.cancelled() => return Err(error),
            () = tokio::time::sleep(pause) => pause = LONGEST_PAUSE.min(pause * 2),
        }
    }
}
