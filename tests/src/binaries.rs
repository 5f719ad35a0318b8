//! The product's binaries, built once for all scenarios of a test run.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// The path of a binary of the workspace, such as `mongoferry` or `mongoferry-copier`. Builds them all on the first call;
/// `cargo test` alone builds only those of packages with tests of their own.
pub fn binary(name: &str) -> PathBuf {
    static DIRECTORY: OnceLock<PathBuf> = OnceLock::new();
    DIRECTORY.get_or_init(build).join(name)
}

fn build() -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package is in the workspace");
    let mut build = Command::new(cargo);
    build.current_dir(workspace).args(["build", "--quiet", "--workspace", "--bins"]);
    if !cfg!(debug_assertions) {
        build.arg("--release");
    }
    // What cargo tells a test about its package is not to be taken for the user's wishes: dependencies with build scripts
    // that look at it would be built anew each time, and everything above them.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CARGO_MANIFEST_") || name.to_string_lossy().starts_with("CARGO_PKG_") {
            build.env_remove(name);
        }
    }
    let status = build.status().expect("cargo runs");
    assert!(status.success(), "the binaries do not build");
    profile_directory()
}

/// `target/<profile>`: the test executable is in its `deps`.
fn profile_directory() -> PathBuf {
    let executable = std::env::current_exe().expect("a process knows its executable");
    let deps = executable.parent().expect("an executable is in a directory");
    deps.parent().expect("deps is in the profile's directory").to_owned()
}
