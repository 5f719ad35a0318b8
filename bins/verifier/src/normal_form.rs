//! Options and index specifications without what has no meaning or is the server's own, so that servers of different
//! versions list equal things equally. Pure.

use bson::{Bson, Document, RawDocument, doc, error::Error};
use mongoferry_mongo::{ServerVersion, portable_options};

use crate::bson_text::bson_text;

/// The options of a collection or view, as a server of `version` takes them.
pub(crate) fn normal_options(options: &RawDocument, version: ServerVersion) -> Result<Document, Error> {
    let mut options = portable_options(options, version)?;
    if options.get_document("validator").is_ok_and(Document::is_empty) {
        options.remove("validator");
    }
    if options.contains_key("validator") {
        // Shown by some versions where nothing was said.
        options.entry("validationLevel").or_insert_with(|| "strict".into());
        options.entry("validationAction").or_insert_with(|| "error".into());
    }
    for absent in ["capped", "recordPreImages"] {
        remove_if_false(&mut options, absent);
    }
    if options.get_document("changeStreamPreAndPostImages").is_ok_and(|images| *images == doc! {"enabled": false}) {
        options.remove("changeStreamPreAndPostImages");
    }
    Ok(options)
}

/// The specification of an index.
pub(crate) fn normal_index(specification: &RawDocument) -> Result<Document, Error> {
    let mut index = Document::try_from(specification)?;
    // `ns` is listed up to 4.2; the others mean nothing since 4.2.
    for key in ["ns", "background", "dropDups", "safe"] {
        index.remove(key);
    }
    for absent in ["unique", "sparse", "hidden", "prepareUnique"] {
        remove_if_false(&mut index, absent);
        if index.contains_key(absent) {
            index.insert(absent, true);
        }
    }
    if index.contains_key("clustered") {
        // An option of the collection, which 6.0.27 repeats here, and 6.0.5 does not.
        index.remove("expireAfterSeconds");
    }
    if let Ok(collation) = index.get_document_mut("collation") {
        collation.remove("version");
    }
    if let Ok(projection) = index.get_document_mut("wildcardProjection") {
        normalise_projection(projection);
    }
    if index.get_str("name").is_ok_and(|name| name == "_id_") {
        index.remove("unique");
    }
    Ok(index)
}

/// 5.0 and newer list flags where 4.4 lists what it was given, and name the `_id` that is left out in any case.
fn normalise_projection(projection: &mut Document) {
    for (_, value) in projection.iter_mut() {
        match value {
            Bson::Document(nested) => normalise_projection(nested),
            _ => {
                if let Some(number) = number(value) {
                    *value = Bson::Boolean(number != 0.0);
                }
            }
        }
    }
    remove_if_false(projection, "_id");
}

/// The names of the fields that differ, with both values: `expireAfterSeconds: 60 on the source, 3600 on the destination`.
pub(crate) fn differing_fields(source: &Document, destination: &Document) -> Option<String> {
    let added = destination.keys().filter(|key| !source.contains_key(key));
    let differing: Vec<String> = source
        .keys()
        .chain(added)
        .filter(|key| match (source.get(key), destination.get(key)) {
            (Some(ours), Some(theirs)) => !same_value(ours, theirs),
            _ => true,
        })
        .map(|key| {
            let shown = |side: &Document| side.get(key).map_or_else(|| "absent".into(), shown);
            format!("{key}: {} on the source, {} on the destination", shown(source), shown(destination))
        })
        .collect();
    if differing.is_empty() { None } else { Some(differing.join("; ")) }
}

/// Numbers by value, because servers convert those of their own options; documents with the order of their fields.
fn same_value(one: &Bson, other: &Bson) -> bool {
    match (one, other) {
        (Bson::Document(one), Bson::Document(other)) => {
            one.len() == other.len()
                && one.iter().zip(other).all(|((ours, one), (theirs, other))| ours == theirs && same_value(one, other))
        }
        (Bson::Array(one), Bson::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same_value(one, other))
        }
        _ => one == other || number(one).is_some_and(|value| number(other) == Some(value)),
    }
}

fn number(value: &Bson) -> Option<f64> {
    match value {
        Bson::Int32(value) => Some(f64::from(*value)),
        Bson::Int64(value) => Some(*value as f64),
        Bson::Double(value) => Some(*value),
        _ => None,
    }
}

fn remove_if_false(document: &mut Document, key: &str) {
    let is_false = match document.get(key) {
        Some(Bson::Boolean(value)) => !value,
        Some(value) => number(value) == Some(0.0),
        None => false,
    };
    if is_false {
        document.remove(key);
    }
}

fn shown(value: &Bson) -> String {
    const LONGEST: usize = 200;
    let text = bson_text(value);
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use bson::{doc, rawdoc};
    use mongoferry_mongo::ServerVersion;

    use super::{differing_fields, normal_index, normal_options};

    #[test]
    fn indexes_that_mean_the_same() {
        let id = (
            rawdoc! {"v": 1, "key": {"_id": 1}, "name": "_id_", "ns": "a.b"},
            rawdoc! {"v": 1, "key": {"_id": 1}, "name": "_id_"},
        );
        let ttl = (
            rawdoc! {"v": 2, "key": {"a": 1}, "name": "a_1", "expireAfterSeconds": 60.0, "background": true, "sparse": false},
            rawdoc! {"v": 2, "key": {"a": 1}, "name": "a_1", "expireAfterSeconds": 60},
        );
        let wildcard = (
            rawdoc! {"v": 2, "key": {"$**": 1}, "name": "w", "wildcardProjection": {"_id": false, "a": {"b": false}}},
            rawdoc! {"v": 2, "key": {"$**": 1}, "name": "w", "wildcardProjection": {"a": {"b": 0}}},
        );
        for (ours, theirs) in [id, ttl, wildcard] {
            let (ours, theirs) = (normal_index(&ours).expect("valid"), normal_index(&theirs).expect("valid"));
            assert_eq!(differing_fields(&ours, &theirs), None);
        }
    }

    #[test]
    fn indexes_that_differ() {
        let plain = rawdoc! {"v": 2, "key": {"a": 1, "b": 1}, "name": "i"};
        for (other, field) in [
            (rawdoc! {"v": 2, "key": {"b": 1, "a": 1}, "name": "i"}, "key"),
            (rawdoc! {"v": 2, "key": {"a": 1, "b": -1}, "name": "i"}, "key"),
            (rawdoc! {"v": 2, "key": {"a": 1, "b": 1}, "name": "i", "unique": true}, "unique"),
            (rawdoc! {"v": 2, "key": {"a": 1, "b": 1}, "name": "i", "prepareUnique": true}, "prepareUnique"),
        ] {
            let (ours, theirs) = (normal_index(&plain).expect("valid"), normal_index(&other).expect("valid"));
            let differing = differing_fields(&ours, &theirs).expect("they differ");
            assert!(differing.starts_with(&format!("{field}: ")), "{differing}");
        }
    }

    #[test]
    fn options_that_mean_the_same() {
        let version = ServerVersion::new(6, 0, 5);
        let ours = normal_options(&rawdoc! {"validator": {"a": 1}, "temp": true}, version).expect("valid");
        let theirs = rawdoc! {"validator": {"a": 1}, "validationAction": "error", "validationLevel": "strict"};
        assert_eq!(differing_fields(&ours, &normal_options(&theirs, version).expect("valid")), None);
        let moderate = doc! {"validator": {"a": 1}, "validationLevel": "moderate", "validationAction": "error"};
        assert_eq!(
            differing_fields(&ours, &moderate).expect("they differ"),
            r#"validationLevel: "strict" on the source, "moderate" on the destination"#
        );
    }
}
