//! The loop: look, decide, do one step, look again.

use std::{collections::HashSet, sync::Arc, time::Duration};

use mongoferry_bus::{Lease, key};
use mongoferry_mongo::Cluster;
use mongoferry_protocol::{
    MigrationSettings, MigrationStatus, Phase, PredictedPart, Report, Throttle, VerifiedAhead, WorkItem,
};
use mongoferry_stage::{CancellationToken, Stage};
use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};

use crate::{
    CoordinatorArgs, StartChoice,
    board::Led,
    catch_up::CatchUp,
    command::{Command, Effect, Request, effect},
    coordinator_error::CoordinatorError,
    copy_progress::{CopyProgress, Plans},
    decide::{Facts, Step, decide},
    facts::gather,
    measured::measured,
    metrics,
    phase_keeper::PhaseKeeper,
    prediction::predict,
    rates::Rate,
    report,
    settings::settle,
    silence::Silence,
    status, validation_jobs, verified_ahead,
    view::View,
};

pub struct Coordinator {
    pub stage: Stage,
    /// Asked right before each command that changes a cluster: the phase alone is compared and set.
    pub lease: Arc<Lease>,
    pub source: Cluster,
    pub destination: Cluster,
    pub settings: MigrationSettings,
    /// The replica set that may be dropped from, as the operator typed it.
    pub confirmed_drop: Option<String>,
    pub phase: PhaseKeeper,
    pub view: View,
    pub plans: Plans,
    pub copy: CopyProgress,
    pub copy_rate: Rate,
    pub catch_up: CatchUp,
    /// Said at the start, for every cutover.
    pub accept_missing_indexes: bool,
    /// Said at the start, for a cutover that has failed by then.
    pub accept_source_writes: bool,
    /// Asked for by this process alone: a successor asks anew.
    pub silence: Option<Silence>,
    start: StartChoice,
    pub throttle: Throttle,
    /// Work items that this process has queued: once is enough, however often the decision asks for it.
    pub queued: HashSet<WorkItem>,
    requests: mpsc::Receiver<Request>,
    pub status: watch::Sender<MigrationStatus>,
    report: watch::Sender<Report>,
}

/// The loop looks again after this long even if nothing has told it to.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// A process that is told to stop gives up what it does after eight seconds, and is killed after ten.
const STEP_WITHIN: Duration = Duration::from_secs(1);
const STOP_WITHIN: Duration = Duration::from_secs(6);
/// Looking at many thousand records takes its time; it must not take more than a tenth of a core.
const LOOK_SHARE: u32 = 10;

impl Coordinator {
    /// Also forgets a failure of an earlier run: being started again is how an operator says that the cause is gone.
    pub async fn open(
        stage: &Stage,
        lease: &Arc<Lease>,
        source: &Cluster,
        destination: &Cluster,
        args: &CoordinatorArgs,
    ) -> Result<(Self, Led), CoordinatorError> {
        let records = stage.bus.records();
        let settings = settle(records, stage.bus.migration(), source, destination, args).await?;
        let phase = PhaseKeeper::open(records).await?;
        let mut view = View::open(&stage.bus, source, destination, &stage.instance).await?;
        view.mirror.changed().await;
        let throttle = records.get(&key::throttle()).await?.map(|throttle| throttle.value).unwrap_or_default();
        let (sender, requests) = mpsc::channel(16);
        let plans = Plans::default();
        let copy = CopyProgress::default();
        let first =
            MigrationStatus { throttle, ..status::build(&view, &settings, phase.record(), &copy, 0, Vec::new())? };
        let (status, shown) = watch::channel(first);
        let (report, reported) =
            watch::channel(report::build(&view, &settings, phase.record(), &copy, (None, Vec::new()))?);
        let mut coordinator = Self {
            stage: stage.clone(),
            lease: lease.clone(),
            source: source.clone(),
            destination: destination.clone(),
            settings,
            confirmed_drop: args.drop.confirmed()?.map(ToOwned::to_owned),
            phase,
            view,
            plans,
            copy,
            copy_rate: Rate::default(),
            catch_up: CatchUp::default(),
            accept_missing_indexes: args.accept_missing_indexes,
            accept_source_writes: args.accept_source_writes,
            silence: None,
            start: args.start,
            throttle,
            queued: HashSet::new(),
            requests,
            status,
            report,
        };
        if let Effect::Recover(next) = effect(Command::Resume, coordinator.phase.record()) {
            coordinator.recover(next).await?;
        }
        coordinator.tidy_after_end().await;
        let liveness = coordinator.view.liveness.clone();
        let settings = coordinator.settings.clone();
        Ok((coordinator, Led { settings, status: shown, report: reported, requests: sender, liveness }))
    }

    /// Until the process is stopped.
    pub async fn run(&mut self) -> Result<(), CoordinatorError> {
        loop {
            let looked_at = Instant::now();
            let stopping = self.stage.stopping.clone();
            let step = tokio::select! {
                step = self.step() => step,
                // A cluster that does not answer must not hold up what is to be done at the end.
                () = stopped_for(&stopping, STEP_WITHIN) => return Ok(()),
            };
            let step = match step {
                Ok(step) => step,
                // Who cancels because a cluster is away must not have to wait for it.
                Err(CoordinatorError::Cluster(_)) if self.serve_waiting().await => continue,
                Err(error) => return Err(error),
            };
            if step_changes_phase(&step) {
                self.look()?;
                continue;
            }
            let rest = LOOK_EVERY.max(looked_at.elapsed() * LOOK_SHARE);
            // During a cutover every change of a record counts at once; before, a few looks a second are enough.
            let phase = self.phase.phase();
            let is_cutover = matches!(phase, Phase::Draining | Phase::Verifying | Phase::Finalizing);
            tokio::select! {
                biased;
                () = self.stage.stopping.cancelled() => return Ok(()),
                Some(request) = self.requests.recv() => self.serve(request).await,
                () = self.view.mirror.changed(), if is_cutover => {}
                () = tokio::time::sleep(rest) => {}
            }
        }
    }

    /// Decides, and does what was decided.
    async fn step(&mut self) -> Result<Step, CoordinatorError> {
        let step = self.look()?;
        self.divide_copy().await?;
        self.perform(step.clone()).await?;
        Ok(step)
    }

    async fn serve(&mut self, request: Request) {
        let answer = self.carry_out(request.command).await;
        // Somebody who hung up does not need the answer.
        let _ = request.answer.send(answer);
    }

    /// Whether somebody waited.
    async fn serve_waiting(&mut self) -> bool {
        let mut served = false;
        while self.lease.still_held()
            && let Ok(request) = self.requests.try_recv()
        {
            self.serve(request).await;
            served = true;
        }
        served
    }

    /// Behind this process, which ends because of `reason`, nobody may be left to lift a block; whoever leads next can begin the
    /// cutover again.
    pub async fn let_users_write(&mut self, reason: &str) -> Result<(), CoordinatorError> {
        let reverted = async {
            // A step that was broken off may have passed the point of no return without knowing it.
            self.phase = PhaseKeeper::open(self.stage.bus.records()).await?;
            let record = self.phase.record();
            if !record.phase.is_revertible_cutover() || record.write_blocks.source_since_ms.is_none() {
                return Ok(());
            }
            self.revert(format!("{reason} while the source's writes were blocked")).await
        };
        tokio::time::timeout(STOP_WITHIN, reverted).await.unwrap_or(Ok(()))
    }

    /// What the cutover would be made of now; nothing while it is not ready.
    fn predicted(&self) -> Result<Vec<PredictedPart>, CoordinatorError> {
        let record = self.phase.record();
        self.view.want_work(record.phase == Phase::Ready);
        let Some(work) = self.view.work().filter(|_| record.phase == Phase::Ready) else { return Ok(Vec::new()) };
        let ahead: Option<VerifiedAhead> = self.view.mirror.get(&key::verified_ahead())?;
        let ahead = ahead.as_ref().map(verified_ahead::view);
        let lag_ms = self.status.borrow().lag.map_or(0, |lag| lag.total_ms);
        Ok(predict(&work, &measured(&self.settings, record, &self.copy, ahead.as_ref(), lag_ms)))
    }

    /// Reads all there is, shows it, and decides.
    fn look(&mut self) -> Result<Step, CoordinatorError> {
        self.plans.refresh(&self.view.mirror)?;
        let cutover = self.phase.record().cutover.as_ref().map_or(0, |cutover| cutover.number);
        self.copy = self.plans.progress(&self.view.mirror, cutover)?;
        self.copy_rate.sample(self.copy.bytes);
        let record = self.phase.record();
        let rate = self.copy_rate.per_second();
        // The mirror of a process that has just begun may lack it.
        self.throttle = self.view.mirror.get(&key::throttle())?.unwrap_or(self.throttle);
        let predicted = self.predicted()?;
        let status = status::build(&self.view, &self.settings, record, &self.copy, rate, predicted)?;
        let predicted = (status.predicted_downtime_ms, status.predicted_parts.clone());
        let may_look_ahead = self.settings.verify && self.view.mirror.get(&key::obstacle_to_looking_ahead())?.is_none();
        let rehearsed = is_rehearsed(&status, may_look_ahead);
        let is_catching_up = status.phase == Phase::CatchingUp;
        self.catch_up.sample(status.lag.filter(|_| is_catching_up).map(|lag| lag.total_ms));
        let catch_up_eta_seconds = self.catch_up.eta_seconds();
        let status = MigrationStatus { throttle: self.throttle, catch_up_eta_seconds, ..status };
        metrics::show(&status);
        self.status.send_replace(status);
        self.report.send_replace(report::build(&self.view, &self.settings, record, &self.copy, predicted)?);
        let facts = gather(
            &self.view,
            &self.plans,
            &self.copy,
            &self.settings,
            record,
            self.accept_missing_indexes,
            rehearsed,
        )?;
        let facts = Facts { silent_until: self.silent_until(), ..facts };
        let facts = validation_jobs::as_begun(facts, self.start, &self.view.mirror, record)?;
        Ok(decide(record, &facts))
    }
}

async fn stopped_for(stopping: &CancellationToken, patience: Duration) {
    stopping.cancelled().await;
    tokio::time::sleep(patience).await;
}

/// Prediction, and all that can be verified ahead. A document that stays different is known, and told; nothing more comes of it.
fn is_rehearsed(status: &MigrationStatus, may_look_ahead: bool) -> bool {
    let verified = status
        .verified_ahead
        .as_ref()
        .is_some_and(|ahead| ahead.collections == ahead.collections_total && ahead.suspects <= ahead.differing_count);
    status.predicted_downtime_ms.is_some() && (verified || !may_look_ahead)
}

fn step_changes_phase(step: &Step) -> bool {
    matches!(
        step,
        Step::Enter(_)
            | Step::BeginCutover
            | Step::WriteNote
            | Step::AskForSilence
            | Step::RecordDrained
            | Step::Commit
            | Step::DrainAgain
            | Step::UndoPreparation
            | Step::EndRehearsal
            | Step::Revert(_)
            | Step::Fail(_)
    )
}
