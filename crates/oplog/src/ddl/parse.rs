//! From an `op: "c"` entry to a [`Ddl`]. The command is the first field of `o`; an unknown one is an error.

use bson::RawDocumentBuf;
use mongoferry_protocol::Namespace;

use super::{Ddl, index_spec::portable_index_spec, refusals::refused_create_option};
use crate::{
    Operation, OplogError,
    element::{DocumentWriter, Element, elements},
    error::shown,
    system_collections::{Policy, policy},
};

/// The catalog change that `operation` makes; `None` where there is nothing to apply.
pub(crate) fn parse(operation: &Operation<'_>) -> Result<Option<Ddl>, OplogError> {
    let command = operation.command().ok_or_else(|| operation.malformed("a command has no name"))?;
    match command {
        "create" => on_collection(operation, create),
        "drop" => on_collection(operation, |operation, namespace| {
            Ok(Some(Ddl::Drop { uuid: operation.collection_uuid()?, namespace }))
        }),
        "dropDatabase" => Ok(Some(Ddl::DropDatabase { database: operation.database().to_owned() })),
        "renameCollection" => rename(operation).map(Some),
        "createIndexes" => on_collection(operation, create_index),
        "commitIndexBuild" => on_collection(operation, commit_index_build),
        "dropIndexes" | "deleteIndexes" => on_collection(operation, drop_index),
        "collMod" => on_collection(operation, coll_mod),
        // A build that began or failed changes nothing; one that succeeds is told by commitIndexBuild.
        "startIndexBuild" | "abortIndexBuild" => Ok(None),
        // A command of the server's own tests.
        "emptycapped" => Err(OplogError::unsupported(operation, "a capped collection was emptied by emptycapped")),
        _ => Err(OplogError::UnknownCommand {
            optime: operation.optime,
            command: command.to_owned(),
            entry: shown(operation.raw),
        }),
    }
}

type Parsed = Result<Option<Ddl>, OplogError>;

/// Resolves the collection that a command names in its first field and asks the policy for it.
fn on_collection<'a>(operation: &Operation<'a>, parse: impl Fn(&Operation<'a>, Namespace) -> Parsed) -> Parsed {
    let first = elements(operation.o).next().and_then(Result::ok).and_then(|first| first.text());
    let collection = first.ok_or_else(|| operation.malformed("a command names no collection"))?;
    let namespace = Namespace::new(operation.database(), collection);
    match policy(collection) {
        Policy::Migrate => parse(operation, namespace),
        Policy::Ignore => Ok(None),
        Policy::Refuse(reason) => Err(OplogError::unsupported_on(operation, &namespace, reason)),
    }
}

fn create(operation: &Operation<'_>, namespace: Namespace) -> Parsed {
    let mut options = DocumentWriter::new();
    for option in elements(operation.o).skip(1) {
        let option = option.map_err(|_| operation.malformed("o is not BSON"))?;
        match option.name {
            // Only inside a client's applyOps; an ordinary view is a document of system.views.
            b"viewOn" => return Ok(None),
            b"idIndex" | b"temp" => {}
            _ => match refused_create_option(&option) {
                Some(reason) => return Err(OplogError::unsupported_on(operation, &namespace, reason)),
                None => options.copy(&option),
            },
        }
    }
    let id_index = operation.field(operation.o, "idIndex")?.map(|spec| index_spec(operation, spec)).transpose()?;
    Ok(Some(Ddl::Create { uuid: operation.collection_uuid()?, namespace, options: options.finish(), id_index }))
}

fn rename(operation: &Operation<'_>) -> Result<Ddl, OplogError> {
    let from = namespace_field(operation, "renameCollection")?;
    let to = namespace_field(operation, "to")?;
    for side in [&from, &to] {
        if policy(side.collection()) != Policy::Migrate {
            return Err(OplogError::unsupported_on(operation, side, "system collections can't be migrated"));
        }
    }
    let drop_target = match operation.field(operation.o, "dropTarget")? {
        None => None,
        Some(target) if target.value == [0] => None,
        Some(target) => Some(target.uuid().ok_or_else(|| operation.malformed("dropTarget is not a UUID"))?),
    };
    Ok(Ddl::Rename { uuid: operation.collection_uuid()?, from, to, drop_target })
}

fn namespace_field(operation: &Operation<'_>, name: &str) -> Result<Namespace, OplogError> {
    let text = operation.field(operation.o, name)?.and_then(|field| field.text());
    let namespace = text.and_then(|text| text.parse().ok());
    namespace.ok_or_else(|| operation.malformed("a rename names no namespace"))
}

/// The spec stands beside the command's name.
fn create_index(operation: &Operation<'_>, namespace: Namespace) -> Parsed {
    let spec = rest_of_command(operation, &[])?;
    let specs = vec![portable_index_spec(&spec).map_err(|_| operation.malformed("an index spec is not BSON"))?];
    Ok(Some(Ddl::CreateIndexes { uuid: operation.collection_uuid()?, namespace, specs }))
}

fn commit_index_build(operation: &Operation<'_>, namespace: Namespace) -> Parsed {
    let indexes = operation.field(operation.o, "indexes")?.and_then(|indexes| indexes.document());
    let indexes = indexes.ok_or_else(|| operation.malformed("an index build has no indexes"))?;
    let specs = elements(indexes)
        .map(|spec| index_spec(operation, spec.map_err(|_| operation.malformed("indexes is not BSON"))?))
        .collect::<Result<_, _>>()?;
    Ok(Some(Ddl::CreateIndexes { uuid: operation.collection_uuid()?, namespace, specs }))
}

fn index_spec(operation: &Operation<'_>, spec: Element<'_>) -> Result<RawDocumentBuf, OplogError> {
    let spec = spec.document().ok_or_else(|| operation.malformed("an index spec is no document"))?;
    portable_index_spec(spec).map_err(|_| operation.malformed("an index spec is not BSON"))
}

fn drop_index(operation: &Operation<'_>, namespace: Namespace) -> Parsed {
    let name = operation.field(operation.o, "index")?.and_then(|name| name.text());
    let name = name.ok_or_else(|| operation.malformed("dropIndexes names no index"))?.to_owned();
    Ok(Some(Ddl::DropIndex { uuid: operation.collection_uuid()?, namespace, name }))
}

fn coll_mod(operation: &Operation<'_>, namespace: Namespace) -> Parsed {
    let options = rest_of_command(operation, &[b"index"])?;
    let index = operation.field(operation.o, "index")?.and_then(|index| index.document()).map(ToOwned::to_owned);
    if index.is_none() && elements(&options).next().is_none() {
        return Ok(None);
    }
    Ok(Some(Ddl::CollMod { uuid: operation.collection_uuid()?, namespace, options, index }))
}

/// The fields behind the command's name, without those `omitted`.
fn rest_of_command(operation: &Operation<'_>, omitted: &[&[u8]]) -> Result<RawDocumentBuf, OplogError> {
    let mut rest = DocumentWriter::new();
    for field in elements(operation.o).skip(1) {
        let field = field.map_err(|_| operation.malformed("o is not BSON"))?;
        if !omitted.contains(&field.name) {
            rest.copy(&field);
        }
    }
    Ok(rest.finish())
}
