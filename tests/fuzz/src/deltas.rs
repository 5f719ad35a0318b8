//! The delta of an update, the `o` of its entry.

use bson::RawDocument;
use mongoferry_oplog::{is_difference, update_modifiers, update_pipeline};

pub fn deltas(bytes: &[u8]) {
    let Ok(delta) = RawDocument::from_bytes(bytes) else { return };
    let _ = (update_modifiers(delta), update_pipeline(delta), is_difference(delta));
}
