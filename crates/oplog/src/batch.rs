//! Builds the batches in which entries travel. Batches of one builder form a chain without holes.

use mongoferry_protocol::{Namespace, OplogBatch, Optime};

use crate::{OplogEntry, Relevance};

/// Collects entries until it is finished to a batch; then goes on with the next one.
#[derive(Debug)]
pub struct BatchBuilder {
    previous: Optime,
    first: Option<Optime>,
    last: Optime,
    last_wall_ms: u64,
    last_change: Optime,
    last_change_namespace: String,
    entry_count: u32,
    raw: Vec<u8>,
}

impl BatchBuilder {
    /// `previous`: the last entry covered by the batch before; [`Optime::ZERO`] for a migration's first.
    pub fn new(previous: Optime) -> Self {
        Self {
            previous,
            first: None,
            last: previous,
            last_wall_ms: 0,
            last_change: Optime::ZERO,
            last_change_namespace: String::new(),
            entry_count: 0,
            raw: Vec::new(),
        }
    }

    /// Covers the next entry of the oplog and keeps its bytes if they are relevant.
    pub fn add(&mut self, entry: &OplogEntry<'_>, relevance: &Relevance<'_>) {
        self.first.get_or_insert(entry.optime());
        self.last = entry.optime();
        self.last_wall_ms = entry.wall_ms;
        self.entry_count += 1;
        match relevance {
            Relevance::Drop => return,
            Relevance::Keep => {}
            Relevance::Change { namespace } => {
                self.last_change = entry.optime();
                self.last_change_namespace.clear();
                self.last_change_namespace.push_str(namespace.as_deref().unwrap_or_default());
            }
        }
        self.raw.extend_from_slice(entry.operation.raw.as_bytes());
    }

    pub fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// Entries covered, kept or not.
    pub fn entry_count(&self) -> u32 {
        self.entry_count
    }

    /// Bytes of the entries kept. Must be held far below 4 GiB by finishing in time.
    pub fn raw_bytes(&self) -> usize {
        self.raw.len()
    }

    /// The namespace of the last user's change in this batch, where its entry names one.
    pub fn last_change_namespace(&self) -> Option<Namespace> {
        self.last_change_namespace.parse().ok()
    }

    /// The batch, unless it covers no entry. Entries added from now on go into the next one.
    pub fn finish(&mut self) -> Option<OplogBatch> {
        let first = self.first?;
        let next = Self { raw: Vec::with_capacity(self.raw.capacity()), ..Self::new(self.last) };
        let done = std::mem::replace(self, next);
        Some(OplogBatch {
            previous: done.previous,
            first,
            last: done.last,
            last_wall_ms: done.last_wall_ms,
            last_change: done.last_change,
            entry_count: done.entry_count,
            raw_bytes: u32::try_from(done.raw.len()).expect("a batch is finished far below 4 GiB"),
            entries: lz4_flex::block::compress(&done.raw),
            progress: None,
        })
    }
}
