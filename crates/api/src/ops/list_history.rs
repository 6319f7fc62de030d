//! `GET /history/calls`: ended calls, newest first.

use crate::commands::{Exported, HistoryQuery};
use crate::csv::CsvPage;
use crate::listing::{Format, Listing, field};
use crate::problem::Problem;
use crate::request::{Query, Who};
use crate::router::Api;
use crate::wire;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use undertone_core::id::PersonId;
use utoipa::IntoParams;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct HistoryParams {
    /// That began at this instant or later (RFC 3339).
    from: Option<String>,
    /// That began before this instant.
    to: Option<String>,
    /// On which this person was an agent.
    agent: Option<String>,
    queue: Option<String>,
    /// Whether anybody supervised it.
    supervised: Option<bool>,
    /// What the page before gave as `next_cursor`.
    cursor: Option<String>,
    /// 1 to 1000; if left out 100, or all as CSV.
    limit: Option<u32>,
    /// Counts more than `Accept: text/csv`.
    #[param(inline)]
    format: Option<Format>,
}

const CURSOR_MAX_BYTES: usize = 200;

#[utoipa::path(
    get,
    path = "/api/v1/history/calls",
    operation_id = "list_history",
    summary = "Ended calls, newest first.",
    tag = "calls",
    params(HistoryParams),
    responses(
        (status = 200, description = "A page of calls; or all of them as CSV", content(
            (wire::CallPage = "application/json"),
            (String = "text/csv"),
        )),
        (status = "default", description = "A refusal or mistake", body = Problem,
         content_type = "application/problem+json")
    )
)]
pub(crate) async fn list_history(
    State(api): State<Api>,
    Who(who): Who,
    uri: Uri,
    headers: HeaderMap,
    Query(asked): Query<HistoryParams>,
) -> Result<Response, Problem> {
    let between = (asked.from.as_deref(), asked.to.as_deref());
    let listing = Listing::parse(asked.limit, between, asked.format, &headers)?;
    let fits = |cursor: &str| (cursor.len() <= CURSOR_MAX_BYTES).then(|| cursor.to_owned());
    let query = HistoryQuery {
        from: listing.from,
        to: listing.to,
        agent: field("agent", asked.agent.as_deref(), PersonId::parse)?,
        queue: asked.queue,
        supervised: asked.supervised,
        cursor: field("cursor", asked.cursor.as_deref(), |text| fits(text).ok_or(()))?,
        limit: listing.limit,
    };
    if !listing.csv {
        let page = api.commands.history(&who, query).await?;
        return Ok(Json(wire::CallPage::from(&page)).into_response());
    }
    let what = uri.query().unwrap_or_default().to_owned();
    api.commands.export(&who, Exported::History, what).await?;
    let begin = query.cursor.clone();
    let page = move |cursor| {
        let (api, who, query) = (api.clone(), who.clone(), query.clone());
        async move {
            let page = api.commands.history(&who, HistoryQuery { cursor, ..query }).await?;
            let rows = page.items.iter().map(wire::call_cells).collect();
            Ok(CsvPage { rows, next: page.next })
        }
    };
    listing.rows("calls", &wire::CALL_COLUMNS, begin, page).await
}
