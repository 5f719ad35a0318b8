//! Finds the documents whose zero timestamp a server would replace by the present time. Pure.
//!
//! Servers 4.2 to 6.0 do so at the top level, except in `_id`, when a document is inserted or replaced. The result of a
//! pipeline is stored as it is.

use bson::{RawBsonRef, RawDocument, spec::ElementType};

/// A name's end and the value behind it.
const RUN: usize = 9;
const TIMESTAMP: u8 = ElementType::Timestamp as u8;

/// Whether the document has such a timestamp.
pub(crate) fn holds_zero_timestamp(document: &RawDocument) -> bool {
    may_hold_zero_timestamp(document.as_bytes())
        && document.iter_elements().flatten().any(|element| {
            let is_zero = || {
                matches!(element.value(), Ok(RawBsonRef::Timestamp(timestamp)) if timestamp.time == 0 && timestamp.increment == 0)
            };
            element.element_type() == ElementType::Timestamp && element.key().as_str() != "_id" && is_zero()
        })
}

/// False only if no zero timestamp is anywhere in these bytes of BSON. Looks at every ninth byte or so: a zero timestamp is
/// nine zeros or more in a row, and in front of them a name with the type of a timestamp before it.
pub(crate) fn may_hold_zero_timestamp(bytes: &[u8]) -> bool {
    let mut at = RUN - 1;
    while let Some(byte) = bytes.get(at) {
        if *byte != 0 {
            at += RUN;
            continue;
        }
        let begin = bytes[..at].iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        let end = bytes[at..].iter().position(|byte| *byte != 0).map_or(bytes.len(), |length| at + length);
        let name_and_type = || bytes[..begin].iter().rev().take_while(|byte| **byte != 0);
        if end - begin >= RUN && name_and_type().any(|byte| *byte == TIMESTAMP) {
            return true;
        }
        at = end + RUN;
    }
    false
}

#[cfg(test)]
mod tests {
    use bson::{RawDocumentBuf, Timestamp, rawdoc};

    use super::{holds_zero_timestamp, may_hold_zero_timestamp};

    const ZERO: Timestamp = Timestamp { time: 0, increment: 0 };

    #[test]
    fn only_a_zero_timestamp_at_the_top_counts() {
        let cases = [
            (rawdoc! {"_id": 1, "at": ZERO}, true),
            (rawdoc! {"_id": 1, "": ZERO}, true),
            (rawdoc! {"a": 0_i64, "b": 0.0, "at": ZERO, "c": 0_i64}, true),
            (rawdoc! {"_id": ZERO}, false),
            (rawdoc! {"_id": 1, "a": {"at": ZERO}}, false),
            (rawdoc! {"_id": 1, "at": Timestamp { time: 0, increment: 1 }}, false),
            (rawdoc! {"_id": 1, "n": 0_i64, "d": 0.0, "text": "x".repeat(40)}, false),
        ];
        for (document, expected) in cases {
            assert_eq!(holds_zero_timestamp(&document), expected, "{document:?}");
        }
    }

    #[test]
    fn it_is_seen_wherever_it_stands() {
        for before in 0..40 {
            for name in 0..20 {
                let mut document = rawdoc! {"text": "x".repeat(before), "n": 0_i64};
                document.append(bson::raw::CString::try_from("n".repeat(name)).expect("no zeros"), ZERO);
                document.append(bson::raw::cstr!("behind"), 1);
                assert!(may_hold_zero_timestamp(document.as_bytes()), "{before} {name}");
            }
        }
    }

    #[test]
    fn zeros_of_other_types_are_told_apart_without_decoding() {
        let plain: RawDocumentBuf = rawdoc! {"_id": 1, "n": 0_i64, "d": 0.0, "at": bson::DateTime::from_millis(0)};
        assert!(!may_hold_zero_timestamp(plain.as_bytes()));
        assert!(!may_hold_zero_timestamp(&[0; 4]));
        assert!(!may_hold_zero_timestamp(&[]));
    }
}
