//! `state.json`: whose state directory it is. Progress is not in it; that is on the bus.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use mongoferry_protocol::{ClusterIdentity, MigrationId};
use serde::{Deserialize, Serialize};

use crate::launcher_error::LauncherError;

/// Raised when an older mongoferry could no longer make sense of the directory.
const FORMAT: u32 = 1;
/// How the name of a file begins that is being written.
pub const UNFINISHED: &str = ".unfinished-";

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ended {
    Committed,
    Cancelled,
    Rehearsed,
}

impl Ended {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Committed => "committed",
            Self::Cancelled => "cancelled",
            Self::Rehearsed => "a rehearsal that is over",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StateFile {
    format: u32,
    mongoferry_version: String,
    id: MigrationId,
    /// Tells the processes of this directory from those of another machine on a shared bus.
    pub launcher: String,
    pub source: Option<ClusterIdentity>,
    pub destination: Option<ClusterIdentity>,
    pub ended: Option<Ended>,
}

#[derive(Deserialize)]
struct FormatOnly {
    format: u32,
}

impl StateFile {
    pub fn new(id: MigrationId) -> Self {
        Self {
            format: FORMAT,
            mongoferry_version: env!("CARGO_PKG_VERSION").into(),
            id,
            launcher: uuid::Uuid::new_v4().simple().to_string()[..6].to_owned(),
            source: None,
            destination: None,
            ended: None,
        }
    }

    /// `None` if there is no such file.
    pub fn read(path: &Path) -> Result<Option<Self>, LauncherError> {
        match fs::read(path) {
            Ok(bytes) => Self::parse(&bytes, path).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(LauncherError::io(format!("read {}", path.display()))(error)),
        }
    }

    fn parse(bytes: &[u8], path: &Path) -> Result<Self, LauncherError> {
        let damaged = |source| LauncherError::DamagedState { path: path.to_owned(), source };
        // Looked at first: the rest of another format means nothing here.
        let FormatOnly { format } = serde_json::from_slice(bytes).map_err(damaged)?;
        if format != FORMAT {
            let dir = path.parent().unwrap_or(path).to_owned();
            return Err(LauncherError::OtherFormat { dir, found: format, known: FORMAT });
        }
        serde_json::from_slice(bytes).map_err(damaged)
    }

    /// The state itself, if it is of migration `id`.
    pub fn expected_of(self, id: &MigrationId, dir: &Path) -> Result<Self, LauncherError> {
        if self.id == *id {
            return Ok(self);
        }
        let (theirs, ours) = (self.id.to_string(), id.to_string());
        Err(LauncherError::OtherMigration { dir: dir.to_owned(), theirs, ours })
    }

    /// Refuses other clusters than those of the first time; what is not known, on either side, fits.
    pub fn expect_clusters(
        &self,
        source: Option<&ClusterIdentity>,
        destination: Option<&ClusterIdentity>,
    ) -> Result<(), LauncherError> {
        for (side, recorded, found) in
            [("source", &self.source, source), ("destination", &self.destination, destination)]
        {
            if let (Some(recorded), Some(found)) = (recorded, found)
                && !recorded.is_same_cluster(found)
            {
                let (recorded, found) = (cluster_text(recorded), cluster_text(found));
                return Err(LauncherError::OtherCluster { side, recorded, found });
            }
        }
        Ok(())
    }

    /// Some launcher got as far as knowing the clusters.
    pub fn is_claimed(&self) -> bool {
        self.source.is_some()
    }

    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a state file has nothing that JSON lacks") + "\n"
    }
}

fn cluster_text(cluster: &ClusterIdentity) -> String {
    let text = format!("{}/{}", cluster.replica_set, cluster.hosts.join(","));
    match &cluster.replica_set_id {
        Some(id) => format!("{text} (id {id})"),
        None => text,
    }
}

/// Replaces the file at `path`; after a power loss it is the old or the new one.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let name = path.file_name().expect("a file of the state directory has a name").to_string_lossy();
    let dir = path.parent().expect("it lies in the state directory");
    let unfinished = dir.join(format!("{UNFINISHED}{name}"));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&unfinished, path)?;
    File::open(dir)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use mongoferry_protocol::ClusterIdentity;

    use super::StateFile;
    use crate::launcher_error::LauncherError;

    fn cluster(id: &str) -> ClusterIdentity {
        ClusterIdentity {
            replica_set: "rs".into(),
            replica_set_id: Some(id.into()),
            hosts: vec!["127.0.0.1:1".into()],
            version: "6.0.5".into(),
        }
    }

    fn claimed() -> StateFile {
        let (source, destination) = (Some(cluster("a")), Some(cluster("b")));
        StateFile { source, destination, ..StateFile::new("one".parse().unwrap()) }
    }

    #[test]
    fn survives_being_written_and_read() {
        let state = claimed();
        assert_eq!(StateFile::parse(state.to_json().as_bytes(), Path::new("/s/state.json")).unwrap(), state);
    }

    #[test]
    fn another_cluster_is_refused() {
        let expect = |source: &str, destination: &str| {
            claimed().expect_clusters(Some(&cluster(source)), Some(&cluster(destination)))
        };
        assert!(expect("a", "b").is_ok() && claimed().expect_clusters(None, None).is_ok());
        assert!(matches!(expect("a", "c"), Err(LauncherError::OtherCluster { side: "destination", .. })));
        assert!(matches!(expect("c", "b"), Err(LauncherError::OtherCluster { side: "source", .. })));
    }

    #[test]
    fn another_format_and_damage_are_told_apart() {
        let parse = |text: &str| StateFile::parse(text.as_bytes(), Path::new("/s/state.json"));
        assert!(matches!(parse(r#"{"format":2,"new":[]}"#), Err(LauncherError::OtherFormat { found: 2, .. })));
        assert!(matches!(parse(r#"{"format":1}"#), Err(LauncherError::DamagedState { .. })));
        assert!(matches!(parse(""), Err(LauncherError::DamagedState { .. })));
    }
}
