//! A BSON value as extended JSON, for people.

use bson::Bson;

/// Numbers are plain, other types as extended JSON names them: `{"$oid":"…"}`.
pub(crate) fn bson_text(value: &Bson) -> String {
    match value {
        // JSON has no such numbers.
        Bson::Double(number) if !number.is_finite() => format!(r#"{{"$numberDouble":"{number}"}}"#),
        _ => serde_json::to_string(value).unwrap_or_else(|_| value.to_string()),
    }
}
