//! How far the applier has come and who may apply, kept on the destination with the data.
//!
//! Whoever raises the term is the only one whose writes take effect from then on. A checkpoint stands in the same
//! transaction as what it speaks of, so a destination that rolls back takes both back. Positions and the map of collections
//! held here are those the destination has confirmed.

mod apply_error;
mod barrier;
mod collection_map;
mod delta_form;
mod initialise;
mod probe;
pub(crate) mod records;
mod takeover;

use bson::{Document, doc, oid::ObjectId};
use mongodb::ClientSession;
use mongoferry_protocol::{ChangePosition, Checkpoint, Durable, Namespace, Optime};

use crate::{
    connection::Cluster, ddl_executor::DdlPlan, error::MongoError, lane_writer::LaneWritten, optimes::first_of,
};
pub use apply_error::ApplyError;
pub use collection_map::{CollectionMap, MapChange, MappedCollection};
pub use delta_form::{DeltaForm, delta_form};
pub use initialise::{Beginning, initialise, is_initialised, mark_destination};

/// Where a lane, or all of them, stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LaneCheckpoint {
    /// Every change up to and including this one is applied.
    pub position: ChangePosition,
    /// The batch from which reading must begin again; 0 for the first there is.
    pub sequence: u64,
    /// Wall time of the entry on the source, in milliseconds since 1970.
    pub wall_ms: u64,
}

/// A catalog change that is under way.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    pub position: ChangePosition,
    pub plan: DdlPlan,
}

/// The destination as the active applier knows it.
pub struct ApplierState {
    cluster: Cluster,
    session: ClientSession,
    term: i64,
    delta_form: DeltaForm,
    lanes: Vec<LaneCheckpoint>,
    changes: u64,
    collections: CollectionMap,
    claim: Option<Claim>,
    replay_until: Optime,
}

impl ApplierState {
    pub fn term(&self) -> i64 {
        self.term
    }

    pub fn delta_form(&self) -> DeltaForm {
        self.delta_form
    }

    /// By number of the lane.
    pub fn lanes(&self) -> &[LaneCheckpoint] {
        &self.lanes
    }

    /// The batch to resume reading from.
    pub fn resume_sequence(&self) -> u64 {
        self.lanes.iter().map(|lane| lane.sequence).min().unwrap_or(0)
    }

    /// What every lane has applied.
    pub fn position(&self) -> ChangePosition {
        self.lanes.iter().map(|lane| lane.position).min().unwrap_or_default()
    }

    pub fn collections(&self) -> &CollectionMap {
        &self.collections
    }

    /// The catalog change that a predecessor began, or this one, and that is not recorded as done.
    pub fn claim(&self) -> Option<&Claim> {
        self.claim.as_ref()
    }

    /// Up to this optime, documents may be ahead of the changes that are applied.
    pub fn replay_until(&self) -> Optime {
        self.replay_until
    }

    /// Takes note of what a lane has written.
    pub fn lane_written(&mut self, lane: u32, written: &Durable<LaneWritten>) {
        let written = written.get();
        self.lanes[lane as usize] = written.checkpoint;
        self.changes += written.changes;
    }

    /// Moves the checkpoints of lanes that have nothing to write.
    pub async fn advance_idle(&mut self, lanes: &[u32], checkpoint: LaneCheckpoint) -> Result<(), ApplyError> {
        let command = records::advance_idle(lanes, self.term, checkpoint);
        if records::write(&self.cluster, command).await? != lanes.len() as i64 {
            return Err(self.stale_term());
        }
        for lane in lanes {
            self.lanes[*lane as usize] = checkpoint;
        }
        Ok(())
    }

    /// A copy of the checkpoint of all lanes, for the bus.
    pub fn checkpoint(&self) -> Durable<Checkpoint> {
        let oldest = self.lanes.iter().min_by_key(|lane| lane.position).copied().unwrap_or_default();
        Durable::attest(Checkpoint {
            applied: last_whole_entry(oldest.position),
            applied_wall_ms: oldest.wall_ms,
            sequence: self.resume_sequence(),
            changes_applied: self.changes,
            term: u64::try_from(self.term).unwrap_or(0),
        })
    }

    fn stale_term(&self) -> ApplyError {
        ApplyError::StaleTerm { cluster: self.cluster.hosts_label().to_owned(), term: self.term }
    }

    /// Whether all lanes carry the mark of this transaction, by a majority.
    async fn is_committed(&self, transaction: ObjectId) -> Result<bool, MongoError> {
        Ok(records::confirm(&self.cluster, self.term, transaction).await? == self.lanes.len() as i64)
    }
}

/// An optime such that every entry up to it is applied whole.
fn last_whole_entry(position: ChangePosition) -> Optime {
    match position {
        ChangePosition { optime, index: u32::MAX } => optime,
        ChangePosition { optime: Optime { t, i: 0 }, .. } => Optime::new(t.saturating_sub(1), u32::MAX),
        ChangePosition { optime: Optime { t, i }, .. } => Optime::new(t, i - 1),
    }
}

async fn find_one(cluster: &Cluster, collection: &str, id: &str) -> Result<Option<Document>, MongoError> {
    let find = doc! { "find": collection, "filter": { "_id": id }, "limit": 1, "singleBatch": true };
    let reply = cluster.command(Namespace::OWN_DATABASE, find).await?;
    Ok(first_of(&reply).cloned())
}

#[cfg(test)]
mod tests {
    use mongoferry_protocol::{ChangePosition, Optime};

    use super::last_whole_entry;

    #[test]
    fn an_entry_applied_in_part_does_not_count() {
        let at = |t, i| Optime::new(t, i);
        assert_eq!(last_whole_entry(ChangePosition::end_of(at(7, 3))), at(7, 3));
        assert_eq!(last_whole_entry(ChangePosition::new(at(7, 3), 0)), at(7, 2));
        assert_eq!(last_whole_entry(ChangePosition::new(at(7, 0), 5)), at(6, u32::MAX));
    }
}
