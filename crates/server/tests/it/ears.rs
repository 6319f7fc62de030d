//! Ends of calls that only talk and listen: each says a tone to whoever sends to it, and keeps
//! account of when packets came and what was in them. Knows no signalling.

use crate::stage::{RATE, within};
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use undertone_media::codec::{Decoder, Encoder};
use undertone_media::rtp::{Header, Packet};
use undertone_phone::Codec;
use undertone_testkit::spectrum::goertzel_hann;

const TONE: f64 = 1_000.0;
const FRAME: usize = RATE as usize / 50;
const FRAME_TIME: Duration = Duration::from_millis(20);
/// A packet is due each 20 ms; later than that by so much is a gap.
const GAP: Duration = Duration::from_millis(40);

/// What one end of one call got since it was last told to forget.
#[derive(Clone, Debug, Default)]
pub struct Heard {
    pub packets: usize,
    /// In milliseconds beyond the 20 that are due.
    pub gaps_ms: Vec<u128>,
    /// Packets in which the other's tone is not.
    pub toneless: usize,
    last: Option<Instant>,
}

/// One end. It talks until it is dropped.
pub struct Ear {
    pub port: u16,
    heard: Arc<Mutex<Heard>>,
    /// Packets in all, for who waits for the next.
    packets: watch::Receiver<usize>,
    stop: Arc<AtomicBool>,
}

impl Ear {
    /// A thread of its own, so that no runtime's delay is taken for the server's.
    pub fn open() -> Ear {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        let port = socket.local_addr().expect("bound").port();
        let (heard, stop): (Arc<Mutex<Heard>>, Arc<AtomicBool>) = Default::default();
        let (counts, packets) = watch::channel(0);
        let end = End { heard: heard.clone(), counts, stop: stop.clone() };
        std::thread::spawn(move || end.talk(&socket));
        Ear { port, heard, packets, stop }
    }

    fn lock(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().expect("unpoisoned")
    }

    /// From now on only what comes after counts.
    pub fn forget(&self) {
        *self.lock() = Heard::default();
    }

    pub fn heard(&self) -> Heard {
        self.lock().clone()
    }

    /// Waits until so many more packets have come.
    pub async fn more(&self, count: usize) {
        let mut packets = self.packets.clone();
        let wanted = *packets.borrow() + count;
        within(packets.wait_for(|have| *have >= wanted)).await.expect("it listens");
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// What the thread of one end has.
struct End {
    heard: Arc<Mutex<Heard>>,
    counts: watch::Sender<usize>,
    stop: Arc<AtomicBool>,
}

impl End {
    fn talk(&self, socket: &UdpSocket) {
        // Before the flood's own threads: what is late here would be taken for the server's.
        // Without the right to it, it still works.
        let _ = rustix::process::nice(-10);
        let mut voice = Voice::new();
        let mut decoder = Decoder::new(Codec::Pcmu).expect("G.711");
        let (mut to, mut datagram) = (None::<SocketAddr>, [0; 2_048]);
        let mut next = Instant::now();
        while !self.stop.load(Ordering::Relaxed) {
            let now = Instant::now();
            if now >= next {
                next += FRAME_TIME;
                let packet = voice.next();
                if let Some(to) = to {
                    let _ = socket.send_to(packet, to);
                }
                continue;
            }
            let _ = socket.set_read_timeout(Some(next - now));
            let Ok((length, from)) = socket.recv_from(&mut datagram) else { continue };
            let came = Instant::now();
            to = Some(from);
            if let Ok(packet) = Packet::parse(&datagram[..length]) {
                self.hear(came, packet.payload, &mut decoder);
            }
        }
    }

    fn hear(&self, came: Instant, payload: &[u8], decoder: &mut Decoder) {
        let mut pcm = Vec::with_capacity(FRAME);
        if decoder.decode(payload, &mut pcm).is_err() || pcm.is_empty() {
            return;
        }
        let mut heard = self.heard.lock().expect("unpoisoned");
        heard.packets += 1;
        heard.toneless += usize::from(goertzel_hann(&pcm, RATE, TONE) < -30.0);
        let since = heard.last.replace(came).map(|last| came - last);
        if let Some(late) = since.filter(|since| *since > GAP + FRAME_TIME) {
            heard.gaps_ms.push((late - FRAME_TIME).as_millis());
        }
        drop(heard);
        self.counts.send_modify(|count| *count += 1);
    }
}

/// The tone, packet by packet.
struct Voice {
    encoder: Encoder,
    header: Header,
    phase: f64,
    payload: Vec<u8>,
    bytes: Vec<u8>,
}

impl Voice {
    fn new() -> Voice {
        let (seq, ts, ssrc) = rand::random();
        Voice {
            encoder: Encoder::new(Codec::Pcmu, &Default::default()).expect("G.711"),
            header: Header { marker: false, pt: 0, seq, ts, ssrc },
            phase: 0.0,
            payload: Vec::new(),
            bytes: Vec::new(),
        }
    }

    fn next(&mut self) -> &[u8] {
        let mut pcm = [0; FRAME];
        for sample in &mut pcm {
            *sample = (self.phase.sin() * 10_000.0) as i16;
            self.phase += std::f64::consts::TAU * TONE / f64::from(RATE);
        }
        self.header.seq = self.header.seq.wrapping_add(1);
        self.header.ts = self.header.ts.wrapping_add(FRAME as u32);
        self.payload.clear();
        self.encoder.encode(&pcm, &mut self.payload).expect("encoded");
        self.header.write(&self.payload, &mut self.bytes);
        &self.bytes
    }
}
