//! Inserts documents as they came from the source, confirmed by a majority. Inserting the same again changes nothing.

use bson::{Document, RawArray, RawArrayBuf, RawDocumentBuf, raw::cstr, rawdoc};
use mongoferry_protocol::{Durable, Namespace};

use crate::{connection::Cluster, error::MongoError};

/// What an insert did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Inserted {
    pub inserted: u64,
    /// Documents whose `_id` the destination had already.
    pub duplicates: u64,
}

/// A command may be 16 MiB and 16 KiB; larger arrays are divided.
const COMMAND_BYTES: usize = 15 * 1024 * 1024;
/// A command may hold 100,000 documents.
const COMMAND_DOCUMENTS: usize = 90_000;

/// Inserts `documents` with w:majority. Without the validator: what the source holds is what the destination gets.
/// Which of them stood already is not an error; a second document for another unique index is.
pub async fn insert_raw(
    destination: &Cluster,
    namespace: &Namespace,
    documents: &RawArray,
) -> Result<Durable<Inserted>, MongoError> {
    let mut total = Inserted::default();
    if documents.as_bytes().len() <= COMMAND_BYTES {
        // No document count is taken: range reader's batches are far below the limit of one command.
        total = insert_once(destination, namespace, documents).await?;
    } else {
        let what = format!("insert into {namespace}");
        for part in divide(documents).map_err(|error| destination.unexpected(&what, error))? {
            let inserted = insert_once(destination, namespace, &part).await?;
            total.inserted += inserted.inserted;
            total.duplicates += inserted.duplicates;
        }
    }
    Ok(Durable::attest(total))
}

async fn insert_once(
    destination: &Cluster,
    namespace: &Namespace,
    documents: &RawArray,
) -> Result<Inserted, MongoError> {
    let what = format!("insert into {namespace}");
    let reply = destination.raw_command(namespace.database(), insert_command(namespace, documents), &what).await?;
    inserted(destination, &what, &reply)
}

fn insert_command(namespace: &Namespace, documents: &RawArray) -> RawDocumentBuf {
    let mut command = rawdoc! {
        "insert": namespace.collection(),
        "ordered": false,
        "bypassDocumentValidation": true,
        "writeConcern": {"w": "majority"},
    };
    command.append(cstr!("documents"), documents);
    command
}

fn inserted(destination: &Cluster, what: &str, reply: &Document) -> Result<Inserted, MongoError> {
    let mut duplicates = 0;
    for error in reply.get_array("writeErrors").into_iter().flatten() {
        let error = error.as_document().ok_or_else(|| destination.unexpected(what, "a write error without fields"))?;
        if !is_duplicate_id(error) {
            return Err(failure(destination, what, error));
        }
        duplicates += 1;
    }
    if let Ok(error) = reply.get_document("writeConcernError") {
        return Err(failure(destination, what, error));
    }
    let inserted = reply.get_i32("n").map_err(|error| destination.unexpected(what, error))?;
    Ok(Inserted { inserted: u64::try_from(inserted).unwrap_or(0), duplicates })
}

fn failure(destination: &Cluster, what: &str, error: &Document) -> MongoError {
    let code = error.get_i32("code").unwrap_or(0);
    MongoError::of_code(destination.hosts_label(), what, code, error.get_str("errmsg").unwrap_or_default())
}

fn is_duplicate_id(error: &Document) -> bool {
    let by_pattern = || error.get_document("keyPattern").is_ok_and(|keys| keys.keys().eq(["_id"]));
    let by_message = || error.get_str("errmsg").is_ok_and(|message| message.contains(" index: _id_ "));
    error.get_i32("code").is_ok_and(|code| code == 11000) && (by_pattern() || by_message())
}

/// Parts that each fit into a command; a document alone always does.
fn divide(documents: &RawArray) -> Result<Vec<RawArrayBuf>, bson::error::Error> {
    let mut parts = Vec::new();
    let (mut part, mut bytes, mut count) = (RawArrayBuf::new(), 0, 0);
    for document in documents {
        let document = document?;
        let size = document.as_document().map_or(0, |document| document.as_bytes().len()) + 16;
        if count > 0 && (bytes + size > COMMAND_BYTES || count == COMMAND_DOCUMENTS) {
            parts.push(std::mem::take(&mut part));
            (bytes, count) = (0, 0);
        }
        part.push(document);
        bytes += size;
        count += 1;
    }
    parts.push(part);
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use bson::{RawArrayBuf, doc, rawdoc};

    use super::{divide, is_duplicate_id};

    #[test]
    fn only_a_second_id_is_tolerated() {
        assert!(is_duplicate_id(&doc! {"code": 11000, "keyPattern": {"_id": 1}, "errmsg": ""}));
        assert!(is_duplicate_id(
            &doc! {"code": 11000, "errmsg": "E11000 … collection: a.b index: _id_ dup key: { _id: 1 }"}
        ));
        assert!(!is_duplicate_id(&doc! {"code": 11000, "keyPattern": {"email": 1}, "errmsg": ""}));
        assert!(!is_duplicate_id(&doc! {"code": 11000, "keyPattern": {"_id": 1, "a": 1}, "errmsg": ""}));
        assert!(!is_duplicate_id(&doc! {"code": 121, "keyPattern": {"_id": 1}, "errmsg": ""}));
    }

    #[test]
    fn large_arrays_are_divided_without_loss() {
        let mut array = RawArrayBuf::new();
        for number in 0..5 {
            array.push(rawdoc! {"_id": number, "text": "x".repeat(6 * 1024 * 1024)});
        }
        let parts = divide(&array).expect("valid");
        let counts: Vec<usize> = parts.iter().map(|part| part.into_iter().count()).collect();
        assert_eq!(counts, [2, 2, 1]);
    }
}
