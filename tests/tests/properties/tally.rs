//! What really came up: entries by the source's own oplog, moments by when documents were copied, faults by what they met.

mod diff_kinds;
mod entry_kinds;
mod moments;
mod required;

use std::{collections::BTreeMap, fmt::Write as _};

use bson::{RawDocumentBuf, Timestamp, doc};
use futures_util::TryStreamExt;
use mongodb::Client;
use mongoferry_protocol::CollectionUuid;

use crate::operations::Release;
use entry_kinds::kinds;
use moments::DocumentChanges;

/// A document that was copied, as it was right after the entry `at`.
pub struct Copied {
    pub collection: CollectionUuid,
    pub id: Vec<u8>,
    pub at: Timestamp,
}

#[derive(Default)]
pub struct Tally {
    entries: BTreeMap<String, u64>,
    moments: BTreeMap<&'static str, u64>,
    faults: BTreeMap<&'static str, u64>,
    /// By operation: actions done and refused, and a reason for a refusal.
    acts: BTreeMap<&'static str, (u64, u64, String)>,
    copied: Vec<Copied>,
    pub histories: u64,
}

impl Tally {
    pub fn act(&mut self, name: &'static str, outcome: Result<(), String>) {
        let (done, refused, reason) = self.acts.entry(name).or_default();
        match outcome {
            Ok(()) => *done += 1,
            Err(text) => {
                *refused += 1;
                *reason = text;
            }
        }
    }

    pub fn fault(&mut self, name: &'static str) {
        *self.faults.entry(name).or_default() += 1;
    }

    pub fn moment(&mut self, name: &'static str) {
        *self.moments.entry(name).or_default() += 1;
    }

    pub fn copied(&mut self, copied: Copied) {
        self.copied.push(copied);
    }

    /// Counts the entries that were captured of one history, and what they were to the documents copied in it.
    pub async fn count_oplog(&mut self, user: &Client, from: Timestamp) {
        self.count_oplog_of(user, from, |_| true).await;
    }

    /// The same of some databases only; transactions and what concerns no database count for each.
    pub async fn count_oplog_of(&mut self, user: &Client, from: Timestamp, wanted: impl Fn(&str) -> bool) {
        self.histories += 1;
        let oplog = user.database("local").collection::<RawDocumentBuf>("oplog.rs");
        let mut entries = oplog.find(doc! { "ts": { "$gte": from } }).await.expect("readable");
        let mut changes = DocumentChanges::default();
        while let Some(entry) = entries.try_next().await.expect("readable") {
            let database = entry.get_str("ns").unwrap_or_default().split('.').next().unwrap_or_default();
            if !wanted(database) && database != "admin" {
                continue;
            }
            for kind in kinds(&entry) {
                *self.entries.entry(kind).or_default() += 1;
            }
            changes.note(&entry);
        }
        for copied in std::mem::take(&mut self.copied) {
            changes.moments_of(&copied).into_iter().for_each(|moment| self.moment(moment));
        }
    }

    pub fn add(&mut self, other: Self) {
        let merge = |into: &mut BTreeMap<&'static str, u64>, from: BTreeMap<&'static str, u64>| {
            from.into_iter().for_each(|(name, count)| *into.entry(name).or_default() += count);
        };
        merge(&mut self.moments, other.moments);
        merge(&mut self.faults, other.faults);
        other.entries.into_iter().for_each(|(name, count)| *self.entries.entry(name).or_default() += count);
        for (name, (done, refused, reason)) in other.acts {
            let into = self.acts.entry(name).or_default();
            *into = (into.0 + done, into.1 + refused, if reason.is_empty() { into.2.clone() } else { reason });
        }
        self.histories += other.histories;
    }

    /// Whether there was an entry of a kind whose name begins so.
    pub fn has_entry(&self, kind: &str) -> bool {
        self.entries.keys().any(|name| name.starts_with(kind))
    }

    /// What histories of a source of this release should have met and did not.
    pub fn missing_entries(&self, release: Release) -> Vec<&'static str> {
        required::entries(release).filter(|name| !self.entries.contains_key(*name)).collect()
    }

    /// What all histories together should have met and did not.
    pub fn missing_events(&self) -> Vec<&'static str> {
        let moments = required::MOMENTS.iter().filter(|name| !self.moments.contains_key(*name));
        moments.chain(required::FAULTS.iter().filter(|name| !self.faults.contains_key(*name))).copied().collect()
    }

    pub fn table(&self) -> String {
        let mut table = String::new();
        let line = |table: &mut String, name: &str, count: u64| {
            writeln!(table, "  {count:>7}  {name}").expect("a string takes everything");
        };
        table.push_str("oplog entries\n");
        self.entries.iter().for_each(|(name, count)| line(&mut table, name, *count));
        table.push_str("documents copied, by moment\n");
        self.moments.iter().for_each(|(name, count)| line(&mut table, name, *count));
        table.push_str("faults\n");
        self.faults.iter().for_each(|(name, count)| line(&mut table, name, *count));
        table.push_str("actions done and refused, by operation\n");
        for (name, (done, refused, reason)) in &self.acts {
            let reason: String = if *done == 0 { reason.chars().take(150).collect() } else { String::new() };
            writeln!(table, "  {done:>7} {refused:>6}  {name} {reason}").expect("a string takes everything");
        }
        table
    }
}
