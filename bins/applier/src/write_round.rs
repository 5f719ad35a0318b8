//! One round: every lane's work side by side, each in a transaction of its own.

use mongoferry_mongo::{ApplyError, InsertForm, LaneCheckpoint, LaneRound, LaneWriter, LaneWritten};
use mongoferry_oplog::Round;
use mongoferry_protocol::Durable;
use tokio::{task::JoinSet, time::Instant};

use crate::{applier_error::ApplierError, apply::Active, lane_steps::lane_steps, metrics};

type Written = (LaneWriter, Result<Durable<LaneWritten>, ApplyError>);

impl Active<'_> {
    /// Writes `round`; afterwards every lane stands at `checkpoint`. After an error, lanes stand before or behind it.
    pub async fn write_round(&mut self, round: Round, checkpoint: LaneCheckpoint) -> Result<(), ApplierError> {
        self.lease.check()?;
        self.doubled_names.look(self.stage.bus.records(), &round).await?;
        let began = Instant::now();
        let operations = round.lanes.iter().map(|lane| lane.operation_count as u64).sum();
        let (mut writing, mut idle, mut skipped) = (JoinSet::new(), Vec::new(), 0);
        let inserts = self.insert_form();
        for (lane, work) in (0..).zip(round.lanes) {
            let changes = work.change_count;
            let steps = lane_steps(work, self.state.collections(), self.state.delta_form(), &self.doubled_names);
            skipped += steps.skipped;
            if steps.collections.is_empty() {
                idle.push(lane);
                continue;
            }
            let mut writer = self.writers[lane as usize].take().expect("a lane writes one round at a time");
            let round = LaneRound { collections: steps.collections, inserts, checkpoint, changes };
            writing.spawn(async move {
                let written = writer.write(&round).await;
                (writer, written)
            });
        }
        self.advance_idle(idle, checkpoint).await?;
        let retries = self.join(writing).await?;
        metrics::round_written(operations, skipped, retries, began.elapsed());
        Ok(())
    }

    /// Moves lanes without work. A lane that is ahead, because its last round outlived a restart, stays where it is.
    pub async fn advance_idle(&mut self, mut lanes: Vec<u32>, checkpoint: LaneCheckpoint) -> Result<(), ApplierError> {
        let state = &mut self.state;
        lanes.retain(|lane| state.lanes()[*lane as usize].position < checkpoint.position);
        if !lanes.is_empty() {
            state.advance_idle(&lanes, checkpoint).await?;
        }
        Ok(())
    }

    /// Waits for all lanes, also when one has failed: the others' checkpoints count.
    async fn join(&mut self, mut writing: JoinSet<Written>) -> Result<u64, ApplierError> {
        let (mut retries, mut failed) = (0, None);
        while let Some(joined) = writing.join_next().await {
            let (writer, written) = joined.expect("a lane neither panics nor is aborted");
            let lane = writer.lane();
            self.writers[lane as usize] = Some(writer);
            match written {
                Ok(written) => {
                    retries += written.get().retries;
                    self.state.lane_written(lane, &written);
                }
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        failed.map_or(Ok(retries), |error| Err(error.into()))
    }

    /// While changes are replayed over a copy that was made later, most inserted documents are there already.
    fn insert_form(&self) -> InsertForm {
        if self.state.position().optime <= self.state.replay_until() { InsertForm::Upsert } else { InsertForm::Insert }
    }
}
