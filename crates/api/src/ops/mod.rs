//! One file per operation: its request, its answers as the OpenAPI document says them, and its
//! handler. Each handler asks [`crate::Commands`] once and words what it answered.

pub(crate) mod add_mark;
pub(crate) mod agent_action;
pub(crate) mod answer_call;
pub(crate) mod call_abilities;
pub(crate) mod call_heard;
pub(crate) mod change_password;
pub(crate) mod change_supervision;
pub(crate) mod close_session;
pub(crate) mod decline_call;
pub(crate) mod demo_ear;
pub(crate) mod events;
pub(crate) mod get_call;
pub(crate) mod get_health;
pub(crate) mod get_me;
pub(crate) mod get_supervision;
pub(crate) mod give_reason;
pub(crate) mod hang_up_call;
pub(crate) mod heard_before;
pub(crate) mod help_coming;
pub(crate) mod hold_call;
pub(crate) mod leave_supervision;
pub(crate) mod list_agents;
pub(crate) mod list_audit;
pub(crate) mod list_calls;
pub(crate) mod list_history;
pub(crate) mod lower_hand;
pub(crate) mod open_first_session;
pub(crate) mod open_session;
pub(crate) mod phone;
pub(crate) mod place_call;
pub(crate) mod put_labels;
pub(crate) mod put_outcome;
pub(crate) mod raise_hand;
pub(crate) mod resume_call;
pub(crate) mod say_useful;
pub(crate) mod send_prompt;
pub(crate) mod send_reply;
pub(crate) mod session_state;
pub(crate) mod set_state;
pub(crate) mod signing;
mod starting;
pub(crate) mod supervise_agent;
pub(crate) mod supervise_call;
pub(crate) mod transfer_call;

use crate::problem::Problem;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use undertone_core::id::{BadId, CallId, SupervisionId};
use undertone_core::refusal::Reason;
use undertone_core::view::SupervisionView;

/// An id that cannot be one names nothing.
fn call_id(text: &str) -> Result<CallId, Problem> {
    CallId::parse(text).map_err(|BadId(_)| Problem::not_found(Reason::NoSuchCall))
}

fn supervision_id(text: &str) -> Result<SupervisionId, Problem> {
    SupervisionId::parse(text).map_err(|BadId(_)| Problem::not_found(Reason::NoSuchSupervision))
}

/// A supervision with its version as `ETag`.
fn shown(view: &SupervisionView) -> Response {
    let body = axum::Json(crate::wire::Supervision::from(view));
    let mut response = body.into_response();
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{}\"", view.version)) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}
