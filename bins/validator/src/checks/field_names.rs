//! MF-V19: a sample of the source's documents holds no field names that the destination's version would refuse.

use std::time::Duration;

use bson::{Bson, Document, doc};
use futures_util::{StreamExt, stream};
use mongoferry_mongo::{CollectionInfo, ServerVersion};
use mongoferry_protocol::Finding;

use crate::{
    check::{Check, Trouble},
    cluster_observation::ClusterObservation,
};

const SAMPLED_COLLECTIONS: usize = 50;
const SAMPLED_DOCUMENTS: i32 = 100;
const LISTED: usize = 10;
const PATIENCE: Duration = Duration::from_secs(5);

/// From 5.0 on servers take every field name.
pub(crate) async fn check(source: &ClusterObservation, destination: ServerVersion) -> Finding {
    let check = Check::new("MF-V19", "source: field names the destination takes");
    if destination.is_at_least(5, 0) {
        return check.passes(format!("version {destination} takes them all"));
    }
    let mut largest: Vec<&CollectionInfo> = source.catalog.iter().flat_map(|catalog| &catalog.collections).collect();
    largest.sort_by_key(|info| std::cmp::Reverse(info.size_bytes));
    let samples: Vec<_> = largest.into_iter().take(SAMPLED_COLLECTIONS).map(|info| sample(source, info)).collect();
    let found: Vec<String> =
        match tokio::time::timeout(PATIENCE, stream::iter(samples).buffer_unordered(4).concat()).await {
            Ok(found) => found,
            Err(_) => {
                return check.passes(format!("the sample took longer than {} s and was given up", PATIENCE.as_secs()));
            }
        };
    if found.is_empty() {
        return check.passes("nothing unusual in a sample");
    }
    let more =
        if found.len() > LISTED { format!("; and {} more in the sample", found.len() - LISTED) } else { String::new() };
    check.warns(Trouble::new(
        found.into_iter().take(LISTED).collect::<Vec<_>>().join("; ") + &more,
        "Servers before 5.0 refuse names that begin with $ and can't update fields whose names hold a dot.",
        "Rename these fields on the source, or use a destination of version 5.0 or newer.",
    ))
}

async fn sample(source: &ClusterObservation, info: &CollectionInfo) -> Vec<String> {
    let command = doc! {
        "aggregate": info.namespace.collection(),
        "pipeline": [{"$sample": {"size": SAMPLED_DOCUMENTS}}],
        "cursor": {"batchSize": SAMPLED_DOCUMENTS},
        "maxTimeMS": PATIENCE.as_millis() as i64,
    };
    // What can't be sampled is no finding: the privileges have a check of their own.
    let Ok(reply) = source.cluster.command(info.namespace.database(), command).await else { return Vec::new() };
    let batch = reply.get_document("cursor").ok().and_then(|cursor| cursor.get_array("firstBatch").ok());
    let documents = batch.into_iter().flatten().filter_map(Bson::as_document);
    documents
        .filter_map(|document| {
            let name = unusual(document)?;
            Some(format!("{name:?} in {} _id {}", info.namespace, document.get("_id").unwrap_or(&Bson::Null)))
        })
        .collect()
}

/// The first field name, however deep, that begins with `$` or holds a dot. References to other documents are usual.
fn unusual(document: &Document) -> Option<&str> {
    document.iter().find_map(|(name, value)| {
        let usual = matches!(name.as_str(), "$ref" | "$id" | "$db");
        if !usual && (name.starts_with('$') || name.contains('.')) { Some(name.as_str()) } else { within(value) }
    })
}

fn within(value: &Bson) -> Option<&str> {
    match value {
        Bson::Document(document) => unusual(document),
        Bson::Array(values) => values.iter().find_map(within),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use bson::doc;

    use super::unusual;

    #[test]
    fn unusual_names_are_found_at_any_depth() {
        for (document, name) in [
            (doc! {"a": {"b": [1, {"c": 1}]}}, None),
            (doc! {"a.b": 1}, Some("a.b")),
            (doc! {"a": [{"b": {"$x": 1}}]}, Some("$x")),
            (doc! {"other": {"$ref": "c", "$id": 1}}, None),
        ] {
            assert_eq!(unusual(&document), name, "{document}");
        }
    }
}
