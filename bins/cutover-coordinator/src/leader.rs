//! From standing by to leading: connections, the lease, the API, and then the loop.

use mongoferry_mongo::Cluster;
use mongoferry_stage::{DestinationArgs, SourceArgs, Stage, StageResult};

use crate::{CoordinatorArgs, api, coordinate::Coordinator, metrics};

pub async fn lead(
    stage: Stage,
    source: SourceArgs,
    destination: DestinationArgs,
    args: CoordinatorArgs,
) -> StageResult {
    metrics::describe();
    let (source_uri, destination_uri) = (source.uri()?, destination.uri()?);
    let listener = api::bind(args.listen).await?;
    let Some(lease) = stage.lease().await? else { return Ok(()) };
    let source = Cluster::connect(source_uri.reveal(), "mongoferry-cutover-coordinator").await?;
    let destination = Cluster::connect(destination_uri.reveal(), "mongoferry-cutover-coordinator").await?;
    let (mut coordinator, board) = Coordinator::open(&stage, &source, &destination, &args).await?;
    stage.ready.cancel();
    stage.set_activity("leading");
    let served = api::serve(listener, board, stage.clone());
    let outcome = tokio::select! {
        outcome = coordinator.run() => outcome,
        error = lease.lost() => Err(error.into()),
        () = served => Ok(()),
    };
    drop(coordinator);
    source.shutdown().await;
    destination.shutdown().await;
    lease.release().await?;
    Ok(outcome?)
}
