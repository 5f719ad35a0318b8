//! Tries out whether an index can become unique, and names the documents that stand in the way.

use bson::{Bson, Document, doc};
use mongoferry_protocol::Namespace;

use crate::{connection::Cluster, error::MongoError, fault::code_of};

const CANNOT_CONVERT_INDEX_TO_UNIQUE: i32 = 359;
const DUPLICATE_KEY: i32 = 11000;
/// So many conflicts are shown; the first are enough to find the cause.
const SHOWN: usize = 5;

/// `None` if the index, which has been prepared, can become unique. Changes nothing.
pub(crate) async fn unique_conflicts(
    destination: &Cluster,
    namespace: &Namespace,
    index: &str,
) -> Result<Option<String>, MongoError> {
    let command = doc! {"collMod": namespace.collection(), "index": {"name": index, "unique": true}, "dryRun": true};
    let error = match destination.database(namespace.database()).run_command(command).await {
        Ok(_) => return Ok(None),
        Err(error) => error,
    };
    if !matches!(code_of(&error), Some(CANNOT_CONVERT_INDEX_TO_UNIQUE | DUPLICATE_KEY)) {
        return Err(destination.explain(&format!("collMod on {namespace}"), &error));
    }
    let reply = error.server_response().and_then(|raw| Document::try_from(raw.as_ref()).ok()).unwrap_or_default();
    Ok(Some(describe(namespace, index, &reply)))
}

fn describe(namespace: &Namespace, index: &str, reply: &Document) -> String {
    let violations: Vec<String> = reply
        .get_array("violations")
        .into_iter()
        .flatten()
        .filter_map(|violation| violation.as_document()?.get_array("ids").ok())
        .map(|ids| ids.iter().map(Bson::to_string).collect::<Vec<_>>().join(", "))
        .collect();
    let shown = violations.iter().take(SHOWN).map(|ids| format!("_id {ids}")).collect::<Vec<_>>().join("; ");
    let more = match violations.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    format!("index {index} of {namespace} can't become unique: the same key is in the documents {shown}{more}")
}

#[cfg(test)]
mod tests {
    use bson::doc;
    use mongoferry_protocol::Namespace;

    use super::describe;

    #[test]
    fn the_documents_are_named() {
        let reply = doc! {"violations": [{"ids": [1, 2]}, {"ids": ["a", 3]}]};
        assert_eq!(
            describe(&Namespace::new("shop", "users"), "email_1", &reply),
            "index email_1 of shop.users can't become unique: the same key is in the documents _id 1, 2; _id \"a\", 3"
        );
    }
}
