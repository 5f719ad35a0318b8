//! Which deletes during a cutover are no user's: documents that expire by an index of the source. Pure.

use mongoferry_oplog::{OplogEntry, deletes_without_session};
use mongoferry_protocol::PhaseRecord;

/// Of a cutover that is under way, behind the operator's word that writes have ended. Not of one that has failed: users may have
/// gone on writing, and what they delete looks alike.
pub fn is_expiry(record: &PhaseRecord, entry: &OplogEntry<'_>) -> bool {
    let Some(cutover) = record.cutover.as_ref().filter(|_| record.phase.is_cutover()) else { return false };
    cutover.confirmed_from.is_some_and(|confirmed_from| entry.optime() > confirmed_from)
        && deletes_without_session(entry).is_some_and(|collection| cutover.expiring.contains(&collection))
}
