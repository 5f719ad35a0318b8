//! Sizes and counts in servers' replies come as any of three number types.

use bson::{Bson, Document};

/// `None` for what is absent, no number, or negative.
pub(crate) fn number(document: &Document, key: &str) -> Option<u64> {
    match document.get(key)? {
        Bson::Int32(value) => u64::try_from(*value).ok(),
        Bson::Int64(value) => u64::try_from(*value).ok(),
        Bson::Double(value) if *value >= 0.0 => Some(*value as u64),
        _ => None,
    }
}
