//! The migration's records: one KV bucket, typed by [`Key`].

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_nats::jetstream::kv::{CreateErrorKind, Operation, Store, UpdateErrorKind};
use mongoferry_protocol::{decode, encode};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    BusError, Key, Mirror,
    split_value::{self, has_parts},
};

/// A value and the revision to compare with when it is changed.
#[derive(Clone, Debug)]
pub struct Versioned<T> {
    pub value: T,
    pub revision: u64,
}

/// Typed access to the bucket. Cheap to clone.
#[derive(Clone)]
pub struct Records {
    pub(crate) store: Store,
    part_bytes: usize,
    /// The last two values that were put under a key, where one of them is split.
    heads: Arc<Mutex<HashMap<String, [Vec<u8>; 2]>>>,
}

/// Readings of the same head without its parts: some 2 s, which a member of the bus is behind at most while the bus works.
const MOST_IN_VAIN: u32 = 20;
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// Room for headers in a message of maximal size.
const HEADER_BYTES: usize = 4096;

impl Records {
    pub(crate) fn new(store: Store, max_payload: usize) -> Self {
        Self { store, part_bytes: max_payload.saturating_sub(HEADER_BYTES).max(1024), heads: Arc::default() }
    }

    /// [`BusError::PartsGone`] if the value was too large for a message and parts of it are missing for good.
    pub async fn get<T: DeserializeOwned>(&self, key: &Key<T>) -> Result<Option<Versioned<T>>, BusError> {
        // A split value may be replaced between reading its head and its parts: then the head is another one by now. Where it
        // stays the same, a member of the bus that is behind may not know the parts yet; later they are gone.
        let (mut seen, mut in_vain) = (None, 0);
        loop {
            let entry = self.store.entry(&key.text).await.map_err(|cause| BusError::failed("read a record", cause))?;
            let Some(entry) = entry.filter(|entry| entry.operation == Operation::Put) else { return Ok(None) };
            if let Some(value) = split_value::join_parts(&self.store, &entry.value).await? {
                return Ok(Some(Versioned { value: decode(&value)?, revision: entry.revision }));
            }
            in_vain = if seen == Some(entry.revision) { in_vain + 1 } else { 0 };
            seen = Some(entry.revision);
            if in_vain >= MOST_IN_VAIN {
                return Err(BusError::PartsGone { key: key.text.clone() });
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// Writes whatever is there, and returns the new revision. For keys with a single writer.
    pub async fn put<T: Serialize>(&self, key: &Key<T>, value: &T) -> Result<u64, BusError> {
        let stored = self.stored(value).await?;
        let put = self.store.put(&key.text, stored.clone().into()).await;
        let revision = put.map_err(|cause| BusError::failed("write a record", cause))?;
        self.tidy(&key.text, stored).await?;
        Ok(revision)
    }

    /// Removes the parts of the value before the one before `stored`: who reads the last one still finds its parts. Of what another
    /// process has put, parts may stay; a value that is split is rarely put, but for those that are put again and again by the same.
    async fn tidy(&self, key: &str, stored: Vec<u8>) -> Result<(), BusError> {
        let outdated = {
            let mut heads = self.heads.lock().expect("no panic while the heads are locked");
            if !has_parts(&stored) && !heads.contains_key(key) {
                return Ok(());
            }
            let [before, last] = heads.remove(key).unwrap_or_default();
            if has_parts(&last) || has_parts(&stored) {
                heads.insert(key.to_owned(), [last, stored]);
            }
            before
        };
        split_value::remove_parts(&self.store, &outdated).await
    }

    /// Writes only if there is nothing yet; `None` if there is.
    pub async fn create<T: Serialize>(&self, key: &Key<T>, value: &T) -> Result<Option<u64>, BusError> {
        let stored = self.stored(value).await?;
        match self.store.create(&key.text, stored.clone().into()).await {
            Ok(revision) => Ok(Some(revision)),
            Err(error) if error.kind() == CreateErrorKind::AlreadyExists => {
                split_value::remove_parts(&self.store, &stored).await?;
                Ok(None)
            }
            Err(error) => Err(BusError::failed("create a record", error)),
        }
    }

    /// Writes only if `revision` is still the last one; `None` if it is not.
    pub async fn update<T: Serialize>(&self, key: &Key<T>, value: &T, revision: u64) -> Result<Option<u64>, BusError> {
        let stored = self.stored(value).await?;
        match self.store.update(&key.text, stored.clone().into(), revision).await {
            Ok(revision) => Ok(Some(revision)),
            Err(error) if error.kind() == UpdateErrorKind::WrongLastRevision => {
                split_value::remove_parts(&self.store, &stored).await?;
                Ok(None)
            }
            Err(error) => Err(BusError::failed("update a record", error)),
        }
    }

    pub async fn remove<T>(&self, key: &Key<T>) -> Result<(), BusError> {
        self.store.purge(&key.text).await.map_err(|cause| BusError::failed("remove a record", cause))
    }

    /// A copy of the whole bucket that follows it.
    pub fn mirror(&self) -> Mirror {
        Mirror::start(self.clone())
    }

    async fn stored<T: Serialize>(&self, value: &T) -> Result<Vec<u8>, BusError> {
        split_value::store_parts(&self.store, encode(value)?, self.part_bytes).await
    }
}
