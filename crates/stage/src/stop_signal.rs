//! One signal for everything that must end: SIGINT, SIGTERM, or the end of the parent process.

use tokio::{
    io::AsyncReadExt,
    signal::unix::{SignalKind, signal},
};
use tokio_util::sync::CancellationToken;

/// Returns a token that is cancelled by SIGINT or SIGTERM, and, `with_parent`, by the end of standard input. As process 1 of
/// a container the default action of SIGTERM is nothing at all, so it must be handled.
pub fn stop_on_signals(with_parent: bool) -> std::io::Result<CancellationToken> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let stopping = CancellationToken::new();
    let token = stopping.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            () = parent_ended(), if with_parent => {}
        }
        token.cancel();
    });
    Ok(stopping)
}

/// The parent holds the other end of our standard input and never writes to it.
async fn parent_ended() {
    let mut input = tokio::io::stdin();
    let mut byte = [0];
    while matches!(input.read(&mut byte).await, Ok(1..)) {}
}
