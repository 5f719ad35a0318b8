//! In which form an index of the source is built before the cutover. Pure.
//!
//! What could fail or delete while changes are replayed waits for the cutover: uniqueness and expiry. The kinds that a
//! half-replayed document may not fit are built all the same: it is rare, and then the index goes until the cutover.
//!
//! Below 6.0 no expiry is both allowed and harmless (the server takes no more than the seconds since 1970, so that older dates
//! would expire), and a plain index can't be given one later: there the index is built again at the cutover.

use bson::{Bson, Document, RawDocument, doc};

#[derive(Clone, Debug, PartialEq)]
pub enum IndexForm {
    /// To be built with this specification; `held_back` says what it lacks until the cutover.
    Build { spec: Document, held_back: Option<String> },
    /// To be built while finalizing, for this reason.
    Deferred { reason: String },
}

/// The forms of all indexes of a collection by name, in order, without `_id_`.
pub fn index_forms(source: &[impl AsRef<RawDocument>]) -> Result<Vec<(String, IndexForm)>, bson::error::Error> {
    let mut forms: Vec<(String, IndexForm)> = Vec::new();
    for index in source {
        let index = normalized(index.as_ref())?;
        if is_id_index(&index) {
            continue;
        }
        let name = index.get_str("name")?.to_owned();
        let form = match index_form(index) {
            IndexForm::Build { spec, .. } if forms.iter().any(|(_, other)| is_same_index(other, &spec)) => {
                IndexForm::Deferred {
                    reason: "another index of the same keys stands in its way until the cutover".into(),
                }
            }
            form => form,
        };
        forms.push((name, form));
    }
    Ok(forms)
}

/// A specification without what only old servers add.
pub(crate) fn normalized(index: &RawDocument) -> Result<Document, bson::error::Error> {
    let mut index = Document::try_from(index)?;
    index.remove("ns");
    Ok(index)
}

pub(crate) fn is_id_index(index: &Document) -> bool {
    index.get_document("key").is_ok_and(|key| key.len() == 1 && key.contains_key("_id") && key.get_str("_id").is_err())
}

fn index_form(spec: Document) -> IndexForm {
    let (spec, held_back) = before_cutover(spec);
    let held_back = (!held_back.is_empty()).then(|| format!("{} from the cutover on", held_back.join(" and ")));
    IndexForm::Build { spec, held_back }
}

/// The specification without uniqueness and expiry, and which of them it had.
pub(crate) fn before_cutover(mut spec: Document) -> (Document, Vec<&'static str>) {
    let mut held_back = Vec::new();
    if spec.remove("unique").is_some_and(|unique| truth(&unique)) {
        held_back.push("unique");
    }
    spec.remove("prepareUnique");
    if spec.remove("expireAfterSeconds").is_some() {
        held_back.push("expireAfterSeconds");
    }
    (spec, held_back)
}

/// What makes two indexes the same to createIndexes once their uniqueness is gone.
fn is_same_index(form: &IndexForm, spec: &Document) -> bool {
    matches!(form, IndexForm::Build { spec: other, .. } if is_same_beside_uniqueness(other, spec))
}

/// Whether createIndexes would take one for the other if neither were unique.
pub(crate) fn is_same_beside_uniqueness(other: &Document, spec: &Document) -> bool {
    ["key", "collation", "partialFilterExpression", "sparse"].iter().all(|field| spec.get(field) == other.get(field))
}

pub(crate) fn truth(value: &Bson) -> bool {
    match value {
        Bson::Boolean(flag) => *flag,
        Bson::Int32(number) => *number != 0,
        Bson::Int64(number) => *number != 0,
        Bson::Double(number) => *number != 0.0,
        _ => false,
    }
}

/// Says of an index without a collation that it is to have none, where the collection would give it its own.
pub(crate) fn with_own_collation(spec: &Document, collection_has_one: bool) -> Document {
    let mut spec = spec.clone();
    if collection_has_one && !spec.contains_key("collation") {
        spec.insert("collation", doc! {"locale": "simple"});
    }
    spec
}

/// The command that builds `specs` on `collection`, confirmed by a majority.
pub(crate) fn create_indexes(collection: &str, specs: &[Document]) -> Document {
    doc! {"createIndexes": collection, "indexes": specs.to_vec(), "writeConcern": {"w": "majority"}}
}

#[cfg(test)]
mod tests {
    use bson::{Document, RawDocumentBuf, doc};

    use super::{IndexForm, index_forms};

    fn forms(indexes: &[Document]) -> Vec<IndexForm> {
        let raw: Vec<RawDocumentBuf> =
            indexes.iter().map(|index| RawDocumentBuf::try_from(index).expect("valid")).collect();
        index_forms(&raw).expect("valid").into_iter().map(|(_, form)| form).collect()
    }

    fn built(spec: Document, held_back: Option<&str>) -> IndexForm {
        IndexForm::Build { spec, held_back: held_back.map(Into::into) }
    }

    #[test]
    fn forms_by_table() {
        let cases = [
            (
                doc! {"v": 2, "key": {"a": 1}, "name": "a_1", "ns": "d.c"},
                built(doc! {"v": 2, "key": {"a": 1}, "name": "a_1"}, None),
            ),
            (
                doc! {"v": 2, "key": {"a": 1}, "name": "a_1", "unique": true, "partialFilterExpression": {"a": {"$gt": 1}}},
                built(
                    doc! {"v": 2, "key": {"a": 1}, "name": "a_1", "partialFilterExpression": {"a": {"$gt": 1}}},
                    Some("unique from the cutover on"),
                ),
            ),
            (
                doc! {"key": {"t": 1}, "name": "t_1", "expireAfterSeconds": 60},
                built(doc! {"key": {"t": 1}, "name": "t_1"}, Some("expireAfterSeconds from the cutover on")),
            ),
            (
                doc! {"key": {"t": 1}, "name": "t_1", "expireAfterSeconds": 60, "unique": true},
                built(doc! {"key": {"t": 1}, "name": "t_1"}, Some("unique and expireAfterSeconds from the cutover on")),
            ),
            (
                doc! {"key": {"a": 1}, "name": "a_1", "hidden": true, "prepareUnique": true},
                built(doc! {"key": {"a": 1}, "name": "a_1", "hidden": true}, None),
            ),
            (doc! {"key": {"$**": 1}, "name": "all"}, built(doc! {"key": {"$**": 1}, "name": "all"}, None)),
        ];
        for (index, expected) in cases {
            assert_eq!(forms(std::slice::from_ref(&index)), [expected], "{index}");
        }
    }

    #[test]
    fn special_kinds_are_built_and_the_id_index_is_left_out() {
        for kind in ["hashed", "text", "2d", "2dsphere"] {
            let index = doc! {"key": {"a": 1, "b": kind}, "name": "x"};
            assert_eq!(forms(std::slice::from_ref(&index)), [built(index, None)], "{kind}");
        }
        assert!(forms(&[doc! {"v": 2, "key": {"_id": 1}, "name": "_id_"}]).is_empty());
        assert_eq!(forms(&[doc! {"key": {"_id": "hashed"}, "name": "h"}]).len(), 1);
    }

    #[test]
    fn two_that_become_one_are_not_both_built() {
        let plain = doc! {"key": {"a": 1}, "name": "plain"};
        let unique = doc! {"key": {"a": 1}, "name": "unique", "unique": true};
        let sparse = doc! {"key": {"a": 1}, "name": "sparse", "sparse": true};
        let forms = forms(&[plain, unique, sparse]);
        assert!(matches!(forms[0], IndexForm::Build { .. }));
        assert!(matches!(forms[1], IndexForm::Deferred { .. }));
        assert!(matches!(forms[2], IndexForm::Build { .. }));
    }
}
