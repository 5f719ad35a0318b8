//! Turns plain collections into capped ones.
//!
//! `convertToCapped` knows no `max`, so each is copied into a new one, which then takes its place. Its indexes are those of
//! the finalization that follows. It is copied from the source, which is silent: in which order the destination's plain one
//! holds the documents is known of the member that was its primary when they were settled, and of no other.

use bson::doc;
use mongoferry_protocol::{Namespace, Optime};

use super::still_plain;
use crate::{
    bulk_writer::insert_raw,
    catalog::{CollectionInfo, list_metadata},
    collection_options::portable_options,
    connection::Cluster,
    document_scan::DocumentScan,
    error::MongoError,
    facts::{ServerVersion, facts},
    fenced::Fenced,
    index_builder::about_the_index,
    index_finalizer::FinalizationOutcome,
};

/// Every collection that is capped on the source and not yet on the destination.
pub(crate) async fn make_capped(
    source: &Cluster,
    destination: Fenced<'_>,
    outcome: &mut FinalizationOutcome,
) -> Result<(), MongoError> {
    let version = facts(destination.cluster()).await?.version;
    let (wanted, standing) = (list_metadata(source).await?, list_metadata(destination.cluster()).await?);
    for collection in still_plain(&wanted, &standing) {
        let namespace = &collection.namespace;
        match replace(source, wanted.listed_at, destination, version, collection).await {
            Ok(()) => outcome.done.push(format!("collection {namespace}: made capped")),
            Err(error) => outcome.problems.push(format!("collection {namespace}: {}", about_the_index(error)?)),
        }
    }
    Ok(())
}

/// What an interrupted attempt has left is dropped first.
async fn replace(
    source: &Cluster,
    not_before: Optime,
    destination: Fenced<'_>,
    version: ServerVersion,
    wanted: &CollectionInfo,
) -> Result<(), MongoError> {
    let namespace = &wanted.namespace;
    let aside = Namespace::new(namespace.database(), "mongoferry.capped");
    drop_if_there(destination, &aside).await?;
    let options = portable_options(&wanted.options, version);
    let mut command = doc! {"create": aside.collection()};
    command.extend(options.map_err(|error| destination.cluster().unexpected("listCollections", error))?);
    command.insert("writeConcern", doc! {"w": "majority"});
    destination.change(aside.database(), command).await?;
    let uuid = wanted.uuid.ok_or_else(|| source.unexpected("listCollections", "a capped collection without UUID"))?;
    let mut scan = DocumentScan::whole_of(source, namespace, uuid, not_before).await?;
    while let Some(batch) = scan.next().await? {
        destination.require_ours("insert").await?;
        insert_raw(destination.cluster(), &aside, batch.array()?).await?;
    }
    let rename = doc! {
        "renameCollection": aside.to_string(), "to": namespace.to_string(), "dropTarget": true,
        "writeConcern": {"w": "majority"},
    };
    destination.change("admin", rename).await.map(drop)
}

async fn drop_if_there(destination: Fenced<'_>, namespace: &Namespace) -> Result<(), MongoError> {
    let command = doc! {"drop": namespace.collection(), "writeConcern": {"w": "majority"}};
    match destination.change(namespace.database(), command).await {
        Ok(_) | Err(MongoError::CollectionGone { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}
