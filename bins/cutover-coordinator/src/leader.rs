//! From standing by to leading: the API, the lease, connections, and then the loop; and back again when the lease is lost.

use std::sync::Arc;

use mongoferry_mongo::Cluster;
use mongoferry_protocol::{Explain, MigrationStatus, Party, Retry};
use mongoferry_stage::{DestinationArgs, SecretUri, SourceArgs, Stage, StageResult};
use tokio::sync::{Mutex, watch};

use crate::{
    CoordinatorArgs, api,
    board::Board,
    coordinate::Coordinator,
    coordinator_error::CoordinatorError,
    metrics,
    notify::{Announcer, Targets},
};

struct Leader {
    stage: Stage,
    source: SecretUri,
    destination: SecretUri,
    args: CoordinatorArgs,
    targets: Targets,
    board: Board,
}

/// The API answers from the beginning to the end, whoever leads and whatever is down.
pub async fn lead(
    stage: Stage,
    source: SourceArgs,
    destination: DestinationArgs,
    args: CoordinatorArgs,
) -> StageResult {
    metrics::describe();
    let (source, destination) = (source.uri()?, destination.uri()?);
    let token = args.token.token()?;
    let listener = api::bind(args.listen, token.as_deref()).await?;
    let board = Board::new(&stage);
    let targets = Targets::of(&args.notify)?;
    let leader = Leader { stage: stage.clone(), source, destination, args, targets, board: board.clone() };
    let leading = mongoferry_stage::retry(&stage, "leading", || leader.lead_once());
    tokio::pin!(leading);
    tokio::select! {
        led = &mut leading => return Ok(led?),
        () = api::serve(listener, board, stage.clone(), token) => {}
    }
    // Whoever is notified may still have to be told of the end.
    if stage.stopping.is_cancelled() { Ok(leading.await?) } else { Ok(()) }
}

impl Leader {
    /// Until the process is stopped or the lease is lost.
    async fn lead_once(&self) -> Result<(), CoordinatorError> {
        let stage = &self.stage;
        let Some(lease) = stage.lease().await?.map(Arc::new) else { return Ok(()) };
        let source = Cluster::connect(self.source.reveal(), "mongoferry-cutover-coordinator").await?;
        stage.works_with(Party::Source, source.reachability());
        let destination = Cluster::connect(self.destination.reveal(), "mongoferry-cutover-coordinator").await?;
        stage.works_with(Party::Destination, destination.reachability());
        let (coordinator, led) = Coordinator::open(stage, &lease, &source, &destination, &self.args).await?;
        let status = led.status.clone();
        self.board.show(led);
        stage.ready.cancel();
        stage.set_activity("leading");
        let outcome = tokio::select! {
            biased;
            error = lease.lost() => Err(error.into()),
            outcome = self.run_and_announce(coordinator, status) => outcome,
        };
        source.shutdown().await;
        destination.shutdown().await;
        // The coordinator, which had the other end, is gone.
        if let Some(lease) = Arc::into_inner(lease) {
            lease.release().await?;
        }
        outcome
    }

    async fn run_and_announce(
        &self,
        coordinator: Coordinator,
        status: watch::Receiver<MigrationStatus>,
    ) -> Result<(), CoordinatorError> {
        let announcer = Announcer::new(self.stage.bus.records(), &self.targets, &self.board, status);
        let announcing = async {
            announcer.run(&self.stage.stopping).await;
            Ok(())
        };
        tokio::try_join!(self.run(coordinator), announcing).map(|((), ())| ())
    }

    /// Trouble with a cluster is outlasted in office, so that the status goes on being shown.
    async fn run(&self, coordinator: Coordinator) -> Result<(), CoordinatorError> {
        let coordinator = Mutex::new(coordinator);
        let unless_a_cluster = || async {
            match coordinator.lock().await.run().await {
                Err(error @ CoordinatorError::Cluster(_)) => Err(error),
                outcome => Ok(outcome),
            }
        };
        let led = mongoferry_stage::retry(&self.stage, "leading", unless_a_cluster).await;
        if self.stage.stopping.is_cancelled() {
            coordinator.lock().await.let_users_write("mongoferry was stopped").await?;
        }
        match led {
            // Nobody leads again before an operator has acted.
            Err(error) | Ok(Err(error)) if error.retry() != Retry::Soon => {
                let lifted = coordinator.lock().await.let_users_write("the coordinator failed").await;
                if let Err(of_lifting) = lifted {
                    tracing::warn!(error = %of_lifting, "the block of the source's writes stands");
                }
                Err(error)
            }
            led => led?,
        }
    }
}
