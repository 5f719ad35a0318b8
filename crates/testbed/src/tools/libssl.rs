//! OpenSSL 1.1 for the mongod builds that want it, on machines that no longer have it: Debian 11's package, fetched with
//! package lists of our own (no root, nothing installed) and unpacked into the cache.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::cache;
use crate::testbed_error::TestbedError;

const PACKAGE: &str = "libssl1.1=1.1.1w-0+deb11u1";
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
const DEFAULT_MIRROR: &str = "http://deb.debian.org/debian/";

/// One of Debian's architectures: its name, the directory of its libraries, and the package's sha256.
struct Architecture {
    name: &'static str,
    libraries: &'static str,
    sha256: &'static str,
}

const AMD64: Architecture = Architecture {
    name: "amd64",
    libraries: "root/usr/lib/x86_64-linux-gnu",
    sha256: "aadf8b4b197335645b230c2839b4517aa444fd2e8f434e5438c48a18857988f7",
};

const ARM64: Architecture = Architecture {
    name: "arm64",
    libraries: "root/usr/lib/aarch64-linux-gnu",
    sha256: "fe7a7d313c87e46e62e614a07137e4a476a79fc9e5aab7b23e8235211280fee3",
};

/// The directory with libssl.so.1.1 and libcrypto.so.1.1, for LD_LIBRARY_PATH.
pub(super) fn library_path() -> Result<PathBuf, TestbedError> {
    let architecture = match std::env::consts::ARCH {
        "aarch64" => ARM64,
        _ => AMD64,
    };
    let entry = cache::entry("libssl1.1", |into| install(&architecture, into))?;
    Ok(entry.join(architecture.libraries))
}

fn install(architecture: &Architecture, into: &Path) -> Result<(), TestbedError> {
    tracing::info!("downloading libssl1.1");
    for directory in ["lists/partial", "cache/archives/partial"] {
        fs::create_dir_all(into.join(directory)).map_err(TestbedError::io(format!("create {directory}")))?;
    }
    let sources = into.join("bullseye.list");
    fs::write(&sources, source_line(&mirror())).map_err(TestbedError::io(format!("write {}", sources.display())))?;
    cache::run("libssl1.1", apt(architecture, into).args(["update", "-q"]))?;
    cache::run("libssl1.1", apt(architecture, into).args(["download", "-q", PACKAGE]))?;
    let package = downloaded(into)?;
    check(&package, architecture.sha256)?;
    cache::run("libssl1.1", Command::new("dpkg").arg("-x").arg(&package).arg(into.join("root")))?;
    for directory in ["lists", "cache"] {
        fs::remove_dir_all(into.join(directory)).map_err(TestbedError::io(format!("remove {directory}")))?;
    }
    Ok(())
}

/// The pinned sha256 is the real check; where Debian's keyring is absent (Ubuntu) the signature is not asked for.
fn source_line(mirror: &str) -> String {
    let trust = match Path::new(KEYRING).exists() {
        true => format!("signed-by={KEYRING}"),
        false => "trusted=yes".to_owned(),
    };
    format!("deb [{trust}] {mirror} bullseye main\n")
}

/// Debian's mirror as this machine's own apt uses it.
fn mirror() -> String {
    let mut listing = Command::new("apt-get");
    listing.args(["indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"]);
    let listed = cache::run("libssl1.1", &mut listing).unwrap_or_default();
    listed.lines().find(|uri| uri.ends_with("/debian/")).unwrap_or(DEFAULT_MIRROR).to_owned()
}

fn apt(architecture: &Architecture, into: &Path) -> Command {
    let mut apt = Command::new("apt-get");
    apt.current_dir(into);
    let options = [
        format!("Dir::Etc::sourcelist={}", into.join("bullseye.list").display()),
        "Dir::Etc::sourceparts=-".to_owned(),
        format!("Dir::State::Lists={}", into.join("lists").display()),
        format!("Dir::Cache={}", into.join("cache").display()),
        "APT::Sandbox::User=".to_owned(),
        "Debug::NoLocking=1".to_owned(),
        format!("APT::Architecture={}", architecture.name),
        format!("APT::Architectures={}", architecture.name),
    ];
    for option in options {
        apt.args(["-o", &option]);
    }
    apt
}

fn downloaded(directory: &Path) -> Result<PathBuf, TestbedError> {
    let files = fs::read_dir(directory).map_err(TestbedError::io(format!("list {}", directory.display())))?;
    files
        .filter_map(|file| Some(file.ok()?.path()))
        .find(|path| path.extension().is_some_and(|extension| extension == "deb"))
        .ok_or_else(|| TestbedError::Install { what: "libssl1.1".into(), reason: "apt-get left no package".into() })
}

fn check(package: &Path, wanted: &str) -> Result<(), TestbedError> {
    let sha256 = cache::sha256_of(package)?;
    if sha256 != wanted {
        let reason = format!("the package's sha256 is {sha256}, not {wanted}");
        return Err(TestbedError::Install { what: "libssl1.1".into(), reason });
    }
    Ok(())
}
