//! The user: performs actions on the source, one after the other.

use std::sync::atomic::{AtomicI64, Ordering};

use bson::{Bson, Document, Timestamp, doc, raw::cstr};
use mongodb::{Client, ClientSession, error::ErrorKind};

use crate::{
    action::{Action, Statement},
    servers::Servers,
};

pub struct Player {
    client: Client,
    /// Sessions of its own: a session's numbers must grow, and the driver counts for its transactions.
    retrying: Client,
    prepared: Option<(ClientSession, Timestamp)>,
}

impl Player {
    pub fn new(servers: &Servers) -> Self {
        Self { client: servers.user.clone(), retrying: servers.retrying.clone(), prepared: None }
    }

    /// Says whether the server did it. What it refuses is not done; anything else that goes wrong panics.
    pub async fn perform(&mut self, action: &Action) -> Result<(), String> {
        match action {
            Action::Command(statement) => self.run(statement).await,
            Action::Retryable(statement) => self.retryable(statement).await,
            Action::Transaction { statements, commit } => self.transaction(statements, *commit).await,
            Action::Prepare { statements } => self.prepare(statements).await,
            Action::EndPrepared { commit } => {
                self.end_prepared(*commit).await;
                Ok(())
            }
        }
    }

    async fn run(&self, statement: &Statement) -> Result<(), String> {
        let reply = self.client.database(&statement.database).run_raw_command(statement.command.clone()).await;
        outcome(statement, reply)
    }

    async fn retryable(&self, statement: &Statement) -> Result<(), String> {
        static NUMBER: AtomicI64 = AtomicI64::new(1);
        let mut session = self.retrying.start_session().await.expect("a session");
        let mut command = statement.command.clone();
        command.append(cstr!("txnNumber"), NUMBER.fetch_add(1, Ordering::Relaxed));
        let database = self.retrying.database(&statement.database);
        outcome(statement, database.run_raw_command(command).session(&mut session).await)
    }

    async fn transaction(&self, statements: &[Statement], commit: bool) -> Result<(), String> {
        let mut session = self.begin(statements).await?;
        if commit {
            session.commit_transaction().await.map_err(|error| error.to_string())
        } else {
            session.abort_transaction().await.map_err(|error| error.to_string())
        }
    }

    async fn begin(&self, statements: &[Statement]) -> Result<ClientSession, String> {
        let mut session = self.client.start_session().await.expect("a session");
        session.start_transaction().await.expect("none is open");
        for statement in statements {
            let database = self.client.database(&statement.database);
            let reply = database.run_raw_command(statement.command.clone()).session(&mut session).await;
            if let Err(refused) = outcome(statement, reply) {
                let _ = session.abort_transaction().await;
                return Err(refused);
            }
        }
        Ok(session)
    }

    async fn prepare(&mut self, statements: &[Statement]) -> Result<(), String> {
        let mut session = self.begin(statements).await?;
        let admin = self.client.database("admin");
        let reply = admin.run_command(doc! { "prepareTransaction": 1 }).session(&mut session).await;
        let reply = reply.map_err(|error| error.to_string())?;
        let at = reply.get_timestamp("prepareTimestamp").expect("prepared at some time");
        self.prepared = Some((session, at));
        Ok(())
    }

    /// Documents of a prepared transaction that is still open can't be read by the copy.
    pub async fn end_prepared(&mut self, commit: bool) {
        let Some((mut session, at)) = self.prepared.take() else { return };
        let majority = doc! { "insert": "waited", "documents": [{}], "writeConcern": { "w": "majority" } };
        let waited = self.client.database("apart").run_command(majority).await;
        waited.expect("what was prepared has reached a majority");
        let command = if commit {
            doc! { "commitTransaction": 1, "commitTimestamp": Bson::Timestamp(at) }
        } else {
            doc! { "abortTransaction": 1 }
        };
        let ended = self.client.database("admin").run_command(command).session(&mut session).await;
        ended.expect("a prepared transaction can be ended");
    }
}

fn outcome(statement: &Statement, reply: mongodb::error::Result<Document>) -> Result<(), String> {
    match reply {
        Ok(reply) => match reply.get_array("writeErrors").ok().and_then(|errors| errors.first()) {
            Some(error) => Err(error.to_string()),
            None => Ok(()),
        },
        Err(error) => match *error.kind {
            ErrorKind::Command(_) | ErrorKind::Write(_) => Err(error.to_string()),
            _ => panic!("{:?} on {}: {error}", statement.command, statement.database),
        },
    }
}
