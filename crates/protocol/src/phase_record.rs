//! The phase as it stands in the bucket, with what the coordinator must remember across a restart.

use serde::{Deserialize, Serialize};

use crate::{CollectionUuid, Failure, Optime, Phase, PredictedPart, now_ms};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhaseEntered {
    pub phase: Phase,
    /// Milliseconds since 1970.
    pub at_ms: u64,
}

/// One attempt to cut over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CutoverRecord {
    /// From 1, one more with each attempt.
    pub number: u32,
    /// When the operator said that writes have ended: the write downtime begins.
    pub requested_at_ms: u64,
    /// Every user write precedes this optime: a note in the source's oplog written after the request, or, without the
    /// privilege for it, the source's last optime then. Unknown until it was taken.
    pub silent_from: Option<Optime>,
    /// The first of them: documents that expire by themselves put the other off, users' writes do not.
    #[serde(default)]
    pub confirmed_from: Option<Optime>,
    /// The source's collections whose documents expire by themselves, listed before the note.
    #[serde(default)]
    pub expiring: Vec<CollectionUuid>,
    /// When the destination had everything up to `silent_from`.
    pub drained_at_ms: Option<u64>,
    /// When users could write to the destination.
    pub committed_at_ms: Option<u64>,
    /// The operator goes without the indexes that the destination can't build.
    pub accept_missing_indexes: bool,
    /// Users wrote to the source behind the point of no return, and the operator goes without what they wrote.
    #[serde(default)]
    pub accept_source_writes: bool,
    /// The operator lets mongoferry block the writes of users on the source.
    #[serde(default)]
    pub block_writes: bool,
    /// When they were blocked.
    #[serde(default)]
    pub blocked_at_ms: Option<u64>,
    /// What the write downtime was predicted to be when it began, in milliseconds.
    #[serde(default)]
    pub predicted_ms: Option<u64>,
}

/// Which clusters' users mongoferry keeps from writing, as milliseconds since 1970. Recorded before a block is set and taken away
/// after it is lifted, so that a block that stands is never unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WriteBlocks {
    pub source_since_ms: Option<u64>,
    pub destination_since_ms: Option<u64>,
}

/// Changed by the coordinator alone, with compare-and-set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhaseRecord {
    pub phase: Phase,
    /// The phase that `paused`, `failed` or `expired` came from.
    pub came_from: Option<Phase>,
    /// The failure came during a pause, which is to go on once it is mended.
    #[serde(default)]
    pub failed_while_paused: bool,
    /// Every phase entered, oldest first.
    pub history: Vec<PhaseEntered>,
    pub failure: Option<Failure>,
    pub cutover: Option<CutoverRecord>,
    /// Why the last cutover was taken back.
    pub reverted: Option<String>,
    /// When keeping in step ends by itself, in milliseconds since 1970; set when the migration is ready for the first time.
    #[serde(default)]
    pub expires_at_ms: Option<u64>,
    #[serde(default)]
    pub write_blocks: WriteBlocks,
    /// Why users of the destination are not kept from writing there before the commit.
    #[serde(default)]
    pub unprotected: Option<String>,
    /// A cutover ended in a phase in which indexes are prepared, and what was prepared is not known to be undone yet.
    #[serde(default)]
    pub preparation_stands: bool,
    /// What the cutover would have been made of when a rehearsal ended.
    #[serde(default)]
    pub rehearsal: Option<Vec<PredictedPart>>,
}

impl PhaseRecord {
    pub fn created() -> Self {
        Self {
            phase: Phase::Created,
            came_from: None,
            failed_while_paused: false,
            history: vec![PhaseEntered { phase: Phase::Created, at_ms: now_ms() }],
            failure: None,
            cutover: None,
            reverted: None,
            expires_at_ms: None,
            write_blocks: WriteBlocks::default(),
            unprotected: None,
            preparation_stands: false,
            rehearsal: None,
        }
    }

    /// The record after entering `next`, or `None` if it may not follow.
    pub fn entering(&self, next: Phase) -> Option<Self> {
        if !self.phase.may_become(next) {
            return None;
        }
        let mut entered = self.clone();
        entered.came_from = match next {
            Phase::Paused | Phase::Failed | Phase::Expired => Some(match self.phase {
                resting @ (Phase::Paused | Phase::Failed) => self.came_from.unwrap_or(resting),
                phase => phase,
            }),
            _ => None,
        };
        if next != Phase::Failed {
            entered.failure = None;
        }
        if self.underlying() == Phase::Verifying && next.applies() {
            entered.preparation_stands = true;
        }
        entered.failed_while_paused = self.phase == Phase::Paused && next == Phase::Failed;
        entered.phase = next;
        entered.history.push(PhaseEntered { phase: next, at_ms: now_ms() });
        Some(entered)
    }

    /// The phase that work goes on in once the pause or failure ends; the phase itself otherwise.
    pub fn underlying(&self) -> Phase {
        self.came_from.unwrap_or(self.phase)
    }

    /// The oplog-tailer captures: also during a pause or a failure, but not once the time is up.
    pub fn captures(&self) -> bool {
        self.phase != Phase::Expired && self.underlying().captures()
    }

    /// When the present phase was entered, in milliseconds since 1970.
    pub fn entered_at_ms(&self) -> u64 {
        self.history.last().map_or(0, |entered| entered.at_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::PhaseRecord;
    use crate::Phase;

    #[test]
    fn a_pause_remembers_where_it_came_from() {
        let copying = PhaseRecord { phase: Phase::Copying, ..PhaseRecord::created() };
        let paused = copying.entering(Phase::Paused).expect("copying may pause");
        assert_eq!((paused.phase, paused.underlying()), (Phase::Paused, Phase::Copying));
        let resumed = paused.entering(paused.underlying()).expect("a pause ends");
        assert_eq!((resumed.phase, resumed.came_from), (Phase::Copying, None));
        assert!(copying.entering(Phase::Committed).is_none());
    }

    #[test]
    fn what_was_prepared_stands_until_it_is_undone() {
        let verifying = PhaseRecord { phase: Phase::Verifying, ..PhaseRecord::created() };
        let failed = verifying.entering(Phase::Failed).expect("verifying may fail");
        assert!(!failed.preparation_stands);
        for (from, next) in
            [(&verifying, Phase::CatchingUp), (&verifying, Phase::Draining), (&failed, Phase::CatchingUp)]
        {
            assert!(from.entering(next).expect("may be taken back").preparation_stands);
        }
        let draining = PhaseRecord { phase: Phase::Draining, ..PhaseRecord::created() };
        assert!(!draining.entering(Phase::CatchingUp).expect("may be taken back").preparation_stands);
    }

    #[test]
    fn capture_outlasts_a_pause_but_not_the_expiry() {
        let ready = PhaseRecord { phase: Phase::Ready, ..PhaseRecord::created() };
        assert!(ready.entering(Phase::Paused).expect("ready may pause").captures());
        let expired = ready.entering(Phase::Expired).expect("ready may expire");
        assert!(!expired.captures());
        assert!(expired.entering(Phase::CatchingUp).expect("may be extended").captures());
    }
}
