//! Connections that say nothing, or not enough, or take nothing: over real sockets, with small
//! limits. Thousands of them at the real limits are in the server's tests.

use crate::doors::{Board, doors, routed};
use crate::memory::memory;
use futures::future::join_all;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use undertone_api::{
    Door, Patience, Places, PlacesConfig, Served, listen, metrics_router, router, serve,
};

/// Generous: the machine may have other things to do.
const SOON: Duration = Duration::from_secs(20);

struct Hall {
    addr: SocketAddr,
    places: Arc<Places>,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<()>,
}

async fn hall(connections_max: usize, of_one: usize, patience: Patience) -> Hall {
    open(connections_max, of_one, patience, routed(memory())).await
}

async fn open(
    connections_max: usize,
    connections_of_one_max: usize,
    patience: Patience,
    router: axum::Router,
) -> Hall {
    let listener = listen(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let addr = listener.local_addr().unwrap();
    let proxies = Vec::new();
    let places = Places::new(PlacesConfig { connections_max, connections_of_one_max, proxies });
    let door = Door { tls: None, places: places.clone(), patience };
    let (stop, stopped) = oneshot::channel();
    let until = async move {
        let _ = stopped.await;
    };
    let serving = tokio::spawn(serve(listener, door, router, until));
    Hall { addr, places, stop: Some(stop), serving }
}

fn hasty() -> Patience {
    Patience { head_within: Duration::from_millis(300), ..Patience::default() }
}

impl Hall {
    async fn connect(&self, host: u8) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::from((Ipv4Addr::new(127, 1, 0, host), 0))).unwrap();
        socket.connect(self.addr).await.unwrap()
    }

    async fn holds(&self, count: u64) {
        let began = Instant::now();
        while self.places.gauges().connections != count {
            assert!(began.elapsed() < SOON, "{:?}, not {count}", self.places.gauges());
            tokio::task::yield_now().await;
        }
    }
}

/// Asks who is signed in by this key; gives the answer's status.
async fn ask(stream: &mut TcpStream, key: &str) -> u16 {
    let head = format!("GET /api/v1/me HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let mut some = [0; 4_096];
    // The body's end is where its JSON ends: each of these answers is an object.
    while !answer.ends_with(b"}") && !answer.ends_with(b"}\n") {
        let read = tokio::time::timeout(SOON, stream.read(&mut some)).await.expect("in time");
        let length = read.unwrap();
        assert!(length > 0, "closed after {:?}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&some[..length]);
    }
    String::from_utf8_lossy(&answer).split(' ').nth(1).unwrap().parse().unwrap()
}

/// Whatever it still sends is read away; a reset is an end as well.
async fn closed(mut stream: TcpStream) {
    let mut rest = [0; 4_096];
    let end = async { while matches!(stream.read(&mut rest).await, Ok(1..)) {} };
    tokio::time::timeout(SOON, end).await.expect("it is closed");
}

#[tokio::test]
async fn a_head_that_does_not_come_to_its_end_is_not_waited_for() {
    let hall = hall(100, 100, hasty()).await;
    let silent = hall.connect(1).await;
    let mut begun = hall.connect(1).await;
    begun.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\nx-a: ").await.unwrap();
    // One byte now and then is no head either.
    let (mut reads, mut drips) = hall.connect(1).await.into_split();
    let dripping = tokio::spawn(async move {
        while drips.write_all(b"G").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let mut idle = hall.connect(1).await;
    assert_eq!(ask(&mut idle, "ut_good").await, 200);
    for stream in [silent, begun, idle] {
        closed(stream).await;
    }
    let mut rest = [0; 64];
    let end = async { while matches!(reads.read(&mut rest).await, Ok(1..)) {} };
    tokio::time::timeout(SOON, end).await.expect("it is closed");
    tokio::time::timeout(SOON, dripping).await.expect("it can write no more").unwrap();
    hall.holds(0).await;
}

#[tokio::test]
async fn strangers_that_say_nothing_make_room_and_who_is_signed_in_does_not() {
    let hall = hall(40, 20, Patience::default()).await;
    let mut mine = hall.connect(1).await;
    assert_eq!(ask(&mut mine, "ut_good").await, 200);
    let url = format!("ws://{}/api/v1/events", hall.addr);
    let mut page = url.into_client_request().unwrap();
    page.headers_mut().insert("cookie", "undertone=cookie".parse().unwrap());
    let (page, _) = tokio_tungstenite::connect_async(page).await.unwrap();
    let silent = join_all((0..400).map(|n| hall.connect(2 + (n % 50) as u8))).await;
    // The last of them is in: the kernel's queue is served in order.
    let mut late = hall.connect(60).await;
    assert_eq!(ask(&mut late, "ut_wrong").await, 401, "a stranger is answered");
    assert_eq!(ask(&mut mine, "ut_good").await, 200, "and who is known was never in the way");
    let gauges = hall.places.gauges();
    assert!(gauges.connections <= 40 && gauges.made_room >= 360, "{gauges:?}");
    assert_eq!(gauges.refused, 0);
    drop(silent);
    // A page's WebSocket has its place for as long as it is open, and no longer.
    drop((mine, late));
    hall.holds(1).await;
    drop(page);
    hall.holds(0).await;
}

#[tokio::test]
async fn one_source_takes_no_more_than_its_own_places() {
    let hall = hall(100, 5, Patience::default()).await;
    let mut others = join_all((2..12).map(|host| hall.connect(host))).await;
    let mut neighbour = hall.connect(1).await;
    assert_eq!(ask(&mut neighbour, "ut_good").await, 200);
    let flood = join_all((0..50).map(|_| hall.connect(1))).await;
    for other in &mut others {
        assert_eq!(ask(other, "ut_wrong").await, 401);
    }
    assert_eq!(ask(&mut neighbour, "ut_good").await, 200, "the same source, and signed in");
    hall.holds(15).await;
    assert_eq!(hall.places.gauges().made_room, 46);
    drop(flood);
}

#[tokio::test]
async fn an_answer_that_is_not_taken_is_not_kept_for_ever() {
    let takes_within = Duration::from_millis(300);
    let patience = Patience { takes_within, ..Patience::default() };
    let router = metrics_router(|| "x".repeat(32 * 1024 * 1024));
    let hall = open(10, 10, patience, router).await;
    let mut stream = hall.connect(1).await;
    stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut first = [0; 16];
    stream.read_exact(&mut first).await.unwrap();
    hall.holds(0).await;
    // Neither whole nor with a proper end.
    let mut rest = Vec::new();
    let _ = tokio::time::timeout(SOON, stream.read_to_end(&mut rest)).await.expect("it is closed");
    assert!(rest.len() < 32 * 1024 * 1024, "{} bytes", rest.len());
}

#[tokio::test]
async fn a_head_without_measure_is_refused() {
    let hall = hall(10, 10, Patience::default()).await;
    let mut stream = hall.connect(1).await;
    let head = format!("GET /healthz HTTP/1.1\r\nhost: x\r\nx-a: {}\r\n\r\n", "a".repeat(40_000));
    // It may be closed before all of it is sent.
    let _ = stream.write_all(head.as_bytes()).await;
    let mut answer = [0; 12];
    if stream.read_exact(&mut answer).await.is_ok() {
        assert_eq!(&answer, b"HTTP/1.1 431");
    }
    closed(stream).await;
}

#[tokio::test]
async fn a_server_that_stops_ends_idle_connections_and_waits_for_what_is_being_answered() {
    let memory = memory();
    let router = router(memory.clone(), doors(), Arc::new(Board::default()), &Served::default());
    let mut hall = open(10, 10, Patience::default(), router).await;
    let silent = hall.connect(1).await;
    let mut idle = hall.connect(1).await;
    assert_eq!(ask(&mut idle, "ut_good").await, 200);
    let mut hears = hall.connect(1).await;
    let body = r#"{"mode":"listen","leg":{"kind":"stream"}}"#;
    let head = format!(
        "POST /api/v1/calls/c/supervisions HTTP/1.1\r\nhost: x\r\n\
         authorization: Bearer ut_good\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    hears.write_all(head.as_bytes()).await.unwrap();
    let mut first = [0; 12];
    hears.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 201");
    hall.stop.take().unwrap().send(()).unwrap();
    closed(silent).await;
    closed(idle).await;
    assert!(!hall.serving.is_finished(), "somebody hears still");
    assert!(TcpStream::connect(hall.addr).await.is_err(), "nobody new");
    drop(memory.sender.lock().unwrap().take().unwrap());
    let mut rest = Vec::new();
    tokio::time::timeout(SOON, hears.read_to_end(&mut rest)).await.expect("an end").unwrap();
    assert!(rest.ends_with(b"\r\n0\r\n\r\n"), "a clean end");
    tokio::time::timeout(SOON, &mut hall.serving).await.expect("it has stopped").unwrap();
}
