//! MF-V15: the destination can build every index of the source. Pure.

use bson::{Bson, RawDocument};
use mongoferry_mongo::{CatalogListing, ServerVersion};
use mongoferry_protocol::{Finding, Namespace};

use crate::check::{Check, Trouble};

const LISTED: usize = 20;
const MOST_INDEXES: usize = 64;
/// What every supported server accepts in an index specification.
const OPTIONS: [&str; 26] = [
    "v",
    "key",
    "name",
    "ns",
    "background",
    "unique",
    "sparse",
    "hidden",
    "prepareUnique",
    "expireAfterSeconds",
    "partialFilterExpression",
    "collation",
    "storageEngine",
    "weights",
    "default_language",
    "language_override",
    "textIndexVersion",
    "2dsphereIndexVersion",
    "bits",
    "min",
    "max",
    "wildcardProjection",
    "clustered",
    "dropDups",
    "columnstoreProjection",
    "originalSpec",
];
const KINDS: [&str; 4] = ["text", "2d", "2dsphere", "hashed"];

pub(crate) fn check(source: &CatalogListing, destination: ServerVersion) -> Finding {
    let check = Check::new("MF-V15", "source: indexes the destination can build");
    let mut troubles = Vec::new();
    let mut count = 0;
    for collection in &source.collections {
        count += collection.indexes.len() as u64;
        if collection.indexes.len() > MOST_INDEXES {
            troubles.push((collection.namespace.clone(), String::new(), format!("more than {MOST_INDEXES} indexes")));
        }
        for index in &collection.indexes {
            if let Some(reason) = trouble(index, destination) {
                let name = index.get_str("name").unwrap_or_default().to_owned();
                troubles.push((collection.namespace.clone(), name, reason));
            }
        }
    }
    match troubles.first() {
        None => check.passes(format!("all {count}")),
        Some((namespace, name, _)) => check.fails(Trouble::new(
            listed(&troubles),
            "The index could not be built, and mongoferry leaves none out silently.",
            format!(
                "Drop it on the source, and build its successor there or, later, here: {}",
                drop_command(namespace, name)
            ),
        )),
    }
}

fn listed(troubles: &[(Namespace, String, String)]) -> String {
    let first: Vec<String> =
        troubles.iter().take(LISTED).map(|(namespace, name, reason)| format!("{namespace} {name}: {reason}")).collect();
    match troubles.len().saturating_sub(LISTED) {
        0 => first.join("; "),
        more => format!("{}; and {more} more", first.join("; ")),
    }
}

fn drop_command(namespace: &Namespace, index: &str) -> String {
    format!(
        "db.getSiblingDB({:?}).getCollection({:?}).dropIndex({index:?})",
        namespace.database(),
        namespace.collection()
    )
}

fn trouble(index: &RawDocument, destination: ServerVersion) -> Option<String> {
    let index = bson::Document::try_from(index).ok()?;
    let kind = index.get_document("key").ok().and_then(|key| key.values().find_map(Bson::as_str));
    if kind == Some("geoHaystack") {
        return destination.is_at_least(5, 0).then(|| "geoHaystack indexes ended with 4.4".into());
    }
    if let Some(kind) = kind.filter(|kind| !KINDS.contains(kind)) {
        return Some(format!("an index of the unknown kind {kind:?}"));
    }
    let version = index.get("v").map_or(2, |version| match version {
        Bson::Int32(version) => i64::from(*version),
        Bson::Int64(version) => *version,
        Bson::Double(version) => *version as i64,
        _ => -1,
    });
    if !matches!(version, 1 | 2) {
        return Some(format!("index version {version} can't be built any more"));
    }
    let unknown: Vec<&str> = index.keys().map(String::as_str).filter(|option| !OPTIONS.contains(option)).collect();
    (!unknown.is_empty()).then(|| format!("options that newer servers refuse: {}", unknown.join(", ")))
}

#[cfg(test)]
mod tests {
    use bson::{RawDocumentBuf, doc};
    use mongoferry_mongo::ServerVersion;

    use super::trouble;

    #[test]
    fn what_can_be_built_by_table() {
        for (index, on_four, on_six) in [
            (doc! {"v": 2, "key": {"a": 1}, "name": "a"}, true, true),
            (doc! {"v": 1, "key": {"a": 1}, "name": "a", "ns": "a.b", "background": true}, true, true),
            (doc! {"v": 0, "key": {"a": 1}, "name": "a"}, false, false),
            (doc! {"v": 2, "key": {"a": "geoHaystack", "b": 1}, "name": "a", "bucketSize": 1.0}, true, false),
            (doc! {"v": 2, "key": {"a": "columnstore"}, "name": "a"}, false, false),
            (doc! {"v": 2, "key": {"a": 1}, "name": "a", "safe": true}, false, false),
            (doc! {"v": 2, "key": {"_fts": "text", "_ftsx": 1}, "name": "a", "textIndexVersion": 1}, true, true),
        ] {
            let raw = RawDocumentBuf::try_from(&index).expect("valid");
            assert_eq!(trouble(&raw, ServerVersion::new(4, 4, 29)).is_none(), on_four, "{index}");
            assert_eq!(trouble(&raw, ServerVersion::new(6, 0, 5)).is_none(), on_six, "{index}");
        }
    }
}
