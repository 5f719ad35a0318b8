//! The source's oplog into the chain of batches, in small batches so that many boundaries are met.

use mongoferry_bus::Bus;
use mongoferry_mongo::{Cluster, OplogCursor};
use mongoferry_oplog::{BatchBuilder, OplogEntry, relevance};
use mongoferry_protocol::{Optime, StartPoint};
use tokio::task::JoinHandle;

const BATCH_ENTRIES: u32 = 200;

pub struct Capture(JoinHandle<()>);

impl Capture {
    pub async fn end(self) {
        self.0.abort();
        let ended = self.0.await;
        assert!(ended.is_err_and(|error| error.is_cancelled()), "the capture failed");
    }
}

pub fn start(bus: Bus, source: Cluster, start: StartPoint) -> Capture {
    Capture(tokio::spawn(capture(bus, source, start)))
}

async fn capture(bus: Bus, source: Cluster, start: StartPoint) {
    let (mut publisher, last) = bus.batch_publisher().await.expect("a publisher");
    assert!(last.is_none(), "the stream is new");
    let mut cursor = OplogCursor::open(&source, start.capture_from).await.expect("a cursor");
    let mut builder = BatchBuilder::new(Optime::ZERO);
    loop {
        let entries = cursor.next().await.expect("entries");
        for raw in entries.documents(&source).expect("readable") {
            let entry = OplogEntry::parse(raw).expect("an entry");
            builder.add(&entry, &relevance(&entry));
            if builder.entry_count() == BATCH_ENTRIES {
                publisher.publish(&builder.finish().expect("not empty")).await.expect("published");
            }
        }
        if let Some(batch) = builder.finish() {
            publisher.publish(&batch).await.expect("published");
        }
        publisher.confirm_all().await.expect("stored");
    }
}
