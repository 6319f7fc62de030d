//! Calls between a browser and a telephone of G.711. A browser that speaks G.711 too costs what
//! SRTP costs; one that speaks Opus is decoded and encoded as well. The browser is `testkit`'s, by
//! the library that the server uses: what both ends share is paid on the other core.

use crate::phones::{Answered, Phones};
use crate::rounds::{self, Round};
use crate::server::Server;
use crate::traffic::{Running, Sockets, Stream};
use anyhow::{Context, Result};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use undertone_sdp::Codec;
use undertone_testkit::browser::{Browser, BrowserConfig};

const SOON: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(5);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Speaks {
    G711,
    Opus,
}

impl Speaks {
    pub const ALL: [Speaks; 2] = [Speaks::G711, Speaks::Opus];

    pub fn name(self) -> &'static str {
        match self {
            Speaks::G711 => "browser_g711",
            Speaks::Opus => "browser_opus",
        }
    }

    fn codec(self) -> Codec {
        match self {
            Speaks::G711 => Codec::Pcmu,
            Speaks::Opus => Codec::Opus,
        }
    }
}

pub async fn round(
    speaks: Speaks,
    keys: &[String],
    server: &Server,
    phones: &Phones,
    window: Duration,
) -> Result<Round> {
    let sockets = Sockets::bind()?;
    let ports: Vec<u16> = (0..keys.len()).map(|n| sockets.port_of(n)).collect();
    let running = Running::start(sockets);
    let (mut browsers, mut customers) = (Vec::new(), Vec::new());
    for (n, key) in keys.iter().enumerate() {
        browsers.push(open(speaks, key, server).await?);
        let (customer, ()) =
            tokio::try_join!(phones.dial(n, server.sip, ports[n]), answer(n, key, server))?;
        running.add(Stream { number: n, remote: customer.remote })?;
        customers.push(customer);
    }
    let (cpu, took) = rounds::measure(&running, &server.process, window).await?;
    let (_, heard) = running.stop()?;
    let hears = |browser: &Browser| browser.noticed().packets.values().sum::<u64>() > 0;
    anyhow::ensure!(browsers.iter().all(hears), "a browser hears nothing");
    for key in keys {
        server.send_as(key, Method::DELETE, "/me/phone", Value::Null).await?;
    }
    for customer in customers {
        ended(customer).await?;
    }
    drop(browsers);
    Ok(rounds::round(keys.len(), cpu, took, &heard, keys.len()))
}

/// The agent's browser, connected.
async fn open(speaks: Speaks, key: &str, server: &Server) -> Result<Browser> {
    let browser = Browser::new(BrowserConfig::new(&[speaks.codec()], 500.0));
    let body = json!({ "sdp": browser.offer, "tab": "bench", "here": true });
    let phone = server.send_as(key, Method::POST, "/me/phone", body).await?;
    browser.answered(phone["sdp"].as_str().context("no answer to the offer")?);
    let bound = Instant::now() + SOON;
    // The server's word: a page that it does not know to be up does not ring.
    while server.send_as(key, Method::GET, "/me/phone", Value::Null).await?["state"] != "up" {
        anyhow::ensure!(Instant::now() < bound, "the browser does not connect");
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(browser)
}

/// Takes the call that rings at agent `n` in the browser; the desk phone has refused it.
async fn answer(n: usize, key: &str, server: &Server) -> Result<()> {
    let (agent, bound) = (format!("a{n}"), Instant::now() + SOON);
    loop {
        let calls = server.calls().await?;
        if let Some((id, _)) = calls.iter().find(|(_, person)| *person == agent) {
            let path = format!("/calls/{id}/answer");
            if server.send_as(key, Method::POST, &path, Value::Null).await.is_ok() {
                return Ok(());
            }
        }
        anyhow::ensure!(Instant::now() < bound, "nothing rings at {agent}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

async fn ended(mut customer: Answered) -> Result<()> {
    customer.dialog.bye();
    let ended =
        async { while customer.events.recv().await.is_some_and(|e| !rounds::is_end(&e)) {} };
    tokio::time::timeout(SOON, ended).await.context("a customer's call stayed up")
}
