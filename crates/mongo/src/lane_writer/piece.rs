//! The steps of one transaction. Pure.

use std::borrow::Cow;

use mongoferry_protocol::Namespace;

use super::{CollectionSteps, WriteStep};

/// Some neighbouring steps on one collection; owned once they are no longer those that were asked for.
#[derive(Clone, Debug)]
pub(super) struct Part<'a> {
    pub collection: &'a CollectionSteps,
    pub steps: Cow<'a, [WriteStep]>,
}

impl<'a> Part<'a> {
    /// All steps on a collection.
    pub fn of(collection: &'a CollectionSteps) -> Self {
        Self { collection, steps: Cow::Borrowed(&collection.steps) }
    }

    pub fn namespace(&self) -> &'a Namespace {
        &self.collection.namespace
    }

    fn split(self, at: usize) -> (Self, Self) {
        let part = |steps| Self { collection: self.collection, steps };
        match self.steps {
            Cow::Borrowed(steps) => {
                let (before, behind) = steps.split_at(at);
                (part(Cow::Borrowed(before)), part(Cow::Borrowed(behind)))
            }
            Cow::Owned(mut before) => {
                let behind = before.split_off(at);
                (part(Cow::Owned(before)), part(Cow::Owned(behind)))
            }
        }
    }
}

pub(super) fn step_count(piece: &[Part<'_>]) -> usize {
    piece.iter().map(|part| part.steps.len()).sum()
}

/// The first and the second half of the steps; order is kept.
pub(super) fn halves<'a>(piece: Vec<Part<'a>>) -> (Vec<Part<'a>>, Vec<Part<'a>>) {
    let mut left = step_count(&piece) / 2;
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for part in piece {
        let at = left.min(part.steps.len());
        let (before, behind) = part.split(at);
        left -= before.steps.len();
        first.push(before);
        second.push(behind);
    }
    (first, second)
}

/// The part that holds a step, by the step's number in the piece, and its number there.
pub(super) fn place_of(piece: &[Part<'_>], mut step: usize) -> Option<(usize, usize)> {
    for (number, part) in piece.iter().enumerate() {
        if step < part.steps.len() {
            return Some((number, step));
        }
        step -= part.steps.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use bson::rawdoc;
    use mongoferry_protocol::{CollectionUuid, Namespace, WriteOrder};

    use super::{Part, halves, place_of, step_count};
    use crate::lane_writer::{CollectionSteps, WriteStep};

    fn collection(name: &str, ids: &[i32]) -> CollectionSteps {
        CollectionSteps {
            namespace: Namespace::new("shop", name),
            uuid: CollectionUuid::from_bytes([1; 16]),
            order: WriteOrder::default(),
            steps: ids.iter().map(|id| WriteStep::Delete { id: rawdoc! {"_id": *id} }).collect(),
        }
    }

    #[test]
    fn halves_keep_every_step_in_order() {
        let (a, b) = (collection("a", &[1, 2, 3]), collection("b", &[4, 5]));
        let (first, second) = halves(vec![Part::of(&a), Part::of(&b)]);
        assert_eq!((step_count(&first), step_count(&second)), (2, 3));
        assert_eq!(
            (&*first[0].steps, &*second[0].steps, &*second[1].steps),
            (&a.steps[..2], &a.steps[2..], &b.steps[..])
        );
    }

    #[test]
    fn a_step_is_found_by_its_number() {
        let (a, none, b) = (collection("a", &[1, 2]), collection("none", &[]), collection("b", &[3]));
        let piece = [Part::of(&a), Part::of(&none), Part::of(&b)];
        let places: Vec<_> = (0..4).map(|step| place_of(&piece, step)).collect();
        assert_eq!(places, [Some((0, 0)), Some((0, 1)), Some((2, 0)), None]);
    }
}
