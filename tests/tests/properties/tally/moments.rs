//! When, in the life of a document, it was copied.

use std::collections::{HashMap, HashSet};

use bson::{RawBsonRef, RawDocument, Timestamp};
use mongoferry_protocol::CollectionUuid;

use super::Copied;
use crate::piecemeal_copy::id_bytes;

/// A collection and the `_id` of one of its documents.
type DocumentName = (CollectionUuid, Vec<u8>);

/// The changes of every document in the captured oplog, in order, and the renames of collections.
#[derive(Default)]
pub struct DocumentChanges {
    changes: HashMap<DocumentName, Vec<(Timestamp, bool)>>,
    renamed: HashSet<(CollectionUuid, Timestamp)>,
}

impl DocumentChanges {
    pub fn note(&mut self, entry: &RawDocument) {
        if let Ok(at) = entry.get_timestamp("ts") {
            self.operation(entry, at);
        }
    }

    fn operation(&mut self, operation: &RawDocument, at: Timestamp) {
        let (Ok(op), Ok(o)) = (operation.get_str("op"), operation.get_document("o")) else { return };
        if let Ok(members) = o.get_array("applyOps") {
            members
                .into_iter()
                .flatten()
                .filter_map(RawBsonRef::as_document)
                .for_each(|member| self.operation(member, at));
        }
        let Some(collection) = uuid_of(operation) else { return };
        match op {
            "i" | "d" => self.change(collection, o, at, op == "d"),
            "u" => self.change(collection, operation.get_document("o2").unwrap_or(o), at, false),
            "c" if matches!(o.get("renameCollection"), Ok(Some(_))) => drop(self.renamed.insert((collection, at))),
            _ => {}
        }
    }

    fn change(&mut self, collection: CollectionUuid, document: &RawDocument, at: Timestamp, deletes: bool) {
        self.changes.entry((collection, id_bytes(document))).or_default().push((at, deletes));
    }

    pub fn moments_of(&self, copied: &Copied) -> Vec<&'static str> {
        let none = Vec::new();
        let changes = self.changes.get(&(copied.collection, copied.id.clone())).unwrap_or(&none);
        let (before, behind) = changes.split_at(changes.partition_point(|(at, _)| *at <= copied.at));
        let mut moments = vec![match (before.is_empty(), behind.is_empty()) {
            (true, true) => "of a document that did not change",
            (true, false) => "before the first change",
            (false, false) => "between two changes",
            (false, true) => "after the last change",
        }];
        if behind.last().is_some_and(|(_, deletes)| *deletes) {
            moments.push("before it was deleted");
        }
        if behind.iter().any(|(_, deletes)| *deletes) && behind.last().is_some_and(|(_, deletes)| !*deletes) {
            moments.push("before it was deleted and came again");
        }
        if self.renamed.iter().any(|(collection, at)| *collection == copied.collection && *at <= copied.at) {
            moments.push("after the collection was renamed");
        }
        moments
    }
}

fn uuid_of(operation: &RawDocument) -> Option<CollectionUuid> {
    let binary = operation.get_binary("ui").ok()?;
    binary.bytes.try_into().ok().map(CollectionUuid::from_bytes)
}
