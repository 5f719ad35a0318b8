//! Single statements of `delete` and `update` commands, put together from raw BSON. Pure.

use bson::{RawArrayBuf, RawBsonRef, RawDocument, RawDocumentBuf, raw::cstr, rawdoc};

use super::{WriteStep, write_step::id_of};
use crate::zero_timestamp::holds_zero_timestamp;

/// The query that finds `{_id: value}` and nothing else. A regular expression or a document with operators in place of the
/// value would be taken for a condition, so these are compared by `$eq`.
pub(crate) fn id_query(id: &RawDocument) -> RawDocumentBuf {
    match id.iter().next() {
        Some(Ok((_, value))) if is_condition(value) => {
            let mut equal = RawDocumentBuf::new();
            equal.append(cstr!("$eq"), value);
            rawdoc! { "_id": equal }
        }
        _ => id.to_owned(),
    }
}

fn is_condition(value: RawBsonRef<'_>) -> bool {
    match value {
        RawBsonRef::RegularExpression(_) => true,
        RawBsonRef::Document(document) => has_name(document, |name| name.starts_with('$')),
        _ => false,
    }
}

fn has_name(document: &RawDocument, wanted: impl Fn(&str) -> bool) -> bool {
    document.iter().flatten().any(|(name, _)| wanted(name.as_str()))
}

pub(super) fn delete_statement(id: &RawDocument) -> RawDocumentBuf {
    rawdoc! { "q": id_query(id), "limit": 1 }
}

/// The update that carries out `step`; nothing if none does, or its document has no `_id`.
pub(super) fn update_statement(step: &WriteStep) -> Option<RawDocumentBuf> {
    match step {
        WriteStep::Delete { .. } | WriteStep::Reread { .. } => None,
        WriteStep::Insert { document } | WriteStep::Put { document } | WriteStep::InsertMissing { document } => {
            Some(replacement(&id_of(document)?, document, true))
        }
        WriteStep::Replace { id, document } => Some(replacement(id, document, false)),
        WriteStep::Modify { id, modifiers } => {
            Some(rawdoc! { "q": id_query(id), "u": modifiers.clone(), "upsert": false, "multi": false })
        }
        WriteStep::Delta { id, delta } => {
            let stage = rawdoc! { "$_internalApplyOplogUpdate": { "oplogUpdate": delta.clone() } };
            Some(rawdoc! { "q": id_query(id), "u": [stage], "upsert": false, "multi": false })
        }
        WriteStep::Pipeline { id, stages } => {
            Some(rawdoc! { "q": id_query(id), "u": stages.clone(), "upsert": false, "multi": false })
        }
    }
}

/// The pipeline whose result is `document`, whatever stood there; a pipeline's result is stored as it is.
pub(crate) fn literally(document: &RawDocument) -> RawArrayBuf {
    let mut pipeline = RawArrayBuf::new();
    pipeline.push(rawdoc! { "$replaceWith": { "$literal": document.to_owned() } });
    pipeline
}

fn replacement(id: &RawDocument, document: &RawDocument, upsert: bool) -> RawDocumentBuf {
    let mut statement = rawdoc! { "q": id_query(id) };
    if is_altered_by_the_server(document) {
        statement.append(cstr!("u"), literally(document));
    } else {
        statement.append(cstr!("u"), document);
    }
    statement.append(cstr!("upsert"), upsert);
    statement.append(cstr!("multi"), false);
    statement
}

/// What an insert or a replacement would not store as it is: a zero timestamp, and names that look like operators.
pub fn is_altered_by_the_server(document: &RawDocument) -> bool {
    has_name(document, |name| name.starts_with('$')) || holds_zero_timestamp(document)
}

#[cfg(test)]
mod tests {
    use bson::{RawBson, Regex, Timestamp, raw::cstr, rawdoc};

    use super::{id_query, is_altered_by_the_server, update_statement};
    use crate::lane_writer::WriteStep;

    #[test]
    fn ids_that_look_like_conditions_are_compared_by_eq() {
        for plain in [rawdoc! {"_id": 1}, rawdoc! {"_id": {"a": 1}}, rawdoc! {"_id": RawBson::Null}] {
            assert_eq!(id_query(&plain), plain);
        }
        let reference = rawdoc! {"$ref": "a", "$id": 1};
        assert_eq!(id_query(&rawdoc! {"_id": reference.clone()}), rawdoc! {"_id": {"$eq": reference}});
        let regex = Regex { pattern: cstr!("a").into(), options: cstr!("i").into() };
        assert_eq!(id_query(&rawdoc! {"_id": regex.clone()}), rawdoc! {"_id": {"$eq": regex}});
    }

    #[test]
    fn what_the_server_would_alter_is_written_literally() {
        let zero = Timestamp { time: 0, increment: 0 };
        assert!(is_altered_by_the_server(&rawdoc! {"_id": 1, "at": zero}));
        assert!(is_altered_by_the_server(&rawdoc! {"_id": 1, "$set": 1}));
        assert!(!is_altered_by_the_server(
            &rawdoc! {"_id": zero, "a": {"at": zero}, "b": Timestamp {time: 0, increment: 1}}
        ));
        let document = rawdoc! {"_id": 1, "at": zero};
        let statement = update_statement(&WriteStep::Insert { document: document.clone() });
        let literal = rawdoc! {"$replaceWith": {"$literal": document}};
        assert_eq!(statement, Some(rawdoc! {"q": {"_id": 1}, "u": [literal], "upsert": true, "multi": false}));
    }

    #[test]
    fn nothing_but_an_insert_creates_a_document() {
        let (id, document) = (rawdoc! {"_id": 1}, rawdoc! {"_id": 1, "a": 1});
        let mut stages = bson::RawArrayBuf::new();
        stages.push(rawdoc! {"$set": {"a": 1}});
        let creates = |step: WriteStep| {
            let statement = update_statement(&step).expect("is an update");
            statement.get_bool("upsert").expect("says so")
        };
        assert!(creates(WriteStep::Insert { document: document.clone() }));
        assert!(!creates(WriteStep::Replace { id: id.clone(), document: document.clone() }));
        assert!(!creates(WriteStep::Modify { id: id.clone(), modifiers: rawdoc! {"$set": {"a": 1}} }));
        assert!(!creates(WriteStep::Delta { id: id.clone(), delta: rawdoc! {"$v": 2, "diff": {"u": {"a": 1}}} }));
        assert!(!creates(WriteStep::Pipeline { id, stages }));
    }

    #[test]
    fn a_delta_goes_through_the_stage_as_it_is() {
        let delta = rawdoc! {"$v": 2, "diff": {"u": {"a": 1}}};
        let step = WriteStep::Delta { id: rawdoc! {"_id": "x"}, delta: delta.clone() };
        let stage = rawdoc! {"$_internalApplyOplogUpdate": {"oplogUpdate": delta}};
        let expected = rawdoc! {"q": {"_id": "x"}, "u": [stage], "upsert": false, "multi": false};
        assert_eq!(update_statement(&step), Some(expected));
    }
}
