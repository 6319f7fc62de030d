//! `/me/phone`: the caller's one audio leg in a browser. An offer comes in, our answer goes out;
//! calls and supervision are routed into it. What an offer must be is the media's to say.

use crate::commands::{IceServer, OpenPhone, PhoneView};
use crate::problem::Problem;
use crate::request::{Body, Query, Who, client};
use crate::router::Api;
use axum::Json;
use axum::extract::State;
use axum::http::{Extensions, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

const TAB_MAX_CHARS: usize = 64;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OpenPhoneRequest {
    /// The browser's offer: one audio stream, sendrecv. Its candidates are not needed.
    sdp: String,
    /// Takes the phone from another page of the same person.
    #[serde(default)]
    here: bool,
    /// A random name of the page, kept over a reload.
    #[serde(default)]
    tab: String,
}

/// Servers by which a browser may reach this one from behind a firewall.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = IceServer)]
pub(crate) struct Relay {
    urls: Vec<String>,
    username: String,
    credential: String,
    /// From now on; to be asked for anew before: a relay that is in use asks for it again.
    lasts_ms: u64,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = IceServers)]
pub(crate) struct IceServers {
    ice_servers: Vec<Relay>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Phone {
    /// The same over reloads and changes of network.
    id: String,
    /// `connecting`, `up` or `lost`; `elsewhere` to a page that gave its `tab`, while another page
    /// has it.
    state: &'static str,
    /// What the browser is asked to send, where it can switch without a new offer: `opus`, `PCMU`,
    /// `PCMA` or `G722`.
    send_codec: &'static str,
    /// Present while it is lent to a call.
    call_id: Option<String>,
    supervision_id: Option<String>,
    ice_servers: Vec<Relay>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OpenedPhone {
    #[serde(flatten)]
    phone: Phone,
    /// The answer, with our candidates.
    sdp: String,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AskedBy {
    /// The page that asks: then `state` may be `elsewhere`.
    tab: Option<String>,
}

pub(crate) fn named(tab: &str) -> Result<(), Problem> {
    match tab.chars().count() > TAB_MAX_CHARS {
        true => Err(Problem::bad_request("`tab` is longer than 64 characters.")),
        false => Ok(()),
    }
}

impl From<IceServer> for Relay {
    fn from(server: IceServer) -> Self {
        let IceServer { urls, username, credential, lasts_ms } = server;
        Self { urls, username, credential, lasts_ms }
    }
}

impl From<PhoneView> for Phone {
    fn from(view: PhoneView) -> Self {
        Self {
            id: view.id,
            state: view.state,
            send_codec: view.send_codec,
            call_id: view.call.map(|id| id.to_string()),
            supervision_id: view.supervision.map(|id| id.to_string()),
            ice_servers: view.ice_servers.into_iter().map(Relay::from).collect(),
        }
    }
}

#[utoipa::path(
    post,
    path = "/api/v1/me/phone",
    operation_id = "open_phone",
    summary = "Answers the browser's offer. Again from the same page: ICE restart or reload, the \
               same leg.",
    tag = "me",
    request_body = OpenPhoneRequest,
    responses(
        (status = 201, description = "The phone, and our answer", body = OpenedPhone),
        (status = "default", description = "A refusal or mistake", body = Problem,
         content_type = "application/problem+json")
    )
)]
pub(crate) async fn open_phone(
    State(api): State<Api>,
    Who(who): Who,
    extensions: Extensions,
    asked: Body<OpenPhoneRequest>,
) -> Result<Response, Problem> {
    let OpenPhoneRequest { sdp, here, tab } = asked.value;
    named(&tab)?;
    // The browser's, not a proxy's: what it is told of our addresses depends on where it is.
    let peer = client(&extensions).map(|client| client.addr.ip());
    let opened = api.commands.open_phone(&who, OpenPhone { sdp, here, tab, peer }).await?;
    let body = OpenedPhone { phone: opened.view.into(), sdp: opened.sdp };
    Ok((StatusCode::CREATED, Json(body)).into_response())
}

#[utoipa::path(
    get,
    path = "/api/v1/me/phone",
    operation_id = "get_phone",
    summary = "The caller's phone in a browser.",
    tag = "me",
    params(AskedBy),
    responses(
        (status = 200, description = "The phone", body = Phone),
        (status = "default", description = "A refusal or mistake", body = Problem,
         content_type = "application/problem+json")
    )
)]
pub(crate) async fn get_phone(
    State(api): State<Api>,
    Who(who): Who,
    Query(AskedBy { tab }): Query<AskedBy>,
) -> Result<Response, Problem> {
    let tab = tab.filter(|tab| !tab.is_empty());
    if let Some(tab) = &tab {
        named(tab)?;
    }
    let view = api.commands.phone(&who, tab.as_deref()).await?;
    Ok(Json(Phone::from(view)).into_response())
}

#[utoipa::path(
    delete,
    path = "/api/v1/me/phone",
    operation_id = "close_phone",
    summary = "Hangs the browser's phone up, wherever it is.",
    tag = "me",
    responses(
        (status = 204, description = "It is closed"),
        (status = "default", description = "A refusal or mistake", body = Problem,
         content_type = "application/problem+json")
    )
)]
pub(crate) async fn close_phone(
    State(api): State<Api>,
    Who(who): Who,
) -> Result<Response, Problem> {
    api.commands.close_phone(&who).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

#[utoipa::path(
    get,
    path = "/api/v1/me/ice",
    operation_id = "ice_servers",
    summary = "What the browser needs before its offer: servers between it and this one.",
    tag = "me",
    responses(
        (status = 200, description = "May be none", body = IceServers),
        (status = "default", description = "A refusal or mistake", body = Problem,
         content_type = "application/problem+json")
    )
)]
pub(crate) async fn ice_servers(
    State(api): State<Api>,
    Who(who): Who,
) -> Result<Response, Problem> {
    let servers = api.commands.ice_servers(&who).await;
    let ice_servers = servers.into_iter().map(Relay::from).collect();
    Ok(Json(IceServers { ice_servers }).into_response())
}
