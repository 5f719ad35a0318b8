//! Everything the coordinator looks at, kept up to date in the background.

use std::time::Duration;

use mongoferry_bus::{Bus, BusError, BusStorage, Mirror};
use mongoferry_mongo::{Cluster, LastOptimes};
use mongoferry_protocol::Failure;
use tokio::sync::watch;

use crate::{
    bus_room::{BusRoom, bus_room},
    liveness::Liveness,
    rates::Rate,
    source_watch::{SourceNow, watch_source},
};

pub struct View {
    pub mirror: Mirror,
    pub liveness: Liveness,
    source: watch::Receiver<Option<SourceNow>>,
    storage: watch::Receiver<(BusStorage, u64)>,
}

const STORAGE_EVERY: Duration = Duration::from_secs(2);

impl View {
    pub async fn open(bus: &Bus, source: &Cluster, instance: &str) -> Result<Self, BusError> {
        Ok(Self {
            mirror: bus.records().mirror(),
            liveness: Liveness::follow(bus).await?,
            source: watch_source(source.clone(), instance.to_owned()),
            storage: watch_storage(bus.clone()),
        })
    }

    /// `None` while the source can't be asked.
    pub fn source_optimes(&self) -> Option<LastOptimes> {
        self.source.borrow().as_ref().and_then(|now| now.as_ref().ok().copied())
    }

    pub fn source_failure(&self) -> Option<Failure> {
        self.source.borrow().as_ref().and_then(|now| now.as_ref().err().cloned())
    }

    pub fn storage(&self) -> BusStorage {
        self.storage.borrow().0
    }

    /// Whether the bus has room for what is captured, and for how long.
    pub fn bus_room(&self) -> Option<BusRoom> {
        let (storage, rate) = *self.storage.borrow();
        bus_room(storage, rate)
    }
}

/// What is stored, and how many bytes come each second.
fn watch_storage(bus: Bus) -> watch::Receiver<(BusStorage, u64)> {
    let (sender, receiver) = watch::channel((BusStorage::default(), 0));
    let mut rate = Rate::default();
    tokio::spawn(async move {
        while !sender.is_closed() {
            // While the bus does not answer, the last figure stands; the records' silence tells the rest.
            if let Ok(storage) = bus.storage().await {
                rate.sample(storage.oplog_bytes);
                sender.send_replace((storage, rate.per_second()));
            }
            tokio::time::sleep(STORAGE_EVERY).await;
        }
    });
    receiver
}
