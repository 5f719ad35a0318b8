//! Walks the elements of a BSON document over its bytes. Every length is checked against what is left, names and strings
//! need not be UTF-8, and nothing is decoded: what a document holds can be carried on exactly as it came.

use bson::{RawDocument, RawDocumentBuf};
use mongoferry_protocol::{CollectionUuid, Optime};

/// The bytes end inside an element, or carry a type that BSON does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotBson;

/// The type bytes of <https://bsonspec.org/spec.html> that mongoferry looks at.
pub(crate) mod kind {
    pub const DOUBLE: u8 = 0x01;
    pub const STRING: u8 = 0x02;
    pub const DOCUMENT: u8 = 0x03;
    pub const ARRAY: u8 = 0x04;
    pub const BINARY: u8 = 0x05;
    pub const OBJECT_ID: u8 = 0x07;
    pub const BOOL: u8 = 0x08;
    pub const DATE: u8 = 0x09;
    pub const NULL: u8 = 0x0A;
    pub const SYMBOL: u8 = 0x0E;
    pub const CODE_WITH_SCOPE: u8 = 0x0F;
    pub const INT32: u8 = 0x10;
    pub const TIMESTAMP: u8 = 0x11;
    pub const INT64: u8 = 0x12;
    pub const DECIMAL128: u8 = 0x13;
}

/// One `type name value` of a document; `value` holds exactly the bytes of the value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Element<'a> {
    pub kind: u8,
    pub name: &'a [u8],
    pub value: &'a [u8],
}

impl<'a> Element<'a> {
    pub fn document(&self) -> Option<&'a RawDocument> {
        matches!(self.kind, kind::DOCUMENT | kind::ARRAY).then(|| RawDocument::from_bytes(self.value).ok()).flatten()
    }

    /// A document, an array, or the scope of code.
    fn inner(&self) -> Option<&'a RawDocument> {
        if self.kind != kind::CODE_WITH_SCOPE {
            return self.document();
        }
        let text = i32::from_le_bytes(*self.value.get(4..)?.first_chunk()?);
        RawDocument::from_bytes(self.value.get(8_usize.checked_add(usize::try_from(text).ok()?)?..)?).ok()
    }

    pub fn text(&self) -> Option<&'a str> {
        let bytes =
            (self.kind == kind::STRING).then(|| self.value.get(4..self.value.len().checked_sub(1)?)).flatten()?;
        std::str::from_utf8(bytes).ok()
    }

    pub fn integer(&self) -> Option<i64> {
        match self.kind {
            kind::INT32 => Some(i32::from_le_bytes(self.value.try_into().ok()?).into()),
            kind::INT64 => Some(i64::from_le_bytes(self.value.try_into().ok()?)),
            _ => None,
        }
    }

    /// Milliseconds since 1970.
    pub fn date(&self) -> Option<i64> {
        (self.kind == kind::DATE).then(|| self.value.try_into().ok().map(i64::from_le_bytes)).flatten()
    }

    pub fn optime(&self) -> Option<Optime> {
        let (i, t) = (self.kind == kind::TIMESTAMP).then(|| self.value.split_at_checked(4)).flatten()?;
        Some(Optime::new(u32::from_le_bytes(t.try_into().ok()?), u32::from_le_bytes(i.try_into().ok()?)))
    }

    pub fn uuid(&self) -> Option<CollectionUuid> {
        const UUID_SUBTYPE: u8 = 4;
        let (&subtype, bytes) = (self.kind == kind::BINARY).then(|| self.value.get(4..)?.split_first()).flatten()?;
        (subtype == UUID_SUBTYPE).then(|| bytes.try_into().ok().map(CollectionUuid::from_bytes)).flatten()
    }

    pub fn truth(&self) -> bool {
        self.kind == kind::BOOL && self.value != [0]
    }
}

/// The elements of a document in order; ends behind the first error.
pub(crate) struct Elements<'a>(&'a [u8]);

pub(crate) fn elements(document: &RawDocument) -> Elements<'_> {
    let bytes = document.as_bytes();
    Elements(&bytes[4..bytes.len() - 1])
}

/// The first element called `name`.
pub(crate) fn find<'a>(document: &'a RawDocument, name: &str) -> Result<Option<Element<'a>>, NotBson> {
    for element in elements(document) {
        let element = element?;
        if element.name == name.as_bytes() {
            return Ok(Some(element));
        }
    }
    Ok(None)
}

impl<'a> Iterator for Elements<'a> {
    type Item = Result<Element<'a>, NotBson>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let element = split_element(&mut self.0).ok_or(NotBson);
        if element.is_err() {
            self.0 = &[];
        }
        Some(element)
    }
}

/// Documents stand in one another over more than `levels`. Itself it goes no deeper than that.
pub(crate) fn is_deeper_than(document: &RawDocument, levels: usize) -> bool {
    let mut inner = elements(document).filter_map(|element| element.ok()?.inner());
    match levels.checked_sub(1) {
        None => true,
        Some(levels) => inner.any(|inner| is_deeper_than(inner, levels)),
    }
}

fn split_element<'a>(rest: &mut &'a [u8]) -> Option<Element<'a>> {
    let (&kind, tail) = rest.split_first()?;
    let name_length = cstring_length(tail)?;
    let (name, tail) = (&tail[..name_length], &tail[name_length + 1..]);
    let (value, tail) = tail.split_at_checked(value_length(kind, tail)?)?;
    *rest = tail;
    Some(Element { kind, name, value })
}

/// Bytes before the terminating zero.
fn cstring_length(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|&byte| byte == 0)
}

fn value_length(kind: u8, bytes: &[u8]) -> Option<usize> {
    let declared = |least: i32| -> Option<usize> {
        let length = i32::from_le_bytes(*bytes.first_chunk()?);
        (length >= least).then(|| usize::try_from(length).ok()).flatten()
    };
    match kind {
        0x06 | 0x0A | 0x7F | 0xFF => Some(0),
        0x08 => Some(1),
        0x10 => Some(4),
        0x01 | 0x09 | 0x11 | 0x12 => Some(8),
        0x07 => Some(12),
        0x13 => Some(16),
        0x02 | 0x0D | 0x0E => declared(1)?.checked_add(4),
        0x03 | 0x04 => declared(5),
        0x05 => declared(0)?.checked_add(5),
        0x0C => declared(1)?.checked_add(16),
        0x0F => declared(14),
        0x0B => {
            let pattern = cstring_length(bytes)? + 1;
            Some(pattern + cstring_length(&bytes[pattern..])? + 1)
        }
        _ => None,
    }
}

/// Puts a document together out of elements of others, byte for byte.
pub(crate) struct DocumentWriter(Vec<u8>);

impl DocumentWriter {
    pub fn new() -> Self {
        Self(vec![0; 4])
    }

    pub fn copy(&mut self, element: &Element<'_>) {
        self.write(element.kind, element.name, element.value);
    }

    pub fn write(&mut self, kind: u8, name: &[u8], value: &[u8]) {
        self.0.push(kind);
        self.0.extend_from_slice(name);
        self.0.push(0);
        self.0.extend_from_slice(value);
    }

    pub fn finish(mut self) -> RawDocumentBuf {
        self.0.push(0);
        let length = i32::try_from(self.0.len()).expect("made of parts of one document");
        self.0[..4].copy_from_slice(&length.to_le_bytes());
        RawDocumentBuf::from_bytes(self.0).expect("has its length in front and a zero behind")
    }
}

#[cfg(test)]
mod tests {
    use bson::{Bson, RawDocument, RawDocumentBuf, doc, raw::cstr};

    use super::{DocumentWriter, NotBson, elements, find, is_deeper_than};

    #[test]
    fn a_document_taken_apart_and_put_together_is_the_same() {
        let regex = bson::Regex { pattern: cstr!("a.c").into(), options: cstr!("im").into() };
        let binary = bson::Binary { subtype: bson::spec::BinarySubtype::Generic, bytes: vec![0, 1, 2] };
        let document = RawDocumentBuf::try_from(&doc! {
            "a": 1, "b": 2_i64, "c": 1.5, "d": "text", "e": { "f": [1, 2] }, "g": true, "h": Bson::Null,
            "i": bson::oid::ObjectId::new(), "j": bson::DateTime::from_millis(-1),
            "k": bson::Timestamp { time: 7, increment: 8 }, "l": Bson::MinKey, "m": Bson::MaxKey, "n": Bson::Undefined,
            "o": regex, "p": binary, "q": Bson::JavaScriptCode("f".into()), "r": Bson::Symbol("s".into()),
            "s": bson::JavaScriptCodeWithScope { code: "f".into(), scope: doc! { "x": 1 } },
            "t": Bson::Decimal128("1.5".parse().expect("a decimal")),
        })
        .expect("a document");
        let mut writer = DocumentWriter::new();
        for element in elements(&document) {
            writer.copy(&element.expect("well formed"));
        }
        assert_eq!(writer.finish().as_bytes(), document.as_bytes());
        assert_eq!(find(&document, "b").expect("well formed").and_then(|b| b.integer()), Some(2));
    }

    #[test]
    fn levels_are_counted_in_arrays_and_scopes_too() {
        let scope = bson::JavaScriptCodeWithScope { code: "f".into(), scope: doc! { "x": [1] } };
        let document = RawDocumentBuf::try_from(&doc! { "a": 1, "b": [{ "c": scope }] }).expect("a document");
        assert!(is_deeper_than(&document, 4) && !is_deeper_than(&document, 5));
        assert!(!is_deeper_than(&RawDocumentBuf::new(), 1));
    }

    #[test]
    fn what_reaches_past_the_end_is_refused() {
        let bytes = b"\x0c\0\0\0\x02a\0\x07\0\0\0\0";
        let document = RawDocument::from_bytes(bytes).expect("outer length is right");
        assert_eq!(find(document, "zzz").err(), Some(NotBson));
    }
}
