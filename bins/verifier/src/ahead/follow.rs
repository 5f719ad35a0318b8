//! Follows the changes of the source, once they are applied, and looks at the documents that they changed.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use mongoferry_bus::{BusError, StoredBatch, key};
use mongoferry_mongo::last_optimes;
use mongoferry_oplog::{EntryDecoder, open_batch};
use mongoferry_protocol::{ChangePosition, CollectionUuid, OplogBatch, Optime, StartPoint};
use mongoferry_stage::Stage;
use tokio::time::Instant;

use super::{is_waited_for, look::look, state::Ahead};
use crate::{VerifierError, id_bytes::id_bytes, verify::Clusters};

/// Documents that a window names at most, but for the last batch of it.
pub(super) const WINDOW_DOCUMENTS: usize = 20_000;
/// A window lasts so long while there are changes, so that one that changes often is looked at once.
const WINDOW: Duration = Duration::from_millis(500);
const SHORT_WINDOW: Duration = Duration::from_millis(20);
const ASK_APPLIED: Duration = Duration::from_millis(50);

/// Changed documents by collection of the source: the bytes of their `_id` elements.
type Changed = BTreeMap<CollectionUuid, BTreeSet<Vec<u8>>>;

/// Never ends by itself.
pub(super) async fn follow(stage: &Stage, clusters: &Clusters, ahead: &Ahead) -> Result<(), VerifierError> {
    let start = start_point(stage).await?;
    let (sequence, resume) = {
        let state = ahead.state();
        (state.sequence, state.resume)
    };
    let mut decoder = EntryDecoder::resume(start, ChangePosition::end_of(resume));
    let mut reader = stage.bus.batch_reader(sequence).await?;
    let mut applied = Applied::default();
    let mut next = None;
    let mut is_first = true;
    loop {
        let first: StoredBatch<OplogBatch> = match next.take() {
            Some(batch) => batch,
            None => reader.next().await?,
        };
        if std::mem::take(&mut is_first) && first.batch.previous > resume {
            let (expected, found) = (resume.to_string(), first.batch.previous.to_string());
            return Err(BusError::BrokenChain { expected, found }.into());
        }
        applied.until(stage, first.batch.last).await?;
        let lasts = if is_waited_for(stage) { SHORT_WINDOW } else { WINDOW };
        let until = Instant::now() + lasts;
        let mut window = Window::default();
        window.add(&mut decoder, &first)?;
        while window.documents < WINDOW_DOCUMENTS {
            let Ok(batch) = tokio::time::timeout_at(until, reader.next()).await else { break };
            let batch = batch?;
            // Behind the cutover's note nothing is applied, and what was applied before must not wait for it.
            match tokio::time::timeout_at(until, applied.until(stage, batch.batch.last)).await {
                Ok(is_applied) => is_applied?,
                Err(_) => {
                    next = Some(batch);
                    break;
                }
            }
            window.add(&mut decoder, &batch)?;
        }
        look_at(clusters, ahead, window, &decoder).await?;
    }
}

/// It is there long before a migration is ready, so that this hardly ever looks twice.
async fn start_point(stage: &Stage) -> Result<StartPoint, VerifierError> {
    loop {
        if let Some(record) = stage.bus.records().get(&key::start_point()).await? {
            return Ok(record.value);
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

#[derive(Default)]
struct Window {
    changed: Changed,
    documents: usize,
    sequence: u64,
    last: Optime,
}

impl Window {
    fn add(&mut self, decoder: &mut EntryDecoder, stored: &StoredBatch<OplogBatch>) -> Result<(), VerifierError> {
        for entry in open_batch(&stored.batch)?.iter() {
            for change in decoder.decode(entry)? {
                let Some((collection, document)) = change.kind.target() else { continue };
                let Some(id) = id_bytes(document) else { continue };
                let of_collection = self.changed.entry(collection).or_default();
                if !of_collection.contains(id) {
                    of_collection.insert(id.to_vec());
                    self.documents += 1;
                }
            }
        }
        (self.sequence, self.last) = (stored.sequence, stored.batch.last);
        Ok(())
    }
}

/// How far the applier is, as last heard.
#[derive(Default)]
struct Applied {
    known: Optime,
}

impl Applied {
    /// Waits until the changes up to `wanted` are applied. Cancel-safe.
    async fn until(&mut self, stage: &Stage, wanted: Optime) -> Result<(), VerifierError> {
        while self.known < wanted {
            if let Some(record) = stage.bus.records().get(&key::applied()).await? {
                self.known = record.value.applied;
            }
            if self.known < wanted {
                tokio::time::sleep(ASK_APPLIED).await;
            }
        }
        Ok(())
    }
}

async fn look_at(
    clusters: &Clusters,
    ahead: &Ahead,
    window: Window,
    decoder: &EntryDecoder,
) -> Result<(), VerifierError> {
    for (uuid, ids) in window.changed {
        // A collection of which nothing was compared yet will be read as it is by then.
        let collection = {
            let mut state = ahead.state();
            let collection = state.collections.get(&uuid).filter(|_| state.is_begun(uuid)).cloned();
            collection.map(|collection| (collection, state.begin_look()))
        };
        let Some((collection, begun)) = collection else { continue };
        let on_destination = last_optimes(&clusters.destination).await?.majority;
        let count = ids.len() as u64;
        let looked = look(clusters, &collection, ids.into_iter().collect(), [window.last, on_destination]).await?;
        let due = last_optimes(&clusters.source).await?.last;
        let mut state = ahead.state();
        match looked {
            Some(looked) => {
                state.compared_again += count;
                let unequal = looked.unequal_ids();
                state.seen_equal(uuid, looked.equal, begun);
                state.seen_unequal(uuid, unequal, due);
            }
            None => drop(state.collections.remove(&uuid)),
        }
    }
    let mut state = ahead.state();
    state.followed = window.last;
    // A restart must read an open transaction from its beginning.
    if decoder.oldest_open().is_none() {
        (state.sequence, state.resume) = (window.sequence, window.last);
    }
    Ok(())
}
