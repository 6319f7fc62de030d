//! After the load: every call that a phone began is on record once, ended, with times that add up
//! and that the phones' own clocks bear out; every act has its end in the audit.

use crate::call::World;
use crate::identities::{at_ms, broken};
use crate::tally::{Script, count};
use anyhow::{Context, Result};
use futures::{StreamExt, stream};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

/// Between a phone's clock and the server's: transport, and a busy machine.
const APART_MS: i64 = 2_500;
const ASKED_AT_ONCE: usize = 8;

#[derive(Debug, Default)]
pub struct Books {
    pub calls: usize,
    pub rows: usize,
    pub supervisions: usize,
    /// What `undertone audit verify` said.
    pub chain: String,
    pub wrong: Vec<String>,
}

pub async fn close(world: &World) -> Books {
    let mut books = Books::default();
    if let Err(error) = check(world, &mut books).await {
        books.wrong.push(format!("the books cannot be read: {error:#}"));
    }
    books
}

async fn check(world: &World, books: &mut Books) -> Result<()> {
    let ids = audited(world, books).await?;
    books.calls = ids.len();
    let calls: Vec<(String, Result<Value>)> = stream::iter(ids)
        .map(|id| async move {
            let answer = world.server.ask(0, "GET", &format!("/calls/{id}"), None).await;
            (id, answer.and_then(|a| (a.status == 200).then_some(a.body).context("not on record")))
        })
        .buffer_unordered(ASKED_AT_ONCE)
        .collect()
        .await;
    let mut by_customer: HashMap<String, Vec<Value>> = HashMap::new();
    for (id, call) in calls {
        match call {
            Err(error) => books.wrong.push(format!("call {id}: {error:#}")),
            Ok(call) => {
                let found = broken(&call);
                books.wrong.extend(found.iter().map(|what| format!("call {id}: {what}")));
                if !found.is_empty() && books.wrong.len() < 5 {
                    books.wrong.push(call.to_string());
                }
                let number = call["parties"][0]["number"].as_str().unwrap_or_default();
                by_customer.entry(number.to_owned()).or_default().push(call);
            }
        }
    }
    let scripts = world.tally.scripts();
    for script in &scripts {
        match_up(script, by_customer.get_mut(&script.customer), books);
    }
    let left: usize = by_customer.values().map(Vec::len).sum();
    if left > 0 {
        books.wrong.push(format!("{left} calls are on record that no phone made"));
    }
    if count(&world.tally.lost) == 0 && books.calls != scripts.len() {
        books.wrong.push(format!("{} calls made, {} on record", scripts.len(), books.calls));
    }
    books.chain = world.server.verify().await?;
    Ok(())
}

/// The record of a script's call; what both know of it must agree.
fn match_up(script: &Script, calls: Option<&mut Vec<Value>>, books: &mut Books) {
    let who = format!("{} at {}", script.customer, script.began_ms);
    let near = |a: i64, b: i64| (a - b).abs() <= APART_MS;
    let found = calls.and_then(|calls| {
        let own =
            |call: &Value| at_ms(&call["started_at"]).is_some_and(|at| near(at, script.began_ms));
        let at = calls.iter().position(own)?;
        Some(calls.swap_remove(at))
    });
    let Some(call) = found else {
        return books.wrong.push(format!("a call of {who} is not on record"));
    };
    if call["answered_at"].is_string() != script.answered {
        books.wrong.push(format!("{who}: answered {} for its phone: {call}", script.answered));
    }
    let ended = at_ms(&call["ended_at"]).unwrap_or(0);
    // A phone that hung up may hear of the end later than the server, never much before.
    if ended > script.ended_ms + APART_MS {
        books.wrong.push(format!("{who}: ended for its phone before the server: {call}"));
    }
    let hold = call["timing"]["hold_ms"].as_i64().unwrap_or(-1);
    if let Some((least, most)) = script.held_ms
        && !(least - 100..=most + 100).contains(&hold)
    {
        books
            .wrong
            .push(format!("{who}: held {least} to {most} ms by its phone, {hold} on record"));
    }
}

/// Reads the audit whole. Every call that began in it, after looking that each began once and
/// ended once, and each supervision too.
async fn audited(world: &World, books: &mut Books) -> Result<Vec<String>> {
    let mut calls: BTreeMap<String, [usize; 2]> = BTreeMap::new();
    let mut supervisions: BTreeMap<String, [usize; 2]> = BTreeMap::new();
    let mut cursor = String::new();
    loop {
        let page = world.server.ask(0, "GET", &format!("/audit?limit=1000{cursor}"), None).await?;
        let rows = page.body["items"].as_array().context("no page of the audit")?;
        books.rows += rows.len();
        for row in rows {
            let id = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
            match row["what"].as_str().unwrap_or_default() {
                // A refused one never was a call.
                "call.start" if row["outcome"] == "allowed" => {
                    calls.entry(id("call_id")).or_default()[0] += 1
                }
                "call.end" => calls.entry(id("call_id")).or_default()[1] += 1,
                "supervision.join" if row["outcome"] == "allowed" => {
                    supervisions.entry(id("supervision_id")).or_default()[0] += 1;
                }
                "supervision.ended" | "supervision.failed" => {
                    supervisions.entry(id("supervision_id")).or_default()[1] += 1;
                }
                _ => {}
            }
        }
        match page.body["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    books.supervisions = supervisions.len();
    for (id, [began, ended]) in calls.iter().chain(&supervisions) {
        if (*began, *ended) != (1, 1) {
            books.wrong.push(format!("{id} began {began} times and ended {ended} times"));
        }
    }
    Ok(calls.into_keys().collect())
}
