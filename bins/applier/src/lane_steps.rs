//! From folded work on collections of the source to steps on namespaces of the destination. Pure.

use mongoferry_mongo::{CollectionMap, CollectionSteps, WriteStep};
use mongoferry_oplog::{CollectionWork, LaneWork, OrderedStep, UpdateStep};

/// What a lane writes.
pub struct LaneSteps {
    pub collections: Vec<CollectionSteps>,
    /// Operations left out, because their collections were dropped before the source was listed.
    pub skipped: u64,
}

pub fn lane_steps(work: LaneWork, map: &CollectionMap) -> LaneSteps {
    let mut lane = LaneSteps { collections: Vec::with_capacity(work.collections.len()), skipped: 0 };
    for collection in work.collections {
        let namespace = map.get(collection.uuid).cloned();
        let steps: Vec<WriteStep> = steps(collection);
        match namespace {
            Some(namespace) => lane.collections.push(CollectionSteps { namespace, steps }),
            None => lane.skipped += steps.len() as u64,
        }
    }
    lane
}

fn steps(work: CollectionWork) -> Vec<WriteStep> {
    let CollectionWork { deletes, inserts, updates, ordered, uuid: _ } = work;
    let deletes = deletes.into_iter().map(|id| WriteStep::Delete { id });
    let inserts = inserts.into_iter().map(|document| WriteStep::Insert { document });
    let updates = updates.into_iter().map(update);
    deletes.chain(inserts).chain(updates).chain(ordered.into_iter().map(in_order)).collect()
}

fn in_order(step: OrderedStep) -> WriteStep {
    match step {
        OrderedStep::Insert { document } => WriteStep::Insert { document },
        OrderedStep::Update(step) => update(step),
        OrderedStep::Delete { id } => WriteStep::Delete { id },
    }
}

fn update(step: UpdateStep) -> WriteStep {
    match step {
        UpdateStep::Replace { id, document } => WriteStep::Replace { id, document },
        UpdateStep::Delta { id, delta } => WriteStep::Delta { id, delta },
    }
}
