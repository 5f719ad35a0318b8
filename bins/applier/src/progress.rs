//! Tells the bus how far the destination is, and lets it forget what is applied.

use std::time::Duration;

use mongoferry_bus::{Bus, BusError, key};
use mongoferry_protocol::{Checkpoint, Durable};
use tokio::time::Instant;

use crate::{follower::Follower, metrics};

const PUBLISH_EVERY: Duration = Duration::from_millis(100);
/// On a slow bus publishing is to take no more than a fifth of the time: nothing is applied meanwhile.
const PUBLISH_SHARE: u32 = 4;
const PURGE_EVERY: Duration = Duration::from_secs(10);

pub struct Progress {
    published: Option<Checkpoint>,
    publish_at: Instant,
    purged_before: u64,
    purge_at: Instant,
    follower: Follower,
}

impl Progress {
    pub fn new() -> Self {
        let now = Instant::now();
        Self {
            published: None,
            publish_at: now,
            purged_before: 0,
            purge_at: now + PURGE_EVERY,
            follower: Follower::default(),
        }
    }

    /// When there is something to tell next, or to forget: a bus that is full brings no news before it was purged.
    pub fn due(&self, checkpoint: &Durable<Checkpoint>) -> Option<Instant> {
        let checkpoint = checkpoint.get();
        let news = (self.published.as_ref() != Some(checkpoint)).then_some(self.publish_at);
        let purge = (checkpoint.sequence > self.purged_before).then_some(self.purge_at);
        [news, purge].into_iter().flatten().min()
    }

    /// Publishes the checkpoint if it is news and the last one was published long enough ago.
    pub async fn publish_if_due(&mut self, bus: &Bus, checkpoint: Durable<Checkpoint>) -> Result<(), BusError> {
        match self.due(&checkpoint) {
            Some(due) if due <= Instant::now() => self.publish(bus, checkpoint).await,
            _ => Ok(()),
        }
    }

    pub async fn publish(&mut self, bus: &Bus, checkpoint: Durable<Checkpoint>) -> Result<(), BusError> {
        let checkpoint = checkpoint.into_inner();
        let began = Instant::now();
        bus.records().put(&key::applied(), &checkpoint).await?;
        metrics::checkpoint(&checkpoint);
        self.published = Some(checkpoint);
        self.publish_at = Instant::now() + PUBLISH_EVERY.max(began.elapsed() * PUBLISH_SHARE);
        if checkpoint.sequence > self.purged_before && Instant::now() >= self.purge_at {
            let needed = self.follower.needed(bus, checkpoint.sequence).await?;
            if needed > self.purged_before {
                bus.purge_batches_before(needed).await?;
                self.purged_before = needed;
            }
            self.purge_at = Instant::now() + PURGE_EVERY;
        }
        Ok(())
    }
}
