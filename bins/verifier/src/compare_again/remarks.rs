//! What comparing again says beside the documents that differ. Pure.

use mongoferry_protocol::{Difference, Explain, Failure, Namespace, Phase, Remark};

fn remark(code: &str, message: String, hint: &str) -> Remark {
    Remark { code: code.into(), message, hint: hint.into() }
}

/// Of these collections nobody knows yet whether anything differs.
pub(super) fn at_cutover_alone(collections: &[Namespace]) -> Option<Remark> {
    let first = collections.first()?;
    let message = match collections.len() {
        1 => format!("{first} is compared at the cutover alone"),
        count => format!("{count} collections are compared at the cutover alone, {first} and others"),
    };
    let hint = "Nothing to do: capped and clustered collections, those with a collation of their own and time-series buckets can't \
        be read part by part while users write. What a cutover finds there can be repaired afterwards.";
    Some(remark("MF-VERIFY-5", message, hint))
}

/// Documents that a capped collection has too many, too few or elsewhere.
pub(super) fn order(namespace: &Namespace) -> Remark {
    let message = format!("the documents of the capped collection {namespace} can't be put in their order one by one");
    let hint = "Cut over (again): preparing it removes what the source has lost and, where the order differs, copies the \
        collection again in the source's order, once nobody writes to it.";
    remark("MF-VERIFY-6", message, hint)
}

/// A collection as a whole.
pub(super) fn collection(difference: &Difference) -> Remark {
    let message =
        format!("collection {} {}, and that can't be repaired by documents", difference.namespace, difference.detail);
    let hint = "Find out who dropped or made it on the destination. One that is too many can be dropped there by hand; for one that is \
        missing, begin a new migration.";
    remark("MF-VERIFY-7", message, hint)
}

pub(super) fn not_now(phase: Phase) -> Remark {
    let message = format!("comparing again was stopped, because the migration is {phase}");
    remark("MF-VERIFY-8", message, "Order it again once the migration is catching up or ready, if it is still wanted.")
}

pub(super) fn failed(error: &dyn Explain) -> Remark {
    remark("MF-VERIFY-9", format!("comparing again failed: {error} [{}]", error.code()), &error.hint())
}

/// The applier could not copy a portion again.
pub(super) fn refused(failure: &Failure) -> Remark {
    let causes: String = failure.causes.iter().map(|cause| format!(": {cause}")).collect();
    let message = format!("the applier did not copy documents again: {}{causes} [{}]", failure.message, failure.code);
    remark("MF-VERIFY-10", message, &failure.hint)
}
