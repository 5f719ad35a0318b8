//! A transaction as a list of commands, done again as a whole until it is committed by a majority or can't be.

use std::time::{Duration, Instant};

use bson::{Document, RawDocumentBuf};
use mongodb::{
    ClientSession,
    error::{Error, TRANSIENT_TRANSACTION_ERROR, UNKNOWN_TRANSACTION_COMMIT_RESULT},
    options::WriteConcern,
};
use mongoferry_protocol::Namespace;

use super::make_room::ChoosyIndex;
use crate::{connection::Cluster, error::MongoError};

pub(crate) struct Statement {
    pub namespace: Namespace,
    pub command: RawDocumentBuf,
    /// Describes the command in errors.
    pub what: String,
    /// How many documents the command must match; if it is another number, the transaction is given up.
    pub must_match: Option<i64>,
    /// The number of the step that the first write of the command carries out; each further write carries out the next one.
    pub first_step: usize,
}

/// Why a transaction was not committed.
#[derive(Debug)]
pub(crate) enum NotCommitted {
    /// A statement did not match what it must.
    Fenced,
    Duplicate(MongoError),
    /// An index of this collection, of this kind, has no room for a document.
    Unindexable(Namespace, ChoosyIndex, MongoError),
    /// The server can't do this step exactly, or not on the document as it is on its way.
    Unfit(usize, MongoError),
    /// It can't succeed in one piece: it grew too large or took too long.
    TooLarge(MongoError),
    Failed(MongoError),
}

enum Attempt {
    Again(MongoError),
    Ended(NotCommitted),
}

/// An election takes seconds and is outlasted here; whatever takes longer is for a new process.
const PATIENCE: Duration = Duration::from_secs(60);
/// So often in vain is no coincidence: the server's cache has no room for so much at once, and what is smaller gets through.
const MOST_IN_ONE_PIECE: u32 = 6;
/// TransactionTooLargeForCache (6.0.5, 16 MiB in one document and a cache of 256 MiB that other lanes had filled) and
/// TransactionExceededLifetimeLimitSeconds (a server that stalled): of what can't be divided, they say that it is to be done again later.
const WANT_ROOM_OR_TIME: [i32; 2] = [388, 290];
/// The server aborts what is open for 60 s, and says no more than that it is gone.
const TOO_LONG: Duration = Duration::from_secs(45);
/// DollarPrefixedFieldName: 4.2 and 4.4 insert documents with such names inside, but no update of them passes. ConversionFailure:
/// a pipeline met what it can't leave as it is. 7693400: so did the server, telling what the pipeline changed. 17419 and 17420: the
/// document would grow too large, on its way.
const UNFIT: [i32; 5] = [52, 241, 17419, 17420, 7_693_400];
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// A session for one transaction at a time.
pub(crate) async fn transaction_session(cluster: &Cluster) -> Result<ClientSession, MongoError> {
    let session = cluster.client().start_session().causal_consistency(false).await;
    session.map_err(|error| cluster.explain("startSession", &error))
}

/// Runs the statements that `statements` makes, anew for each attempt. Returns how many attempts were in vain. What is `divisible`
/// is given up as too large earlier.
pub(crate) async fn transact<I>(
    cluster: &Cluster,
    session: &mut ClientSession,
    divisible: bool,
    statements: impl Fn() -> I,
) -> Result<u32, NotCommitted>
where
    I: Iterator<Item = Statement>,
{
    let (began, mut pause, mut in_vain) = (Instant::now(), FIRST_PAUSE, 0);
    loop {
        let attempt_began = Instant::now();
        let attempted = attempt(cluster, session, statements()).await;
        match attempted.map_err(|reason| reason.unless_it_may_pass(divisible)) {
            Ok(()) => return Ok(in_vain),
            Err(Attempt::Ended(reason)) => return Err(reason),
            Err(Attempt::Again(error)) if attempt_began.elapsed() > TOO_LONG => {
                return Err(NotCommitted::TooLarge(error));
            }
            Err(Attempt::Again(error @ MongoError::TransactionAborted { .. }))
                if divisible && in_vain >= MOST_IN_ONE_PIECE =>
            {
                return Err(NotCommitted::TooLarge(error));
            }
            Err(Attempt::Again(error)) if began.elapsed() > PATIENCE => return Err(NotCommitted::Failed(error)),
            Err(Attempt::Again(error)) => tracing::debug!(%error, "a transaction is done again"),
        }
        in_vain += 1;
        tokio::time::sleep(pause).await;
        pause = LONGEST_PAUSE.min(pause * 2);
    }
}

impl Attempt {
    /// Smaller pieces need less room and time; where there are none, it is tried again.
    fn unless_it_may_pass(self, divisible: bool) -> Self {
        match self {
            Self::Ended(NotCommitted::TooLarge(error))
                if !divisible && error.server_code().is_some_and(|code| WANT_ROOM_OR_TIME.contains(&code)) =>
            {
                Self::Again(error)
            }
            other => other,
        }
    }
}

async fn attempt(
    cluster: &Cluster,
    session: &mut ClientSession,
    statements: impl Iterator<Item = Statement>,
) -> Result<(), Attempt> {
    let started = session.start_transaction().write_concern(WriteConcern::majority()).await;
    started.map_err(|error| again_or_ended(cluster.explain("startTransaction", &error), &error))?;
    for statement in statements {
        if let Err(reason) = execute(cluster, session, statement).await {
            // It is over in any case; the server forgets it in time if this does not reach it.
            let _ = session.abort_transaction().await;
            return Err(reason);
        }
    }
    commit(cluster, session).await
}

async fn execute(cluster: &Cluster, session: &mut ClientSession, statement: Statement) -> Result<(), Attempt> {
    let Statement { namespace, command, what, must_match, first_step } = statement;
    let reply = cluster.database(namespace.database()).run_raw_command(command).session(session).await;
    let reply = reply.map_err(|error| again_or_ended(cluster.explain(&what, &error), &error))?;
    if let Some(error) = first_write_error(cluster, &what, &reply) {
        let code = error.server_code().unwrap_or(0);
        return Err(Attempt::Ended(match ChoosyIndex::of_code(code) {
            Some(kind) => NotCommitted::Unindexable(namespace, kind, error),
            None if UNFIT.contains(&code) => NotCommitted::Unfit(first_step + first_failed(&reply), error),
            None => ended(error),
        }));
    }
    match must_match {
        Some(count) if matched(&reply) != count => Err(Attempt::Ended(NotCommitted::Fenced)),
        _ => Ok(()),
    }
}

/// Repeats the commit until its outcome is known: the server tells one that it has carried out already from one that it
/// never will.
async fn commit(cluster: &Cluster, session: &mut ClientSession) -> Result<(), Attempt> {
    let (began, mut pause) = (Instant::now(), FIRST_PAUSE);
    loop {
        let Err(error) = session.commit_transaction().await else { return Ok(()) };
        let explained = cluster.explain("commitTransaction", &error);
        if error.contains_label(TRANSIENT_TRANSACTION_ERROR) {
            return Err(Attempt::Again(explained));
        }
        if !error.contains_label(UNKNOWN_TRANSACTION_COMMIT_RESULT) || began.elapsed() > PATIENCE {
            return Err(Attempt::Ended(ended(explained)));
        }
        tokio::time::sleep(pause).await;
        pause = LONGEST_PAUSE.min(pause * 2);
    }
}

fn again_or_ended(explained: MongoError, error: &Error) -> Attempt {
    let passes = matches!(
        explained,
        MongoError::Unreachable { .. } | MongoError::Interrupted { .. } | MongoError::TransactionAborted { .. }
    );
    match passes || error.contains_label(TRANSIENT_TRANSACTION_ERROR) {
        true if !is_too_large(&explained) => Attempt::Again(explained),
        _ => Attempt::Ended(ended(explained)),
    }
}

fn ended(error: MongoError) -> NotCommitted {
    match error {
        MongoError::DuplicateKey { .. } => NotCommitted::Duplicate(error),
        _ if is_too_large(&error) => NotCommitted::TooLarge(error),
        _ => NotCommitted::Failed(error),
    }
}

fn is_too_large(error: &MongoError) -> bool {
    /// TransactionTooLarge, TransactionExceededLifetimeLimitSeconds, TransactionTooLargeForCache, BSONObjectTooLarge.
    const TOO_LARGE: [i32; 4] = [257, 290, 388, 10334];
    error.server_code().is_some_and(|code| TOO_LARGE.contains(&code))
}

/// The first error inside a reply that is otherwise fine.
pub(crate) fn first_write_error(cluster: &Cluster, what: &str, reply: &Document) -> Option<MongoError> {
    let first = reply.get_array("writeErrors").ok().and_then(|errors| errors.first()?.as_document());
    let error = first.or_else(|| reply.get_document("writeConcernError").ok())?;
    let code = error.get_i32("code").unwrap_or(0);
    Some(MongoError::of_code(cluster.hosts_label(), what, code, error.get_str("errmsg").unwrap_or_default()))
}

/// Which write of a command failed first.
fn first_failed(reply: &Document) -> usize {
    let first = reply.get_array("writeErrors").ok().and_then(|errors| errors.first()?.as_document());
    first.and_then(|error| usize::try_from(error.get_i32("index").ok()?).ok()).unwrap_or(0)
}

/// How many documents a write command matched.
pub(crate) fn matched(reply: &Document) -> i64 {
    reply.get_i32("n").map_or(0, i64::from)
}

impl NotCommitted {
    /// The reason as an error; `fenced` stands for a transaction that was given up.
    pub(crate) fn into_error<E: From<MongoError>>(self, fenced: impl FnOnce() -> E) -> E {
        match self {
            Self::Fenced => fenced(),
            Self::Duplicate(error)
            | Self::Unindexable(_, _, error)
            | Self::Unfit(_, error)
            | Self::TooLarge(error)
            | Self::Failed(error) => error.into(),
        }
    }
}
