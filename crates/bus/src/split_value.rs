//! Values larger than a message may be: split into parts under keys of their own, with a head that names them.

use async_nats::jetstream::kv::Store;
use mongoferry_protocol::{decode, encode};
use serde::{Deserialize, Serialize};

use crate::BusError;

/// First byte of a stored value: the value follows, or a [`Head`].
const WHOLE: u8 = 0;
const SPLIT: u8 = 1;

#[derive(Serialize, Deserialize)]
struct Head {
    /// Names the parts `part.<name>.<0…>`; new with each write, so that readers never mix two versions.
    name: String,
    parts: u32,
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
    match stored.split_first() {
        Some((&SPLIT, head)) => {
            let head: Head = decode(head)?;
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
        Some((_, value)) => Ok(Some(value.to_vec())),
        None => Ok(Some(Vec::new())),
    }
}

/// Removes the parts behind `stored`, if it has any.
pub async fn remove_parts(store: &Store, stored: &[u8]) -> Result<(), BusError> {
    if let Some((&SPLIT, head)) = stored.split_first() {
        let head: Head = decode(head)?;
        for part in 0..head.parts {
            let purge = store.purge(part_key(&head.name, part)).await;
            purge.map_err(|cause| BusError::failed("remove part of a record", cause))?;
        }
    }
    Ok(())
}
