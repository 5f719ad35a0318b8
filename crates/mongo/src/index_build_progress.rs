//! How far the destination is with building indexes, by its own count.

use bson::{Document, doc};
use mongoferry_protocol::Namespace;

use crate::{connection::Cluster, error::MongoError};

/// What the server says of the builds of this collection's indexes, such as `scanning collection, 42 %`; `None` while it says nothing, or
/// to a user without the privilege `inprog`. From 4.4 on; what was before is not to be asked while it builds. It counts anew in each part of the work: scanning, inserting keys, draining.
pub async fn index_build_progress(destination: &Cluster, namespace: &Namespace) -> Result<Option<String>, MongoError> {
    // A thread of the server's own, which carries a copy of the command.
    let command = doc! {
        "currentOp": true, "command.createIndexes": namespace.collection(), "command.$db": namespace.database(),
        "progress.total": {"$gt": 0},
    };
    match destination.command("admin", command).await {
        Ok(reply) => {
            Ok(reply.get_array("inprog").ok().and_then(|all| all.iter().find_map(|one| told(one.as_document()?))))
        }
        Err(MongoError::Unauthorized { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// `Index Build: scanning collection Index Build: scanning collection: 420/1000 42%` says everything twice.
fn told(operation: &Document) -> Option<String> {
    let progress = operation.get_document("progress").ok()?;
    let number = |name| progress.get(name).and_then(|value| value.as_i64().or(value.as_i32().map(i64::from)));
    let (done, total) = (number("done")?, number("total")?);
    let message = operation.get_str("msg").unwrap_or_default();
    let doing = message.rsplit("Index Build: ").next().unwrap_or_default();
    let doing = doing.split([':', '(']).next().unwrap_or_default().trim();
    let percent = (done.clamp(0, total) * 100).checked_div(total)?;
    Some(format!("{}, {percent} %", if doing.is_empty() { "building" } else { doing }))
}

#[cfg(test)]
mod tests {
    use bson::doc;

    use super::told;

    #[test]
    fn the_part_of_the_work_and_how_far_it_is() {
        let operation = doc! {
            "msg": "Index Build: scanning collection Index Build: scanning collection: 420/1000 42%",
            "progress": {"done": 420, "total": 1000_i64},
        };
        assert_eq!(told(&operation).as_deref(), Some("scanning collection, 42 %"));
        let inserting = "Index Build: inserting keys from external sorter into index Index Build: inserting keys from external sorter \
            into index: 7/10 70%";
        let operation = doc! {"msg": inserting, "progress": {"done": 7_i64, "total": 10_i64}};
        assert_eq!(told(&operation).as_deref(), Some("inserting keys from external sorter into index, 70 %"));
        assert_eq!(told(&doc! {"progress": {"done": 3, "total": 2}}).as_deref(), Some("building, 100 %"));
        assert_eq!(told(&doc! {"msg": "waiting"}), None);
    }
}
