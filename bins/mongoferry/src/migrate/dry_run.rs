//! `mongoferry migrate --dry-run`: everything that a migration looks at before it begins, and what it would do then.
//! Writes nothing: not to the clusters, not to a bus, not to the state directory.

use mongoferry_protocol::ValidationReport;

use crate::{
    bus_choice::BusChoice,
    exit::Exit,
    launch::Launch,
    launcher_error::LauncherError,
    plan_text::plan_text,
    review_text::review_text,
    stage_environment::StageEnvironment,
    standard_output::print_data,
    validation::{Validation, ValidatorOptions, run_validator},
    validation_text::validation_text,
};

pub async fn dry_run(launch: &Launch) -> Result<Exit, LauncherError> {
    let (bus, bus_directory) = match &launch.bus {
        BusChoice::Given(address) => (Some(address.clone()), None),
        BusChoice::Private { .. } => (None, Some(launch.state_dir.as_path())),
    };
    let environment = StageEnvironment {
        id: launch.id.clone(),
        source: launch.source.clone(),
        destination: launch.destination.clone(),
        bus,
        log: launch.log,
    };
    let options = ValidatorOptions { drop: launch.drop.as_deref(), look_only: true, bus_directory };
    match run_validator(&environment, options).await? {
        Validation::Usage(said) => {
            eprintln!("{said}");
            Ok(Exit::Usage)
        }
        Validation::Report(report) => {
            print_data(&dry_run_text(&report))?;
            Ok(if report.passed() { Exit::Done } else { Exit::Operator })
        }
    }
}

fn dry_run_text(report: &ValidationReport) -> String {
    let plan = report.inventory.as_ref().map(|inventory| plan_text(inventory) + "\n").unwrap_or_default();
    let verdict = if report.passed() { "could begin" } else { "could not begin: mend the errors above first" };
    format!(
        "{}\n\n{}\n{plan}dry run: the migration {verdict}; nothing was written\n",
        validation_text(report),
        review_text(report)
    )
}
