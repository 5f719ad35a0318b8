//! From a locked state directory to running stages: the bus, the validator, then everything else.

use std::time::Duration;

use mongoferry_protocol::{Role, ValidationReport};

use super::{conclude, consent::consent};
use crate::{
    ending::End,
    error_text::error_text,
    exit::Exit,
    ground::{Ground, prepare_ground},
    launch::{Launch, Start},
    launcher_error::LauncherError,
    progress::Screen,
    running_migration::RunningMigration,
    state_dir::StateDir,
    validation::{Validation, ValidatorOptions, run_validator},
    validation_text::validation_text,
};

const COORDINATOR_ANSWERS_WITHIN: Duration = Duration::from_secs(30);

/// While a party of a migration that has begun is away.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

pub enum Begun {
    Running(Box<RunningMigration>),
    /// There is nothing to run; what is to be said was said.
    Over(Exit),
}

pub async fn begin(launch: &Launch, state_dir: &mut StateDir, screen: &mut Screen) -> Result<Begun, LauncherError> {
    let mut ground = prepare_ground(launch, state_dir, screen).await?;
    if launch.start == Start::Manual {
        return Ok(Begun::Running(Box::new(RunningMigration::start(launch, &[], state_dir, ground)?)));
    }
    screen.say("validating source and destination");
    let is_claimed = state_dir.state().is_claimed();
    let mut told = Vec::new();
    let report = loop {
        match run_validator(&ground.environment, options(launch, &ground)).await? {
            // Where all was rebooted, this command may be the first that is up again.
            Validation::Report(report) if is_claimed && report.waits_for_a_party() => {
                let codes: Vec<String> = report.errors().map(|finding| finding.code.clone()).collect();
                if told != codes {
                    screen.say(&validation_text(&report));
                    screen.say("the migration goes on as soon as this is over, which is looked at again and again");
                    told = codes;
                }
                tokio::time::sleep(LOOK_AGAIN).await;
                if let Some(bus) = &mut ground.bus
                    && let Err(error) = bus.revive().await
                {
                    screen.say(&error_text(&error));
                }
            }
            Validation::Report(report) => break report,
            Validation::Usage(said) => {
                eprintln!("{said}");
                return Ok(Begun::Over(Exit::Usage));
            }
        }
    };
    let (source, destination) = (report.source.as_ref(), report.destination.as_ref());
    state_dir.state().expect_clusters(source, destination)?;
    if !report.passed() {
        return refused(launch, &report, state_dir, ground, screen).await.map(Begun::Over);
    }
    screen.say(&validation_text(&report));
    if !consent(launch, state_dir.state().is_claimed(), &report, screen).await? {
        eprintln!("nothing was done");
        return Ok(Begun::Over(Exit::Stopped));
    }
    state_dir.claim_for(source, destination)?;
    Ok(Begun::Running(Box::new(RunningMigration::start(launch, &[], state_dir, ground)?)))
}

fn options<'a>(launch: &'a Launch, ground: &Ground) -> ValidatorOptions<'a> {
    // The disk of somebody else's bus is not here.
    let bus_directory = ground.bus.is_some().then_some(launch.state_dir.as_path());
    ValidatorOptions { drop: launch.drop.as_deref(), look_only: false, bus_directory }
}

async fn refused(
    launch: &Launch,
    report: &ValidationReport,
    state_dir: &mut StateDir,
    ground: Ground,
    screen: &mut Screen,
) -> Result<Exit, LauncherError> {
    let both_answer = report.source.is_some() && report.destination.is_some();
    if both_answer
        && state_dir.state().is_claimed()
        && let Some(end) = earlier_end(launch, state_dir, ground, screen).await?
    {
        return conclude(&end, state_dir);
    }
    screen.clear();
    eprintln!("{}", validation_text(report));
    Ok(Exit::Operator)
}

/// A migration that committed just before its launcher was killed leaves a full destination without marks, which no
/// validator lets pass: so the coordinator is asked whether that is it.
async fn earlier_end(
    launch: &Launch,
    state_dir: &StateDir,
    ground: Ground,
    screen: &mut Screen,
) -> Result<Option<Box<End>>, LauncherError> {
    let mut running = RunningMigration::start(launch, &[Role::CutoverCoordinator], state_dir, ground)?;
    let ended = tokio::time::timeout(COORDINATOR_ANSWERS_WITHIN, running.end_if_final(screen)).await;
    screen.clear();
    running.stop().await;
    // What the validator found says more than a coordinator that can't start.
    Ok(ended.ok().and_then(Result::ok).flatten())
}
