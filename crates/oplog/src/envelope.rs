//! The envelope of an oplog entry: who, where, when; the payload stays raw. The order of its fields differs between
//! versions and is never relied on.

use bson::RawDocument;
use mongoferry_protocol::{CollectionUuid, Optime};

use crate::{
    OplogError,
    element::{Element, NotBson, elements, find},
    error::shown,
};

/// The field `op`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpKind {
    Insert,
    Update,
    Delete,
    Command,
    Noop,
}

/// What one entry, or one member of a transaction, does to one namespace.
#[derive(Clone, Copy, Debug)]
pub struct Operation<'a> {
    /// That of the entry; for a member of a transaction that of the entry which commits it.
    pub optime: Optime,
    /// The whole entry or member.
    pub raw: &'a RawDocument,
    pub op: OpKind,
    /// `database.collection`, `database.$cmd`, or nothing for most no-ops.
    pub ns: &'a str,
    pub ui: Option<CollectionUuid>,
    pub o: &'a RawDocument,
    pub o2: Option<&'a RawDocument>,
}

/// The session of a retryable write or of a transaction.
#[derive(Clone, Copy, Debug)]
pub struct Session<'a> {
    pub lsid: &'a RawDocument,
    pub txn_number: i64,
}

/// One document of `local.oplog.rs`.
#[derive(Clone, Copy, Debug)]
pub struct OplogEntry<'a> {
    pub operation: Operation<'a>,
    /// By the source's clock, in milliseconds since 1970.
    pub wall_ms: u64,
    pub session: Option<Session<'a>>,
    /// `prevOpTime.ts`, unless it is the null optime.
    pub previous: Option<Optime>,
    /// 8.0: members of `applyOps` that are independent writes, not a transaction; `previous` then links retryable writes.
    pub independent_members: bool,
}

#[derive(Default)]
struct Fields<'a> {
    ts: Option<Element<'a>>,
    op: Option<Element<'a>>,
    ns: Option<Element<'a>>,
    ui: Option<Element<'a>>,
    o: Option<Element<'a>>,
    o2: Option<Element<'a>>,
    wall: Option<Element<'a>>,
    lsid: Option<Element<'a>>,
    txn_number: Option<Element<'a>>,
    previous: Option<Element<'a>>,
    multi_op_type: Option<Element<'a>>,
}

impl<'a> OplogEntry<'a> {
    /// Reads the envelope of one document of `local.oplog.rs`.
    pub fn parse(raw: &'a RawDocument) -> Result<Self, OplogError> {
        let fields = Fields::read(raw).map_err(|_| OplogError::malformed(Optime::ZERO, raw, "it is not BSON"))?;
        let Some(optime) = fields.ts.and_then(|ts| ts.optime()) else {
            return Err(OplogError::malformed(Optime::ZERO, raw, "it has no ts"));
        };
        let wall = fields.wall.and_then(|wall| wall.date()).and_then(|date| u64::try_from(date).ok());
        Ok(Self {
            operation: fields.operation(raw, optime)?,
            wall_ms: wall.unwrap_or(u64::from(optime.t) * 1_000),
            session: fields.session(),
            previous: fields.previous_optime(),
            independent_members: fields.multi_op_type.and_then(|kind| kind.integer()) == Some(1),
        })
    }

    pub fn optime(&self) -> Optime {
        self.operation.optime
    }
}

impl<'a> Operation<'a> {
    /// Reads one member of the `applyOps` array of an entry that takes effect at `optime`.
    pub fn parse_member(raw: &'a RawDocument, optime: Optime) -> Result<Self, OplogError> {
        let fields = Fields::read(raw).map_err(|_| OplogError::malformed(optime, raw, "a member is not BSON"))?;
        fields.operation(raw, optime)
    }

    pub fn database(&self) -> &'a str {
        self.ns.split_once('.').map_or(self.ns, |(database, _)| database)
    }

    /// Behind the first dot; empty for most no-ops.
    pub fn collection(&self) -> &'a str {
        self.ns.split_once('.').map_or("", |(_, collection)| collection)
    }

    /// The name of a command: the first field of `o`.
    pub fn command(&self) -> Option<&'a str> {
        let first = elements(self.o).next()?.ok()?;
        std::str::from_utf8(first.name).ok()
    }

    pub(crate) fn malformed(&self, what: &'static str) -> OplogError {
        OplogError::malformed(self.optime, self.raw, what)
    }

    /// The field `name` of `document`, a part of this operation.
    pub(crate) fn field(&self, document: &'a RawDocument, name: &str) -> Result<Option<Element<'a>>, OplogError> {
        find(document, name).map_err(|_| self.malformed("a part is not BSON"))
    }

    pub(crate) fn collection_uuid(&self) -> Result<CollectionUuid, OplogError> {
        self.ui.ok_or_else(|| self.malformed("it has no ui"))
    }
}

impl<'a> Fields<'a> {
    fn read(raw: &'a RawDocument) -> Result<Self, NotBson> {
        let mut fields = Self::default();
        for element in elements(raw) {
            let element = element?;
            let field = match element.name {
                b"ts" => &mut fields.ts,
                b"op" => &mut fields.op,
                b"ns" => &mut fields.ns,
                b"ui" => &mut fields.ui,
                b"o" => &mut fields.o,
                b"o2" => &mut fields.o2,
                b"wall" => &mut fields.wall,
                b"lsid" => &mut fields.lsid,
                b"txnNumber" => &mut fields.txn_number,
                b"prevOpTime" => &mut fields.previous,
                b"multiOpType" => &mut fields.multi_op_type,
                _ => continue,
            };
            *field = Some(element);
        }
        Ok(fields)
    }

    fn operation(&self, raw: &'a RawDocument, optime: Optime) -> Result<Operation<'a>, OplogError> {
        let missing = |what| OplogError::malformed(optime, raw, what);
        let op = self.op.and_then(|op| op.text()).ok_or_else(|| missing("it has no op"))?;
        Ok(Operation {
            optime,
            raw,
            op: op_kind(op).ok_or_else(|| OplogError::UnknownOp { optime, op: op.to_owned(), entry: shown(raw) })?,
            ns: self.ns.and_then(|ns| ns.text()).ok_or_else(|| missing("it has no ns"))?,
            ui: self.ui.and_then(|ui| ui.uuid()),
            o: self.o.and_then(|o| o.document()).ok_or_else(|| missing("it has no o"))?,
            o2: self.o2.and_then(|o2| o2.document()),
        })
    }

    fn session(&self) -> Option<Session<'a>> {
        Some(Session { lsid: self.lsid?.document()?, txn_number: self.txn_number?.integer()? })
    }

    fn previous_optime(&self) -> Option<Optime> {
        let previous = find(self.previous?.document()?, "ts").ok()??.optime()?;
        (previous != Optime::ZERO).then_some(previous)
    }
}

fn op_kind(op: &str) -> Option<OpKind> {
    match op {
        "i" => Some(OpKind::Insert),
        "u" => Some(OpKind::Update),
        "d" => Some(OpKind::Delete),
        "c" => Some(OpKind::Command),
        "n" => Some(OpKind::Noop),
        _ => None,
    }
}
