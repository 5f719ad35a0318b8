//! Keeps the record of what was verified ahead, so that a verifier that is killed goes on where it was.

use std::time::Duration;

use mongoferry_bus::key;
use mongoferry_protocol::{Followed, now_ms};
use mongoferry_stage::Stage;

use super::state::Ahead;
use crate::VerifierError;

const EVERY: Duration = Duration::from_secs(2);

/// Never ends by itself.
pub(super) async fn keep(stage: &Stage, ahead: &Ahead) -> Result<(), VerifierError> {
    let records = stage.bus.records();
    let mut kept = None;
    loop {
        let record = ahead.state().record();
        if kept.as_ref() != Some(&record) {
            records.put(&key::verified_ahead(), &record).await?;
        }
        // Only batches that the record is behind of may go.
        records.put(&key::followed(), &Followed { sequence: record.sequence, at_ms: now_ms() }).await?;
        kept = Some(record);
        tokio::time::sleep(EVERY).await;
    }
}
