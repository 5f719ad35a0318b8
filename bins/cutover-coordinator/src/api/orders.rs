//! What an operator orders: a command on its way to the loop.

use axum::{body::Bytes, extract::State, response::Response};
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::sync::oneshot;

use super::answers;
use crate::{
    board::Board,
    command::{Command, CommitOrder, Request},
};

pub async fn order(State(board): State<Board>, command: Command) -> Response {
    let Some(led) = board.led() else { return answers::standing_by() };
    let (answer, answered) = oneshot::channel();
    if led.requests.send(Request { command, answer }).await.is_err() {
        return answers::ending();
    }
    match answered.await {
        Ok(Ok(())) => answers::success(),
        Ok(Err(error)) => answers::refusal(&error),
        Err(_) => answers::ending(),
    }
}

pub async fn commit(state: State<Board>, body: Bytes) -> Response {
    let request = if body.is_empty() { Ok(CommitOrder::default()) } else { serde_json::from_slice(&body) };
    match request {
        Ok(wanted) => order(state, Command::Commit(wanted)).await,
        Err(error) => answers::not_understood(&error),
    }
}

#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct VerifyRequest {
    /// Copy the documents that differ again.
    repair: bool,
}

/// What comes of it is the `comparison` of GET migration.
pub async fn verify(state: State<Board>, body: Bytes) -> Response {
    let request = if body.is_empty() { Ok(VerifyRequest::default()) } else { serde_json::from_slice(&body) };
    match request {
        Ok(VerifyRequest { repair }) => order(state, Command::Verify { repair }).await,
        Err(error) => answers::not_understood(&error),
    }
}
