//! The least that a copy needs: read a collection in batches, insert each as it came, several at once.

use bson::{RawDocumentBuf, doc, raw::cstr, rawdoc};
use futures_util::StreamExt;
use mongodb::{
    Client, Collection,
    options::{Hint, ReadConcern},
    raw_batch_cursor::RawBatch,
};
use tokio::task::JoinSet;

use crate::fixture::Shape;

/// Inserts under way. Fewer take longer; more need up to a tenth more of the destination's CPU.
const WRITERS: usize = 3;
const BATCH_BYTES: u32 = 2 * 1024 * 1024;

/// Copies collections one after the other to `database` on the destination; bytes copied.
pub async fn bare_copy(source: &Client, destination: &Client, shapes: &[Shape], database: Option<&str>) -> u64 {
    let (mut writers, mut bytes) = (JoinSet::new(), 0);
    for shape in shapes {
        let collection: Collection<RawDocumentBuf> = source.database(shape.database).collection(&shape.collection);
        let find = collection.find(doc! {}).hint(Hint::Keys(doc! { "$natural": 1 }));
        let find = find.read_concern(ReadConcern::majority()).batch_size(BATCH_BYTES / shape.document_bytes);
        let mut batches = find.batch().await.expect("the source answers");
        while let Some(batch) = batches.next().await {
            if writers.len() == WRITERS {
                bytes += writers.join_next().await.expect("some are under way").expect("no panic");
            }
            let to = destination.database(database.unwrap_or(shape.database));
            writers.spawn(insert(to, shape.collection.clone(), batch.expect("the source answers")));
        }
    }
    writers.join_all().await.into_iter().fold(bytes, |sum, bytes| sum + bytes)
}

async fn insert(database: mongodb::Database, collection: String, batch: RawBatch) -> u64 {
    let documents = batch.doc_slices().expect("a batch holds documents");
    if documents.is_empty() {
        return 0;
    }
    let mut command = rawdoc! {
        "insert": collection,
        "ordered": false,
        "bypassDocumentValidation": true,
        "writeConcern": { "w": "majority" },
    };
    command.append(cstr!("documents"), documents);
    let reply = database.run_raw_command(command).await.expect("the destination inserts");
    assert!(!reply.contains_key("writeErrors") && !reply.contains_key("writeConcernError"), "{reply}");
    documents.as_bytes().len() as u64
}
