//! `mongoferry migrate`: a whole migration on this machine, from the first check to the report.
//!
//! The steps are in `migrate`; each can be interrupted at any moment and is found again by the next start.

mod begin;
mod conclude;
mod consent;
mod dry_run;
mod lift_blocks;
mod migrate_args;
mod unless_stopped;

use std::time::Duration;

pub use begin::{Begun, begin};
pub use conclude::conclude;
pub use migrate_args::MigrateArgs;
use mongoferry_protocol::{MigrationStatus, Phase};
use mongoferry_stage::{CancellationToken, start_logs, stop_on_signals};
pub use unless_stopped::unless_stopped;

use crate::{
    ending::End,
    exit::Exit,
    launch::{Cutover, Launch, Start},
    launcher_error::LauncherError,
    progress::Screen,
    running_migration::{RunningMigration, Seen},
    state_dir::StateDir,
};

/// Who follows the migration through the API sees its end too.
const LINGER: Duration = Duration::from_secs(2);

pub async fn migrate(args: MigrateArgs) -> Result<Exit, LauncherError> {
    let only_look = args.dry_run;
    let launch = args.launch()?;
    start_logs(launch.log);
    let stopping = stop_on_signals(false).map_err(|source| LauncherError::Signals { source })?;
    if only_look {
        return unless_stopped(&stopping, dry_run::dry_run(&launch)).await.unwrap_or(Ok(Exit::Stopped));
    }
    let mut state_dir = StateDir::open(&launch.state_dir, &launch.id)?;
    let mut screen = Screen::new(launch.log);
    if !conclude::blocks_left(&state_dir).is_empty() {
        let lifting = lift_blocks::lift_blocks(&launch, &mut state_dir, &mut screen);
        let lifted = unless_stopped(&stopping, lifting).await;
        return lifted.unwrap_or(Ok(())).and(Err(conclude::was_cancelled(&state_dir)));
    }
    if let Some(exit) = conclude::again(&state_dir)? {
        return Ok(exit);
    }
    let begun = unless_stopped(&stopping, begin(&launch, &mut state_dir, &mut screen)).await;
    let running = match begun {
        None => return Ok(stopped(&state_dir)),
        Some(Err(error)) => {
            screen.clear();
            return Err(error);
        }
        Some(Ok(Begun::Over(exit))) => return Ok(exit),
        Some(Ok(Begun::Running(running))) => running,
    };
    match run_to_end(running, &launch, &mut state_dir, &mut screen, &stopping).await? {
        Some(end) => {
            let exit = conclude(&end, &mut state_dir)?;
            eprintln!("report and logs: {}", state_dir.path().display());
            Ok(exit)
        }
        None => Ok(stopped(&state_dir)),
    }
}

/// `None` if it was stopped before the end. Whatever happens, the stages and the bus are gone on return.
async fn run_to_end(
    mut running: Box<RunningMigration>,
    launch: &Launch,
    state_dir: &mut StateDir,
    screen: &mut Screen,
    stopping: &CancellationToken,
) -> Result<Option<Box<End>>, LauncherError> {
    let followed = unless_stopped(stopping, follow_to_end(&mut running, launch, state_dir, screen)).await;
    screen.clear();
    running.stop().await;
    followed.transpose()
}

async fn follow_to_end(
    running: &mut RunningMigration,
    launch: &Launch,
    state_dir: &mut StateDir,
    screen: &mut Screen,
) -> Result<Box<End>, LauncherError> {
    if launch.start == Start::Manual
        && let Some(end) = until_started(running, state_dir, screen).await?
    {
        return linger(end).await;
    }
    let ready = |status: &MigrationStatus| status.phase == Phase::Ready && launch.cutover == Cutover::Manual;
    let unready = |status: &MigrationStatus| status.phase != Phase::Ready;
    loop {
        match running.follow(screen, ready).await? {
            Seen::Goal => screen.say(&how_to_cut_over(running.api().base())),
            Seen::End(end) => return linger(end).await,
        }
        if let Seen::End(end) = running.follow(screen, unready).await? {
            return linger(end).await;
        }
    }
}

/// Somebody validates and starts it through the page or the API; or it was started in an earlier run.
async fn until_started(
    running: &mut RunningMigration,
    state_dir: &mut StateDir,
    screen: &mut Screen,
) -> Result<Option<Box<End>>, LauncherError> {
    if !state_dir.state().is_claimed() {
        screen.say(&how_to_start(running.api().base()));
    }
    let started = |status: &MigrationStatus| !matches!(status.phase, Phase::Created | Phase::Validating);
    if let Seen::End(end) = running.follow(screen, started).await? {
        return Ok(Some(end));
    }
    let found = running.api().validation().await?;
    state_dir.claim_for(found.source.as_ref(), found.destination.as_ref())?;
    Ok(None)
}

fn how_to_start(api: &str) -> String {
    format!(
        "nothing is written yet. To validate, look, and start, open {api} in a browser; or run\n\
        \x20   mongoferry start --api {api}"
    )
}

async fn linger(end: Box<End>) -> Result<Box<End>, LauncherError> {
    tokio::time::sleep(LINGER).await;
    Ok(end)
}

fn how_to_cut_over(api: &str) -> String {
    format!(
        "ready: the destination follows the source. To cut over, stop the writes to the source, then run\n\
        \x20   mongoferry cutover --api {api}"
    )
}

fn stopped(state_dir: &StateDir) -> Exit {
    eprintln!(
        "stopped; nothing is lost. Start the same command again to continue (state: {})",
        state_dir.path().display()
    );
    Exit::Stopped
}
