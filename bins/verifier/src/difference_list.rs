//! Differences: all counted, the first listed.

use mongoferry_protocol::Difference;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DifferenceList {
    pub listed: Vec<Difference>,
    /// All of them; a lower bound where a collection differs in more documents than are worth naming.
    pub count: u64,
    limit: usize,
}

impl DifferenceList {
    /// Of one collection.
    pub const PER_COLLECTION: usize = 100;
    /// Of a whole verification.
    pub const IN_ALL: usize = 1_000;

    pub fn with_limit(limit: usize) -> Self {
        Self { listed: Vec::new(), count: 0, limit }
    }

    pub fn push(&mut self, difference: Difference) {
        self.count += 1;
        if self.listed.len() < self.limit {
            self.listed.push(difference);
        }
    }

    /// Counts differences that nobody looked at one by one.
    pub fn count_more(&mut self, count: u64) {
        self.count += count;
    }

    pub fn append(&mut self, other: Self) {
        let room = self.limit.saturating_sub(self.listed.len());
        self.listed.extend(other.listed.into_iter().take(room));
        self.count += other.count;
    }
}

#[cfg(test)]
mod tests {
    use mongoferry_protocol::{Difference, DifferenceKind};

    use super::DifferenceList;

    #[test]
    fn lists_some_and_counts_all() {
        let difference = Difference {
            kind: DifferenceKind::ExtraCollection,
            namespace: "a.b".into(),
            item: None,
            detail: String::new(),
        };
        let mut part = DifferenceList::with_limit(2);
        for _ in 0..3 {
            part.push(difference.clone());
        }
        let mut whole = DifferenceList::with_limit(3);
        whole.append(part.clone());
        whole.append(part);
        whole.count_more(4);
        assert_eq!((whole.listed.len(), whole.count), (3, 10));
    }
}
