//! What is known of every collection ahead of the cutover, shared between those who compare. No I/O.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use mongoferry_protocol::{
    AheadCollection, AheadState, CollectionUuid, Difference, ForeignWrite, Optime, Suspect, VerifiedAhead,
};

/// In all; at most about 100 bytes each with usual `_id`s.
pub(crate) const MOST_SUSPECTS: usize = 100_000;

/// Begun or not yet.
#[derive(Default)]
pub(crate) struct Ahead {
    begun: AtomicBool,
    state: Mutex<State>,
    /// In a row, each soon after it was begun.
    failures: AtomicU32,
    resting: AtomicBool,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) collections: BTreeMap<CollectionUuid, AheadCollection>,
    pub(crate) suspects: BTreeMap<(CollectionUuid, Vec<u8>), Suspicion>,
    pub(crate) sequence: u64,
    pub(crate) resume: Optime,
    /// All changes of the source up to here are applied, and what they changed was looked at.
    pub(crate) followed: Optime,
    pub(crate) destination_followed: Optime,
    pub(crate) compared_again: u64,
    pub(crate) foreign_writes: u64,
    pub(crate) last_foreign_write: Option<ForeignWrite>,
    started_at_ms: u64,
    /// Counts looks and suspicions, to tell which came first.
    clock: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Suspicion {
    /// When it arose, by the state's clock.
    arisen: u64,
    /// To be looked at once the changes of the source up to here were followed.
    pub(crate) due: Optime,
    pub(crate) looks: u32,
    /// Once it was looked at often enough to be no change on its way.
    difference: Option<Difference>,
}

/// A suspect that was looked at so often differs, as far as can be told while users write.
const LOOKS_OF_A_DIFFERENCE: u32 = 3;
/// An election causes fewer: it is outlasted by the driver.
const FAILURES_OF_A_BROKEN_ONE: u32 = 3;
/// Of differing documents.
const LISTED: usize = 100;

impl Ahead {
    pub(crate) fn is_begun(&self) -> bool {
        self.begun.load(Ordering::Acquire)
    }

    pub(crate) fn begin(&self, record: VerifiedAhead) {
        *self.state() = State::of(record);
        self.begun.store(true, Ordering::Release);
    }

    pub(crate) fn forget(&self) {
        self.begun.store(false, Ordering::Release);
        *self.state() = State::default();
    }

    /// It failed; `at_once` if it had hardly begun.
    pub(crate) fn rest_after_failure(&self, at_once: bool) {
        let failures = if at_once { self.failures.load(Ordering::Relaxed).saturating_add(1) } else { 1 };
        self.failures.store(failures, Ordering::Relaxed);
        self.resting.store(true, Ordering::Release);
    }

    pub(crate) fn go_on(&self) {
        self.resting.store(false, Ordering::Release);
    }

    /// It fails again and again, so that waiting for it is in vain. While it is being tried once more, that is not known.
    pub(crate) fn is_broken(&self) -> bool {
        self.resting.load(Ordering::Acquire) && self.failures.load(Ordering::Relaxed) >= FAILURES_OF_A_BROKEN_ONE
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic while the state is locked")
    }
}

impl State {
    fn of(record: VerifiedAhead) -> Self {
        // How far what they may wait for is, is not known any more: they are looked at from the beginning.
        let suspects = record.suspects.into_iter();
        let suspects = suspects.map(|one| ((one.collection, one.id.into_vec()), Suspicion::default()));
        let mut collections: BTreeMap<_, _> =
            record.collections.into_iter().map(|collection| (collection.on_source, collection)).collect();
        for collection in collections.values_mut().filter(|one| one.state == AheadState::Comparing) {
            collection.state = AheadState::Waiting;
        }
        Self {
            collections,
            suspects: suspects.collect(),
            sequence: record.sequence,
            resume: record.resume,
            followed: record.resume,
            destination_followed: record.destination_followed,
            compared_again: record.compared_again,
            foreign_writes: record.foreign_writes,
            last_foreign_write: record.last_foreign_write,
            started_at_ms: record.started_at_ms,
            clock: 0,
        }
    }

    pub(crate) fn record(&self) -> VerifiedAhead {
        let suspects = self.suspects.keys();
        let suspects = suspects.map(|(collection, id)| Suspect { collection: *collection, id: id.clone().into() });
        let differing = || self.suspects.values().filter_map(|suspicion| suspicion.difference.as_ref());
        VerifiedAhead {
            collections: self.collections.values().cloned().collect(),
            suspects: suspects.collect(),
            differing: differing().take(LISTED).cloned().collect(),
            differing_count: differing().count() as u64,
            sequence: self.sequence,
            resume: self.resume,
            destination_followed: self.destination_followed,
            compared_again: self.compared_again,
            foreign_writes: self.foreign_writes,
            last_foreign_write: self.last_foreign_write.clone(),
            started_at_ms: self.started_at_ms,
        }
    }

    /// Takes over what was listed: new pairs wait, those that are gone are forgotten, the others stay as they are.
    pub(crate) fn meet(&mut self, listed: Vec<AheadCollection>) {
        let mut before = std::mem::take(&mut self.collections);
        for mut collection in listed {
            if let Some(known) = before.remove(&collection.on_source)
                && known.on_destination == collection.on_destination
            {
                let (documents_total, bytes_total) = (collection.documents_total, collection.bytes_total);
                collection = AheadCollection { namespace: collection.namespace, documents_total, bytes_total, ..known };
            }
            self.collections.insert(collection.on_source, collection);
        }
        let collections = &self.collections;
        self.suspects.retain(|(collection, _), _| collections.contains_key(collection));
    }

    /// The largest collection that waits; it is compared from now on.
    pub(crate) fn next_to_scan(&mut self) -> Option<AheadCollection> {
        let waiting = self.collections.values_mut().filter(|one| one.state == AheadState::Waiting);
        let next = waiting.max_by_key(|one| one.bytes_total)?;
        next.state = AheadState::Comparing;
        Some(next.clone())
    }

    /// Whether a document of this collection may have been compared already.
    pub(crate) fn is_begun(&self, collection: CollectionUuid) -> bool {
        self.collections.get(&collection).is_some_and(|one| match one.state {
            AheadState::Comparing | AheadState::Done => true,
            AheadState::Waiting => one.lower.is_some(),
            AheadState::AtCutover | AheadState::Overrun => false,
        })
    }

    pub(crate) fn of_destination(&self, uuid: CollectionUuid) -> Option<&AheadCollection> {
        self.collections.values().find(|one| one.on_destination == uuid)
    }

    /// The suspects, by collection.
    pub(crate) fn suspects_by_collection(&self) -> Vec<(AheadCollection, Vec<Vec<u8>>)> {
        let mut found: BTreeMap<CollectionUuid, Vec<Vec<u8>>> = BTreeMap::new();
        for (collection, id) in self.suspects.keys() {
            found.entry(*collection).or_default().push(id.clone());
        }
        found.into_iter().filter_map(|(uuid, ids)| Some((self.collections.get(&uuid)?.clone(), ids))).collect()
    }

    /// A collection of which too much differed is equal by now, so that comparing it ahead can begin anew.
    pub(crate) fn begin_anew(&mut self, collection: CollectionUuid) {
        if let Some(one) = self.collections.get_mut(&collection).filter(|one| one.state == AheadState::Overrun) {
            *one = AheadCollection { state: AheadState::Waiting, lower: None, documents: 0, bytes: 0, ..one.clone() };
        }
    }

    /// To be asked before a look, and told with what it found.
    pub(crate) fn begin_look(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }

    /// Clears of suspicion what was seen equal, but for suspicions that arose after that look had begun.
    pub(crate) fn seen_equal(&mut self, collection: CollectionUuid, ids: Vec<Vec<u8>>, begun: u64) {
        for id in ids {
            let key = (collection, id);
            if self.suspects.get(&key).is_some_and(|suspicion| suspicion.arisen < begun) {
                self.suspects.remove(&key);
            }
        }
    }

    /// What is unequal may be so because of changes up to `due`.
    pub(crate) fn seen_unequal(&mut self, collection: CollectionUuid, ids: Vec<Vec<u8>>, due: Optime) {
        self.clock += 1;
        for id in ids {
            self.suspects.insert((collection, id), Suspicion { arisen: self.clock, due, ..Suspicion::default() });
        }
        self.keep_within_bounds();
    }

    /// After a look at a suspect with no change of it on its way.
    pub(crate) fn still_unequal(
        &mut self,
        collection: CollectionUuid,
        id: Vec<u8>,
        difference: Difference,
        due: Optime,
    ) {
        let Some(suspicion) = self.suspects.get_mut(&(collection, id)) else { return };
        suspicion.looks += 1;
        suspicion.due = due;
        if suspicion.looks >= LOOKS_OF_A_DIFFERENCE {
            suspicion.difference = Some(difference);
        }
    }

    /// The collection with the most suspects is left for the cutover if there are too many.
    fn keep_within_bounds(&mut self) {
        while self.suspects.len() > MOST_SUSPECTS {
            let mut counts: BTreeMap<CollectionUuid, usize> = BTreeMap::new();
            for (collection, _) in self.suspects.keys() {
                *counts.entry(*collection).or_default() += 1;
            }
            let Some((worst, _)) = counts.into_iter().max_by_key(|(_, count)| *count) else { return };
            self.suspects.retain(|(collection, _), _| *collection != worst);
            if let Some(collection) = self.collections.get_mut(&worst) {
                collection.state = AheadState::Overrun;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use mongoferry_protocol::{AheadCollection, AheadState, CollectionUuid, Namespace, Optime};

    use super::{Ahead, MOST_SUSPECTS, State};

    fn uuid(byte: u8) -> CollectionUuid {
        CollectionUuid::from_bytes([byte; 16])
    }

    fn collection(source: u8, destination: u8, bytes_total: u64) -> AheadCollection {
        AheadCollection {
            namespace: Namespace::new("shop", "orders"),
            database_on_destination: "shop".into(),
            on_source: uuid(source),
            on_destination: uuid(destination),
            state: AheadState::Waiting,
            lower: None,
            documents: 0,
            bytes: 0,
            documents_total: 0,
            bytes_total,
        }
    }

    #[test]
    fn the_same_pair_stays_and_another_one_waits() {
        let mut state = State::default();
        state.meet(vec![collection(1, 11, 5), collection(2, 12, 9)]);
        assert_eq!(state.next_to_scan().map(|next| next.on_source), Some(uuid(2)));
        state.collections.get_mut(&uuid(2)).expect("known").state = AheadState::Done;
        state.seen_unequal(uuid(2), vec![vec![1]], Optime::ZERO);
        state.meet(vec![collection(1, 99, 5), collection(2, 12, 10)]);
        let states: Vec<_> = state.collections.values().map(|one| (one.state, one.bytes_total)).collect();
        assert_eq!(states, [(AheadState::Waiting, 5), (AheadState::Done, 10)]);
        assert!(state.is_begun(uuid(2)) && !state.is_begun(uuid(1)));
        state.meet(vec![collection(2, 13, 10)]);
        assert_eq!(state.collections[&uuid(2)].state, AheadState::Waiting);
    }

    #[test]
    fn a_suspect_is_one_until_it_is_seen_equal() {
        let mut state = State::default();
        state.meet(vec![collection(1, 11, 5)]);
        state.seen_unequal(uuid(1), vec![vec![1], vec![2]], Optime::new(3, 1));
        let begun = state.begin_look();
        state.seen_unequal(uuid(1), vec![vec![2]], Optime::new(4, 1));
        state.seen_equal(uuid(1), vec![vec![1], vec![2]], begun);
        assert_eq!(state.record().suspects.len(), 1);
        let again = State::of(state.record());
        assert!(again.suspects.contains_key(&(uuid(1), vec![2])));
    }

    #[test]
    fn it_is_broken_if_it_fails_again_and_again() {
        let ahead = Ahead::default();
        for _ in 0..2 {
            ahead.rest_after_failure(true);
            assert!(!ahead.is_broken());
            ahead.go_on();
        }
        ahead.rest_after_failure(true);
        assert!(ahead.is_broken());
        ahead.go_on();
        assert!(!ahead.is_broken(), "being tried");
        ahead.rest_after_failure(false);
        assert!(!ahead.is_broken(), "worked for a while");
    }

    #[test]
    fn too_many_suspects_leave_their_collection_for_the_cutover() {
        let mut state = State::default();
        state.meet(vec![collection(1, 11, 5), collection(2, 12, 5)]);
        state.seen_unequal(uuid(2), vec![vec![7]], Optime::ZERO);
        let many = (0..MOST_SUSPECTS as u32).map(|number| number.to_le_bytes().to_vec()).collect();
        state.seen_unequal(uuid(1), many, Optime::ZERO);
        assert_eq!(state.suspects.len(), 1);
        assert_eq!(state.collections[&uuid(1)].state, AheadState::Overrun);
    }
}
