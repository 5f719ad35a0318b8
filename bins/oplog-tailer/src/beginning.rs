//! Where a capture goes on, or begins.

use mongoferry_bus::{BatchPublisher, key};
use mongoferry_mongo::{Cluster, choose_start_point};
use mongoferry_protocol::{OplogBatch, Optime, StartPoint};
use mongoferry_stage::Stage;

use crate::capture_error::CaptureError;

pub struct Beginning {
    pub publisher: BatchPublisher,
    /// The entry to open the oplog at.
    pub from: Optime,
    /// The last entry that the bus has stored; [`Optime::ZERO`] if it has none.
    pub covered: Optime,
    /// The batch of that entry.
    pub last: Option<OplogBatch>,
    /// A start point that is to be recorded once the first batch is stored.
    pub unrecorded: Option<StartPoint>,
}

/// Behind the last stored batch; in a new migration at a start point chosen now. Batches without a recorded start point
/// are leftovers of a tailer that died in between: nobody reads them, and they are thrown away.
pub async fn begin(stage: &Stage, source: &Cluster) -> Result<Beginning, CaptureError> {
    let recorded = stage.bus.records().get(&key::start_point()).await?;
    let (publisher, last) = stage.bus.batch_publisher().await?;
    if let Some(start_point) = recorded {
        let last = last.map(|last| last.batch);
        let covered = last.as_ref().map_or(Optime::ZERO, |last| last.last);
        let from = if covered == Optime::ZERO { start_point.value.capture_from } else { covered };
        return Ok(Beginning { publisher, from, covered, last, unrecorded: None });
    }
    if last.is_some() {
        stage.bus.purge_all_batches().await?;
    }
    let start_point = choose_start_point(source).await?;
    tracing::info!(capture_from = %start_point.capture_from, apply_after = %start_point.apply_after, "start point chosen");
    let (from, covered) = (start_point.capture_from, Optime::ZERO);
    Ok(Beginning { publisher, from, covered, last: None, unrecorded: Some(start_point) })
}
