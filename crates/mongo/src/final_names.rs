//! Gives collections that stood under another name until the cutover their own.

use bson::doc;

use crate::{
    catalog::list_metadata, error::MongoError, fenced::Fenced, index_builder::about_the_index,
    index_finalizer::FinalizationOutcome,
};

/// Doing it again does what is left.
pub(crate) async fn take_final_names(
    destination: Fenced<'_>,
    outcome: &mut FinalizationOutcome,
) -> Result<(), MongoError> {
    for collection in list_metadata(destination.cluster()).await?.collections {
        let (from, to) = (&collection.namespace, collection.namespace.from_cutover());
        if *from == to {
            continue;
        }
        let command = doc! {
            "renameCollection": from.to_string(), "to": to.to_string(), "writeConcern": {"w": "majority"},
        };
        match destination.change("admin", command).await {
            Ok(_) => outcome.done.push(format!("collection {to}: given its name")),
            Err(error) => outcome.problems.push(format!("collection {to}: {}", about_the_index(error)?)),
        }
    }
    Ok(())
}
