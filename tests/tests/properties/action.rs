//! What a user of the source does, decided beforehand.

use bson::{Document, RawDocumentBuf};

/// A command and the database it is for.
#[derive(Clone, Debug)]
pub struct Statement {
    pub database: String,
    pub command: RawDocumentBuf,
}

#[derive(Clone, Debug)]
pub enum Action {
    /// What the server refuses is not done.
    Command(Statement),
    /// With a session and a number, as drivers send what may be sent twice.
    Retryable(Statement),
    Transaction {
        statements: Vec<Statement>,
        commit: bool,
    },
    /// Prepares a transaction, as a coordinator of several shards does, and leaves it open.
    Prepare {
        statements: Vec<Statement>,
    },
    /// Ends a transaction that was prepared, if there is one.
    EndPrepared {
        commit: bool,
    },
}

pub fn on(database: &str, command: Document) -> Statement {
    let command = RawDocumentBuf::try_from(&command).expect("a document");
    Statement { database: database.to_owned(), command }
}

pub fn command(database: &str, command: Document) -> Action {
    Action::Command(on(database, command))
}
