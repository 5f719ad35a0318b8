//! What a cutover would have to do to indexes, looked at again and again while the migration is ready.

use std::time::Duration;

use mongoferry_mongo::{Cluster, CutoverWork, cutover_work};
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

const LOOK_EVERY: Duration = Duration::from_secs(15);
/// Of large catalogs: listing them is to take no more than a hundredth of the time.
const LOOK_SHARE: u32 = 100;

/// Follows both clusters until the receiver is dropped, while `is_wanted`. `None` until the first look.
pub fn watch_work(
    source: Cluster,
    destination: Cluster,
    mut is_wanted: watch::Receiver<bool>,
) -> watch::Receiver<Option<CutoverWork>> {
    let (sender, receiver) = watch::channel(None);
    tokio::spawn(async move {
        while is_wanted.wait_for(|wanted| *wanted).await.is_ok() {
            let began = Instant::now();
            match cutover_work(&source, &destination).await {
                Ok(work) => drop(sender.send_replace(Some(work))),
                // A cluster that does not answer is told of elsewhere.
                Err(error) => tracing::debug!(%error, "what the cutover has to do is not known"),
            }
            tokio::select! {
                () = sleep(LOOK_EVERY.max(began.elapsed() * LOOK_SHARE)) => {}
                () = sender.closed() => return,
            }
        }
    });
    receiver
}
