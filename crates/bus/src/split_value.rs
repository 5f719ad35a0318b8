//! Values larger than a message may be: split into parts under keys of their own, with a head that names them.

use async_nats::jetstream::kv::Store;
use mongoferry_protocol::{decode, encode};
use serde::{Deserialize, Serialize};

use crate::BusError;

/// First byte of a stored value: the value follows, or a [`Head`].
const WHOLE: u8 = 0;
const SPLIT: u8 = 1;

#[derive(Debug, Serialize, Deserialize)]
pub struct Head {
    /// Names the parts `part.<name>.<0…>`; new with each write, so that readers never mix two versions.
    name: String,
    parts: u32,
}

/// What stands under a key.
#[derive(Debug)]
pub enum StoredValue<'a> {
    Whole(&'a [u8]),
    Parts(Head),
}

impl<'a> StoredValue<'a> {
    pub fn read(stored: &'a [u8]) -> Result<Self, BusError> {
        match stored.split_first() {
            Some((&SPLIT, head)) => Ok(Self::Parts(decode(head)?)),
            Some((_, value)) => Ok(Self::Whole(value)),
            None => Ok(Self::Whole(&[])),
        }
    }
}

fn part_key(name: &str, part: u32) -> String {
    format!("part.{name}.{part}")
}

/// What to store under the key itself. Parts are stored here, before the head that makes them visible.
pub async fn store_parts(store: &Store, value: Vec<u8>, limit: usize) -> Result<Vec<u8>, BusError> {
    if value.len() <= limit {
        return Ok([&[WHOLE][..], &value].concat());
    }
    let name = uuid::Uuid::new_v4().simple().to_string();
    let mut parts = 0;
    for part in value.chunks(limit) {
        let key = part_key(&name, parts);
        store
            .put(key, part.to_vec().into())
            .await
            .map_err(|cause| BusError::failed("write part of a record", cause))?;
        parts += 1;
    }
    Ok([&[SPLIT][..], &encode(&Head { name, parts })?].concat())
}

/// The value behind what [`store_parts`] returned; `None` if its parts are gone, because a newer value replaced it.
pub async fn join_parts(store: &Store, stored: &[u8]) -> Result<Option<Vec<u8>>, BusError> {
    let head = match StoredValue::read(stored)? {
        StoredValue::Whole(value) => return Ok(Some(value.to_vec())),
        StoredValue::Parts(head) => head,
    };
    let mut value = Vec::new();
    for part in 0..head.parts {
        let part = store.get(part_key(&head.name, part)).await;
        match part.map_err(|cause| BusError::failed("read part of a record", cause))? {
            Some(bytes) => value.extend_from_slice(&bytes),
            None => return Ok(None),
        }
    }
    Ok(Some(value))
}

/// Removes the parts behind `stored`, if it has any, so that nothing is left of them.
pub async fn remove_parts(store: &Store, stored: &[u8]) -> Result<(), BusError> {
    if let StoredValue::Parts(head) = StoredValue::read(stored)? {
        let parts = format!("{}part.{}.>", store.prefix, head.name);
        let purge = store.stream.purge().filter(parts).await;
        purge.map_err(|cause| BusError::failed("remove parts of a record", cause))?;
    }
    Ok(())
}

/// Whether the value behind `stored` has parts.
pub fn has_parts(stored: &[u8]) -> bool {
    stored.first() == Some(&SPLIT)
}
