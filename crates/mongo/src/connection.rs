//! The connection to one cluster. Credentials go in and never come out again: neither `Debug` nor any error shows them.

mod named_primary;
mod watch_topology;

use std::{fmt, time::Duration};

use bson::{Document, RawDocumentBuf};
use mongodb::{
    Client, Database,
    options::{ClientOptions, ServerAddress},
};

use mongoferry_protocol::Reachability;

use crate::{
    connection_string::{hosts_label, malformed, syntax},
    error::{Cause, MongoError},
};

/// Cheap to clone; clones share the connection pool.
#[derive(Clone)]
pub struct Cluster {
    client: Client,
    label: String,
    reachability: Reachability,
    /// The one host that is asked.
    only_host: Option<String>,
}

impl Cluster {
    /// How long an unreachable cluster is waited for, unless the URI says otherwise.
    const SERVER_SELECTION_TIMEOUT: Duration = Duration::from_secs(10);

    /// How often members are looked at; one that is cut off without a word is noticed this and the connection timeout later.
    const LOOK_AT_MEMBERS: Duration = Duration::from_secs(5);

    /// Connects and waits until the primary answers. `app_name` shows up in the server's log and currentOp. Where the
    /// members' own names lead nowhere from here, but a named host is the primary, that host alone is used.
    pub async fn connect(uri: &str, app_name: &str) -> Result<Self, MongoError> {
        let cluster = Self::prepare(uri, None, app_name).await?;
        match cluster.command("admin", bson::doc! {"ping": 1}).await {
            Ok(_) => Ok(cluster),
            Err(error @ MongoError::Unreachable { .. }) => {
                cluster.shutdown().await;
                let found = named_primary::named_primary(uri, app_name).await.ok_or(error)?;
                tracing::warn!(host = found.label, "the members' own names lead nowhere; this host alone is used");
                Ok(found)
            }
            Err(error) => Err(error),
        }
    }

    /// Connects to the one server at `host` (as `host:port`), whatever it is, with everything else as the string says. For
    /// finding out why [`Self::connect`] failed: a standalone, another replica set, a set without a primary.
    pub async fn connect_member(uri: &str, host: &str, app_name: &str) -> Result<Self, MongoError> {
        let cluster = Self::prepare(uri, Some(host), app_name).await?;
        cluster.command("admin", bson::doc! {"ping": 1}).await?;
        Ok(cluster)
    }

    async fn prepare(uri: &str, only_host: Option<&str>, app_name: &str) -> Result<Self, MongoError> {
        let label = only_host.map_or_else(|| Ok(hosts_label(&syntax(uri)?)), |host| Ok(host.to_owned()))?;
        let mut options = match ClientOptions::parse(uri).await {
            Ok(options) => options,
            Err(error) if matches!(&*error.kind, mongodb::error::ErrorKind::InvalidArgument { .. }) => {
                return Err(malformed(uri, &error));
            }
            Err(error) => return Err(MongoError::of_driver(&label, "the DNS lookup", &error)),
        };
        options.app_name = Some(app_name.to_owned());
        if let Some(host) = only_host {
            options.hosts = vec![ServerAddress::parse(host).map_err(|error| malformed(uri, &error))?];
            options.direct_connection = Some(true);
            options.repl_set_name = None;
        }
        options.server_selection_timeout.get_or_insert(Self::SERVER_SELECTION_TIMEOUT);
        options.heartbeat_freq.get_or_insert(Self::LOOK_AT_MEMBERS);
        let reachability = Reachability::default();
        options.sdam_event_handler = Some(watch_topology::note(reachability.clone()));
        let client = Client::with_options(options).map_err(|error| malformed(uri, &error))?;
        Ok(Self { client, label, reachability, only_host: only_host.map(ToOwned::to_owned) })
    }

    /// The host that is used alone, because the other members' names (and its own) lead nowhere from here.
    pub fn only_host(&self) -> Option<&str> {
        self.only_host.as_deref()
    }

    /// `rs/host1,host2` of the connection string, without secrets.
    pub fn hosts_label(&self) -> &str {
        &self.label
    }

    /// Whether there is a primary to work with.
    pub fn reachability(&self) -> Reachability {
        self.reachability.clone()
    }

    /// Runs a command on the primary and returns its reply. What the primary has done and a majority has not confirmed is an error,
    /// though the reply says `ok`: an election may take it back. writeErrors inside such a reply are the caller's.
    pub async fn command(&self, database: &str, command: Document) -> Result<Document, MongoError> {
        let what = describe(&command, database);
        let replied = self.database(database).run_command(command).await;
        self.confirmed(&what, replied)
    }

    /// As [`Self::command`], for a command that is BSON already. `what` describes it in errors.
    pub async fn raw_command(
        &self,
        database: &str,
        command: RawDocumentBuf,
        what: &str,
    ) -> Result<Document, MongoError> {
        let replied = self.database(database).run_raw_command(command).await;
        self.confirmed(what, replied)
    }

    fn confirmed(&self, what: &str, replied: mongodb::error::Result<Document>) -> Result<Document, MongoError> {
        let reply = replied.map_err(|error| self.explain(what, &error))?;
        let Ok(unconfirmed) = reply.get_document("writeConcernError") else { return Ok(reply) };
        let code = unconfirmed.get_i32("code").unwrap_or(0);
        Err(MongoError::of_code(&self.label, what, code, unconfirmed.get_str("errmsg").unwrap_or_default()))
    }

    /// Closes the connections. To be called before the runtime ends: the driver's background tasks do not survive it.
    pub async fn shutdown(self) {
        self.client.shutdown().immediate(true).await;
        // Nobody misses it any more.
        self.reachability.found();
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    pub(crate) fn database(&self, name: &str) -> Database {
        self.client().database(name)
    }

    pub(crate) fn explain(&self, what: &str, error: &mongodb::error::Error) -> MongoError {
        MongoError::of_driver(&self.label, what, error)
    }

    pub(crate) fn lost_cursor(&self, what: &str, detail: &str) -> MongoError {
        let (cluster, what) = (self.label.clone(), what.to_owned());
        MongoError::CursorLost { cluster, what, cause: Cause::new(None, detail) }
    }

    pub(crate) fn interrupted(&self, what: &str, detail: &str) -> MongoError {
        let (cluster, what) = (self.label.clone(), what.to_owned());
        MongoError::Interrupted { cluster, what, cause: Cause::new(None, detail) }
    }

    pub(crate) fn not_confirmed(&self, what: &str, detail: &str) -> MongoError {
        let (cluster, what) = (self.label.clone(), what.to_owned());
        MongoError::NotConfirmed { cluster, what, cause: Cause::new(None, detail) }
    }

    pub(crate) fn unexpected(&self, what: &str, detail: impl fmt::Display) -> MongoError {
        MongoError::UnexpectedReply { cluster: self.label.clone(), what: what.to_owned(), detail: detail.to_string() }
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cluster({})", self.label)
    }
}

/// `listCollections on shop`: the command's first key and the database.
pub(crate) fn describe(command: &Document, database: &str) -> String {
    let name = command.keys().next().map_or("command", String::as_str);
    match command.get_str(name) {
        Ok(collection) => format!("{name} on {database}.{collection}"),
        Err(_) => format!("{name} on {database}"),
    }
}
