//! Rows as CSV (RFC 4180), for spreadsheets: a cell that a spreadsheet would take for a formula is
//! made plain text first. Knows no columns.

use crate::problem::Problem;
use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::stream::{self, Stream, StreamExt as _};

/// One page's rows, and where the next begins.
pub(crate) struct CsvPage<C> {
    pub(crate) rows: Vec<Vec<String>>,
    pub(crate) next: Option<C>,
}

/// A line with its end.
fn line<T: AsRef<str>>(cells: &[T]) -> String {
    let cells: Vec<_> = cells.iter().map(|cell| quoted(&plain(cell.as_ref()))).collect();
    cells.join(",") + "\r\n"
}

/// What a formula begins with, also in the wide forms of East Asian keyboards.
const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// What begins like a formula is text after an apostrophe; so is what would after a blank that a
/// spreadsheet drops.
fn plain(cell: &str) -> String {
    let begins = cell.trim_start_matches([' ', '\u{a0}', '\u{feff}']);
    let formula = begins.starts_with(FORMULA);
    if formula { format!("'{cell}") } else { cell.to_owned() }
}

fn quoted(cell: &str) -> String {
    if cell.contains(['"', ',', ';', '\r', '\n']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

/// The head and all pages from this cursor on; each is asked for when the reader has taken the one
/// before. A later page that cannot be had breaks the connection: a part must not look whole.
pub(crate) async fn answer<C, F, N>(
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
    let first = page(from).await?;
    let begin = Bytes::from(line(head) + &lines(&first.rows));
    let rest = stream::unfold((first.next, page), async |(mut next, page)| {
        loop {
            match page(Some(next?)).await {
                // Nothing in it that was asked for, and there is more.
                Ok(CsvPage { rows, next: more }) if rows.is_empty() => next = more,
                Ok(CsvPage { rows, next }) => {
                    return Some((Ok(Bytes::from(lines(&rows))), (next, page)));
                }
                Err(problem) => {
                    tracing::warn!(?problem, "a list was broken off");
                    let error = std::io::Error::other("the next page cannot be had");
                    return Some((Err(error), (None, page)));
                }
            }
        }
    });
    Ok(sent(name, stream::iter([Ok(begin)]).chain(rest)))
}

fn lines(rows: &[Vec<String>]) -> String {
    rows.iter().map(|row| line(row)).collect()
}

fn sent(
    name: &str,
    chunks: impl Stream<Item = Result<Bytes, std::io::Error>> + Send + 'static,
) -> Response {
    let mut response = Body::from_stream(chunks).into_response();
    let headers = response.headers_mut();
    let kind = HeaderValue::from_static("text/csv; charset=utf-8; header=present");
    headers.insert(header::CONTENT_TYPE, kind);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let place = format!("attachment; filename=\"{name}.csv\"");
    if let Ok(place) = HeaderValue::from_str(&place) {
        headers.insert(header::CONTENT_DISPOSITION, place);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_that_would_be_a_formula_is_text() {
        for evil in ["=1+1", "+4512345678", "-2", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1"] {
            assert_eq!(plain(evil), format!("'{evil}"), "{evil:?}");
        }
        for good in ["", "a=b", "12", "2026-11-21T22:00:00.000Z", "'=1"] {
            assert_eq!(plain(good), good);
        }
    }

    #[test]
    fn separators_quotes_and_line_ends_stay_in_their_cell() {
        let cells = ["a,b", "say \"hi\"", "two\r\nlines", "=cmd|' /C calc'!A0,\"x\"", ""];
        let line = line(&cells);
        assert_eq!(
            line,
            "\"a,b\",\"say \"\"hi\"\"\",\"two\r\nlines\",\"'=cmd|' /C calc'!A0,\"\"x\"\"\",\r\n"
        );
    }
}
