//! Looks again at the suspects, once the changes that may have made them unequal were followed.

use std::{collections::BTreeMap, time::Duration};

use mongoferry_mongo::last_optimes;
use mongoferry_protocol::{AheadCollection, CollectionUuid};

use super::{look::look, state::Ahead};
use crate::{VerifierError, verify::Clusters};

const PAUSE: Duration = Duration::from_secs(1);
/// In one pass.
const AT_ONCE: usize = 5_000;

/// Never ends by itself.
pub(super) async fn look_again(clusters: &Clusters, ahead: &Ahead) -> Result<(), VerifierError> {
    let mut pass = 0_u64;
    loop {
        tokio::time::sleep(PAUSE).await;
        pass += 1;
        for (collection, ids) in due(ahead, pass) {
            let begun = ahead.state().begin_look();
            let (on_source, on_destination) =
                tokio::try_join!(last_optimes(&clusters.source), last_optimes(&clusters.destination))?;
            let not_before = [on_source.majority, on_destination.majority];
            let Some(looked) = look(clusters, &collection, ids, not_before).await? else { continue };
            let due = last_optimes(&clusters.source).await?.last;
            let mut state = ahead.state();
            state.seen_equal(collection.on_source, looked.equal, begun);
            for document in looked.unequal {
                let difference = document.describe(&collection.namespace);
                state.still_unequal(collection.on_source, document.id, difference, due);
            }
        }
    }
}

/// Those that were looked at often come up less often.
fn due(ahead: &Ahead, pass: u64) -> Vec<(AheadCollection, Vec<Vec<u8>>)> {
    let state = ahead.state();
    let is_due = |suspicion: &super::state::Suspicion| {
        suspicion.due <= state.followed && pass.is_multiple_of(u64::from(suspicion.looks.min(30)) + 1)
    };
    let mut found: BTreeMap<CollectionUuid, Vec<Vec<u8>>> = BTreeMap::new();
    for ((collection, id), _) in state.suspects.iter().filter(|(_, suspicion)| is_due(suspicion)).take(AT_ONCE) {
        found.entry(*collection).or_default().push(id.clone());
    }
    found.into_iter().filter_map(|(uuid, ids)| Some((state.collections.get(&uuid)?.clone(), ids))).collect()
}
