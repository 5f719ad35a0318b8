//! How far copying and indexing have come, summed up from the records.

use std::collections::{BTreeSet, HashMap, hash_map::Entry};

use mongoferry_bus::{BusError, Mirror, key};
use mongoferry_protocol::{
    Catalog, CollectionPlan, CollectionStatus, CollectionUuid, Finalization, FinalizationStep, IndexProgress,
    IndexState, IndexView, RangePlan, RangeProgress, RangeState, UnbuiltIndex,
};

/// What was read once and never changes: the plans.
#[derive(Default)]
pub struct Plans {
    pub catalog: Option<Catalog>,
    collections: HashMap<CollectionUuid, CollectionPlan>,
    /// Ranges of each collection that is planned.
    range_counts: HashMap<CollectionUuid, u32>,
}

/// One look at all records.
#[derive(Clone, Debug, Default)]
pub struct CopyProgress {
    pub collections: Vec<CollectionStatus>,
    pub indexes: Vec<IndexView>,
    pub documents: u64,
    pub documents_total: u64,
    pub bytes: u64,
    pub bytes_total: u64,
    pub repeated: u64,
    pub indexes_to_queue: Vec<CollectionUuid>,
    /// Collections without a plan yet.
    pub unplanned: Vec<CollectionUuid>,
    /// Copiers that are at work on a range, or were when they were last heard of it.
    pub holders: BTreeSet<String>,
    /// Of collections that are planned.
    pub ranges_left: u32,
    pub complete: bool,
    /// What builds of indexes took together, and how many documents each index of them has, added up; of collections that are
    /// large enough to tell.
    pub index_build_ms: u64,
    pub documents_indexed: u64,
}

/// Below, the commands take longer than the documents.
const DOCUMENTS_THAT_TELL: u64 = 10_000;

impl Plans {
    /// Reads what has become known since the last call.
    pub fn refresh(&mut self, mirror: &Mirror) -> Result<(), BusError> {
        if self.catalog.is_none() {
            self.catalog = mirror.get(&key::catalog())?;
        }
        let Some(catalog) = &self.catalog else { return Ok(()) };
        for &uuid in &catalog.collections {
            if !self.collections.contains_key(&uuid)
                && let Some(plan) = mirror.get(&key::collection(uuid))?
            {
                self.collections.insert(uuid, plan);
            }
            if let Entry::Vacant(unknown) = self.range_counts.entry(uuid)
                && let Some(RangePlan { ranges }) = mirror.get(&key::range_plan(uuid))?
            {
                unknown.insert(ranges.len() as u32);
            }
        }
        Ok(())
    }

    /// `cutover` is the number of the latest attempt.
    pub fn progress(&self, mirror: &Mirror, cutover: u32) -> Result<CopyProgress, BusError> {
        let mut progress = CopyProgress { complete: self.catalog.is_some(), ..CopyProgress::default() };
        let listed = self.catalog.iter().flat_map(|catalog| &catalog.collections);
        for plan in listed.filter_map(|uuid| self.collections.get(uuid)) {
            let ranges = self.range_counts.get(&plan.uuid).copied();
            let states = range_states(mirror, plan.uuid, ranges.unwrap_or(0))?;
            let index: Option<IndexProgress> = mirror.get(&key::index(plan.uuid))?;
            progress.add(plan, ranges, &states, index);
        }
        for step in [FinalizationStep::Prepare, FinalizationStep::Finalize] {
            let found: Option<Finalization> = mirror.get(&key::finalization(cutover, step))?;
            progress.add_unbuilt(found.map(|found| found.unbuilt).unwrap_or_default());
        }
        Ok(progress)
    }
}

fn range_states(mirror: &Mirror, uuid: CollectionUuid, ranges: u32) -> Result<Vec<RangeProgress>, BusError> {
    (0..ranges).map(|number| Ok(mirror.get(&key::range(uuid, number))?.unwrap_or_default())).collect()
}

impl CopyProgress {
    /// Those that the destination could not build.
    pub fn failed_indexes(&self) -> impl Iterator<Item = &IndexView> {
        self.indexes.iter().filter(|index| index.state == IndexState::Failed)
    }

    /// Takes over what a later attempt found.
    fn add_unbuilt(&mut self, unbuilt: Vec<UnbuiltIndex>) {
        for index in unbuilt {
            let (namespace, name) = (index.namespace.to_string(), index.name);
            self.indexes.retain(|known| known.namespace != namespace || known.name != name);
            self.indexes.push(IndexView { namespace, name, state: IndexState::Failed, reason: Some(index.reason) });
        }
    }

    fn add(
        &mut self,
        plan: &CollectionPlan,
        ranges: Option<u32>,
        states: &[RangeProgress],
        index: Option<IndexProgress>,
    ) {
        let done = states.iter().filter(|state| state.state == RangeState::Done).count() as u32;
        let copied = ranges == Some(done);
        let status = CollectionStatus {
            namespace: plan.namespace.to_string(),
            documents: states.iter().map(|state| state.documents).sum(),
            documents_total: plan.document_count,
            bytes: states.iter().map(|state| state.bytes).sum(),
            bytes_total: plan.size_bytes,
            ranges: done,
            ranges_total: ranges.unwrap_or(0),
            complete: copied,
        };
        let held = states.iter().filter(|state| state.state == RangeState::Copying);
        self.holders.extend(held.map(|state| state.copier.clone()));
        self.ranges_left += ranges.unwrap_or(0).saturating_sub(done);
        if ranges.is_none() {
            self.unplanned.push(plan.uuid);
        }
        if copied && index.is_none() {
            self.indexes_to_queue.push(plan.uuid);
        }
        if let Some(index) = index.as_ref().filter(|_| status.documents >= DOCUMENTS_THAT_TELL) {
            let built = index.indexes.iter().filter(|index| index.state == IndexState::Built).count() as u64;
            self.index_build_ms += if built > 0 { index.took_ms } else { 0 };
            self.documents_indexed += built * status.documents;
        }
        self.complete &= copied && index.as_ref().is_some_and(|index| index.complete);
        self.repeated += states.iter().map(|state| state.repeated).sum::<u64>();
        self.count(status);
        self.indexes.extend(index.into_iter().flat_map(|index| index.indexes).map(|index| IndexView {
            namespace: index.namespace.to_string(),
            name: index.name,
            state: index.state,
            reason: index.reason,
        }));
    }

    /// The totals are estimates of the servers: what is copied counts as it is, so that 100 % means all.
    fn count(&mut self, mut status: CollectionStatus) {
        if status.complete {
            status.documents_total = status.documents;
            status.bytes_total = status.bytes;
        }
        status.documents_total = status.documents_total.max(status.documents);
        status.bytes_total = status.bytes_total.max(status.bytes);
        self.documents += status.documents;
        self.documents_total += status.documents_total;
        self.bytes += status.bytes;
        self.bytes_total += status.bytes_total;
        self.collections.push(status);
    }
}
