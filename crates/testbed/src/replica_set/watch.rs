//! Waiting for what members say about themselves, by asking again until it is so.

use std::time::Duration;

use bson::{Document, doc};
use mongodb::{Client, options::ClientOptions};

use super::{Access, Member};
use crate::testbed_error::TestbedError;

const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(50);

/// A client of one member that gives up soon, so that asking again is cheap.
pub(super) async fn direct_client(uri: &str) -> Result<Client, TestbedError> {
    let mut options = ClientOptions::parse(uri).await.map_err(TestbedError::database("parse a connection string"))?;
    options.server_selection_timeout = Some(Duration::from_secs(2));
    options.connect_timeout = Some(Duration::from_secs(2));
    Client::with_options(options).map_err(TestbedError::database("connect"))
}

/// The member answers, whatever its state.
pub(super) async fn until_answering(member: &mut Member, access: &Access) -> Result<(), TestbedError> {
    until_member(member, access, "answering", |_| true).await
}

/// The member is primary or secondary.
pub(super) async fn until_member_ready(member: &mut Member, access: &Access) -> Result<(), TestbedError> {
    until_member(member, access, "primary or secondary", |hello| is_primary(hello) || is_secondary(hello)).await
}

/// Some running member takes writes, and the majority of the set confirms them.
pub(super) async fn until_primary(members: &mut [Member], access: &Access) -> Result<usize, TestbedError> {
    until_some(members, access, "led by a primary that takes writes", takes_writes).await
}

/// Some running member calls itself primary; all that can be asked before there is a user to log in as.
pub(super) async fn until_named_primary(members: &mut [Member], access: &Access) -> Result<usize, TestbedError> {
    until_some(members, access, "led by a primary", calls_itself_primary).await
}

async fn until_some(
    members: &mut [Member],
    access: &Access,
    wanted: &'static str,
    reached: impl AsyncFn(&Client) -> bool,
) -> Result<usize, TestbedError> {
    let clients = direct_clients(members, access).await?;
    let found = tokio::time::timeout(PATIENCE, async {
        loop {
            for (index, client) in clients.iter().enumerate() {
                if members[index].check_running()? && reached(client).await {
                    return Ok(index);
                }
            }
            tokio::time::sleep(POLL).await;
        }
    });
    found.await.unwrap_or_else(|_| Err(slow("replica set".into(), wanted)))
}

async fn direct_clients(members: &[Member], access: &Access) -> Result<Vec<Client>, TestbedError> {
    let mut clients = Vec::with_capacity(members.len());
    for member in members {
        clients.push(direct_client(&access.direct_uri(member.port())).await?);
    }
    Ok(clients)
}

async fn until_member(
    member: &mut Member,
    access: &Access,
    wanted: &'static str,
    reached: impl Fn(&Document) -> bool,
) -> Result<(), TestbedError> {
    let client = direct_client(&access.direct_uri(member.port())).await?;
    let waiting = tokio::time::timeout(PATIENCE, async {
        while member.check_running()? {
            if member.listens() && hello(&client).await.is_some_and(|hello| reached(&hello)) {
                break;
            }
            tokio::time::sleep(POLL).await;
        }
        Ok(())
    });
    waiting.await.unwrap_or_else(|_| Err(slow(member.name(), wanted)))
}

/// `isMaster`, since 4.2.6 has no `hello` yet. A paused member must not hold up the others.
async fn hello(client: &Client) -> Option<Document> {
    answer(client, doc! { "isMaster": 1 }, Duration::from_secs(2)).await
}

async fn calls_itself_primary(client: &Client) -> bool {
    hello(client).await.is_some_and(|hello| is_primary(&hello))
}

/// A primary may have been elected without a majority that follows it; `appendOplogNote` is the smallest write to show.
async fn takes_writes(client: &Client) -> bool {
    if !calls_itself_primary(client).await {
        return false;
    }
    let note = doc! {
        "appendOplogNote": 1,
        "data": { "testbed": "ready" },
        "writeConcern": { "w": "majority", "wtimeout": 2000 },
    };
    answer(client, note, Duration::from_secs(4)).await.is_some_and(|reply| !reply.contains_key("writeConcernError"))
}

async fn answer(client: &Client, command: Document, patience: Duration) -> Option<Document> {
    let admin = client.database("admin");
    tokio::time::timeout(patience, async { admin.run_command(command).await.ok() }).await.ok().flatten()
}

fn is_primary(hello: &Document) -> bool {
    hello.get_bool("ismaster").unwrap_or(false)
}

fn is_secondary(hello: &Document) -> bool {
    hello.get_bool("secondary").unwrap_or(false)
}

fn slow(server: String, wanted: &'static str) -> TestbedError {
    TestbedError::ServerSlow { server, wanted, waited: PATIENCE }
}
