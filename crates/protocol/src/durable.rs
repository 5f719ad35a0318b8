//! The proof that a checkpoint may move.

/// The work behind this value outlives a crash: the destination's majority has it, or the bus has stored it.
///
/// Made only where a server has just confirmed that (`mongo`'s writers, `bus`'s batch publisher); demanded wherever
/// progress is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Durable<T>(T);

impl<T> Durable<T> {
    /// States that a server has confirmed the work behind `value` as durable.
    pub fn attest(value: T) -> Self {
        Self(value)
    }

    pub fn get(&self) -> &T {
        &self.0
    }

    pub fn into_inner(self) -> T {
        self.0
    }
}
