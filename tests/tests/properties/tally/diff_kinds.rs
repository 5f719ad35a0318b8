//! The sections of a `$v: 2` delta.

use bson::{RawBsonRef, RawDocument};

/// Adds what `diff`, of a document or of an array, consists of.
pub fn diff_kinds(diff: &RawDocument, kinds: &mut Vec<String>) {
    let is_array = matches!(diff.get("a"), Ok(Some(RawBsonRef::Boolean(true))));
    for (name, value) in diff.iter().flatten() {
        let name = name.as_str();
        let kind = match (is_array, name) {
            (true, "a") => continue,
            (true, "l") => "array, shortened (l)",
            (true, _) if name.starts_with('u') => "array, element set (u)",
            (false, "d") => "field removed (d)",
            (false, "u") => "field set in place (u)",
            (false, "i") => "field appended (i)",
            _ => "part changed (s)",
        };
        kinds.push(format!("update $v:2, {kind}"));
        if let (true, Some(inner)) = (name.starts_with('s'), value.as_document()) {
            diff_kinds(inner, kinds);
        }
    }
}
