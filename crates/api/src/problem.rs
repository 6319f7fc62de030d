//! Every answer that says no: `application/problem+json` (RFC 9457) with a stable `code` and,
//! for refusals, all `reasons`. The one place where a reason becomes a status.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use undertone_core::refusal::{Reason, Refusal};
use utoipa::ToSchema;

/// RFC 9457, with `code` and `reasons`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// Always `about:blank`: `code` says which problem it is.
    #[serde(rename = "type")]
    #[schema(example = "about:blank")]
    kind: &'static str,
    #[schema(example = "Forbidden")]
    title: String,
    #[schema(example = 403)]
    status: u16,
    /// One plain sentence.
    detail: String,
    /// Stable; made to be compared.
    #[schema(example = "not_allowed")]
    code: &'static str,
    /// For a refusal: every reason, the first is `code`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    reasons: Vec<&'static str>,
    /// Becomes the header Retry-After.
    #[serde(skip)]
    retry_after_s: Option<u32>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Error").to_owned(),
            status: status.as_u16(),
            detail: detail.into(),
            code,
            reasons: Vec::new(),
            retry_after_s: (status == StatusCode::SERVICE_UNAVAILABLE).then_some(1),
        }
    }
    pub(crate) fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }
    pub(crate) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_request", detail)
    }
    pub(crate) fn not_found(reason: Reason) -> Self {
        Refusal::because(reason).into()
    }
    pub(crate) fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Something broke inside.")
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let first = refusal.reasons.first().copied().unwrap_or(Reason::BadRequest);
        let detail = match refusal.detail.is_empty() {
            true => sentence(first).to_owned(),
            false => refusal.detail,
        };
        let mut problem = Self::new(status(first), first.code(), detail);
        problem.reasons = refusal.reasons.iter().map(|reason| reason.code()).collect();
        problem
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        let kind = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, kind);
        if status == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Bearer realm=\"undertone\"");
            headers.insert(header::WWW_AUTHENTICATE, scheme);
        }
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// No catch-all: a new reason does not compile until somebody has thought of its status.
pub(crate) const fn status(reason: Reason) -> StatusCode {
    match reason {
        Reason::NotAllowed
        | Reason::RightsLost
        | Reason::SignedOut
        | Reason::LegNotOwn
        | Reason::PinWrong
        | Reason::PinMissing
        | Reason::PinLocked
        | Reason::PinNotSet
        | Reason::OutboundDenied
        | Reason::UnknownCaller => StatusCode::FORBIDDEN,
        Reason::NoSuchCall
        | Reason::NoSuchAgent
        | Reason::NoSuchSupervision
        | Reason::NoSuchHelp
        | Reason::NoSuchParty
        | Reason::NoPhone => StatusCode::NOT_FOUND,
        Reason::AgentNotOnCall
        | Reason::CallNotTalking
        | Reason::CallEnded
        | Reason::TargetNotReceiving
        | Reason::NoCustomer
        | Reason::CustomerOnHold
        | Reason::AgentGone
        | Reason::NotInMode
        | Reason::TakeoverTaken
        | Reason::OwnCall
        | Reason::AlreadySupervising
        | Reason::AlreadyAParty
        | Reason::TransferUnderWay
        | Reason::AgentTransferred
        | Reason::MergedInto
        | Reason::TooManySupervisors
        | Reason::TooManySeats
        | Reason::Superseded
        | Reason::LegNotRegistered
        | Reason::PhoneElsewhere
        | Reason::NoCommonCodec
        | Reason::NotRinging
        | Reason::AgentBusy => StatusCode::CONFLICT,
        Reason::VersionMismatch => StatusCode::PRECONDITION_FAILED,
        Reason::TargetRequired
        | Reason::TargetNotAgent
        | Reason::LegListenOnly
        | Reason::NoRoute
        | Reason::RouteLoop
        | Reason::BadRequest => StatusCode::UNPROCESSABLE_ENTITY,
        Reason::AccountCap
        | Reason::DestinationCap
        | Reason::TooManyMarks
        | Reason::TooManyOffers => StatusCode::TOO_MANY_REQUESTS,
        Reason::AuditUnavailable
        | Reason::Overloaded
        | Reason::TrunkFull
        | Reason::TrunkDown
        | Reason::ShuttingDown => StatusCode::SERVICE_UNAVAILABLE,
        Reason::LegRejected | Reason::MediaFailed => StatusCode::BAD_GATEWAY,
        Reason::LegNoAnswer | Reason::AudioNotProven => StatusCode::GATEWAY_TIMEOUT,
        Reason::ReaderTooSlow => StatusCode::REQUEST_TIMEOUT,
    }
}

/// What a person reads when core said no more than the reason.
const fn sentence(reason: Reason) -> &'static str {
    match reason {
        Reason::NotAllowed => "This key or person lacks the right.",
        Reason::NoSuchCall => "There is no such call.",
        Reason::NoSuchAgent => "There is no agent with this extension.",
        Reason::NoSuchSupervision => "There is no such supervision.",
        Reason::NoSuchParty => "There is no such party on this call.",
        Reason::NoSuchHelp => "No hand is raised there.",
        Reason::AgentNotOnCall => "The agent is not on a call.",
        Reason::CallNotTalking => "The call is not being talked on.",
        Reason::CallEnded => "The call has ended.",
        Reason::TargetRequired => "No customer is on the call: name whom the whisper is for.",
        Reason::TargetNotAgent => "A target is not an agent on this call.",
        Reason::TargetNotReceiving => "The target's phone does not receive: it is on hold.",
        Reason::NoCustomer => "No customer is on the call.",
        Reason::CustomerOnHold => "The customer is on hold.",
        Reason::AgentGone => "The agent has left the call.",
        Reason::NotInMode => "This needs barge or takeover.",
        Reason::TakeoverTaken => "Somebody has taken this call over already.",
        Reason::OwnCall => "One cannot supervise a call that one is a party of.",
        Reason::AlreadyAParty => "The one to whom this would go is on this call already.",
        Reason::TransferUnderWay => "This call is being transferred already.",
        Reason::MergedInto => "The call went into another one.",
        Reason::AgentTransferred => "The agent has left the call by a transfer.",
        Reason::RightsLost => "The rights that this needs are gone.",
        Reason::SignedOut => "The session that asked for this was signed out.",
        Reason::AlreadySupervising => "You supervise this call already.",
        Reason::TooManySupervisors => "The call has as many supervisors as it may have.",
        Reason::TooManySeats => "The call has as many parties as it may have.",
        Reason::AuditUnavailable => "The audit could not be written, so nothing was opened.",
        Reason::LegNoAnswer => "The phone that was called did not answer in time.",
        Reason::LegRejected => "The phone that was called rejected the call.",
        Reason::LegNotOwn => "The device named in `leg` is not one of your own.",
        Reason::LegNotRegistered => "The phone named in `leg` is not registered.",
        Reason::PinWrong => "That is not this person's PIN.",
        Reason::PinMissing => "No PIN was typed.",
        Reason::PinLocked => "Too many wrong PINs were typed there; it is locked for half an hour.",
        Reason::PinNotSet => "A PIN is needed, and this person has none.",
        Reason::NoPhone => "You have no phone in a browser now.",
        Reason::PhoneElsewhere => "Another page of yours has the phone.",
        Reason::NotRinging => "This call does not ring at your phone in the browser.",
        Reason::TooManyMarks => "One supervision leaves a hundred marks at most.",
        Reason::TooManyOffers => "Your pages offer more often than once a second: wait a moment.",
        Reason::NoCommonCodec => "The browser and the server have no codec in common.",
        Reason::LegListenOnly => "A stream can only listen.",
        Reason::AudioNotProven => "No sound passed to or from the supervisor's phone in time.",
        Reason::MediaFailed => "The media failed.",
        Reason::Superseded => "A later change took the place of this one.",
        Reason::VersionMismatch => "The supervision has changed since the version in If-Match.",
        Reason::ReaderTooSlow => "The reader was more than two seconds behind.",
        Reason::Overloaded => "The server has too much to do.",
        Reason::ShuttingDown => "The server is shutting down.",
        Reason::NoRoute => "The destination is no known device, extension or number.",
        Reason::RouteLoop => "The number leads in a circle.",
        Reason::UnknownCaller => "No device and no trunk calls from there.",
        Reason::OutboundDenied => "Nothing allows this caller this number outside.",
        Reason::AccountCap => "The caller has as many calls outside as it may have.",
        Reason::DestinationCap => "The number called has as many calls as it may have.",
        Reason::TrunkFull => "Every trunk that leads there has all its channels in use.",
        Reason::TrunkDown => "No trunk that leads there answers.",
        Reason::AgentBusy => "The one called is busy.",
        Reason::BadRequest => "The request makes no sense.",
    }
}
