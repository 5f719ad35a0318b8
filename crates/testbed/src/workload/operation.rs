//! What a writer does next: mostly inserts and updates, as applications do.

use rand::{RngExt, rngs::StdRng};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Insert,
    Update,
    ArrayChange,
    Replacement,
    Delete,
    Transaction,
    Swap,
}

impl Operation {
    pub(super) const ALL: [Self; 7] =
        [Self::Insert, Self::Update, Self::ArrayChange, Self::Replacement, Self::Delete, Self::Transaction, Self::Swap];

    pub(super) fn choose(rng: &mut StdRng) -> Self {
        match rng.random_range(0..100) {
            0..30 => Self::Insert,
            30..55 => Self::Update,
            55..72 => Self::ArrayChange,
            72..79 => Self::Replacement,
            79..87 => Self::Delete,
            87..96 => Self::Transaction,
            _ => Self::Swap,
        }
    }
}
