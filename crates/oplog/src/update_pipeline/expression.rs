//! The expression that makes of a document what a delta makes of it.
//!
//! Variables: `v` all values; `f` the fields of a document as `{k, v}`; `e` one of them; `n` the length of an array; `x` an
//! element. Those of an inner level hide those of the outer one, which are no longer needed there.

mod array;
mod document;

use bson::{RawArrayBuf, RawBson, RawDocumentBuf, Timestamp, rawdoc};

use super::change::{Delta, Form, Level};
use crate::element::{DocumentWriter, kind};

pub(super) type Expression = RawBson;

/// `[{$replaceWith: …}]`; nothing if it is longer than `longest_bytes` without the values.
pub(super) fn replace_stage(delta: &Delta<'_>, longest_bytes: usize) -> Option<RawArrayBuf> {
    let body = rawdoc! { "in": document::document(&delta.root, "$$ROOT") };
    if body.as_bytes().len() > longest_bytes {
        return None;
    }
    let mut values = DocumentWriter::new();
    for (number, value) in delta.values.iter().enumerate() {
        values.write(value.kind, number.to_string().as_bytes(), value.bytes);
    }
    let mut literal = DocumentWriter::new();
    literal.write(kind::ARRAY, b"$literal", values.finish().as_bytes());
    let mut bound = rawdoc! { "vars": { "v": literal.finish() } };
    bound.append(bson::raw::cstr!("in"), body.get("in").ok()??);
    let mut stages = RawArrayBuf::new();
    stages.push(rawdoc! { "$replaceWith": { "$let": bound } });
    stages.push(refuse_zero_timestamp());
    Some(stages)
}

/// Fails where a field of the document is a zero timestamp.
fn refuse_zero_timestamp() -> RawDocumentBuf {
    let zero = rawdoc! { "$literal": Timestamp { time: 0, increment: 0 } };
    let values = rawdoc! { "$map": { "input": { "$objectToArray": "$$ROOT" }, "as": "e", "in": "$$e.v" } };
    // No document converts to a number.
    rawdoc! { "$replaceWith": cond(rawdoc! { "$in": [zero, values] }, rawdoc! { "$toInt": "$$ROOT" }.into(), "$$ROOT".into()) }
}

/// What `level` makes of what stands at `at`, a variable or a field of one. What is neither a document nor an array when it
/// should be is left alone: the document is ahead of the entry, and a later one will set it.
fn level(level: &Level<'_>, at: &str) -> Expression {
    let is_document = || rawdoc! { "$eq": [{ "$type": at }, "object"] };
    let is_array = || rawdoc! { "$isArray": [at] };
    match level.form {
        Form::Document => cond(is_document(), document::document(level, at), at.into()),
        Form::Array { .. } => cond(is_array(), array::array(level, at), at.into()),
        Form::Either => {
            let of_others = match array::has_effect(level) {
                true => cond(is_array(), array::array(level, at), at.into()),
                false => at.into(),
            };
            cond(is_document(), document::document(level, at), of_others)
        }
    }
}

fn value(number: usize) -> Expression {
    rawdoc! { "$arrayElemAt": ["$$v", i64::try_from(number).unwrap_or(i64::MAX)] }.into()
}

fn cond(condition: impl Into<RawBson>, then: Expression, otherwise: Expression) -> Expression {
    rawdoc! { "$cond": list([condition.into(), then, otherwise]) }.into()
}

fn list(expressions: impl IntoIterator<Item = Expression>) -> RawArrayBuf {
    expressions.into_iter().collect()
}

/// A name, whatever it looks like.
fn name_literal(name: &[u8]) -> Expression {
    let mut writer = DocumentWriter::new();
    writer.write(kind::STRING, b"$literal", &string(name));
    let literal: RawDocumentBuf = writer.finish();
    literal.into()
}

/// The bytes of a BSON string.
pub(super) fn string(text: &[u8]) -> Vec<u8> {
    let length = i32::try_from(text.len() + 1).expect("a name is a part of a document");
    [&length.to_le_bytes(), text, &[0]].concat()
}
