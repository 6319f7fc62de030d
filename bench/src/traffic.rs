//! RTP at 50 packets a second a stream, from few sockets to many ports, and what comes back:
//! count, gaps in the sequence, and the time from the sender's stamp to here.
//!
//! One thread on one core. A stream is one leg: what it sends goes to one port of the server, and
//! what comes from that port is its own.

use anyhow::{Context, Result};
use socket2::{Domain, Protocol, Socket, Type};
use std::collections::HashMap;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const SOCKETS: usize = 16;
const SLOTS: usize = 10;
const SLOT: Duration = Duration::from_millis(2);
const RTP_BYTES: usize = 172;
const MAGIC: [u8; 4] = *b"UTbn";
/// G.711 µ-law silence.
const SILENCE: u8 = 0xff;
const LATENCY_STEP_US: u64 = 10;
const LATENCY_STEPS: usize = 100_000;
const STREAMS_WAITING_AT_MOST: usize = 8_192;

/// The local ends: bound before calls are made, because offers name them.
pub struct Sockets {
    sockets: Vec<UdpSocket>,
    pub ports: Vec<u16>,
}

impl Sockets {
    pub fn bind() -> Result<Sockets> {
        let mut sockets = Vec::new();
        for _ in 0..SOCKETS {
            let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
            // The kernel caps this; several sockets share the load because of it.
            let _ = socket.set_recv_buffer_size(4 << 20);
            socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
            socket.set_nonblocking(true)?;
            sockets.push(UdpSocket::from(socket));
        }
        let ports = sockets
            .iter()
            .map(|s| s.local_addr().map(|a| a.port()))
            .collect::<Result<_, _>>()
            .context("local ports")?;
        Ok(Sockets { sockets, ports })
    }

    /// The port that leg number `n` names in its description.
    pub fn port_of(&self, n: usize) -> u16 {
        self.ports[n % SOCKETS]
    }
}

/// One leg: it sends from socket `local` to `remote`.
#[derive(Clone, Debug)]
pub struct Stream {
    pub number: usize,
    pub remote: SocketAddr,
}

#[derive(Debug, Default, Clone)]
pub struct Heard {
    pub sent: u64,
    pub received: u64,
    /// Missing in the sequences of what came.
    pub lost: u64,
    /// Of packets that came through untouched; microseconds in steps of 10.
    pub latency: Latency,
}

#[derive(Debug, Clone)]
pub struct Latency {
    steps: Vec<u32>,
    pub count: u64,
}

impl Default for Latency {
    fn default() -> Self {
        Self { steps: vec![0; LATENCY_STEPS], count: 0 }
    }
}

impl Latency {
    fn add(&mut self, us: u64) {
        let step = (us / LATENCY_STEP_US) as usize;
        self.steps[step.min(LATENCY_STEPS - 1)] += 1;
        self.count += 1;
    }

    /// Milliseconds under which the share `q` lies; None with nothing measured.
    pub fn quantile_ms(&self, q: f64) -> Option<f64> {
        let wanted = (self.count as f64 * q).ceil().max(1.0) as u64;
        let mut seen = 0;
        for (step, n) in self.steps.iter().enumerate() {
            seen += u64::from(*n);
            if seen >= wanted {
                return Some((step as u64 * LATENCY_STEP_US) as f64 / 1_000.0);
            }
        }
        None
    }
}

/// Streams being sent. Ends, and gives the sockets back, with `stop`.
pub struct Running {
    stop: Arc<AtomicBool>,
    counting: Arc<AtomicBool>,
    streams: SyncSender<Stream>,
    thread: JoinHandle<(Sockets, Heard)>,
}

impl Running {
    /// Sends nothing until a stream is added.
    pub fn start(sockets: Sockets) -> Running {
        let stop = Arc::new(AtomicBool::new(false));
        let counting = Arc::new(AtomicBool::new(false));
        let flags = (stop.clone(), counting.clone());
        let (streams, added) = sync_channel(STREAMS_WAITING_AT_MOST);
        let thread = std::thread::spawn(move || run(sockets, &added, &flags.0, &flags.1));
        Running { stop, counting, streams, thread }
    }

    pub fn add(&self, stream: Stream) -> Result<()> {
        self.streams.send(stream).context("the traffic thread has ended")
    }

    /// From here on what is sent and heard counts.
    pub fn count(&self, on: bool) {
        self.counting.store(on, Ordering::SeqCst);
    }

    pub fn stop(self) -> Result<(Sockets, Heard)> {
        self.stop.store(true, Ordering::SeqCst);
        self.thread.join().map_err(|_| anyhow::anyhow!("the traffic thread panicked"))
    }
}

struct Sender {
    local: usize,
    remote: SocketAddr,
    packet: [u8; RTP_BYTES],
    seq: u16,
    ts: u32,
}

impl Sender {
    fn new(stream: &Stream) -> Sender {
        let mut packet = [SILENCE; RTP_BYTES];
        packet[0] = 0x80;
        packet[1] = 0;
        packet[8..12].copy_from_slice(&(0x1000_0000 + stream.number as u32).to_be_bytes());
        packet[12..16].copy_from_slice(&MAGIC);
        Sender { local: stream.number % SOCKETS, remote: stream.remote, packet, seq: 0, ts: 0 }
    }

    fn send(&mut self, sockets: &[UdpSocket], began: Instant) -> bool {
        self.packet[2..4].copy_from_slice(&self.seq.to_be_bytes());
        self.packet[4..8].copy_from_slice(&self.ts.to_be_bytes());
        let stamp = began.elapsed().as_nanos() as u64;
        self.packet[16..24].copy_from_slice(&stamp.to_be_bytes());
        self.seq = self.seq.wrapping_add(1);
        self.ts = self.ts.wrapping_add(160);
        sockets[self.local].send_to(&self.packet, self.remote).is_ok()
    }
}

struct Receivers {
    /// Last sequence number from each remote port, while counting.
    last: HashMap<u16, u16>,
    heard: Heard,
}

impl Receivers {
    fn sweep(&mut self, sockets: &[UdpSocket], began: Instant, counting: bool) -> bool {
        let mut any = false;
        let mut datagram = [0u8; 2_048];
        for socket in sockets {
            for _ in 0..64 {
                match socket.recv_from(&mut datagram) {
                    Ok((length, from)) => {
                        any = true;
                        if counting && length >= 12 {
                            self.take(&datagram[..length], from.port(), began);
                        }
                    }
                    Err(e) if e.kind() == ErrorKind::WouldBlock => break,
                    Err(_) => break,
                }
            }
        }
        any
    }

    fn take(&mut self, packet: &[u8], port: u16, began: Instant) {
        // RTCP comes to the RTP port only by mistake; it is not counted.
        if packet[1] & 0x7f >= 64 && packet[1] & 0x7f < 96 {
            return;
        }
        self.heard.received += 1;
        let seq = u16::from_be_bytes([packet[2], packet[3]]);
        if let Some(last) = self.last.insert(port, seq) {
            let step = seq.wrapping_sub(last);
            if step > 1 && step < 0x8000 {
                self.heard.lost += u64::from(step - 1);
            }
        }
        if packet.len() >= 24 && packet[12..16] == MAGIC {
            let mut stamp = [0; 8];
            stamp.copy_from_slice(&packet[16..24]);
            let now = began.elapsed().as_nanos() as u64;
            let age = now.saturating_sub(u64::from_be_bytes(stamp));
            self.heard.latency.add(age / 1_000);
        }
    }
}

fn run(
    sockets: Sockets,
    added: &Receiver<Stream>,
    stop: &AtomicBool,
    counting: &AtomicBool,
) -> (Sockets, Heard) {
    let began = Instant::now();
    let mut senders: Vec<Sender> = Vec::new();
    let mut receivers = Receivers { last: HashMap::new(), heard: Heard::default() };
    let mut slot = 0usize;
    let mut due = began;
    while !stop.load(Ordering::Relaxed) {
        let counts = counting.load(Ordering::Relaxed);
        senders.extend(added.try_iter().map(|stream| Sender::new(&stream)));
        for (i, n) in (slot..senders.len()).step_by(SLOTS).enumerate() {
            let ok = senders[n].send(&sockets.sockets, began);
            receivers.heard.sent += u64::from(ok && counts);
            if i % 16 == 15 {
                receivers.sweep(&sockets.sockets, began, counts);
            }
        }
        slot = (slot + 1) % SLOTS;
        due += SLOT;
        while Instant::now() < due {
            if !receivers.sweep(&sockets.sockets, began, counts) {
                pause();
            }
        }
    }
    (sockets, receivers.heard)
}

/// Paces the sending; nothing is waited for.
#[allow(clippy::disallowed_methods)]
fn pause() {
    std::thread::sleep(Duration::from_micros(50));
}
