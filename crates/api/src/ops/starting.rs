//! What the operations that start something share: they run to their end though the asker goes,
//! and answer the same when asked again.

use crate::commands::{LegWanted, Of, Supervise, Supervised};
use crate::idempotency::{Answer, Asked};
use crate::link::Peer;
use crate::problem::Problem;
use crate::request::{Body, respond_async};
use crate::router::Api;
use crate::{stream, wire};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use std::future::Future;
use undertone_core::access::Actor;
use undertone_core::view::{Extent, Follow};
use utoipa::ToSchema;

const MAX_REASON_BYTES: usize = 500;

/// How to supervise.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SuperviseRequest {
    mode: wire::ModeWord,
    leg: wire::LegWire,
    /// Whom a whisper is for; by default the call's agent.
    #[serde(default)]
    targets: Vec<String>,
    /// Tell the agent also in listen.
    #[serde(default)]
    alert: bool,
    /// For a takeover; `removed` if left out.
    agent_after: Option<wire::AgentAfterWord>,
    #[serde(default)]
    reason: String,
    follow: Option<wire::FollowWord>,
    extent: Option<wire::ExtentWord>,
}

impl SuperviseRequest {
    fn into_command(self, answer_early: bool) -> Result<Supervise, Problem> {
        if self.reason.len() > MAX_REASON_BYTES {
            return Err(Problem::bad_request("Field `reason` is wrong: 500 bytes at most."));
        }
        let targets = self.targets.iter().map(|id| wire::seat_of(id)).collect::<Result<_, _>>()?;
        Ok(Supervise {
            mode: self.mode.into(),
            leg: self.leg.into(),
            targets,
            alert: self.alert,
            agent_after: self.agent_after.map(Into::into),
            reason: self.reason,
            follow: self.follow.map_or(Follow::Call, Into::into),
            extent: self.extent.map_or(Extent::ThisCall, Into::into),
            answer_early,
        })
    }
}

pub(crate) async fn supervise(
    api: &Api,
    who: Actor,
    of: Of,
    peer: Option<Peer>,
    headers: &HeaderMap,
    asked: Body<SuperviseRequest>,
) -> Result<Response, Problem> {
    let Body { value, bytes } = asked;
    let early = respond_async(headers);
    let what = value.into_command(early)?;
    let commands = api.commands.clone();
    if what.leg == LegWanted::Stream {
        // A connection is the stream: there is nothing to repeat, and nothing to answer early.
        stream::acceptable(headers)?;
        let what = Supervise { answer_early: false, ..what };
        let begun = commands.supervise(&who, of, what).await?;
        return stream::answer(begun, peer);
    }
    let name = match &of {
        Of::Call(id) => format!("POST /calls/{id}/supervisions"),
        Of::Agent(extension) => format!("POST /agents/{extension}/supervisions"),
    };
    once(api, headers, &who.clone(), &name, &bytes, async move {
        let Supervised { view, .. } = commands.supervise(&who, of, what).await?;
        let path = format!("/api/v1/supervisions/{}", view.id);
        let status = if early { StatusCode::ACCEPTED } else { StatusCode::CREATED };
        let mut answer = made(status, &path, Some(view.version), &wire::Supervision::from(&view));
        if early {
            let applied = HeaderValue::from_static("respond-async");
            answer.headers.insert("preference-applied", applied);
        }
        Ok(answer)
    })
    .await
}

/// Runs `work` to its end, whatever becomes of the connection; at most once for an
/// `Idempotency-Key`.
pub(crate) async fn once(
    api: &Api,
    headers: &HeaderMap,
    who: &Actor,
    what: &str,
    body: &[u8],
    work: impl Future<Output = Result<Answer, Problem>> + Send + 'static,
) -> Result<Response, Problem> {
    let key = who.key.as_ref().map_or(who.person.as_str(), |key| key.as_str());
    let ticket = match api.idempotency.asked(headers, key, what, body)? {
        Asked::Repeat(answer) => return Ok(answer.into_response()),
        Asked::Do(ticket) => ticket,
    };
    let done = tokio::spawn(async move {
        let answer = work.await?;
        if let Some(ticket) = ticket {
            ticket.answer(&answer);
        }
        Ok(answer)
    });
    match done.await {
        Ok(answer) => answer.map(IntoResponse::into_response),
        Err(error) => {
            tracing::error!(%error, what, "an operation broke");
            Err(Problem::internal())
        }
    }
}

/// An answer with `Location` and, for what has a version, `ETag`.
pub(crate) fn made(
    status: StatusCode,
    path: &str,
    version: Option<u64>,
    body: &impl Serialize,
) -> Answer {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Ok(path) = HeaderValue::from_str(path) {
        headers.insert(header::LOCATION, path);
    }
    if let Some(tag) = version.and_then(|v| HeaderValue::from_str(&format!("\"{v}\"")).ok()) {
        headers.insert(header::ETAG, tag);
    }
    Answer { status, headers, body: serde_json::to_vec(body).unwrap_or_default().into() }
}
