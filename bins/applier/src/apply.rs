//! The loop of the active applier: batch, changes, rounds and barriers, checkpoint.

use std::{sync::Arc, time::Duration};

use mongoferry_bus::Lease;
use mongoferry_mongo::{ApplierState, ApplyError, Cluster, DdlExecutor, LaneCheckpoint, LaneWriter, SourceDocuments};
use mongoferry_oplog::{Change, Cut, RoundBuilder, RoundLimits};
use mongoferry_protocol::{ChangePosition, Phase, WriteOrder};
use mongoferry_stage::Stage;
use tokio::time::Instant;

use crate::{
    applier_error::ApplierError,
    beginning::beginning,
    doubled_names::DoubledNames,
    metrics::ChangeCounts,
    progress::Progress,
    read_ahead::{ReadAhead, ReadBatch},
};

/// Per lane; large enough that collections share commands, small enough for a transaction.
const LIMITS: RoundLimits = RoundLimits { operations: 4_000, bytes: 6 * 1024 * 1024 };
/// While there is a backlog, a round that is not full waits this long for more: larger commands cost less per change.
const GATHER: Duration = Duration::from_millis(20);
/// Checkpoints of batches without changes.
const IDLE_EVERY: Duration = Duration::from_millis(200);

/// Begins a new term and applies until the process is stopped.
pub async fn apply(
    stage: &Stage,
    destination: &Cluster,
    source: &Arc<SourceDocuments>,
    lease: &Lease,
) -> Result<(), ApplierError> {
    lease.check()?;
    stage.set_activity("taking over");
    let (settings, start) = beginning(&stage.bus, destination).await?;
    lease.check()?;
    let (state, writers) = ApplierState::take_over(destination, settings.lanes, source).await?;
    tracing::info!(term = state.term(), applied = %state.position().optime, "applying");
    let batches = ReadAhead::start(&stage.bus, start, state.resume_sequence(), state.position()).await?;
    let positions = state.lanes().iter().map(|lane| lane.position).collect();
    let term = state.term();
    let still_ours = || match lease.still_held() {
        true => Ok(()),
        false => Err(ApplyError::StaleTerm { cluster: destination.hosts_label().to_owned(), term }),
    };
    let mut active = Active {
        stage,
        lease,
        executor: DdlExecutor::new(destination, &still_ours).await?,
        writers: writers.into_iter().map(Some).collect(),
        rounds: RoundBuilder::new(positions, LIMITS),
        batches,
        covered: LaneCheckpoint { position: state.position(), ..LaneCheckpoint::default() },
        unwritten: 0,
        resting: false,
        backlog: false,
        gather_until: Instant::now(),
        idle_at: Instant::now(),
        doubled_names: DoubledNames::on(state.delta_form()),
        progress: Progress::new(),
        ask_repair_at: Instant::now(),
        state,
    };
    active.run().await
}

/// The applier in its term.
pub struct Active<'a> {
    pub stage: &'a Stage,
    pub lease: &'a Lease,
    pub state: ApplierState,
    pub executor: DdlExecutor<'a>,
    /// By lane; taken while its lane writes.
    pub writers: Vec<Option<LaneWriter>>,
    pub doubled_names: DoubledNames,
    rounds: RoundBuilder,
    batches: ReadAhead,
    /// Up to here, changes were handed to `rounds`.
    covered: LaneCheckpoint,
    /// Changes handed to `rounds` since its last round.
    unwritten: u64,
    resting: bool,
    /// Since the last round, reading was ahead by as much as it may be.
    backlog: bool,
    gather_until: Instant,
    /// When the next checkpoint without changes may be written.
    idle_at: Instant,
    progress: Progress,
    /// When it is asked next whether documents are to be copied again.
    pub ask_repair_at: Instant,
}

enum Event {
    Stop,
    Phase(Phase),
    Due,
    AskRepair,
    Batch(ReadBatch),
}

impl Active<'_> {
    async fn run(&mut self) -> Result<(), ApplierError> {
        self.stage.set_activity("applying");
        loop {
            self.backlog |= self.batches.is_full();
            match self.next().await? {
                Event::Stop => break,
                Event::Phase(phase) => self.rest(!phase.applies()),
                Event::Batch(batch) => self.take_in(batch).await?,
                Event::Due => {}
                Event::AskRepair => self.repair_if_asked().await?,
            }
            if self.batches.is_empty() && !self.resting {
                self.flush().await?;
            }
            self.progress.publish_if_due(&self.stage.bus, self.state.checkpoint()).await?;
        }
        Ok(self.progress.publish(&self.stage.bus, self.state.checkpoint()).await?)
    }

    /// Ending goes before resting, both go before new work, and news of what is done are not held up by more work.
    async fn next(&mut self) -> Result<Event, ApplierError> {
        let (resting, due) = (self.resting, self.due());
        let mut phases = self.stage.phases.clone();
        tokio::select! {
            biased;
            () = self.stage.stopping.cancelled() => Ok(Event::Stop),
            record = phases.wait_for(|record| record.phase.applies() == resting) => Ok(Event::Phase(record.phase)),
            () = tokio::time::sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => Ok(Event::Due),
            () = tokio::time::sleep_until(self.ask_repair_at), if !resting => Ok(Event::AskRepair),
            batch = self.batches.next(), if !resting => batch.map(Event::Batch),
        }
    }

    fn rest(&mut self, resting: bool) {
        self.resting = resting;
        self.stage.set_activity(if resting { "resting" } else { "applying" });
    }

    /// Hands a batch to the rounds and writes those that are full.
    async fn take_in(&mut self, batch: ReadBatch) -> Result<(), ApplierError> {
        let mut counts = ChangeCounts::default();
        for entry in batch.entries {
            let mut covered =
                LaneCheckpoint { position: self.covered.position, sequence: entry.resume, wall_ms: entry.wall_ms };
            for change in entry.changes {
                counts.count(&change.kind);
                covered.position = change.position;
                self.take_in_change(change, covered).await?;
            }
            covered.position = ChangePosition::end_of(entry.optime);
            self.rounds.end_entry(entry.optime);
            self.covered = covered;
        }
        self.rounds.end_entry(batch.last);
        self.covered = LaneCheckpoint {
            position: ChangePosition::end_of(batch.last),
            sequence: batch.resume,
            wall_ms: batch.last_wall_ms,
        };
        counts.record();
        let read_again = self.rounds.take_read_again();
        self.stage.note(|process| process.changes_read_again += read_again);
        Ok(())
    }

    async fn take_in_change(&mut self, change: Change, covered: LaneCheckpoint) -> Result<(), ApplierError> {
        let before = std::mem::replace(&mut self.covered, covered);
        self.unwritten += 1;
        let order = match change.kind.target() {
            Some((uuid, _)) => self.state.collections().order(uuid),
            None => WriteOrder::default(),
        };
        match self.rounds.push(change, order) {
            None => {}
            Some(Cut::Round(round)) => {
                self.unwritten = 1;
                self.write_round(round, before).await?;
            }
            Some(Cut::Barrier { before: round, ddl, .. }) => {
                self.unwritten = 0;
                if let Some(round) = round {
                    self.write_round(round, before).await?;
                }
                self.cross_barrier(&ddl, covered).await?;
            }
        }
        Ok(())
    }

    /// Writes what there is: changes at once or nearly so, a mere advance now and then.
    async fn flush(&mut self) -> Result<(), ApplierError> {
        if std::mem::take(&mut self.backlog) {
            self.gather_until = Instant::now() + GATHER;
        }
        if !self.is_ahead() || Instant::now() < self.flush_at() {
            return Ok(());
        }
        self.idle_at = Instant::now() + IDLE_EVERY;
        let round = self.rounds.take();
        if std::mem::take(&mut self.unwritten) > 0 {
            return match round {
                Some(round) => self.write_round(round, self.covered).await,
                None => Ok(()),
            };
        }
        self.lease.check()?;
        let lanes = (0..).take(self.writers.len()).collect();
        self.advance_idle(lanes, self.covered).await
    }

    /// When what is at hand is to be written, if nothing more comes.
    fn flush_at(&self) -> Instant {
        if self.unwritten > 0 { self.gather_until } else { self.idle_at }
    }

    /// Some lane does not stand yet where reading stands.
    fn is_ahead(&self) -> bool {
        self.covered.position > self.state.position()
    }

    fn due(&self) -> Option<Instant> {
        let flush = (self.is_ahead() && self.batches.is_empty() && !self.resting).then(|| self.flush_at());
        [flush, self.progress.due(&self.state.checkpoint())].into_iter().flatten().min()
    }
}
