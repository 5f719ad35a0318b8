//! Reads one range of a collection, by UUID, as the batches the server sends, without looking into the documents.
//!
//! Every document of the range that exists from the opening to the end comes at least once; each is as it was at or
//! after the given optime, on a majority. One batch is fetched ahead while the caller works on the previous one.

mod storage_point;

use std::time::Duration;

use bson::{RawArray, RawBsonRef, RawDocument, RawDocumentBuf, oid::ObjectId, raw::cstr, rawdoc};
use futures_util::StreamExt;
use mongodb::{
    options::RunCursorCommandOptions,
    raw_batch_cursor::{RawBatch, RawBatchCursor},
};
use mongoferry_protocol::{CopyRange, Optime, ReadOrder};
use tokio::{
    sync::mpsc::{Receiver, Sender, channel},
    task::JoinHandle,
    time::timeout,
};

use crate::{
    catalog::uuid_binary,
    connection::Cluster,
    error::{Cause, MongoError},
    optimes::timestamp,
    range_reader::storage_point::{point_behind, serving, token_of},
    raw_id::id_alone,
};

/// What a batch should hold: large enough that the cost per command vanishes, small enough to be prompt.
const BATCH_BYTES: u64 = 2 * 1024 * 1024;
/// KeyNotFound.
const KEY_NOT_FOUND: i32 = 211;
/// A batch takes a moment; a server that is silent for so long is asked anew.
const ANSWERS_WITHIN: Duration = Duration::from_secs(30);

/// What to read, and how far it was read before.
pub struct RangeRequest<'a> {
    /// Where the collection is; a collection never changes its database under the same UUID.
    pub database: &'a str,
    pub range: &'a CopyRange,
    /// What [`CopyBatch::resume_at`] of the last batch read before said.
    pub resume: Option<&'a RawDocument>,
    /// Whether a range in storage order is to tell where it can be resumed. That takes two commands more.
    pub resumable: bool,
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
    resumed: bool,
}

/// A cursor on the range.
struct Opened {
    cursor: RawBatchCursor,
    /// It goes on where the request says, instead of at the beginning.
    resumed: bool,
    /// Whose numbers the batches tell.
    process: Option<ObjectId>,
}

/// Documents as the server sent them; at least one.
pub struct CopyBatch {
    reply: RawBatch,
    documents: u64,
    resume_at: Option<RawDocumentBuf>,
}

impl RangeReader {
    /// Opens the range. [`MongoError::CollectionGone`] says that nothing is left to copy;
    /// [`MongoError::CursorLost`], here or later, that the range must be opened again at its resume point.
    pub async fn open(source: &Cluster, request: &RangeRequest<'_>) -> Result<Self, MongoError> {
        let what = format!("find on collection {} of {}", request.range.collection, request.database);
        let batch_size = batch_size(request.average_document_bytes);
        let Opened { cursor, resumed, process } = match request.range.order {
            ReadOrder::Natural if request.resumable => open_resumable(source, request, batch_size, &what).await?,
            order => Opened {
                cursor: open_cursor(source, request.database, find_range(request, batch_size), batch_size, &what)
                    .await?,
                resumed: order == ReadOrder::ById && request.resume.is_some(),
                process: None,
            },
        };
        let last = needs_max_key(request).then(|| (request.database.to_owned(), find_max_key(request)));
        let (sender, batches) = channel(1);
        let source = Source { cluster: source.clone(), what: what.clone(), order: request.range.order, process };
        let cluster = source.cluster.hosts_label().to_owned();
        Ok(Self { batches, cluster, what, task: tokio::spawn(read_range(source, cursor, last, sender)), resumed })
    }

    /// Whether it goes on where the request says. In storage order that is so only with the server process that was read from
    /// before, and as long as the document stands behind which it is to go on.
    pub fn is_resumed(&self) -> bool {
        self.resumed
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
    fn new(source: &Source, reply: RawBatch) -> Result<Self, MongoError> {
        let (cluster, what) = (&source.cluster, &source.what);
        let array = reply.doc_slices().map_err(|error| cluster.explain(what, &error))?;
        let (mut documents, mut last) = (0, None);
        for element in array {
            last = Some(element.map_err(|error| cluster.unexpected(what, error))?);
            documents += 1;
        }
        let resume_at = match source.order {
            ReadOrder::ById => last.and_then(RawBsonRef::as_document).and_then(id_alone),
            ReadOrder::Natural => source.process.and_then(|process| point_behind(reply.as_raw_document(), process)),
        };
        Ok(Self { reply, documents, resume_at })
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

    /// Where the range is resumed once this batch is written. Read by `_id`, it is the last document, which is read again.
    pub fn resume_at(&self) -> Option<&RawDocument> {
        self.resume_at.as_deref()
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
        ReadOrder::Natural => find.append(cstr!("hint"), rawdoc! {"$natural": 1}),
        ReadOrder::ById => {
            // `min` and `max` go by the index and thus across types, where `$gte` and `$lt` stay within one.
            find.append(cstr!("hint"), rawdoc! {"_id": 1});
            if let Some(min) = lower(request) {
                find.append(cstr!("min"), min);
            }
            if let Some(max) = request.range.upper.as_deref().and_then(|bytes| RawDocument::from_bytes(bytes).ok()) {
                find.append(cstr!("max"), max);
            }
        }
    }
    find
}

fn lower<'a>(request: &RangeRequest<'a>) -> Option<&'a RawDocument> {
    let bound = || request.range.lower.as_deref().and_then(|bytes| RawDocument::from_bytes(bytes).ok());
    request.resume.filter(|_| request.range.order == ReadOrder::ById).or_else(bound)
}

/// An index scan from a bound to the open end stops before MaxKey itself.
fn needs_max_key(request: &RangeRequest<'_>) -> bool {
    request.range.order == ReadOrder::ById && request.range.upper.is_none() && lower(request).is_some()
}

fn find_max_key(request: &RangeRequest<'_>) -> RawDocumentBuf {
    let mut find = find(request, 2);
    find.append(cstr!("filter"), rawdoc! {"_id": {"$eq": bson::RawBson::MaxKey}});
    find
}

fn find(request: &RangeRequest<'_>, batch_size: u32) -> RawDocumentBuf {
    rawdoc! {
        "find": uuid_binary(request.range.collection),
        "batchSize": i64::from(batch_size),
        "readConcern": {"level": "majority", "afterClusterTime": timestamp(request.apply_after)},
    }
}

/// Opens a range in storage order behind the request's point if the server can, and so that the batches tell theirs if it can.
async fn open_resumable(
    source: &Cluster,
    request: &RangeRequest<'_>,
    batch_size: u32,
    what: &str,
) -> Result<Opened, MongoError> {
    let open = async |find| refused(open_cursor(source, request.database, find, batch_size, what).await);
    let serving_now = serving(source).await?;
    let mut opened = None;
    if let Some(server) = serving_now {
        let mut telling = find_range(request, batch_size);
        telling.append(cstr!("$_requestResumeToken"), true);
        if let Some(token) = request.resume.and_then(|point| token_of(point, server.process)) {
            let mut behind = telling.clone();
            behind.append(cstr!("$_resumeAfter"), token.to_owned());
            let cursor = open(behind).await?;
            opened = cursor.map(|cursor| Opened { cursor, resumed: true, process: Some(server.process) });
        }
        if opened.is_none() {
            let cursor = open(telling).await?;
            opened = cursor.map(|cursor| Opened { cursor, resumed: false, process: Some(server.process) });
        }
    }
    let Some(opened) = opened else {
        let cursor = open_cursor(source, request.database, find_range(request, batch_size), batch_size, what).await?;
        return Ok(Opened { cursor, resumed: false, process: None });
    };
    if serving(source).await? != serving_now {
        // Another may have answered, whose numbers are others.
        return Err(source.lost_cursor(what, "the primary changed"));
    }
    Ok(opened)
}

/// `None` where the server does not do it, or not any more: the document behind which to go on is deleted (KeyNotFound).
fn refused(opened: Result<RawBatchCursor, MongoError>) -> Result<Option<RawBatchCursor>, MongoError> {
    match opened {
        Ok(cursor) => Ok(Some(cursor)),
        Err(MongoError::Command { .. }) => Ok(None),
        // Also said by a member that was just restarted; what is asked next fails then, too, and is asked again.
        Err(error) if error.server_code() == Some(KEY_NOT_FOUND) => Ok(None),
        Err(error) => Err(error),
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
    let database = source.database(database);
    let opened = timeout(ANSWERS_WITHIN, database.run_raw_cursor_command(find).with_options(options).batch()).await;
    opened.map_err(|_| silent(source, what))?.map_err(|error| source.explain(what, &error))
}

fn silent(source: &Cluster, what: &str) -> MongoError {
    source.interrupted(what, &format!("no answer within {} s", ANSWERS_WITHIN.as_secs()))
}

/// Where batches come from.
struct Source {
    cluster: Cluster,
    what: String,
    order: ReadOrder,
    process: Option<ObjectId>,
}

/// Reads ahead of the caller: the range, then what an open end leaves out, then the end or the error.
async fn read_range(
    source: Source,
    first: RawBatchCursor,
    last: Option<(String, RawDocumentBuf)>,
    sender: Sender<Result<Option<CopyBatch>, MongoError>>,
) {
    let read = async {
        forward(&source, first, &sender).await?;
        if let Some((database, find)) = last {
            let max_key = open_cursor(&source.cluster, &database, find, 2, &source.what).await?;
            forward(&source, max_key, &sender).await?;
        }
        Ok(None)
    };
    let end = read.await;
    // Nobody listening means that the reader was dropped.
    let _ = sender.send(end).await;
}

/// Sends every batch on; the send waits until the one before was taken.
async fn forward(
    source: &Source,
    mut cursor: RawBatchCursor,
    sender: &Sender<Result<Option<CopyBatch>, MongoError>>,
) -> Result<(), MongoError> {
    let (cluster, what) = (&source.cluster, &source.what);
    while let Some(reply) = timeout(ANSWERS_WITHIN, cursor.next()).await.map_err(|_| silent(cluster, what))? {
        let batch = CopyBatch::new(source, reply.map_err(|error| cluster.explain(what, &error))?)?;
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
