//! Looks at documents that somebody else wrote on the destination.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use mongoferry_mongo::{TouchedDocument, last_optimes, touched_documents};
use mongoferry_protocol::{AheadCollection, CollectionUuid, ForeignWrite, Phase};
use mongoferry_stage::Stage;

use super::{look::look, state::Ahead};
use crate::{VerifierError, id_bytes::id_bytes, verify::Clusters};

const PAUSE: Duration = Duration::from_secs(1);
const SHORT_PAUSE: Duration = Duration::from_millis(50);

/// Never ends by itself.
pub(super) async fn watch_destination(stage: &Stage, clusters: &Clusters, ahead: &Ahead) -> Result<(), VerifierError> {
    loop {
        let until = last_optimes(&clusters.destination).await?.majority;
        let after = ahead.state().destination_followed;
        if until <= after {
            rest(stage).await;
            continue;
        }
        let (touched, followed) = touched_documents(&clusters.destination, after, until).await?;
        // At the cutover the indexer writes there, too.
        if stage.phases.current().is_some_and(|record| matches!(record.phase, Phase::CatchingUp | Phase::Ready)) {
            note_foreign(ahead, &touched);
        }
        for (collection, ids) in by_collection(ahead, touched) {
            let begun = ahead.state().begin_look();
            let on_source = last_optimes(&clusters.source).await?;
            let looked = look(clusters, &collection, ids.into_iter().collect(), [on_source.majority, until]).await?;
            let due = last_optimes(&clusters.source).await?.last;
            if let Some(looked) = looked {
                let mut state = ahead.state();
                let unequal = looked.unequal_ids();
                state.seen_equal(collection.on_source, looked.equal, begun);
                state.seen_unequal(collection.on_source, unequal, due);
            }
        }
        ahead.state().destination_followed = followed;
        if followed == until {
            rest(stage).await;
        }
    }
}

async fn rest(stage: &Stage) {
    let mut phases = stage.phases.clone();
    let cutover = async {
        phases.wait_for(|record| record.phase.is_revertible_cutover()).await;
        tokio::time::sleep(SHORT_PAUSE).await;
    };
    tokio::select! {
        () = tokio::time::sleep(PAUSE) => {}
        () = cutover => {}
    }
}

fn note_foreign(ahead: &Ahead, touched: &[TouchedDocument]) {
    let mut state = ahead.state();
    for write in touched.iter().filter(|write| write.is_foreign) {
        if state.foreign_writes == 0 {
            tracing::warn!(namespace = write.namespace, optime = %write.optime, "somebody else writes on the destination");
        }
        state.foreign_writes += 1;
        state.last_foreign_write = Some(ForeignWrite { namespace: write.namespace.clone(), optime: write.optime });
    }
}

fn by_collection(ahead: &Ahead, touched: Vec<TouchedDocument>) -> Vec<(AheadCollection, BTreeSet<Vec<u8>>)> {
    let state = ahead.state();
    let mut found: BTreeMap<CollectionUuid, (AheadCollection, BTreeSet<Vec<u8>>)> = BTreeMap::new();
    for document in touched {
        let Some(collection) = state.of_destination(document.collection) else { continue };
        let Some(id) = id_bytes(&document.id).filter(|_| state.is_begun(collection.on_source)) else { continue };
        let known = found.entry(document.collection).or_insert_with(|| (collection.clone(), BTreeSet::new()));
        known.1.insert(id.to_vec());
    }
    found.into_values().collect()
}
