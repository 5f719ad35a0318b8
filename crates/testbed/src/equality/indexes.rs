//! Indexes of one collection, by name; the fields of each as `listIndexes` gives them.

use std::collections::BTreeMap;

use bson::{Document, doc};
use mongodb::{Client, error::Result};
use mongoferry_protocol::Namespace;

use super::Found;

pub(super) async fn compare(
    source: &Client,
    destination: &Client,
    namespace: &Namespace,
    found: &mut Found,
) -> Result<()> {
    let expected = list(source, namespace).await?;
    let mut actual = list(destination, namespace).await?;
    for (name, index) in &expected {
        match actual.remove(name) {
            None => found.add(format!("{namespace}: index {name} is only on the source")),
            Some(other) if same(index, &other) => {}
            Some(other) => {
                found.add(format!("{namespace}: index {name} is {other} on the destination, {index} on the source"))
            }
        }
    }
    for name in actual.keys() {
        found.add(format!("{namespace}: index {name} is only on the destination"));
    }
    Ok(())
}

async fn list(client: &Client, namespace: &Namespace) -> Result<BTreeMap<String, Document>> {
    let command = doc! { "listIndexes": namespace.collection() };
    let mut cursor = client.database(namespace.database()).run_cursor_command(command).await?;
    let mut indexes = BTreeMap::new();
    while cursor.advance().await? {
        let mut index: Document = cursor.deserialize_current()?;
        // Servers before 4.4 repeat the namespace in every index.
        index.remove("ns");
        indexes.insert(index.get_str("name").unwrap_or_default().to_owned(), index);
    }
    Ok(indexes)
}

/// The order of a key's fields matters, that of an index's options does not. `Document` compares in order, so the
/// options are taken one by one.
fn same(one: &Document, other: &Document) -> bool {
    one.len() == other.len() && one.iter().all(|(field, value)| other.get(field) == Some(value))
}
