//! `GET /audit`: who did what, when, from where, and what came of it; newest first.

use crate::commands::{AuditQuery, Exported};
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
use undertone_core::id::{CallId, PersonId};
use utoipa::IntoParams;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AuditParams {
    /// Rows about this call.
    call: Option<String>,
    /// Rows about what this person did.
    person: Option<String>,
    /// From this instant on (RFC 3339).
    from: Option<String>,
    /// Before this instant.
    to: Option<String>,
    /// What the page before gave as `next_cursor`.
    cursor: Option<String>,
    /// 1 to 1000; if left out 100, or all as CSV.
    limit: Option<u32>,
    /// Counts more than `Accept: text/csv`.
    #[param(inline)]
    format: Option<Format>,
}

#[utoipa::path(
    get,
    path = "/api/v1/audit",
    operation_id = "list_audit",
    summary = "Who did what, when, from where, and what came of it; newest first.",
    tag = "audit",
    params(AuditParams),
    responses(
        (status = 200, description = "A page of the audit; or all of it as CSV", content(
            (wire::AuditList = "application/json"),
            (String = "text/csv"),
        )),
        (status = "default", description = "A refusal or mistake", body = Problem,
         content_type = "application/problem+json")
    )
)]
pub(crate) async fn list_audit(
    State(api): State<Api>,
    Who(who): Who,
    uri: Uri,
    headers: HeaderMap,
    Query(asked): Query<AuditParams>,
) -> Result<Response, Problem> {
    let between = (asked.from.as_deref(), asked.to.as_deref());
    let listing = Listing::parse(asked.limit, between, asked.format, &headers)?;
    let query = AuditQuery {
        call: field("call", asked.call.as_deref(), CallId::parse)?,
        person: field("person", asked.person.as_deref(), PersonId::parse)?,
        from: listing.from,
        to: listing.to,
        before: field("cursor", asked.cursor.as_deref(), str::parse)?,
        limit: listing.limit,
    };
    if !listing.csv {
        let page = api.commands.audit(&who, query).await?;
        return Ok(Json(wire::AuditList::from(page)).into_response());
    }
    let what = uri.query().unwrap_or_default().to_owned();
    api.commands.export(&who, Exported::Audit, what).await?;
    let begin = query.before;
    let page = move |before| {
        let (api, who, query) = (api.clone(), who.clone(), query.clone());
        async move {
            let page = api.commands.audit(&who, AuditQuery { before, ..query }).await?;
            let rows = page.items.iter().map(wire::audit_cells).collect();
            Ok(CsvPage { rows, next: page.next })
        }
    };
    listing.rows("audit", &wire::AUDIT_COLUMNS, begin, page).await
}
