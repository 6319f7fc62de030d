//! What the lists of the past share: how many, since when, and whether as JSON or as CSV.

use crate::csv::{self, CsvPage};
use crate::problem::Problem;
use crate::request::accepts;
use crate::wire;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use serde::Deserialize;
use undertone_core::time::Wall;
use utoipa::ToSchema;

/// Rows of one page, and of one step through all of them.
const PAGE: u32 = 100;
const PAGE_MAX: u32 = 1_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Format {
    Json,
    Csv,
}

/// What is asked of a list, whatever it is of.
pub(crate) struct Listing {
    /// Of one page.
    pub(crate) limit: u32,
    pub(crate) from: Option<Wall>,
    pub(crate) to: Option<Wall>,
    /// As CSV.
    pub(crate) csv: bool,
    /// All pages, not one.
    all: bool,
}

impl Listing {
    /// `format` counts more than `Accept`, which counts where it names CSV and not JSON.
    pub(crate) fn parse(
        limit: Option<u32>,
        (from, to): (Option<&str>, Option<&str>),
        format: Option<Format>,
        headers: &HeaderMap,
    ) -> Result<Listing, Problem> {
        if limit.is_some_and(|limit| !(1..=PAGE_MAX).contains(&limit)) {
            return Err(Problem::bad_request("Field `limit` is wrong: 1 to 1000."));
        }
        let says = headers.contains_key(header::ACCEPT);
        let by_accept =
            says && accepts(headers, &["text/csv"]) && !accepts(headers, &["application/json"]);
        let csv = format.map_or(by_accept, |format| format == Format::Csv);
        let all = csv && limit.is_none();
        Ok(Listing {
            limit: limit.unwrap_or(if all { PAGE_MAX } else { PAGE }),
            from: from.map(|at| wire::moment("from", at)).transpose()?,
            to: to.map(|at| wire::moment("to", at)).transpose()?,
            csv,
            all,
        })
    }

    /// As CSV: what was asked for, or all there is.
    pub(crate) async fn rows<C, F, N>(
        &self,
        name: &str,
        head: &[&str],
        from: Option<C>,
        page: F,
    ) -> Result<Response, Problem>
    where
        C: Send + 'static,
        F: Fn(Option<C>) -> N + Send + 'static,
        N: Future<Output = Result<CsvPage<C>, Problem>> + Send,
    {
        let all = self.all;
        csv::answer(name, head, from, move |cursor| {
            let page = page(cursor);
            async move {
                let page = page.await?;
                Ok(CsvPage { next: page.next.filter(|_| all), ..page })
            }
        })
        .await
    }
}

/// A field that is of a type of ours.
pub(crate) fn field<T, E>(
    name: &str,
    text: Option<&str>,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<Option<T>, Problem> {
    let wrong = |_| Problem::bad_request(format!("Field `{name}` is wrong."));
    text.map(parse).transpose().map_err(wrong)
}
