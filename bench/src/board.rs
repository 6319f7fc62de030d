//! A floor that never rests, for whoever looks at its board: people and calls, each of which
//! changes once a second, until standard input ends. Knows no page; `web/bench` looks.

use crate::SERVER_CORE;
use crate::phones::Phones;
use crate::rounds::{self, Kind};
use crate::server::{LOGIN, PASSWORD, Server};
use anyhow::Result;
use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::MissedTickBehavior;

/// A second is cut into so many; each takes its share of the changes.
const SLICES: usize = 20;

pub async fn serve(agents: usize, calls: usize, binary: PathBuf) -> Result<()> {
    let phones = Phones::start().await?;
    let server = Server::start(&binary, SERVER_CORE, phones.address(), agents)?;
    server.let_in()?;
    let keys = (0..agents).map(|n| server.key_of(n)).collect::<Result<Vec<_>>>()?;
    let up = rounds::set_up(Kind::Plain, calls, &server, &phones).await?;
    let ids: Vec<String> = server.calls().await?.into_iter().map(|(id, _)| id).collect();
    println!("web     {}", server.http);
    println!("sign-in {LOGIN} / {PASSWORD}");
    println!("calls   {}", ids.len());

    let (tell, mut over) = oneshot::channel();
    std::thread::spawn(move || {
        // Its end, or an error, is what is waited for.
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        let _ = tell.send(());
    });
    let mut slice = tokio::time::interval(Duration::from_secs(1) / SLICES as u32);
    slice.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut changes, mut refused) = (0, 0);
    for n in 0.. {
        tokio::select! {
            _ = &mut over => break,
            _ = slice.tick() => {}
        }
        let second_is_odd = n / SLICES % 2 == 1;
        let here = |at: &usize| at % SLICES == n % SLICES;
        let held = (0..ids.len()).filter(here).map(|at| hold(&server, &ids[at], second_is_odd));
        let away = (0..agents).filter(here).map(|at| state(&server, &keys[at], second_is_odd));
        let (held, away) = tokio::join!(join_all(held), join_all(away));
        for done in held.into_iter().chain(away) {
            *if done.is_ok() { &mut changes } else { &mut refused } += 1;
        }
    }
    println!("changes {changes}, refused {refused}");
    rounds::tear_down(up).await?;
    phones.shutdown().await;
    Ok(())
}

async fn hold(server: &Server, call: &str, resume: bool) -> Result<Value> {
    let what = if resume { "resume" } else { "hold" };
    server.send(Method::POST, &format!("/calls/{call}/{what}"), json!({})).await
}

async fn state(server: &Server, key: &str, away: bool) -> Result<Value> {
    let body = match away {
        true => json!({ "state": "not_available", "reason": "break" }),
        false => json!({ "state": "available" }),
    };
    server.send_as(key, Method::PUT, "/me/state", body).await
}
