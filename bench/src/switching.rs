//! How long a change of mode takes to be heard, and how long a supervisor waits for first sound.
//!
//! One call. Customer and agent are silent, the supervisor's phone is loud all the time: the first
//! loud packet at a party is the first that has the supervisor in it.

use crate::phones::Phones;
use crate::server::Server;
use anyhow::{Context, Result};
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::watch;

const TICK: Duration = Duration::from_millis(20);
const NEVER: u64 = u64::MAX;

/// One phone's sound: sends a packet every 20 ms, and notes when what comes changes.
struct Ear {
    socket: UdpSocket,
    remote: Mutex<Option<SocketAddr>>,
    loud: bool,
    stop: AtomicBool,
    packets: AtomicU64,
    /// Microseconds from `began` to the third packet and to the last change of loudness.
    third_us: AtomicU64,
    hears: watch::Sender<(bool, u64)>,
    began: Instant,
}

impl Ear {
    fn open(loud: bool) -> Result<Open> {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        socket.set_read_timeout(Some(Duration::from_millis(1)))?;
        let ear = Arc::new(Ear {
            socket,
            remote: Mutex::new(None),
            loud,
            stop: AtomicBool::new(false),
            packets: AtomicU64::new(0),
            third_us: AtomicU64::new(NEVER),
            hears: watch::channel((false, 0)).0,
            began: Instant::now(),
        });
        let thread = ear.clone();
        std::thread::spawn(move || thread.run());
        Ok(Open(ear))
    }

    fn port(&self) -> Result<u16> {
        Ok(self.socket.local_addr()?.port())
    }

    fn talk_to(&self, remote: SocketAddr) {
        if let Ok(mut slot) = self.remote.lock() {
            *slot = Some(remote);
        }
    }

    fn now_us(&self) -> u64 {
        self.began.elapsed().as_micros() as u64
    }

    fn run(&self) {
        let mut packet = [0xffu8; 172];
        packet[0] = 0x80;
        packet[1] = 0;
        if self.loud {
            // A square wave of 500 Hz, near full scale, in µ-law.
            for (i, byte) in packet[12..].iter_mut().enumerate() {
                *byte = if i % 16 < 8 { 0x90 } else { 0x10 };
            }
        }
        let (mut seq, mut due) = (0u16, Instant::now());
        let mut datagram = [0u8; 2_048];
        while !self.stop.load(Ordering::Relaxed) {
            if Instant::now() >= due {
                due += TICK;
                seq = seq.wrapping_add(1);
                packet[2..4].copy_from_slice(&seq.to_be_bytes());
                packet[4..8].copy_from_slice(&(u32::from(seq) * 160).to_be_bytes());
                let remote = self.remote.lock().ok().and_then(|r| *r);
                if let Some(remote) = remote {
                    let _ = self.socket.send_to(&packet, remote);
                }
            }
            // Read timeouts pace this loop.
            let Ok((length, _)) = self.socket.recv_from(&mut datagram) else { continue };
            let now = self.now_us();
            if self.packets.fetch_add(1, Ordering::Relaxed) == 2 {
                self.third_us.store(now, Ordering::Relaxed);
            }
            if length > 12 {
                let loud = is_loud(&datagram[12..length]);
                self.hears.send_if_modified(|(heard, at)| {
                    let changed = *heard != loud;
                    (*heard, *at) = if changed { (loud, now) } else { (*heard, *at) };
                    changed
                });
            }
        }
    }

    /// Waits until what comes is `loud`; microseconds on this ear's clock.
    async fn wait(&self, loud: bool) -> Result<u64> {
        let mut hears = self.hears.subscribe();
        let seen = hears.wait_for(|(heard, _)| *heard == loud);
        let seen = tokio::time::timeout(Duration::from_secs(5), seen).await;
        Ok(seen.with_context(|| format!("loud={loud} was not heard in 5 s"))??.1)
    }
}

/// Ends the ear's thread when dropped.
struct Open(Arc<Ear>);

impl std::ops::Deref for Open {
    type Target = Ear;
    fn deref(&self) -> &Ear {
        &self.0
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.stop.store(true, Ordering::Relaxed);
    }
}

/// Mean closeness of µ-law codes to full scale: 0 is silence, 127 is full, the supervisor's wave 111,
/// the coaching beep about 70.
fn is_loud(payload: &[u8]) -> bool {
    let sum: u32 = payload.iter().map(|b| u32::from(0x7f - (b & 0x7f))).sum();
    sum / payload.len() as u32 > 90
}

#[derive(Debug, Default)]
pub struct Delays {
    /// Milliseconds, sorted.
    pub switch_ms: Vec<f64>,
    pub barge_ms: Vec<f64>,
    pub attach_ms: Vec<f64>,
}

pub fn quantile(sorted: &[f64], q: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    sorted.get(((last as f64) * q).ceil() as usize).copied()
}

pub async fn measure(
    server: &Server,
    phones: &Phones,
    switches: usize,
    raises: usize,
    attaches: usize,
) -> Result<Delays> {
    let (customer, agent, coach) = (Ear::open(false)?, Ear::open(false)?, Ear::open(true)?);
    let call = phones.call(0, server.sip, (customer.port()?, agent.port()?)).await?;
    customer.talk_to(call.customer.remote);
    agent.talk_to(call.agent.remote);
    let mut delays = Delays::default();

    let told = phones.expect("s0", coach.port()?);
    let joined = async {
        let leg = told.await.context("the supervisor's phone was not called")?;
        coach.talk_to(leg.remote);
        anyhow::Ok(leg)
    };
    let (leg, supervision) = tokio::join!(joined, server.supervise(0, "listen"));
    let (_leg, supervision) = (leg?, supervision?);
    for _ in 0..switches {
        agent.wait(false).await?;
        let sent = agent.now_us();
        server.change(&supervision, "whisper").await?;
        delays.switch_ms.push((agent.wait(true).await? - sent) as f64 / 1e3);
        server.change(&supervision, "listen").await?;
    }
    for _ in 0..raises {
        customer.wait(false).await?;
        let sent = customer.now_us();
        server.change(&supervision, "barge").await?;
        delays.barge_ms.push((customer.wait(true).await? - sent) as f64 / 1e3);
        server.change(&supervision, "listen").await?;
    }
    server.leave(&supervision).await?;
    for _ in 0..attaches {
        delays.attach_ms.push(attach(server, phones).await?);
    }
    call.customer.dialog.bye();
    for list in [&mut delays.switch_ms, &mut delays.barge_ms, &mut delays.attach_ms] {
        list.sort_by(f64::total_cmp);
    }
    Ok(delays)
}

/// From POST sent to the third packet at a phone that answers at once.
async fn attach(server: &Server, phones: &Phones) -> Result<f64> {
    let ear = Ear::open(false)?;
    let told = phones.expect("s0", ear.port()?);
    let sent = ear.now_us();
    let joined = async {
        let leg = told.await.context("the supervisor's phone was not called")?;
        ear.talk_to(leg.remote);
        anyhow::Ok(leg)
    };
    let (leg, supervision) = tokio::join!(joined, server.supervise(0, "listen"));
    let mut leg = leg?;
    let third = ear.third_us.load(Ordering::Relaxed);
    server.leave(&supervision?).await?;
    while leg.events.recv().await.is_some_and(|e| !is_end(&e)) {}
    anyhow::ensure!(third != NEVER, "live was said before three packets came");
    Ok((third - sent) as f64 / 1e3)
}

fn is_end(event: &undertone_sip::DialogEvent) -> bool {
    matches!(event, undertone_sip::DialogEvent::Ended { .. })
}
