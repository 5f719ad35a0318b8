//! Second processes of the roles of which one acts, so that somebody is there to take over.

use std::path::Path;

use mongoferry_tests::{StageProcess, suspend, wake};

use crate::{arena::Arena, fault::Side};

pub struct Standbys {
    processes: Vec<(&'static str, StageProcess)>,
    settings: Vec<(String, String)>,
    logs: std::path::PathBuf,
}

impl Standbys {
    pub fn none(logs: &Path) -> Self {
        Self { processes: Vec::new(), settings: Vec::new(), logs: logs.to_owned() }
    }

    /// For migration `id` on the bus at `url`.
    pub fn start(arena: &Arena, url: &str, id: &str, logs: &Path) -> Self {
        let settings = [
            ("MONGOFERRY_SOURCE", arena.uri(Side::Source)),
            ("MONGOFERRY_DESTINATION", arena.uri(Side::Destination)),
            ("MONGOFERRY_NATS", url.to_owned()),
            ("MONGOFERRY_ID", id.to_owned()),
            ("MONGOFERRY_INSTANCE", "standby".to_owned()),
        ];
        let settings = settings.map(|(name, value)| (name.to_owned(), value)).to_vec();
        let mut standbys = Self { settings, ..Self::none(logs) };
        for role in ["applier", "oplog-tailer"] {
            let process = standbys.process(role);
            standbys.processes.push((role, process));
        }
        standbys
    }

    /// One more process of the role.
    pub fn process(&self, role: &str) -> StageProcess {
        let settings: Vec<_> = self.settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        StageProcess::start(
            &format!("mongoferry-{role}"),
            &["--instance", &format!("{role}-standby")],
            &settings,
            &self.logs,
        )
    }

    /// As a service manager would: one that ended, because it was deposed or the bus was away, is started again.
    pub fn revive(&mut self) {
        for number in 0..self.processes.len() {
            if self.processes[number].1.has_ended() {
                let role = self.processes[number].0;
                self.processes[number].1 = self.process(role);
            }
        }
    }

    pub fn hold(&self, role: &str) -> Vec<u32> {
        let pids: Vec<u32> =
            self.processes.iter().filter(|(of, _)| *of == role).map(|(_, process)| process.pid()).collect();
        pids.iter().copied().for_each(suspend);
        pids
    }
}

/// Processes that do nothing until this is dropped.
pub struct Held(pub Vec<u32>);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.iter().copied().for_each(wake);
    }
}
