//! `leg: stream` over real sockets: the sound comes, its proof comes from the socket, and a
//! reader that does not read is cut off.

use crate::doors::routed;
use crate::memory::{Memory, memory};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use undertone_api::{Door, SoundEnded, listen, serve};

const BODY: &str = r#"{"mode":"listen","leg":{"kind":"stream"}}"#;

async fn server() -> (SocketAddr, Arc<Memory>) {
    let memory = memory();
    let listener = listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(serve(listener, Door::default(), routed(memory.clone()), std::future::pending()));
    (addr, memory)
}

async fn open(addr: SocketAddr, accept: &str) -> TcpStream {
    let mut socket = TcpStream::connect(addr).await.unwrap();
    let request = format!(
        "POST /api/v1/calls/c/supervisions HTTP/1.1\r\nhost: x\r\naccept: {accept}\r\n\
         authorization: Bearer ut_good\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{BODY}",
        BODY.len()
    );
    socket.write_all(request.as_bytes()).await.unwrap();
    socket
}

/// Reads until the text is there.
async fn until(socket: &mut TcpStream, seen: &mut Vec<u8>, wanted: &[u8]) {
    let mut buffer = [0; 4096];
    while !seen.windows(wanted.len()).any(|w| w == wanted) {
        let read = tokio::time::timeout(Duration::from_secs(10), socket.read(&mut buffer));
        let n = read.await.expect("an answer in 10 s").unwrap();
        assert!(n > 0, "closed after {:?}", String::from_utf8_lossy(seen));
        seen.extend_from_slice(&buffer[..n]);
    }
}

/// Yields to the server until it is so.
async fn eventually(what: &str, so: impl Fn() -> bool) {
    let began = Instant::now();
    while !so() {
        assert!(began.elapsed() < Duration::from_secs(10), "not in 10 s: {what}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_answers_body_is_the_live_sound() {
    let (addr, memory) = server().await;
    let mut socket = open(addr, "audio/wav").await;
    let mut seen = Vec::new();
    until(&mut socket, &mut seen, b"data\xff\xff\xff\xff").await;
    let head = String::from_utf8_lossy(&seen).into_owned();
    assert!(head.starts_with("HTTP/1.1 201"), "{head}");
    assert!(head.contains("content-type: audio/wav"), "{head}");
    assert!(head.contains("undertone-supervision: s1"), "{head}");
    assert!(memory.sound_log.lock().unwrap().is_empty(), "not proven before sound was sent");
    let sender = memory.sender.lock().unwrap().take().unwrap();
    sender.frame(&[0x4142; 160]).unwrap();
    until(&mut socket, &mut seen, &b"BA".repeat(160)).await;
    assert!(memory.sound_log.lock().unwrap().is_empty(), "20 ms are no proof");
    for n in 0..8i16 {
        sender.frame(&[0x4300 + n; 160]).unwrap();
        let frame: Vec<u8> = [0x4300 + n; 160].iter().flat_map(|s| s.to_le_bytes()).collect();
        until(&mut socket, &mut seen, &frame).await;
    }
    eventually("proven", || *memory.sound_log.lock().unwrap() == ["proven"]).await;
    drop(sender);
    until(&mut socket, &mut seen, b"\r\n0\r\n\r\n").await; // the last chunk: a clean end
    assert_eq!(*memory.sound_log.lock().unwrap(), ["proven"], "who ended it knows");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_the_connection_leaves() {
    let (addr, memory) = server().await;
    let mut socket = open(addr, "*/*").await;
    let mut seen = Vec::new();
    until(&mut socket, &mut seen, b"WAVE").await;
    drop(socket);
    eventually("closed", || *memory.sound_log.lock().unwrap() == ["Closed"]).await;
    let sender = memory.sender.lock().unwrap().take().unwrap();
    assert_eq!(sender.frame(&[0; 160]), Err(SoundEnded::Closed));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_does_not_read_is_cut_off() {
    let (addr, memory) = server().await;
    let mut socket = open(addr, "audio/wav").await;
    let mut seen = Vec::new();
    until(&mut socket, &mut seen, b"WAVE").await;
    let sender = memory.sender.lock().unwrap().take().unwrap();
    // Both kernels' buffers fill first: the server takes each frame, until it is stuck in a write.
    let mut frames = 0u32;
    let stuck = || {
        let began = Instant::now();
        while sender.waiting_ms() > 0 {
            if began.elapsed() > Duration::from_millis(300) {
                return true;
            }
            std::thread::yield_now();
        }
        false
    };
    while !stuck() {
        sender.frame(&[0x5555; 160]).unwrap();
        frames += 1;
        assert!(frames < 1_000_000, "never stuck");
    }
    assert!(frames > 100, "{frames} frames: the buffers were not even full");
    let ended = loop {
        if let Err(ended) = sender.frame(&[0x5555; 160]) {
            break ended;
        }
    };
    assert_eq!(ended, SoundEnded::TooSlow);
    let last = memory.sound_log.lock().unwrap().last().cloned();
    assert_eq!(last.as_deref(), Some("TooSlow"), "told at once, though nobody reads");
    // Still nobody reads. A connection that was only left to hang would take what we write; one
    // that is broken answers with a reset.
    let reset = async { while socket.write_all(b"x").await.is_ok() {} };
    tokio::time::timeout(Duration::from_secs(10), reset).await.expect("left to hang");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_format_that_is_not_there_is_answered_before_anything_begins() {
    let (addr, memory) = server().await;
    for accept in ["audio/ogg", "application/json", "audio/wav;q=0"] {
        let mut socket = open(addr, accept).await;
        let mut seen = Vec::new();
        until(&mut socket, &mut seen, b"not_acceptable").await;
        assert!(seen.starts_with(b"HTTP/1.1 406"));
    }
    assert!(memory.asked().is_empty());
}
