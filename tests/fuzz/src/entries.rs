//! Oplog entries, one behind the other, as one decoder meets them: later ones may end the transactions of those before.

use bson::RawDocument;
use mongoferry_oplog::{Change, ChangeKind, EntryDecoder, IdKey, OplogEntry, relevance};
use mongoferry_protocol::{Explain, Optime, StartPoint, WriteOrder};

use super::deltas;

pub fn entries(mut bytes: &[u8]) {
    let start = StartPoint { capture_from: Optime::ZERO, apply_after: Optime::ZERO };
    let mut decoder = EntryDecoder::new(start);
    while let Some(length) = bytes.first_chunk().map(|length| i32::from_le_bytes(*length)) {
        let Some((entry, rest)) = usize::try_from(length).ok().and_then(|length| bytes.split_at_checked(length)) else {
            return;
        };
        if entry.is_empty() {
            return;
        }
        self::entry(&mut decoder, entry);
        bytes = rest;
    }
}

fn entry(decoder: &mut EntryDecoder, bytes: &[u8]) {
    let Ok(raw) = RawDocument::from_bytes(bytes) else { return };
    match OplogEntry::parse(raw) {
        Ok(entry) => drop(relevance(&entry)),
        Err(error) => explain(&error),
    }
    match decoder.decode(raw) {
        Ok(changes) => changes.iter().for_each(change),
        Err(error) => explain(&error),
    }
    let _ = decoder.oldest_open();
}

fn change(change: &Change) {
    if let Some((_, document)) = change.kind.target() {
        for order in [WriteOrder::ByDocument, WriteOrder::UnderCollation, WriteOrder::Whole] {
            let _ = IdKey::of_document(document, order);
        }
    }
    if let ChangeKind::Delta { delta, .. } = &change.kind {
        deltas(delta.as_bytes());
    }
}

fn explain(error: &impl Explain) {
    let _ = (error.to_string(), error.hint(), error.code(), error.retry());
}
