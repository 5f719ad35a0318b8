//! Damaged and monstrous input.

use std::panic::{AssertUnwindSafe, catch_unwind};

use bson::{RawDocumentBuf, Timestamp, rawdoc};

use super::{damage::Damage, fuzz, samples};

/// The stack of the threads that decode.
const STACK_BYTES: usize = 2 * 1024 * 1024;

fn variable(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect(name))
}

/// Gives `target` the samples and as many damaged ones; the panic of one is told with its bytes.
fn withstands(target: fn(&[u8]), samples: &[Vec<u8>]) {
    let mut damage = Damage::new(variable("MONGOFERRY_TEST_SEED", 0));
    let damaged = (0..variable("MONGOFERRY_DAMAGED_INPUTS", 50_000)).map(|_| damage.one_of(samples));
    for input in samples.iter().cloned().chain(damaged) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| target(&input))) {
            let hexadecimal: String = input.iter().map(|byte| format!("{byte:02x}")).collect();
            eprintln!("input: {hexadecimal}");
            std::panic::resume_unwind(panic);
        }
    }
}

#[test]
fn damaged_entries() {
    withstands(fuzz::entries, &samples::entries());
}

#[test]
fn damaged_entries_behind_one_another() {
    withstands(fuzz::entries, &samples::neighbours());
}

#[test]
fn damaged_deltas() {
    withstands(fuzz::deltas, &samples::deltas());
}

#[test]
fn damaged_batches() {
    withstands(fuzz::batches, &samples::batches());
}

#[test]
fn damaged_messages() {
    withstands(fuzz::messages, &samples::messages());
}

#[test]
fn damaged_parts() {
    withstands(fuzz::stored_values, &samples::stored_values());
}

/// `inner` in as many documents as fit a document, each called `name` in the next.
fn nested(name: &str, inner: &[u8]) -> RawDocumentBuf {
    let levels = 15 * 1024 * 1024 / (name.len() + 7);
    let mut lengths = Vec::with_capacity(levels);
    let mut length = inner.len();
    for _ in 0..levels {
        length += name.len() + 7;
        lengths.push(i32::try_from(length).expect("is no longer than a document"));
    }
    let mut bytes = Vec::with_capacity(length);
    for length in lengths.iter().rev() {
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.push(3);
        bytes.extend_from_slice(name.as_bytes());
        bytes.push(0);
    }
    bytes.extend_from_slice(inner);
    bytes.resize(length, 0);
    RawDocumentBuf::from_bytes(bytes).expect("has a length and an end")
}

fn on_a_small_stack(work: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(work).expect("a thread starts");
    thread.join().expect("ends without a panic");
}

fn entry(op: &str, ns: &str, o: &RawDocumentBuf) -> RawDocumentBuf {
    let ui = bson::Binary { subtype: bson::spec::BinarySubtype::Uuid, bytes: vec![7; 16] };
    let ts = Timestamp { time: 1, increment: 1 };
    rawdoc! { "ts": ts, "op": op, "ns": ns, "ui": ui, "o": o.clone(), "o2": { "_id": 1 } }
}

#[test]
fn documents_in_millions_of_documents() {
    on_a_small_stack(|| {
        for name in ["s", "sa", "a", "applyOps", "key", "collation", "_id", "$v"] {
            let deep = nested(name, &rawdoc! { "u": { "a": 1 } }.into_bytes());
            for (op, ns) in [("u", "d.c"), ("i", "d.c"), ("c", "d.$cmd"), ("zz", "d.c")] {
                fuzz::entries(entry(op, ns, &deep).as_bytes());
            }
            fuzz::deltas(rawdoc! { "$v": 2, "diff": deep.clone() }.as_bytes());
            fuzz::entries(entry("c", "d.$cmd", &rawdoc! { "createIndexes": "c", "key": deep }).as_bytes());
        }
        let path = "a.".repeat(5 * 1024 * 1024);
        let mut set = RawDocumentBuf::new();
        set.append(bson::raw::CString::try_from(path).expect("no zeros"), 1);
        fuzz::deltas(rawdoc! { "$v": 1, "$set": set }.as_bytes());
    });
}

#[test]
fn messages_in_millions_of_arrays() {
    on_a_small_stack(|| {
        for opening in [
            &[0x91_u8][..],
            &[0x81, 0xA1, b'a'],
            &[0xDC, 0, 1],
            &[0x81, 0xA6, b'r', b'a', b'n', b'g', b'e', b's', 0x91],
        ] {
            let message = [&[1], &opening.repeat(1024 * 1024)[..]].concat();
            fuzz::messages(&message);
            fuzz::stored_values(&message);
        }
    });
}
