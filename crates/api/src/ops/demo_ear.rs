//! `GET /demo/calls/{id}/ears/{party}`: a call as one of the demo's simulated telephones hears it,
//! so that one person with one headset can hear that a whisper is not there.

use super::call_id;
use crate::problem::Problem;
use crate::request::{Who, peer};
use crate::router::Api;
use crate::{stream, wire};
use axum::extract::{Path, State};
use axum::http::{Extensions, StatusCode};
use axum::response::Response;

#[utoipa::path(
    get,
    path = "/api/v1/demo/calls/{id}/ears/{party}",
    operation_id = "demo_ear",
    summary = "In the demo: what this party's simulated telephone hears, as a WAV that goes on.",
    tag = "demo",
    params(
        ("id" = String, Path, description = "A call that the asker supervises"),
        ("party" = String, Path, description = "The customer, or an agent at a simulated telephone")
    ),
    responses(
        (status = 200, description = "The sound, until the supervision or the call ends",
         content_type = "audio/wav"),
        (status = "default", body = Problem, content_type = "application/problem+json",
         description = "A refusal or mistake; 404 `no_such_ear` outside the demo")
    )
)]
pub(crate) async fn demo_ear(
    State(api): State<Api>,
    Who(who): Who,
    Path((id, party)): Path<(String, String)>,
    extensions: Extensions,
) -> Result<Response, Problem> {
    let (call, seat) = (call_id(&id)?, wire::seat_of(&party)?);
    let Some(sound) = api.commands.ear(&who, &call, seat).await? else {
        let detail = "No simulated telephone of the demo is there.";
        return Err(Problem::new(StatusCode::NOT_FOUND, "no_such_ear", detail));
    };
    Ok(stream::sounding(StatusCode::OK, sound, peer(&extensions)))
}
