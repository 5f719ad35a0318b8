//! How far back the source's oplog reaches, asked for in the background: a tailer that is down can't tell.

use std::time::Duration;

use mongoferry_mongo::{Cluster, oplog_bounds};
use mongoferry_protocol::Optime;
use tokio::sync::watch;

/// What the source's oplog holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OplogReach {
    pub oldest: Optime,
    pub newest: Optime,
    /// Its oldest entries are being removed; an oplog that is not full yet loses none.
    pub rolls: bool,
}

const ASK_EVERY: Duration = Duration::from_secs(1);

/// Follows the source until the receiver is dropped. `None` until the first answer; while it can't be asked, the last one stands.
pub fn watch_oplog(source: Cluster) -> watch::Receiver<Option<OplogReach>> {
    let (sender, receiver) = watch::channel(None);
    tokio::spawn(async move {
        let mut first = None;
        while !sender.is_closed() {
            if let Ok((oldest, newest)) = oplog_bounds(&source).await {
                let rolls = oldest > *first.get_or_insert(oldest);
                sender.send_replace(Some(OplogReach { oldest, newest, rolls }));
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
    });
    receiver
}
