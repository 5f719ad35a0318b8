//! What `listCollections` says of every collection and view, but for what may differ: the UUID and read-only flag.

use std::collections::BTreeMap;

use bson::{Document, doc};
use mongodb::{Client, error::Result};
use mongoferry_protocol::Namespace;

use super::same_fields::same_fields;

/// Databases that are never migrated; written out here, since this comparison trusts nothing of the product's.
const IGNORED: [&str; 4] = ["admin", "local", "config", "mongoferry"];

pub(super) async fn list(client: &Client) -> Result<BTreeMap<Namespace, Document>> {
    let mut listed = BTreeMap::new();
    for database in client.list_database_names().await? {
        if IGNORED.contains(&database.as_str()) {
            continue;
        }
        let mut cursor = client.database(&database).run_cursor_command(doc! { "listCollections": 1 }).await?;
        while cursor.advance().await? {
            let collection: Document = cursor.deserialize_current()?;
            let name = collection.get_str("name").unwrap_or_default().to_owned();
            // Holds the views' definitions, which are compared as views; server-made, as is the profile.
            // The source's temporary collections are not for the destination, which can't have such.
            let is_temporary =
                collection.get_document("options").is_ok_and(|options| options.get_bool("temp").unwrap_or(false));
            if name != "system.views" && name != "system.profile" && !is_temporary {
                listed.insert(Namespace::new(&database, name), comparable(collection));
            }
        }
    }
    Ok(listed)
}

/// Options stand in any order.
pub(super) fn same(one: &Document, other: &Document) -> bool {
    let without_options = |collection: &Document| {
        let mut rest = collection.clone();
        rest.remove("options");
        rest
    };
    let options = |collection: &Document| collection.get_document("options").cloned().unwrap_or_default();
    same_fields(&without_options(one), &without_options(other)) && same_fields(&options(one), &options(other))
}

/// What time-series collections show is in their buckets, which are collections of their own.
pub(super) fn holds_documents(collection: &Document) -> bool {
    !matches!(collection.get_str("type"), Ok("view" | "timeseries"))
}

pub(super) fn is_capped(collection: &Document) -> bool {
    collection.get_document("options").is_ok_and(|options| options.get_bool("capped").unwrap_or(false))
}

fn comparable(mut collection: Document) -> Document {
    collection.remove("info");
    if let Ok(id_index) = collection.get_document_mut("idIndex") {
        // Servers before 4.4 repeat the namespace in every index.
        id_index.remove("ns");
    }
    if collection.get_str("name").is_ok_and(|name| name.starts_with("system.buckets.")) {
        // Made by each server as it needs it: that of 6.0.27 knows `control.count`, that of 6.0.5 does not.
        if let Ok(options) = collection.get_document_mut("options") {
            options.remove("validator");
        }
    }
    collection
}
