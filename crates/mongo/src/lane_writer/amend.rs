//! Where a step can't be carried out exactly, the document is read from the source and written as a whole.
//!
//! What is read is as old as the lane's new checkpoint or newer, so it holds what the steps of its document do in this round; they
//! go. A document that is gone from the source is deleted, as an entry to come will say.

use std::{borrow::Cow, collections::HashSet};

use bson::RawDocumentBuf;
use mongoferry_protocol::{Optime, WriteOrder};

use super::{
    LaneWriter, WriteStep,
    piece::{Part, place_of},
    write_step::id_of,
};
use crate::applier_state::ApplyError;

/// A document of 16 MiB fits a command, but not with much around it.
const LARGEST_PIPELINE_BYTES: usize = 16 * 1024 * 1024;

impl LaneWriter {
    /// Carries out what is to be read from the beginning.
    pub(super) async fn read_marked(&self, piece: &mut [Part<'_>], read_after: Optime) -> Result<(), ApplyError> {
        for part in piece {
            let ids = ids_of(part.steps.iter().filter(|step| is_marked(step)));
            if !ids.is_empty() {
                self.read_into(part, ids, read_after).await?;
            }
        }
        Ok(())
    }

    /// Reads the document of a step that failed; if another one of its collection failed before, those of all steps there. False
    /// if reading does not help.
    pub(super) async fn read_instead(
        &self,
        piece: &mut [Part<'_>],
        step: usize,
        read_after: Optime,
    ) -> Result<bool, ApplyError> {
        let Some((number, step)) = place_of(piece, step) else { return Ok(false) };
        let part = &mut piece[number];
        if let WriteStep::Put { document } = &part.steps[step] {
            let created = created(document.clone());
            part.steps.to_mut().splice(step..=step, created);
            return Ok(true);
        }
        if !can_be_read(&part.steps[step]) {
            return Ok(false);
        }
        let ids = match part.steps {
            Cow::Borrowed(_) => ids_of([&part.steps[step]]),
            Cow::Owned(_) => ids_of(part.steps.iter().filter(|step| can_be_read(step))),
        };
        tracing::debug!(namespace = %part.namespace(), documents = ids.len(), "documents are read from the source instead");
        self.read_into(part, ids, read_after).await?;
        Ok(true)
    }

    async fn read_into(
        &self,
        part: &mut Part<'_>,
        ids: Vec<RawDocumentBuf>,
        read_after: Optime,
    ) -> Result<(), ApplyError> {
        let collection = part.collection;
        let database = collection.namespace.database();
        let documents = self.source.read(database, collection.uuid, &ids, read_after).await?;
        part.steps = Cow::Owned(amended(&part.steps, ids, documents, collection.order));
        Ok(())
    }
}

/// How many steps are to be read from the beginning.
pub(super) fn marked_count(piece: &[Part<'_>]) -> usize {
    piece.iter().flat_map(|part| part.steps.iter()).filter(|step| is_marked(step)).count()
}

fn is_marked(step: &WriteStep) -> bool {
    match step {
        WriteStep::Reread { .. } => true,
        WriteStep::Pipeline { .. } => step.byte_count() > LARGEST_PIPELINE_BYTES,
        _ => false,
    }
}

fn can_be_read(step: &WriteStep) -> bool {
    !matches!(step, WriteStep::Delete { .. } | WriteStep::Put { .. } | WriteStep::InsertMissing { .. })
}

/// What can't replace another document can be created: 4.2 and 4.4 take names with a dollar inside from an insert alone.
fn created(document: RawDocumentBuf) -> Vec<WriteStep> {
    let room = id_of(&document).map(|id| WriteStep::Delete { id });
    room.into_iter().chain([WriteStep::InsertMissing { document }]).collect()
}

/// Each once.
fn ids_of<'a>(steps: impl IntoIterator<Item = &'a WriteStep>) -> Vec<RawDocumentBuf> {
    let mut seen = HashSet::new();
    let ids = steps.into_iter().filter_map(WriteStep::id);
    ids.filter(|id| seen.insert(id.as_bytes().to_vec())).collect()
}

/// The steps without those on these documents, which become what was read, or are deleted if they are gone.
fn amended(
    steps: &[WriteStep],
    ids: Vec<RawDocumentBuf>,
    documents: Vec<RawDocumentBuf>,
    order: WriteOrder,
) -> Vec<WriteStep> {
    let read: HashSet<&[u8]> = ids.iter().map(|id| id.as_bytes()).collect();
    let stays = |step: &&WriteStep| step.id().is_none_or(|id| !read.contains(id.as_bytes()));
    let mut amended: Vec<WriteStep> = steps.iter().filter(stays).cloned().collect();
    // What is found may have an equal `_id` of another type, and then it is another document that is to be put there.
    let found: HashSet<Vec<u8>> = documents.iter().filter_map(|one| Some(id_of(one)?.into_bytes())).collect();
    let gone = ids.iter().filter(|id| !found.contains(id.as_bytes()));
    amended.extend(gone.map(|id| WriteStep::Delete { id: id.clone() }));
    amended.extend(documents.into_iter().flat_map(|document| WriteStep::put(document, order)));
    amended
}

#[cfg(test)]
mod tests {
    use bson::rawdoc;

    use mongoferry_protocol::WriteOrder;

    use super::{WriteStep, amended, ids_of};

    #[test]
    fn a_document_that_was_read_has_no_other_step() {
        let update =
            |id: i32, n: i32| WriteStep::Replace { id: rawdoc! {"_id": id}, document: rawdoc! {"_id": id, "n": n} };
        let steps = [update(1, 1), update(2, 1), update(1, 2), update(3, 1)];
        let ids = ids_of([&steps[0], &steps[2], &steps[3]]);
        assert_eq!(ids, [rawdoc! {"_id": 1}, rawdoc! {"_id": 3}]);
        let expected = [
            update(2, 1),
            WriteStep::Delete { id: rawdoc! {"_id": 3} },
            WriteStep::Put { document: rawdoc! {"_id": 1, "n": 9} },
        ];
        assert_eq!(amended(&steps, ids, vec![rawdoc! {"_id": 1, "n": 9}], WriteOrder::ByDocument), expected);
    }
}
