//! Sessions over a real socket: cookie, CSRF word, Origin, Host.

use crate::doors::{Board, Doors, doors};
use crate::memory::{Memory, memory};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use undertone_api::{Door, Served, listen, router, serve};

pub(crate) struct House {
    pub(crate) addr: SocketAddr,
    doors: Arc<Doors>,
    memory: Arc<Memory>,
    pub(crate) board: Arc<Board>,
    _stop: oneshot::Sender<()>,
}

pub(crate) async fn house(served: Served) -> House {
    let (doors, board) = (doors(), Arc::new(Board::default()));
    let listener = listen(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let addr = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let memory = memory();
    let router = router(memory.clone(), doors.clone(), board.clone(), &served);
    tokio::spawn(serve(listener, Door::default(), router, async move {
        let _ = stopped.await;
    }));
    House { addr, doors, memory, board, _stop: stop }
}

impl House {
    /// Status, headers and body of one request, written by hand: what a browser would not send is
    /// what is asked here.
    async fn ask(&self, line: &str, headers: &str, body: &str) -> (u16, String, String) {
        let mut stream = TcpStream::connect(self.addr).await.unwrap();
        let host = match headers.to_ascii_lowercase().contains("host:") {
            true => String::new(),
            false => format!("Host: {}\r\n", self.addr),
        };
        let head = format!(
            "{line} HTTP/1.1\r\n{host}{headers}Connection: close\r\nContent-Length: {}\r\n\
             Content-Type: application/json\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, head.to_ascii_lowercase(), body.to_owned())
    }
}

const COOKIE: &str = "Cookie: undertone=cookie\r\n";
const RIGHT: &str = r#"{"login":"sue","password":"right"}"#;

#[tokio::test]
async fn a_right_password_opens_a_session_and_its_cookie_signs_in() {
    let house = house(Served::default()).await;
    let (status, head, body) = house.ask("POST /api/v1/session", "", RIGHT).await;
    assert_eq!(status, 200, "{body}");
    assert!(head.contains("set-cookie: undertone=cookie; httponly; samesite=strict; path=/"));
    let me: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!((me["csrf"].as_str(), me["role"].as_str()), (Some("word"), Some("supervisor")));
    assert_eq!(me["rights"], serde_json::json!(["see_wallboard", "listen"]));
    let (status, _, body) = house.ask("GET /api/v1/me", COOKIE, "").await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(house.ask("GET /api/v1/calls", COOKIE, "").await.0, 200);
    assert_eq!(house.ask("GET /api/v1/me", "", "").await.0, 401);
    assert_eq!(house.ask("GET /api/v1/me", "Cookie: undertone=other\r\n", "").await.0, 401);
}

#[tokio::test]
async fn a_wrong_password_says_no_more_than_that_and_too_many_say_how_long() {
    let house = house(Served::default()).await;
    let wrong = r#"{"login":"sue","password":"wrong"}"#;
    let nobody = r#"{"login":"nobody","password":"wrong"}"#;
    let (status, head, one) = house.ask("POST /api/v1/session", "", wrong).await;
    assert_eq!((status, head.contains("set-cookie")), (401, false));
    assert_eq!(one, house.ask("POST /api/v1/session", "", nobody).await.2);
    let busy = r#"{"login":"busy","password":"x"}"#;
    let (status, head, body) = house.ask("POST /api/v1/session", "", busy).await;
    assert_eq!(status, 429, "{body}");
    assert!(head.contains("retry-after: 2"), "{head}");
    let (status, _, body) = house.ask("POST /api/v1/session", "", r#"{"login":"sue"}"#).await;
    assert_eq!(status, 422, "{body}");
}

#[tokio::test]
async fn a_change_by_cookie_needs_the_pages_word_and_an_origin_of_our_own() {
    let house = house(Served::default()).await;
    let change = "PUT /api/v1/me/password";
    let body = r#"{"old":"right","new":"long enough"}"#;
    let word = "X-Undertone-Csrf: word\r\n";
    let own = format!("Origin: http://{}\r\n", house.addr);
    for (headers, wanted) in [
        (COOKIE.to_owned(), 403),
        (format!("{COOKIE}X-Undertone-Csrf: other\r\n"), 403),
        (format!("{COOKIE}{word}Origin: http://evil.example\r\n"), 403),
        (format!("{COOKIE}{word}Origin: null\r\n"), 403),
        (format!("{COOKIE}{word}"), 204),
        (format!("{COOKIE}{word}{own}"), 204),
    ] {
        let (status, _, text) = house.ask(change, &headers, body).await;
        assert_eq!(status, wanted, "{headers}: {text}");
    }
    assert_eq!(*house.doors.log.lock().unwrap(), ["change", "change"]);
    // A key needs neither; and where both are there, the key alone counts.
    let key = format!("{COOKIE}Authorization: Bearer ut_good\r\n");
    assert_eq!(house.ask("DELETE /api/v1/calls/eu.n1.1.c1", &key, "").await.0, 204);
    let bad = format!("{COOKIE}Authorization: Bearer ut_wrong\r\n");
    assert_eq!(house.ask("GET /api/v1/me", &bad, "").await.0, 401);
    // Nobody may be signed in as somebody else from another site's form.
    let evil = "Origin: http://evil.example\r\n";
    assert_eq!(house.ask("POST /api/v1/session", evil, RIGHT).await.0, 403);
}

#[tokio::test]
async fn signing_out_takes_the_cookie_away() {
    let house = house(Served::default()).await;
    let headers = format!("{COOKIE}X-Undertone-Csrf: word\r\n");
    let (status, head, _) = house.ask("DELETE /api/v1/session?everywhere=true", &headers, "").await;
    assert_eq!((status, head.contains("max-age=0")), (204, true), "{head}");
    assert_eq!(*house.doors.log.lock().unwrap(), ["close true"]);
    assert_eq!(house.ask("GET /api/v1/me", COOKIE, "").await.0, 401);
}

#[tokio::test]
async fn the_sign_in_page_is_told_of_the_demo_and_whether_one_is_in() {
    let house = house(Served::default()).await;
    let (status, _, body) = house.ask("GET /api/v1/session", "", "").await;
    let state: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, state["signed_in"].as_bool()), (200, Some(false)));
    let wanted = format!("mia.localhost:{}", house.addr.port());
    assert_eq!(state["demo"][0]["host"], wanted);
    let (_, _, body) = house.ask("GET /api/v1/session", COOKIE, "").await;
    assert!(body.contains("\"signed_in\":true"), "{body}");
    let (status, _, body) =
        house.ask("POST /api/v1/session/first", "", &first("link", "sue")).await;
    assert_eq!(status, 200, "{body}");
    let (status, _, body) = house.ask("POST /api/v1/session/first", "", &first("x", "eve")).await;
    assert_eq!(status, 403, "{body}");
    assert!(body.contains("no_such_link"), "{body}");
}

fn first(token: &str, login: &str) -> String {
    format!(r#"{{"token":"{token}","login":"{login}","name":"N","password":"long enough"}}"#)
}

#[tokio::test]
async fn a_page_of_a_foreign_name_that_leads_here_is_refused() {
    let served = Served { names: vec!["ut.example.org".into()], ..Served::default() };
    let house = house(served).await;
    for (host, wanted) in [
        ("127.0.0.1", 200),
        ("[::1]:8080", 200),
        ("localhost:8080", 200),
        ("mia.localhost:1", 200),
        ("UT.example.org:8080", 200),
        ("evil.example", 421),
        ("localhost.evil.example", 421),
        ("not a host", 421),
    ] {
        let headers = format!("Host: {host}\r\n");
        assert_eq!(house.ask("GET /api/v1/session", &headers, "").await.0, wanted, "{host}");
        let signed = format!("{headers}{COOKIE}");
        assert_eq!(house.ask("GET /api/v1/calls", &signed, "").await.0, wanted, "{host}");
        let key = format!("{headers}Authorization: Bearer ut_good\r\n");
        assert_eq!(house.ask("GET /api/v1/calls", &key, "").await.0, 200, "{host}");
    }
}

#[tokio::test]
async fn the_demos_passwords_are_told_to_nobody_who_comes_through_a_proxy() {
    let house = house(Served { names: vec!["ut.example.org".into()], ..Served::default() }).await;
    for headers in [
        "X-Forwarded-For: 192.0.2.1\r\n",
        "Via: 1.1 p\r\n",
        "Host: ut.example.org\r\n",
        "Host: 192.0.2.1\r\n",
    ] {
        let (status, _, body) = house.ask("GET /api/v1/session", headers, "").await;
        assert_eq!(status, 200);
        assert!(body.contains("\"demo\":null") && !body.contains("secret"), "{headers}: {body}");
    }
}

#[tokio::test]
async fn what_a_known_proxy_says_of_the_asker_is_what_sign_in_sees() {
    let proxies = vec!["127.0.0.1".parse().unwrap()];
    for (proxies, wanted) in [(proxies, "192.0.2.7"), (Vec::new(), "127.0.0.1")] {
        let house = house(Served { proxies, ..Served::default() }).await;
        let told = "X-Forwarded-For: 203.0.113.9, 192.0.2.7\r\n";
        assert_eq!(house.ask("POST /api/v1/session", told, RIGHT).await.0, 200);
        assert_eq!(*house.doors.log.lock().unwrap(), [format!("open sue from {wanted}")]);
        // Which of our addresses a browser's phone is told depends on where the browser is.
        let headers = format!("{told}Authorization: Bearer ut_good\r\n");
        let offer = r#"{"sdp":"v=0"}"#;
        assert_eq!(house.ask("POST /api/v1/me/phone", &headers, offer).await.0, 201);
        assert_eq!(house.memory.asked(), [format!("open_phone from {wanted}")]);
    }
}

#[tokio::test]
async fn a_sign_in_brings_along_what_the_browser_has_and_gives_it_anew() {
    let house = house(Served::default()).await;
    let cookies = "Cookie: undertone=old; undertone-device=known\r\n";
    let (status, head, _) = house.ask("POST /api/v1/session", cookies, RIGHT).await;
    assert_eq!(status, 200);
    let log = house.doors.log.lock().unwrap().clone();
    assert_eq!(log, ["open sue from 127.0.0.1", "with session old", "with device known"]);
    let set: Vec<_> = head.lines().filter_map(|line| line.strip_prefix("set-cookie: ")).collect();
    assert!(set[0].starts_with("undertone=cookie; httponly; "), "{set:?}");
    assert!(set[1].starts_with("undertone-device=known; max-age=15552000; httponly; "), "{set:?}");
    let (_, head, _) = house.ask("DELETE /api/v1/session", COOKIE, "").await;
    assert!(!head.contains("undertone-device"), "it outlives the session: {head}");
}

#[tokio::test]
async fn under_https_the_cookie_is_bound_to_the_host() {
    let house = house(Served { https: true, ..Served::default() }).await;
    let (_, head, _) = house.ask("POST /api/v1/session", "", RIGHT).await;
    assert!(head.contains("set-cookie: __host-undertone=cookie; "), "{head}");
    assert!(head.contains("; path=/; secure"), "{head}");
    assert_eq!(house.ask("GET /api/v1/me", COOKIE, "").await.0, 401, "the plain one is none");
    let host = "Cookie: __Host-undertone=cookie\r\n";
    assert_eq!(house.ask("GET /api/v1/me", host, "").await.0, 200);
}
