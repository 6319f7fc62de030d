//! `POST /calls`: calls from an agent's phone.

use super::starting;
use crate::commands::PlaceCall;
use crate::problem::Problem;
use crate::request::{Body, Who};
use crate::router::Api;
use crate::wire;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlaceCallRequest {
    /// Extension of the agent whose phone rings first.
    #[schema(example = "201")]
    from_agent: String,
    /// Extension, number or `sip:` URI.
    #[schema(example = "301")]
    to: String,
}

#[utoipa::path(
    post,
    path = "/api/v1/calls",
    operation_id = "place_call",
    summary = "Calls from an agent's phone.",
    tag = "calls",
    request_body = PlaceCallRequest,
    params(("Idempotency-Key" = Option<String>, Header,
            description = "Sent again within ten minutes, the same answer comes again")),
    responses(
        (status = 201, description = "The call, talking", body = wire::Call),
        (status = "default", description = "A refusal or mistake", body = Problem,
         content_type = "application/problem+json")
    )
)]
pub(crate) async fn place_call(
    State(api): State<Api>,
    Who(who): Who,
    headers: HeaderMap,
    asked: Body<PlaceCallRequest>,
) -> Result<Response, Problem> {
    let Body { value, bytes } = asked;
    for (field, text) in [("from_agent", &value.from_agent), ("to", &value.to)] {
        if text.trim().is_empty() || text.len() > 256 {
            return Err(Problem::bad_request(format!(
                "Field `{field}` is wrong: 1 to 256 characters."
            )));
        }
    }
    let what = PlaceCall { from_agent: value.from_agent, to: value.to };
    let commands = api.commands.clone();
    starting::once(&api, &headers, &who.clone(), "POST /calls", &bytes, async move {
        let call = commands.place_call(&who, what).await?;
        let path = format!("/api/v1/calls/{}", call.view.id);
        Ok(starting::made(StatusCode::CREATED, &path, None, &wire::Call::from(&call)))
    })
    .await
}
