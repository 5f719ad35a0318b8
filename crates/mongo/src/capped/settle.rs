//! Takes from the destination's plain collection what the source's capped one no longer holds.
//!
//! Servers before 5.0 do not write to the oplog what a capped collection loses, and what was inserted and lost before the copy
//! came by is replayed behind what the copy found. Where the rest has not the source's order, because an election of the
//! destination changed it, or a document came back under its `_id`, all of it is copied again.

use bson::{RawArrayBuf, RawDocument, RawDocumentBuf, raw::cstr, rawdoc};
use mongoferry_protocol::{Namespace, Optime};

use super::still_plain;
use crate::{
    bulk_writer::insert_raw,
    catalog::list_metadata,
    connection::Cluster,
    document_scan::{DocumentScan, ScannedBatch},
    error::MongoError,
    fenced::Fenced,
    index_finalizer::FinalizationOutcome,
    lane_writer::transaction::first_write_error,
};

/// Documents deleted in one command.
const DELETED_AT_ONCE: usize = 1_000;

/// For every capped collection of the source, which must be silent. Doing it again changes nothing.
pub(crate) async fn settle_capped(
    source: &Cluster,
    destination: Fenced<'_>,
    outcome: &mut FinalizationOutcome,
) -> Result<(), MongoError> {
    let (wanted, standing) = (list_metadata(source).await?, list_metadata(destination.cluster()).await?);
    for collection in still_plain(&wanted, &standing) {
        let namespace = &collection.namespace;
        match remove_extra(source, destination, namespace, wanted.listed_at).await? {
            Settled::Same { removed: 0 } => {}
            Settled::Same { removed } => {
                outcome.done.push(format!(
                    "capped collection {namespace}: {removed} documents that the source lost are removed"
                ));
            }
            Settled::OtherOrder => {
                fill_again(source, destination, namespace, wanted.listed_at).await?;
                outcome.done.push(format!("capped collection {namespace}: copied again in the source's order"));
            }
        }
    }
    Ok(())
}

enum Settled {
    /// The destination has the source's documents in their order.
    Same {
        removed: u64,
    },
    OtherOrder,
}

/// Goes along both sides: whatever the destination has before the source's next document is extra.
async fn remove_extra(
    source: &Cluster,
    destination: Fenced<'_>,
    namespace: &Namespace,
    not_before: Optime,
) -> Result<Settled, MongoError> {
    let mut wanted = Ids::open(source, namespace, not_before).await?;
    let mut standing = Ids::open(destination.cluster(), namespace, Optime::ZERO).await?;
    let (mut extra, mut removed) = (Vec::new(), 0);
    let mut next = wanted.next().await?;
    while let Some(id) = standing.next().await? {
        if next.as_ref() == Some(&id) {
            next = wanted.next().await?;
            continue;
        }
        extra.push(id);
        if extra.len() == DELETED_AT_ONCE {
            removed += delete(destination, namespace, std::mem::take(&mut extra)).await?;
        }
    }
    if next.is_some() {
        return Ok(Settled::OtherOrder);
    }
    removed += delete(destination, namespace, extra).await?;
    Ok(Settled::Same { removed })
}

async fn fill_again(
    source: &Cluster,
    destination: Fenced<'_>,
    namespace: &Namespace,
    not_before: Optime,
) -> Result<(), MongoError> {
    let mut all = RawArrayBuf::new();
    all.push(rawdoc! {"q": {}, "limit": 0});
    run_delete(destination, namespace, all).await?;
    let mut scan = DocumentScan::whole(source, namespace, not_before, 0).await?;
    while let Some(batch) = scan.next().await? {
        destination.require_ours("insert").await?;
        insert_raw(destination.cluster(), namespace, batch.array()?).await?;
    }
    Ok(())
}

async fn delete(destination: Fenced<'_>, namespace: &Namespace, ids: Vec<RawDocumentBuf>) -> Result<u64, MongoError> {
    let count = ids.len() as u64;
    if count > 0 {
        let values: RawArrayBuf = ids.iter().filter_map(|id| id.get("_id").ok().flatten()).collect();
        let mut all = RawArrayBuf::new();
        all.push(rawdoc! {"q": {"_id": {"$in": values}}, "limit": 0});
        run_delete(destination, namespace, all).await?;
    }
    Ok(count)
}

async fn run_delete(destination: Fenced<'_>, namespace: &Namespace, deletes: RawArrayBuf) -> Result<(), MongoError> {
    let what = format!("delete from {namespace}");
    let mut command = rawdoc! {"delete": namespace.collection(), "writeConcern": {"w": "majority"}};
    command.append(cstr!("deletes"), deletes);
    let reply = destination.raw_change(namespace.database(), command, &what).await?;
    first_write_error(destination.cluster(), &what, &reply).map_or(Ok(()), Err)
}

/// The `_id`s of a collection in its order, one by one.
struct Ids {
    scan: DocumentScan,
    waiting: std::vec::IntoIter<RawDocumentBuf>,
}

impl Ids {
    async fn open(cluster: &Cluster, namespace: &Namespace, not_before: Optime) -> Result<Self, MongoError> {
        let scan = DocumentScan::ids(cluster, namespace, not_before).await?;
        Ok(Self { scan, waiting: Vec::new().into_iter() })
    }

    async fn next(&mut self) -> Result<Option<RawDocumentBuf>, MongoError> {
        loop {
            if let Some(id) = self.waiting.next() {
                return Ok(Some(id));
            }
            let Some(batch) = self.scan.next().await? else { return Ok(None) };
            self.waiting = owned(&batch)?.into_iter();
        }
    }
}

fn owned(batch: &ScannedBatch) -> Result<Vec<RawDocumentBuf>, MongoError> {
    batch.documents()?.map(|document| document.map(RawDocument::to_owned)).collect()
}
