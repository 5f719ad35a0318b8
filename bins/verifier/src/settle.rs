//! Looks again at documents that seemed to differ. The two sides are not read at the same instant, and what the source's
//! TTL monitor deletes meanwhile reaches the destination a moment later: such a difference goes away by itself.

use std::{collections::BTreeSet, time::Duration};

use bson::RawDocumentBuf;
use mongoferry_mongo::DocumentScan;

use crate::{
    VerifierError,
    compare_documents::{CollectionPair, Side},
    document_map::{DifferingDocument, DocumentMap, differing_documents, read_map},
    id_bytes::id_document,
    id_commands::commands_of_ids,
    selection::Selection,
};

const PAUSE: Duration = Duration::from_secs(1);
/// After so many looks in which no difference went away, those that are left are real.
const QUIET_LOOKS: u32 = 4;

/// Those of `suspects` that stay different.
pub(crate) async fn settle(
    pair: &CollectionPair,
    mut suspects: Vec<DifferingDocument>,
) -> Result<Vec<DifferingDocument>, VerifierError> {
    let mut quiet = 0;
    while !suspects.is_empty() && quiet < QUIET_LOOKS {
        tokio::time::sleep(PAUSE).await;
        let left = look_again(pair, &suspects).await?;
        quiet = if left.len() < suspects.len() { 0 } else { quiet + 1 };
        suspects = left;
    }
    Ok(suspects)
}

/// Those of the documents with these `_id`s, bytes of their elements, that are different and stay so.
pub(crate) async fn settle_ids(
    pair: &CollectionPair,
    ids: &BTreeSet<Vec<u8>>,
) -> Result<Vec<DifferingDocument>, VerifierError> {
    let suspects = look_at(pair, ids.iter().map(Vec::as_slice)).await?;
    settle(pair, suspects).await
}

async fn look_again(
    pair: &CollectionPair,
    suspects: &[DifferingDocument],
) -> Result<Vec<DifferingDocument>, VerifierError> {
    look_at(pair, suspects.iter().map(|suspect| suspect.id.as_slice())).await
}

async fn look_at<'a>(
    pair: &CollectionPair,
    ids: impl Iterator<Item = &'a [u8]>,
) -> Result<Vec<DifferingDocument>, VerifierError> {
    let mut left = Vec::new();
    for ids in commands_of_ids(ids.map(<[u8]>::to_vec)) {
        let ids: Result<Vec<_>, _> = ids.iter().map(|id| id_document(id)).collect();
        let ids = ids.map_err(|_| pair.without_id())?;
        let (source, destination) =
            tokio::try_join!(read_ids(pair, &pair.source, &ids), read_ids(pair, &pair.destination, &ids))?;
        left.extend(differing_documents(&source, destination));
    }
    Ok(left)
}

async fn read_ids(pair: &CollectionPair, side: &Side, ids: &[RawDocumentBuf]) -> Result<DocumentMap, VerifierError> {
    let wanted = ids.iter().map(|id| &**id);
    let scan = DocumentScan::by_ids(&side.cluster, &side.namespace, side.not_before, wanted).await?;
    read_map(scan, pair, &Selection::everything()).await
}
