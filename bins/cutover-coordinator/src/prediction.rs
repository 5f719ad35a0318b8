//! How long users would be without writes if the cutover began now. Pure: the parts, each by what was measured in this migration.

use std::collections::HashMap;

use mongoferry_mongo::{CutoverWork, IndexEffort, IndexWork};
use mongoferry_protocol::PredictedPart;

/// What was measured so far.
#[derive(Clone, Debug, Default)]
pub struct Measured {
    pub lag_ms: u64,
    /// Of each collection by its name.
    pub sizes: HashMap<String, Size>,
    /// Microseconds that one index took for one document, over all builds behind the copy.
    pub index_us_per_document: Option<f64>,
    /// Bytes a second of the whole copy.
    pub copy_rate: Option<f64>,
    /// Not verified ahead.
    pub bytes_to_compare: u64,
    pub verify: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    pub documents: u64,
    pub bytes: u64,
}

/// From the request until the note is seen and applied, and from step to step.
const STEPS_MS: u64 = 250;
/// Looking at a collection's metadata on both sides, twice.
const COLLECTION_MS: f64 = 1.0;
/// A command that sets a property, confirmed by a majority.
const SET_MS: u64 = 20;
/// Where no index was built so far; measured on two cores with documents of 1 KiB.
const INDEX_US_PER_DOCUMENT: f64 = 3.0;
/// Reading the keys of a standing index through, twice, against building it; measured likewise.
const READ_THROUGH_SHARE: f64 = 0.4;
/// Where nothing was copied so far: 50 MiB a second.
const COPY_RATE: f64 = 50.0 * 1_048_576.0;

/// Longest first.
pub fn predict(work: &CutoverWork, measured: &Measured) -> Vec<PredictedPart> {
    let rate = measured.copy_rate.unwrap_or(COPY_RATE);
    let mut parts = vec![
        part("apply what is left and pass from step to step", measured.lag_ms + STEPS_MS),
        part("compare options, indexes and views", (work.collections as f64 * COLLECTION_MS) as u64),
    ];
    parts.extend(work.indexes.iter().map(|index| index_part(index, measured)));
    parts.extend(work.to_cap.iter().map(|namespace| {
        let bytes = size(measured, &namespace.to_string()).bytes;
        part(&format!("copy {namespace} once more, to make it capped"), (bytes as f64 / rate * 1_000.0) as u64)
    }));
    if measured.verify && measured.bytes_to_compare > 0 {
        let ms = measured.bytes_to_compare as f64 / rate * 1_000.0;
        parts.push(part("compare documents that are not verified ahead", ms as u64));
    }
    parts.sort_by_key(|part| std::cmp::Reverse(part.ms));
    parts
}

fn index_part(index: &IndexWork, measured: &Measured) -> PredictedPart {
    let IndexWork { namespace, name, effort } = index;
    let documents = size(measured, &namespace.to_string()).documents as f64;
    let build_ms = documents * measured.index_us_per_document.unwrap_or(INDEX_US_PER_DOCUMENT) / 1_000.0;
    match effort {
        IndexEffort::Build => part(&format!("build index {name} of {namespace}"), build_ms as u64 + SET_MS),
        IndexEffort::ReadThrough => {
            part(&format!("make index {name} of {namespace} unique"), (build_ms * READ_THROUGH_SHARE) as u64 + SET_MS)
        }
        IndexEffort::Set => part(&format!("set properties of index {name} of {namespace}"), SET_MS),
    }
}

fn size(measured: &Measured, namespace: &str) -> Size {
    measured.sizes.get(namespace).copied().unwrap_or_default()
}

fn part(what: &str, ms: u64) -> PredictedPart {
    PredictedPart { what: what.to_owned(), ms }
}

#[cfg(test)]
mod tests {
    use mongoferry_protocol::Namespace;

    use super::*;

    #[test]
    fn each_part_is_what_was_measured_times_what_is_left() {
        let orders = Namespace::new("shop", "orders");
        let index = |name: &str, effort| IndexWork { namespace: orders.clone(), name: name.into(), effort };
        let work = CutoverWork {
            indexes: vec![
                index("a", IndexEffort::Build),
                index("b", IndexEffort::ReadThrough),
                index("c", IndexEffort::Set),
            ],
            to_cap: vec![orders.clone()],
            collections: 3,
        };
        let measured = Measured {
            lag_ms: 100,
            sizes: [("shop.orders".into(), Size { documents: 1_000_000, bytes: 10_000_000 })].into(),
            index_us_per_document: Some(2.0),
            copy_rate: Some(5_000_000.0),
            bytes_to_compare: 20_000_000,
            verify: true,
        };
        let shown: Vec<(String, u64)> =
            predict(&work, &measured).into_iter().map(|part| (part.what, part.ms)).collect();
        let expected = [
            ("compare documents that are not verified ahead", 4_000),
            ("build index a of shop.orders", 2_020),
            ("copy shop.orders once more, to make it capped", 2_000),
            ("make index b of shop.orders unique", 820),
            ("apply what is left and pass from step to step", 350),
            ("set properties of index c of shop.orders", 20),
            ("compare options, indexes and views", 3),
        ];
        assert_eq!(shown, expected.map(|(what, ms)| (what.to_owned(), ms)));
        let skipped = predict(&work, &Measured { verify: false, ..measured });
        assert_eq!(skipped.iter().map(|part| part.ms).sum::<u64>(), 2_020 + 2_000 + 820 + 350 + 20 + 3);
    }
}
