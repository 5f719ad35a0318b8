//! The source's newest entries, asked for a few times a second in the background.

use std::time::Duration;

use mongoferry_mongo::{Cluster, LastOptimes, last_optimes};
use mongoferry_protocol::{Failure, Role};
use tokio::sync::watch;

/// `Err` while the source can't be asked.
pub type SourceNow = Result<LastOptimes, Failure>;

const ASK_EVERY: Duration = Duration::from_millis(250);

/// Follows the source until the receiver is dropped. `None` until the first answer.
pub fn watch_source(source: Cluster, instance: String) -> watch::Receiver<Option<SourceNow>> {
    let (sender, receiver) = watch::channel(None);
    tokio::spawn(async move {
        while !sender.is_closed() {
            let now = last_optimes(&source).await;
            let now = now.map_err(|error| Failure::of(Role::CutoverCoordinator, &instance, &error));
            sender.send_replace(Some(now));
            tokio::time::sleep(ASK_EVERY).await;
        }
    });
    receiver
}
