//! When to apply: once the copy is complete, and only while this process holds the lease.

use mongoferry_mongo::Cluster;
use mongoferry_stage::{DestinationArgs, Stage, StageError, StageResult};

use crate::{apply::apply, metrics};

pub async fn stage_work(stage: Stage, destination: DestinationArgs) -> StageResult {
    metrics::describe();
    let uri = destination.uri()?;
    let mut phases = stage.phases.clone();
    stage.set_activity("waiting for the copy to complete");
    let phase = tokio::select! {
        record = phases.wait_for(|record| record.phase.applies() || record.phase.is_final()) => record.phase,
        () = stage.stopping.cancelled() => return Ok(()),
    };
    if phase.applies() {
        let Some(lease) = stage.lease().await? else { return Ok(()) };
        let destination = Cluster::connect(uri.reveal(), "mongoferry-applier").await?;
        stage.ready.cancel();
        let applied = tokio::select! {
            biased;
            lost = lease.lost() => Err(StageError::from(lost)),
            applied = mongoferry_stage::retry(&stage.stopping, "applying changes", || apply(&stage, &destination, &lease)) => {
                applied.map_err(StageError::from)
            }
        };
        destination.shutdown().await;
        lease.release().await?;
        applied?;
    }
    stage.set_activity("done");
    stage.stopping.cancelled().await;
    Ok(())
}
