//! Values and documents as no driver would make them by itself: every type of BSON, the deprecated ones too, and the odd
//! corners of each, put together byte by byte.

use bson::RawDocumentBuf;

/// The largest document a server stores.
pub const LARGEST_DOCUMENT: usize = 16 * 1024 * 1024;

/// One value of BSON: its type and its bytes.
#[derive(Clone, Debug)]
pub struct OddValue {
    pub what: &'static str,
    kind: u8,
    bytes: Vec<u8>,
    /// Servers refuse arrays, regular expressions and `undefined` as an `_id`.
    pub may_be_id: bool,
}

const fn odd(what: &'static str, kind: u8, bytes: Vec<u8>) -> OddValue {
    OddValue { what, kind, bytes, may_be_id: true }
}

const fn no_id(what: &'static str, kind: u8, bytes: Vec<u8>) -> OddValue {
    OddValue { what, kind, bytes, may_be_id: false }
}

/// Every type and its corners. No two are equal to a server.
pub fn odd_values() -> Vec<OddValue> {
    let mut values = numbers();
    values.extend(texts());
    values.extend(binaries());
    values.extend([
        odd("MinKey", 0xff, Vec::new()),
        odd("MaxKey", 0x7f, Vec::new()),
        odd("null", 0x0a, Vec::new()),
        no_id("undefined", 0x06, Vec::new()),
        odd("true", 0x08, vec![1]),
        odd("false", 0x08, vec![0]),
        odd("object id", 0x07, (0..12).collect()),
        odd("object id of zeros", 0x07, vec![0; 12]),
        odd("earliest date", 0x09, i64::MIN.to_le_bytes().to_vec()),
        odd("date 0", 0x09, vec![0; 8]),
        odd("latest date", 0x09, i64::MAX.to_le_bytes().to_vec()),
        odd("timestamp", 0x11, 5_u64.to_le_bytes().to_vec()),
        odd("largest timestamp", 0x11, vec![0xff; 8]),
        no_id("regular expression", 0x0b, b"^a.*z$\0imsx\0".to_vec()),
        no_id("empty regular expression", 0x0b, vec![0, 0]),
        odd("database pointer", 0x0c, [text_bytes(b"shop.orders"), (12..24).collect()].concat()),
        odd("code", 0x0d, text_bytes(b"function() { return 1; }")),
        odd("code with scope", 0x0f, code_with_scope(b"x", &document(&[field(0x10, b"x", &1_i32.to_le_bytes())]))),
        odd("empty document", 0x03, document(&[])),
        odd(
            "document",
            0x03,
            document(&[field(0x10, b"a", &1_i32.to_le_bytes()), field(0x02, b"b", &text_bytes(b"x"))]),
        ),
        odd(
            "document in another order",
            0x03,
            document(&[field(0x02, b"b", &text_bytes(b"x")), field(0x10, b"a", &[1, 0, 0, 0])]),
        ),
        odd(
            "document with odd names",
            0x03,
            document(&[field(0x0a, b"", b""), field(0x0a, b"a.b", b""), field(0x0a, b"0", b"")]),
        ),
        odd(
            "reference",
            0x03,
            document(&[field(0x02, b"$ref", &text_bytes(b"orders")), field(0x10, b"$id", &[7, 0, 0, 0])]),
        ),
        no_id("empty array", 0x04, document(&[])),
        no_id("array of odd names", 0x04, document(&[field(0x08, b"0", &[1]), field(0x08, b"7", &[0])])),
        no_id(
            "array",
            0x04,
            document(&[field(0x08, b"0", &[1]), field(0x0a, b"1", b""), field(0x04, b"2", &document(&[]))]),
        ),
        odd("deeply nested document", 0x03, nested(90)),
    ]);
    values
}

fn numbers() -> Vec<OddValue> {
    let double = |what, number: f64| odd(what, 0x01, number.to_le_bytes().to_vec());
    let decimal = |what, high: u64, low: u64| odd(what, 0x13, [low.to_le_bytes(), high.to_le_bytes()].concat());
    vec![
        odd("NaN", 0x01, 0x7ff8_0000_0000_0000_u64.to_le_bytes().to_vec()),
        double("infinity", f64::INFINITY),
        double("negative infinity", f64::NEG_INFINITY),
        double("negative zero", -0.0),
        double("smallest double", f64::from_bits(1)),
        double("0.1", 0.1),
        double("2^53", 9_007_199_254_740_992.0),
        odd("2^53 + 1", 0x12, 9_007_199_254_740_993_i64.to_le_bytes().to_vec()),
        odd("int32", 0x10, i32::MIN.to_le_bytes().to_vec()),
        odd("int64", 0x12, i64::MAX.to_le_bytes().to_vec()),
        odd("small int64", 0x12, 3_i64.to_le_bytes().to_vec()),
        decimal("decimal 0.10", 0x303c_0000_0000_0000, 10),
        decimal("decimal 2E+3", 0x3046_0000_0000_0000, 2),
        decimal("decimal infinity is the double's, so a large one", 0x5ffe_314d_c644_8d93, 0x38c1_5b0a_0000_0000),
        decimal("smallest decimal", 0x0000_0000_0000_0000, 1),
    ]
}

fn texts() -> Vec<OddValue> {
    vec![
        odd("empty text", 0x02, text_bytes(b"")),
        odd("text with zeros", 0x02, text_bytes(b"a\0b\0")),
        odd("text", 0x02, text_bytes("naïve 日本 \u{1f680}".as_bytes())),
        odd("text that is not UTF-8", 0x02, text_bytes(b"\xff\xfe latin \xe9")),
        odd("symbol", 0x0e, text_bytes(b"a symbol")),
    ]
}

fn binaries() -> Vec<OddValue> {
    let binary = |what, subtype: u8, data: &[u8]| {
        let length = i32::try_from(data.len()).expect("small").to_le_bytes();
        odd(what, 0x05, [&length[..], &[subtype], data].concat())
    };
    vec![
        binary("no bytes", 0, b""),
        binary("bytes", 0, b"\0\x11\0\0\0\0\0\0\0\0\0"),
        binary("function", 1, b"f"),
        binary("old binary", 2, b"\x03\0\0\0abc"),
        binary("old UUID", 3, &[3; 16]),
        binary("UUID", 4, &[4; 16]),
        binary("MD5", 5, &[5; 16]),
        binary("user's binary", 0x80, b"\xff\xfe"),
    ]
}

/// Values that are no `_id`s of their own because they equal another: numbers of other types, and zero's other forms.
pub fn equal_numbers() -> Vec<OddValue> {
    vec![
        odd("int32 1", 0x10, 1_i32.to_le_bytes().to_vec()),
        odd("int64 1", 0x12, 1_i64.to_le_bytes().to_vec()),
        odd("double 1", 0x01, 1.0_f64.to_le_bytes().to_vec()),
        odd("decimal 1", 0x13, [1_u64.to_le_bytes(), 0x3040_0000_0000_0000_u64.to_le_bytes()].concat()),
        odd("decimal 1.0", 0x13, [10_u64.to_le_bytes(), 0x303e_0000_0000_0000_u64.to_le_bytes()].concat()),
    ]
}

/// Further values that may stand anywhere but as the only `_id` of their kind.
pub fn values_beside_ids() -> Vec<OddValue> {
    let decimal = |what, high: u64| odd(what, 0x13, [0_u64.to_le_bytes(), high.to_le_bytes()].concat());
    vec![
        odd("zero", 0x01, vec![0; 8]),
        odd("NaN with a payload", 0x01, 0xfff8_0000_0000_1234_u64.to_le_bytes().to_vec()),
        odd("signalling NaN", 0x01, 0x7ff0_0000_0000_0001_u64.to_le_bytes().to_vec()),
        decimal("decimal NaN", 0x7c00_0000_0000_0000),
        decimal("decimal signalling NaN", 0x7e00_0000_0000_0000),
        decimal("decimal infinity", 0x7800_0000_0000_0000),
        decimal("decimal negative infinity", 0xf800_0000_0000_0000),
        decimal("decimal -0", 0xb040_0000_0000_0000),
        decimal("decimal 0E+3", 0x3046_0000_0000_0000),
        odd("timestamp 0", 0x11, vec![0; 8]),
    ]
}

impl OddValue {
    /// As a field.
    pub fn named(&self, name: &str) -> Vec<u8> {
        field(self.kind, name.as_bytes(), &self.bytes)
    }

    /// `{_id: <the value>, what: …}` and `more`.
    pub fn as_id(&self, more: &[Vec<u8>]) -> RawDocumentBuf {
        let what = field(0x02, b"what", &text_bytes(self.what.as_bytes()));
        raw(&[&[self.named("_id"), what], more].concat())
    }

    /// `{_id: <number>, value: …, nested: {value: …}, list: […]}`.
    pub fn as_value(&self, id: i32) -> RawDocumentBuf {
        let nested = document(&[self.named("value"), self.named("")]);
        let list = document(&[self.named("0"), self.named("1")]);
        raw(&[int("_id", id), self.named("value"), field(0x03, b"nested", &nested), field(0x04, b"list", &list)])
    }
}

/// Documents whose names are odd; names with `$` are stored by servers from 5.0 on.
pub fn oddly_named_documents() -> Vec<RawDocumentBuf> {
    let inner = document(&[int("$set", 1), int("a.b", 2), int("", 3), int("$a", 4), int("a", 5), int("a", 6)]);
    vec![
        raw(&[int("_id", 1), int("", 1), int("a.b", 2), int("a.", 3), int(".a", 4), int("0", 5), int("00", 6)]),
        raw(&[int("_id", 2), int("twice", 1), int("other", 2), int("twice", 3)]),
        raw(&[int("_id", 3), int("$set", 1), int("$v", 2), int("diff", 3)]),
        raw(&[int("_id", 4), field(0x03, b"$set", &inner), field(0x03, b"plain", &inner)]),
        raw(&[int("_id", 5), int("$unset", 1), field(0x11, b"at", &[0; 8]), int("$x.y", 1)]),
        raw(&[int("_id", 6), field(0x11, b"twice", &[0; 8]), int("twice", 1), field(0x11, b"twice", &[0; 8])]),
        raw(&[int("_id", 7), field(0x11, b"", &[0; 8])]),
        raw(&[
            int("_id", 8),
            int("sa", 1),
            int("a", 1),
            int("u", 1),
            int("ua", 2),
            int("l", 3),
            int("i", 4),
            int("d", 5),
        ]),
        raw(&[int("_id", 10), field(0x10, b"\xe9t\xe9", &[1, 0, 0, 0]), field(0x02, b"value", &text_bytes(b"\xe9"))]),
        raw(&[vec![int("_id", 9)], (0..3_000).map(|n| int(&format!("field {n}"), n)).collect()].concat()),
    ]
}

/// A document of exactly `bytes` bytes.
pub fn document_of(id: i32, bytes: usize, more: &[Vec<u8>]) -> RawDocumentBuf {
    let rest: usize = more.iter().map(Vec::len).sum::<usize>() + int("_id", id).len() + 5;
    let data = vec![b'x'; bytes - rest - 1 - b"data\0".len() - 5];
    let length = i32::try_from(data.len()).expect("below 16 MiB").to_le_bytes();
    let binary = field(0x05, b"data", &[&length[..], &[0], &data].concat());
    let document = raw(&[&[int("_id", id)], more, &[binary]].concat());
    assert_eq!(document.as_bytes().len(), bytes);
    document
}

/// A zero timestamp, which a server replaces where it is inserted at the top level.
pub fn zero_timestamp(name: &str) -> Vec<u8> {
    field(0x11, name.as_bytes(), &[0; 8])
}

pub fn int(name: &str, number: i32) -> Vec<u8> {
    field(0x10, name.as_bytes(), &number.to_le_bytes())
}

/// A document of these fields.
pub fn raw(fields: &[Vec<u8>]) -> RawDocumentBuf {
    RawDocumentBuf::from_bytes(document(fields)).expect("put together right")
}

fn field(kind: u8, name: &[u8], value: &[u8]) -> Vec<u8> {
    [&[kind], name, &[0], value].concat()
}

fn document(fields: &[Vec<u8>]) -> Vec<u8> {
    let body = fields.concat();
    let length = i32::try_from(body.len() + 5).expect("below 2 GiB").to_le_bytes();
    [&length[..], &body, &[0]].concat()
}

fn text_bytes(text: &[u8]) -> Vec<u8> {
    let length = i32::try_from(text.len() + 1).expect("small").to_le_bytes();
    [&length[..], text, &[0]].concat()
}

fn code_with_scope(code: &[u8], scope: &[u8]) -> Vec<u8> {
    let body = [text_bytes(code), scope.to_vec()].concat();
    let length = i32::try_from(body.len() + 4).expect("small").to_le_bytes();
    [&length[..], &body].concat()
}

fn nested(levels: u32) -> Vec<u8> {
    (0..levels).fold(document(&[]), |inner, _| document(&[field(0x03, b"n", &inner)]))
}
