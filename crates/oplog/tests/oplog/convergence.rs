//! Random histories of a few documents, replayed over a copy that read each document at a time of its own, in rounds of folded
//! lane work, with crashes between the lanes: the copy must end as the source did.
//!
//! The destination is a model of what its writes mean: a document is a body and the deltas behind it.
//! MONGOFERRY_PROPERTY_SECONDS sets how long each property is tried.

use std::collections::BTreeMap;

use bson::{Bson, RawDocument, RawDocumentBuf, doc, rawdoc};
use mongoferry_oplog::{
    Change, ChangeKind, CollectionWork, Cut, IdKey, LaneFold, LaneWork, OrderedStep, Round, RoundBuilder, RoundLimits,
    UpdateStep,
};
use mongoferry_protocol::{ChangePosition, CollectionUuid, Optime, WriteOrder};
use proptest::prelude::*;

use crate::budget;

const UUID: CollectionUuid = CollectionUuid::from_bytes([5; 16]);
const LANES: usize = 3;
const DOCUMENTS: usize = 8;

/// What the server holds for one `_id`, in the forms it may come in.
fn forms(document: usize) -> Vec<Bson> {
    let decimal = |text: &str| Bson::Decimal128(text.parse().expect("a decimal"));
    match document {
        0 => vec![1.into(), 1_i64.into(), 1.0.into(), decimal("1.0")],
        1 => vec!["a".into(), Bson::Symbol("a".into())],
        2 => vec![1.5.into(), decimal("1.5")],
        3 => vec![doc! { "a": 1 }.into(), doc! { "a": 1.0 }.into()],
        4 => vec![bson::oid::ObjectId::from_bytes([7; 12]).into()],
        5 => vec![0.into(), (-0.0).into()],
        6 => vec![Bson::Null],
        _ => vec![f64::NAN.into()],
    }
}

fn id_document(document: usize, form: usize) -> RawDocumentBuf {
    let forms = forms(document);
    RawDocumentBuf::try_from(&doc! { "_id": forms[form % forms.len()].clone() }).expect("a document")
}

fn with_body(id: &RawDocument, body: i32) -> RawDocumentBuf {
    let mut document = id.to_owned();
    document.append(bson::raw::cstr!("body"), body);
    document
}

#[derive(Clone, Debug, PartialEq)]
struct Document {
    id: RawDocumentBuf,
    body: i32,
    deltas: Vec<i32>,
}

/// The destination: documents by which of the `_id`s they have.
#[derive(Clone, Debug, Default, PartialEq)]
struct Model(BTreeMap<usize, Document>);

impl Model {
    fn identity(document: &RawDocument) -> usize {
        let id: Bson = document.get("_id").expect("well formed").expect("has one").try_into().expect("well formed");
        let same = |form: &Bson| {
            *form == id || matches!((form, &id), (Bson::Double(a), Bson::Double(b)) if a.is_nan() && b.is_nan())
        };
        (0..DOCUMENTS).find(|&document| forms(document).iter().any(same)).expect("one of them")
    }

    /// Replaces the document, which keeps the form of its `_id`, or creates it.
    fn insert(&mut self, document: &RawDocument) {
        let body = document.get_i32("body").expect("has one");
        let id = self.0.get(&Self::identity(document)).map(|old| old.id.clone());
        let id = id.unwrap_or_else(|| {
            RawDocumentBuf::try_from(
                &doc! { "_id": Bson::try_from(document.get("_id").expect("ok").expect("ok")).expect("ok") },
            )
            .expect("a document")
        });
        self.0.insert(Self::identity(document), Document { id, body, deltas: Vec::new() });
    }

    fn update(&mut self, step: &UpdateStep) {
        match step {
            UpdateStep::Replace { id, document } => {
                if self.0.contains_key(&Self::identity(id)) {
                    self.insert(document);
                }
            }
            UpdateStep::Delta { id, delta } => {
                if let Some(document) = self.0.get_mut(&Self::identity(id)) {
                    document.deltas.push(delta.get_i32("n").expect("has one"));
                }
            }
        }
    }

    fn delete(&mut self, id: &RawDocument) {
        self.0.remove(&Self::identity(id));
    }

    fn apply(&mut self, kind: &ChangeKind) {
        match kind.clone() {
            ChangeKind::Insert { document, .. } => self.insert(&document),
            ChangeKind::Replace { id, document, .. } => self.update(&UpdateStep::Replace { id, document }),
            ChangeKind::Delta { id, delta, .. } => self.update(&UpdateStep::Delta { id, delta }),
            ChangeKind::Delete { id, .. } => self.delete(&id),
            ChangeKind::Ddl(_) => unreachable!("there is none in these histories"),
        }
    }

    fn execute(&mut self, work: &LaneWork) {
        for CollectionWork { deletes, inserts, updates, ordered, .. } in &work.collections {
            deletes.iter().for_each(|id| self.delete(id));
            inserts.iter().for_each(|document| self.insert(document));
            updates.iter().for_each(|step| self.update(step));
            for step in ordered {
                match step {
                    OrderedStep::Insert { document } => self.insert(document),
                    OrderedStep::Update(step) => self.update(step),
                    OrderedStep::Delete { id } => self.delete(id),
                }
            }
        }
    }
}

/// One random decision: which document, what to do with it, in which form an insert gives its `_id`.
#[derive(Clone, Copy, Debug)]
struct Step {
    document: usize,
    action: u8,
    form: usize,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (0..DOCUMENTS, 0..8_u8, 0..4_usize).prop_map(|(document, action, form)| Step { document, action, form });
    proptest::collection::vec(step, 1..60)
}

fn change(number: usize, kind: ChangeKind) -> Change {
    let number = u32::try_from(number).expect("few");
    Change { position: ChangePosition::new(Optime::new(1, 1 + number / 3), number % 3), kind }
}

fn kind(action: u8, id: RawDocumentBuf, number: usize) -> ChangeKind {
    let number = i32::try_from(number).expect("few");
    match action {
        0 => ChangeKind::Insert { uuid: UUID, document: with_body(&id, number) },
        1 | 2 => ChangeKind::Delete { uuid: UUID, id },
        3 => ChangeKind::Replace { uuid: UUID, document: with_body(&id, number), id },
        _ => ChangeKind::Delta { uuid: UUID, id, delta: rawdoc! { "$v": 2, "n": number } },
    }
}

/// What a source would log: inserts where there is nothing, anything else where there is something. And its state after each.
fn history(steps: &[Step]) -> (Vec<Change>, Vec<Model>) {
    let mut states = vec![Model::default()];
    let mut changes = Vec::new();
    for (number, step) in steps.iter().enumerate() {
        let mut state = states.last().expect("begins with one").clone();
        let existing = state.0.get(&step.document).map(|document| document.id.clone());
        let kind = match existing {
            None => kind(0, id_document(step.document, step.form), number),
            Some(id) => kind(step.action.max(1), id, number),
        };
        state.apply(&kind);
        changes.push(change(number, kind));
        states.push(state);
    }
    (changes, states)
}

/// Applies the lanes of a round until one crashes: then the rest keep their checkpoints. Says whether all were applied.
fn execute(round: &Round, model: &mut Model, checkpoints: &mut [ChangePosition], lanes_alive: usize) -> bool {
    for (lane, work) in round.lanes.iter().enumerate().take(lanes_alive) {
        model.execute(work);
        checkpoints[lane] = round.checkpoints[lane];
    }
    lanes_alive >= round.lanes.len()
}

fn replay(changes: &[Change], model: &mut Model, limits: RoundLimits, mut crashes: Vec<usize>) {
    let mut checkpoints = vec![ChangePosition::default(); LANES];
    'process: loop {
        let mut builder = RoundBuilder::new(checkpoints.clone(), limits);
        let resumed = *checkpoints.iter().min().expect("there are lanes");
        let mut rounds: Vec<Round> = Vec::new();
        for change in changes.iter().filter(|change| change.position > resumed) {
            match builder.push(change.clone(), WriteOrder::ByDocument) {
                Some(Cut::Round(round)) => rounds.push(round),
                Some(Cut::Barrier { .. }) => unreachable!("there is no DDL"),
                None => {}
            }
        }
        rounds.extend(builder.take());
        for round in &rounds {
            if !execute(round, model, &mut checkpoints, crashes.pop().unwrap_or(LANES)) {
                continue 'process;
            }
        }
        return;
    }
}

#[test]
fn a_fuzzy_copy_ends_as_the_source() {
    let copied_at = proptest::collection::vec(any::<prop::sample::Index>(), DOCUMENTS);
    let crashes = proptest::collection::vec(0..6_usize, 0..10);
    let strategy = (steps(), copied_at, 1..12_usize, 40..400_usize, crashes);
    budget::check(&strategy, |(steps, copied_at, operations, bytes, crashes)| {
        let (changes, states) = history(&steps);
        let mut model = Model::default();
        for (document, at) in copied_at.iter().enumerate() {
            if let Some(copied) = at.get(&states).0.get(&document) {
                model.0.insert(document, copied.clone());
            }
        }
        replay(&changes, &mut model, RoundLimits { operations, bytes }, crashes);
        prop_assert_eq!(&model, states.last().expect("begins with one"));
        Ok(())
    });
}

#[test]
fn folded_work_does_what_its_changes_do_one_by_one() {
    budget::check(&(steps(), steps()), |(before, steps)| {
        let changes = |steps: &[Step]| -> Vec<Change> {
            let kinds =
                steps.iter().enumerate().map(|(n, step)| (n, kind(step.action, id_document(step.document, 0), n)));
            kinds.map(|(n, kind)| change(n, kind)).collect()
        };
        let mut one_by_one = Model::default();
        changes(&before).iter().for_each(|change| one_by_one.apply(&change.kind));
        let mut folded = one_by_one.clone();
        let mut fold = LaneFold::default();
        for change in changes(&steps) {
            one_by_one.apply(&change.kind);
            let key = IdKey::of_document(change.kind.target().expect("no DDL").1, WriteOrder::ByDocument);
            fold.fold(change, key);
        }
        let (operations, bytes) = (fold.operation_count(), fold.byte_count());
        let work = fold.take();
        folded.execute(&work);
        prop_assert_eq!(&folded, &one_by_one);
        prop_assert_eq!((operations, bytes), counted(&work));
        prop_assert_eq!(work.change_count, steps.len() as u64);
        Ok(())
    });
}

fn counted(work: &LaneWork) -> (usize, usize) {
    let length = |document: &RawDocumentBuf| document.as_bytes().len();
    let step_length = |step: &UpdateStep| match step {
        UpdateStep::Replace { id, document } => length(id) + length(document),
        UpdateStep::Delta { id, delta } => length(id) + length(delta),
    };
    work.collections.iter().fold((0, 0), |(operations, bytes), collection| {
        let ordered = collection.ordered.iter().map(|step| match step {
            OrderedStep::Insert { document } => length(document),
            OrderedStep::Update(step) => step_length(step),
            OrderedStep::Delete { id } => length(id),
        });
        let plain = collection.deletes.iter().chain(&collection.inserts).map(length);
        let lengths: Vec<usize> = plain.chain(collection.updates.iter().map(step_length)).chain(ordered).collect();
        (operations + lengths.len(), bytes + lengths.iter().sum::<usize>())
    })
}
