//! The series of the verifier.

use metrics::{counter, describe_counter};

use crate::fingerprint::BatchRead;

const DOCUMENTS: &str = "mongoferry_verifier_documents_total";
const BYTES: &str = "mongoferry_verifier_bytes_total";
const COLLECTIONS: &str = "mongoferry_verifier_collections_total";
const DIFFERENCES: &str = "mongoferry_verifier_differences_total";

/// Describes every series and sets it to 0, so that it is there before anything happens.
pub(crate) fn describe() {
    describe_counter!(DOCUMENTS, "Documents of the source read for comparing");
    describe_counter!(BYTES, "Bytes of those documents");
    describe_counter!(COLLECTIONS, "Collections compared");
    describe_counter!(DIFFERENCES, "Differences found");
    for name in [DOCUMENTS, BYTES, COLLECTIONS, DIFFERENCES] {
        counter!(name).absolute(0);
    }
}

pub(crate) fn compared(read: &BatchRead) {
    counter!(DOCUMENTS).increment(read.documents);
    counter!(BYTES).increment(read.bytes);
}

pub(crate) fn collection_done() {
    counter!(COLLECTIONS).increment(1);
}

pub(crate) fn differences(count: u64) {
    counter!(DIFFERENCES).increment(count);
}
