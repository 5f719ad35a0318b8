//! Random values and documents.

use bson::{
    Bson, Document, RawBson, RawDocumentBuf, Timestamp, doc,
    raw::{CString, cstr},
    rawdoc,
};
use rand::{RngExt, rngs::StdRng};

use super::Names;

const FIELDS: [&str; 11] = ["a", "b", "B", "c", "k", "0", "1", "9", "10", "long name", "ü"];

pub fn pick<T: Copy>(rng: &mut StdRng, from: &[T]) -> T {
    from[rng.random_range(0..from.len())]
}

/// A name that an update may use in a path.
pub fn field(rng: &mut StdRng) -> &'static str {
    pick(rng, &FIELDS)
}

pub fn scalar(rng: &mut StdRng) -> Bson {
    match rng.random_range(0..12) {
        0 => Bson::Null,
        1 => true.into(),
        2 => rng.random_range(0..5_i64).into(),
        3 => f64::NAN.into(),
        4 => (-0.0).into(),
        5 => Bson::MinKey,
        6 => Bson::Symbol("symbol".into()),
        7 => Bson::Undefined,
        8 => "x".repeat(rng.random_range(0..40)).into(),
        _ => rng.random_range(0..100_i32).into(),
    }
}

pub fn value(rng: &mut StdRng, levels: u32) -> Bson {
    match (levels, rng.random_range(0..10)) {
        (1.., 0..3) => document(rng, levels - 1).into(),
        (1.., 3..6) => {
            let count = rng.random_range(0..6);
            (0..count).map(|_| value(rng, levels - 1)).collect::<Vec<_>>().into()
        }
        _ => scalar(rng),
    }
}

pub fn document(rng: &mut StdRng, levels: u32) -> Document {
    let count = rng.random_range(0..5);
    (0..count).map(|_| (field(rng).to_owned(), value(rng, levels))).collect()
}

/// A path of one to four names.
pub fn path(rng: &mut StdRng) -> String {
    let count = pick(rng, &[1, 1, 2, 2, 3, 4]);
    let names: Vec<&str> = (0..count).map(|_| field(rng)).collect();
    names.join(".")
}

/// A whole document, with what only insertions can bring about: names that paths can't reach, or that occur twice.
pub fn whole_document(rng: &mut StdRng, id: i32, names: Names, is_inserted: bool) -> RawDocumentBuf {
    let mut document = rawdoc! { "_id": id };
    let mut append = |name: &str, value: Bson| {
        document.append(CString::try_from(name).expect("no zero"), RawBson::try_from(value).expect("valid"));
    };
    let mut fields = self::document(rng, 3);
    fields.extend(self::document(rng, 2));
    for (name, value) in fields {
        append(&name, value);
    }
    match rng.random_range(0..12) {
        0 => append("a.b", value(rng, 1)),
        1 => append("", value(rng, 1)),
        2 => append("again", doc! { "a.0": 1, "": 2 }.into()),
        // 5.0.4 aborts on updates of such a document (invariant in document_diff_serialization.cpp).
        3 | 7 if names == Names::Doubled => append("a", scalar(rng)),
        8 if names == Names::Doubled => {
            append("a", scalar(rng));
            append("at", Timestamp { time: 0, increment: 0 }.into());
        }
        9 if names == Names::Doubled => {
            let text = "x".repeat(40);
            let mut inner = rawdoc! { "a": 1, "b": text };
            inner.append(cstr!("a"), 2);
            document.append(cstr!("c"), inner);
        }
        4 if names == Names::Any => append("$any", value(rng, 1)),
        5 if names == Names::Any || is_inserted => append("inside", doc! { "$any": 1, "a": 2 }.into()),
        6 => append("at", Timestamp { time: 0, increment: 0 }.into()),
        _ => {}
    }
    document
}
