//! Verifies ahead: compares every document while the migration is ready, and again each document that changes, so that at the
//! cutover only what changed last is left.
//!
//! ```text
//! scan                 collection by collection, part by part by `_id`: both sides read, hashes compared
//! follow               the batches of the oplog, once they are applied: the documents that they changed
//! watch_destination    the destination's oplog: the documents that somebody else changed there
//! look_again           what did not come out equal, until it does
//! ```
//!
//! Why that is enough: a document that is equal on both sides at some moment becomes unequal only by a change of one side, and
//! each change of either is followed from before the first comparison on. What is found unequal stays a suspect until it is seen
//! equal; at the cutover the suspects are what is left to be compared.
//!
//! Memory: a part is at most [`part::PART_DOCUMENTS`] hashes a side, a window of changes [`follow::WINDOW_DOCUMENTS`] `_id`s, and of
//! suspects there are at most [`state::MOST_SUSPECTS`]; a collection with more is compared at the cutover. Measured with two
//! collections at once, 50,000 suspects and a repair of them: the process took 93 MiB at its peak with 0.6 million small documents,
//! and 90 MiB with 12.5 million.

mod follow;
mod keep;
mod look;
mod look_again;
mod part;
mod scan;
mod state;
mod vouched;
mod watch_destination;

use std::{sync::Arc, time::Duration};

use mongoferry_bus::key;
use mongoferry_mongo::last_optimes;
use mongoferry_protocol::{Checkpoint, Explain, Phase, Retry, VerifiedAhead, now_ms};
use mongoferry_stage::Stage;
use tokio::{task::JoinSet, time::Instant};

pub(crate) use look::look;
pub(crate) use scan::pair;
pub(crate) use state::Ahead;
pub(crate) use vouched::{Vouched, VouchedCollection};

use crate::{VerifierError, verify::Clusters};

/// After trouble with a cluster or the bus.
const PAUSE: Duration = Duration::from_secs(5);
const PAUSE_WITHOUT_RIGHT: Duration = Duration::from_secs(10);
/// What fails after a longer time was no failure of what failed before.
const HEALTHY: Duration = Duration::from_secs(10);

/// Begins once the migration is ready, and goes on until the returned task is dropped.
pub(crate) fn verify_ahead(stage: &Stage, clusters: &Clusters, at_once: usize) -> (Arc<Ahead>, JoinSet<()>) {
    let ahead = Arc::new(Ahead::default());
    let mut task = JoinSet::new();
    task.spawn(run(stage.clone(), clusters.clone(), ahead.clone(), at_once));
    (ahead, task)
}

async fn run(stage: Stage, clusters: Clusters, ahead: Arc<Ahead>, at_once: usize) {
    let mut told = false;
    loop {
        let began = Instant::now();
        let Err(error) = work(&stage, &clusters, &ahead, at_once).await else { return };
        let mut pause = PAUSE;
        ahead.rest_after_failure(began.elapsed() < HEALTHY);
        let is_broken = ahead.is_broken() && error.retry() != Retry::Soon;
        let was_told = told;
        if error.is_a_missing_right() {
            // The cutover compares everything, and must not wait for what does not come. Rights may be given back.
            if !std::mem::replace(&mut told, true) {
                tracing::warn!(%error, "nothing can be verified ahead of the cutover");
            }
            ahead.forget();
            pause = PAUSE_WITHOUT_RIGHT;
            if let Err(error) = tell_obstacle(&stage, &error).await {
                tracing::debug!(%error, "the record of what was verified ahead stays");
            }
        } else if is_broken {
            // What was looked at stays known; the rest is for the cutover.
            if !std::mem::replace(&mut told, true) {
                tracing::warn!(%error, "not everything can be verified ahead of the cutover");
            }
            let put = stage.bus.records().put(&key::obstacle_to_looking_ahead(), &error.to_string()).await;
            put.inspect_err(|error| tracing::debug!(%error, "the obstacle is told later")).ok();
        } else if error.loses_the_thread() {
            tracing::warn!(%error, "verifying ahead begins anew");
            ahead.forget();
        } else {
            tracing::debug!(%error, "verifying ahead was interrupted and goes on");
        }
        told &= error.is_a_missing_right() || began.elapsed() < HEALTHY;
        if was_told && !told {
            let removed = stage.bus.records().remove(&key::obstacle_to_looking_ahead()).await;
            removed.inspect_err(|error| tracing::debug!(%error, "an obstacle that is gone is still told")).ok();
        }
        tokio::time::sleep(pause).await;
        ahead.go_on();
    }
}

/// Ends with an error, or at once if nothing is to be verified.
async fn work(stage: &Stage, clusters: &Clusters, ahead: &Ahead, at_once: usize) -> Result<(), VerifierError> {
    let settings = stage.bus.records().get(&key::settings()).await?;
    if settings.is_some_and(|settings| !settings.value.verify) {
        return Ok(());
    }
    let mut phases = stage.phases.clone();
    // A verifier that was killed in the middle of a cutover goes on from its record.
    let begun = stage.bus.records().get(&key::verified_ahead()).await?.map(|record| record.value);
    phases.wait_for(|record| record.phase == Phase::Ready || begun.is_some() || ahead.is_begun()).await;
    if !ahead.is_begun() {
        let record = match begun {
            Some(record) => record,
            None => beginning(stage, clusters).await?,
        };
        ahead.begin(record);
        stage.bus.records().remove(&key::obstacle_to_looking_ahead()).await?;
    }
    tokio::try_join!(
        follow::follow(stage, clusters, ahead),
        watch_destination::watch_destination(stage, clusters, ahead),
        look_again::look_again(clusters, ahead),
        scan::scan(stage, clusters, ahead, at_once),
        keep::keep(stage, ahead),
    )?;
    Ok(())
}

/// Who waits for what is verified ahead learns that nothing comes.
async fn tell_obstacle(stage: &Stage, obstacle: &VerifierError) -> Result<(), VerifierError> {
    let records = stage.bus.records();
    records.put(&key::obstacle_to_looking_ahead(), &obstacle.to_string()).await?;
    records.remove(&key::verified_ahead()).await?;
    Ok(())
}

/// The cutover waits, and nobody writes to the source: what is left is looked at without waiting for company.
fn is_waited_for(stage: &Stage) -> bool {
    stage.phases.current().is_some_and(|record| record.phase.is_revertible_cutover())
}

/// From here on every change is followed.
async fn beginning(stage: &Stage, clusters: &Clusters) -> Result<VerifiedAhead, VerifierError> {
    let destination_followed = last_optimes(&clusters.destination).await?.majority;
    let applied: Option<Checkpoint> = stage.bus.records().get(&key::applied()).await?.map(|record| record.value);
    let applied = applied.unwrap_or_default();
    Ok(VerifiedAhead {
        sequence: applied.sequence,
        resume: applied.applied,
        destination_followed,
        started_at_ms: now_ms(),
        ..VerifiedAhead::default()
    })
}
