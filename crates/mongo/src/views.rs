//! Makes the destination's views equal to the source's. A view holds no data, so an unequal one is created anew.

use bson::{Document, RawDocumentBuf, doc};
use mongoferry_protocol::Namespace;

use crate::{
    catalog::CollectionInfo, connection::Cluster, create_collection::same_fields, error::MongoError, fenced::Fenced,
    index_builder::about_the_index, index_finalizer::FinalizationOutcome,
};

#[derive(Clone, Debug, PartialEq)]
enum ViewStep {
    Drop(Namespace),
    Create(Namespace, Document),
}

/// Creates what is missing, creates anew what differs, drops what the source does not have.
pub(crate) async fn finalize_views(
    destination: Fenced<'_>,
    source: &[CollectionInfo],
    standing: &[CollectionInfo],
    outcome: &mut FinalizationOutcome,
) -> Result<(), MongoError> {
    let steps = view_steps(&options(destination.cluster(), source)?, &options(destination.cluster(), standing)?);
    for step in steps {
        let (namespace, deed, result) = match step {
            ViewStep::Drop(namespace) => {
                let command = doc! {"drop": namespace.collection(), "writeConcern": {"w": "majority"}};
                (namespace.clone(), "dropped", destination.change(namespace.database(), command).await)
            }
            ViewStep::Create(namespace, options) => {
                let mut command = doc! {"create": namespace.collection()};
                command.extend(options);
                command.insert("writeConcern", doc! {"w": "majority"});
                (namespace.clone(), "created", destination.change(namespace.database(), command).await)
            }
        };
        match result {
            Ok(_) => outcome.done.push(format!("view {namespace}: {deed}")),
            Err(error) => outcome.problems.push(format!("view {namespace}: {}", about_the_index(error)?)),
        }
    }
    Ok(())
}

fn view_steps(wanted: &[(Namespace, Document)], standing: &[(Namespace, Document)]) -> Vec<ViewStep> {
    let is_equal_in = |list: &[(Namespace, Document)], view: &(Namespace, Document)| {
        list.iter().any(|other| other.0 == view.0 && same_fields(&other.1, &view.1))
    };
    let drops = standing.iter().filter(|view| !is_equal_in(wanted, view)).map(|view| ViewStep::Drop(view.0.clone()));
    let creates = wanted
        .iter()
        .filter(|view| !is_equal_in(standing, view))
        .map(|view| ViewStep::Create(view.0.clone(), view.1.clone()));
    drops.chain(creates).collect()
}

/// `viewOn`, `pipeline` and `collation` without the server's own collation version.
fn options(cluster: &Cluster, views: &[CollectionInfo]) -> Result<Vec<(Namespace, Document)>, MongoError> {
    let decode = |raw: &RawDocumentBuf| {
        let mut options = Document::try_from(raw.as_ref()).map_err(|e| cluster.unexpected("listCollections", e))?;
        if let Ok(collation) = options.get_document_mut("collation") {
            collation.remove("version");
        }
        Ok(options)
    };
    views.iter().map(|view| Ok((view.namespace.clone(), decode(&view.options)?))).collect()
}

#[cfg(test)]
mod tests {
    use bson::{Document, doc};
    use mongoferry_protocol::Namespace;

    use super::{ViewStep, view_steps};

    #[test]
    fn only_differences_are_touched() {
        let view = |name: &str, on: &str| -> (Namespace, Document) {
            (Namespace::new("d", name), doc! {"viewOn": on, "pipeline": []})
        };
        let wanted = [view("same", "a"), view("changed", "b"), view("missing", "a")];
        let standing = [view("same", "a"), view("changed", "a"), view("extra", "a")];
        let expected = [
            ViewStep::Drop(Namespace::new("d", "changed")),
            ViewStep::Drop(Namespace::new("d", "extra")),
            ViewStep::Create(Namespace::new("d", "changed"), wanted[1].1.clone()),
            ViewStep::Create(Namespace::new("d", "missing"), wanted[2].1.clone()),
        ];
        assert_eq!(view_steps(&wanted, &standing), expected);
    }
}
