//! A migration that was cancelled while a cluster was away may have left its users blocked there. The coordinator has that on
//! record; a start lifts it.

use std::time::Duration;

use mongoferry_protocol::Role;
use tokio::time::sleep;

use super::conclude;
use crate::{
    ending::End, ground::prepare_ground, launch::Launch, launcher_error::LauncherError, progress::Screen,
    running_migration::RunningMigration, state_dir::StateDir,
};

/// An election takes less; whoever has waited so long in vain is told how to do it by hand.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Nothing else of the migration is touched.
pub async fn lift_blocks(launch: &Launch, state_dir: &mut StateDir, screen: &mut Screen) -> Result<(), LauncherError> {
    screen.say("the cancelled migration left the writes of users blocked; lifting that");
    let ground = prepare_ground(launch, state_dir, screen).await?;
    let mut running = RunningMigration::start(launch, &[Role::CutoverCoordinator], state_dir, ground)?;
    let lifted = tokio::time::timeout(PATIENCE, until_lifted(&mut running, screen)).await;
    screen.clear();
    running.stop().await;
    if let Ok(end) = lifted {
        conclude(&*end?, state_dir)?;
        eprintln!("the writes of users are no longer blocked");
    } else {
        for block in conclude::blocks_left(state_dir) {
            eprintln!("{}", crate::status_text::standing_block(&block));
        }
    }
    Ok(())
}

async fn until_lifted(running: &mut RunningMigration, screen: &mut Screen) -> Result<Box<End>, LauncherError> {
    loop {
        match running.end_if_final(screen).await? {
            Some(end) if end.status.write_blocks.is_empty() => return Ok(end),
            _ => sleep(LOOK_EVERY).await,
        }
    }
}
