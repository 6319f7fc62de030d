//! `POST /agents/{extension}/supervisions`: starts a supervision of the agent's present call.

use super::starting::{self, SuperviseRequest};
use crate::commands::Of;
use crate::problem::Problem;
use crate::request::{Body, Who, peer};
use crate::router::Api;
use crate::wire;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;

#[utoipa::path(
    post,
    path = "/api/v1/agents/{extension}/supervisions",
    operation_id = "supervise_agent",
    summary = "Starts a supervision of the agent's present call.",
    tag = "supervisions",
    request_body = SuperviseRequest,
    params(("extension" = String, Path, description = "The agent's extension"),
           ("Idempotency-Key" = Option<String>, Header,
            description = "Sent again within ten minutes, the same answer comes again"),
           ("Prefer" = Option<String>, Header,
            description = "`respond-async`: answer at `connecting`")),
    responses(
        (status = 201, description = "Live; for a stream the body is the sound",
         content((wire::Supervision = "application/json"), (Vec<u8> = "audio/wav"))),
        (status = 202, description = "Connecting (`Prefer: respond-async`)",
         body = wire::Supervision),
        (status = "default", description = "A refusal or mistake", body = Problem,
         content_type = "application/problem+json")
    )
)]
pub(crate) async fn supervise_agent(
    State(api): State<Api>,
    Who(who): Who,
    Path(id): Path<String>,
    parts: axum::http::Extensions,
    headers: HeaderMap,
    asked: Body<SuperviseRequest>,
) -> Result<Response, Problem> {
    let of = Of::Agent(id);
    starting::supervise(&api, who, of, peer(&parts), &headers, asked).await
}
