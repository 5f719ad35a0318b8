//! Deletes that a TTL index may have done by itself.

use mongoferry_protocol::CollectionUuid;

use crate::{
    OpKind, OplogEntry,
    element::{elements, find},
};

/// The collection whose documents the entry deletes, if it does nothing else and no session of a driver did it. The server's own
/// deletes look like that: single ones up to 6.0, several in one applyOps from 6.1 on.
pub fn deletes_without_session(entry: &OplogEntry<'_>) -> Option<CollectionUuid> {
    if entry.session.is_some() {
        return None;
    }
    let operation = &entry.operation;
    match operation.op {
        OpKind::Delete => operation.ui,
        OpKind::Command if operation.command() == Some("applyOps") => {
            let members = find(operation.o, "applyOps").ok()??.document()?;
            let mut collections = elements(members).map(|member| {
                let member = member.ok()?.document()?;
                let is_delete = find(member, "op").ok()??.text() == Some("d");
                find(member, "ui").ok()??.uuid().filter(|_| is_delete)
            });
            let first = collections.next()??;
            collections.all(|collection| collection == Some(first)).then_some(first)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use bson::{Binary, Document, RawDocumentBuf, Timestamp, doc, spec::BinarySubtype};

    use super::deletes_without_session;
    use crate::OplogEntry;

    fn uuid(byte: u8) -> Binary {
        Binary { subtype: BinarySubtype::Uuid, bytes: vec![byte; 16] }
    }

    fn is_expiry(fields: Document) -> bool {
        let ts = Timestamp { time: 5, increment: 1 };
        let mut entry = doc! {"ts": ts, "t": 1_i64, "v": 2_i64, "wall": bson::DateTime::from_millis(1)};
        entry.extend(fields);
        let entry = RawDocumentBuf::try_from(&entry).expect("is BSON");
        deletes_without_session(&OplogEntry::parse(&entry).expect("is an entry")).is_some()
    }

    #[test]
    fn only_deletes_of_one_collection_without_a_session() {
        let delete = |byte| doc! {"op": "d", "ns": "a.b", "ui": uuid(byte), "o": {"_id": 1}};
        let insert = || doc! {"op": "i", "ns": "a.b", "ui": uuid(1), "o": {"_id": 1}};
        let apply = |members: Vec<Document>| doc! {"op": "c", "ns": "admin.$cmd", "o": {"applyOps": members}};
        assert!(is_expiry(delete(1)));
        assert!(!is_expiry(insert()));
        assert!(is_expiry(apply(vec![delete(1), delete(1)])));
        assert!(!is_expiry(apply(vec![delete(1), delete(2)])));
        assert!(!is_expiry(apply(vec![delete(1), insert()])));
        assert!(!is_expiry(apply(Vec::new())));
        let mut retryable = delete(1);
        retryable.extend(doc! {"lsid": {"id": uuid(9)}, "txnNumber": 1_i64});
        assert!(!is_expiry(retryable));
    }
}
