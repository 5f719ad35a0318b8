//! When to capture: from `starting` to the end, and only while this process holds the lease.

use mongoferry_mongo::Cluster;
use mongoferry_protocol::{Party, PhaseRecord};
use mongoferry_stage::{SourceArgs, Stage, StageResult};

use crate::{capture::capture, metrics};

pub async fn follow_phase(stage: Stage, source: SourceArgs) -> StageResult {
    metrics::describe();
    let uri = source.uri()?;
    if !is_time_to_capture(&stage).await {
        return Ok(());
    }
    let Some(lease) = stage.lease().await? else { return Ok(()) };
    let source = Cluster::connect(uri.reveal(), "mongoferry-oplog-tailer").await?;
    stage.works_with(Party::Source, source.reachability());
    stage.ready.cancel();
    let mut captured = Ok(());
    // A migration that has expired may be extended.
    while captured.is_ok() && is_time_to_capture(&stage).await {
        captured = tokio::select! {
            biased;
            // Trying again with a lease that is lost would only keep from acquiring it anew.
            lost = lease.lost() => Err(lost.into()),
            captured = mongoferry_stage::retry(&stage, "capturing the oplog", || capture(&stage, &source)) => captured,
        };
        stage.set_activity("done");
    }
    source.shutdown().await;
    lease.release().await?;
    Ok(captured?)
}

/// Waits for it; false if the process is to end before.
async fn is_time_to_capture(stage: &Stage) -> bool {
    let mut phases = stage.phases.clone();
    if !phases.current().is_some_and(|record| record.captures() || record.phase.is_final()) {
        stage.set_activity("waiting for the migration to go on");
    }
    tokio::select! {
        biased;
        () = stage.stopping.cancelled() => false,
        _ = phases.wait_for(PhaseRecord::captures) => true,
    }
}
