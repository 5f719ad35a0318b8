//! A copy of the bucket in memory, for whoever must look at all of it often: the coordinator.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_nats::jetstream::kv::{Entry, Operation};
use futures_util::StreamExt;
use mongoferry_protocol::decode;
use serde::de::DeserializeOwned;
use tokio::{sync::watch, task::JoinHandle};

use crate::{BusError, Key, Records, split_value};

/// Follows the bucket by a watch. A watch is only a hint, so it is opened anew (which re-reads every key) whenever it ends,
/// fails, or was silent for a while. Stops when dropped.
pub struct Mirror {
    values: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
    changed: watch::Receiver<u64>,
    task: JoinHandle<()>,
}

const SILENCE: Duration = Duration::from_secs(10);
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(1);

impl Mirror {
    pub(crate) fn start(records: Records) -> Self {
        let values = Arc::new(Mutex::new(BTreeMap::new()));
        let (changes, changed) = watch::channel(0);
        let task = tokio::spawn(follow(records, values.clone(), changes));
        Self { values, changed, task }
    }

    /// The value of `key` as last seen.
    pub fn get<T: DeserializeOwned>(&self, key: &Key<T>) -> Result<Option<T>, BusError> {
        let bytes = self.lock().get(&key.text).cloned();
        bytes.map(|bytes| decode(&bytes).map_err(BusError::from)).transpose()
    }

    /// All values whose key starts with `prefix`, with the rest of the key.
    pub fn all<T: DeserializeOwned>(&self, prefix: &str) -> Result<Vec<(String, T)>, BusError> {
        let values = self.lock();
        let from = values.range(prefix.to_owned()..).take_while(|(key, _)| key.starts_with(prefix));
        from.map(|(key, bytes)| Ok((key[prefix.len()..].to_owned(), decode(bytes)?))).collect()
    }

    /// Completes when something has changed since the last call.
    pub async fn changed(&mut self) {
        if self.changed.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Vec<u8>>> {
        self.values.lock().expect("no panic while the mirror is locked")
    }
}

impl Drop for Mirror {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn follow(records: Records, values: Arc<Mutex<BTreeMap<String, Vec<u8>>>>, changes: watch::Sender<u64>) {
    loop {
        if let Err(error) = follow_once(&records, &values, &changes).await {
            tracing::debug!(%error, "the watch on the records ended; it is opened again");
            tokio::time::sleep(PAUSE_AFTER_FAILURE).await;
        }
    }
}

async fn follow_once(
    records: &Records,
    values: &Mutex<BTreeMap<String, Vec<u8>>>,
    changes: &watch::Sender<u64>,
) -> Result<(), BusError> {
    let watch = records.store.watch_with_history(">").await;
    let mut watch = watch.map_err(|cause| BusError::failed("watch the records", cause))?;
    while let Ok(Some(entry)) = tokio::time::timeout(SILENCE, watch.next()).await {
        let entry = entry.map_err(|cause| BusError::failed("watch the records", cause))?;
        if entry.key.starts_with("part.") || entry.key.starts_with("lease.") {
            continue;
        }
        if take_over(records, values, entry).await? {
            changes.send_modify(|count| *count += 1);
        }
    }
    Ok(())
}

/// Returns whether the entry brought something new.
async fn take_over(
    records: &Records,
    values: &Mutex<BTreeMap<String, Vec<u8>>>,
    entry: Entry,
) -> Result<bool, BusError> {
    let value = match entry.operation {
        Operation::Put => match split_value::join_parts(&records.store, &entry.value).await? {
            Some(value) => Some(value),
            // A newer value has taken its place, and is on its way.
            None => return Ok(false),
        },
        Operation::Delete | Operation::Purge => None,
    };
    let mut values = values.lock().expect("no panic while the mirror is locked");
    Ok(match value {
        Some(value) => values.insert(entry.key, value.clone()).as_ref() != Some(&value),
        None => values.remove(&entry.key).is_some(),
    })
}
