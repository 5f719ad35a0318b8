//! Puts transactions together: chains of partial entries, and prepared transactions that a later entry commits.
//!
//! Entries of other sessions may stand between those of a chain. Each part links back to the one before it, so a part that
//! was never captured is noticed.

use std::{borrow::Cow, collections::HashMap};

use bson::{RawDocument, RawDocumentBuf};
use mongoferry_protocol::Optime;

use crate::{Operation, OplogEntry, OplogError, element::find};

/// What feeding an entry to the assembler came to.
#[derive(Debug)]
pub enum Assembled<'a> {
    /// The entry is a part of a transaction whose outcome is not known yet, or ends one without effect.
    Nothing,
    /// These containers, the `o` of `applyOps` entries in order, take effect at the entry that was fed.
    Complete(Vec<Cow<'a, RawDocument>>),
}

/// Buffers parts of transactions. After a restart it must be fed from [`Self::oldest_open`] on.
#[derive(Debug, Default)]
pub struct TransactionAssembler {
    open: HashMap<TransactionId, OpenTransaction>,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct TransactionId {
    lsid: Vec<u8>,
    txn_number: i64,
}

#[derive(Debug)]
struct OpenTransaction {
    first: Optime,
    last: Optime,
    containers: Vec<RawDocumentBuf>,
}

impl TransactionAssembler {
    /// Takes the next entry whose command is `applyOps`, `commitTransaction` or `abortTransaction`. `applied` says that
    /// its changes, if it completes a transaction, are not wanted: then a part that was never captured is no error.
    pub fn feed<'a>(&mut self, entry: &OplogEntry<'a>, applied: bool) -> Result<Assembled<'a>, OplogError> {
        let operation = &entry.operation;
        match operation.command() {
            _ if entry.independent_members => Ok(whole(operation)),
            Some("applyOps") if flag(operation, "partialTxn")? || flag(operation, "prepare")? => self.buffer(entry),
            Some("applyOps") => self.complete(entry, Some(operation.o), applied),
            Some("commitTransaction") => self.complete(entry, None, applied),
            Some("abortTransaction") => {
                self.open.remove(&required_id(entry)?);
                Ok(Assembled::Nothing)
            }
            _ => Err(operation.malformed("it is no part of a transaction")),
        }
    }

    /// The first entry of the transactions whose outcome is not known yet.
    pub fn oldest_open(&self) -> Option<Optime> {
        self.open.values().map(|transaction| transaction.first).min()
    }

    fn buffer<'a>(&mut self, entry: &OplogEntry<'a>) -> Result<Assembled<'a>, OplogError> {
        let (id, optime, container) = (required_id(entry)?, entry.optime(), entry.operation.o.to_owned());
        match entry.previous {
            // A chain that is begun anew replaces what a primary that died left of it.
            None => {
                self.open.insert(id, OpenTransaction { first: optime, last: optime, containers: vec![container] });
            }
            Some(previous) => match self.open.get_mut(&id) {
                Some(open) if open.last == previous => {
                    open.last = optime;
                    open.containers.push(container);
                }
                // Its beginning was not captured. Whether that matters is known when it ends.
                Some(_) => drop(self.open.remove(&id)),
                None => {}
            },
        }
        Ok(Assembled::Nothing)
    }

    fn complete<'a>(
        &mut self,
        entry: &OplogEntry<'a>,
        container: Option<&'a RawDocument>,
        applied: bool,
    ) -> Result<Assembled<'a>, OplogError> {
        let open = transaction_id(entry).and_then(|id| self.open.remove(&id));
        let mut containers = match (entry.previous, open) {
            _ if applied => return Ok(Assembled::Nothing),
            (None, _) => Vec::new(),
            (Some(previous), Some(open)) if open.last == previous => {
                open.containers.into_iter().map(Cow::Owned).collect::<Vec<_>>()
            }
            (Some(previous), _) => return Err(OplogError::MissingTransactionPart { optime: entry.optime(), previous }),
        };
        containers.extend(container.map(Cow::Borrowed));
        Ok(Assembled::Complete(containers))
    }
}

fn whole<'a>(operation: &Operation<'a>) -> Assembled<'a> {
    Assembled::Complete(vec![Cow::Borrowed(operation.o)])
}

fn flag(operation: &Operation<'_>, name: &str) -> Result<bool, OplogError> {
    let element = find(operation.o, name).map_err(|_| operation.malformed("o is not BSON"))?;
    Ok(element.is_some_and(|element| element.truth()))
}

fn transaction_id(entry: &OplogEntry<'_>) -> Option<TransactionId> {
    let session = entry.session?;
    Some(TransactionId { lsid: session.lsid.as_bytes().to_vec(), txn_number: session.txn_number })
}

fn required_id(entry: &OplogEntry<'_>) -> Result<TransactionId, OplogError> {
    transaction_id(entry).ok_or_else(|| entry.operation.malformed("a part of a transaction has no session"))
}
