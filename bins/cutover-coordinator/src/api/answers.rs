//! The form of answers that are no data.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use mongoferry_protocol::Explain;
use schemars::JsonSchema;
use serde::Serialize;

/// Carried out, or so already.
#[derive(Serialize, JsonSchema)]
pub struct Done {
    success: bool,
    error: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Refusal {
    success: bool,
    /// The code, such as `MF-API-2`.
    error: String,
    error_description: String,
    hint: String,
}

pub fn success() -> Response {
    Json(Done { success: true, error: None }).into_response()
}

pub fn refusal(error: &dyn Explain) -> Response {
    failure(StatusCode::CONFLICT, error.code(), &error.to_string(), &error.hint())
}

pub fn failure(status: StatusCode, code: &str, description: &str, hint: &str) -> Response {
    let refusal =
        Refusal { success: false, error: code.into(), error_description: description.into(), hint: hint.into() };
    (status, Json(refusal)).into_response()
}

pub fn not_understood(error: &dyn std::fmt::Display) -> Response {
    let hint = "Send a JSON object such as {}; GET /api/v1/openapi.json tells what each call takes.";
    failure(StatusCode::BAD_REQUEST, "MF-API-5", &format!("the request is not understood: {error}"), hint)
}

pub fn ending() -> Response {
    let hint = "Ask again in a few seconds: another coordinator takes over, or this one starts again.";
    failure(StatusCode::SERVICE_UNAVAILABLE, "MF-API-1", "the coordinator is about to end", hint)
}

pub fn standing_by() -> Response {
    let hint = "Ask again in a few seconds. If it stays so, ask the coordinator that leads; \
        /healthz and the log tell whether this one can reach the bus and both clusters.";
    failure(StatusCode::SERVICE_UNAVAILABLE, "MF-API-6", "this coordinator does not lead", hint)
}

pub fn not_validated() -> Response {
    let hint = "Ask again once the migration is past validating, or have it validated: POST /api/v1/validations.";
    failure(StatusCode::NOT_FOUND, "MF-API-7", "nothing has been validated yet", hint)
}

pub fn no_validator() -> Response {
    let hint = "Ask again in a few seconds, or start `mongoferry-validator --serve`; `mongoferry migrate --start manual` does. \
        `mongoferry validate` needs neither.";
    failure(StatusCode::CONFLICT, "MF-API-8", "no validator is alive to carry it out", hint)
}

pub fn no_such_validation() -> Response {
    let hint = "Only the last one is kept: GET /api/v1/validations names it.";
    failure(StatusCode::NOT_FOUND, "MF-API-9", "there is no such validation", hint)
}

pub fn contradicts(what: &str) -> Response {
    let hint = "Leave it out, or start the coordinator with options that say so. Nothing was started.";
    failure(StatusCode::CONFLICT, "MF-API-10", &format!("the request contradicts this migration: {what}"), hint)
}

const CALLS: &str = "GET /api/v1/openapi.json lists the calls.";

pub async fn no_such_call() -> Response {
    failure(StatusCode::NOT_FOUND, "MF-API-2", "there is no such call", CALLS)
}

pub async fn other_method() -> Response {
    failure(StatusCode::METHOD_NOT_ALLOWED, "MF-API-2", "the call has another method", CALLS)
}
