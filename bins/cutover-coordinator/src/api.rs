//! The HTTP API: what mongosync's users know, and ours beside it; and the page that shows it.

mod answers;
mod guard;
mod page;
mod progress;

use std::net::SocketAddr;

use axum::{
    Router,
    extract::{Query, State},
    middleware,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use mongoferry_protocol::{Phase, Report};
use mongoferry_stage::Stage;
use tokio::{net::TcpListener, sync::oneshot};

use crate::{
    board::Board,
    command::{Command, Request},
    coordinator_error::CoordinatorError,
};

/// Binds early, so that an address in use is known before anything else is done.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, CoordinatorError> {
    if !address.ip().is_loopback() && guard::token().is_none() {
        return Err(CoordinatorError::OpenApi { address });
    }
    TcpListener::bind(address).await.map_err(|cause| CoordinatorError::Listen { address, cause })
}

/// Serves until the process is stopped.
pub async fn serve(listener: TcpListener, board: Board, stage: Stage) {
    let stopping = stage.stopping.clone();
    let server = axum::serve(listener, router(board, stage)).with_graceful_shutdown(stopping.cancelled_owned());
    if let Err(error) = server.await {
        tracing::error!(%error, "the API ended");
    }
}

fn router(board: Board, stage: Stage) -> Router {
    let metrics = stage.metrics.clone();
    let commands = Router::new()
        .route("/api/v1/start", post(start))
        .route("/api/v1/pause", post(|state| command(state, Command::Pause)))
        .route("/api/v1/resume", post(|state| command(state, Command::Resume)))
        .route("/api/v1/commit", post(commit))
        .route("/api/v1/extend", post(|state| command(state, Command::Extend)))
        .route("/api/v1/cancel", post(|state| command(state, Command::Cancel)));
    let views = Router::new()
        .route("/api/v1/progress", get(progress))
        .route("/api/v1/migration", get(migration))
        .route("/api/v1/report", get(report))
        .route("/api/v1/validation", get(validation))
        .route("/metrics", get(move || async move { metrics.render() }));
    commands
        .merge(views)
        .fallback(answers::no_such_call)
        .layer(middleware::from_fn(guard::check_token))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(|| async { "ready\n" }))
        .merge(page::routes())
        .layer(middleware::from_fn(guard::check_host_and_origin))
        .with_state(board)
}

/// Starting is what the processes do by themselves; said again it changes nothing.
async fn start() -> Response {
    answers::success()
}

/// What mongosync's users send, `{}` or nothing, accepts nothing.
#[derive(Default, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct CommitRequest {
    accept_missing_indexes: bool,
}

async fn commit(state: State<Board>, body: axum::body::Bytes) -> Response {
    let request = if body.is_empty() { Ok(CommitRequest::default()) } else { serde_json::from_slice(&body) };
    match request {
        Ok(CommitRequest { accept_missing_indexes }) => {
            command(state, Command::Commit { accept_missing_indexes }).await
        }
        Err(error) => answers::not_understood(&error),
    }
}

async fn command(State(board): State<Board>, command: Command) -> Response {
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

async fn progress(State(board): State<Board>) -> Response {
    board.status().map_or_else(answers::standing_by, |status| axum::Json(progress::progress(&status)).into_response())
}

async fn migration(State(board): State<Board>) -> Response {
    board.status().map_or_else(answers::standing_by, |status| axum::Json(status).into_response())
}

#[derive(serde::Deserialize)]
struct ReportRequest {
    when: Option<When>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
enum When {
    /// Not before the migration has ended or failed. The launcher stops the coordinator then, so whoever asks afterwards may
    /// be too late.
    Ended,
}

async fn report(State(board): State<Board>, Query(ReportRequest { when }): Query<ReportRequest>) -> Response {
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

/// What was found before anything was written.
async fn validation(State(board): State<Board>) -> Response {
    match board.validation().await {
        Ok(Some(report)) => axum::Json(report).into_response(),
        Ok(None) => answers::not_validated(),
        Err(error) => answers::refusal(&error),
    }
}
