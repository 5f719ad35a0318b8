//! Everything the coordinator looks at, kept up to date in the background.

use std::time::Duration;

use mongoferry_bus::{Bus, BusError, BusStorage, Mirror};
use mongoferry_mongo::{Cluster, LastOptimes};
use mongoferry_protocol::Failure;
use tokio::sync::watch;

use crate::{
    liveness::Liveness,
    source_watch::{SourceNow, watch_source},
};

pub struct View {
    pub mirror: Mirror,
    pub liveness: Liveness,
    source: watch::Receiver<Option<SourceNow>>,
    storage: watch::Receiver<BusStorage>,
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
        *self.storage.borrow()
    }
}

fn watch_storage(bus: Bus) -> watch::Receiver<BusStorage> {
    let (sender, receiver) = watch::channel(BusStorage::default());
    tokio::spawn(async move {
        while !sender.is_closed() {
            // While the bus does not answer, the last figure stands; the records' silence tells the rest.
            if let Ok(storage) = bus.storage().await {
                sender.send_replace(storage);
            }
            tokio::time::sleep(STORAGE_EVERY).await;
        }
    });
    receiver
}
