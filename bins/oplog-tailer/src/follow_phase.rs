//! When to capture: from `starting` to the end, and only while this process holds the lease.

use mongoferry_mongo::Cluster;
use mongoferry_protocol::Party;
use mongoferry_stage::{SourceArgs, Stage, StageResult};

use crate::{capture::capture, metrics};

pub async fn follow_phase(stage: Stage, source: SourceArgs) -> StageResult {
    metrics::describe();
    let uri = source.uri()?;
    let mut phases = stage.phases.clone();
    stage.set_activity("waiting for the migration to start");
    tokio::select! {
        _ = phases.wait_for(|record| record.underlying().captures()) => {}
        () = stage.stopping.cancelled() => return Ok(()),
    }
    let Some(lease) = stage.lease().await? else { return Ok(()) };
    let source = Cluster::connect(uri.reveal(), "mongoferry-oplog-tailer").await?;
    stage.works_with(Party::Source, source.reachability());
    stage.ready.cancel();
    let captured = tokio::select! {
        biased;
        // Trying again with a lease that is lost would only keep from acquiring it anew.
        lost = lease.lost() => Err(lost.into()),
        captured = mongoferry_stage::retry(&stage, "capturing the oplog", || capture(&stage, &source)) => captured,
    };
    source.shutdown().await;
    lease.release().await?;
    captured?;
    stage.set_activity("done");
    stage.stopping.cancelled().await;
    Ok(())
}
