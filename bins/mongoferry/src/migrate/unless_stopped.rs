//! The one way in which a stop signal breaks something off.

use mongoferry_stage::CancellationToken;

/// What `work` comes to, or `None` if `stopping` comes first; then the work is dropped where it stands.
pub async fn unless_stopped<T>(stopping: &CancellationToken, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        () = stopping.cancelled() => None,
        done = work => Some(done),
    }
}
