//! Creates a collection on the destination in the form it has before the cutover. An equal one that stands already is fine.

use bson::{Document, RawDocument, RawDocumentBuf, doc};
use mongoferry_protocol::Namespace;

use crate::{
    catalog::listed_options, collection_options::options_before_cutover, connection::Cluster, error::MongoError,
    facts::ServerVersion, optimes::first_of,
};

const NAMESPACE_EXISTS: i32 = 48;

/// Creates `namespace` with the source's `options` (of listCollections). Doing so again changes nothing. The buckets of a
/// time-series collection are created with it.
pub async fn create_collection(
    destination: &Cluster,
    version: ServerVersion,
    namespace: &Namespace,
    options: &RawDocument,
) -> Result<(), MongoError> {
    let what = format!("create on {namespace}");
    let options = options_before_cutover(options, version).map_err(|error| destination.unexpected(&what, error))?;
    let series = namespace.time_series();
    let mut command = doc! {"create": series.as_ref().unwrap_or(namespace).collection()};
    command.extend(options.clone());
    command.insert("writeConcern", doc! {"w": "majority"});
    match destination.command(namespace.database(), command).await {
        Ok(_) => Ok(()),
        Err(MongoError::Command { cause, .. }) if cause.code == Some(NAMESPACE_EXISTS) => {
            require_equal(destination, version, namespace, &options).await
        }
        Err(error) => Err(error),
    }
}

async fn require_equal(
    destination: &Cluster,
    version: ServerVersion,
    namespace: &Namespace,
    wanted: &Document,
) -> Result<(), MongoError> {
    let command = doc! {"listCollections": 1, "filter": {"name": namespace.collection()}};
    let what = format!("listCollections on {}", namespace.database());
    let reply = destination.command(namespace.database(), command).await?;
    let entry = first_of(&reply).ok_or_else(|| destination.unexpected(&what, "no entry"))?;
    let existing = RawDocumentBuf::try_from(entry)
        .and_then(|entry| options_before_cutover(&listed_options(&entry)?, version))
        .map_err(|error| destination.unexpected(&what, error))?;
    if same_fields(&existing, wanted) {
        return Ok(());
    }
    Err(MongoError::CollectionDiffers {
        cluster: destination.hosts_label().to_owned(),
        namespace: namespace.to_string(),
        detail: format!("{existing} instead of {wanted}"),
    })
}

/// The same fields with the same values; the order of the options has no meaning.
pub(crate) fn same_fields(one: &Document, other: &Document) -> bool {
    one.len() == other.len() && one.iter().all(|(key, value)| other.get(key) == Some(value))
}

#[cfg(test)]
mod tests {
    use bson::doc;

    use super::same_fields;

    #[test]
    fn the_order_of_options_has_no_meaning() {
        assert!(same_fields(&doc! {"a": 1, "b": 2}, &doc! {"b": 2, "a": 1}));
        assert!(!same_fields(&doc! {"a": 1}, &doc! {"a": 1, "b": 2}));
    }
}
