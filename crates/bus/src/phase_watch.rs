//! What every stage follows: the phase of the migration.

use std::time::Duration;

use futures_util::StreamExt;
use mongoferry_protocol::PhaseRecord;
use tokio::{sync::watch, task::AbortHandle};

use crate::{Bus, BusError, key};

/// The phase record as last seen; `None` until the coordinator has created it. A watch gives the hint, and the key is read
/// again every second in any case. Cheap to clone.
#[derive(Clone)]
pub struct PhaseWatch {
    record: watch::Receiver<Option<PhaseRecord>>,
    _task: std::sync::Arc<AbortOnDrop>,
}

struct AbortOnDrop(AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

const READ_AGAIN: Duration = Duration::from_secs(1);

impl Bus {
    pub fn phases(&self) -> PhaseWatch {
        let (sender, record) = watch::channel(None);
        let task = tokio::spawn(follow(self.clone(), sender));
        PhaseWatch { record, _task: std::sync::Arc::new(AbortOnDrop(task.abort_handle())) }
    }
}

impl PhaseWatch {
    pub fn current(&self) -> Option<PhaseRecord> {
        self.record.borrow().clone()
    }

    /// The first record, from now on, that `wanted` accepts.
    pub async fn wait_for(&mut self, wanted: impl Fn(&PhaseRecord) -> bool) -> PhaseRecord {
        let accepted = self.record.wait_for(|record| record.as_ref().is_some_and(&wanted)).await;
        match accepted.ok().and_then(|record| record.clone()) {
            Some(record) => record,
            None => std::future::pending().await,
        }
    }

    /// Completes when the record has changed since it was last looked at through this handle.
    pub async fn changed(&mut self) {
        if self.record.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

async fn follow(bus: Bus, sender: watch::Sender<Option<PhaseRecord>>) {
    loop {
        if let Err(error) = follow_once(&bus, &sender).await {
            tracing::debug!(%error, "the watch on the phase ended; it is opened again");
            tokio::time::sleep(READ_AGAIN).await;
        }
    }
}

async fn follow_once(bus: &Bus, sender: &watch::Sender<Option<PhaseRecord>>) -> Result<(), BusError> {
    let key = key::phase();
    let watch = bus.records().store.watch(key.as_str()).await;
    let mut watch = watch.map_err(|cause| BusError::failed("watch the phase", cause))?;
    loop {
        let record = bus.records().get(&key).await?.map(|versioned| versioned.value);
        sender.send_if_modified(|known| {
            let news = record.is_some() && *known != record;
            if news {
                known.clone_from(&record);
            }
            news
        });
        match tokio::time::timeout(READ_AGAIN, watch.next()).await {
            Ok(Some(Err(cause))) => return Err(BusError::failed("watch the phase", cause)),
            Ok(None) => return Ok(()),
            Ok(Some(Ok(_))) | Err(_) => {}
        }
    }
}
