//! `POST /calls/{id}/transfer`: a party goes to somebody else, who is called; the others leave.

use super::call_id;
use crate::problem::Problem;
use crate::request::{Body, Who};
use crate::router::Api;
use crate::wire;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::ToSchema;

/// To whom, and which party; none means the customer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TransferRequest {
    party: Option<String>,
    /// Extension, number or `sip:` URI.
    #[schema(example = "202")]
    to: String,
}

#[utoipa::path(
    post,
    path = "/api/v1/calls/{id}/transfer",
    operation_id = "transfer_call",
    summary = "Calls somebody in place of who talks with the party; answered when they talk.",
    tag = "calls",
    request_body = TransferRequest,
    params(("id" = String, Path, description = "The call's id")),
    responses(
        (status = 200, description = "The call, with the new party", body = wire::Call),
        (status = "default", description = "A refusal or mistake; the call is as it was",
         body = Problem, content_type = "application/problem+json")
    )
)]
pub(crate) async fn transfer_call(
    State(api): State<Api>,
    Who(who): Who,
    Path(id): Path<String>,
    Body { value, .. }: Body<TransferRequest>,
) -> Result<Response, Problem> {
    if value.to.trim().is_empty() || value.to.len() > 256 {
        return Err(Problem::bad_request("Field `to` is wrong: 1 to 256 characters."));
    }
    let party = value.party.as_deref().map(wire::seat_of).transpose()?;
    let call = api.commands.transfer(&who, &call_id(&id)?, party, value.to).await?;
    Ok(Json(wire::Call::from(&call)).into_response())
}
