//! What can be looked at.

use axum::{
    extract::{Query, State, rejection::QueryRejection},
    response::{IntoResponse, Response},
};
use mongoferry_protocol::{Phase, Report};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{answers, progress::answer_of};
use crate::board::Board;

pub async fn progress(State(board): State<Board>) -> Response {
    board.status().map_or_else(answers::standing_by, |status| axum::Json(answer_of(&status)).into_response())
}

pub async fn migration(State(board): State<Board>) -> Response {
    board.status().map_or_else(answers::standing_by, |status| axum::Json(status).into_response())
}

#[derive(Deserialize)]
pub struct ReportRequest {
    when: Option<When>,
}

#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// Not before the migration has ended or failed. The launcher stops the coordinator then, so whoever asks afterwards may
    /// be too late.
    Ended,
}

pub async fn report(State(board): State<Board>, request: Result<Query<ReportRequest>, QueryRejection>) -> Response {
    let Query(ReportRequest { when }) = match request {
        Ok(request) => request,
        Err(error) => return answers::not_understood(&error),
    };
    let Some(mut led) = board.led() else { return answers::standing_by() };
    if let Some(When::Ended) = when {
        let has_ended = |report: &Report| report.phase.is_final() || report.phase == Phase::Failed;
        tokio::select! {
            seen = led.report.wait_for(has_ended) => if seen.is_err() { return answers::ending() },
            () = board.stopped() => return answers::ending(),
        }
    }
    axum::Json(&*led.report.borrow()).into_response()
}

/// What was found last, mostly before anything was written.
pub async fn validation(State(board): State<Board>) -> Response {
    match board.validation().await {
        Ok(Some(report)) => axum::Json(report).into_response(),
        Ok(None) => answers::not_validated(),
        Err(error) => answers::refusal(&error),
    }
}
