//! Cuts the stream of changes into rounds: what all lanes apply side by side before the next step. A round ends at a DDL, which
//! has to wait for all lanes, or when a lane has enough to do. A transaction may be cut between any two of its changes.

use bson::RawDocument;
use mongoferry_protocol::{ChangePosition, CollectionUuid, Optime, WriteOrder};

use crate::{Change, ChangeKind, Ddl, IdKey, LaneFold, LaneWork, lane_of};

/// Per lane and round; one change that is larger by itself makes a round of its own.
#[derive(Clone, Copy, Debug)]
pub struct RoundLimits {
    /// Write operations, after folding.
    pub operations: usize,
    /// Bytes of BSON in them.
    pub bytes: usize,
}

/// Work for all lanes.
#[derive(Clone, Debug, PartialEq)]
pub struct Round {
    /// By number of the lane.
    pub lanes: Vec<LaneWork>,
    /// Where each lane stands after it, by number: at `through`, also without work, or further if it was further before.
    pub checkpoints: Vec<ChangePosition>,
    /// All changes up to this one are applied after it.
    pub through: ChangePosition,
}

/// A point where the changes so far have to be applied.
#[derive(Clone, Debug, PartialEq)]
pub enum Cut {
    Round(Round),
    /// `before` goes first, in all lanes; then the DDL; after it, every lane stands at `position`.
    Barrier {
        before: Option<Round>,
        ddl: Ddl,
        position: ChangePosition,
    },
}

/// Takes changes in order. What a lane has applied already, by its checkpoint, it does not do again.
#[derive(Debug)]
pub struct RoundBuilder {
    limits: RoundLimits,
    checkpoints: Vec<ChangePosition>,
    lanes: Vec<LaneFold>,
    through: Option<ChangePosition>,
    /// Changes that were applied already.
    read_again: u64,
}

impl RoundBuilder {
    /// `checkpoints`: what each lane has applied, one for each lane, at least one.
    pub fn new(checkpoints: Vec<ChangePosition>, limits: RoundLimits) -> Self {
        let lanes = checkpoints.iter().map(|_| LaneFold::default()).collect();
        Self { limits, checkpoints, lanes, through: None, read_again: 0 }
    }

    /// Adds the next change. If this cuts a round, that comes back: without the change, unless it is a DDL. `order` is that
    /// of the change's collection, and must be the same for all its changes between two DDLs.
    pub fn push(&mut self, change: Change, order: WriteOrder) -> Option<Cut> {
        let position = change.position;
        match change.kind {
            ChangeKind::Ddl(ddl) => self.barrier(ddl, position),
            kind => {
                let (uuid, document) = kind.target().expect("a change that is no DDL has a document");
                let (lane, key) = self.lane(uuid, document, order);
                let applied = position <= self.checkpoints[lane];
                let cut = if !applied && self.is_full(lane, kind.byte_count()) { self.take() } else { None };
                if applied {
                    self.read_again += 1;
                } else {
                    self.lanes[lane].fold(Change { position, kind }, key);
                }
                self.through = Some(position);
                cut.map(Cut::Round)
            }
        }
    }

    /// Says that all changes of the entry at `optime` have been pushed, if it had any.
    pub fn end_entry(&mut self, optime: Optime) {
        self.through = Some(ChangePosition::end_of(optime));
    }

    /// The round so far, if anything was covered since the last one; it may hold no operation and only move checkpoints.
    pub fn take(&mut self) -> Option<Round> {
        let through = self.through.take()?;
        for checkpoint in &mut self.checkpoints {
            *checkpoint = through.max(*checkpoint);
        }
        let lanes = self.lanes.iter_mut().map(LaneFold::take).collect();
        Some(Round { lanes, checkpoints: self.checkpoints.clone(), through })
    }

    /// How many changes were pushed since the last call that are applied already.
    pub fn take_read_again(&mut self) -> u64 {
        std::mem::take(&mut self.read_again)
    }

    fn barrier(&mut self, ddl: Ddl, position: ChangePosition) -> Option<Cut> {
        // All lanes pass a barrier at once, so that one lane behind it means that it is not done.
        if self.checkpoints.iter().all(|checkpoint| *checkpoint >= position) {
            self.through = Some(position);
            return None;
        }
        Some(Cut::Barrier { before: self.take(), ddl, position })
    }

    fn lane(&self, uuid: CollectionUuid, document: &RawDocument, order: WriteOrder) -> (usize, IdKey) {
        let key = IdKey::of_document(document, order);
        let lanes = u32::try_from(self.lanes.len()).expect("lanes are numbered by u32");
        (lane_of(uuid, &key, lanes) as usize, key)
    }

    fn is_full(&self, lane: usize, next_bytes: usize) -> bool {
        let lane = &self.lanes[lane];
        lane.operation_count() > 0
            && (lane.operation_count() >= self.limits.operations || lane.byte_count() + next_bytes > self.limits.bytes)
    }
}

impl Round {
    pub fn is_empty(&self) -> bool {
        self.lanes.iter().all(LaneWork::is_empty)
    }

    pub fn change_count(&self) -> u64 {
        self.lanes.iter().map(|lane| lane.change_count).sum()
    }
}
