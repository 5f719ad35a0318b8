//! The meaning of one operation, whether an entry of its own or a member of a transaction. Dispatches on `op` before anything
//! else: a no-op may carry a user's namespace and a whole document.

use bson::{RawDocument, RawDocumentBuf};
use mongoferry_protocol::Namespace;

use crate::{
    ChangeKind, OpKind, Operation, OplogError, ddl,
    element::{DocumentWriter, elements},
    selection::changes_fcv,
    system_collections::{Policy, policy},
};

/// The change that `operation` makes; `None` where there is nothing to apply. `applyOps` is not for this function.
pub(crate) fn change_kind(operation: &Operation<'_>) -> Result<Option<ChangeKind>, OplogError> {
    match operation.op {
        OpKind::Noop => Ok(None),
        _ if changes_fcv(operation) => {
            Err(OplogError::FcvChanged { optime: operation.optime, entry: crate::error::shown(operation.raw) })
        }
        _ if Namespace::is_internal_database(operation.database()) => Ok(None),
        OpKind::Command => Ok(ddl::parse(operation)?.map(ChangeKind::Ddl)),
        OpKind::Insert | OpKind::Update | OpKind::Delete => match policy(operation.collection()) {
            Policy::Migrate => document_change(operation).map(Some),
            Policy::Ignore => Ok(None),
            Policy::Refuse(reason) => Err(OplogError::unsupported(operation, reason)),
        },
    }
}

fn document_change(operation: &Operation<'_>) -> Result<ChangeKind, OplogError> {
    let uuid = operation.collection_uuid()?;
    match operation.op {
        OpKind::Insert => {
            id_of(operation, operation.o)?;
            Ok(ChangeKind::Insert { uuid, document: operation.o.to_owned() })
        }
        OpKind::Delete => Ok(ChangeKind::Delete { uuid, id: id_of(operation, operation.o)? }),
        OpKind::Update => {
            let key = operation.o2.ok_or_else(|| operation.malformed("an update has no o2"))?;
            let (id, body) = (id_of(operation, key)?, operation.o.to_owned());
            match update_form(operation)? {
                UpdateForm::Replacement => Ok(ChangeKind::Replace { uuid, id, document: body }),
                UpdateForm::Delta => Ok(ChangeKind::Delta { uuid, id, delta: body }),
            }
        }
        OpKind::Command | OpKind::Noop => Err(operation.malformed("it changes no document")),
    }
}

enum UpdateForm {
    Replacement,
    Delta,
}

/// As the server tells them apart: a document with `_id` is a replacement, and may then hold any `$` field as data (5.0 and
/// later); a delta never has `_id` and always `$v`.
fn update_form(operation: &Operation<'_>) -> Result<UpdateForm, OplogError> {
    let mut version = None;
    for element in elements(operation.o) {
        let element = element.map_err(|_| operation.malformed("o is not BSON"))?;
        match element.name {
            b"_id" => return Ok(UpdateForm::Replacement),
            b"$v" => version = Some(element.integer()),
            _ => {}
        }
    }
    match version {
        Some(Some(1 | 2)) => Ok(UpdateForm::Delta),
        Some(_) => Err(OplogError::unsupported(operation, "the update is of a version ($v) other than 1 and 2")),
        None => {
            Err(OplogError::unsupported(operation, "the update is neither a replacement nor of a known version ($v)"))
        }
    }
}

/// `{_id: value}`, byte for byte as in `document`.
fn id_of<'a>(operation: &Operation<'a>, document: &'a RawDocument) -> Result<RawDocumentBuf, OplogError> {
    let id = operation.field(document, "_id")?.ok_or_else(|| operation.malformed("its document has no _id"))?;
    let mut writer = DocumentWriter::new();
    writer.copy(&id);
    Ok(writer.finish())
}
