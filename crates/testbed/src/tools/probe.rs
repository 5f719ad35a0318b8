//! Runs a binary with `--version`: does it start here, and what is it?

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use super::{Located, ServerVersion, Tool, libssl};
use crate::testbed_error::TestbedError;

/// Starts the binary once. If only OpenSSL 1.1 is missing, that is fetched and the start tried again with it.
pub(super) fn probe(tool: Tool, path: &Path) -> Result<Located, TestbedError> {
    let output = version_output(path, None)?;
    if output.status.success() {
        return located(tool, path, None, &output);
    }
    match missing_library(&output).as_deref() {
        Some("libssl.so.1.1" | "libcrypto.so.1.1") => {
            let library_path = libssl::library_path()?;
            let output = version_output(path, Some(&library_path))?;
            located(tool, path, Some(library_path), &output)
        }
        _ => Err(start_error(path, &output)),
    }
}

fn version_output(path: &Path, library_path: Option<&Path>) -> Result<Output, TestbedError> {
    let mut command = Command::new(path);
    command.arg("--version");
    if let Some(library_path) = library_path {
        command.env("LD_LIBRARY_PATH", library_path);
    }
    command.output().map_err(|error| TestbedError::ToolBroken { path: path.to_owned(), output: error.to_string() })
}

fn located(tool: Tool, path: &Path, library_path: Option<PathBuf>, output: &Output) -> Result<Located, TestbedError> {
    if !output.status.success() {
        return Err(start_error(path, output));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let version = ServerVersion::in_output(&text).ok_or_else(|| TestbedError::ToolBroken {
        path: path.to_owned(),
        output: format!("{tool} --version names no version: {}", text.trim()),
    })?;
    Ok(Located { path: path.to_owned(), version, library_path, passed_over: Vec::new() })
}

fn start_error(path: &Path, output: &Output) -> TestbedError {
    let path = path.to_owned();
    match missing_library(output) {
        Some(library) => TestbedError::LibraryMissing { package: package_of(&library), path, library },
        None => TestbedError::ToolBroken { path, output: String::from_utf8_lossy(&output.stderr).trim().to_owned() },
    }
}

/// The dynamic linker says `…: error while loading shared libraries: libcurl.so.4: cannot open shared object file: …`.
fn missing_library(output: &Output) -> Option<String> {
    let text = String::from_utf8_lossy(&output.stderr);
    let (_, rest) = text.split_once("error while loading shared libraries: ")?;
    rest.split(':').next().map(str::to_owned)
}

fn package_of(library: &str) -> String {
    match library {
        "libcurl.so.4" => "libcurl4".to_owned(),
        "libssl.so.3" | "libcrypto.so.3" => "libssl3".to_owned(),
        "liblzma.so.5" => "liblzma5".to_owned(),
        other => format!("the package that holds {other}"),
    }
}
