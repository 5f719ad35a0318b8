//! Which collections this version refuses to migrate, and why. Refused, never skipped.

use bson::{RawBsonRef, RawDocument};
use mongoferry_protocol::Namespace;

/// Why the collection can't be migrated, as a sentence's predicate (`is capped`); `None` if it can.
/// `options` are those of listCollections or of the oplog's `create` entry.
pub fn refusal(options: &RawDocument, namespace: &Namespace) -> Option<String> {
    if namespace.collection().starts_with("system.") {
        return Some("is a system collection, which mongoferry does not migrate".into());
    }
    let has = |key: &str| options.get(key).ok().flatten().is_some();
    let is_true = |key: &str| matches!(options.get(key), Ok(Some(value)) if truth(value));
    if is_true("capped") {
        return Some("is capped; its order and its eviction can't be kept while changes are replayed".into());
    }
    if has("timeseries") {
        return Some("is a time-series collection, which this version does not migrate".into());
    }
    if is_true("clusteredIndex") || matches!(options.get_document("clusteredIndex"), Ok(index) if !index.is_empty()) {
        return Some("is clustered, which this version does not migrate".into());
    }
    if has("encryptedFields") {
        return Some("has encryptedFields, which this version does not migrate".into());
    }
    match options.get_document("collation").ok().and_then(|collation| collation.get_str("locale").ok()) {
        None | Some("simple") => None,
        Some(locale) => {
            Some(format!("has the default collation {locale:?}, under which different _id values are equal"))
        }
    }
}

fn truth(value: RawBsonRef<'_>) -> bool {
    match value {
        RawBsonRef::Boolean(flag) => flag,
        RawBsonRef::Int32(number) => number != 0,
        RawBsonRef::Int64(number) => number != 0,
        RawBsonRef::Double(number) => number != 0.0,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use bson::rawdoc;
    use mongoferry_protocol::Namespace;

    use super::refusal;

    #[test]
    fn kinds_by_table() {
        let plain = Namespace::new("shop", "orders");
        let cases = [
            (rawdoc! {}, None),
            (rawdoc! {"validator": {"a": 1}, "validationLevel": "moderate"}, None),
            (rawdoc! {"collation": {"locale": "simple"}}, None),
            (rawdoc! {"capped": false}, None),
            (rawdoc! {"capped": true, "size": 4096}, Some("capped")),
            (rawdoc! {"timeseries": {"timeField": "t"}}, Some("time-series")),
            (rawdoc! {"clusteredIndex": {"key": {"_id": 1}, "unique": true}}, Some("clustered")),
            (rawdoc! {"clusteredIndex": true}, Some("clustered")),
            (rawdoc! {"encryptedFields": {"fields": []}}, Some("encryptedFields")),
            (rawdoc! {"collation": {"locale": "de", "strength": 2}}, Some("collation")),
        ];
        for (options, expected) in cases {
            let refused = refusal(&options, &plain);
            match expected {
                None => assert_eq!(refused, None, "{options:?}"),
                Some(word) => assert!(refused.as_deref().is_some_and(|text| text.contains(word)), "{options:?}"),
            }
        }
        assert!(refusal(&rawdoc! {}, &Namespace::new("shop", "system.js")).is_some());
    }
}
