//! From folded work on collections of the source to steps on namespaces of the destination. Pure.

use bson::{RawArrayBuf, RawDocument, RawDocumentBuf, raw::cstr, rawdoc};
use mongoferry_mongo::{
    CollectionMap, CollectionSteps, DeltaForm, WriteStep, holds_doubled_name, is_altered_by_the_server,
};
use mongoferry_oplog::{
    CollectionWork, LaneWork, OrderedStep, UpdateStep, is_difference, update_modifiers, update_pipeline,
};
use mongoferry_protocol::WriteOrder;

use crate::doubled_names::DoubledNames;

/// What a lane writes.
pub struct LaneSteps {
    pub collections: Vec<CollectionSteps>,
    /// Operations left out, because their collections were dropped before the source was listed.
    pub skipped: u64,
}

pub fn lane_steps(work: LaneWork, map: &CollectionMap, form: DeltaForm, doubled_names: &DoubledNames) -> LaneSteps {
    let mut lane = LaneSteps { collections: Vec::with_capacity(work.collections.len()), skipped: 0 };
    for collection in work.collections {
        let (uuid, mapped) = (collection.uuid, map.get(collection.uuid));
        let order = mapped.map(|mapped| mapped.order).unwrap_or_default();
        let mut steps: Vec<WriteStep> = steps(collection, order, form);
        if doubled_names.in_collection(uuid) {
            steps = steps.into_iter().map(without_difference).collect();
        }
        match mapped {
            Some(mapped) => {
                lane.collections.push(CollectionSteps { namespace: mapped.namespace.clone(), uuid, order, steps });
            }
            None => lane.skipped += steps.len() as u64,
        }
    }
    lane
}

fn steps(work: CollectionWork, order: WriteOrder, form: DeltaForm) -> Vec<WriteStep> {
    let CollectionWork { deletes, inserts, updates, ordered, uuid: _ } = work;
    let deletes = deletes.into_iter().map(|id| WriteStep::Delete { id });
    let inserts = inserts.into_iter().flat_map(WriteStep::insert);
    let updates = updates.into_iter().map(|step| update(step, form));
    let ordered = ordered.into_iter().flat_map(|step| match order {
        WriteOrder::ByDocument | WriteOrder::Whole => in_order(step, form),
        WriteOrder::UnderCollation => under_collation(step, form),
    });
    deletes.chain(inserts).chain(updates).chain(ordered).collect()
}

/// A text in place of which an equal one of other bytes may stand, of a document that the source deletes before, or inserts
/// after: no replacement changes an `_id` (66, ImmutableField), so an insert makes room first, and an update keeps the `_id`
/// that it finds; what it spoils of another document, the insert behind it makes good.
fn under_collation(step: OrderedStep, form: DeltaForm) -> Vec<WriteStep> {
    match step {
        OrderedStep::Insert { document } => {
            let room = id_of(&document).map(|id| WriteStep::Delete { id });
            room.into_iter().chain(WriteStep::insert(document)).collect()
        }
        OrderedStep::Update(UpdateStep::Replace { id, document })
            if form == DeltaForm::Reread || is_unsafe(&document, form) || holds_doubled_name(&document) =>
        {
            vec![WriteStep::Reread { id }]
        }
        OrderedStep::Update(UpdateStep::Replace { id, document }) => {
            let merged = rawdoc! { "$mergeObjects": [{ "$literal": document }, { "_id": "$_id" }] };
            let mut stages = RawArrayBuf::new();
            stages.push(rawdoc! { "$replaceWith": merged });
            vec![WriteStep::Pipeline { id, stages }]
        }
        step => in_order(step, form),
    }
}

fn id_of(document: &RawDocument) -> Option<RawDocumentBuf> {
    let mut id = RawDocumentBuf::new();
    id.append(cstr!("_id"), document.get("_id").ok()??);
    Some(id)
}

fn in_order(step: OrderedStep, form: DeltaForm) -> Vec<WriteStep> {
    match step {
        OrderedStep::Insert { document } => WriteStep::insert(document),
        OrderedStep::Update(step) => vec![update(step, form)],
        OrderedStep::Delete { id } => vec![WriteStep::Delete { id }],
    }
}

/// By plain operators or the destination's own means if that is exact, by a pipeline if that is, and by reading the document anew
/// else.
fn update(step: UpdateStep, form: DeltaForm) -> WriteStep {
    match step {
        UpdateStep::Replace { id, document } if is_unsafe(&document, form) => WriteStep::Reread { id },
        UpdateStep::Replace { id, document } => WriteStep::Replace { id, document },
        UpdateStep::Delta { id, delta } => match update_modifiers(&delta) {
            Some(modifiers) => WriteStep::Modify { id, modifiers },
            None => beyond_operators(id, delta, form),
        },
    }
}

fn beyond_operators(id: RawDocumentBuf, delta: RawDocumentBuf, form: DeltaForm) -> WriteStep {
    match form {
        DeltaForm::Stage if is_difference(&delta) => WriteStep::Delta { id, delta },
        DeltaForm::Stage | DeltaForm::Pipeline => match update_pipeline(&delta) {
            Some(stages) => WriteStep::Pipeline { id, stages },
            None => WriteStep::Reread { id },
        },
        DeltaForm::Reread => WriteStep::Reread { id },
    }
}

/// What the destination would replicate as a difference by names takes the whole document instead; and so does a replacement by
/// a document of doubled names, which would not be replicated at all where only its secondaries hold another one.
fn without_difference(step: WriteStep) -> WriteStep {
    match step {
        WriteStep::Modify { id, .. } | WriteStep::Delta { id, .. } | WriteStep::Pipeline { id, .. } => {
            WriteStep::Reread { id }
        }
        WriteStep::Replace { id, document } if holds_doubled_name(&document) || is_altered_by_the_server(&document) => {
            WriteStep::Reread { id }
        }
        step => step,
    }
}

/// Whether the replacement takes a pipeline, and those of this destination are not safe.
fn is_unsafe(document: &RawDocument, form: DeltaForm) -> bool {
    form != DeltaForm::Stage && is_altered_by_the_server(document)
}

#[cfg(test)]
mod tests {
    use bson::{RawDocumentBuf, Timestamp, rawdoc};
    use mongoferry_mongo::{CollectionMap, DeltaForm, MappedCollection, WriteStep};
    use mongoferry_oplog::{CollectionWork, LaneWork, OrderedStep, UpdateStep};
    use mongoferry_protocol::{CollectionUuid, Namespace, WriteOrder};

    use super::{lane_steps, update};
    use crate::doubled_names::DoubledNames;

    fn work(number: u8, ordered: Vec<OrderedStep>) -> CollectionWork {
        let uuid = CollectionUuid::from_bytes([number; 16]);
        let inserts = if ordered.is_empty() { vec![rawdoc! {"_id": 1}] } else { Vec::new() };
        CollectionWork { uuid, deletes: Vec::new(), inserts, updates: Vec::new(), ordered }
    }

    fn map(order: WriteOrder) -> CollectionMap {
        let mapped = MappedCollection { namespace: Namespace::new("shop", "orders"), order };
        [(CollectionUuid::from_bytes([1; 16]), mapped)].into_iter().collect()
    }

    fn delta(delta: RawDocumentBuf, form: DeltaForm) -> WriteStep {
        update(UpdateStep::Delta { id: rawdoc! {"_id": 1}, delta }, form)
    }

    #[test]
    fn changes_of_collections_that_are_gone_are_left_out() {
        let work = LaneWork { collections: vec![work(1, vec![]), work(2, vec![])], ..LaneWork::default() };
        let lane = lane_steps(work, &map(WriteOrder::ByDocument), DeltaForm::Stage, &DoubledNames::default());
        assert_eq!((lane.collections.len(), lane.skipped), (1, 1));
    }

    #[test]
    fn each_delta_takes_what_is_exact_on_its_destination() {
        let inner = || rawdoc! {"$v": 2, "diff": {"sa": {"u": {"b": 1}}}};
        assert!(matches!(delta(inner(), DeltaForm::Stage), WriteStep::Delta { .. }));
        assert!(matches!(delta(inner(), DeltaForm::Pipeline), WriteStep::Pipeline { .. }));
        assert!(matches!(delta(inner(), DeltaForm::Reread), WriteStep::Reread { .. }));
        let numbers = rawdoc! {"$v": 1, "$set": {"a.10": 1, "a.9": 1}};
        assert!(matches!(delta(numbers, DeltaForm::Stage), WriteStep::Pipeline { .. }), "not in another order");
        let old = rawdoc! {"$v": 1, "$set": {"a.b": 1}};
        assert!(matches!(delta(old, DeltaForm::Stage), WriteStep::Pipeline { .. }), "not by its stage");
        let later = rawdoc! {"$v": 2, "diff": {"sdata": {"b": {"o": 1}}}};
        assert!(matches!(delta(later, DeltaForm::Pipeline), WriteStep::Reread { .. }), "not known");
    }

    #[test]
    fn a_zero_timestamp_is_read_again_where_pipelines_are_not_safe() {
        let document = rawdoc! {"_id": 1, "at": Timestamp { time: 0, increment: 0 }};
        let replace = || UpdateStep::Replace { id: rawdoc! {"_id": 1}, document: document.clone() };
        assert!(matches!(update(replace(), DeltaForm::Reread), WriteStep::Reread { .. }));
        assert!(matches!(update(replace(), DeltaForm::Stage), WriteStep::Replace { .. }));
    }

    #[test]
    fn under_a_collation_an_insert_makes_room_first() {
        let insert = || vec![OrderedStep::Insert { document: rawdoc! {"_id": "A"} }];
        let steps = |order| {
            let work = LaneWork { collections: vec![work(1, insert())], ..LaneWork::default() };
            lane_steps(work, &map(order), DeltaForm::Stage, &DoubledNames::default()).collections.remove(0).steps
        };
        assert_eq!(steps(WriteOrder::UnderCollation)[0], WriteStep::Delete { id: rawdoc! {"_id": "A"} });
        assert!(!matches!(steps(WriteOrder::Whole)[0], WriteStep::Delete { .. }));
    }
}
