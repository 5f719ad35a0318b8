//! Takes a batch apart again. Nothing in it is believed: every length is checked before it is used.

use std::ops::Range;

use bson::RawDocument;
use mongoferry_protocol::OplogBatch;

use crate::OplogError;

/// No block of LZ4 grows further than this, so that a damaged length can't make us allocate at will.
const LARGEST_RATIO: usize = 255;

/// The entries of one batch, decompressed.
#[derive(Debug)]
pub struct BatchEntries {
    raw: Vec<u8>,
    entries: Vec<Range<usize>>,
}

/// Decompresses the entries of `batch`.
pub fn open_batch(batch: &OplogBatch) -> Result<BatchEntries, OplogError> {
    let damaged = |what| OplogError::BatchDamaged { first: batch.first, last: batch.last, what };
    let raw_bytes = batch.raw_bytes as usize;
    if raw_bytes > batch.entries.len().saturating_mul(LARGEST_RATIO) {
        return Err(damaged("it declares more bytes than it can hold"));
    }
    let raw = lz4_flex::block::decompress(&batch.entries, raw_bytes).map_err(|_| damaged("it does not decompress"))?;
    if raw.len() != raw_bytes {
        return Err(damaged("its length is not the one declared"));
    }
    let entries = split(&raw).ok_or_else(|| damaged("it does not consist of whole BSON documents"))?;
    Ok(BatchEntries { raw, entries })
}

impl BatchEntries {
    /// In oplog order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &RawDocument> {
        self.entries.iter().map(|range| RawDocument::from_bytes(&self.raw[range.clone()]).expect("was one when split"))
    }
}

fn split(raw: &[u8]) -> Option<Vec<Range<usize>>> {
    let mut entries = Vec::new();
    let mut start = 0;
    while start < raw.len() {
        let length = i32::from_le_bytes(*raw[start..].first_chunk()?);
        let end = start.checked_add(usize::try_from(length).ok()?)?;
        RawDocument::from_bytes(raw.get(start..end)?).ok()?;
        entries.push(start..end);
        start = end;
    }
    Some(entries)
}
