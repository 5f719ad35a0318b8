//! Has the applier copy documents again, portion by portion.

use std::time::{Duration, SystemTime};

use mongoferry_bus::key;
use mongoferry_protocol::{CollectionUuid, Failure, RepairDocument, RepairPortion, Retry};
use mongoferry_stage::Stage;

use crate::{VerifierError, document_map::DifferingDocument, id_bytes::id_document};

/// Bounds of one portion, which the applier holds in memory as a whole: documents, and their bytes on the source.
const DOCUMENTS: usize = 1_000;
const BYTES: usize = 16 * 1024 * 1024;
const ASK: Duration = Duration::from_millis(50);
/// What passes is tried again so often.
const ATTEMPTS: u32 = 5;
const PAUSE: Duration = Duration::from_secs(2);

/// Returns once all were copied again, or with what keeps the applier from it. `done` is told how many, portion by portion.
pub(super) async fn copy_again(
    stage: &Stage,
    collection: CollectionUuid,
    documents: &[DifferingDocument],
    mut done: impl FnMut(u64),
) -> Result<Option<Failure>, VerifierError> {
    for portion in portions(documents) {
        let ids = portion.iter().filter_map(|document| id_document(&document.id).ok());
        let wanted: Vec<_> = ids.map(|id| RepairDocument { collection, id: id.into_bytes().into() }).collect();
        let mut attempt = 0;
        loop {
            attempt += 1;
            match one(stage, wanted.clone()).await? {
                Ok(count) => break done(count),
                Err(failure) if failure.retry == Retry::Soon && attempt < ATTEMPTS => tokio::time::sleep(PAUSE).await,
                Err(failure) => return Ok(Some(failure)),
            }
        }
    }
    Ok(None)
}

/// Waits for as long as no applier answers.
async fn one(stage: &Stage, documents: Vec<RepairDocument>) -> Result<Result<u64, Failure>, VerifierError> {
    let records = stage.bus.records();
    let token = token();
    records.put(&key::repair_portion(), &RepairPortion { token, documents }).await?;
    loop {
        if let Some(done) = records.get(&key::portion_repaired()).await?.filter(|done| done.value.token == token) {
            return Ok(done.value.refused.map_or(Ok(done.value.documents), Err));
        }
        tokio::time::sleep(ASK).await;
    }
}

/// No two portions have the same, whichever process asks.
fn token() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    since.as_nanos() as u64
}

fn portions(documents: &[DifferingDocument]) -> Vec<&[DifferingDocument]> {
    let (mut portions, mut begin, mut bytes) = (Vec::new(), 0, 0);
    for (number, document) in documents.iter().enumerate() {
        let size = document.source_bytes() + document.id.len();
        if number > begin && (number - begin >= DOCUMENTS || bytes + size > BYTES) {
            portions.push(&documents[begin..number]);
            (begin, bytes) = (number, 0);
        }
        bytes += size;
    }
    if begin < documents.len() {
        portions.push(&documents[begin..]);
    }
    portions
}

#[cfg(test)]
mod tests {
    use bson::rawdoc;

    use super::{DOCUMENTS, portions};
    use crate::document_map::{DifferingDocument, DocumentHash, DocumentMap, differing_documents};

    fn differing(count: i32, text_bytes: usize) -> Vec<DifferingDocument> {
        let hash = DocumentHash::of(&rawdoc! {"text": "x".repeat(text_bytes)});
        let source: DocumentMap = (0..count).map(|n| (n.to_le_bytes().to_vec(), hash)).collect();
        differing_documents(&source, DocumentMap::new())
    }

    #[test]
    fn a_portion_fits_into_the_appliers_memory() {
        let sizes =
            |documents: &[DifferingDocument]| portions(documents).iter().map(|one| one.len()).collect::<Vec<_>>();
        assert_eq!(sizes(&differing(2_500, 10)), [DOCUMENTS, DOCUMENTS, 500]);
        assert_eq!(sizes(&differing(5, 6 * 1024 * 1024)), [2, 2, 1]);
        assert_eq!(sizes(&differing(2, 15 * 1024 * 1024)), [1, 1]);
        assert!(sizes(&[]).is_empty());
    }
}
