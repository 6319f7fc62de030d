//! The routes put together: what is public, what needs a key, and the fallbacks.
//!
//! Denied by default: a path that is not on the short public list answers 401 without a key,
//! also one that does not exist.

use crate::commands::Commands;
use axum::Router;
use std::sync::Arc;

/// The whole API but for the metrics, which have an address of their own.
pub fn router(commands: Arc<dyn Commands>) -> Router {
    let _ = commands;
    Router::new()
}

/// `GET /metrics`; to be served on an address that is closed from outside.
pub fn metrics_router(render: impl Fn() -> String + Send + Sync + 'static) -> Router {
    let render = Arc::new(render);
    Router::new().route("/metrics", axum::routing::get(move || async move { render() }))
}
