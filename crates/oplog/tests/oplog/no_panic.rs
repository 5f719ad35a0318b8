//! Nothing read from outside panics: damaged entries, damaged batches, any bytes.

use bson::{RawDocument, RawDocumentBuf};
use mongoferry_oplog::{EntryDecoder, IdKey, OplogEntry, open_batch, relevance};
use mongoferry_protocol::{Explain, OplogBatch, Optime, StartPoint, WriteOrder};
use proptest::prelude::*;

use crate::budget;

const CORPUS: [&str; 2] = [include_str!("../corpus/4.2.6.jsonl"), include_str!("../corpus/6.0.5.jsonl")];

fn entries() -> Vec<Vec<u8>> {
    #[derive(serde::Deserialize)]
    struct Line {
        entry: bson::Document,
    }
    let lines = CORPUS.iter().flat_map(|text| text.lines());
    let documents = lines.map(|line| serde_json::from_str::<Line>(line).expect("a line of the corpus").entry);
    documents.map(|entry| RawDocumentBuf::try_from(&entry).expect("a document").into_bytes()).collect()
}

/// Goes through everything that an entry meets.
fn exercise(bytes: &[u8]) {
    let Ok(raw) = RawDocument::from_bytes(bytes) else { return };
    match OplogEntry::parse(raw) {
        Ok(entry) => drop(relevance(&entry)),
        Err(error) => drop((error.to_string(), error.hint(), error.code(), error.retry())),
    }
    let start = StartPoint { capture_from: Optime::ZERO, apply_after: Optime::ZERO };
    match EntryDecoder::new(start).decode(raw) {
        Ok(changes) => {
            for change in changes {
                change.kind.target().map(|(_, document)| IdKey::of_document(document, WriteOrder::ByDocument));
            }
        }
        Err(error) => drop((error.to_string(), error.hint(), error.code(), error.retry())),
    }
}

/// Gives any bytes the frame of a document: its length in front, a zero behind.
fn framed(body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 5).expect("short");
    [&length.to_le_bytes(), body, &[0]].concat()
}

#[test]
fn damaged_entries() {
    let entries = entries();
    let damage = proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8);
    budget::check(&(0..entries.len(), damage), |(number, damage)| {
        let mut bytes = entries[number].clone();
        let end = bytes.len() - 1;
        for (at, byte) in damage {
            bytes[4..end][at.index(end - 4)] = byte;
        }
        exercise(&bytes);
        Ok(())
    });
}

#[test]
fn any_bytes() {
    budget::check(&proptest::collection::vec(any::<u8>(), 0..200), |body| {
        exercise(&body);
        exercise(&framed(&body));
        Ok(())
    });
}

#[test]
fn deeply_nested_containers() {
    let mut inner = bson::doc! { "op": "n", "ns": "", "o": {} };
    for _ in 0..60 {
        inner = bson::doc! { "op": "c", "ns": "admin.$cmd", "o": { "applyOps": [inner] } };
    }
    inner.insert("ts", bson::Timestamp { time: 1, increment: 1 });
    exercise(RawDocumentBuf::try_from(&inner).expect("a document").as_bytes());
}

#[test]
fn any_batch() {
    let strategy =
        (proptest::collection::vec(any::<u8>(), 0..300), any::<u32>(), 0..600_u32, any::<bool>(), any::<bool>());
    budget::check(&strategy, |(bytes, any_length, likely_length, likely, compress)| {
        let batch = OplogBatch {
            previous: Optime::ZERO,
            first: Optime::ZERO,
            last: Optime::ZERO,
            last_wall_ms: 0,
            last_change: Optime::ZERO,
            entry_count: 0,
            raw_bytes: if likely { likely_length } else { any_length },
            entries: if compress { lz4_flex::block::compress(&bytes) } else { bytes },
        };
        match open_batch(&batch) {
            Ok(opened) => opened.iter().for_each(|entry| exercise(entry.as_bytes())),
            Err(error) => drop(error.to_string()),
        }
        Ok(())
    });
}
