//! Holds the copy back to this copier's share of what the operator allows.

use std::{sync::Mutex, time::Duration};

use mongoferry_bus::key;
use mongoferry_protocol::{CopyShare, CopyShares};
use mongoferry_stage::Stage;
use tokio::{sync::watch, time::Instant};

const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Between two looks whether what was copied is paid for.
const WAIT: Duration = Duration::from_millis(100);

pub struct Throttle {
    /// `None` while this copier has to wait.
    share: watch::Receiver<Option<CopyShare>>,
    ledger: Mutex<Ledger>,
}

/// What was copied and is not paid for by the time that passed. Kept in documents and bytes, so that a limit that is lifted
/// is lifted at once.
#[derive(Debug, PartialEq)]
struct Ledger {
    documents: f64,
    bytes: f64,
    settled_at: Instant,
}

impl Throttle {
    /// Follows the division for as long as it lives; until it is known, this copier waits.
    pub fn follow(stage: &Stage) -> Self {
        let (sender, share) = watch::channel(None);
        let stage = stage.clone();
        tokio::spawn(async move {
            while !sender.is_closed() {
                // While the bus is away the last word stands.
                if let Ok(shares) = stage.bus.records().get(&key::copy_shares()).await {
                    let shares = shares.map_or_else(CopyShares::default, |shares| shares.value);
                    sender.send_if_modified(|share| std::mem::replace(share, shares.of(&stage.instance)) != *share);
                }
                tokio::time::sleep(LOOK_EVERY).await;
            }
        });
        Self { share, ledger: Mutex::new(Ledger { documents: 0.0, bytes: 0.0, settled_at: Instant::now() }) }
    }

    /// Until this copier may take a range.
    pub async fn admitted(&self) {
        // The follower lives as long as this does.
        let _ = self.share.clone().wait_for(Option::is_some).await;
    }

    /// Whether another batch has to wait.
    pub fn holds(&self) -> bool {
        let share = *self.share.borrow();
        let mut ledger = self.lock();
        match share {
            Some(share) => ledger.settle(share, Instant::now()),
            None => true,
        }
    }

    /// To be called again and again while it [`holds`](Self::holds).
    pub async fn wait(&self) {
        tokio::time::sleep(WAIT).await;
    }

    pub fn spend(&self, documents: u64, bytes: u64) {
        let mut ledger = self.lock();
        ledger.documents += documents as f64;
        ledger.bytes += bytes as f64;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Ledger> {
        self.ledger.lock().expect("no panic while the ledger is locked")
    }
}

impl Ledger {
    /// Pays with the time since the last call; whether something is still owed.
    fn settle(&mut self, share: CopyShare, now: Instant) -> bool {
        let seconds = now.duration_since(self.settled_at).as_secs_f64();
        self.settled_at = now;
        let left = |owed: f64, rate: Option<u64>| rate.map_or(0.0, |rate| (owed - rate as f64 * seconds).max(0.0));
        self.documents = left(self.documents, share.documents_per_second);
        self.bytes = left(self.bytes, share.bytes_per_second);
        self.documents > 0.0 || self.bytes > 0.0
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mongoferry_protocol::CopyShare;
    use tokio::time::Instant;

    use super::Ledger;

    #[test]
    fn what_was_copied_is_paid_for_by_time_and_a_limit_that_is_lifted_forgives() {
        let began = Instant::now();
        let at = |seconds| began + Duration::from_secs(seconds);
        let slow = CopyShare { documents_per_second: Some(10), bytes_per_second: Some(100) };
        let mut ledger = Ledger { documents: 20.0, bytes: 500.0, settled_at: began };
        assert!(ledger.settle(slow, at(2)));
        assert_eq!((ledger.documents, ledger.bytes), (0.0, 300.0));
        assert!(ledger.settle(slow, at(4)) && !ledger.settle(slow, at(5)));
        // Time that was not used is no credit.
        assert!(!ledger.settle(slow, at(100)));
        ledger.bytes = 1.0;
        assert!(ledger.settle(CopyShare { bytes_per_second: Some(1), ..slow }, at(100)));
        assert!(!ledger.settle(CopyShare::default(), at(100)));
    }
}
