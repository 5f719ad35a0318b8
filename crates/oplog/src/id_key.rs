//! The identity of a document within its collection, such that two `_id`s which the server holds for equal have one key.
//!
//! Texts are told apart under the simple collation only; under another one, which of them are equal is the server's to say.

use bson::RawDocument;
use mongoferry_protocol::WriteOrder;

use crate::element::{Element, find, kind};

/// Equal exactly if the server holds the `_id`s for equal; only `Unfoldable` says nothing about equality, though it is never
/// equal to an `_id` with another key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum IdKey {
    /// A number of any type whose value is an integer of 64 bits.
    Number(i64),
    ObjectId([u8; 12]),
    /// String or symbol, binary, boolean, date, timestamp, null: its type and its bytes.
    Simple(Box<[u8]>),
    /// Everything else: changes of such documents keep their order within their collection.
    Unfoldable,
}

impl IdKey {
    /// Of the `_id` in `document`, which may be the document itself or `{_id: value}`.
    pub fn of_document(document: &RawDocument, order: WriteOrder) -> Self {
        match (order, find(document, "_id")) {
            (WriteOrder::Whole, _) | (_, Ok(None) | Err(_)) => Self::Unfoldable,
            (WriteOrder::UnderCollation, Ok(Some(id))) if matches!(id.kind, kind::STRING | kind::SYMBOL) => {
                Self::Unfoldable
            }
            (_, Ok(Some(id))) => Self::of_element(&id),
        }
    }

    fn of_element(id: &Element<'_>) -> Self {
        let number = |value: Option<i64>| value.map_or(Self::Unfoldable, Self::Number);
        match id.kind {
            kind::INT32 | kind::INT64 => number(id.integer()),
            kind::DOUBLE => number(integral_double(id.value)),
            kind::DECIMAL128 => number(integral_decimal(id.value)),
            kind::OBJECT_ID => id.value.try_into().map_or(Self::Unfoldable, Self::ObjectId),
            // The server compares strings and symbols as one type.
            kind::STRING | kind::SYMBOL => Self::simple(kind::STRING, id.value),
            kind::BINARY | kind::BOOL | kind::DATE | kind::TIMESTAMP | kind::NULL => Self::simple(id.kind, id.value),
            _ => Self::Unfoldable,
        }
    }

    fn simple(kind: u8, value: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(1 + value.len());
        bytes.push(kind);
        bytes.extend_from_slice(value);
        Self::Simple(bytes.into_boxed_slice())
    }
}

fn integral_double(bytes: &[u8]) -> Option<i64> {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    let value = f64::from_le_bytes(bytes.try_into().ok()?);
    (value.fract() == 0.0 && (-LIMIT..LIMIT).contains(&value)).then_some(value as i64)
}

/// IEEE 754-2008 decimal128 in its binary encoding: sign, 14 bits of exponent biased by 6176, 113 bits of coefficient.
fn integral_decimal(bytes: &[u8]) -> Option<i64> {
    const LARGEST_COEFFICIENT: u128 = 10_u128.pow(34) - 1;
    let bits = u128::from_le_bytes(bytes.try_into().ok()?);
    if (bits >> 122) & 0b11111 >= 0b11110 {
        return None; // infinite or not a number
    }
    let coefficient = match bits & ((1 << 113) - 1) {
        _ if (bits >> 125) & 0b11 == 0b11 => 0, // not canonical, hence zero, as is the next
        coefficient if coefficient > LARGEST_COEFFICIENT => 0,
        coefficient => coefficient,
    };
    let exponent = i32::try_from((bits >> 113) & 0x3FFF).ok()? - 6176;
    let power = 10_u128.checked_pow(exponent.unsigned_abs());
    let magnitude = match (coefficient, power) {
        (0, _) => 0,
        (_, Some(power)) if exponent >= 0 => coefficient.checked_mul(power)?,
        (_, Some(power)) if coefficient % power == 0 => coefficient / power,
        _ => return None,
    };
    let magnitude = i128::try_from(magnitude).ok()?;
    i64::try_from(if bits >> 127 == 1 { -magnitude } else { magnitude }).ok()
}

#[cfg(test)]
mod tests {
    use bson::{Bson, raw::cstr, rawdoc};
    use mongoferry_protocol::WriteOrder;

    use super::IdKey;

    fn key(id: impl Into<Bson>) -> IdKey {
        let document = bson::doc! { "x": 0, "_id": id.into() };
        IdKey::of_document(&bson::RawDocumentBuf::try_from(&document).expect("a document"), WriteOrder::ByDocument)
    }

    fn decimal(text: &str) -> Bson {
        Bson::Decimal128(text.parse().expect("a decimal"))
    }

    #[test]
    fn numbers_of_one_value_are_one_key() {
        for (value, expected) in [(0, 0), (1, 1), (-7, -7)] {
            assert_eq!(key(value), IdKey::Number(expected));
            assert_eq!(key(i64::from(value)), IdKey::Number(expected));
            assert_eq!(key(f64::from(value)), IdKey::Number(expected));
        }
        assert_eq!(key(-0.0), IdKey::Number(0));
        assert_eq!(key(-9_223_372_036_854_775_808.0), IdKey::Number(i64::MIN));
        for (text, expected) in [
            ("1", 1),
            ("1.0", 1),
            ("1.000E3", 1000),
            ("-12E1", -120),
            ("-0", 0),
            ("0E6000", 0),
            ("9223372036854775807", i64::MAX),
        ] {
            assert_eq!(key(decimal(text)), IdKey::Number(expected), "{text}");
        }
    }

    #[test]
    fn what_is_not_simple_is_unfoldable() {
        let unfoldable: [Bson; 16] = [
            1.5.into(),
            f64::NAN.into(),
            f64::INFINITY.into(),
            9_223_372_036_854_775_808.0.into(),
            decimal("1.5"),
            decimal("NaN"),
            decimal("-Infinity"),
            decimal("9223372036854775808"),
            decimal("1E40"),
            decimal("1E-40"),
            Bson::MinKey,
            Bson::MaxKey,
            Bson::Undefined,
            Bson::Document(bson::doc! { "a": 1 }),
            Bson::RegularExpression(bson::Regex { pattern: cstr!("a").into(), options: cstr!("").into() }),
            Bson::JavaScriptCode("f".into()),
        ];
        for id in unfoldable {
            assert_eq!(key(id.clone()), IdKey::Unfoldable, "{id:?}");
        }
        let text = rawdoc! { "_id": "a" };
        assert_eq!(IdKey::of_document(&text, WriteOrder::UnderCollation), IdKey::Unfoldable);
        let number = rawdoc! { "_id": 1.0 };
        assert_eq!(IdKey::of_document(&number, WriteOrder::UnderCollation), IdKey::Number(1));
        assert_eq!(IdKey::of_document(&number, WriteOrder::Whole), IdKey::Unfoldable);
        assert_eq!(IdKey::of_document(&rawdoc! { "a": 1 }, WriteOrder::ByDocument), IdKey::Unfoldable);
    }

    #[test]
    fn simple_ids_are_told_apart_by_type_and_bytes() {
        assert_eq!(key("a"), key(Bson::Symbol("a".into())));
        assert_ne!(key("a"), key("b"));
        assert_ne!(
            key(Bson::DateTime(bson::DateTime::from_millis(1))),
            key(Bson::Timestamp(bson::Timestamp { time: 0, increment: 1 }))
        );
        assert_ne!(key(true), key(1));
        assert_ne!(key(Bson::Null), key(false));
        assert!(matches!(key(bson::oid::ObjectId::new()), IdKey::ObjectId(_)));
    }
}
