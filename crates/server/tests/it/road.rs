//! The network between a browser and the server, as a real one is: every packet is on its way for
//! some time, no two for the same, none overtakes another; now and then nothing comes for a while,
//! and then all of it at once. Passes datagrams on and reads none of them.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep_until};

/// From the browser to the server; back there is no delay.
const AT_LEAST_MS: u64 = 100;
const AT_MOST_MS: u64 = 140;
const DATAGRAM_MAX: usize = 2_048;
/// Ten seconds of a voice.
const ON_THE_ROAD_MAX: usize = 512;

type StillUntil = Arc<Mutex<Instant>>;

/// Ends when it is dropped.
pub struct Road {
    still_until: StillUntil,
    passing: JoinHandle<()>,
}

impl Road {
    /// In front of the first UDP address of the server that this answer names; gives the answer
    /// that names the road instead, and no other way. (A second one is for browsers that speak to
    /// no loopback address, and hears nothing that comes from one, as the road does.)
    pub async fn to(answer: &str) -> (Road, String) {
        let (mut server, mut by_the_road) = (None, Vec::new());
        let front = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let ours = front.local_addr().expect("its address");
        for line in answer.lines() {
            // RFC 8839 section 5.1: foundation, component, transport, priority, address, port.
            let mut words: Vec<&str> = line.split(' ').collect();
            if !line.starts_with("a=candidate:") {
                by_the_road.push(line.to_owned());
            } else if words[2].eq_ignore_ascii_case("udp") && server.is_none() {
                let at = format!("{}:{}", words[4], words[5]);
                server = Some(at.parse().expect("an address"));
                let (ip, port) = (ours.ip().to_string(), ours.port().to_string());
                (words[4], words[5]) = (&ip, &port);
                by_the_road.push(words.join(" "));
            }
        }
        let still_until = Arc::new(Mutex::new(Instant::now()));
        let server = server.expect("a candidate of UDP");
        let passing = tokio::spawn(pass(Arc::new(front), server, still_until.clone()));
        (Road { still_until, passing }, by_the_road.join("\r\n") + "\r\n")
    }

    /// Nothing reaches the server for so long, what is on its way neither; then all of it at once.
    pub fn stand_still(&self, ms: u64) {
        let until = Instant::now() + Duration::from_millis(ms);
        *self.still_until.lock().expect("never poisoned") = until;
    }
}

impl Drop for Road {
    fn drop(&mut self) {
        self.passing.abort();
    }
}

/// A browser tries several sockets of its own; the server knows each by another one of the road.
async fn pass(front: Arc<UdpSocket>, server: SocketAddr, still_until: StillUntil) {
    let mut lanes: HashMap<SocketAddr, mpsc::Sender<(Instant, Vec<u8>)>> = HashMap::new();
    let mut tasks = JoinSet::new();
    let mut dice = StdRng::seed_from_u64(7);
    let mut datagram = [0; DATAGRAM_MAX];
    loop {
        // On Linux what a peer refused comes back here as an error: it is none of the road's.
        let Ok((length, from)) = front.recv_from(&mut datagram).await else { continue };
        let lane = match lanes.get(&from) {
            Some(lane) => lane.clone(),
            None => {
                let back = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
                back.connect(server).await.expect("an address");
                let (back, (lane, sent)) = (Arc::new(back), mpsc::channel(ON_THE_ROAD_MAX));
                tasks.spawn(to_server(back.clone(), sent, still_until.clone()));
                tasks.spawn(to_browser(back, front.clone(), from));
                lanes.insert(from, lane.clone());
                lane
            }
        };
        let takes = Duration::from_millis(dice.random_range(AT_LEAST_MS..=AT_MOST_MS));
        // What finds no room is lost, as on any network.
        let _ = lane.try_send((Instant::now() + takes, datagram[..length].to_vec()));
    }
}

async fn to_server(
    back: Arc<UdpSocket>,
    mut sent: mpsc::Receiver<(Instant, Vec<u8>)>,
    still_until: StillUntil,
) {
    while let Some((due, datagram)) = sent.recv().await {
        sleep_until(due).await;
        let still = *still_until.lock().expect("never poisoned");
        sleep_until(still).await;
        let _ = back.send(&datagram).await;
    }
}

async fn to_browser(back: Arc<UdpSocket>, front: Arc<UdpSocket>, browser: SocketAddr) {
    let mut datagram = [0; DATAGRAM_MAX];
    loop {
        let Ok(length) = back.recv(&mut datagram).await else { continue };
        let _ = front.send_to(&datagram[..length], browser).await;
    }
}
