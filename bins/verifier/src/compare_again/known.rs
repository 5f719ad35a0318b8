//! What is known to differ: from verifying ahead, and from the last cutover.

use std::{collections::BTreeSet, time::Duration};

use mongoferry_bus::key;
use mongoferry_mongo::{last_optimes, list_catalog};
use mongoferry_protocol::{AheadCollection, AheadState, Difference, Namespace, Verification, VerificationState};

use tokio::time::Instant;

use super::{Run, remarks};
use crate::{
    CollectionPair, VerifierError, ahead::pair, collection_pairs::pair_collections,
    compare_all_documents::collection_pair, compare_documents::suspected,
};

/// Documents of a collection that are settled before it is compared once more.
pub(super) const AT_ONCE: usize = 100_000;
/// A verifier that has just taken over reads what its predecessor knew.
const TAKE_OVER: Duration = Duration::from_secs(20);
const LOOK: Duration = Duration::from_millis(100);

/// A collection to be compared from its beginning to its end.
struct Whole {
    pair: CollectionPair,
    collection: AheadCollection,
}

impl Run<'_> {
    /// Everything that is known to differ, once.
    pub(super) async fn all(&self) -> Result<(), VerifierError> {
        self.tally.begin();
        self.wait_for_what_was_known().await?;
        let suspects = self.ahead.state().suspects_by_collection();
        for (collection, ids) in suspects {
            for document in self.settle(&collection, ids, false).await? {
                self.tally.differs(document.describe(&collection.namespace));
            }
        }
        for whole in self.whole_collections().await? {
            self.compare_whole(&whole).await?;
        }
        Ok(())
    }

    /// What was written up to now, on either side, is to be known, too: so that nothing is missing that a predecessor knew.
    async fn wait_for_what_was_known(&self) -> Result<(), VerifierError> {
        let is_kept = self.stage.bus.records().get(&key::verified_ahead()).await?.is_some();
        let (source, destination) = (&self.clusters.source, &self.clusters.destination);
        let (on_source, on_destination) = tokio::try_join!(last_optimes(source), last_optimes(destination))?;
        let is_known = || {
            let state = self.ahead.state();
            let followed = [state.followed, state.destination_followed];
            self.ahead.is_begun() && followed[0] >= on_source.majority && followed[1] >= on_destination.majority
        };
        let began = Instant::now();
        while is_kept && !is_known() && !self.ahead.is_broken() && began.elapsed() < TAKE_OVER {
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }

    /// Those that the last cutover found different, and those of which too much differed ahead of it.
    async fn whole_collections(&self) -> Result<Vec<Whole>, VerifierError> {
        let named: BTreeSet<String> = self.last_verdict().await?.into_iter().collect();
        let known: Vec<AheadCollection> = self.ahead.state().collections.values().cloned().collect();
        let overrun = known.iter().filter(|one| one.state == AheadState::Overrun);
        let overrun: BTreeSet<_> = overrun.map(|one| one.on_source).collect();
        let (source, destination) =
            tokio::try_join!(list_catalog(&self.clusters.source), list_catalog(&self.clusters.destination))?;
        let pairs = pair_collections(&source, &destination);
        for difference in pairs.differences.iter().filter(|difference| named.contains(&difference.namespace)) {
            self.collection_differs(difference);
        }
        let mut whole = Vec::new();
        for (ours, theirs) in pairs.both {
            let Some(collection) = pair(ours, theirs) else { continue };
            if named.contains(&ours.namespace.to_string()) || overrun.contains(&collection.on_source) {
                let since = [source.listed_at, destination.listed_at];
                whole.push(Whole { pair: collection_pair(self.clusters, ours, theirs, since), collection });
            }
        }
        let compared: BTreeSet<_> = whole.iter().map(|one| one.collection.on_source).collect();
        let at_cutover = known.iter().filter(|one| one.state == AheadState::AtCutover);
        let left: Vec<Namespace> =
            at_cutover.filter(|one| !compared.contains(&one.on_source)).map(|one| one.namespace.clone()).collect();
        remarks::at_cutover_alone(&left).into_iter().for_each(|remark| self.tally.remark(remark));
        Ok(whole)
    }

    fn collection_differs(&self, difference: &Difference) {
        self.tally.remark(remarks::collection(difference));
        self.tally.differs(difference.clone());
    }

    /// The namespaces in which the last cutover found documents or collections that differ.
    async fn last_verdict(&self) -> Result<Vec<String>, VerifierError> {
        let number = self.tally.record().cutover;
        let found = self.stage.bus.records().get(&key::verification(number, false)).await?;
        let different = |found: &Verification| found.state == VerificationState::Different;
        Ok(found.map(|found| found.value).filter(different).map(|found| found.differing_namespaces).unwrap_or_default())
    }

    /// So many documents at a time until none is left, or some stay different.
    async fn compare_whole(&self, whole: &Whole) -> Result<(), VerifierError> {
        let ordered = whole.pair.ordered;
        loop {
            let found = suspected(&whole.pair, AT_ONCE).await?;
            if found.other_order {
                self.tally.remark(remarks::order(&whole.pair.namespace));
            }
            let ids = found.documents.into_iter().map(|document| document.id).collect();
            let left = self.settle(&whole.collection, ids, ordered).await?;
            if !left.is_empty() || (found.more > 0 && !self.repair) {
                for document in left {
                    self.tally.differs(document.describe(&whole.pair.namespace));
                }
                self.tally.more_differ(found.more);
                return Ok(());
            }
            if found.more == 0 {
                self.ahead.state().begin_anew(whole.collection.on_source);
                return Ok(());
            }
        }
    }
}
