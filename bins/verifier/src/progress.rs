//! How far a verification has come, shared between those who compare and the one who reports.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use mongoferry_protocol::{Difference, Verification, VerificationState, now_ms};

use crate::{DifferenceList, fingerprint::BatchRead, metrics};

/// Of one collection; begun anew when its comparing is.
#[derive(Debug, Default)]
pub struct CollectionProgress {
    documents: AtomicU64,
    bytes: AtomicU64,
}

impl CollectionProgress {
    pub(crate) fn begin(&self) {
        self.documents.store(0, Ordering::Relaxed);
        self.bytes.store(0, Ordering::Relaxed);
    }

    pub(crate) fn add(&self, read: &BatchRead) {
        self.documents.fetch_add(read.documents, Ordering::Relaxed);
        self.bytes.fetch_add(read.bytes, Ordering::Relaxed);
        metrics::compared(read);
    }

    /// Counts what was read before.
    pub(crate) fn add_ahead(&self, documents: u64, bytes: u64) {
        self.documents.fetch_add(documents, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Documents of the source read so far.
    pub fn documents(&self) -> u64 {
        self.documents.load(Ordering::Relaxed)
    }

    /// Their size.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}

/// Of a whole verification.
pub(crate) struct Progress {
    cutover: u32,
    metadata: bool,
    started_at_ms: u64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    collections: u64,
    collections_total: u64,
    by_collection: Vec<Arc<CollectionProgress>>,
    differences: DifferenceList,
    differing_namespaces: BTreeSet<String>,
}

impl Progress {
    pub(crate) fn new(cutover: u32, metadata: bool) -> Self {
        let differences = DifferenceList::with_limit(DifferenceList::IN_ALL);
        let state = State { differences, ..State::default() };
        Self { cutover, metadata, started_at_ms: now_ms(), state: Mutex::new(state) }
    }

    pub(crate) fn set_total(&self, collections: usize) {
        self.with(|state| state.collections_total = collections as u64);
    }

    pub(crate) fn of_collection(&self) -> Arc<CollectionProgress> {
        let progress = Arc::new(CollectionProgress::default());
        self.with(|state| state.by_collection.push(progress.clone()));
        progress
    }

    pub(crate) fn differs(&self, difference: Difference) {
        metrics::differences(1);
        self.with(|state| {
            state.differing_namespaces.insert(difference.namespace.clone());
            state.differences.push(difference);
        });
    }

    pub(crate) fn collection_done(&self, found: DifferenceList) {
        metrics::collection_done();
        metrics::differences(found.count);
        self.with(|state| {
            state.collections += 1;
            // What differs is named at least once.
            state.differing_namespaces.extend(found.listed.first().map(|first| first.namespace.clone()));
            state.differences.append(found);
        });
    }

    /// For metadata, which is compared all at once.
    pub(crate) fn all_collections_done(&self) {
        self.with(|state| state.collections = state.collections_total);
    }

    /// The record of a verification under way.
    pub(crate) fn running(&self) -> Verification {
        self.record(VerificationState::Running)
    }

    /// The record of one that has come to its end.
    pub(crate) fn finished(&self) -> Verification {
        let mut record = self.record(VerificationState::Equal);
        if record.difference_count > 0 {
            record.state = VerificationState::Different;
        }
        record.finished_at_ms = now_ms();
        record
    }

    fn record(&self, verdict: VerificationState) -> Verification {
        self.with(|state| Verification {
            cutover: self.cutover,
            metadata: self.metadata,
            state: verdict,
            collections: state.collections,
            collections_total: state.collections_total,
            documents: state.by_collection.iter().map(|progress| progress.documents()).sum(),
            bytes: state.by_collection.iter().map(|progress| progress.bytes()).sum(),
            differences: state.differences.listed.clone(),
            difference_count: state.differences.count,
            differing_namespaces: state.differing_namespaces.iter().cloned().collect(),
            started_at_ms: self.started_at_ms,
            finished_at_ms: 0,
        })
    }

    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().expect("no panic while the progress is locked"))
    }
}
