//! Which collections this version refuses to migrate, and why. Refused, never skipped.

use bson::RawDocument;
use mongoferry_protocol::Namespace;

/// Why the collection can't be migrated, as a sentence's predicate (`has encryptedFields`); `None` if it can.
/// `options` are those of listCollections or of the oplog's `create` entry.
pub fn refusal(options: &RawDocument, namespace: &Namespace) -> Option<String> {
    let name = namespace.collection();
    if name.starts_with("system.") && name != "system.js" && namespace.time_series().is_none() {
        return Some("is a system collection, which mongoferry does not migrate".into());
    }
    if name.starts_with("mongoferry.") {
        return Some("has a name of those under which mongoferry keeps collections aside on the destination".into());
    }
    if name.starts_with("enxcol_.") {
        return Some("holds the state of Queryable Encryption, which only its own server can use".into());
    }
    let is_encrypted = options.get("encryptedFields").ok().flatten().is_some();
    is_encrypted.then(|| "has encryptedFields, which this version does not migrate".into())
}

#[cfg(test)]
mod tests {
    use bson::rawdoc;
    use mongoferry_protocol::Namespace;

    use super::refusal;

    #[test]
    fn kinds_by_table() {
        let cases = [
            ("orders", rawdoc! {}, None),
            ("orders", rawdoc! {"capped": true, "size": 4096}, None),
            ("orders", rawdoc! {"encryptedFields": {"fields": []}}, Some("encryptedFields")),
            ("system.js", rawdoc! {}, None),
            ("system.buckets.weather", rawdoc! {"timeseries": {"timeField": "t"}}, None),
            ("mongoferry.capped", rawdoc! {}, Some("aside")),
            ("enxcol_.cards.esc", rawdoc! {}, Some("Queryable Encryption")),
            ("system.users", rawdoc! {}, Some("system collection")),
        ];
        for (name, options, expected) in cases {
            let refused = refusal(&options, &Namespace::new("shop", name));
            match expected {
                None => assert_eq!(refused, None, "{name} {options:?}"),
                Some(word) => assert!(refused.as_deref().is_some_and(|text| text.contains(word)), "{name} {options:?}"),
            }
        }
    }
}
