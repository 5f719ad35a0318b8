//! The series of the copier.

use std::time::Duration;

use metrics::{counter, describe_counter, describe_histogram, histogram};
use mongoferry_mongo::Inserted;

const DOCUMENTS: &str = "mongoferry_copier_documents_total";
const BYTES: &str = "mongoferry_copier_bytes_total";
const REPEATED: &str = "mongoferry_copier_repeated_documents_total";
const INSERT_SECONDS: &str = "mongoferry_copier_insert_seconds";

/// Describes every series and sets the counters to 0, so that they are there before anything happens.
pub fn describe() {
    describe_counter!(DOCUMENTS, "Documents written to the destination");
    describe_counter!(BYTES, "Bytes of the documents written");
    describe_counter!(REPEATED, "Documents that the destination had already: work repeated after an interruption");
    describe_histogram!(INSERT_SECONDS, "Time of one insert command, confirmed by a majority");
    for name in [DOCUMENTS, BYTES, REPEATED] {
        counter!(name).absolute(0);
    }
}

pub fn inserted(inserted: &Inserted, bytes: u64, took: Duration) {
    counter!(DOCUMENTS).increment(inserted.inserted + inserted.duplicates);
    counter!(BYTES).increment(bytes);
    counter!(REPEATED).increment(inserted.duplicates);
    histogram!(INSERT_SECONDS).record(took);
}
