//! Inserts documents as they came from the source, confirmed by a majority. Inserting the same again changes nothing.

use std::time::Duration;

use bson::{Document, RawArray, RawArrayBuf, RawBsonRef, RawDocument, RawDocumentBuf, raw::cstr, rawdoc};
use mongoferry_protocol::{Durable, Namespace, WriteOrder};
use tokio::time::timeout;

use crate::{
    connection::Cluster,
    error::MongoError,
    lane_writer::{id_query, literally},
    raw_id::id_alone,
    zero_timestamp::{holds_zero_timestamp, may_hold_zero_timestamp},
};

/// What an insert did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Inserted {
    pub inserted: u64,
    /// Documents whose `_id` the destination had already.
    pub duplicates: u64,
}

impl Inserted {
    fn add(&mut self, more: Self) {
        self.inserted += more.inserted;
        self.duplicates += more.duplicates;
    }
}

/// MaxTimeMSExpired.
const EXCEEDED_TIME_LIMIT: i32 = 50;
/// Once the server has ended a command: later, it never comes.
const ANSWER_COMES_WITHIN: Duration = Duration::from_secs(10);
/// A command may be 16 MiB and 16 KiB; larger arrays are divided.
const COMMAND_BYTES: usize = 15 * 1024 * 1024;
/// A command may hold 100,000 documents.
const COMMAND_DOCUMENTS: usize = 90_000;

/// How long a command may take; `None` without a limit.
pub type TimeLeft<'a> = &'a (dyn Fn() -> Option<Duration> + Sync);

struct Target<'a> {
    cluster: &'a Cluster,
    time_left: TimeLeft<'a>,
}

/// Inserts `documents` with w:majority. Without the validator: what the source holds is what the destination gets.
/// Which of them stood already is not an error; a second document for another unique index is. They are inserted in this order.
pub async fn insert_raw(
    destination: &Cluster,
    namespace: &Namespace,
    documents: &RawArray,
) -> Result<Durable<Inserted>, MongoError> {
    insert_raw_in_time(destination, namespace, documents, WriteOrder::Whole, &|| None).await
}

/// The same by commands that the server ends by itself once the time that `time_left` tells right before each is up: a late insert
/// could bring back what was deleted meanwhile. Nothing is sent without any time left. Only for a collection whose `order` is one of
/// the whole they are inserted in this order.
pub async fn insert_raw_in_time(
    destination: &Cluster,
    namespace: &Namespace,
    documents: &RawArray,
    order: WriteOrder,
    time_left: TimeLeft<'_>,
) -> Result<Durable<Inserted>, MongoError> {
    let what = format!("insert into {namespace}");
    let destination = Target { cluster: destination, time_left };
    if !may_hold_zero_timestamp(documents.as_bytes()) {
        return Ok(Durable::attest(insert_plain(&destination, namespace, documents, &what).await?));
    }
    let mut total = Inserted::default();
    let groups = separate(documents, order).map_err(|error| destination.cluster.unexpected(&what, error))?;
    for Group { literally, documents } in groups {
        if !literally {
            total.add(insert_plain(&destination, namespace, &documents, &what).await?);
            continue;
        }
        for part in divide(&documents, literal_size).map_err(|error| destination.cluster.unexpected(&what, error))? {
            total.add(write_once(&destination, namespace, literal_command(namespace, &part), &what).await?);
        }
    }
    Ok(Durable::attest(total))
}

/// Documents that an insert stores as they are, or others.
#[derive(Debug, PartialEq)]
struct Group {
    literally: bool,
    documents: RawArrayBuf,
}

/// In as few groups as the order allows.
fn separate(documents: &RawArray, order: WriteOrder) -> Result<Vec<Group>, bson::error::Error> {
    let mut groups: Vec<Group> = Vec::new();
    for document in documents {
        let document = document?;
        let literally = document.as_document().is_some_and(holds_zero_timestamp);
        let reach = if order == WriteOrder::Whole { 1 } else { 2 };
        match groups.iter_mut().rev().take(reach).find(|group| group.literally == literally) {
            Some(group) => group.documents.push(document),
            None => {
                let mut documents = RawArrayBuf::new();
                documents.push(document);
                groups.push(Group { literally, documents });
            }
        }
    }
    Ok(groups)
}

async fn insert_plain(
    destination: &Target<'_>,
    namespace: &Namespace,
    documents: &RawArray,
    what: &str,
) -> Result<Inserted, MongoError> {
    if documents.is_empty() {
        return Ok(Inserted::default());
    }
    if documents.as_bytes().len() <= COMMAND_BYTES {
        // No document count is taken: range reader's batches are far below the limit of one command.
        return write_once(destination, namespace, insert_command(namespace, documents), what).await;
    }
    let mut total = Inserted::default();
    for part in divide(documents, plain_size).map_err(|error| destination.cluster.unexpected(what, error))? {
        total.add(write_once(destination, namespace, insert_command(namespace, &part), what).await?);
    }
    Ok(total)
}

async fn write_once(
    destination: &Target<'_>,
    namespace: &Namespace,
    mut command: RawDocumentBuf,
    what: &str,
) -> Result<Inserted, MongoError> {
    let cluster = destination.cluster;
    let time_left = (destination.time_left)();
    if let Some(left) = time_left {
        let milliseconds = i64::try_from(left.as_millis()).unwrap_or(i64::MAX);
        if milliseconds == 0 {
            return Err(MongoError::of_code(
                cluster.hosts_label(),
                what,
                EXCEEDED_TIME_LIMIT,
                "no time is left for it",
            ));
        }
        command.append(cstr!("maxTimeMS"), milliseconds);
    }
    let replied = cluster.raw_command(namespace.database(), command, what);
    let reply = match time_left {
        None => replied.await?,
        Some(left) => {
            let ended = timeout(left + ANSWER_COMES_WITHIN, replied).await;
            ended.map_err(|_| cluster.interrupted(what, "no answer"))??
        }
    };
    inserted(cluster, what, &reply)
}

fn insert_command(namespace: &Namespace, documents: &RawArray) -> RawDocumentBuf {
    let mut command = rawdoc! { "insert": namespace.collection() };
    finish(&mut command, cstr!("documents"), documents);
    command
}

/// Creates what is missing with exactly these bytes. What stands is not matched and refused as a second document of that
/// `_id`, as by an insert.
fn literal_command(namespace: &Namespace, documents: &RawArray) -> RawDocumentBuf {
    let mut statements = RawArrayBuf::new();
    for document in documents.into_iter().flatten().filter_map(RawBsonRef::as_document) {
        let mut query = id_alone(document).map(|id| id_query(&id)).unwrap_or_default();
        query.append(cstr!("$alwaysFalse"), 1);
        statements.push(rawdoc! { "q": query, "u": literally(document), "upsert": true, "multi": false });
    }
    let mut command = rawdoc! { "update": namespace.collection() };
    finish(&mut command, cstr!("updates"), &statements);
    command
}

fn finish(command: &mut RawDocumentBuf, name: &bson::raw::CStr, statements: &RawArray) {
    command.append(cstr!("ordered"), false);
    command.append(cstr!("bypassDocumentValidation"), true);
    command.append(cstr!("writeConcern"), rawdoc! { "w": "majority" });
    command.append(name, statements);
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

/// Bytes that a document takes in an insert.
fn plain_size(document: &RawDocument) -> usize {
    document.as_bytes().len() + 16
}

/// Bytes that a document takes in an update, beside its `_id`.
fn literal_size(document: &RawDocument) -> usize {
    document.as_bytes().len() + id_alone(document).map_or(0, |id| id.as_bytes().len()) + 160
}

/// Parts that each fit into a command; a document alone always does.
fn divide(
    documents: &RawArray,
    size_of: impl Fn(&RawDocument) -> usize,
) -> Result<Vec<RawArrayBuf>, bson::error::Error> {
    let mut parts = Vec::new();
    let (mut part, mut bytes, mut count) = (RawArrayBuf::new(), 0, 0);
    for document in documents {
        let document = document?;
        let size = document.as_document().map_or(0, &size_of);
        if count > 0 && (bytes + size > COMMAND_BYTES || count == COMMAND_DOCUMENTS) {
            parts.push(std::mem::take(&mut part));
            (bytes, count) = (0, 0);
        }
        part.push(document);
        bytes += size;
        count += 1;
    }
    if count > 0 {
        parts.push(part);
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use bson::{RawArrayBuf, Timestamp, doc, rawdoc};
    use mongoferry_protocol::WriteOrder;

    use super::{divide, is_duplicate_id, separate};

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
    fn a_zero_timestamp_leaves_its_place_only_where_order_does_not_count() {
        let zero = Timestamp { time: 0, increment: 0 };
        let mut array = RawArrayBuf::new();
        for number in 0..6 {
            let odd = number % 3 == 1;
            array.push(if odd {
                rawdoc! {"_id": number, "at": zero}
            } else {
                rawdoc! {"_id": number}
            });
        }
        let counts = |order| -> Vec<(bool, usize)> {
            let groups = separate(&array, order).expect("valid");
            groups.iter().map(|group| (group.literally, group.documents.into_iter().count())).collect()
        };
        assert_eq!(counts(WriteOrder::ByDocument), [(false, 4), (true, 2)]);
        assert_eq!(counts(WriteOrder::Whole), [(false, 1), (true, 1), (false, 2), (true, 1), (false, 1)]);
    }

    #[test]
    fn large_arrays_are_divided_without_loss() {
        let mut array = RawArrayBuf::new();
        for number in 0..5 {
            array.push(rawdoc! {"_id": number, "text": "x".repeat(6 * 1024 * 1024)});
        }
        let parts = divide(&array, super::plain_size).expect("valid");
        let counts: Vec<usize> = parts.iter().map(|part| part.into_iter().count()).collect();
        assert_eq!(counts, [2, 2, 1]);
    }
}
