//! `mongoferry demo`: a whole live migration to watch, between two throw-away replica sets on this machine, with an
//! application that writes to the source all the while.
//!
//! What is run is what `mongoferry migrate` runs. Nothing is left behind, however it ends.

mod demo_args;
mod demo_clusters;
mod write_downtime;

use std::time::Duration;

pub use demo_args::DemoArgs;
use demo_clusters::DemoClusters;
use mongoferry_protocol::{MigrationStatus, Phase, now_ms};
use mongoferry_stage::{
    ApiTokenArgs, CancellationToken, NotifyArgs, SecretUri, TimeLimit, start_logs, stop_on_signals,
};
use mongoferry_testbed::Workload;
use tokio::time::Instant;
use write_downtime::downtime_text;

use crate::{
    amounts::{count_text, duration_text},
    bus_choice::BusChoice,
    coordinator_api::Order,
    ending::{End, Ending},
    exit::Exit,
    launch::{Consent, Cutover, Launch, Start},
    launcher_error::LauncherError,
    migrate::{Begun, begin, conclude, unless_stopped},
    progress::Screen,
    running_migration::{RunningMigration, Seen},
    standard_output::print_data,
    state_dir::StateDir,
};

/// How long the lag is shown before the cutover.
const AT_READY: Duration = Duration::from_secs(5);

pub async fn demo(args: DemoArgs) -> Result<Exit, LauncherError> {
    start_logs(args.log);
    let stopping = stop_on_signals(false).map_err(|source| LauncherError::Signals { source })?;
    let clusters = match unless_stopped(&stopping, DemoClusters::start(args.size.get())).await {
        None => return Ok(stopped()),
        Some(started) => started?,
    };
    let scratch = tempfile::Builder::new().prefix("mongoferry-demo-").tempdir();
    let scratch = scratch.map_err(LauncherError::io("make a directory for the demo"))?;
    let launch = launch(&args, &clusters, scratch.path().join("state"));
    let exit = migrate_between(&clusters, &launch, &stopping).await;
    clusters.shutdown().await;
    exit
}

fn launch(args: &DemoArgs, clusters: &DemoClusters, state_dir: std::path::PathBuf) -> Launch {
    Launch {
        id: "demo".parse().expect("a migration id"),
        source: SecretUri::new(clusters.source.uri()),
        destination: SecretUri::new(clusters.destination.uri()),
        state_dir,
        bus: BusChoice::Private { nats_server: None },
        listen: args.listen,
        api_token: ApiTokenArgs::default(),
        copiers: args.copiers,
        start: Start::Auto,
        cutover: Cutover::Manual,
        cutover_limit: TimeLimit::from_ms(600_000),
        verify: true,
        drop: None,
        notify: NotifyArgs::default(),
        consent: Consent::Given,
        accept_missing_indexes: false,
        log: args.log,
    }
}

async fn migrate_between(
    clusters: &DemoClusters,
    launch: &Launch,
    stopping: &CancellationToken,
) -> Result<Exit, LauncherError> {
    let mut state_dir = StateDir::open(&launch.state_dir, &launch.id)?;
    let mut screen = Screen::new(launch.log);
    let writers = clusters.start_writers(&screen).await?;
    let mut running = match unless_stopped(stopping, begin(launch, &mut state_dir, &mut screen)).await {
        None => return Ok(stopped()),
        Some(Ok(Begun::Over(exit))) => return Ok(exit),
        Some(Ok(Begun::Running(running))) => running,
        Some(Err(error)) => {
            screen.clear();
            return Err(error);
        }
    };
    let played = unless_stopped(stopping, play(&mut running, writers, &mut screen)).await;
    screen.clear();
    running.stop().await;
    match played {
        None => Ok(stopped()),
        Some(Err(error)) => Err(error),
        Some(Ok(end)) => finish(&end, &mut state_dir),
    }
}

/// The end, and when the application's last write was over, in milliseconds since 1970, if it came to that.
struct Played {
    end: Box<End>,
    silent_at_ms: Option<u64>,
}

async fn play(running: &mut RunningMigration, writers: Workload, screen: &mut Screen) -> Result<Played, LauncherError> {
    let early = |end| Ok(Played { end, silent_at_ms: None });
    screen.say(&format!("API: {}   (mongoferry status --api {})", running.api().base(), running.api().base()));
    if let Seen::End(end) = running.follow(screen, |status| status.phase == Phase::Ready).await? {
        return early(end);
    }
    screen.say(&format!("ready: the destination follows the source; watching for {}", duration_text(AT_READY)));
    let watched = Instant::now() + AT_READY;
    let still_ready = |status: &MigrationStatus| status.phase == Phase::Ready && Instant::now() >= watched;
    if let Seen::End(end) = running.follow(screen, still_ready).await? {
        return early(end);
    }
    let counts = writers.stop().await?;
    let silent_at_ms = Some(now_ms());
    screen.say(&format!("the application stopped after {} writes; cutting over", count_text(counts.total())));
    running.api().order(Order::Commit { accept_missing_indexes: false, block_writes: false }).await?;
    match running.follow(screen, |_| false).await? {
        Seen::End(end) => Ok(Played { end, silent_at_ms }),
        Seen::Goal => unreachable!("nothing but the end is waited for"),
    }
}

fn finish(played: &Played, state_dir: &mut StateDir) -> Result<Exit, LauncherError> {
    let exit = conclude(&played.end, state_dir)?;
    if let Some(silent_at_ms) = played.silent_at_ms {
        print_data(&format!("\n{}\n", downtime_text(silent_at_ms, &played.end.report)))?;
    }
    let proven = played.end.ending == Ending::Committed && played.end.report.verification == "equal";
    Ok(if proven || exit != Exit::Done { exit } else { Exit::Failed })
}

fn stopped() -> Exit {
    eprintln!("stopped; nothing is left behind");
    Exit::Stopped
}
