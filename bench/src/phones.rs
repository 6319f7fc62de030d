//! The phones of the load, by SIP: customers that call, agents and supervisors that answer.
//! Signalling only; what they say is `traffic`'s.

use anyhow::{Context, Result, bail};
use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use undertone_sdp::{Capabilities, Codec, Direction, LocalAddr, Media, Session};
use undertone_sip::{DialogEvent, DialogHandle, Incoming, Outgoing, Sip, SipConfig};

const ANSWER_AT_MOST: Duration = Duration::from_secs(10);

pub struct Phones {
    sip: Sip,
    expected: Arc<Mutex<Expected>>,
}

/// Who will be called: the RTP port to name, and who waits for where to send.
type Expected = HashMap<String, (u16, oneshot::Sender<Answered>)>;

/// One end of a dialog that is up.
pub struct Answered {
    pub remote: SocketAddr,
    pub dialog: DialogHandle,
    /// Kept so that the far end's BYE finds somebody.
    pub events: mpsc::Receiver<DialogEvent>,
}

/// A call's two ends, customer first.
pub struct Call {
    pub customer: Answered,
    pub agent: Answered,
}

fn session(port: u16) -> Session {
    let ip = Ipv4Addr::LOCALHOST.into();
    let caps = Capabilities { codecs: vec![Codec::Pcmu], ..Capabilities::default() };
    Session::new(1, LocalAddr { ip, rtp_port: port, rtcp_port: port + 1 }, caps)
}

impl Phones {
    pub async fn start() -> Result<Phones> {
        let mut config = SipConfig::new((Ipv4Addr::LOCALHOST, 0).into());
        config.dialogs_max = 20_000;
        let (sip, mut incoming) = Sip::bind(config).await?;
        let expected: Arc<Mutex<Expected>> = Arc::default();
        let waiting = expected.clone();
        tokio::spawn(async move {
            while let Some(call) = incoming.recv().await {
                let user = call.request_user.clone();
                let wanted = waiting.lock().ok().and_then(|mut w| w.remove(&user));
                match wanted {
                    Some((port, tell)) => {
                        tokio::spawn(answer(call, port, tell));
                    }
                    None => call.dialog.reject(404, None),
                }
            }
        });
        Ok(Phones { sip, expected })
    }

    pub fn address(&self) -> SocketAddr {
        self.sip.local_addr()
    }

    /// From now on `user` answers, naming `port`.
    pub fn expect(&self, user: &str, port: u16) -> oneshot::Receiver<Answered> {
        let (tell, told) = oneshot::channel();
        if let Ok(mut expected) = self.expected.lock() {
            expected.insert(user.to_owned(), (port, tell));
        }
        told
    }

    /// Customer `n` calls agent `n`.
    pub async fn call(&self, n: usize, server: SocketAddr, ports: (u16, u16)) -> Result<Call> {
        let agent = self.expect(&format!("a{n}"), ports.1);
        let customer = self.dial(n, server, ports.0).await?;
        let agent = tokio::time::timeout(ANSWER_AT_MOST, agent).await.context("agent")??;
        Ok(Call { customer, agent })
    }

    /// Customer `n` calls agent `n`, whose telephone is elsewhere.
    pub async fn dial(&self, n: usize, server: SocketAddr, port: u16) -> Result<Answered> {
        let mut session = session(port);
        let (dialog, mut events) = self.sip.call(Outgoing {
            to_uri: format!("sip:1{n:04}@{server}"),
            from_user: format!("c{n}"),
            from_name: String::new(),
            offer: session.offer(Direction::SendRecv),
            ..Outgoing::default()
        });
        let media = tokio::time::timeout(ANSWER_AT_MOST, answered(&mut session, &mut events))
            .await
            .context("no answer in 10 s")??;
        Ok(Answered { remote: media.addr, dialog, events })
    }

    pub async fn shutdown(&self) {
        self.sip.shutdown().await;
    }
}

async fn answered(
    session: &mut Session,
    events: &mut mpsc::Receiver<DialogEvent>,
) -> Result<Media> {
    while let Some(event) = events.recv().await {
        match event {
            DialogEvent::Answered { sdp } => return Ok(session.accept(&sdp)?),
            DialogEvent::Failed { code, reason } => bail!("the call failed: {code} {reason}"),
            DialogEvent::Ended { cause } => bail!("the call ended: {cause:?}"),
            _ => {}
        }
    }
    bail!("the dialog went away")
}

async fn answer(call: Incoming, port: u16, tell: oneshot::Sender<Answered>) {
    let mut session = session(port);
    let Some(offer) = call.offer else {
        call.dialog.reject(488, None);
        return;
    };
    match session.answer(&offer) {
        Ok((sdp, media)) => {
            call.dialog.answer(sdp);
            let up = Answered { remote: media.addr, dialog: call.dialog, events: call.events };
            // Nobody waits any more if the caller gave up; dropping the handle ends the dialog.
            let _ = tell.send(up);
        }
        Err(_) => call.dialog.reject(488, None),
    }
}
