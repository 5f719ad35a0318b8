//! Ends a nats-server that outlived its launcher and still has our store open.
//!
//! It is recognised by its command line, which names our own configuration file; nothing else is touched.

use std::{path::Path, time::Duration};

use rustix::process::{Pid, Signal, kill_process};

use crate::{lasting_lock::LastingLock, launcher_error::LauncherError};

const AFTER_TERM: Duration = Duration::from_secs(5);
const AFTER_KILL: Duration = Duration::from_secs(10);

/// The lock at `lock_path`, once whatever held it is gone.
pub async fn take_over(lock_path: &Path, config_file: &Path) -> Result<LastingLock, LauncherError> {
    let failed = || LauncherError::io(format!("lock {}", lock_path.display()));
    // A reaper ends the server right behind a launcher that was killed: that takes a moment.
    for (patience, signal) in
        [(Duration::from_millis(500), Signal::TERM), (AFTER_TERM, Signal::KILL), (AFTER_KILL, Signal::KILL)]
    {
        if let Some(lock) = LastingLock::take_within(lock_path, patience).await.map_err(failed())? {
            return Ok(lock);
        }
        for pid in servers_with(config_file) {
            tracing::warn!(pid = pid.as_raw_nonzero().get(), "a nats-server outlived its launcher and is ended");
            // It can only have ended by itself meanwhile.
            let _ = kill_process(pid, signal);
        }
    }
    let dir = lock_path.parent().unwrap_or(lock_path).to_owned();
    Err(LauncherError::OutlivedLauncher { what: "the nats-server", dir })
}

/// Processes that were started with this configuration file.
#[cfg(target_os = "linux")]
fn servers_with(config_file: &Path) -> Vec<Pid> {
    let Ok(processes) = std::fs::read_dir("/proc") else { return Vec::new() };
    let pid_of = |entry: std::fs::DirEntry| {
        let pid: i32 = entry.file_name().to_str()?.parse().ok()?;
        let command_line = std::fs::read(entry.path().join("cmdline")).ok()?;
        let arguments: Vec<String> = command_line
            .split(|&byte| byte == 0)
            .map(|argument| String::from_utf8_lossy(argument).into_owned())
            .collect();
        is_ours(&arguments, config_file).then(|| Pid::from_raw(pid)).flatten()
    };
    processes.filter_map(Result::ok).filter_map(pid_of).collect()
}

#[cfg(not(target_os = "linux"))]
fn servers_with(config_file: &Path) -> Vec<Pid> {
    let Ok(output) = std::process::Command::new("ps").args(["-axww", "-o", "pid=,args="]).output() else {
        return Vec::new();
    };
    let listing = String::from_utf8_lossy(&output.stdout).into_owned();
    let pid_of = |line: &str| {
        let (pid, command_line) = line.trim().split_once(' ')?;
        let (program, config) = command_line.split_once(" -c ")?;
        let arguments = [program.trim().to_owned(), "-c".to_owned(), config.trim().to_owned()];
        is_ours(&arguments, config_file).then(|| Pid::from_raw(pid.parse().ok()?)).flatten()
    };
    listing.lines().filter_map(pid_of).collect()
}

fn is_ours(arguments: &[String], config_file: &Path) -> bool {
    let config_file = config_file.to_string_lossy();
    arguments.windows(2).any(|pair| pair[0] == "-c" && pair[1] == config_file)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::is_ours;

    #[test]
    fn only_the_exact_configuration_file_counts() {
        let line = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let config = Path::new("/state/bus/nats-server.conf");
        assert!(is_ours(&line("/bin/nats-server -c /state/bus/nats-server.conf"), config));
        for other in [
            "/bin/nats-server -c /state/bus/nats-server.conf.old",
            "/bin/nats-server -c /other/bus/nats-server.conf",
            "vi /state/bus/nats-server.conf",
            "",
        ] {
            assert!(!is_ours(&line(other), config), "{other}");
        }
    }
}
