//! A cluster that is changed only as long as whoever changes it is meant to.
//!
//! A process that was stopped in the middle of its work, or whose work was taken back meanwhile, has changes in hand that would
//! hit what others have made since. It asks right before each of them.

use std::pin::Pin;

use bson::{Document, RawDocumentBuf};

use crate::{
    connection::{Cluster, describe},
    error::MongoError,
};

/// The answer: nobody else can act instead of us yet, and what we do is still wanted.
pub type Asking<'a> = Pin<Box<dyn Future<Output = bool> + Send + 'a>>;
pub type StillOurs<'a> = &'a (dyn Fn() -> Asking<'a> + Sync);

/// Cheap to copy. Reads need no leave.
#[derive(Clone, Copy)]
pub struct Fenced<'a> {
    cluster: &'a Cluster,
    still_ours: Option<StillOurs<'a>>,
}

impl<'a> Fenced<'a> {
    pub fn new(cluster: &'a Cluster, still_ours: StillOurs<'a>) -> Self {
        Self { cluster, still_ours: Some(still_ours) }
    }

    /// Where nobody else can act.
    pub fn alone(cluster: &'a Cluster) -> Self {
        Self { cluster, still_ours: None }
    }

    pub(crate) fn cluster(&self) -> &'a Cluster {
        self.cluster
    }

    /// Runs a command that changes something, if that is still ours to do.
    pub(crate) async fn change(&self, database: &str, command: Document) -> Result<Document, MongoError> {
        self.require_ours(&describe(&command, database)).await?;
        self.cluster.command(database, command).await
    }

    /// The same with a command of raw documents.
    pub(crate) async fn raw_change(
        &self,
        database: &str,
        command: RawDocumentBuf,
        what: &str,
    ) -> Result<Document, MongoError> {
        self.require_ours(what).await?;
        self.cluster.raw_command(database, command, what).await
    }

    /// An error if `what` is not ours to do any more.
    pub(crate) async fn require_ours(&self, what: &str) -> Result<(), MongoError> {
        if self.is_still_ours().await {
            return Ok(());
        }
        Err(MongoError::NoLongerOurs { cluster: self.cluster.hosts_label().to_owned(), what: what.to_owned() })
    }

    /// Whether a change would still be ours to make.
    pub async fn is_still_ours(&self) -> bool {
        match self.still_ours {
            Some(still_ours) => still_ours().await,
            None => true,
        }
    }
}
