//! From raw oplog entries to changes: the one place that knows which entry means what.

use bson::RawDocument;
use mongoferry_protocol::{ChangePosition, Optime, StartPoint};

use crate::{
    Assembled, Change, OpKind, Operation, OplogEntry, OplogError, TransactionAssembler, dispatch, element::elements,
};

/// The server nests `applyOps` ten deep at most.
const DEEPEST_CONTAINER: usize = 10;

/// Decodes the entries of one oplog in order. Give it every entry that was captured, from the start point or from
/// [`Self::oldest_open`] on: it keeps back what is applied already.
#[derive(Debug)]
pub struct EntryDecoder {
    applied: ChangePosition,
    assembler: TransactionAssembler,
}

impl EntryDecoder {
    /// For a migration of which nothing is applied yet.
    pub fn new(start: StartPoint) -> Self {
        Self::resume(start, ChangePosition::default())
    }

    /// For a migration whose changes up to and including `applied` are all on the destination. Entries that hold no later
    /// change yield nothing; one that holds some is yielded whole.
    pub fn resume(start: StartPoint, applied: ChangePosition) -> Self {
        let applied = applied.max(ChangePosition::end_of(start.apply_after));
        Self { applied, assembler: TransactionAssembler::default() }
    }

    /// The changes that take effect at this entry, in order. A transaction is yielded whole, at the entry that commits it;
    /// until all its changes are applied, a restart needs [`Self::oldest_open`] as it was before this call.
    pub fn decode(&mut self, entry: &RawDocument) -> Result<Vec<Change>, OplogError> {
        let entry = OplogEntry::parse(entry)?;
        let applied = ChangePosition::end_of(entry.optime()) <= self.applied;
        let mut changes = Numbered { optime: entry.optime(), next: 0, changes: Vec::new() };
        if is_transaction_command(&entry.operation) {
            if let Assembled::Complete(containers) = self.assembler.feed(&entry, applied)?
                && !applied
            {
                for container in &containers {
                    changes.expand(&entry.operation, container, DEEPEST_CONTAINER)?;
                }
            }
        } else if !applied {
            changes.push(&entry.operation)?;
        }
        Ok(changes.changes)
    }

    /// The first entry of the transactions whose outcome is not known yet: where a restart must read from.
    pub fn oldest_open(&self) -> Option<Optime> {
        self.assembler.oldest_open()
    }
}

fn is_transaction_command(operation: &Operation<'_>) -> bool {
    operation.op == OpKind::Command
        && matches!(operation.command(), Some("applyOps" | "commitTransaction" | "abortTransaction"))
}

/// Numbers the operations of an entry, those without effect too, so that a position does not depend on what is ignored.
struct Numbered {
    optime: Optime,
    next: u32,
    changes: Vec<Change>,
}

impl Numbered {
    fn push(&mut self, operation: &Operation<'_>) -> Result<(), OplogError> {
        if let Some(kind) = dispatch::change_kind(operation)? {
            self.changes.push(Change { position: ChangePosition::new(self.optime, self.next), kind });
        }
        self.next += 1;
        Ok(())
    }

    fn expand(&mut self, entry: &Operation<'_>, container: &RawDocument, levels: usize) -> Result<(), OplogError> {
        let malformed = |what| OplogError::malformed(self.optime, entry.raw, what);
        let levels = levels.checked_sub(1).ok_or_else(|| malformed("applyOps is nested too deep"))?;
        let members = crate::element::find(container, "applyOps").ok().flatten().and_then(|members| members.document());
        for member in elements(members.ok_or_else(|| malformed("applyOps is no array"))?) {
            let member = member.ok().and_then(|member| member.document());
            let member =
                member.ok_or_else(|| OplogError::malformed(self.optime, entry.raw, "a member is no document"))?;
            let member = Operation::parse_member(member, self.optime)?;
            if member.op == OpKind::Command && member.command() == Some("applyOps") {
                self.expand(&member, member.o, levels)?;
            } else {
                self.push(&member)?;
            }
        }
        Ok(())
    }
}
