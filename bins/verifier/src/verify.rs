//! One verification: compares, and keeps its record up to date until the verdict stands.

use std::time::Duration;

use mongoferry_bus::{BusError, WorkTicket, key};
use mongoferry_mongo::{Cluster, facts, list_metadata};
use mongoferry_protocol::{Optime, Verification, VerificationState};
use mongoferry_stage::Stage;

use crate::{
    VerifierError,
    ahead::Ahead,
    compare_all_documents::{compare_all_documents, compare_capped},
    compare_metadata,
    decide::phase_of,
    progress::Progress,
};

/// The two clusters, connected. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Clusters {
    pub(crate) source: Cluster,
    pub(crate) destination: Cluster,
}

/// What to verify, and how.
pub(crate) struct Order {
    pub(crate) cutover: u32,
    pub(crate) metadata: bool,
    pub(crate) silent_from: Optime,
    /// Collections compared at the same time.
    pub(crate) at_once: usize,
}

const REPORT: Duration = Duration::from_secs(1);

/// Returns once the verdict is stored; without one if the item was lost to another process, the phase ended or the process
/// is to end.
pub(crate) async fn verify(
    stage: &Stage,
    clusters: &Clusters,
    ahead: &Ahead,
    ticket: &WorkTicket,
    order: &Order,
) -> Result<Option<Verification>, VerifierError> {
    let progress = Progress::new(order.cutover, order.metadata);
    let mut phases = stage.phases.clone();
    let phase = phase_of(order.metadata);
    tokio::select! {
        biased;
        () = stage.stopping.cancelled() => return Ok(None),
        _ = phases.wait_for(|record| record.phase != phase) => return Ok(None),
        () = report(stage, ticket, &progress) => return Ok(None),
        compared = compare(stage, clusters, ahead, order, &progress) => compared?,
    }
    let verdict = progress.finished();
    if !ticket.still_held() {
        return Ok(None);
    }
    mongoferry_stage::retry(stage, "storing the verdict", || store(stage, &verdict)).await?;
    Ok(Some(verdict))
}

/// Compares in the foreground; everything found is in `progress`.
async fn compare(
    stage: &Stage,
    clusters: &Clusters,
    ahead: &Ahead,
    order: &Order,
    progress: &Progress,
) -> Result<(), VerifierError> {
    if !order.metadata {
        return compare_all_documents(clusters, ahead, order.silent_from, progress, stage, order.at_once).await;
    }
    let lists = || async {
        tokio::try_join!(
            list_metadata(&clusters.source),
            list_metadata(&clusters.destination),
            facts(&clusters.destination)
        )
    };
    let (source, destination, facts) = mongoferry_stage::retry(stage, "listing both clusters", lists).await?;
    progress.set_total(source.collections.len() + source.views.len());
    let differences =
        compare_metadata(&source, &destination, facts.version).map_err(|cause| VerifierError::Unreadable { cause })?;
    let recompare = || compare_capped(clusters, order.silent_from, &source, &destination);
    let capped = mongoferry_stage::retry(stage, "comparing capped collections", recompare).await?;
    for difference in differences.into_iter().chain(capped) {
        progress.differs(difference);
    }
    progress.all_collections_done();
    Ok(())
}

/// Stores the state about once a second. Ends when the item may have gone to another process.
async fn report(stage: &Stage, ticket: &WorkTicket, progress: &Progress) {
    while ticket.still_held() {
        let record = progress.running();
        stage.set_activity(activity(&record));
        if let Err(error) = store(stage, &record).await {
            tracing::debug!(%error, "the progress was not stored; the next one follows");
        }
        tokio::time::sleep(REPORT).await;
    }
    tracing::warn!("the bus was away for so long that another verifier may have taken over");
}

async fn store(stage: &Stage, record: &Verification) -> Result<(), BusError> {
    stage.bus.records().put(&key::verification(record.cutover, record.metadata), record).await.map(drop)
}

fn activity(record: &Verification) -> String {
    let what = if record.metadata { "metadata" } else { "documents" };
    format!("comparing {what}: {} of {} collections", record.collections, record.collections_total)
}

/// Whether the record is one of a verification that has come to its end.
pub(crate) fn is_finished(record: &Verification) -> bool {
    match record.state {
        VerificationState::Running => false,
        VerificationState::Equal | VerificationState::Different => true,
    }
}
