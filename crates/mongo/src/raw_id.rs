//! The `_id` of a document by its bytes: a text need not be UTF-8 for a server to store it, even as an `_id`.

use bson::{RawDocument, RawDocumentBuf};

/// `{_id: value}`, byte for byte; `None` if the document has none.
pub(crate) fn id_alone(document: &RawDocument) -> Option<RawDocumentBuf> {
    let mut begin = 4;
    for element in document.iter_elements() {
        let element = element.ok()?;
        let name = element.key().as_str();
        // The type, the name, its end, the value.
        let end = begin + 1 + name.len() + 1 + element.size();
        if name == "_id" {
            let bytes = document.as_bytes().get(begin..end)?;
            let length = i32::try_from(bytes.len() + 5).ok()?.to_le_bytes();
            return RawDocumentBuf::from_bytes([&length, bytes, &[0]].concat()).ok();
        }
        begin = end;
    }
    None
}

/// `{_id: {$in: […]}}` for documents `{_id: value}`, byte for byte; `None` if one of them is none.
pub(crate) fn one_of<'a>(ids: impl IntoIterator<Item = &'a RawDocument>) -> Option<RawDocumentBuf> {
    const NAME_AND_TYPE: usize = 5;
    let mut array = Vec::new();
    for (index, id) in ids.into_iter().enumerate() {
        let bytes = id.as_bytes();
        let element = bytes.get(4..bytes.len() - 1)?;
        if element.get(1..NAME_AND_TYPE) != Some(b"_id\0") {
            return None;
        }
        array.push(element[0]);
        array.extend_from_slice(index.to_string().as_bytes());
        array.push(0);
        array.extend_from_slice(&element[NAME_AND_TYPE..]);
    }
    let wanted = document_of(&array)?;
    let condition = document_of(&[b"\x04$in\0", wanted.as_slice()].concat())?;
    RawDocumentBuf::from_bytes(document_of(&[b"\x03_id\0", condition.as_slice()].concat())?).ok()
}

fn document_of(elements: &[u8]) -> Option<Vec<u8>> {
    let length = i32::try_from(elements.len() + 5).ok()?.to_le_bytes();
    Some([&length, elements, &[0]].concat())
}

#[cfg(test)]
mod tests {
    use bson::{RawBson, RawDocumentBuf, Regex, raw::cstr, rawdoc};

    use super::{id_alone, one_of};

    #[test]
    fn a_condition_holds_every_id_as_it_is() {
        let ids = [rawdoc! {"_id": 1}, rawdoc! {"_id": "text"}, rawdoc! {"_id": {"a": 1}}];
        let expected = rawdoc! {"_id": {"$in": [1, "text", {"a": 1}]}};
        assert_eq!(one_of(ids.iter().map(|id| &**id)), Some(expected));
        assert_eq!(one_of([&*rawdoc! {"n": 1}]), None);
    }

    #[test]
    fn wherever_it_stands_and_whatever_it_is() {
        let regex = Regex { pattern: cstr!("a").into(), options: cstr!("i").into() };
        let ids: [RawBson; 6] =
            [1.into(), "text".into(), rawdoc! {"a": {"_id": 1}}.into(), RawBson::MaxKey, regex.into(), RawBson::Null];
        for id in ids {
            let alone = rawdoc! {"_id": id.clone()};
            assert_eq!(id_alone(&rawdoc! {"_id": id.clone(), "n": 1}).as_ref(), Some(&alone));
            assert_eq!(id_alone(&rawdoc! {"n": "x", "m": [1, 2], "_id": id}), Some(alone));
        }
        assert_eq!(id_alone(&rawdoc! {"n": 1}), None);
    }

    #[test]
    fn a_text_need_not_be_utf_8() {
        let bytes = b"\x16\0\0\0\x02_id\0\x03\0\0\0\xff\xfe\0\x0an\0\0".to_vec();
        let mut document = bytes.clone();
        document[0] = u8::try_from(document.len()).expect("small");
        let alone = id_alone(&RawDocumentBuf::from_bytes(document).expect("BSON")).expect("an _id");
        assert_eq!(alone.as_bytes(), b"\x11\0\0\0\x02_id\0\x03\0\0\0\xff\xfe\0\0");
    }
}
