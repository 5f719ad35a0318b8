//! Index specs as they stand in the oplog, made fit for the `createIndexes` command of another server.

use bson::{RawDocument, RawDocumentBuf};

use crate::element::{DocumentWriter, NotBson, elements, kind};

/// Leaves out `ns` (servers before 4.4 write it, later ones refuse it) and the version within `collation` (that of the
/// source's ICU library; a server with another one refuses it).
pub(super) fn portable_index_spec(spec: &RawDocument) -> Result<RawDocumentBuf, NotBson> {
    let mut portable = DocumentWriter::new();
    for field in elements(spec) {
        let field = field?;
        match (field.name, field.document()) {
            (b"ns", _) => {}
            (b"collation", Some(collation)) => {
                portable.write(kind::DOCUMENT, b"collation", without(collation, b"version")?.as_bytes());
            }
            _ => portable.copy(&field),
        }
    }
    Ok(portable.finish())
}

fn without(document: &RawDocument, name: &[u8]) -> Result<RawDocumentBuf, NotBson> {
    let mut rest = DocumentWriter::new();
    for field in elements(document) {
        let field = field?;
        if field.name != name {
            rest.copy(&field);
        }
    }
    Ok(rest.finish())
}

#[cfg(test)]
mod tests {
    use bson::rawdoc;

    use super::portable_index_spec;

    #[test]
    fn what_binds_a_spec_to_its_server_is_left_out() {
        let spec = rawdoc! { "v": 2, "key": { "ns": 1 }, "name": "ns_1", "ns": "shop.orders",
        "collation": { "locale": "en", "version": "57.1", "strength": 2 } };
        let portable =
            rawdoc! { "v": 2, "key": { "ns": 1 }, "name": "ns_1", "collation": { "locale": "en", "strength": 2 } };
        assert_eq!(portable_index_spec(&spec), Ok(portable));
    }
}
