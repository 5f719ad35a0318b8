//! What can end the command other than the migration itself, each case with its way out.

use std::{io, net::SocketAddr, path::PathBuf};

use mongoferry_protocol::{Explain, Retry};
use mongoferry_stage::{DropArgsError, SecretFileError, SecretUriError};
use mongoferry_testbed::TestbedError;

#[derive(Debug, thiserror::Error)]
pub enum LauncherError {
    #[error("another mongoferry{} works in the state directory {}", by(pid), dir.display())]
    StateInUse { dir: PathBuf, pid: Option<u32> },
    #[error("the directory {} is neither empty nor a state directory of mongoferry", dir.display())]
    ForeignDirectory { dir: PathBuf },
    #[error("the state directory {} belongs to migration {theirs}, not to {ours}", dir.display())]
    OtherMigration { dir: PathBuf, theirs: String, ours: String },
    #[error("the state directory belongs to a migration whose {side} is {recorded}, not {found}")]
    OtherCluster { side: &'static str, recorded: String, found: String },
    #[error("the state directory {} has format {found}; this mongoferry knows format {known}", dir.display())]
    OtherFormat { dir: PathBuf, found: u32, known: u32 },
    #[error("the state file {} is not readable as one", path.display())]
    DamagedState { path: PathBuf, source: serde_json::Error },
    #[error("{action} failed")]
    Io { action: String, source: io::Error },
    #[error("{what} of an earlier start in {} did not end", dir.display())]
    OutlivedLauncher { what: &'static str, dir: PathBuf },
    #[error("the state directory {} holds a migration that was cancelled", dir.display())]
    WasCancelled { dir: PathBuf },
    #[error("no home directory is known to keep the state in")]
    NoHome,

    #[error("the program {} is missing", program.display())]
    ProgramMissing { program: PathBuf },
    #[error("{} does not start", program.display())]
    Spawn { program: PathBuf, source: io::Error },
    #[error("the address {address} is not free")]
    ListenTaken { address: SocketAddr, source: io::Error },
    #[error("the validator ended with {status} and without a report")]
    ValidatorSilent { status: String, said: String },
    #[error("{instance} ended with {status} and is not started again")]
    StageGaveUp { instance: String, status: String, log: PathBuf, said: String },
    #[error("signals can't be received")]
    Signals { source: io::Error },
    #[error(transparent)]
    Uri(#[from] SecretUriError),
    #[error(transparent)]
    DropArgs(#[from] DropArgsError),
    #[error(transparent)]
    Secret(#[from] SecretFileError),
    #[error(transparent)]
    Testbed(#[from] TestbedError),

    // The coordinator's own answers have the codes MF-API-1 to MF-API-10.
    #[error("no coordinator answers at {api}")]
    ApiUnreachable { api: String, source: reqwest::Error },
    #[error("the coordinator at {api} refuses: {description} [{code}]")]
    ApiRefused { api: String, code: String, description: String, hint: String },
    #[error("what answers at {api} is no coordinator that this mongoferry understands")]
    ApiForeign { api: String, said: String },
    #[error("the cutover was taken back: {reason}")]
    CutoverTakenBack { reason: String },
    #[error("the migration was cancelled before the cutover was complete")]
    CancelledMeanwhile,
    #[error("`mongoferry {command}` asks first, and there is no terminal to ask at")]
    NobodyToAsk { command: &'static str },
    #[error("the API address {api:?} is no http:// URL")]
    ApiAddress { api: String },
}

fn by(pid: &Option<u32>) -> String {
    pid.map_or_else(String::new, |pid| format!(" (pid {pid})"))
}

impl LauncherError {
    pub fn io(action: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let action = action.into();
        move |source| Self::Io { action, source }
    }
}

impl Explain for LauncherError {
    fn code(&self) -> &'static str {
        match self {
            Self::StateInUse { .. } => "MF-STATE-1",
            Self::ForeignDirectory { .. } => "MF-STATE-2",
            Self::OtherMigration { .. } => "MF-STATE-3",
            Self::OtherCluster { .. } => "MF-STATE-4",
            Self::OtherFormat { .. } => "MF-STATE-5",
            Self::DamagedState { .. } => "MF-STATE-6",
            Self::Io { .. } => "MF-STATE-7",
            Self::OutlivedLauncher { .. } => "MF-STATE-8",
            Self::WasCancelled { .. } => "MF-STATE-9",
            Self::NoHome => "MF-STATE-10",
            Self::ProgramMissing { .. } => "MF-RUN-1",
            Self::Spawn { .. } => "MF-RUN-2",
            Self::ListenTaken { .. } => "MF-RUN-3",
            Self::ValidatorSilent { .. } => "MF-RUN-4",
            Self::StageGaveUp { .. } => "MF-RUN-5",
            Self::Signals { .. } => "MF-RUN-6",
            Self::Uri(error) => error.code(),
            Self::DropArgs(error) => error.code(),
            Self::Secret(error) => error.code(),
            Self::Testbed(error) => error.code(),
            Self::ApiUnreachable { .. } => "MF-API-11",
            Self::ApiRefused { .. } => "MF-API-12",
            Self::ApiForeign { .. } => "MF-API-13",
            Self::CutoverTakenBack { .. } => "MF-API-14",
            Self::CancelledMeanwhile => "MF-API-15",
            Self::ApiAddress { .. } => "MF-API-16",
            Self::NobodyToAsk { .. } => "MF-ARGS-9",
        }
    }

    fn hint(&self) -> String {
        match self {
            Self::StateInUse { .. } => {
                "Watch it with `mongoferry status`, end it first, or give this migration another \
                --state-dir and --id."
                    .into()
            }
            Self::ForeignDirectory { .. } => "Give a --state-dir that is empty or does not exist yet.".into(),
            Self::OtherMigration { theirs, .. } => {
                format!("Give --id {theirs} to continue that migration, or another --state-dir for a new one.")
            }
            Self::OtherCluster { .. } => {
                "Give the connection strings that this migration was started with, or another \
                --state-dir (and --id) for a new migration."
                    .into()
            }
            Self::OtherFormat { .. } => "Continue it with the mongoferry that began it, or begin anew in another \
                --state-dir."
                .into(),
            Self::DamagedState { path, .. } => format!(
                "Restore {} from a copy of the directory, or begin anew in another --state-dir.",
                path.display()
            ),
            Self::Io { .. } => "Check that the file or directory belongs to you and that its disk has room.".into(),
            Self::OutlivedLauncher { dir, .. } => {
                format!("Find what holds it with `lsof +D {}`, end that, and start again.", dir.display())
            }
            Self::WasCancelled { dir } => format!(
                "Drop what it left on the destination, then begin anew in another --state-dir, or remove {}.",
                dir.display()
            ),
            Self::NoHome => "Give --state-dir, or set HOME.".into(),
            Self::ProgramMissing { .. } => {
                "Install all binaries of one mongoferry release in one directory; in a source \
                tree, run `cargo build --bins`."
                    .into()
            }
            Self::Spawn { .. } => "Check that it is executable and was built for this machine.".into(),
            Self::ListenTaken { .. } => {
                "Give another --listen, or end what listens there; it may be another migration.".into()
            }
            Self::ValidatorSilent { said, .. } => {
                format!("Run `mongoferry validate` with the same options to see more. It said: {said}")
            }
            Self::StageGaveUp { log, said, .. } => {
                format!("Mend what its log names and start again. The end of {}:\n{said}", log.display())
            }
            Self::Signals { .. } => "The operating system refused a signal handler; check the process limits.".into(),
            Self::Uri(error) => error.hint(),
            Self::DropArgs(error) => error.hint(),
            Self::Secret(error) => error.hint(),
            Self::Testbed(error) => error.hint(),
            Self::ApiUnreachable { .. } => {
                "Check that the migration runs (`mongoferry migrate`) and give the address it \
                listens on as --api, such as --api http://127.0.0.1:27182."
                    .into()
            }
            Self::ApiRefused { hint, .. } => hint.clone(),
            Self::ApiForeign { said, .. } => {
                format!("Check --api, and that both sides are of one mongoferry release. It said: {said}")
            }
            Self::CutoverTakenBack { .. } => "The source is still the one to write to. Mend what `mongoferry status` \
                names, then run `mongoferry cutover` again."
                .into(),
            Self::CancelledMeanwhile => {
                "The source is still the one to write to. Begin a new migration if you want one.".into()
            }
            Self::NobodyToAsk { .. } => {
                "Nothing was done. Give --yes (MONGOFERRY_YES=1), or leave standard input and error at the terminal."
                    .into()
            }
            Self::ApiAddress { .. } => "Give --api (MONGOFERRY_API) as in http://127.0.0.1:27182.".into(),
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Uri(error) => error.retry(),
            Self::DropArgs(error) => error.retry(),
            Self::Secret(error) => error.retry(),
            Self::Testbed(error) => error.retry(),
            Self::ApiUnreachable { .. } | Self::CutoverTakenBack { .. } | Self::ValidatorSilent { .. } => Retry::Soon,
            Self::WasCancelled { .. } | Self::CancelledMeanwhile => Retry::Never,
            Self::StateInUse { .. }
            | Self::ForeignDirectory { .. }
            | Self::OtherMigration { .. }
            | Self::OtherCluster { .. }
            | Self::OtherFormat { .. }
            | Self::DamagedState { .. }
            | Self::Io { .. }
            | Self::OutlivedLauncher { .. }
            | Self::NoHome
            | Self::ProgramMissing { .. }
            | Self::Spawn { .. }
            | Self::ListenTaken { .. }
            | Self::StageGaveUp { .. }
            | Self::Signals { .. }
            | Self::ApiRefused { .. }
            | Self::ApiForeign { .. }
            | Self::NobodyToAsk { .. }
            | Self::ApiAddress { .. } => Retry::AfterFix,
        }
    }
}
