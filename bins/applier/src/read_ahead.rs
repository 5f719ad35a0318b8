//! Reads batches and decodes them while earlier ones are being written.

use std::collections::VecDeque;

use mongoferry_bus::{BatchReader, Bus, BusError, StoredBatch};
use mongoferry_oplog::{Change, EntryDecoder, open_batch};
use mongoferry_protocol::{ChangePosition, OplogBatch, Optime, StartPoint};
use tokio::{
    sync::mpsc::{self, Receiver, Sender},
    task::JoinSet,
};

use crate::applier_error::ApplierError;

/// A batch taken apart.
pub struct ReadBatch {
    /// Entries that change something.
    pub entries: Vec<ReadEntry>,
    pub last: Optime,
    pub last_wall_ms: u64,
    /// The batch to resume from once all of this one is applied.
    pub resume: u64,
}

pub struct ReadEntry {
    pub optime: Optime,
    /// Milliseconds since 1970.
    pub wall_ms: u64,
    pub changes: Vec<Change>,
    /// The batch to resume from while this entry is not applied, or only in part.
    pub resume: u64,
}

/// Batches in order. After an error there are no more.
pub struct ReadAhead {
    batches: Receiver<Result<ReadBatch, ApplierError>>,
    _task: JoinSet<()>,
}

/// Batches decoded in advance; each has a few MiB at most, or one entry.
const AHEAD: usize = 8;

impl ReadAhead {
    /// Reads from the batch at `sequence` (0: the first), which must leave no gap behind `applied`.
    pub async fn start(
        bus: &Bus,
        start: StartPoint,
        sequence: u64,
        applied: ChangePosition,
    ) -> Result<Self, ApplierError> {
        let reader = bus.batch_reader(sequence).await?;
        let unpacker = Unpacker {
            decoder: EntryDecoder::resume(start, applied),
            capture_from: start.capture_from,
            expected: Some(if sequence == 0 { Optime::ZERO } else { applied.optime }),
            begins: VecDeque::new(),
        };
        let (sender, batches) = mpsc::channel(AHEAD);
        let mut task = JoinSet::new();
        task.spawn(read_all(reader, unpacker, sender));
        Ok(Self { batches, _task: task })
    }

    /// The next batch, waiting for it. Cancel-safe.
    pub async fn next(&mut self) -> Result<ReadBatch, ApplierError> {
        match self.batches.recv().await {
            Some(batch) => batch,
            // The task has ended behind an error, which was received before.
            None => std::future::pending().await,
        }
    }

    /// As much is at hand as is ever read in advance: reading is faster than writing.
    pub fn is_full(&self) -> bool {
        self.batches.len() == AHEAD
    }

    /// Nothing more is at hand right now.
    pub fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }
}

async fn read_all(mut reader: BatchReader, mut unpacker: Unpacker, sender: Sender<Result<ReadBatch, ApplierError>>) {
    loop {
        let read = match reader.next().await {
            Ok(stored) => unpacker.unpack(&stored),
            Err(error) => Err(error.into()),
        };
        let failed = read.is_err();
        if sender.send(read).await.is_err() || failed {
            return;
        }
    }
}

struct Unpacker {
    decoder: EntryDecoder,
    capture_from: Optime,
    /// Up to this optime everything is applied: the first batch must follow an entry that is not later.
    expected: Option<Optime>,
    /// Sequence and first optime of the batches that a restart may have to read again.
    begins: VecDeque<(u64, Optime)>,
}

impl Unpacker {
    fn unpack(&mut self, stored: &StoredBatch<OplogBatch>) -> Result<ReadBatch, ApplierError> {
        let batch = &stored.batch;
        if let Some(expected) = self.expected.take()
            && batch.previous > expected
        {
            let (expected, found) = (expected.to_string(), batch.previous.to_string());
            return Err(BusError::BrokenChain { expected, found }.into());
        }
        if batch.previous == Optime::ZERO && batch.first > self.capture_from {
            let (expected, found) = (self.capture_from.to_string(), batch.first.to_string());
            return Err(BusError::BrokenChain { expected, found }.into());
        }
        self.begins.push_back((stored.sequence, batch.first));
        let mut entries = Vec::new();
        for entry in open_batch(batch)?.iter() {
            let open_before = self.decoder.oldest_open();
            let changes = self.decoder.decode(entry)?;
            if let Some(first) = changes.first() {
                let optime = first.position.optime;
                let wall_ms = entry
                    .get_datetime("wall")
                    .map_or(batch.last_wall_ms, |wall| u64::try_from(wall.timestamp_millis()).unwrap_or(0));
                let resume = self.sequence_of(open_before.map_or(optime, |open| open.min(optime)));
                entries.push(ReadEntry { optime, wall_ms, changes, resume });
            }
        }
        let needed = self.decoder.oldest_open().unwrap_or(batch.last);
        self.forget_before(needed);
        Ok(ReadBatch { entries, last: batch.last, last_wall_ms: batch.last_wall_ms, resume: self.sequence_of(needed) })
    }

    /// The batch that holds the entry at `optime`.
    fn sequence_of(&self, optime: Optime) -> u64 {
        let holder = self.begins.iter().rev().find(|(_, first)| *first <= optime).or(self.begins.front());
        holder.map_or(0, |(sequence, _)| *sequence)
    }

    fn forget_before(&mut self, optime: Optime) {
        while self.begins.get(1).is_some_and(|(_, first)| *first <= optime) {
            self.begins.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use bson::{RawDocumentBuf, Timestamp, rawdoc};
    use mongoferry_bus::StoredBatch;
    use mongoferry_oplog::{BatchBuilder, EntryDecoder, OplogEntry, relevance};
    use mongoferry_protocol::{ChangePosition, OplogBatch, Optime, StartPoint};

    use super::Unpacker;

    fn unpacker(expected: Optime) -> Unpacker {
        let start = StartPoint { capture_from: Optime::new(2, 1), apply_after: Optime::new(1, 1) };
        let decoder = EntryDecoder::resume(start, ChangePosition::default());
        Unpacker { decoder, capture_from: start.capture_from, expected: Some(expected), begins: Default::default() }
    }

    fn entry(t: u32, fields: RawDocumentBuf) -> RawDocumentBuf {
        let mut entry = rawdoc! { "ts": Timestamp { time: t, increment: 1 }, "t": 1_i64, "v": 2_i64,
        "wall": bson::DateTime::from_millis(i64::from(t) * 1000) };
        for field in fields.iter() {
            let (name, value) = field.expect("valid");
            entry.append(name, value);
        }
        entry
    }

    fn insert(t: u32) -> RawDocumentBuf {
        let ui = bson::Binary { subtype: bson::spec::BinarySubtype::Uuid, bytes: vec![7; 16] };
        entry(t, rawdoc! { "op": "i", "ns": "shop.orders", "ui": ui, "o": { "_id": t as i32 } })
    }

    fn part_of_transaction(t: u32, previous: u32, partial: bool) -> RawDocumentBuf {
        let ui = bson::Binary { subtype: bson::spec::BinarySubtype::Uuid, bytes: vec![7; 16] };
        let member = rawdoc! { "op": "i", "ns": "shop.orders", "ui": ui, "o": { "_id": t as i32 } };
        let o = if partial {
            rawdoc! { "applyOps": [member], "partialTxn": true }
        } else {
            rawdoc! { "applyOps": [member] }
        };
        let previous = Timestamp { time: previous, increment: u32::from(previous > 0) };
        let fields = rawdoc! { "lsid": { "id": 1 }, "txnNumber": 1_i64, "op": "c", "ns": "admin.$cmd", "o": o,
        "prevOpTime": { "ts": previous, "t": 1_i64 } };
        entry(t, fields)
    }

    fn batches(of: &[&[RawDocumentBuf]]) -> Vec<StoredBatch<OplogBatch>> {
        let mut builder = BatchBuilder::new(Optime::ZERO);
        let mut stored = Vec::new();
        for (number, entries) in of.iter().enumerate() {
            for entry in *entries {
                let entry = OplogEntry::parse(entry).expect("an entry");
                builder.add(&entry, &relevance(&entry));
            }
            let batch = builder.finish().expect("not empty");
            stored.push(StoredBatch { sequence: 10 + number as u64, batch });
        }
        stored
    }

    #[test]
    fn a_restart_reads_from_where_the_oldest_open_transaction_began() {
        let stored = batches(&[
            &[insert(2), insert(3)],
            &[part_of_transaction(4, 0, true), insert(5)],
            &[insert(6)],
            &[part_of_transaction(7, 4, false), insert(8)],
        ]);
        let mut unpacker = unpacker(Optime::ZERO);
        let mut seen = Vec::new();
        for batch in &stored {
            let read = unpacker.unpack(batch).expect("readable");
            let entries: Vec<_> = read.entries.iter().map(|e| (e.optime.t, e.resume, e.changes.len())).collect();
            seen.push((entries, read.resume));
        }
        let expected = [
            (vec![(2, 10, 1), (3, 10, 1)], 10),
            (vec![(5, 11, 1)], 11),
            (vec![(6, 11, 1)], 11),
            (vec![(7, 11, 2), (8, 13, 1)], 13),
        ];
        assert_eq!(seen, expected);
    }

    #[test]
    fn a_gap_before_the_first_batch_is_refused() {
        let stored = batches(&[&[insert(2)], &[insert(3)]]);
        assert!(unpacker(Optime::ZERO).unpack(&stored[1]).is_err());
        assert!(unpacker(Optime::new(2, 1)).unpack(&stored[1]).is_ok());
        let late = batches(&[&[insert(3)]]);
        assert!(unpacker(Optime::ZERO).unpack(&late[0]).is_err(), "captured from behind the start point");
    }
}
