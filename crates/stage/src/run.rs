//! The life of a stage process.

use std::{process::ExitCode, time::Duration};

use futures_util::future::LocalBoxFuture;
use mongoferry_bus::{Bus, key};
use mongoferry_protocol::{Explain, Failure, Retry, Role};
use tokio_util::sync::CancellationToken;

use crate::{Stage, StageArgs, StageError, StageResult, failure_text, health, stop_signal, telemetry};

/// What the stage does until it is done, fails, or `stage.stopping` is cancelled. Boxed, so that the runtime's code is
/// compiled once here and not again in every binary; local, because it is polled on the main thread alone.
pub type StageWork = Box<dyn FnOnce(Stage) -> LocalBoxFuture<'static, StageResult>>;

/// After a stop signal a stage has this long to come to the end of a unit of work.
const DRAIN: Duration = Duration::from_secs(8);
/// Looks that find no bus, one after the other.
const BUS_STAYS_AWAY: u32 = 10;
const LOOK_FOR_BUS: Duration = Duration::from_millis(100);
const HEARTBEAT: Duration = Duration::from_secs(1);
/// A failure of an earlier life is forgotten once the process has run this long.
const HEALTHY_AFTER: u64 = 5;

#[derive(Debug, thiserror::Error)]
enum ShellError {
    #[error("the address {address} for metrics is not free")]
    Listen {
        address: std::net::SocketAddr,
        #[source]
        cause: std::io::Error,
    },
    #[error("signals can't be received")]
    Signals {
        #[source]
        cause: std::io::Error,
    },
}

impl Explain for ShellError {
    fn code(&self) -> &'static str {
        match self {
            Self::Listen { .. } => "MF-STAGE-1",
            Self::Signals { .. } => "MF-STAGE-2",
        }
    }

    fn hint(&self) -> String {
        match self {
            Self::Listen { .. } => "Give another --metrics-listen, or end the process that listens there.".into(),
            Self::Signals { .. } => "The operating system refused a signal handler; check the process limits.".into(),
        }
    }

    fn retry(&self) -> Retry {
        Retry::AfterFix
    }
}

/// Runs a stage from the first log line to the exit code: 0 done or stopped, 1 failed and worth starting again, 3 an
/// operator must act first.
pub fn run(role: Role, args: StageArgs, work: StageWork) -> ExitCode {
    telemetry::start_logs(args.log);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.expect("the operating system gives a process its threads");
    let code = runtime.block_on(live(role, &args, work));
    // A blocking read of standard input may still be under way.
    runtime.shutdown_timeout(Duration::from_millis(100));
    code
}

async fn live(role: Role, args: &StageArgs, work: StageWork) -> ExitCode {
    let instance = args.instance_name(role);
    let ended = match start(role, args, instance.clone()).await {
        Ok(stage) => {
            let outcome = work_until_stopped(stage.clone(), work).await;
            let failure = outcome.as_ref().err().map(|error| error.failure(role, &instance));
            stage.ledger.close(&stage, failure.as_ref().map(|failure| failure.code.clone())).await;
            if let Some(failure) = failure {
                store_failure(&stage.bus, &failure).await;
            }
            outcome
        }
        Err(error) => Err(error),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let failure = error.failure(role, &instance);
            tracing::error!(code = failure.code, "{}", failure_text(&failure));
            exit_code(failure.retry)
        }
    }
}

/// 1 for what passes by itself, 3 for what needs an operator.
pub fn exit_code(retry: Retry) -> ExitCode {
    match retry {
        Retry::Soon => ExitCode::from(1),
        Retry::AfterFix | Retry::Never => ExitCode::from(3),
    }
}

async fn start(role: Role, args: &StageArgs, instance: String) -> Result<Stage, StageError> {
    let stopping =
        stop_signal::stop_on_signals(args.stop_with_parent).map_err(|cause| ShellError::Signals { cause })?;
    let metrics = telemetry::start_metrics();
    let ready = CancellationToken::new();
    if let Some(address) = args.metrics_listen {
        health::serve(address, metrics.clone(), ready.clone(), stopping.clone())
            .await
            .map_err(|cause| ShellError::Listen { address, cause })?;
    }
    let bus = Bus::connect(&args.bus_options(), &args.id).await?;
    let stage = Stage::new(role, instance, bus, stopping, metrics, ready);
    tracing::info!(role = %role, instance = stage.instance, migration = %args.id, "started");
    tokio::spawn(send_heartbeats(stage.clone()));
    Ok(stage)
}

async fn work_until_stopped(stage: Stage, work: StageWork) -> StageResult {
    let stopping = stage.stopping.clone();
    let bus = stage.bus.clone();
    let drained_too_long = async {
        stopping.cancelled().await;
        tokio::select! {
            () = tokio::time::sleep(DRAIN) => {}
            () = bus_stays_away(&bus) => {}
        }
    };
    tokio::select! {
        outcome = work(stage) => match outcome {
            // Being stopped breaks off waits and connections: what comes of it is no failure.
            Err(error) if stopping.is_cancelled() && error.retry() == Retry::Soon => Ok(()),
            outcome => outcome,
        },
        () = drained_too_long => {
            tracing::warn!("stopped in the middle of a unit of work; it will be done again");
            Ok(())
        }
    }
}

/// A launcher that is killed takes its bus along: what ends then can't be recorded, and whoever starts next would wait for it.
async fn bus_stays_away(bus: &Bus) {
    let reachability = bus.reachability();
    let mut missed = 0;
    while missed < BUS_STAYS_AWAY {
        tokio::time::sleep(LOOK_FOR_BUS).await;
        missed = if reachability.is_lost() { missed + 1 } else { 0 };
    }
}

async fn send_heartbeats(stage: Stage) {
    let mut beats = 0;
    while !stage.stopping.is_cancelled() {
        // A lost heartbeat is not worth a line: the next one follows in a second.
        let _ = stage.bus.send_heartbeat(&stage.heartbeat()).await;
        beats += 1;
        if beats == HEALTHY_AFTER {
            let _ = stage.bus.records().remove(&key::failure(stage.role, &stage.instance)).await;
        }
        // So is what is told once more then.
        let _ = stage.ledger.keep(&stage, key::process(stage.role, &stage.instance)).await;
        tokio::time::sleep(HEARTBEAT).await;
    }
}

async fn store_failure(bus: &Bus, failure: &Failure) {
    let stored = async { bus.records().put(&key::failure(failure.role, &failure.instance), failure).await };
    match tokio::time::timeout(Duration::from_secs(5), stored).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tracing::warn!(%error, "the failure could not be stored on the bus"),
        Err(_) => tracing::warn!("the bus did not answer in time to store the failure"),
    }
}
