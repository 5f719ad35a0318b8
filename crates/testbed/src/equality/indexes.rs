//! Indexes of one collection, by name and in order; the fields of each as `listIndexes` gives them.

use bson::{Bson, Document, doc};
use mongodb::{Client, error::Result};
use mongoferry_protocol::Namespace;

use super::{Found, same_fields::same_value};

pub(super) async fn compare(
    source: &Client,
    destination: &Client,
    namespace: &Namespace,
    found: &mut Found,
) -> Result<()> {
    let expected = list(source, namespace).await?;
    let actual = list(destination, namespace).await?;
    for (name, index) in &expected {
        match find(&actual, name) {
            None => found.add(format!("{namespace}: index {name} is only on the source")),
            Some(other) if same(index, other) => {}
            Some(other) => {
                found.add(format!("{namespace}: index {name} is {other} on the destination, {index} on the source"))
            }
        }
    }
    for (name, _) in actual.iter().filter(|(name, _)| find(&expected, name).is_none()) {
        found.add(format!("{namespace}: index {name} is only on the destination"));
    }
    let names = |indexes: &Indexes| indexes.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    let (expected, actual) = (names(&expected), names(&actual));
    if expected.len() == actual.len() && expected != actual {
        found.add(format!(
            "{namespace}: indexes are in order {actual:?} on the destination, {expected:?} on the source"
        ));
    }
    Ok(())
}

/// By name.
type Indexes = Vec<(String, Document)>;

fn find<'a>(indexes: &'a Indexes, wanted: &str) -> Option<&'a Document> {
    indexes.iter().find(|(name, _)| name == wanted).map(|(_, index)| index)
}

async fn list(client: &Client, namespace: &Namespace) -> Result<Indexes> {
    let command = doc! { "listIndexes": namespace.collection() };
    let mut cursor = client.database(namespace.database()).run_cursor_command(command).await?;
    let mut indexes = Indexes::new();
    while cursor.advance().await? {
        let mut index: Document = cursor.deserialize_current()?;
        // Servers before 4.4 repeat the namespace in every index.
        index.remove("ns");
        if index.contains_key("clustered") {
            // An option of the collection, which 6.0.27 repeats here, and 6.0.5 does not.
            index.remove("expireAfterSeconds");
        }
        indexes.push((index.get_str("name").unwrap_or_default().to_owned(), index));
    }
    Ok(indexes)
}

/// The order of a key's fields matters, that of an index's options does not.
fn same(one: &Document, other: &Document) -> bool {
    one.len() == other.len()
        && one.iter().all(|(field, value)| other.get(field).is_some_and(|other| same_option(field, value, other)))
}

/// Two options are listed differently by servers of different versions, whatever they were given.
fn same_option(field: &str, one: &Bson, other: &Bson) -> bool {
    match (field, one, other) {
        // 4.2.6 keeps what collMod sets as a long, and 4.4 a double; 5.0.4 and 6.0.5 list an int always.
        ("expireAfterSeconds", one, other) => same_value(one, other) || number(one) == number(other),
        // 4.2.6 and 4.4.2 list what they were given; 5.0.4 and 6.0.5 list flags, and that `_id` is left out.
        ("wildcardProjection", Bson::Document(one), Bson::Document(other)) => flags(one) == flags(other),
        _ => same_value(one, other),
    }
}

fn number(value: &Bson) -> Option<f64> {
    match value {
        Bson::Int32(number) => Some((*number).into()),
        Bson::Int64(number) => Some(*number as f64),
        Bson::Double(number) => Some(*number),
        _ => None,
    }
}

/// The paths of a projection that are taken in or left out.
fn flags(projection: &Document) -> Vec<(String, bool)> {
    let mut flags = Vec::new();
    for (name, value) in projection {
        match value {
            Bson::Document(inner) => {
                flags.extend(self::flags(inner).into_iter().map(|(path, flag)| (format!("{name}.{path}"), flag)));
            }
            Bson::Boolean(flag) => flags.push((name.clone(), *flag)),
            value => flags.push((name.clone(), number(value) != Some(0.0))),
        }
    }
    flags.retain(|flag| *flag != ("_id".to_owned(), false));
    flags.sort();
    flags
}

#[cfg(test)]
mod tests {
    use bson::doc;

    use super::same;

    #[test]
    fn only_what_versions_list_differently_may_differ() {
        let old =
            doc! { "key": { "$**": 1 }, "expireAfterSeconds": 60_i64, "wildcardProjection": { "a": 0, "b.c": 0 } };
        let new = doc! { "key": { "$**": 1 }, "expireAfterSeconds": 60,
        "wildcardProjection": { "a": false, "b": { "c": false }, "_id": false } };
        assert!(same(&old, &new));
        assert!(!same(&doc! { "expireAfterSeconds": 60 }, &doc! { "expireAfterSeconds": 61 }));
        assert!(!same(&doc! { "wildcardProjection": { "a": 0 } }, &doc! { "wildcardProjection": { "a": true } }));
        assert!(!same(&doc! { "bits": 20 }, &doc! { "bits": 20_i64 }));
        assert!(!same(&doc! { "key": { "a": 1, "b": 1 } }, &doc! { "key": { "b": 1, "a": 1 } }));
    }
}
