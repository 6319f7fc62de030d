//! The link of the first start, as a service's journal sees it: not at all.

use crate::process::Process;
use std::os::unix::fs::PermissionsExt as _;

#[tokio::test(flavor = "multi_thread")]
async fn a_service_keeps_the_first_link_in_a_file_for_its_own_user_and_prints_where() {
    let dir = tempfile::tempdir().expect("a folder");
    let data = dir.path().join("data");
    let server = Process::start(&data, &["--media-threads", "1"], &[]).await;
    let told = server.told("first ").await;
    let path = data.join("first-link");
    assert_eq!(told, format!("the link is in {}", path.display()));
    let mode = std::fs::metadata(&path).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let link = std::fs::read_to_string(&path).expect("text");
    let begin = format!("http://{}/#first=", server.http);
    let token = link.trim_end().strip_prefix(&begin).expect("the link").to_owned();
    assert!(token.len() >= 20 && !server.log().contains(&token), "{link}");
    // What stands in the link works once.
    let session = format!("http://{}/api/v1/session/first", server.http);
    let own = format!("http://{}", server.http);
    let http = reqwest::Client::new();
    let password = "a long one for a test";
    let body = serde_json::json!({
        "token": token, "login": "ada", "name": "Ada", "password": password,
    });
    let enter = async || {
        let asked = http.post(&session).header("Origin", &own).json(&body);
        asked.send().await.expect("an answer").status().as_u16()
    };
    let first = enter().await;
    assert!((200..300).contains(&first), "{first}");
    assert!(enter().await >= 400, "used up");
    server.kill().await;
    let again = Process::start(&data, &["--media-threads", "1"], &[]).await;
    assert!(!path.exists(), "nobody needs it any more");
    again.kill().await;
}
