//! What a migration would do, step by step, as `mongoferry migrate --dry-run` prints it. Pure.

use std::fmt::Write;

use mongoferry_protocol::{CollectionInventory, Inventory, NotCopied};

use crate::amounts::{bytes_text, count_text, counted};

const VIEW: &str = "view";

/// Collections in the order in which they are queued, then the views, then what stays behind.
pub fn plan_text(inventory: &Inventory) -> String {
    let (views, collections): (Vec<_>, Vec<_>) =
        inventory.collections.iter().partition(|collection| collection.kind == VIEW);
    let mut text = String::from("plan\n");
    text += "  1. capture the source's oplog, from before the first document is read\n";
    text += "  2. copy, largest first, and build the indexes of each collection behind its copy:\n";
    for collection in largest_first(collections) {
        // Writing to a string does not fail.
        let _ = writeln!(text, "     {}", collection_line(collection));
    }
    text += "  3. replay the oplog until both sides are in step, and wait for the cutover\n";
    text += "  4. cutover: compare every document, give indexes their last properties, create the views";
    if !views.is_empty() {
        let names: Vec<&str> = views.iter().map(|view| view.namespace.as_str()).collect();
        let _ = write!(text, ": {}", names.join(", "));
    }
    let _ = write!(text, "\nnot copied   {}", left_text(&inventory.not_copied));
    text
}

/// Those of equal size by name, as they are listed.
fn largest_first(mut collections: Vec<&CollectionInventory>) -> Vec<&CollectionInventory> {
    collections.sort_by_key(|collection| std::cmp::Reverse(collection.bytes));
    collections
}

fn collection_line(collection: &CollectionInventory) -> String {
    let kind = if collection.kind == "collection" { String::new() } else { format!(" ({})", collection.kind) };
    format!(
        "{}{kind}  {}, {}, {}, {}",
        collection.namespace,
        counted(collection.documents, "document"),
        bytes_text(collection.bytes),
        counted(collection.ranges, "range"),
        counted(collection.indexes, "index")
    )
}

fn left_text(left: &NotCopied) -> String {
    let count = |count: Option<u64>| count.map_or("not countable".to_owned(), count_text);
    format!(
        "users: {}, roles: {}, search indexes: {}, collections of config: {}, of the profiler: {}; admin, local",
        count(left.users),
        count(left.roles),
        count(left.search_indexes),
        count(left.config_collections),
        count_text(left.profiler_collections)
    )
}

#[cfg(test)]
mod tests {
    use mongoferry_protocol::{CollectionInventory, Inventory};

    use super::plan_text;

    #[test]
    fn largest_first_and_views_last() {
        let collection = |namespace: &str, kind: &str, bytes| CollectionInventory {
            namespace: namespace.into(),
            kind: kind.into(),
            documents: 3,
            bytes,
            ranges: 1,
            indexes: 2,
        };
        let inventory = Inventory {
            collections: vec![
                collection("a.small", "collection", 10),
                collection("a.view", "view", 0),
                collection("b.large", "capped", 2_000),
            ],
            ..Inventory::default()
        };
        let text = plan_text(&inventory);
        let large = text.find("b.large (capped)  3 documents, 2.0 KiB, 1 range, 2 indexes").expect("is listed");
        let small = text.find("a.small  3 documents").expect("is listed");
        assert!(large < small, "{text}");
        assert!(text.contains("create the views: a.view\n") && text.contains("users: not countable"), "{text}");
    }
}
