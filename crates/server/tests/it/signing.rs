//! Signing in to the pages: passwords, sessions and their ends, the first administrator.

use crate::browser::{Browser, PASSWORD, give_login};
use crate::house::{House, config};
use reqwest::Method;
use serde_json::json;
use std::net::SocketAddr;
use undertone::config::Config;
use undertone::serve::Server;
use undertone_core::access::Right;
use undertone_core::id::PersonId;
use undertone_core::time::Wall;

#[tokio::test(flavor = "multi_thread")]
async fn a_password_opens_a_session_with_the_persons_rights_and_sign_out_ends_it() {
    let house = House::open().await;
    let mut browser = Browser::of(&house, "mia").await;
    let (status, me) = browser.get("/me").await;
    assert_eq!((status, &me["role"]), (200, &"administrator".into()), "{me}");
    assert_eq!(me["rights"].as_array().unwrap().len(), Right::ALL.len());
    assert_eq!(me["devices"][0]["ready"], true, "{me}");
    assert_eq!(browser.get("/calls").await.0, 200);
    let cookie = browser.cookie.clone().unwrap();
    assert_eq!(browser.send(Method::DELETE, "/session", None).await.0, 204);
    assert_eq!(browser.get("/calls").await.0, 401);
    assert_eq!(browser.sign_in("mia", "correct horse batterz").await.0, 401);
    assert_eq!(browser.sign_in("MIA", PASSWORD).await.0, 200, "the login in any case");
    assert_ne!(browser.cookie, Some(cookie), "each sign-in has a token of its own");
    // Rows follow what they are about.
    let opened = |audit: &serde_json::Value| {
        let rows = audit["items"].as_array().expect("rows");
        rows.iter().filter(|row| row["what"] == "session.open").count() == 3
    };
    let audit = house.until("/audit", opened).await;
    let rows = audit["items"].as_array().expect("rows");
    let outcomes: Vec<_> =
        rows.iter().filter(|r| r["what"] == "session.open").map(|r| &r["outcome"]).collect();
    assert_eq!(outcomes, ["allowed", "refused", "allowed"]);
    assert!(!rows.iter().any(|row| row.to_string().contains("batter")), "no password is kept");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agents_session_may_not_see_the_board_and_a_lost_right_counts_at_once() {
    let house = House::open().await;
    let ana = Browser::of(&house, "ana").await;
    assert_eq!(ana.get("/me").await.1["role"], "agent");
    for path in ["/calls", "/agents", "/audit"] {
        assert_eq!(ana.get(path).await.0, 403, "{path}");
    }
    let mia = Browser::of(&house, "mia").await;
    assert_eq!(mia.get("/audit").await.0, 200);
    let without = house.file().replace("\"see_audit\", ", "");
    let what = undertone::provision::read(&without).expect("people");
    house.server.store.provision(what).await.expect("provisioned");
    let lost = async {
        while mia.get("/audit").await.0 != 403 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(crate::house::SOON, lost).await.expect("lost at once");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_everywhere_and_a_new_password_end_the_other_sessions() {
    let house = House::open().await;
    let one = Browser::of(&house, "mia").await;
    let mut two = Browser::at(&house);
    assert_eq!(two.sign_in("mia", PASSWORD).await.0, 200);
    let change = |old: &str, new: &str| Some(json!({ "old": old, "new": new }));
    let ask = |body| one.send(Method::PUT, "/me/password", body);
    assert_eq!(ask(change("wrong one here", "another good one")).await.0, 401);
    assert_eq!(ask(change(PASSWORD, "short")).await.0, 422);
    assert_eq!(two.get("/me").await.0, 200, "nothing has changed so far");
    assert_eq!(ask(change(PASSWORD, "another good one")).await.0, 204);
    assert_eq!((one.get("/me").await.0, two.get("/me").await.0), (200, 401));
    assert_eq!(two.sign_in("mia", PASSWORD).await.0, 401);
    assert_eq!(two.sign_in("mia", "another good one").await.0, 200);
    assert_eq!(two.send(Method::DELETE, "/session?everywhere=true", None).await.0, 204);
    assert_eq!((one.get("/me").await.0, two.get("/me").await.0), (401, 401));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_left_alone_or_too_old_is_over() {
    let house = House::open().await;
    let store = &house.server.store;
    let mia = PersonId::parse("mia").unwrap();
    let now = undertone::clock::now().wall.0;
    let hour = 3_600_000;
    for (opened, seen, wanted) in [
        (now - 11 * hour, now - 11 * hour, 200),
        (now - 13 * hour, now - 13 * hour, 401),
        (now - 6 * 24 * hour, now - hour, 200),
        (now - 8 * 24 * hour, now - hour, 401),
    ] {
        let new = store.open_session(&mia, "test", Wall(opened)).await.unwrap();
        store.session_seen(&new.session.id, Wall(seen)).await.unwrap();
        let mut browser = Browser::at(&house);
        browser.cookie = Some(format!("undertone={}", new.token));
        assert_eq!(browser.get("/me").await.0, wanted, "{}", (now - opened) / hour);
        let there = store.session(&new.token).await.unwrap().is_some();
        assert_eq!(there, wanted == 200, "what is over is gone");
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guesser_waits_and_is_told_the_same_of_a_name_that_nobody_has() {
    let house = House::open().await;
    give_login(&house, "mia").await;
    let mut browser = Browser::at(&house);
    for name in ["mia", "nobody"] {
        let mut said = Vec::new();
        for _ in 0..6 {
            said.push(browser.sign_in(name, "a wrong password").await);
        }
        let codes: Vec<_> = said.iter().map(|(status, _)| *status).collect();
        assert_eq!(codes, [401, 401, 401, 401, 401, 429], "{name}");
        assert_eq!(said[0].1["code"], "bad_sign_in");
        assert_eq!(said[0].1["detail"], "Name or password is wrong.");
        assert_eq!(said[5].1["code"], "too_many_tries");
        let right = browser.sign_in(name, PASSWORD).await.0;
        assert_eq!(right, 429, "from here not even the right one");
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_is_known_is_not_held_up_by_what_its_neighbours_guess() {
    let house = House::open().await;
    let mut mia = Browser::of(&house, "mia").await;
    assert!(mia.device.is_some(), "she has signed in there");
    let mut neighbour = Browser::at(&house);
    for wanted in [401, 401, 401, 401, 401, 429, 429] {
        assert_eq!(neighbour.sign_in("mia", "a wrong password").await.0, wanted);
    }
    assert_eq!(neighbour.sign_in("typed in haste", "a wrong password").await.0, 401);
    assert_eq!(mia.send(Method::DELETE, "/session", None).await.0, 204);
    assert_eq!(mia.sign_in("mia", PASSWORD).await.0, 200, "she signs in as ever");
    // What makes her known is no key, and not for another name.
    neighbour.device = mia.device.clone();
    assert_eq!(neighbour.get("/me").await.0, 401);
    give_login(&house, "ana").await;
    for _ in 0..5 {
        assert_eq!(neighbour.sign_in("ana", "a wrong password").await.0, 401);
    }
    assert_eq!(neighbour.sign_in("ana", "a wrong password").await.0, 429);
    // The audit says at whom they aimed, and nothing of what is no login.
    let rows = |audit: &serde_json::Value, why: &str| -> Vec<serde_json::Value> {
        let all = audit["items"].as_array().expect("rows").iter();
        let refused = all.filter(|row| row["reasons"] == json!([why]));
        refused.map(|row| row["detail"].clone()).collect()
    };
    let told = |audit: &serde_json::Value| rows(audit, "bad_sign_in").len() == 11;
    let audit = house.until("/audit", told).await;
    let aimed = |login| rows(&audit, "bad_sign_in").iter().filter(|d| d["login"] == login).count();
    assert_eq!((aimed("mia"), aimed("ana")), (5, 5));
    assert!(!audit.to_string().contains("typed in haste"));
    assert_eq!(rows(&audit, "too_many_tries").len(), 1, "once a minute");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_in_again_ends_the_session_before() {
    let house = House::open().await;
    let mut mia = Browser::of(&house, "mia").await;
    let before = mia.cookie.clone();
    assert_eq!(mia.sign_in("mia", PASSWORD).await.0, 200);
    assert_eq!(mia.get("/me").await.0, 200);
    let mut old = Browser::at(&house);
    old.cookie = before;
    assert_eq!(old.get("/me").await.0, 401);
    house.close().await;
}

async fn empty_house() -> (Server, tempfile::TempDir, Config) {
    let dir = tempfile::tempdir().expect("a folder");
    let config = config(dir.path());
    (Server::start(&config).await.expect("a server"), dir, config)
}

async fn first(at: SocketAddr, token: &str, password: &str) -> (u16, serde_json::Value) {
    let what = json!({ "token": token, "login": "Ada", "name": "Ada", "password": password });
    let url = format!("http://{at}/api/v1/session/first");
    let response = reqwest::Client::new().post(url).json(&what).send().await.expect("an answer");
    (response.status().as_u16(), response.json().await.expect("JSON"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_link_makes_one_administrator_and_is_used_up() {
    let (server, _dir, config) = empty_house().await;
    let token = server.first_link.clone().expect("nobody can sign in yet");
    let state = format!("http://{}/api/v1/session", server.http);
    let open = async || reqwest::get(&state).await.unwrap().text().await.unwrap();
    assert!(open().await.contains("\"first_run\":true"));
    assert_eq!(first(server.http, "guessed", PASSWORD).await.1["code"], "no_such_link");
    assert_eq!(first(server.http, &token, "short").await.0, 422, "and the link is still good");
    // Of two at once one wins.
    let (one, two) =
        tokio::join!(first(server.http, &token, PASSWORD), first(server.http, &token, PASSWORD));
    let mut codes = [one.0, two.0];
    codes.sort_unstable();
    assert_eq!(codes, [200, 403], "{one:?} {two:?}");
    let me = if one.0 == 200 { one.1 } else { two.1 };
    assert_eq!((&me["role"], &me["person"]["id"]), (&"administrator".into(), &"ada".into()));
    assert!(open().await.contains("\"first_run\":false"));
    server.stop(std::time::Duration::ZERO).await;
    let again = Server::start(&config).await.unwrap();
    assert_eq!(again.first_link, None, "and there is no other");
    again.stop(std::time::Duration::ZERO).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_let_in_by_hand_meanwhile_closes_the_first_link() {
    let house = House::open().await;
    let token = house.server.first_link.clone().expect("nobody can sign in yet");
    give_login(&house, "mia").await;
    let (status, why) = first(house.server.http, &token, PASSWORD).await;
    assert_eq!((status, &why["code"]), (403, &"no_such_link".into()));
    house.close().await;
}
