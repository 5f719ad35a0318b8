//! A question that the operator answers before something that can't be taken back.

use std::io::{IsTerminal, stderr, stdin};

use crate::launcher_error::LauncherError;

/// A question is shown on standard error, and answered on standard input.
pub fn can_be_asked() -> bool {
    stdin().is_terminal() && stderr().is_terminal()
}

/// True if the operator says yes. Where nobody can be asked `command` needs --yes: who sends its output to a file at a terminal has
/// not agreed to anything.
pub async fn agreed_or_given(given: bool, command: &'static str, question: &str) -> Result<bool, LauncherError> {
    if given {
        return Ok(true);
    }
    if !can_be_asked() {
        return Err(LauncherError::NobodyToAsk { command });
    }
    agreed(question).await
}

/// True if the operator says yes.
pub async fn agreed(question: &str) -> Result<bool, LauncherError> {
    eprint!("{question} [y/N] ");
    let answer = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        stdin().read_line(&mut line).map(|_| line)
    });
    let line = answer.await.expect("reading a line does not panic");
    let line = line.map_err(LauncherError::io("read the answer"))?;
    Ok(matches!(line.trim().to_lowercase().as_str(), "y" | "yes"))
}
