//! What a browser does, by hand: a cookie, the CSRF word, a WebSocket. Knows no page.

use crate::house::{House, SOON};
use futures::{SinkExt as _, StreamExt as _};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use undertone::{clock, hashing};
use undertone_core::id::PersonId;
use undertone_store::Login;

pub const PASSWORD: &str = "correct horse battery";

/// One who may be signed in.
pub struct Browser {
    url: String,
    http: reqwest::Client,
    pub cookie: Option<String>,
    /// What says that somebody has signed in here before.
    pub device: Option<String>,
    csrf: String,
}

/// Lets this person sign in by `PASSWORD`.
pub async fn give_login(house: &House, person: &str) {
    let password = hashing::hash_beside(PASSWORD.into()).await.expect("a hash");
    let person = PersonId::parse(person).expect("an id");
    let name = person.to_string();
    let changed_at = clock::now().wall;
    let login = Login { person, name, password, changed_at };
    house.server.store.put_login(login, None).await.expect("written");
}

impl Browser {
    pub fn at(house: &House) -> Browser {
        let http = reqwest::Client::new();
        Browser { url: house.url(""), http, cookie: None, device: None, csrf: String::new() }
    }

    /// Signs in by `PASSWORD`, which it gives the person first.
    pub async fn of(house: &House, person: &str) -> Browser {
        give_login(house, person).await;
        let mut browser = Browser::at(house);
        let (status, me) = browser.sign_in(person, PASSWORD).await;
        assert_eq!(status, 200, "{me}");
        browser
    }

    pub async fn sign_in(&mut self, login: &str, password: &str) -> (u16, Value) {
        let what = json!({ "login": login, "password": password });
        self.enter("/session", what).await
    }

    /// One of the ways in; keeps the cookie and the word.
    pub async fn enter(&mut self, path: &str, what: Value) -> (u16, Value) {
        let mut request = self.http.post(format!("{}{path}", self.url)).json(&what);
        let brings: Vec<_> = self.cookie.iter().chain(&self.device).map(String::as_str).collect();
        if !brings.is_empty() {
            request = request.header("cookie", brings.join("; "));
        }
        let response = request.send().await.expect("an answer");
        let status = response.status().as_u16();
        let set = response.headers().get_all("set-cookie").iter();
        let mut set = set.filter_map(|v| v.to_str().expect("text").split(';').next());
        let (cookie, device) = (set.next().map(str::to_owned), set.next().map(str::to_owned));
        let me: Value = response.json().await.unwrap_or_default();
        if status == 200 {
            (self.cookie, self.device) = (cookie, device);
            self.csrf = me["csrf"].as_str().expect("a word").into();
        }
        (status, me)
    }

    pub async fn send(&self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let mut request = self.http.request(method, format!("{}{path}", self.url));
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie).header("x-undertone-csrf", &self.csrf);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.expect("an answer");
        let status = response.status().as_u16();
        (status, response.json().await.unwrap_or_default())
    }

    pub async fn get(&self, path: &str) -> (u16, Value) {
        self.send(Method::GET, path, None).await
    }

    /// The socket, or the status of the refusal.
    pub async fn events(&self, after: Option<&str>) -> Result<Events, u16> {
        let cookie = self.cookie.as_deref().unwrap_or_default();
        Events::open(&self.url, after, ("cookie", cookie)).await
    }

    /// As the page of this name.
    pub async fn page(&self, tab: &str) -> Events {
        let cookie = ("cookie", self.cookie.as_deref().unwrap_or_default());
        Events::by(&self.url, &format!("?tab={tab}"), cookie).await.expect("a socket")
    }
}

/// `GET /events`.
pub struct Events(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Events {
    pub async fn open(
        url: &str,
        after: Option<&str>,
        signed: (&'static str, &str),
    ) -> Result<Events, u16> {
        let after = after.map(|cursor| format!("?after={cursor}")).unwrap_or_default();
        Events::by(url, &after, signed).await
    }

    async fn by(url: &str, query: &str, signed: (&'static str, &str)) -> Result<Events, u16> {
        let url = format!("{}/events{query}", url.replacen("http", "ws", 1));
        let mut request = url.into_client_request().expect("a request");
        request.headers_mut().insert(signed.0, signed.1.parse().expect("a header"));
        match connect_async(request).await {
            Ok((socket, _)) => Ok(Events(socket)),
            Err(Error::Http(answer)) => Err(answer.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    /// The next frame that is no ping; the code where it was closed instead.
    pub async fn next(&mut self) -> Result<Value, u16> {
        loop {
            let message = tokio::time::timeout(SOON, self.0.next()).await.expect("in time");
            match message {
                Some(Ok(Message::Text(text))) => {
                    let frame: Value = serde_json::from_str(&text).expect("JSON");
                    if frame["type"] != "ping" {
                        return Ok(frame);
                    }
                }
                Some(Ok(Message::Close(Some(frame)))) => return Err(frame.code.into()),
                Some(Ok(_)) => {}
                other => panic!("the socket broke: {other:?}"),
            }
        }
    }

    /// The first frame that is so, and all before it.
    pub async fn until(&mut self, is_so: impl Fn(&Value) -> bool) -> (Value, Vec<Value>) {
        let mut before = Vec::new();
        let bound = tokio::time::Instant::now() + SOON;
        loop {
            let next = tokio::time::timeout_at(bound, self.next()).await;
            let Ok(frame) = next else { panic!("not told in time, but {:?}", before.last()) };
            let frame = frame.expect("it is open");
            if is_so(&frame) {
                return (frame, before);
            }
            before.push(frame);
        }
    }

    /// The code that it is closed with, and the last frame before.
    pub async fn end(&mut self) -> (u16, Option<Value>) {
        let mut last = None;
        let closing = async {
            loop {
                match self.next().await {
                    Ok(frame) => last = Some(frame),
                    Err(code) => return code,
                }
            }
        };
        let code = tokio::time::timeout(SOON, closing).await.expect("closed in time");
        (code, last)
    }

    pub async fn watch(&mut self, call: &str) {
        let text = json!({ "type": "watch", "calls": [call] }).to_string();
        self.0.send(Message::text(text)).await.expect("said");
    }
}
