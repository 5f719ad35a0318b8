//! Writes one lane: the operations of a round and the lane's checkpoint, in one transaction.
//!
//! The transaction begins with an update of the lane's record that must match under the applier's own term, so that one
//! whose term has ended writes nothing. Committed by a majority or not at all; a round too large for one transaction is
//! written in several, of which only the last moves the checkpoint.

mod amend;
mod commands;
mod make_room;
mod piece;
mod source_documents;
pub(crate) mod transaction;
mod update_forms;
mod write_step;

use bson::oid::ObjectId;
use std::sync::Arc;

use mongodb::ClientSession;
use mongoferry_protocol::{Durable, Optime};

use crate::{
    applier_state::{ApplyError, LaneCheckpoint, records},
    connection::Cluster,
};
use amend::marked_count;
use commands::Commands;
use piece::{Part, halves, step_count};
pub use source_documents::SourceDocuments;
use transaction::{NotCommitted, transact, transaction_session};
pub use update_forms::is_altered_by_the_server;
pub(crate) use update_forms::{id_query, literally};
pub use write_step::{CollectionSteps, InsertForm, WriteStep};

/// How often a document may be refused though no index that could refuse it stands any more.
const MOST_WITHOUT_ROOM: u32 = 10;
/// Documents of the source that a lane holds in memory at once: 50 MiB of documents of 100 KiB.
const MOST_TO_READ: usize = 500;

/// What a lane has to do in a round.
#[derive(Clone, Debug)]
pub struct LaneRound {
    pub collections: Vec<CollectionSteps>,
    pub inserts: InsertForm,
    /// Where the lane stands afterwards.
    pub checkpoint: LaneCheckpoint,
    /// Changes that the steps came of.
    pub changes: u64,
}

/// What writing a round took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LaneWritten {
    pub checkpoint: LaneCheckpoint,
    pub changes: u64,
    /// Transactions that were given up and done again.
    pub retries: u64,
}

/// One lane's connection to the destination, for one term.
pub struct LaneWriter {
    cluster: Cluster,
    source: Arc<SourceDocuments>,
    session: ClientSession,
    lane: u32,
    term: i64,
}

impl LaneWriter {
    pub(crate) async fn open(
        cluster: &Cluster,
        source: &Arc<SourceDocuments>,
        lane: u32,
        term: i64,
    ) -> Result<Self, ApplyError> {
        let session = transaction_session(cluster).await?;
        Ok(Self { cluster: cluster.clone(), source: source.clone(), session, lane, term })
    }

    pub(crate) fn session(&self) -> &ClientSession {
        &self.session
    }

    pub fn lane(&self) -> u32 {
        self.lane
    }

    /// Writes a round. After an error the lane stands before or behind it: only a new term tells.
    pub async fn write(&mut self, round: &LaneRound) -> Result<Durable<LaneWritten>, ApplyError> {
        let mut written = LaneWritten { checkpoint: round.checkpoint, changes: round.changes, retries: 0 };
        let read_after = round.checkpoint.position.optime;
        self.write_steps(&round.collections, round.inserts, read_after, Some(round), &mut written.retries).await?;
        Ok(Durable::attest(written))
    }

    /// Writes steps that are no part of any round, under the lane's term; its checkpoint stays. What is to be read from the source
    /// is read as it is at `read_after` or later: no lane may stand behind that.
    pub async fn write_aside(
        &mut self,
        collections: &[CollectionSteps],
        read_after: Optime,
    ) -> Result<Durable<()>, ApplyError> {
        self.write_steps(collections, InsertForm::Upsert, read_after, None, &mut 0).await?;
        Ok(Durable::attest(()))
    }

    /// The last transaction moves the checkpoint to where `round` ends.
    async fn write_steps(
        &mut self,
        collections: &[CollectionSteps],
        mut form: InsertForm,
        read_after: Optime,
        round: Option<&LaneRound>,
        retries: &mut u64,
    ) -> Result<(), ApplyError> {
        let mut without_room = 0;
        let mut waiting = vec![collections.iter().map(Part::of).collect::<Vec<_>>()];
        while let Some(mut piece) = waiting.pop() {
            if marked_count(&piece) > MOST_TO_READ {
                let (first, second) = halves(piece);
                waiting.extend([second, first]);
                continue;
            }
            self.read_marked(&mut piece, read_after).await?;
            let moves = round.filter(|_| waiting.is_empty());
            match self.write_piece(&piece, form, moves, retries).await {
                Ok(()) => {}
                Err(NotCommitted::Duplicate(_)) if form == InsertForm::Insert => {
                    form = InsertForm::Upsert;
                    *retries += 1;
                    waiting.push(piece);
                }
                Err(NotCommitted::Unindexable(namespace, kind, error)) => {
                    // Where another lane was faster, nothing is left to be dropped, and the next attempt succeeds.
                    if !self.make_room(&namespace, kind).await? {
                        without_room += 1;
                        if without_room > MOST_WITHOUT_ROOM {
                            return Err(error.into());
                        }
                    }
                    *retries += 1;
                    waiting.push(piece);
                }
                Err(NotCommitted::Unfit(step, error)) => {
                    if !self.read_instead(&mut piece, step, read_after).await? {
                        return Err(error.into());
                    }
                    *retries += 1;
                    waiting.push(piece);
                }
                Err(NotCommitted::TooLarge(_)) if step_count(&piece) > 1 => {
                    let (first, second) = halves(piece);
                    *retries += 1;
                    waiting.extend([second, first]);
                }
                Err(reason) => return Err(reason.into_error(|| self.stale_term())),
            }
        }
        Ok(())
    }

    async fn write_piece(
        &mut self,
        piece: &[Part<'_>],
        form: InsertForm,
        moves: Option<&LaneRound>,
        retries: &mut u64,
    ) -> Result<(), NotCommitted> {
        let transaction = ObjectId::new();
        let (lane, term) = (self.lane, self.term);
        let statements = || {
            let fence = match moves {
                Some(round) => records::advance_lane(lane, term, transaction, round.checkpoint, round.changes),
                None => records::touch_lane(lane, term, transaction),
            };
            std::iter::once(fence).chain(Commands::new(piece, form))
        };
        match transact(&self.cluster, &mut self.session, step_count(piece) > 1, statements).await {
            Ok(in_vain) => *retries += u64::from(in_vain),
            Err(NotCommitted::Fenced) if self.is_committed(transaction).await? => {}
            Err(reason) => return Err(reason),
        }
        Ok(())
    }

    /// A commit whose answer was lost may have been carried out; then its redoing is fenced off.
    async fn is_committed(&self, transaction: ObjectId) -> Result<bool, NotCommitted> {
        let confirmed = records::confirm(&self.cluster, self.term, transaction).await;
        confirmed.map(|lanes| lanes == 1).map_err(NotCommitted::Failed)
    }

    fn stale_term(&self) -> ApplyError {
        ApplyError::StaleTerm { cluster: self.cluster.hosts_label().to_owned(), term: self.term }
    }
}
