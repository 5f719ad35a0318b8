//! A document's `_id` as the bytes of its element: what documents of both sides are matched by.

use bson::{RawDocument, RawDocumentBuf};

use crate::bson_text::bson_text;

/// The element `_id` (type, name, value) within the document's bytes; `None` if there is none. It is the first element of
/// every stored document.
pub(crate) fn id_bytes(document: &RawDocument) -> Option<&[u8]> {
    let mut start = size_of::<i32>();
    for element in document.iter_elements() {
        let element = element.ok()?;
        let end = start + 1 + element.key().as_str().len() + 1 + element.size();
        if element.key().as_str() == "_id" {
            return document.as_bytes().get(start..end);
        }
        start = end;
    }
    None
}

/// The document `{_id: …}` of such bytes.
pub(crate) fn id_document(element: &[u8]) -> Result<RawDocumentBuf, bson::error::Error> {
    let length = size_of::<i32>() + element.len() + 1;
    let mut bytes = (length as i32).to_le_bytes().to_vec();
    bytes.extend_from_slice(element);
    bytes.push(0);
    RawDocumentBuf::from_bytes(bytes)
}

/// The `_id` as extended JSON, for people.
pub(crate) fn id_text(element: &[u8]) -> String {
    let parsed = id_document(element).and_then(|document| bson::Document::try_from(&*document));
    match parsed.ok().and_then(|mut document| document.remove("_id")) {
        Some(id) => bson_text(&id),
        // A string that is not UTF-8, which servers do store.
        None => element.iter().map(|byte| format!("{byte:02x}")).collect(),
    }
}

#[cfg(test)]
mod tests {
    use bson::{oid::ObjectId, rawdoc};

    use super::{id_bytes, id_document, id_text};

    #[test]
    fn the_id_is_cut_out_wherever_it_stands() {
        let oid = ObjectId::parse_str("0102030405060708090a0b0c").expect("valid");
        for (document, text) in [
            (rawdoc! {"_id": 7, "a": "x"}, "7"),
            (rawdoc! {"_id": oid}, r#"{"$oid":"0102030405060708090a0b0c"}"#),
            (rawdoc! {"_id": {"a": [1, "ü"]}, "b": 1}, r#"{"a":[1,"ü"]}"#),
            (rawdoc! {"a": {"_id": 1}, "_id": "k"}, r#""k""#),
            (rawdoc! {"_id": f64::NAN}, r#"{"$numberDouble":"NaN"}"#),
            (rawdoc! {"_id": bson::DateTime::from_millis(1)}, r#"{"$date":{"$numberLong":"1"}}"#),
        ] {
            let bytes = id_bytes(&document).expect("an id");
            assert_eq!(id_text(bytes), text);
            let alone = id_document(bytes).expect("valid");
            assert_eq!(id_bytes(&alone), Some(bytes));
        }
        assert_eq!(id_bytes(&rawdoc! {"a": 1}), None);
    }
}
