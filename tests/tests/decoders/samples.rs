//! What is damaged: entries of real servers, deltas among them, and messages as the stages write them.

use bson::{RawDocument, RawDocumentBuf};
use mongoferry_oplog::{BatchBuilder, OplogEntry, Relevance};
use mongoferry_protocol::{
    CodecError, CollectionUuid, CopyRange, Failure, Optime, PhaseRecord, RangePlan, RangeProgress, ReadOrder, Role,
    StartPoint, WorkItem, encode,
};

const CORPUS: [&str; 4] = [
    include_str!("../../../crates/oplog/tests/corpus/4.2.6.jsonl"),
    include_str!("../../../crates/oplog/tests/corpus/4.4.2.jsonl"),
    include_str!("../../../crates/oplog/tests/corpus/5.0.4.jsonl"),
    include_str!("../../../crates/oplog/tests/corpus/6.0.5.jsonl"),
];

/// All entries of the corpus.
pub fn entries() -> Vec<Vec<u8>> {
    #[derive(serde::Deserialize)]
    struct Line {
        entry: bson::Document,
    }
    let lines = CORPUS.iter().flat_map(|text| text.lines());
    let documents = lines.map(|line| serde_json::from_str::<Line>(line).expect("a line of the corpus").entry);
    documents.map(|entry| RawDocumentBuf::try_from(&entry).expect("a document").into_bytes()).collect()
}

/// Neighbours of the corpus, as parts of transactions are; only up to a size that damage has a chance in.
pub fn neighbours() -> Vec<Vec<u8>> {
    let entries: Vec<_> = entries().into_iter().filter(|entry| entry.len() < 4096).collect();
    entries.windows(3).map(<[_]>::concat).collect()
}

/// The `o` of all updates.
pub fn deltas() -> Vec<Vec<u8>> {
    let entries = entries();
    let raw = entries.iter().map(|entry| RawDocument::from_bytes(entry).expect("a document"));
    let updates = raw.filter(|entry| entry.get_str("op").is_ok_and(|op| op == "u"));
    let deltas = updates.filter_map(|entry| entry.get_document("o").ok().map(|delta| delta.as_bytes().to_vec()));
    deltas.filter(|delta| delta.len() < 4096).collect()
}

pub fn batches() -> Vec<Vec<u8>> {
    let entries: Vec<_> = entries().into_iter().filter(|entry| entry.len() < 4096).collect();
    let batch = |entries: &[Vec<u8>]| {
        let mut builder = BatchBuilder::new(Optime::ZERO);
        for entry in entries {
            let entry = OplogEntry::parse(RawDocument::from_bytes(entry).expect("a document")).expect("is understood");
            builder.add(&entry, &Relevance::Keep);
        }
        encode(&builder.finish().expect("has entries")).expect("encodes")
    };
    entries.chunks(4).map(batch).collect()
}

pub fn messages() -> Vec<Vec<u8>> {
    let collection = CollectionUuid::from_bytes([7; 16]);
    let bound = bson::rawdoc! { "_id": { "a": [1, "text"] } }.into_bytes();
    let bound = || Some(serde_bytes::ByteBuf::from(bound.clone()));
    let range = CopyRange { collection, number: 3, order: ReadOrder::ById, lower: bound(), upper: bound() };
    let failure = Failure::of(Role::Applier, "applier-1", &CodecError::Empty);
    let phase = PhaseRecord { failure: Some(failure.clone()), ..PhaseRecord::created() };
    let start = StartPoint { capture_from: Optime::new(1, 2), apply_after: Optime::new(3, 4) };
    let works = [WorkItem::CopyRange { collection, number: 9 }, WorkItem::Verify { cutover: 1, metadata: true }];
    let encoded = [
        encode(&RangePlan { ranges: vec![range.clone(), range] }),
        encode(&RangeProgress { resume: bound(), ..RangeProgress::default() }),
        encode(&failure),
        encode(&phase),
        encode(&start),
        encode(&works[0]),
        encode(&works[1]),
    ];
    encoded.into_iter().map(|message| message.expect("encodes")).chain(batches()).collect()
}

/// As [`super::fuzz::stored_values`] takes them.
pub fn stored_values() -> Vec<Vec<u8>> {
    let head = encode(&bson::doc! { "name": "0123456789abcdef", "parts": 3 }).expect("encodes");
    let mut all = vec![[&[0], &b"whole"[..]].concat(), [&[1], &head[..]].concat()];
    for batch in batches().into_iter().take(50) {
        let half = batch.len() / 2;
        let (first, second) = batch.split_at(half);
        all.push([&[2, 3], &b"0/2"[..], first, &[3], b"1/2", second].concat());
    }
    all
}
