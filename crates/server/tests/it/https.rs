//! HTTPS as a foreign client sees it (curl), with each kind of certificate; the authority is
//! Let's Encrypt's own test server, pebble.

use crate::house::{SOON, config};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use undertone::config::Config;
use undertone::https::{Acme, HttpsConfig, Warning};
use undertone::serve::Server;
use undertone_testkit::dns::NameServer;

/// What curl exits with when nobody that it trusts vouches for the certificate.
const NOT_TRUSTED: i32 = 60;

pub struct Answer {
    code: i32,
    pub text: String,
}

/// Asks once; the text is the head and the body.
pub async fn curl(arguments: &[&str]) -> Answer {
    let mut curl = Command::new("curl");
    curl.args(["-sS", "-i", "--max-time", "10", "--noproxy", "*"]).args(arguments);
    curl.stdin(Stdio::null()).kill_on_drop(true);
    let ended = tokio::time::timeout(SOON, curl.output()).await.expect("in time").expect("curl");
    let code = ended.status.code().expect("a code");
    Answer { code, text: String::from_utf8_lossy(&ended.stdout).into_owned() }
}

async fn serve(https: HttpsConfig, data: &Path) -> Server {
    let config = Config { https: Some(https), ..config(data) };
    Server::start(&config).await.expect("a server")
}

async fn stop(server: Server) {
    server.stop(Duration::ZERO).await;
}

fn at(server: &Server, host: &str, path: &str) -> String {
    format!("https://{host}:{}{path}", server.http.port())
}

fn fingerprint(server: &Server) -> String {
    match server.https.as_ref().and_then(|https| https.warning.clone()) {
        Some(Warning::SelfSigned(sha256)) => sha256,
        None => panic!("somebody vouches for it"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_our_own_is_for_our_names_and_kept_and_nobody_is_told_to_insist() {
    let data = TempDir::new().unwrap();
    let server = serve(HttpsConfig::default(), data.path()).await;
    let own = data.path().join("https/own.pem").display().to_string();
    for host in ["localhost", "127.0.0.1"] {
        let answer = curl(&["--cacert", &own, &at(&server, host, "/api/v1/session")]).await;
        assert!(answer.text.starts_with("HTTP/1.1 200"), "{host}: {}", answer.text);
        let insists = answer.text.to_ascii_lowercase().contains("strict-transport-security");
        assert!(!insists, "a browser that insists lets nobody past the warning");
    }
    let stranger = curl(&[&at(&server, "localhost", "/healthz")]).await;
    assert_eq!(stranger.code, NOT_TRUSTED);
    assert_eq!(server.origin(), format!("https://{}", server.http));
    let first = fingerprint(&server);
    assert!(server.https.as_ref().unwrap().told().join("\n").contains(&first));
    stop(server).await;
    let again = serve(HttpsConfig::default(), data.path()).await;
    assert_eq!(fingerprint(&again), first, "who trusts it need not do so again");
    stop(again).await;
    use std::os::unix::fs::PermissionsExt as _;
    let key = std::fs::metadata(data.path().join("https/own.key")).unwrap();
    assert_eq!(key.permissions().mode() & 0o777, 0o600);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_over_https_is_for_https_alone() {
    let data = TempDir::new().unwrap();
    let server = serve(HttpsConfig::default(), data.path()).await;
    let own = data.path().join("https/own.pem").display().to_string();
    let token = server.first_link.clone().expect("a first link");
    let body = serde_json::json!({
        "token": token, "login": "root", "name": "Root", "password": "a long enough word 1",
    });
    let url = at(&server, "localhost", "/api/v1/session/first");
    let json = "Content-Type: application/json";
    let answer = curl(&["--cacert", &own, "-H", json, "-d", &body.to_string(), &url]).await;
    assert!(answer.text.starts_with("HTTP/1.1 200"), "{}", answer.text);
    let cookie = answer.text.lines().find(|l| l.to_ascii_lowercase().starts_with("set-cookie:"));
    let cookie = cookie.expect("a cookie");
    assert!(cookie.contains("__Host-undertone=") && cookie.contains("; Secure"), "{cookie}");
    stop(server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_speaks_plain_http_is_told_so_and_who_says_nothing_holds_up_nobody() {
    let data = TempDir::new().unwrap();
    let server = serve(HttpsConfig::default(), data.path()).await;
    let own = data.path().join("https/own.pem").display().to_string();
    let plain = format!("http://localhost:{}/", server.http.port());
    let answer = curl(&[&plain]).await;
    assert!(answer.text.starts_with("HTTP/1.1 400"), "{}", answer.text);
    assert!(answer.text.contains("https://"), "{}", answer.text);
    let mut silent = Vec::new();
    for _ in 0..40 {
        silent.push(TcpStream::connect(server.http).await.unwrap());
    }
    let mut garbled = TcpStream::connect(server.http).await.unwrap();
    garbled.write_all(&[0x16, 3, 1, 0, 4, 1, 2, 3, 4, 5]).await.unwrap();
    let answer = curl(&["--cacert", &own, &at(&server, "localhost", "/healthz")]).await;
    assert!(answer.text.starts_with("HTTP/1.1 200"), "{}", answer.text);
    // Each is closed by us, and none is kept for ever.
    for mut one in silent.into_iter().chain([garbled]) {
        let ended = async {
            let mut rest = [0_u8; 64];
            while matches!(one.read(&mut rest).await, Ok(read) if read > 0) {}
        };
        tokio::time::timeout(SOON, ended).await.expect("it is closed");
    }
    stop(server).await;
}

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority(folder: &Path) -> (Authority, String) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    // A name of its own: with the leaf's, the leaf would seem to vouch for itself.
    params.distinguished_name.push(DnType::CommonName, "an authority of this test");
    let made =
        CertifiedIssuer::self_signed(params, KeyPair::generate().expect("made")).expect("made");
    let file = folder.join("authority.pem");
    std::fs::write(&file, made.pem()).expect("made");
    (made, file.display().to_string())
}

/// Writes what an operator has: a certificate for localhost and its key.
fn issue(by: &Authority, chain: &Path, key: &Path) -> Vec<u8> {
    let own = KeyPair::generate().expect("made");
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let made = CertificateParams::new(names).expect("made").signed_by(&own, by).expect("made");
    std::fs::write(chain, made.pem()).expect("made");
    std::fs::write(key, own.serialize_pem()).expect("made");
    made.der().to_vec()
}

fn files(data: &Path) -> (PathBuf, PathBuf, HttpsConfig) {
    let (chain, key) = (data.join("chain.pem"), data.join("key.pem"));
    let (certificate, key_file) = (Some(chain.clone()), Some(key.clone()));
    (chain, key, HttpsConfig { certificate, key: key_file, acme: None })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operators_certificate_is_shown_and_a_renewed_one_without_a_restart() {
    let data = TempDir::new().unwrap();
    let (chain, key, https) = files(data.path());
    let (first, root) = authority(data.path());
    issue(&first, &chain, &key);
    let server = serve(https, data.path()).await;
    let url = at(&server, "localhost", "/healthz");
    let answer = curl(&["--cacert", &root, &url]).await;
    assert!(answer.text.starts_with("HTTP/1.1 200"), "{}", answer.text);
    assert!(answer.text.to_ascii_lowercase().contains("strict-transport-security: max-age="));
    assert!(server.https.as_ref().unwrap().told().is_empty());
    // Half of a renewal, then the whole.
    let other = TempDir::new().unwrap();
    let (second, new_root) = authority(other.path());
    let (new_chain, new_key, _) = files(other.path());
    issue(&second, &new_chain, &new_key);
    std::fs::rename(new_chain, &chain).unwrap();
    let answer = curl(&["--cacert", &root, &url]).await;
    assert!(answer.text.starts_with("HTTP/1.1 200"), "the old one goes on: {}", answer.text);
    std::fs::rename(new_key, &key).unwrap();
    let renewed = async { while curl(&["--cacert", &new_root, &url]).await.code != 0 {} };
    tokio::time::timeout(SOON * 2, renewed).await.expect("the new one is shown");
    stop(server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_another_certificate_and_a_file_that_is_none_stop_the_start_with_their_names() {
    let data = TempDir::new().unwrap();
    let (chain, key, https) = files(data.path());
    let (authority, _) = authority(data.path());
    issue(&authority, &chain, &data.path().join("its.key"));
    std::fs::write(&key, KeyPair::generate().unwrap().serialize_pem()).unwrap();
    let start = || Config { https: Some(https.clone()), ..config(data.path()) };
    let told = |error: anyhow::Error| format!("{error:#}");
    let error = told(Server::start(&start()).await.err().expect("no start"));
    assert!(error.contains("key.pem is not the key of") && error.contains("chain.pem"), "{error}");
    std::fs::write(&chain, "no certificate\n").unwrap();
    let error = told(Server::start(&start()).await.err().expect("no start"));
    assert!(error.contains("chain.pem holds no certificate"), "{error}");
    std::fs::remove_file(&key).unwrap();
    issue(&authority, &chain, &data.path().join("its.key"));
    let error = told(Server::start(&start()).await.err().expect("no start"));
    assert!(error.contains("cannot read the HTTPS key"), "{error}");
}

/// Let's Encrypt's test authority. Ended when it is dropped.
struct Pebble {
    _child: Child,
    directory: String,
    /// Where it tells its own root certificate.
    roots: String,
    /// Of its HTTPS.
    trusted: PathBuf,
}

fn free_port() -> u16 {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    std::net::TcpListener::bind(any).expect("made").local_addr().expect("made").port()
}

impl Pebble {
    /// It asks for names at this name server, and for challenges at this port.
    async fn start(folder: &Path, names: SocketAddr, port: u16) -> Pebble {
        let (made, root) = authority(folder);
        let (chain, key) = (folder.join("pebble.pem"), folder.join("pebble.key"));
        issue(&made, &chain, &key);
        let (listen, manage) = (free_port(), free_port());
        let config = serde_json::json!({ "pebble": {
            "listenAddress": format!("127.0.0.1:{listen}"),
            "managementListenAddress": format!("127.0.0.1:{manage}"),
            "certificate": chain, "privateKey": key,
            "httpPort": 5002, "tlsPort": port, "ocspResponderURL": "",
            "externalAccountBindingRequired": false,
        }});
        let file = folder.join("pebble.json");
        std::fs::write(&file, config.to_string()).expect("made");
        let log = std::fs::File::create(folder.join("pebble.log")).expect("made");
        let child = Command::new("pebble")
            .args(["-config", &file.display().to_string(), "-dnsserver", &names.to_string()])
            .env("PEBBLE_VA_NOSLEEP", "1")
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("made"))
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .expect("pebble");
        let directory = format!("https://127.0.0.1:{listen}/dir");
        let ready = async { while curl(&["--cacert", &root, &directory]).await.code != 0 {} };
        tokio::time::timeout(SOON, ready).await.expect("pebble listens");
        let roots = format!("https://127.0.0.1:{manage}/roots/0");
        Pebble { _child: child, directory, roots, trusted: root.into() }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_gives_a_certificate_by_acme_and_it_is_kept_over_a_restart() {
    let (data, authoritys) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let names = NameServer::start("calls 1 IN A 127.0.0.1").await;
    let http = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
    let pebble = Pebble::start(authoritys.path(), names.addr(), http.port()).await;
    let acme = Acme {
        names: vec!["calls.test".into()],
        contact: Some("it@example.org".into()),
        directory: Some(pebble.directory.clone()),
        root: Some(pebble.trusted.clone()),
    };
    let https = Some(HttpsConfig { acme: Some(acme), ..HttpsConfig::default() });
    let config = Config { http, https, ..config(data.path()) };
    let server = Server::start(&config).await.expect("a server");
    let root = authoritys.path().join("root.pem").display().to_string();
    let told = curl(&["-k", "-o", &root, &pebble.roots]).await;
    assert_eq!(told.code, 0);
    // Its file has curl's head before it; what is read is what stands between the lines.
    let text = std::fs::read_to_string(&root).unwrap();
    let begin = text.find("-----BEGIN").expect("a certificate");
    std::fs::write(&root, &text[begin..]).unwrap();
    let resolve = format!("calls.test:{}:127.0.0.1", http.port());
    let url = at(&server, "calls.test", "/api/v1/session");
    let ask = ["--resolve", &resolve, "--cacert", &root, &url];
    let given = async {
        loop {
            let answer = curl(&ask).await;
            if answer.code == 0 {
                return answer;
            }
        }
    };
    let answer = tokio::time::timeout(SOON * 3, given).await.expect("a certificate in time");
    assert!(answer.text.starts_with("HTTP/1.1 200"), "the name is ours: {}", answer.text);
    assert!(answer.text.to_ascii_lowercase().contains("strict-transport-security: max-age="));
    stop(server).await;
    // The authority is gone; what it gave is kept.
    drop(pebble);
    let again = Server::start(&config).await.expect("a server");
    let kept = async { while curl(&ask).await.code != 0 {} };
    tokio::time::timeout(SOON, kept).await.expect("the kept one is shown");
    stop(again).await;
}
