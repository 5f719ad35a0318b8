//! Which entries of the oplog travel to the applier. What is dropped here still advances the optime of its batch.

use std::borrow::Cow;

use bson::RawDocument;
use mongoferry_protocol::Namespace;

use crate::{
    OpKind, Operation, OplogEntry,
    element::{elements, find},
};

/// What an entry is to the capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Relevance<'a> {
    /// Only advances the optime.
    Drop,
    /// The applier needs it, though it is not a user's change: it ends a transaction, or stops the migration.
    Keep,
    /// A user's change on a database that is migrated; with the namespace where the entry names one.
    Change { namespace: Option<Cow<'a, str>> },
}

/// Whether an entry belongs into a batch. Pure; decodes no more than the namespaces of a transaction's members.
pub fn relevance<'a>(entry: &OplogEntry<'a>) -> Relevance<'a> {
    let operation = &entry.operation;
    match operation.op {
        OpKind::Noop => Relevance::Drop,
        OpKind::Command => command_relevance(operation),
        OpKind::Insert | OpKind::Update | OpKind::Delete if changes_fcv(operation) => Relevance::Keep,
        OpKind::Insert | OpKind::Update | OpKind::Delete => data_relevance(operation),
    }
}

/// Whether this writes the document that holds the source's featureCompatibilityVersion.
pub(crate) fn changes_fcv(operation: &Operation<'_>) -> bool {
    let names_fcv = |document: &RawDocument| {
        let id = find(document, "_id").ok().flatten();
        id.and_then(|id| id.text()) == Some("featureCompatibilityVersion")
    };
    operation.op != OpKind::Noop
        && operation.ns == "admin.system.version"
        && (names_fcv(operation.o) || operation.o2.is_some_and(names_fcv))
}

fn command_relevance<'a>(operation: &Operation<'a>) -> Relevance<'a> {
    match operation.command() {
        Some("applyOps") => container_relevance(operation),
        Some("commitTransaction") => Relevance::Change { namespace: None },
        Some("abortTransaction") => Relevance::Keep,
        _ if Namespace::is_internal_database(operation.database()) => Relevance::Drop,
        _ => Relevance::Change { namespace: Some(commanded_namespace(operation)) },
    }
}

/// Containers are always kept, even those without a member of interest: they may be part of a chain.
fn container_relevance<'a>(operation: &Operation<'a>) -> Relevance<'a> {
    let members = find(operation.o, "applyOps").ok().flatten().and_then(|members| members.document());
    let change = members.and_then(|members| {
        elements(members).filter_map(Result::ok).find_map(|member| {
            let namespace = find(member.document()?, "ns").ok()??.text()?;
            let database = namespace.split_once('.').map_or(namespace, |(database, _)| database);
            // A nested applyOps names admin.$cmd; what is in it counts as a change without being looked into.
            (!Namespace::is_internal_database(database) || namespace == "admin.$cmd").then_some(namespace)
        })
    });
    change.map_or(Relevance::Keep, |namespace| Relevance::Change { namespace: Some(Cow::Borrowed(namespace)) })
}

fn data_relevance<'a>(operation: &Operation<'a>) -> Relevance<'a> {
    if Namespace::is_internal_database(operation.database()) || operation.collection() == "system.profile" {
        return Relevance::Drop;
    }
    Relevance::Change { namespace: Some(Cow::Borrowed(operation.ns)) }
}

/// `database.collection` of a command on a collection; `database.$cmd` of one on the database.
fn commanded_namespace<'a>(operation: &Operation<'a>) -> Cow<'a, str> {
    let first = elements(operation.o).next().and_then(Result::ok);
    match first.and_then(|first| Some((first.name, first.text()?))) {
        Some((b"renameCollection", from)) => Cow::Borrowed(from),
        Some((_, collection)) => Cow::Owned(format!("{}.{collection}", operation.database())),
        None => Cow::Borrowed(operation.ns),
    }
}
