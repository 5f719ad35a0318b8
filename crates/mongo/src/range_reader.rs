//! Reads one range of a collection, by UUID, as the batches the server sends, without looking into the documents.
//!
//! Every document of the range that exists from the opening to the end comes at least once; each is as it was at or
//! after the given optime, on a majority. One batch is fetched ahead while the caller works on the previous one.

use bson::{RawArray, RawBsonRef, RawDocument, RawDocumentBuf, rawdoc};
use futures_util::StreamExt;
use mongodb::{
    options::RunCursorCommandOptions,
    raw_batch_cursor::{RawBatch, RawBatchCursor},
};
use mongoferry_protocol::{CopyRange, Optime, ReadOrder};
use tokio::{
    sync::mpsc::{Receiver, Sender, channel},
    task::JoinHandle,
};

use crate::{
    catalog::uuid_binary,
    connection::Cluster,
    error::{Cause, MongoError},
    optimes::timestamp,
    raw_id::id_alone,
};

/// What a batch should hold: large enough that the cost per command vanishes, small enough to be prompt.
const BATCH_BYTES: u64 = 2 * 1024 * 1024;

/// What to read, and how far it was read before.
pub struct RangeRequest<'a> {
    /// Where the collection is; a collection never changes its database under the same UUID.
    pub database: &'a str,
    pub range: &'a CopyRange,
    /// `{_id: …}` of the last document read before, for a range read by id. It is read again.
    pub resume: Option<&'a RawDocument>,
    pub apply_after: Optime,
    /// 0 if unknown.
    pub average_document_bytes: u64,
}

/// Dropped, it closes its cursor.
pub struct RangeReader {
    /// `None` is the end of the range; a channel that closes without it is not.
    batches: Receiver<Result<Option<CopyBatch>, MongoError>>,
    cluster: String,
    what: String,
    task: JoinHandle<()>,
}

/// Documents as the server sent them; at least one.
pub struct CopyBatch {
    reply: RawBatch,
    documents: u64,
    last_id: Option<RawDocumentBuf>,
}

impl RangeReader {
    /// Opens the range. [`MongoError::CollectionGone`] says that nothing is left to copy;
    /// [`MongoError::CursorLost`], here or later, that the range must be opened again at its resume point.
    pub async fn open(source: &Cluster, request: &RangeRequest<'_>) -> Result<Self, MongoError> {
        let what = format!("find on collection {} of {}", request.range.collection, request.database);
        let batch_size = batch_size(request.average_document_bytes);
        let first = open_cursor(source, request.database, find_range(request, batch_size), batch_size, &what).await?;
        let last = needs_max_key(request).then(|| (request.database.to_owned(), find_max_key(request)));
        let (sender, batches) = channel(1);
        let reader = |task| Self { batches, cluster: source.hosts_label().to_owned(), what: what.clone(), task };
        Ok(reader(tokio::spawn(read_range(source.clone(), what.clone(), first, last, sender))))
    }

    /// The next batch, or `None` at the end. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Result<Option<CopyBatch>, MongoError> {
        self.batches.recv().await.unwrap_or_else(|| {
            Err(MongoError::CursorLost {
                cluster: self.cluster.clone(),
                what: self.what.clone(),
                cause: Cause::new(None, "the reading task ended early, or its error was taken already"),
            })
        })
    }
}

impl Drop for RangeReader {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl CopyBatch {
    fn new(source: &Cluster, what: &str, reply: RawBatch) -> Result<Self, MongoError> {
        let array = reply.doc_slices().map_err(|error| source.explain(what, &error))?;
        let (mut documents, mut last) = (0, None);
        for element in array {
            last = Some(element.map_err(|error| source.unexpected(what, error))?);
            documents += 1;
        }
        let last_id = last.and_then(RawBsonRef::as_document).and_then(id_alone);
        Ok(Self { reply, documents, last_id })
    }

    /// The server's array, to be handed on as it is.
    pub fn array(&self) -> &RawArray {
        self.reply.doc_slices().expect("checked when the batch was made")
    }

    pub fn document_count(&self) -> u64 {
        self.documents
    }

    /// Size of the documents, a few bytes each for their place in the array included.
    pub fn bytes(&self) -> u64 {
        self.array().as_bytes().len() as u64
    }

    /// `{_id: …}` of the last document: where a range read by id is resumed.
    pub fn last_id(&self) -> Option<&RawDocument> {
        self.last_id.as_deref()
    }
}

/// As many documents as fill [`BATCH_BYTES`], within what still makes a good command.
fn batch_size(average_document_bytes: u64) -> u32 {
    match average_document_bytes {
        0 => 1_000,
        average => (BATCH_BYTES / average).clamp(16, 20_000) as u32,
    }
}

fn find_range(request: &RangeRequest<'_>, batch_size: u32) -> RawDocumentBuf {
    let mut find = find(request, batch_size);
    match request.range.order {
        ReadOrder::Natural => find.append(bson::raw::cstr!("hint"), rawdoc! {"$natural": 1}),
        ReadOrder::ById => {
            // `min` and `max` go by the index and thus across types, where `$gte` and `$lt` stay within one.
            find.append(bson::raw::cstr!("hint"), rawdoc! {"_id": 1});
            if let Some(min) = lower(request) {
                find.append(bson::raw::cstr!("min"), min);
            }
            if let Some(max) = request.range.upper.as_deref().and_then(|bytes| RawDocument::from_bytes(bytes).ok()) {
                find.append(bson::raw::cstr!("max"), max);
            }
        }
    }
    find
}

fn lower<'a>(request: &RangeRequest<'a>) -> Option<&'a RawDocument> {
    let bound = || request.range.lower.as_deref().and_then(|bytes| RawDocument::from_bytes(bytes).ok());
    request.resume.or_else(bound)
}

/// An index scan from a bound to the open end stops before MaxKey itself.
fn needs_max_key(request: &RangeRequest<'_>) -> bool {
    request.range.order == ReadOrder::ById && request.range.upper.is_none() && lower(request).is_some()
}

fn find_max_key(request: &RangeRequest<'_>) -> RawDocumentBuf {
    let mut find = find(request, 2);
    find.append(bson::raw::cstr!("filter"), rawdoc! {"_id": {"$eq": bson::RawBson::MaxKey}});
    find
}

fn find(request: &RangeRequest<'_>, batch_size: u32) -> RawDocumentBuf {
    rawdoc! {
        "find": uuid_binary(request.range.collection),
        "batchSize": i64::from(batch_size),
        "readConcern": {"level": "majority", "afterClusterTime": timestamp(request.apply_after)},
    }
}

async fn open_cursor(
    source: &Cluster,
    database: &str,
    find: RawDocumentBuf,
    batch_size: u32,
    what: &str,
) -> Result<RawBatchCursor, MongoError> {
    let options = RunCursorCommandOptions::builder().batch_size(batch_size).build();
    let cursor = source.database(database).run_raw_cursor_command(find).with_options(options).batch().await;
    cursor.map_err(|error| source.explain(what, &error))
}

/// Reads ahead of the caller: the range, then what an open end leaves out, then the end or the error.
async fn read_range(
    source: Cluster,
    what: String,
    first: RawBatchCursor,
    last: Option<(String, RawDocumentBuf)>,
    sender: Sender<Result<Option<CopyBatch>, MongoError>>,
) {
    let read = async {
        forward(&source, first, &sender, &what).await?;
        if let Some((database, find)) = last {
            let max_key = open_cursor(&source, &database, find, 2, &what).await?;
            forward(&source, max_key, &sender, &what).await?;
        }
        Ok(None)
    };
    let end = read.await;
    // Nobody listening means that the reader was dropped.
    let _ = sender.send(end).await;
}

/// Sends every batch on; the send waits until the one before was taken.
async fn forward(
    source: &Cluster,
    mut cursor: RawBatchCursor,
    sender: &Sender<Result<Option<CopyBatch>, MongoError>>,
    what: &str,
) -> Result<(), MongoError> {
    while let Some(reply) = cursor.next().await {
        let batch = CopyBatch::new(source, what, reply.map_err(|error| source.explain(what, &error))?)?;
        if batch.documents > 0 && sender.send(Ok(Some(batch))).await.is_err() {
            return Ok(());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::batch_size;

    #[test]
    fn batches_fill_two_mebibytes() {
        for (average, expected) in [(0, 1_000), (1_000, 2_097), (10, 20_000), (49_000, 42), (8_000_000, 16)] {
            assert_eq!(batch_size(average), expected, "{average}");
        }
    }
}
