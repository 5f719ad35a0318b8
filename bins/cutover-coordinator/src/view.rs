//! Everything the coordinator looks at, kept up to date in the background.

use std::time::Duration;

use mongoferry_bus::{Bus, BusError, BusStorage, Mirror};
use mongoferry_mongo::{Cluster, CutoverWork, LastOptimes};
use mongoferry_protocol::Failure;
use tokio::sync::watch;

use crate::{
    bus_room::{BusRoom, bus_room},
    liveness::Liveness,
    oplog_watch::{OplogReach, watch_oplog},
    rates::Rate,
    source_watch::{SourceNow, watch_source},
    work_watch::watch_work,
};

pub struct View {
    pub mirror: Mirror,
    pub liveness: Liveness,
    source: watch::Receiver<Option<SourceNow>>,
    oplog: watch::Receiver<Option<OplogReach>>,
    storage: watch::Receiver<(BusStorage, u64)>,
    work: watch::Receiver<Option<CutoverWork>>,
    work_is_wanted: watch::Sender<bool>,
}

const STORAGE_EVERY: Duration = Duration::from_secs(2);

impl View {
    pub async fn open(bus: &Bus, source: &Cluster, destination: &Cluster, instance: &str) -> Result<Self, BusError> {
        let (work_is_wanted, wanted) = watch::channel(false);
        Ok(Self {
            work: watch_work(source.clone(), destination.clone(), wanted),
            work_is_wanted,
            mirror: bus.records().mirror(),
            liveness: Liveness::follow(bus).await?,
            source: watch_source(source.clone(), instance.to_owned()),
            oplog: watch_oplog(source.clone()),
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

    /// How far back the source's oplog reaches; `None` until it is known.
    pub fn oplog(&self) -> Option<OplogReach> {
        *self.oplog.borrow()
    }

    pub fn storage(&self) -> BusStorage {
        self.storage.borrow().0
    }

    /// What a cutover would have to do to indexes; `None` until it is wanted and known.
    pub fn work(&self) -> Option<CutoverWork> {
        self.work.borrow().clone()
    }

    pub fn want_work(&self, wanted: bool) {
        self.work_is_wanted.send_if_modified(|known| std::mem::replace(known, wanted) != wanted);
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
