//! The keypad of the console, in our own page: what a supervisor who has taken over presses comes
//! to the customer's telephone as telephone events (RFC 4733), in its order, and to nobody else.

use crate::browser_capture::{login, microphone, sign_in};
use crate::real_page::RealPage;
use crate::stage::{SOON, Setup, Stage, Talk, tone};
use std::time::Instant;

/// The button of the dialog over the page, of which the panel has one of the same name.
const TAKE: &str = "[...document.querySelectorAll('[role=dialog] button')]\
                    .find(b => b.textContent.trim() === 'Take over')";

async fn press(page: &mut RealPage, key: char) {
    let keys = "[...document.querySelectorAll('.keypad-keys button')]";
    page.run(&format!("{keys}.find(b => b.textContent === '{key}').click()")).await;
}

async fn come(talk: &Talk, keys: &str) {
    let bound = Instant::now() + 2 * SOON;
    loop {
        let digits = talk.customer.call.status().digits;
        assert!(keys.starts_with(&digits), "{digits} is not how {keys} begins");
        if digits == keys {
            return;
        }
        assert!(Instant::now() < bound, "of {keys} came {digits}");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_pressed_after_a_takeover_come_to_the_customer_alone_and_none_while_muted() {
    let stage = Stage::open(Setup::default()).await;
    login(&stage, "mia").await;
    let talk = stage.talk().await;
    let file = stage.data.path().join("microphone.wav");
    microphone(&file, tone::TAKEOVER);
    let mut page = RealPage::open(&format!("http://{}/", stage.server.http), &file).await;
    sign_in(&mut page, "mia").await;
    page.click("Listen, ana").await;
    page.says("LISTEN: nobody hears you").await;
    page.click("Take over").await;
    page.until(TAKE).await;
    page.run(&format!("{TAKE}.click()")).await;
    page.says("TAKE OVER: you are on the call").await;

    page.click("Keypad").await;
    page.until("document.querySelector('.keypad-keys')").await;
    for key in "42*7#".chars() {
        press(&mut page, key).await;
    }
    come(&talk, "42*7#").await;
    page.until("document.querySelector('.keypad-said').textContent === '42*7#'").await;
    page.says("TAKE OVER: you are on the call").await;
    assert_eq!(talk.agent.call.status().digits, "", "the agent's telephone gets no keys");

    page.click("Mute").await;
    page.until("document.querySelector('.keypad-said').textContent.startsWith('Unmute')").await;
    press(&mut page, '1').await;
    page.click("Unmute").await;
    page.until("document.querySelector('.keypad-said').textContent === '42*7#'").await;
    press(&mut page, '0').await;
    come(&talk, "42*7#0").await;
    drop(page);
    stage.close().await;
}
