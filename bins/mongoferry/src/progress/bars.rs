//! Progress on a terminal: the phase, the copy as a whole and by collection, the indexes, the lag.

use std::{collections::HashMap, time::Duration};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use mongoferry_protocol::{CollectionStatus, MigrationStatus, Phase};

use super::phrases::{copy_phrase, index_phrase, lag_phrase, standing_phrase};
use crate::amounts::{bytes_text, counted, percent};

/// More would push the rest off a small screen.
const COLLECTIONS_SHOWN: usize = 5;

pub struct Bars {
    all: MultiProgress,
    phase: ProgressBar,
    copy: ProgressBar,
    collections: HashMap<String, ProgressBar>,
    indexes: ProgressBar,
    lag: ProgressBar,
}

impl Bars {
    pub fn new() -> Self {
        let all = MultiProgress::new();
        let phase = all.add(ProgressBar::new_spinner().with_style(style("{spinner} {msg} {elapsed:.dim}")));
        phase.set_message("starting");
        phase.enable_steady_tick(Duration::from_millis(120));
        Self {
            all,
            phase,
            copy: unseen(style("  copy      [{bar:32}] {msg}").progress_chars("=> ")),
            collections: HashMap::new(),
            indexes: unseen(style("  indexes   {msg}")),
            lag: unseen(style("  oplog     {msg}")),
        }
    }

    pub fn say(&self, text: &str) {
        // Only a terminal that went away refuses, and then nobody reads it.
        let _ = self.all.println(text);
    }

    pub fn show(&mut self, status: &MigrationStatus) {
        self.phase.set_message(standing_phrase(status));
        let work = status.came_from.unwrap_or(status.phase);
        self.show_copy(status, work == Phase::Copying);
        let indexes = || index_phrase(status).unwrap_or_else(|| "none built yet".into());
        self.show_line(&self.indexes, (work == Phase::Copying).then(indexes));
        self.show_line(&self.lag, oplog_line(status, work));
    }

    pub fn clear(&self) {
        self.phase.disable_steady_tick();
        // Nothing is lost if the terminal is gone.
        let _ = self.all.clear();
        // Bars draw themselves a last time when they are dropped.
        self.all.set_draw_target(ProgressDrawTarget::hidden());
    }

    fn show_copy(&mut self, status: &MigrationStatus, copying: bool) {
        let shown = if copying { collections_shown(&status.collections) } else { Vec::new() };
        self.show_bar(&self.copy, copying.then(|| (status.bytes, status.bytes_total, copy_phrase(status))));
        self.collections.retain(|namespace, bar| {
            let stays = shown.iter().any(|collection| collection.namespace == *namespace);
            if !stays {
                bar.finish_and_clear();
                self.all.remove(bar);
            }
            stays
        });
        for collection in shown {
            let bar = self.collections.entry(collection.namespace.clone()).or_insert_with(|| {
                let template = style("    {prefix:26.dim} [{bar:24}] {msg}").progress_chars("=> ");
                let bar = ProgressBar::new(0).with_style(template).with_prefix(collection.namespace.clone());
                self.all.insert_after(&self.copy, bar)
            });
            bar.set_length(collection.bytes_total);
            bar.set_position(collection.bytes);
            bar.set_message(collection_phrase(collection));
        }
    }

    /// Adds the bar when there is something to show on it, and removes it when there is nothing more.
    fn show_bar(&self, bar: &ProgressBar, shown: Option<(u64, u64, String)>) {
        if let Some((position, length, text)) = shown {
            // A bar of length 0 is shown as full.
            bar.set_length(length.max(1));
            bar.set_position(position);
            self.show_line(bar, Some(text));
        } else {
            self.show_line(bar, None);
        }
    }

    fn show_line(&self, bar: &ProgressBar, text: Option<String>) {
        match text {
            Some(text) => {
                if bar.message().is_empty() {
                    self.all.add(bar.clone());
                }
                bar.set_message(text);
                bar.tick();
            }
            None if !bar.message().is_empty() => {
                bar.set_message("");
                self.all.remove(bar);
            }
            None => {}
        }
    }
}

/// A bar that draws nothing until it is added to the others.
fn unseen(style: ProgressStyle) -> ProgressBar {
    ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::hidden()).with_style(style)
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the template is well-formed")
}

fn oplog_line(status: &MigrationStatus, work: Phase) -> Option<String> {
    match work {
        Phase::Copying => Some(format!(
            "{} captured, {} kept on the bus",
            counted(status.entries_captured, "entry"),
            bytes_text(status.bus_bytes)
        )),
        Phase::CatchingUp | Phase::Ready | Phase::Draining => {
            Some(format!("{}, {} applied", lag_phrase(status), counted(status.changes_applied, "change")))
        }
        Phase::Verifying => Some(format!("{} compared", counted(status.verified_documents, "document"))),
        _ => None,
    }
}

/// The largest of those under way.
fn collections_shown(collections: &[CollectionStatus]) -> Vec<&CollectionStatus> {
    let under_way = |collection: &&CollectionStatus| !collection.complete && collection.bytes > 0;
    let mut shown: Vec<_> = collections.iter().filter(under_way).collect();
    shown.sort_by(|a, b| b.bytes_total.cmp(&a.bytes_total).then_with(|| a.namespace.cmp(&b.namespace)));
    shown.truncate(COLLECTIONS_SHOWN);
    shown
}

fn collection_phrase(collection: &CollectionStatus) -> String {
    format!(
        "{} % of {}, {}",
        percent(collection.bytes, collection.bytes_total),
        bytes_text(collection.bytes_total),
        counted(collection.documents, "document")
    )
}

#[cfg(test)]
mod tests {
    use super::collections_shown;
    use crate::status_text::example_collection;

    #[test]
    fn the_largest_under_way_are_shown_and_finished_ones_are_not() {
        let all = [("a", 1, 10), ("b", 90, 90), ("c", 1, 50), ("d", 0, 70)]
            .map(|(name, bytes, total)| example_collection(name, bytes, total));
        let names: Vec<_> = collections_shown(&all).into_iter().map(|shown| shown.namespace.as_str()).collect();
        assert_eq!(names, ["c", "a"]);
    }
}
