//! Fields whose own order has no meaning, unlike that within their values. `Document` compares without regard to order at
//! any depth, so values are compared by their bytes.

use bson::{Bson, Document, RawDocumentBuf};

/// The same names with the same values.
pub(super) fn same_fields(one: &Document, other: &Document) -> bool {
    one.len() == other.len()
        && one.iter().all(|(name, value)| other.get(name).is_some_and(|other| same_value(value, other)))
}

pub(super) fn same_value(one: &Bson, other: &Bson) -> bool {
    bytes(one) == bytes(other)
}

fn bytes(value: &Bson) -> Vec<u8> {
    let field = Document::from_iter([(String::new(), value.clone())]);
    RawDocumentBuf::try_from(&field).expect("came out of a document").into_bytes()
}

#[cfg(test)]
mod tests {
    use bson::doc;

    use super::same_fields;

    #[test]
    fn order_counts_within_values_only() {
        let options = doc! { "validator": { "a": 1, "b": 1 }, "size": 5 };
        assert!(same_fields(&options, &doc! { "size": 5, "validator": { "a": 1, "b": 1 } }));
        assert!(!same_fields(&options, &doc! { "size": 5, "validator": { "b": 1, "a": 1 } }));
        assert!(!same_fields(&options, &doc! { "size": 5_i64, "validator": { "a": 1, "b": 1 } }));
        assert!(!same_fields(&options, &doc! { "size": 5 }));
    }
}
