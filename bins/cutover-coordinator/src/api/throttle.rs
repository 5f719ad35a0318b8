//! POST /api/v1/throttle: how fast the copy may be from now on. What is left out is not limited.

use axum::{
    body::Bytes,
    extract::State,
    response::{IntoResponse, Response},
};
use mongoferry_bus::key;
use mongoferry_protocol::Throttle;

use super::answers;
use crate::{board::Board, coordinator_error::CoordinatorError};

/// Recorded before it is answered, so it holds behind a restart too; `{}` lifts every limit.
pub async fn set(State(board): State<Board>, body: Bytes) -> Response {
    let throttle = if body.is_empty() { Ok(Throttle::default()) } else { serde_json::from_slice(&body) };
    let throttle: Throttle = match throttle {
        Ok(throttle) => throttle,
        Err(error) => return answers::not_understood(&error),
    };
    if !throttle.is_sound() {
        return answers::not_understood(&"a limit of 0 is none; POST /api/v1/pause lets the copy rest");
    }
    let Some(led) = board.led() else { return answers::standing_by() };
    let phase = led.status.borrow().phase;
    if phase.is_final() {
        return answers::refusal(&CoordinatorError::NotNow { command: "a throttle", phase });
    }
    match board.stage().bus.records().put(&key::throttle(), &throttle).await {
        Ok(_) => axum::Json(throttle).into_response(),
        Err(error) => answers::refusal(&error),
    }
}
