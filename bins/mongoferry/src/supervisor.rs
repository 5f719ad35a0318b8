//! Keeps the stages running: each that ends is started again, after a pause that grows while it keeps failing.

use std::{path::PathBuf, sync::Arc};

use mongoferry_protocol::Role;
use tokio::{sync::mpsc, task::JoinSet, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::{
    child_end::{AfterEnd, after_end},
    lasting_lock::LastingLock,
    launcher_error::LauncherError,
    stage_environment::StageEnvironment,
    stage_plan::StageSpec,
    stage_process::{StageProcess, last_words},
};

/// A stage process ended by itself.
pub struct ChildEnded {
    pub role: Role,
    pub instance: String,
    /// Such as `exit status: 1`.
    pub status: String,
    pub after: AfterEnd,
    pub log: PathBuf,
    /// The end of its log, if it is given up.
    pub said: String,
}

pub struct Supervisor {
    keepers: JoinSet<()>,
    stopping: CancellationToken,
    ends: mpsc::Receiver<ChildEnded>,
}

/// What all stages share.
struct Ground {
    environment: StageEnvironment,
    /// Held by every stage.
    lock: LastingLock,
    logs: PathBuf,
    ends: mpsc::Sender<ChildEnded>,
    stopping: CancellationToken,
}

impl Supervisor {
    /// Starts all stages; their logs go to directory `logs`.
    pub fn start(
        plan: Vec<StageSpec>,
        environment: StageEnvironment,
        lock: LastingLock,
        logs: PathBuf,
    ) -> Result<Self, LauncherError> {
        // Looked for before anything is started.
        for stage in &plan {
            environment.command(stage.role.as_str(), stage.clusters)?;
        }
        let (sender, ends) = mpsc::channel(plan.len());
        let stopping = CancellationToken::new();
        let ground = Arc::new(Ground { environment, lock, logs, ends: sender, stopping: stopping.clone() });
        let mut keepers = JoinSet::new();
        for stage in plan {
            keepers.spawn(keep_running(stage, Arc::clone(&ground)));
        }
        Ok(Self { keepers, stopping, ends })
    }

    /// The next end of a stage. Pending while all run.
    pub async fn next_end(&mut self) -> ChildEnded {
        match self.ends.recv().await {
            Some(ended) => ended,
            // All were given up, each of them reported before.
            None => std::future::pending().await,
        }
    }

    /// Ends all stages; they are gone on return.
    pub async fn stop(mut self) {
        self.stopping.cancel();
        // Nobody waits for reports any more.
        self.ends.close();
        while self.keepers.join_next().await.is_some() {}
    }
}

async fn keep_running(stage: StageSpec, ground: Arc<Ground>) {
    let log = ground.logs.join(format!("{}.log", stage.instance));
    let mut pause = None;
    loop {
        let began = Instant::now();
        let (status, after) = match run_once(&stage, &ground, &log).await {
            Ok(None) => return,
            Ok(Some(status)) => (status.to_string(), after_end(status.code(), began.elapsed(), pause)),
            Err(error) => (error.to_string(), after_end(None, began.elapsed(), pause)),
        };
        let said = if after == AfterEnd::GiveUp { last_words(&log) } else { String::new() };
        let ended =
            ChildEnded { role: stage.role, instance: stage.instance.clone(), status, after, log: log.clone(), said };
        if ground.ends.send(ended).await.is_err() {
            return;
        }
        let AfterEnd::StartAgain(next_pause) = after else { return };
        pause = Some(next_pause);
        tokio::select! {
            biased;
            () = ground.stopping.cancelled() => return,
            () = tokio::time::sleep(next_pause) => {}
        }
    }
}

/// `None` if it was us who ended it.
async fn run_once(
    stage: &StageSpec,
    ground: &Ground,
    log: &std::path::Path,
) -> Result<Option<std::process::ExitStatus>, LauncherError> {
    let mut command = ground.environment.command(stage.role.as_str(), stage.clusters)?;
    command.args(["--stop-with-parent", "--instance", &stage.instance]).args(&stage.arguments);
    command.envs(stage.environment.iter().map(|(name, value)| (name, value)));
    let program = PathBuf::from(command.as_std().get_program());
    let holds = ground.lock.share().map_err(LauncherError::io("hand the lock to a stage"))?;
    let mut process =
        StageProcess::spawn(command, holds, log).map_err(|source| LauncherError::Spawn { program, source })?;
    tokio::select! {
        biased;
        () = ground.stopping.cancelled() => {
            process.stop().await;
            Ok(None)
        }
        ended = process.wait() => ended.map(Some).map_err(LauncherError::io("wait for a stage")),
    }
}
