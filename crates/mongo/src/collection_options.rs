//! The options of a collection: as another server takes them, and which of them wait for the cutover. Pure.

use bson::{Document, RawDocument, doc, error::Error};
use mongoferry_protocol::WriteOrder;

use crate::facts::ServerVersion;

/// The source's options (of listCollections or of a `create` entry) as a server of this version takes them.
pub fn portable_options(options: &RawDocument, version: ServerVersion) -> Result<Document, Error> {
    let mut taken = Document::try_from(options)?;
    // Clients can't set `temp`; `uuid` and `autoIndexId` are remnants; `version` of a collation is the server's.
    for key in ["temp", "uuid", "autoIndexId"] {
        taken.remove(key);
    }
    if let Ok(collation) = taken.get_document_mut("collation") {
        collation.remove("version");
    }
    // Up to 4.2 it names its collection.
    if let Ok(index) = taken.get_document_mut("idIndex") {
        index.remove("ns");
    }
    // 6.0 replaced the one option by the other.
    if version.is_at_least(6, 0) && taken.remove("recordPreImages").is_some_and(|value| value.as_bool() == Some(true)) {
        taken.insert("changeStreamPreAndPostImages", doc! {"enabled": true});
    }
    Ok(taken)
}

/// With which options the collection stands on the destination until the cutover, or which of a `collMod`: not capped, because no server writes to
/// a capped collection within a transaction (263); without an expiry, so that nothing expires; and of a time-series
/// collection only what its users set, because the server adds the rest.
pub fn options_before_cutover(options: &RawDocument, version: ServerVersion) -> Result<Document, Error> {
    let mut taken = portable_options(options, version)?;
    for key in ["capped", "size", "max", "cappedSize", "cappedMax", "expireAfterSeconds"] {
        taken.remove(key);
    }
    match taken.remove("timeseries") {
        Some(series) => Ok(doc! {"timeseries": series}),
        None => Ok(taken),
    }
}

/// Which changes of the collection's documents keep their order.
pub fn write_order(options: &RawDocument) -> WriteOrder {
    if is_capped(options) {
        WriteOrder::Whole
    } else if has_collation(options) {
        WriteOrder::UnderCollation
    } else {
        WriteOrder::ByDocument
    }
}

pub fn is_capped(options: &RawDocument) -> bool {
    use bson::RawBsonRef::{Boolean, Double, Int32, Int64};
    match options.get("capped").ok().flatten() {
        Some(Boolean(flag)) => flag,
        Some(Int32(number)) => number != 0,
        Some(Int64(number)) => number != 0,
        Some(Double(number)) => number != 0.0,
        _ => false,
    }
}

/// The collection has a default collation other than the simple one.
pub(crate) fn has_collation(options: &RawDocument) -> bool {
    let locale = options.get_document("collation").and_then(|collation| collation.get_str("locale"));
    locale.is_ok_and(|locale| locale != "simple")
}

#[cfg(test)]
mod tests {
    use bson::{doc, rawdoc};
    use mongoferry_protocol::WriteOrder;

    use super::{options_before_cutover, portable_options, write_order};
    use crate::ServerVersion;

    #[test]
    fn what_the_server_adds_is_left_out() {
        let listed = rawdoc! {"temp": true, "validator": {"a": {"$gt": 1}}, "recordPreImages": true};
        let options = portable_options(&listed, ServerVersion::new(6, 0, 5)).expect("valid");
        assert_eq!(options, doc! {"validator": {"a": {"$gt": 1}}, "changeStreamPreAndPostImages": {"enabled": true}});
        let options = portable_options(&listed, ServerVersion::new(5, 0, 4)).expect("valid");
        assert_eq!(options, doc! {"validator": {"a": {"$gt": 1}}, "recordPreImages": true});
    }

    #[test]
    fn what_waits_for_the_cutover() {
        let cases = [
            (rawdoc! {"capped": true, "size": 4096, "max": 3, "validator": {}}, doc! {"validator": {}}),
            (
                rawdoc! {"clusteredIndex": {"key": {"_id": 1}}, "expireAfterSeconds": 5},
                doc! {"clusteredIndex": {"key": {"_id": 1}}},
            ),
            (
                rawdoc! {"validator": {}, "clusteredIndex": true, "expireAfterSeconds": 5, "timeseries": {"timeField": "t"}},
                doc! {"timeseries": {"timeField": "t"}},
            ),
        ];
        for (listed, expected) in cases {
            let options = options_before_cutover(&listed, ServerVersion::new(6, 0, 5)).expect("valid");
            assert_eq!(options, expected);
        }
    }

    #[test]
    fn orders_by_table() {
        for (options, order) in [
            (rawdoc! {}, WriteOrder::ByDocument),
            (rawdoc! {"capped": false, "collation": {"locale": "simple"}}, WriteOrder::ByDocument),
            (rawdoc! {"collation": {"locale": "de"}}, WriteOrder::UnderCollation),
            (rawdoc! {"capped": 1, "collation": {"locale": "de"}}, WriteOrder::Whole),
        ] {
            assert_eq!(write_order(&options), order, "{options:?}");
        }
    }
}
