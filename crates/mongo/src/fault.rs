//! What kind of trouble an error of the driver is: a decision by kind, label and server code, without text matching.

use mongodb::error::{Error, ErrorKind, TRANSIENT_TRANSACTION_ERROR, WriteFailure};

/// The kinds that someone could act on differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No suitable server answered within the server selection timeout, or its name does not resolve.
    Unreachable,
    /// The user, the password or the mechanism was refused.
    AuthenticationRefused,
    /// The user may not do this.
    Unauthorized,
    /// The collection, found by name or by UUID, exists no more.
    CollectionGone,
    /// A cursor died: killed by a rename or drop, timed out, or overtaken by the oplog.
    CursorLost,
    /// An election, a shutdown or a broken connection.
    Interrupted,
    /// The transaction was aborted by the server and can be begun again.
    TransactionAborted,
    DuplicateKey,
    DiskFull,
    /// Writes are blocked by the destination's operator or service.
    WriteBlocked,
    /// The document fails the collection's validator.
    DocumentRefused,
    /// The write was applied but not confirmed by a majority.
    NotConfirmed,
    Other,
}

/// Classifies an error of the driver.
pub fn classify(error: &Error) -> Fault {
    match &*error.kind {
        ErrorKind::ServerSelection { .. } | ErrorKind::DnsResolve { .. } => Fault::Unreachable,
        ErrorKind::Authentication { .. } => Fault::AuthenticationRefused,
        ErrorKind::Io(_) | ErrorKind::ConnectionPoolCleared { .. } | ErrorKind::Shutdown => Fault::Interrupted,
        _ => match (code_of(error), error.contains_label(TRANSIENT_TRANSACTION_ERROR)) {
            (Some(code), transient) => match classify_code(code) {
                Fault::Other if transient => Fault::TransactionAborted,
                fault => fault,
            },
            (None, true) => Fault::TransactionAborted,
            (None, false) => Fault::Other,
        },
    }
}

/// Classifies the code of a command error, a write error or a write concern error.
pub fn classify_code(code: i32) -> Fault {
    match code {
        18 => Fault::AuthenticationRefused,
        // Unauthorized; AtlasError, by which the managed service refuses commands.
        13 | 8000 => Fault::Unauthorized,
        26 => Fault::CollectionGone,
        // CursorNotFound, CappedPositionLost, QueryPlanKilled, CursorKilled, SnapshotTooOld.
        43 | 136 | 175 | 237 | 239 => Fault::CursorLost,
        // HostUnreachable, HostNotFound, NetworkTimeout, ShutdownInProgress, PrimarySteppedDown, ExceededTimeLimit,
        // SocketException, NotWritablePrimary (three), Interrupted (three), NotPrimaryNoSecondaryOk, NotPrimaryOrSecondary,
        // ReadConcernMajorityNotAvailableYet, MaxTimeMSExpired of a wait for a cluster time, StaleTerm; an index build in the way
        // (BackgroundOperationInProgressForNamespace); KeyNotFound of a member that was just restarted and has not read the keys yet
        // that sign cluster times (seen on 6.0.5); TemporarilyUnavailable, the cache's lack of room outside of transactions; LockFailed
        // of a note while the global lock is held.
        12587 | 365 | 107 | 6 | 7 | 89 | 91 | 189 | 262 | 9001 | 10107 | 10058 | 11600 | 11601 | 11602 | 13435
        | 13436 | 134 | 50 | 202 | 211 => Fault::Interrupted,
        // WriteConflict, LockTimeout, NoSuchTransaction, SnapshotUnavailable, TransactionTooOld, TransactionTooLargeForCache,
        // TransactionExceededLifetimeLimitSeconds.
        112 | 24 | 251 | 246 | 225 | 388 | 290 => Fault::TransactionAborted,
        11000 | 11001 | 12582 => Fault::DuplicateKey,
        // OutOfDiskSpace; "error writing to file" of a sort that spills.
        14031 | 16821 => Fault::DiskFull,
        371 => Fault::WriteBlocked,
        121 => Fault::DocumentRefused,
        // WriteConcernFailed, UnsatisfiableWriteConcern.
        64 | 100 => Fault::NotConfirmed,
        _ => Fault::Other,
    }
}

/// The server's code, if a server spoke.
pub(crate) fn code_of(error: &Error) -> Option<i32> {
    match &*error.kind {
        ErrorKind::Command(command) => Some(command.code),
        ErrorKind::Write(WriteFailure::WriteError(write)) => Some(write.code),
        ErrorKind::Write(WriteFailure::WriteConcernError(concern)) => Some(concern.code),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Fault, classify, classify_code};

    #[test]
    fn codes_by_table() {
        let cases = [
            (26, Fault::CollectionGone),
            (175, Fault::CursorLost),
            (43, Fault::CursorLost),
            (136, Fault::CursorLost),
            (189, Fault::Interrupted),
            (10107, Fault::Interrupted),
            (211, Fault::Interrupted),
            (11000, Fault::DuplicateKey),
            (14031, Fault::DiskFull),
            (371, Fault::WriteBlocked),
            (121, Fault::DocumentRefused),
            (13, Fault::Unauthorized),
            (112, Fault::TransactionAborted),
            (388, Fault::TransactionAborted),
            (365, Fault::Interrupted),
            (107, Fault::Interrupted),
            (290, Fault::TransactionAborted),
            (2, Fault::Other),
        ];
        for (code, fault) in cases {
            assert_eq!(classify_code(code), fault, "{code}");
        }
    }

    #[test]
    fn a_broken_connection_is_an_interruption() {
        let reset = mongodb::error::Error::from(std::io::Error::from(std::io::ErrorKind::ConnectionReset));
        assert_eq!(classify(&reset), Fault::Interrupted);
    }
}
