//! Changes of the catalog, typed. Each is a barrier to the applier. What can't be migrated is refused here, with the entry.

mod index_spec;
mod parse;
mod refusals;

use bson::RawDocumentBuf;
use mongoferry_protocol::{CollectionUuid, Namespace};

pub(crate) use parse::parse;

/// A catalog change. UUIDs and namespaces are the source's.
#[derive(Clone, Debug, PartialEq)]
pub enum Ddl {
    /// `options` are those of the `create` command, without `temp`, which no client may set; `id_index` is the spec of
    /// the index on `_id`.
    Create {
        uuid: CollectionUuid,
        namespace: Namespace,
        options: RawDocumentBuf,
        id_index: Option<RawDocumentBuf>,
    },
    Drop {
        uuid: CollectionUuid,
        namespace: Namespace,
    },
    /// Comes after a `Drop` of each of its collections.
    DropDatabase {
        database: String,
    },
    /// Within one database. `drop_target` is the collection that had the name `to` and ceases to exist.
    Rename {
        uuid: CollectionUuid,
        from: Namespace,
        to: Namespace,
        drop_target: Option<CollectionUuid>,
    },
    /// Indexes whose build has finished; specs as the `createIndexes` command takes them, on any server.
    CreateIndexes {
        uuid: CollectionUuid,
        namespace: Namespace,
        specs: Vec<RawDocumentBuf>,
    },
    DropIndex {
        uuid: CollectionUuid,
        namespace: Namespace,
        name: String,
    },
    /// `options` are all fields of `collMod` but the collection's name and `index`; one of the two is not empty.
    CollMod {
        uuid: CollectionUuid,
        namespace: Namespace,
        options: RawDocumentBuf,
        index: Option<RawDocumentBuf>,
    },
}
