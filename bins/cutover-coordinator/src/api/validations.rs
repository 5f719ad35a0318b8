//! Validations on request: /api/v1/validations.

use axum::{
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use mongoferry_bus::{BusError, key};
use mongoferry_protocol::{Phase, Role, ValidationJob};
use schemars::JsonSchema;
use serde::Serialize;

use super::answers;
use crate::{board::Board, coordinator_error::CoordinatorError, validation_jobs};

#[derive(Serialize, JsonSchema)]
pub struct Validations {
    validations: Vec<ValidationJob>,
}

pub async fn request(State(board): State<Board>) -> Response {
    let Some(led) = board.led() else { return answers::standing_by() };
    let phase = led.status.borrow().phase;
    if !makes_sense(phase) {
        return answers::refusal(&CoordinatorError::NotNow { command: "a validation", phase });
    }
    if !led.liveness.is_alive(Role::Validator) {
        return answers::no_validator();
    }
    match validation_jobs::request(board.stage().bus.records()).await {
        Ok(job) => axum::Json(job).into_response(),
        Err(error) => answers::refusal(&error),
    }
}

/// The last one.
pub async fn list(State(board): State<Board>) -> Response {
    match last(&board).await {
        Ok(job) => axum::Json(Validations { validations: job.into_iter().collect() }).into_response(),
        Err(error) => answers::refusal(&error),
    }
}

pub async fn one(State(board): State<Board>, Path(id): Path<String>) -> Response {
    match last(&board).await {
        Ok(Some(job)) if job.id.to_string() == id => axum::Json(job).into_response(),
        Ok(_) => answers::no_such_validation(),
        Err(error) => answers::refusal(&error),
    }
}

async fn last(board: &Board) -> Result<Option<ValidationJob>, BusError> {
    let job = board.stage().bus.records().get(&key::validation_job()).await?;
    Ok(job.map(|job| job.value))
}

/// A cutover has better things to do, and behind the end there is nothing to validate for.
const fn makes_sense(phase: Phase) -> bool {
    !phase.is_final() && !matches!(phase, Phase::Draining | Phase::Verifying | Phase::Finalizing)
}
