//! From folded work on collections of the source to steps on namespaces of the destination. Pure.

use mongoferry_mongo::{CollectionMap, CollectionSteps, WriteStep};
use mongoferry_oplog::{CollectionWork, LaneWork, OrderedStep, UpdateStep, is_applied_differently, update_pipeline};

/// What a lane writes.
pub struct LaneSteps {
    pub collections: Vec<CollectionSteps>,
    /// Operations left out, because their collections were dropped before the source was listed.
    pub skipped: u64,
}

/// `applies_deltas` says whether the destination applies the updates of an oplog by itself.
pub fn lane_steps(work: LaneWork, map: &CollectionMap, applies_deltas: bool) -> LaneSteps {
    let mut lane = LaneSteps { collections: Vec::with_capacity(work.collections.len()), skipped: 0 };
    for collection in work.collections {
        let (uuid, namespace) = (collection.uuid, map.get(collection.uuid).cloned());
        let steps: Vec<WriteStep> = steps(collection, applies_deltas);
        match namespace {
            Some(namespace) => lane.collections.push(CollectionSteps { namespace, uuid, steps }),
            None => lane.skipped += steps.len() as u64,
        }
    }
    lane
}

fn steps(work: CollectionWork, applies_deltas: bool) -> Vec<WriteStep> {
    let CollectionWork { deletes, inserts, updates, ordered, uuid: _ } = work;
    let deletes = deletes.into_iter().map(|id| WriteStep::Delete { id });
    let inserts = inserts.into_iter().map(|document| WriteStep::Insert { document });
    let updates = updates.into_iter().map(|step| update(step, applies_deltas));
    let ordered = ordered.into_iter().map(|step| in_order(step, applies_deltas));
    deletes.chain(inserts).chain(updates).chain(ordered).collect()
}

fn in_order(step: OrderedStep, applies_deltas: bool) -> WriteStep {
    match step {
        OrderedStep::Insert { document } => WriteStep::Insert { document },
        OrderedStep::Update(step) => update(step, applies_deltas),
        OrderedStep::Delete { id } => WriteStep::Delete { id },
    }
}

/// By the destination's own means if that is exact, by a pipeline if that is, and by reading the document anew else.
fn update(step: UpdateStep, applies_deltas: bool) -> WriteStep {
    match step {
        UpdateStep::Replace { id, document } => WriteStep::Replace { id, document },
        UpdateStep::Delta { id, delta } if applies_deltas && !is_applied_differently(&delta) => {
            WriteStep::Delta { id, delta }
        }
        UpdateStep::Delta { id, delta } => match update_pipeline(&delta) {
            Some(stages) => WriteStep::Pipeline { id, stages },
            None => WriteStep::Reread { id },
        },
    }
}
