//! Some of a fingerprint's buckets: the part of a collection that is looked at again.

/// Chosen by the hash of the `_id`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Selection {
    chosen: Vec<bool>,
}

impl Selection {
    /// Every document.
    pub(crate) fn everything() -> Self {
        Self { chosen: vec![true] }
    }

    pub(crate) fn of(bucket_count: usize, buckets: &[usize]) -> Self {
        let mut chosen = vec![false; bucket_count];
        for &bucket in buckets {
            chosen[bucket] = true;
        }
        Self { chosen }
    }

    pub(crate) fn contains(&self, id_hash: u64) -> bool {
        self.chosen[bucket_of(id_hash, self.chosen.len())]
    }
}

/// With counts that divide one another, the buckets of the larger one refine those of the smaller.
pub(crate) fn bucket_of(id_hash: u64, bucket_count: usize) -> usize {
    (id_hash % bucket_count as u64) as usize
}
