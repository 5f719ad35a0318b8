//! From a locked state directory to running stages: the bus, the validator, then everything else.

use mongoferry_protocol::{Role, ValidationReport};

use super::conclude;
use crate::{
    exit::Exit,
    ground::{Ground, prepare_ground},
    launch::Launch,
    launcher_error::LauncherError,
    progress::Screen,
    running_migration::{RunningMigration, Seen},
    state_dir::StateDir,
    validation::{Validation, run_validator},
    validation_text::validation_text,
};

pub enum Begun {
    Running(Box<RunningMigration>),
    /// There is nothing to run; what is to be said was said.
    Over(Exit),
}

pub async fn begin(launch: &Launch, state_dir: &mut StateDir, screen: &mut Screen) -> Result<Begun, LauncherError> {
    let ground = prepare_ground(launch, state_dir, screen).await?;
    screen.say("validating source and destination");
    let report = match run_validator(&ground.environment).await? {
        Validation::Report(report) => report,
        Validation::Usage(said) => {
            eprintln!("{said}");
            return Ok(Begun::Over(Exit::Usage));
        }
    };
    let (source, destination) = (report.source.as_ref(), report.destination.as_ref());
    state_dir.state().expect_clusters(source, destination)?;
    if !report.passed() {
        return refused(launch, &report, state_dir, ground, screen).await.map(Begun::Over);
    }
    screen.say(&validation_text(&report));
    state_dir.claim_for(source, destination)?;
    Ok(Begun::Running(Box::new(RunningMigration::start(launch, &[], state_dir, ground)?)))
}

/// A migration that committed just before its launcher was killed leaves a full destination without marks, which no
/// validator lets pass: so the coordinator is asked first whether that is it.
async fn refused(
    launch: &Launch,
    report: &ValidationReport,
    state_dir: &mut StateDir,
    ground: Ground,
    screen: &mut Screen,
) -> Result<Exit, LauncherError> {
    if state_dir.state().is_claimed() {
        let mut running = RunningMigration::start(launch, &[Role::CutoverCoordinator], state_dir, ground)?;
        let seen = running.follow(screen, |_| true).await;
        screen.clear();
        running.stop().await;
        match seen {
            Ok(Seen::End(end)) => return conclude(&end, state_dir),
            // What the validator found says more than a coordinator that can't connect.
            Ok(Seen::Goal) | Err(_) => {}
        }
    }
    eprintln!("{}", validation_text(report));
    Ok(Exit::Operator)
}
