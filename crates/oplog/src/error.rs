//! Everything about an oplog entry, or a batch of them, that stops a migration. None of it passes by being tried again.

use bson::RawDocument;
use mongoferry_protocol::{Explain, Namespace, Optime, Retry};

use crate::{element::is_deeper_than, envelope::Operation};

/// How much of an entry an error shows.
const SHOWN_CHARS: usize = 2_000;
/// More than the server's limit of documents in one another, and little enough for the stack.
const DEEPEST_STORED: usize = 250;

#[derive(Debug, thiserror::Error)]
pub enum OplogError {
    #[error("the oplog entry at {optime} is not of the expected form: {what}; entry: {entry}")]
    Malformed { optime: Optime, what: &'static str, entry: String },
    #[error(
        "the oplog entry at {optime} has the operation type {op:?}, which this version does not know; entry: {entry}"
    )]
    UnknownOp { optime: Optime, op: String, entry: String },
    #[error("the oplog entry at {optime} is the command {command:?}, which this version does not know; entry: {entry}")]
    UnknownCommand { optime: Optime, command: String, entry: String },
    #[error("the oplog entry at {optime} on {namespace} is not supported: {reason}; entry: {entry}")]
    Unsupported { optime: Optime, namespace: String, reason: &'static str, entry: String },
    #[error("the source changes its featureCompatibilityVersion at {optime}; entry: {entry}")]
    FcvChanged { optime: Optime, entry: String },
    #[error("the transaction that ends at {optime} continues an entry at {previous} that was not captured")]
    MissingTransactionPart { optime: Optime, previous: Optime },
    #[error("the batch of oplog entries {first} to {last} is damaged: {what}")]
    BatchDamaged { first: Optime, last: Optime, what: &'static str },
}

impl Explain for OplogError {
    fn code(&self) -> &'static str {
        match self {
            Self::Malformed { .. } => "MF-ENTRY-1",
            Self::UnknownOp { .. } => "MF-ENTRY-2",
            Self::UnknownCommand { .. } => "MF-ENTRY-3",
            Self::Unsupported { .. } => "MF-ENTRY-4",
            Self::FcvChanged { .. } => "MF-ENTRY-5",
            Self::MissingTransactionPart { .. } => "MF-ENTRY-6",
            Self::BatchDamaged { .. } => "MF-ENTRY-7",
        }
    }

    fn hint(&self) -> String {
        match self {
            Self::Malformed { .. } | Self::UnknownOp { .. } | Self::UnknownCommand { .. } => {
                "Report this entry and the source's version: this version of mongoferry can't apply it and skips \
                nothing. The source is untouched. Cancel the migration with `mongoferry cancel`."
                    .into()
            }
            Self::Unsupported { namespace, .. } => format!(
                "Nothing was skipped: the destination ends before this entry. Cancel the migration with `mongoferry \
                cancel`, undo on the source what concerns {namespace}, and migrate again without such an operation \
                meanwhile."
            ),
            Self::FcvChanged { .. } => {
                "Cancel the migration with `mongoferry cancel`, let the upgrade or downgrade of the source finish, \
                then migrate again."
                    .into()
            }
            Self::MissingTransactionPart { .. } => {
                "The capture began inside this transaction. Cancel the migration with `mongoferry cancel` and start it \
                again; report it if it happens twice."
                    .into()
            }
            Self::BatchDamaged { .. } => {
                "Check the disk that holds the bus's store. Cancel the migration with `mongoferry cancel` and start it \
                again; nothing was applied from this batch."
                    .into()
            }
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Malformed { .. }
            | Self::UnknownOp { .. }
            | Self::UnknownCommand { .. }
            | Self::Unsupported { .. }
            | Self::FcvChanged { .. }
            | Self::MissingTransactionPart { .. }
            | Self::BatchDamaged { .. } => Retry::Never,
        }
    }
}

impl OplogError {
    pub(crate) fn malformed(optime: Optime, entry: &RawDocument, what: &'static str) -> Self {
        Self::Malformed { optime, what, entry: shown(entry) }
    }

    pub(crate) fn unsupported(operation: &Operation<'_>, reason: &'static str) -> Self {
        let namespace = operation.ns.to_owned();
        Self::Unsupported { optime: operation.optime, namespace, reason, entry: shown(operation.raw) }
    }

    pub(crate) fn unsupported_on(operation: &Operation<'_>, namespace: &Namespace, reason: &'static str) -> Self {
        let namespace = namespace.to_string();
        Self::Unsupported { optime: operation.optime, namespace, reason, entry: shown(operation.raw) }
    }
}

/// The entry as extended JSON, cut after [`SHOWN_CHARS`]; as bytes in hexadecimal if it is not BSON that a server could store.
pub(crate) fn shown(entry: &RawDocument) -> String {
    let json = (!is_deeper_than(entry, DEEPEST_STORED)).then(|| serde_json::to_string(&entry).ok()).flatten();
    let text = json.unwrap_or_else(|| hexadecimal(entry.as_bytes()));
    match text.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}… ({} bytes of BSON)", &text[..end], entry.as_bytes().len()),
        None => text,
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().take(SHOWN_CHARS).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use bson::rawdoc;

    use super::{SHOWN_CHARS, shown};

    #[test]
    fn an_entry_is_shown_as_extended_json_and_cut() {
        let entry = rawdoc! { "ts": bson::Timestamp { time: 7, increment: 1 }, "op": "zz" };
        assert_eq!(shown(&entry), r#"{"ts":{"$timestamp":{"t":7,"i":1}},"op":"zz"}"#);
        let long = shown(&rawdoc! { "o": "ü".repeat(3 * SHOWN_CHARS) });
        assert!(long.ends_with("bytes of BSON)") && long.chars().count() < SHOWN_CHARS + 40, "{long}");
    }
}
