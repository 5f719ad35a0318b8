//! What a run has to meet, lest it prove less than it says.

use crate::operations::{ALWAYS, Release};

/// The last release that is known.
const LATEST: Release = (u32::MAX, 0);

/// Names of kinds, with the first and the last release of a source that writes them.
const ENTRIES: &[(&str, Release, Release)] = &[
    ("no-op", ALWAYS, LATEST),
    ("no-op with an image of a document", ALWAYS, (5, 0)),
    ("entry with preImageOpTime", ALWAYS, (5, 0)),
    ("entry with needsRetryImage", (6, 0), LATEST),
    ("entry on an internal database", (4, 4), LATEST),
    ("insert", ALWAYS, LATEST),
    ("insert, fromMigrate", ALWAYS, (5, 0)),
    ("insert in system.views", ALWAYS, LATEST),
    ("delete", ALWAYS, LATEST),
    ("update, replacement", ALWAYS, LATEST),
    ("update $v:1", ALWAYS, (4, 4)),
    ("update $v:2", (5, 0), LATEST),
    ("update $v:2, field removed (d)", (5, 0), LATEST),
    ("update $v:2, field set in place (u)", (5, 0), LATEST),
    ("update $v:2, field appended (i)", (5, 0), LATEST),
    ("update $v:2, part changed (s)", (5, 0), LATEST),
    ("update $v:2, array, element set (u)", (5, 0), LATEST),
    ("document with duplicate names", ALWAYS, LATEST),
    ("transaction", ALWAYS, LATEST),
    ("transaction, part of a chain", ALWAYS, LATEST),
    ("transaction, end of a chain", ALWAYS, LATEST),
    ("transaction, prepared", (4, 4), LATEST),
    ("commitTransaction", (4, 4), LATEST),
    ("abortTransaction", (4, 4), LATEST),
    ("catalog change in a transaction", (4, 4), LATEST),
    ("create", ALWAYS, LATEST),
    ("create, validator", ALWAYS, LATEST),
    ("create, storageEngine", ALWAYS, LATEST),
    ("create, temp", ALWAYS, LATEST),
    ("create, changeStreamPreAndPostImages", (6, 0), LATEST),
    ("create, for $out or mapReduce", ALWAYS, LATEST),
    ("create, for a rename across databases", ALWAYS, LATEST),
    ("drop", ALWAYS, LATEST),
    ("dropDatabase", ALWAYS, LATEST),
    ("renameCollection", ALWAYS, LATEST),
    ("renameCollection, dropTarget", ALWAYS, LATEST),
    ("createIndexes", ALWAYS, LATEST),
    ("startIndexBuild", (4, 4), LATEST),
    ("commitIndexBuild", (4, 4), LATEST),
    ("abortIndexBuild", (4, 4), LATEST),
    ("dropIndexes", ALWAYS, LATEST),
    ("collMod of an index's expireAfterSeconds", ALWAYS, LATEST),
    ("collMod of an index's hidden", (4, 4), LATEST),
    ("collMod of an index's prepareUnique", (6, 0), LATEST),
    ("collMod of an index's unique", (6, 0), LATEST),
    ("collMod of validator", ALWAYS, LATEST),
    ("collMod of validationLevel", ALWAYS, LATEST),
    ("_id of type Int32", ALWAYS, LATEST),
    ("_id of type Int64", ALWAYS, LATEST),
    ("_id of type Double", ALWAYS, LATEST),
    ("_id of type Decimal128", ALWAYS, LATEST),
    ("_id of type String", ALWAYS, LATEST),
    ("_id of type Symbol", ALWAYS, LATEST),
    ("_id of type ObjectId", ALWAYS, LATEST),
    ("_id of type EmbeddedDocument", ALWAYS, LATEST),
    ("_id of type Binary", ALWAYS, LATEST),
    ("_id of type Null", ALWAYS, LATEST),
    ("_id of type Boolean", ALWAYS, LATEST),
    ("_id of type DateTime", ALWAYS, LATEST),
    ("_id of type Timestamp", ALWAYS, LATEST),
    ("_id of type JavaScriptCode", ALWAYS, LATEST),
    ("_id of type DbPointer", ALWAYS, LATEST),
    ("_id of type MinKey", ALWAYS, LATEST),
    ("_id of type MaxKey", ALWAYS, LATEST),
    ("value of type Array", ALWAYS, LATEST),
    ("value of type Undefined", ALWAYS, LATEST),
    ("value of type RegularExpression", ALWAYS, LATEST),
    ("value of type JavaScriptCodeWithScope", ALWAYS, LATEST),
    ("value of type DbPointer", ALWAYS, LATEST),
    ("value of type Symbol", ALWAYS, LATEST),
];

pub fn entries(release: Release) -> impl Iterator<Item = &'static str> {
    ENTRIES.iter().filter(move |(_, first, last)| (*first..=*last).contains(&release)).map(|(name, ..)| *name)
}

/// In which documents are copied, as seen from the oplog.
pub const MOMENTS: &[&str] = &[
    "of a document that did not change",
    "before the first change",
    "between two changes",
    "after the last change",
    "before it was deleted",
    "after the collection was renamed",
    "the collection was gone",
];

pub const FAULTS: &[&str] = &["kill with work left", "sleep through a takeover", "kill of the tailer"];
