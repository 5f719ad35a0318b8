//! When to apply: once the copy is complete, and only while this process holds the lease.

use std::{sync::Arc, time::Duration};

use mongoferry_mongo::{Cluster, SourceDocuments};
use mongoferry_protocol::Party;
use mongoferry_stage::{DestinationArgs, SecretUri, SourceArgs, Stage, StageResult};

use crate::{applier_error::ApplierError, apply::apply, metrics};

const NEWS_TRAVEL_FOR: Duration = Duration::from_secs(3);

pub async fn stage_work(stage: Stage, destination: DestinationArgs, source: SourceArgs) -> StageResult {
    metrics::describe();
    let (uri, source) = (destination.uri()?, source.uri_if_given()?);
    let source = Arc::new(SourceDocuments::new(source.as_ref().map(SecretUri::reveal), "mongoferry-applier"));
    let mut phases = stage.phases.clone();
    stage.set_activity("waiting for the copy to complete");
    let phase = tokio::select! {
        record = phases.wait_for(|record| record.phase.applies() || record.phase.is_final()) => record.phase,
        () = stage.stopping.cancelled() => return Ok(()),
    };
    if phase.applies() {
        let Some(lease) = stage.lease().await? else { return Ok(()) };
        let destination = Cluster::connect(uri.reveal(), "mongoferry-applier").await?;
        stage.works_with(Party::Destination, destination.reachability());
        stage.ready.cancel();
        let applied = tokio::select! {
            biased;
            () = migration_over(&stage) => Ok(()),
            lost = lease.lost() => Err(lost.into()),
            applied = mongoferry_stage::retry(&stage, "applying changes", || apply(&stage, &destination, &source, &lease)) => applied,
        };
        let applied = match applied {
            Err(error) if error.tells_the_end() => told_in_time(&stage, error).await,
            applied => applied,
        };
        source.shutdown().await;
        destination.shutdown().await;
        lease.release().await?;
        applied?;
    }
    stage.set_activity("done");
    stage.stopping.cancelled().await;
    Ok(())
}

async fn migration_over(stage: &Stage) {
    stage.phases.clone().wait_for(|record| record.phase.is_final()).await;
}

/// The records are removed right after the last phase is entered, so the news of the one may come before that of the other.
async fn told_in_time(stage: &Stage, error: ApplierError) -> Result<(), ApplierError> {
    tokio::time::timeout(NEWS_TRAVEL_FOR, migration_over(stage)).await.map_err(|_| error)
}
