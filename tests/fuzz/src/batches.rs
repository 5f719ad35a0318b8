//! A batch as it is stored on the bus: encoded, compressed, of entries.

use mongoferry_oplog::open_batch;
use mongoferry_protocol::{OplogBatch, decode};

use super::entries;

pub fn batches(bytes: &[u8]) {
    let Ok(batch) = decode::<OplogBatch>(bytes) else { return };
    match open_batch(&batch) {
        Ok(opened) => opened.iter().for_each(|entry| entries(entry.as_bytes())),
        Err(error) => drop(error.to_string()),
    }
}
