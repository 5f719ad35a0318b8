//! The HTTP API: what mongosync's users know, and ours beside it; and the page that shows it.
//!
//! Every call stands in `routes.rs`; the router, the OpenAPI document and the answer to an unknown call are made of that list.

mod answers;
mod events;
mod guard;
mod openapi;
mod orders;
mod page;
mod progress;
mod routes;
mod start;
mod throttle;
mod validations;
mod views;

use std::net::SocketAddr;

use axum::{Router, middleware};
use mongoferry_stage::Stage;
use tokio::net::TcpListener;

use self::{guard::Guard, routes::Route};
use crate::{board::Board, coordinator_error::CoordinatorError};

/// Binds early, so that an address in use is known before anything else is done.
pub async fn bind(address: SocketAddr, token: Option<&str>) -> Result<TcpListener, CoordinatorError> {
    if !address.ip().is_loopback() && token.is_none() {
        return Err(CoordinatorError::OpenApi { address });
    }
    TcpListener::bind(address).await.map_err(|cause| CoordinatorError::Listen { address, cause })
}

/// Serves until the process is stopped.
pub async fn serve(listener: TcpListener, board: Board, stage: Stage, token: Option<String>) {
    let stopping = stage.stopping.clone();
    let server = axum::serve(listener, router(board, stage, token)).with_graceful_shutdown(stopping.cancelled_owned());
    if let Err(error) = server.await {
        tracing::error!(%error, "the API ended");
    }
}

fn router(board: Board, stage: Stage, token: Option<String>) -> Router {
    let guard = Guard::new(token);
    let (open, closed): (Vec<Route>, Vec<Route>) = routes::routes(&stage).into_iter().partition(|route| route.open);
    let add = |router: Router<Board>, route: Route| router.route(route.path, route.handler);
    closed
        .into_iter()
        .fold(Router::new(), add)
        .fallback(answers::no_such_call)
        .layer(middleware::from_fn_with_state(guard.clone(), guard::check_token))
        .merge(open.into_iter().fold(Router::new(), add))
        .merge(page::routes())
        .method_not_allowed_fallback(answers::other_method)
        .layer(middleware::from_fn_with_state(guard, guard::check_host_and_origin))
        .with_state(board)
}
