//! The verifier follows the batches behind the applier: what it still needs is kept, within bounds.

use std::time::Duration;

use mongoferry_bus::{Bus, BusError, key};
use tokio::time::Instant;

/// A verifier that said nothing for so long begins anew.
const PATIENCE: Duration = Duration::from_secs(600);
/// Keeping batches for it must not fill the bus: with more than this in the stream, it begins anew.
const MOST_BYTES: u64 = 4 << 30;

#[derive(Default)]
pub struct Follower {
    /// The revision of its last word, and when that was first seen here.
    seen: Option<(u64, Instant)>,
}

impl Follower {
    /// The first batch that must stay, of those before `applied` and that one.
    pub async fn needed(&mut self, bus: &Bus, applied: u64) -> Result<u64, BusError> {
        let Some(followed) = bus.records().get(&key::followed()).await? else { return Ok(applied) };
        let since = match self.seen {
            Some((revision, since)) if revision == followed.revision => since,
            _ => Instant::now(),
        };
        self.seen = Some((followed.revision, since));
        let storage = bus.storage().await?;
        // Capture needs the room more than anybody else.
        let most = storage.oplog_limit.map_or(MOST_BYTES, |limit| MOST_BYTES.min(limit / 2));
        if since.elapsed() > PATIENCE || storage.oplog_bytes > most {
            return Ok(applied);
        }
        Ok(applied.min(followed.value.sequence))
    }
}
