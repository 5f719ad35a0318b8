//! mongoferry: the command. It starts the stages of a migration as child processes and shows what they do, or drives a
//! migration that runs elsewhere through the coordinator's HTTP API.
//!
//!     migrate, demo ──▶ nats-server, mongoferry-<stage>…     (children; nothing outlives the command)
//!     status, pause, resume, cutover, cancel, report ──HTTP──▶ mongoferry-cutover-coordinator
//!
//! No data passes through here. Killed anywhere and started again with the same state directory, `migrate` goes on.

mod amounts;
mod api_commands;
mod bus_choice;
mod child_end;
mod command_line;
mod coordinator_api;
mod cutover_facts;
mod cutover_outcome;
mod demo;
mod ending;
mod error_text;
mod exit;
mod ground;
mod lasting_lock;
mod launch;
mod launcher_error;
mod migrate;
mod plan_text;
mod private_bus;
mod progress;
mod question;
mod report_markdown;
mod review_text;
mod run_command;
mod running_migration;
mod stage_environment;
mod stage_plan;
mod stage_process;
mod stages_lock;
mod standard_output;
mod state_dir;
mod status_text;
mod store_limit;
mod stray_server;
mod supervisor;
mod support;
mod validate;
mod validation;
mod validation_text;

use std::process::ExitCode;

fn main() -> ExitCode {
    run_command::run_command(command_line::CommandLine::read().command)
}
