//! A phone's media without a phone: one UDP socket that says a tone in G.711 and keeps every
//! packet that comes, for phones whose signalling is done by a foreign program.

use crate::microphone::Microphone;
use crate::stage::RATE;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::task::AbortHandle;
use undertone_media::codec::{Decoder, Encoder};
use undertone_media::rtp::{Header, Packet, seq_diff, ts_diff};
use undertone_phone::{Codec, Recording};

const FRAME: usize = RATE as usize / 50;
const PCMU: u8 = 0;

/// The head of a packet that came.
#[derive(Clone, Copy, Debug)]
pub struct Got {
    pub seq: u16,
    pub ts: u32,
    pub ssrc: u32,
    pub marker: bool,
}

pub struct RtpSocket {
    pub port: u16,
    pub heard: Recording,
    /// Off, it sends nothing at all.
    pub sends: Arc<AtomicBool>,
    got: Arc<Mutex<Vec<Got>>>,
    running: AbortHandle,
}

impl RtpSocket {
    /// Sends to whoever sends to it.
    pub async fn open(hz: f64) -> RtpSocket {
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a socket");
        let port = socket.local_addr().expect("bound").port();
        let (says, heard) = (Microphone::new(Some(hz)), Recording::new(RATE));
        let sends = Arc::new(AtomicBool::new(true));
        let got: Arc<Mutex<Vec<Got>>> = Arc::default();
        let run = run(socket, says, heard.clone(), sends.clone(), got.clone());
        let running = tokio::spawn(run);
        RtpSocket { port, heard, sends, got, running: running.abort_handle() }
    }

    pub fn packets(&self) -> Vec<Got> {
        self.got.lock().expect("unpoisoned").clone()
    }

    /// Packets out of sequence, and those whose timestamp is not that of their place.
    pub fn faults(&self) -> (usize, usize) {
        let got = self.packets();
        let pairs = || got.windows(2);
        let out = pairs().filter(|p| p[0].ssrc != p[1].ssrc || seq_diff(p[1].seq, p[0].seq) != 1);
        let moved = |p: &[Got]| ts_diff(p[1].ts, p[0].ts);
        let wrong = pairs().filter(|p| moved(p) != FRAME as i64 && !p[1].marker);
        (out.count(), wrong.count())
    }
}

impl Drop for RtpSocket {
    fn drop(&mut self) {
        self.running.abort();
    }
}

async fn run(
    socket: UdpSocket,
    says: Microphone,
    heard: Recording,
    sends: Arc<AtomicBool>,
    got: Arc<Mutex<Vec<Got>>>,
) {
    let mut encoder = Encoder::new(Codec::Pcmu, &Default::default()).expect("G.711");
    let mut decoder = Decoder::new(Codec::Pcmu).expect("G.711");
    let (mut sound, mut sink) = (says.sound(RATE), heard.sink());
    let (mut seq, mut ts, ssrc) = (rand::random::<u16>(), rand::random::<u32>(), rand::random());
    let (mut pcm, mut out, mut bytes) = ([0i16; FRAME], Vec::new(), Vec::new());
    let (mut datagram, mut decoded) = ([0u8; 2_048], Vec::new());
    let mut to: Option<SocketAddr> = None;
    let mut pace = tokio::time::interval(Duration::from_millis(20));
    loop {
        tokio::select! {
            _ = pace.tick() => {
                sound.fill(&mut pcm);
                (seq, ts) = (seq.wrapping_add(1), ts.wrapping_add(FRAME as u32));
                let Some(to) = to.filter(|_| sends.load(Ordering::Relaxed)) else { continue };
                out.clear();
                encoder.encode(&pcm, &mut out).expect("encoded");
                Header { marker: false, pt: PCMU, seq, ts, ssrc }.write(&out, &mut bytes);
                let _ = socket.send_to(&bytes, to).await;
            }
            Ok((length, from)) = socket.recv_from(&mut datagram) => {
                to = Some(from);
                let Ok(packet) = Packet::parse(&datagram[..length]) else { continue };
                let Packet { seq, ts, ssrc, marker, .. } = packet;
                got.lock().expect("unpoisoned").push(Got { seq, ts, ssrc, marker });
                decoded.clear();
                if packet.pt == PCMU && decoder.decode(packet.payload, &mut decoded).is_ok() {
                    let _ = sink.frame(RATE, &decoded);
                }
            }
        }
    }
}
