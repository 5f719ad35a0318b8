//! Looks at documents until they are equal on both sides, and has them copied again in between.

use std::time::Duration;

use mongoferry_mongo::last_optimes;
use mongoferry_protocol::AheadCollection;

use super::{Run, portions::copy_again, remarks};
use crate::{VerifierError, ahead::look, document_map::DifferingDocument};

/// Between two looks: changes on their way are applied meanwhile.
const PAUSE: Duration = Duration::from_secs(1);
/// After so many looks in a row in which no document became equal, those that are left stay different.
const QUIET_LOOKS: u32 = 5;

impl Run<'_> {
    /// Those of the documents with these `_id`s, bytes of their elements, that stay different. Of an `ordered` collection only
    /// those are looked at that stand on both sides: the others can't be put in their place.
    pub(super) async fn settle(
        &self,
        collection: &AheadCollection,
        mut ids: Vec<Vec<u8>>,
        ordered: bool,
    ) -> Result<Vec<DifferingDocument>, VerifierError> {
        self.tally.look_at(ids.len());
        let mut quiet = 0;
        loop {
            let before = ids.len();
            let mut unequal = self.look(collection, ids).await?;
            if ordered && !unequal.iter().all(DifferingDocument::is_on_both_sides) {
                self.tally.remark(remarks::order(&collection.namespace));
                unequal.retain(DifferingDocument::is_on_both_sides);
            }
            quiet = if unequal.len() < before { 0 } else { quiet + 1 };
            if unequal.is_empty() || quiet > QUIET_LOOKS {
                return Ok(unequal);
            }
            if self.repair {
                let repaired = |documents| self.tally.repaired(documents);
                if let Some(failure) = copy_again(self.stage, collection.on_source, &unequal, repaired).await? {
                    self.tally.remark(remarks::refused(&failure));
                    return Ok(unequal);
                }
            }
            // What was just copied again is seen equal at once, as a rule.
            if !self.repair || quiet > 1 {
                tokio::time::sleep(PAUSE).await;
            }
            ids = unequal.into_iter().map(|document| document.id).collect();
        }
    }

    /// Those that are unequal now. What is equal is no suspect any more.
    async fn look(
        &self,
        collection: &AheadCollection,
        ids: Vec<Vec<u8>>,
    ) -> Result<Vec<DifferingDocument>, VerifierError> {
        let begun = self.ahead.state().begin_look();
        let (source, destination) = (&self.clusters.source, &self.clusters.destination);
        let (on_source, on_destination) = tokio::try_join!(last_optimes(source), last_optimes(destination))?;
        let not_before = [on_source.majority, on_destination.majority];
        // Of a collection that is gone from one side, the oplog will tell.
        let Some(looked) = look(self.clusters, collection, ids, not_before).await? else { return Ok(Vec::new()) };
        self.ahead.state().seen_equal(collection.on_source, looked.equal, begun);
        Ok(looked.unequal)
    }
}
