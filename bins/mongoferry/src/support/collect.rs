//! Where the parts of a bundle come from.

use std::{
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom},
    path::Path,
};

use tokio::process::Command;

use super::bundle::Bundle;
use crate::{coordinator_api::CoordinatorApi, running_migration::LAST_STATUS};

/// Of each log, its end.
const LOG_BYTES: u64 = 4 * 1024 * 1024;
const BINARIES: [&str; 7] =
    ["validator", "oplog-tailer", "copier", "indexer", "applier", "verifier", "cutover-coordinator"];
/// What the coordinator is asked, and under which name it is kept.
const CALLS: [(&str, &str); 5] = [
    ("/api/v1/migration", "status.json"),
    ("/api/v1/report", "report.json"),
    ("/api/v1/validation", "validation.json"),
    ("/api/v1/progress", "progress.json"),
    ("/metrics", "metrics.txt"),
];
const FILES: [&str; 3] = ["state.json", LAST_STATUS, "report.json"];

/// The program, the machine, and the settings that the environment gives.
pub async fn of_this_machine(bundle: &mut Bundle) {
    let mut lines = vec![
        format!("mongoferry {}", env!("CARGO_PKG_VERSION")),
        format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        format!("kernel {}", rustix::system::uname().release().to_string_lossy()),
        format!("cores {}", std::thread::available_parallelism().map_or(0, std::num::NonZero::get)),
    ];
    for binary in BINARIES {
        lines.push(version(binary).await.unwrap_or_else(|error| format!("mongoferry-{binary}: {error}")));
    }
    bundle.add("versions.txt", &(lines.join("\n") + "\n"));
    let mut settings: Vec<String> = std::env::vars_os()
        .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
        .filter(|(name, _)| name.starts_with("MONGOFERRY_") || name == "RUST_LOG")
        .map(|(name, value)| format!("{name}={}\n", shown(&name, &value)))
        .collect();
    settings.sort();
    bundle.add("environment.txt", &settings.concat());
}

/// Connection strings are shown without their secrets; what is nothing but a secret is not.
fn shown<'a>(name: &str, value: &'a str) -> &'a str {
    let is_secret = ["TOKEN", "PASSWORD", "SECRET"].iter().any(|word| name.ends_with(word));
    if is_secret || name == "MONGOFERRY_WEBHOOK" || name == "MONGOFERRY_ON_EVENT" { "(set)" } else { value }
}

async fn version(binary: &str) -> io::Result<String> {
    let program = std::env::current_exe()?.with_file_name(format!("mongoferry-{binary}"));
    let output = Command::new(program).arg("--version").output().await?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

pub async fn of_coordinator(bundle: &mut Bundle, api: &CoordinatorApi) {
    for (path, name) in CALLS {
        match api.text(path).await {
            Ok(text) => bundle.add(&format!("coordinator/{name}"), &text),
            Err(error) => bundle.miss(&format!("coordinator/{name}"), &error),
        }
    }
}

pub fn of_state_dir(bundle: &mut Bundle, state_dir: &Path) {
    for name in FILES {
        match fs::read_to_string(state_dir.join(name)) {
            Ok(text) => bundle.add(&format!("state/{name}"), &text),
            Err(error) => bundle.miss(&format!("state/{name}"), &error),
        }
    }
    let logs = match fs::read_dir(state_dir.join("logs")) {
        Ok(logs) => logs,
        Err(error) => return bundle.miss("logs", &error),
    };
    let mut logs: Vec<_> = logs.flatten().map(|log| log.path()).collect();
    logs.sort();
    for log in logs {
        let name = format!("logs/{}", log.file_name().unwrap_or_default().to_string_lossy());
        match end_of(&log) {
            Ok(text) => bundle.add(&name, &text),
            Err(error) => bundle.miss(&name, &error),
        }
    }
}

fn end_of(log: &Path) -> io::Result<String> {
    let mut file = File::open(log)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(LOG_BYTES)))?;
    let mut end = Vec::new();
    file.read_to_end(&mut end)?;
    Ok(String::from_utf8_lossy(&end).into_owned())
}
