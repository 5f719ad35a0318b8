//! Database `content`: articles whose `_id` is a document, and attachments with binary data.

use bson::{Binary, Document, RawArrayBuf, RawDocumentBuf, doc, rawdoc, spec::BinarySubtype};
use rand::{RngExt, rngs::StdRng};

use super::{
    Section,
    invent::{object_id, one_of, past, person, random_bytes, some_strings, text},
};

const LANGUAGES: [&str; 4] = ["de", "en", "fr", "ja"];

pub(super) fn sections() -> [Section; 2] {
    [
        Section {
            database: "content",
            collection: "articles",
            share: 80,
            average_bytes: 1287,
            document: article,
            options: Document::new,
            indexes: || vec![doc! { "key": { "published": 1, "updated_at": -1 }, "name": "published_updated_at" }],
        },
        Section {
            database: "content",
            collection: "attachments",
            share: 28,
            average_bytes: 9133,
            document: attachment,
            options: Document::new,
            indexes: || vec![doc! { "key": { "media_type": 1 }, "name": "media_type_1" }],
        },
    ]
}

fn article(rng: &mut StdRng, index: u64) -> RawDocumentBuf {
    let (first, last) = person(rng);
    let paragraphs: RawArrayBuf = (0..rng.random_range(2..7)).map(|_| text(rng, 35)).collect();
    rawdoc! {
        "_id": { "language": one_of(rng, &LANGUAGES), "number": index as i64 },
        "title": text(rng, 5),
        "author": format!("{first} {last}"),
        "paragraphs": paragraphs,
        "tags": some_strings(rng, 0..5),
        "published": rng.random_bool(0.8),
        "updated_at": past(rng),
        "revision": rng.random_range(1..40),
        "links": [{ "to": text(rng, 2), "weight": rng.random_range(0.0..1.0) }],
    }
}

fn attachment(rng: &mut StdRng, index: u64) -> RawDocumentBuf {
    let length = rng.random_range(1_000..17_000);
    rawdoc! {
        "_id": object_id(3, index),
        "file_name": format!("{}.bin", text(rng, 2).replace(' ', "-")),
        "media_type": one_of(rng, &["image/png", "application/pdf", "audio/ogg"]),
        "data": Binary { subtype: BinarySubtype::Generic, bytes: random_bytes(rng, length) },
        "uploaded_at": past(rng),
    }
}

/// As (database, `create` command).
pub(super) fn views() -> Vec<(&'static str, Document)> {
    let pipeline = vec![doc! { "$match": { "published": true } }, doc! { "$project": { "paragraphs": 0 } }];
    vec![("content", doc! { "create": "published", "viewOn": "articles", "pipeline": pipeline })]
}
