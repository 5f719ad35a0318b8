//! Database `analytics`: many small events, and sessions that expire, but not during a test.

use bson::{Document, RawBson, RawDocumentBuf, doc, rawdoc};
use rand::{RngExt, rngs::StdRng};

use super::{
    Section,
    invent::{far_future, object_id, one_of, past, text, uuid},
};

const KINDS: [&str; 6] = ["view", "click", "search", "basket", "checkout", "error"];

pub(super) fn sections() -> [Section; 2] {
    [
        Section {
            database: "analytics",
            collection: "events",
            share: 240,
            average_bytes: 278,
            document: event,
            options: Document::new,
            indexes: || {
                vec![
                    doc! { "key": { "kind": 1, "at": -1 }, "name": "kind_at" },
                    doc! { "key": { "properties.$**": 1 }, "name": "properties" },
                ]
            },
        },
        Section {
            database: "analytics",
            collection: "sessions",
            share: 50,
            average_bytes: 261,
            document: session,
            options: Document::new,
            indexes: || {
                vec![
                    doc! { "key": { "expires_at": 1 }, "name": "expiry", "expireAfterSeconds": 0 },
                    doc! { "key": { "user": "hashed" }, "name": "user_hashed" },
                ]
            },
        },
    ]
}

fn event(rng: &mut StdRng, index: u64) -> RawDocumentBuf {
    rawdoc! {
        "_id": index as i64 + 5_000_000_000,
        "kind": one_of(rng, &KINDS),
        "at": past(rng),
        "session": uuid(rng),
        "user": if rng.random_bool(0.7) { RawBson::ObjectId(object_id(1, rng.random_range(0..20_000))) } else { RawBson::Null },
        "page": format!("/{}", text(rng, 3).replace(' ', "/")),
        "duration_ms": rng.random_range(0.0..90_000.0),
        "properties": {
            "referrer": text(rng, 4),
            "campaign": rng.random_range(0..500),
            "screen": { "width": 1920, "height": 1080, "touch": rng.random_bool(0.5) },
        },
        "version": 3_i64,
    }
}

fn session(rng: &mut StdRng, index: u64) -> RawDocumentBuf {
    rawdoc! {
        "_id": uuid(rng),
        "number": index as i64,
        "user": object_id(1, rng.random_range(0..20_000)),
        "started_at": past(rng),
        "expires_at": far_future(rng),
        "agent": text(rng, 12),
        "flags": [rng.random_bool(0.5), rng.random_bool(0.5), rng.random_bool(0.5)],
        "cart": { "items": rng.random_range(0..12), "value": rng.random_range(0.0..900.0) },
    }
}
