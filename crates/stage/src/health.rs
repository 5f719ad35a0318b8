//! /healthz, /readyz and /metrics of a stage.

use std::net::SocketAddr;

use axum::{Router, http::StatusCode, routing::get};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Serves until `stopping`. The listener is bound before this returns.
pub async fn serve(
    address: SocketAddr,
    metrics: PrometheusHandle,
    ready: CancellationToken,
    stopping: CancellationToken,
) -> std::io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    let ready_answer = move || async move {
        if ready.is_cancelled() { (StatusCode::OK, "ready\n") } else { (StatusCode::SERVICE_UNAVAILABLE, "starting\n") }
    };
    let router = Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready_answer))
        .route("/metrics", get(move || async move { metrics.render() }));
    tokio::spawn(async move {
        let server = axum::serve(listener, router).with_graceful_shutdown(stopping.cancelled_owned());
        if let Err(error) = server.await {
            tracing::warn!(%error, "the health endpoint ended");
        }
    });
    Ok(())
}
