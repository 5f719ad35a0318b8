//! A question that the operator answers before something that can't be taken back.

use std::io::{IsTerminal, stderr, stdin};

use crate::launcher_error::LauncherError;

/// True if the operator says yes. A script is not asked: that it runs the command is its answer.
pub async fn agreed(question: &'static str) -> Result<bool, LauncherError> {
    if !stdin().is_terminal() || !stderr().is_terminal() {
        return Ok(true);
    }
    eprint!("{question} [y/N] ");
    let answer = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        stdin().read_line(&mut line).map(|_| line)
    });
    let line = answer.await.expect("reading a line does not panic");
    let line = line.map_err(LauncherError::io("read the answer"))?;
    Ok(matches!(line.trim().to_lowercase().as_str(), "y" | "yes"))
}
