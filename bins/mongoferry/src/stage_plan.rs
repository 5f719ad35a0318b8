//! Which processes a migration on one machine is made of. Pure.

use std::{net::SocketAddr, num::NonZeroUsize, path::Path};

use mongoferry_protocol::Role;
use mongoferry_stage::{NotifyArgs, TimeLimit};

use crate::{
    launch::{Cutover, Start},
    stage_environment::Clusters,
};

/// A process to keep running.
#[derive(Clone, PartialEq, Eq)]
pub struct StageSpec {
    pub role: Role,
    /// The same with every start, so that the process finds its own leases again.
    pub instance: String,
    pub arguments: Vec<String>,
    /// What arguments would show to everybody on the machine.
    pub environment: Vec<(&'static str, String)>,
    pub clusters: Clusters,
}

/// The coordinator's part of the options.
#[derive(Clone, Copy, Debug)]
pub struct CoordinatorOptions<'a> {
    pub listen: SocketAddr,
    pub api_token_file: Option<&'a Path>,
    pub start: Start,
    pub cutover: Cutover,
    pub cutover_limit: TimeLimit,
    pub verify: bool,
    /// The replica set that may be dropped from, as the operator typed it.
    pub drop: Option<&'a str>,
    pub accept_missing_indexes: bool,
    pub notify: &'a NotifyArgs,
    /// Where the private bus keeps the oplog, for the validator that stays.
    pub bus_directory: Option<&'a Path>,
}

/// `launcher` tells our processes from those of another machine on a shared bus; empty on a private one.
pub fn stage_plan(coordinator: CoordinatorOptions<'_>, copiers: NonZeroUsize, launcher: &str) -> Vec<StageSpec> {
    let spec = |role: Role, number: usize, clusters: Clusters| StageSpec {
        role,
        instance: match launcher {
            "" => format!("{role}-{number}"),
            launcher => format!("{role}-{launcher}-{number}"),
        },
        arguments: Vec::new(),
        environment: Vec::new(),
        clusters,
    };
    let mut plan = vec![
        StageSpec {
            arguments: coordinator_arguments(coordinator),
            environment: coordinator.notify.environment(),
            ..spec(Role::CutoverCoordinator, 1, Clusters::Both)
        },
        spec(Role::OplogTailer, 1, Clusters::Source),
    ];
    plan.extend((1..=copiers.get()).map(|number| spec(Role::Copier, number, Clusters::Both)));
    plan.push(spec(Role::Indexer, 1, Clusters::Both));
    plan.push(spec(Role::Applier, 1, Clusters::Both));
    plan.push(spec(Role::Verifier, 1, Clusters::Both));
    if coordinator.start == Start::Manual {
        let arguments = validator_arguments(coordinator);
        plan.push(StageSpec { arguments, ..spec(Role::Validator, 1, Clusters::Both) });
    }
    plan
}

fn coordinator_arguments(options: CoordinatorOptions<'_>) -> Vec<String> {
    let mut arguments =
        vec!["--listen".into(), options.listen.to_string(), "--cutover".into(), options.cutover.as_str().into()];
    arguments.extend(["--cutover-limit".into(), options.cutover_limit.as_argument()]);
    arguments.extend(["--start".into(), options.start.as_str().into()]);
    if let Some(file) = options.api_token_file {
        arguments.extend(["--api-token-file".into(), file.display().to_string()]);
    }
    if !options.verify {
        arguments.push("--no-verify".into());
    }
    arguments.extend(drop_arguments(options.drop));
    if options.accept_missing_indexes {
        arguments.push("--accept-missing-indexes".into());
    }
    arguments
}

/// It stays for the validations that are asked for before the start.
fn validator_arguments(options: CoordinatorOptions<'_>) -> Vec<String> {
    let mut arguments = vec!["--serve".into()];
    arguments.extend(drop_arguments(options.drop));
    if let Some(directory) = options.bus_directory {
        arguments.extend(["--bus-directory".into(), directory.display().to_string()]);
    }
    arguments
}

fn drop_arguments(drop: Option<&str>) -> impl Iterator<Item = String> {
    drop.into_iter().flat_map(|name| ["--drop".into(), "--confirm-destination".into(), name.into()])
}

#[cfg(test)]
mod tests {
    use mongoferry_stage::NotifyArgs;

    use super::{CoordinatorOptions, stage_plan};
    use crate::launch::{Cutover, Start};

    #[test]
    fn names_every_process_once_and_apart_from_other_machines() {
        let options = CoordinatorOptions {
            listen: "127.0.0.1:27182".parse().unwrap(),
            api_token_file: Some("a/token".as_ref()),
            start: Start::Auto,
            cutover: Cutover::Auto,
            cutover_limit: "90s".parse().unwrap(),
            verify: false,
            drop: Some("rs1"),
            accept_missing_indexes: false,
            notify: &NotifyArgs::default(),
            bus_directory: None,
        };
        let names = |launcher: &str| {
            let plan = stage_plan(options, 2.try_into().unwrap(), launcher);
            plan.into_iter().map(|stage| stage.instance).collect::<Vec<_>>()
        };
        assert_eq!(
            names(""),
            ["cutover-coordinator-1", "oplog-tailer-1", "copier-1", "copier-2", "indexer-1", "applier-1", "verifier-1"]
        );
        assert!(names("a1").iter().all(|name| name.contains("-a1-")));
        let coordinator = &stage_plan(options, 1.try_into().unwrap(), "")[0];
        assert_eq!(
            coordinator.arguments.join(" "),
            "--listen 127.0.0.1:27182 --cutover auto --cutover-limit 90s --start auto --api-token-file a/token --no-verify --drop --confirm-destination rs1"
        );
        let manual = CoordinatorOptions { start: Start::Manual, ..options };
        let validator = stage_plan(manual, 1.try_into().unwrap(), "").pop().unwrap();
        assert_eq!(validator.arguments.join(" "), "--serve --drop --confirm-destination rs1");
    }
}
