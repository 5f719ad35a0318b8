//! Creates a collection on the destination as it is on the source. An equal one that stands already is fine.

use bson::{Document, RawDocument, RawDocumentBuf, doc};
use mongoferry_protocol::Namespace;

use crate::{connection::Cluster, error::MongoError, facts::ServerVersion, optimes::first_of};

const NAMESPACE_EXISTS: i32 = 48;

/// The source's options as the destination takes them.
pub fn destination_options(options: &RawDocument, destination: ServerVersion) -> Result<Document, bson::error::Error> {
    let mut taken = Document::try_from(options)?;
    // Clients can't set `temp`; `uuid` and `autoIndexId` are remnants; `version` of a collation is the server's.
    for key in ["temp", "uuid", "autoIndexId"] {
        taken.remove(key);
    }
    if let Ok(collation) = taken.get_document_mut("collation") {
        collation.remove("version");
    }
    // 6.0 replaced the one option by the other.
    if destination.is_at_least(6, 0)
        && taken.remove("recordPreImages").is_some_and(|value| value.as_bool() == Some(true))
    {
        taken.insert("changeStreamPreAndPostImages", doc! {"enabled": true});
    }
    Ok(taken)
}

/// Creates `namespace` with the source's `options` (of listCollections). Doing so again changes nothing.
pub async fn create_collection(
    destination: &Cluster,
    version: ServerVersion,
    namespace: &Namespace,
    options: &RawDocument,
) -> Result<(), MongoError> {
    let what = format!("create on {namespace}");
    let options = destination_options(options, version).map_err(|error| destination.unexpected(&what, error))?;
    let mut command = doc! {"create": namespace.collection()};
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
    let existing = first_of(&reply).and_then(|entry| entry.get_document("options").ok());
    let existing = existing.ok_or_else(|| destination.unexpected(&what, "no options"))?;
    let existing = RawDocumentBuf::try_from(existing)
        .and_then(|raw| destination_options(&raw, version))
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
    use bson::{doc, rawdoc};

    use super::{destination_options, same_fields};
    use crate::ServerVersion;

    #[test]
    fn what_the_server_adds_is_left_out() {
        let listed = rawdoc! {"temp": true, "validator": {"a": {"$gt": 1}}, "recordPreImages": true};
        let options = destination_options(&listed, ServerVersion::new(6, 0, 5)).expect("valid");
        assert_eq!(options, doc! {"validator": {"a": {"$gt": 1}}, "changeStreamPreAndPostImages": {"enabled": true}});
        let options = destination_options(&listed, ServerVersion::new(5, 0, 4)).expect("valid");
        assert_eq!(options, doc! {"validator": {"a": {"$gt": 1}}, "recordPreImages": true});
        assert!(same_fields(&doc! {"a": 1, "b": 2}, &doc! {"b": 2, "a": 1}));
        assert!(!same_fields(&doc! {"a": 1}, &doc! {"a": 1, "b": 2}));
    }
}
