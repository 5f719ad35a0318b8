//! `mongoferry support`: one file for a bug report, of what the coordinator says and what the state directory keeps. Without
//! connection strings' passwords, tokens, and values of documents; names of databases, collections, indexes and hosts stay.

mod bundle;
mod collect;
mod redact;

use std::path::PathBuf;

use clap::Args;
use mongoferry_protocol::MigrationId;

use self::{bundle::Bundle, redact::Redactor};
use crate::{
    api_commands::ApiArgs,
    exit::Exit,
    launcher_error::LauncherError,
    state_dir::{DEFAULT_PLACE, default_place},
};

#[derive(Args)]
pub struct SupportArgs {
    #[command(flatten)]
    api: ApiArgs,
    /// The file to write, a .tar.gz.
    #[arg(long, value_name = "FILE", env = "MONGOFERRY_OUTPUT", default_value = "mongoferry-support.tar.gz")]
    output: PathBuf,
    /// Name of the migration.
    #[arg(long, value_name = "NAME", env = "MONGOFERRY_ID", default_value = "default")]
    id: MigrationId,
    #[arg(long, value_name = "DIR", env = "MONGOFERRY_STATE_DIR", help = state_dir_help())]
    state_dir: Option<PathBuf>,
}

fn state_dir_help() -> String {
    format!("Where the migration keeps its state, if that is on this machine [default: {DEFAULT_PLACE}]")
}

/// Of a migration that runs, or that was stopped; what can't be had is named in the bundle.
pub async fn support(args: SupportArgs) -> Result<Exit, LauncherError> {
    let state_dir = match args.state_dir {
        Some(given) => given,
        None => default_place(&args.id, std::env::var_os("XDG_STATE_HOME"), std::env::var_os("HOME"))?,
    };
    let api = args.api.open()?;
    let mut bundle = Bundle::new(Redactor::of_environment(api.token()));
    collect::of_this_machine(&mut bundle).await;
    collect::of_coordinator(&mut bundle, &api).await;
    collect::of_state_dir(&mut bundle, &state_dir);
    let missing = bundle.missing().join("\n  ");
    bundle.write(&args.output).map_err(LauncherError::io(format!("write {}", args.output.display())))?;
    if !missing.is_empty() {
        eprintln!("not in it:\n  {missing}");
    }
    eprintln!("written: {}; look through it before you send it", args.output.display());
    Ok(Exit::Done)
}
