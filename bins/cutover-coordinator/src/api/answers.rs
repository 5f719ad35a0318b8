//! The form of answers that are no data.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use mongoferry_protocol::Explain;
use serde_json::json;

pub fn success() -> Response {
    Json(json!({"success": true, "error": null})).into_response()
}

pub fn refusal(error: &dyn Explain) -> Response {
    failure(StatusCode::CONFLICT, error.code(), &error.to_string(), &error.hint())
}

pub fn failure(status: StatusCode, code: &str, description: &str, hint: &str) -> Response {
    let body = json!({"success": false, "error": code, "errorDescription": description, "hint": hint});
    (status, Json(body)).into_response()
}

pub fn not_understood(error: &serde_json::Error) -> Response {
    let hint = "Send a JSON object such as {} or {\"acceptMissingIndexes\": true}.";
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
    let hint = "Ask again once the migration is past validating.";
    failure(StatusCode::NOT_FOUND, "MF-API-7", "nothing has been validated yet", hint)
}

pub async fn no_such_call() -> Response {
    let hint = "The calls are: POST /api/v1/start, pause, resume, commit, cancel; GET /api/v1/progress, migration, report, validation.";
    failure(StatusCode::NOT_FOUND, "MF-API-2", "there is no such call", hint)
}
