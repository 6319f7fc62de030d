//! A call of ours until it is answered or has failed.
//!
//! ```text
//!   INVITE -> nothing for unreachable_ms ------------------> Failed 408
//!          -> 1xx -> 2xx -> Answered -> live
//!          -> 3xx-6xx ------------------------------------> Failed
//!   cancel() at any time -> Failed 487 at once; the library sends CANCEL when it may (after a
//!   1xx, section 9.1), acknowledges a late 2xx and ends it by BYE
//! ```

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rsipstack::dialog::dialog::DialogState;
use rsipstack::dialog::invitation::{InviteAsyncResult, InviteOption};
use rsipstack::sip::{Header, Response, StatusCodeKind, Uri};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::dialog::{Ends, reason_of, sdp_of};
use crate::endpoint::{Core, capabilities, lock};
use crate::handle::{Command, DialogHandle};
use crate::live::Live;
use crate::types::{DialogEvent, Outgoing, SipError};

pub(crate) fn start(
    core: &Arc<Core>,
    call: Outgoing,
) -> (DialogHandle, mpsc::Receiver<DialogEvent>) {
    match begin(core, &call) {
        Ok(begun) => begun,
        Err((code, reason)) => stillborn(code, reason),
    }
}

/// A call that could not be begun: its one event says so.
fn stillborn(code: u16, reason: String) -> (DialogHandle, mpsc::Receiver<DialogEvent>) {
    let (commands, _) = mpsc::channel(1);
    let (events, receiver) = mpsc::channel(1);
    // The one place is free.
    let _ = events.try_send(DialogEvent::Failed { code, reason });
    let ending = CancellationToken::new();
    (DialogHandle { call_id: "".into(), commands, ending }, receiver)
}

type Begun = (DialogHandle, mpsc::Receiver<DialogEvent>);

fn begin(core: &Arc<Core>, call: &Outgoing) -> Result<Begun, (u16, String)> {
    if core.closing.is_cancelled() {
        return Err((503, "shutting down".into()));
    }
    if lock(&core.routes).len() >= core.config.dialogs_max {
        return Err((503, "too many calls".into()));
    }
    let bad = |_| (400, SipError::BadAddress.to_string());
    let callee = callee(&call.to_uri).map_err(bad)?;
    let caller = caller(core, &call.from_user);
    let target = call.to_addr.map(|addr| (callee.to_string(), addr));
    let target = target.map(|(uri, addr)| Target::new(core, uri, addr));
    let invite = InviteOption {
        caller_display_name: Some(quotable(&call.from_name)).filter(|name| !name.is_empty()),
        caller,
        callee,
        content_type: Some("application/sdp".into()),
        offer: Some(call.offer.clone().into_bytes()),
        contact: core.contact.clone(),
        headers: Some(capabilities()),
        call_id: Some(format!("{:032x}@{}", rand::random::<u128>(), core.advertised.ip())),
        ..InviteOption::default()
    };
    let (to_states, states) = core.layer.new_dialog_state_channel();
    let (dialog, invited) =
        core.layer.do_invite_async(invite, to_states).map_err(|error| (503, error.to_string()))?;
    let (ends, handle, events) = Ends::new(core, dialog, states, None);
    let setup = Setup { ends, invited: Invited(invited), early_sdp: None, heard: false, target };
    core.spawn(setup.run());
    Ok((handle, events))
}

/// The user as it is: the library escapes what a URI cannot hold (section 25.1).
fn caller(core: &Core, user: &str) -> Uri {
    let mut uri = core.contact.clone();
    let kept: String = user.chars().filter(|c| !c.is_control()).take(128).collect();
    let user = if kept.is_empty() { "anonymous".to_owned() } else { kept };
    uri.auth = Some(rsipstack::sip::uri::Auth { user, password: None });
    uri
}

/// Takes `sip:user@host`, and the same without its scheme.
fn callee(to: &str) -> Result<Uri, SipError> {
    let lower = to.get(..5).unwrap_or(to).to_ascii_lowercase();
    let text = if lower.starts_with("sip:") { to.to_owned() } else { format!("sip:{to}") };
    let clean = text.bytes().all(|b| b.is_ascii_graphic() && !b"<>\",".contains(&b));
    if !clean || text.len() > 512 {
        return Err(SipError::BadAddress);
    }
    Uri::try_from(text.as_str()).map_err(|_| SipError::BadAddress)
}

/// The library writes a display name between quotes and escapes nothing; a backslash or a quote
/// confuses more phones than it helps, so they go.
fn quotable(name: &str) -> String {
    let kept = name.chars().filter(|c| !c.is_control() && !"\"\\<>".contains(*c));
    kept.take(128).collect::<String>().trim().to_owned()
}

/// Aborting the library's task is how an INVITE is abandoned: it then waits for a late 2xx by
/// itself and ends that by BYE.
struct Invited(JoinHandle<InviteAsyncResult>);

impl Drop for Invited {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The address that this call's requests go to, until it is answered.
struct Target {
    core: Arc<Core>,
    uri: String,
}

impl Target {
    /// Two calls to one URI at once share the entry; the later address counts.
    fn new(core: &Arc<Core>, uri: String, addr: SocketAddr) -> Self {
        let mut targets = lock(&core.targets);
        let entry = targets.entry(uri.clone()).or_insert((addr, 0));
        *entry = (addr, entry.1 + 1);
        Self { core: core.clone(), uri }
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        let mut targets = lock(&self.core.targets);
        if let Some(entry) = targets.get_mut(&self.uri) {
            entry.1 -= 1;
            if entry.1 == 0 {
                targets.remove(&self.uri);
            }
        }
    }
}

struct Setup {
    ends: Ends,
    invited: Invited,
    /// The last description of a provisional answer: some peers do not repeat it in the 200.
    early_sdp: Option<String>,
    heard: bool,
    target: Option<Target>,
}

impl Setup {
    async fn run(mut self) {
        let config = &self.ends.core.config;
        let begun = Instant::now();
        let unreachable = begun + Duration::from_millis(config.unreachable_ms);
        let mut give_up = begun + Duration::from_millis(config.ring_max_ms);
        let ending = self.ends.ending.clone();
        let mut cancelled = false;
        let outcome = loop {
            tokio::select! {
                biased;
                outcome = &mut self.invited.0 => break outcome,
                state = self.ends.states.recv() => self.note(state, cancelled),
                () = ending.cancelled(), if !cancelled => {
                    cancelled = true;
                    give_up = self.cancel(487, "cancelled");
                }
                () = sleep_until(unreachable), if !self.heard => {
                    // Before any 1xx there is nothing to CANCEL (section 9.1).
                    self.ends.failed(408, "no answer from that address");
                    return;
                }
                () = sleep_until(give_up) => {
                    if cancelled {
                        return;
                    }
                    cancelled = true;
                    give_up = self.cancel(480, "not answered in time");
                }
                command = self.ends.commands.recv(), if !cancelled => match command {
                    Some(command) => refuse_early(command),
                    None => ending.cancel(),
                },
            }
        };
        self.finish(outcome, cancelled).await;
    }

    fn note(&mut self, state: Option<DialogState>, cancelled: bool) {
        match state {
            Some(DialogState::Trying(_)) => self.heard = true,
            Some(DialogState::Early(_, response)) => {
                self.heard = true;
                let sdp = sdp_of(&response.body);
                if sdp.is_some() {
                    self.early_sdp.clone_from(&sdp);
                }
                if !cancelled {
                    self.ends
                        .tell(DialogEvent::Progress { code: response.status_code.code(), sdp });
                }
            }
            _ => {}
        }
    }

    /// Says so at once; what is left is between us and the far end. Gives when to stop waiting.
    fn cancel(&mut self, code: u16, reason: &str) -> Instant {
        self.ends.failed(code, reason);
        let dialog = self.ends.dialog.clone();
        self.ends.core.spawn(async move {
            if let Err(error) = dialog.cancel().await {
                tracing::debug!(%error, "CANCEL was not answered well");
            }
        });
        Instant::now() + self.ends.core.timer_b()
    }

    async fn finish(
        mut self,
        outcome: Result<InviteAsyncResult, tokio::task::JoinError>,
        cancelled: bool,
    ) {
        // What came just before the final answer is told before it.
        while let Ok(state) = self.ends.states.try_recv() {
            self.note(Some(state), cancelled);
        }
        match outcome {
            Ok(Ok((_, Some(response)))) if is_2xx(&response) => {
                self.answered(response, cancelled).await;
            }
            Ok(Ok((_, Some(response)))) => {
                self.ends.failed(response.status_code.code(), &reason_of(&response));
            }
            Ok(Ok((_, None))) => self.ends.failed(408, "no answer"),
            Ok(Err(error)) => {
                tracing::debug!(call_id = %self.ends.call_id, %error, "the INVITE failed");
                self.ends.failed(503, "the call could not be sent");
            }
            Err(_) => self.ends.failed(500, "the call's task failed"),
        }
        self.ends.refuse_waiting();
    }

    async fn answered(&mut self, response: Response, cancelled: bool) {
        if !self.ends.dialog.state().is_confirmed() {
            // It was cancelled in time: the library acknowledged the 2xx and sends the BYE.
            return self.ends.failed(487, "cancelled");
        }
        self.target = None;
        let sdp = sdp_of(&response.body).or(self.early_sdp.take());
        match sdp {
            Some(sdp) if !cancelled => self.ends.tell(DialogEvent::Answered { sdp }),
            Some(_) => {}
            None => {
                self.ends.failed(488, "answered without a description");
                self.ends.ending.cancel();
            }
        }
        Live::caller().run(&mut self.ends).await;
    }
}

fn is_2xx(response: &Response) -> bool {
    response.status_code.kind() == StatusCodeKind::Successful
}

/// What cannot be asked of a call that is not up yet.
fn refuse_early(command: Command) {
    match command {
        Command::Reinvite(_, reply) => drop(reply.send(Err(SipError::Pending))),
        Command::Info(_, reply) | Command::Options(reply) => {
            drop(reply.send(Err(SipError::Pending)));
        }
        Command::Progress(..)
        | Command::Answer(_)
        | Command::Reject(_)
        | Command::AnswerReinvite(..) => {}
    }
}

/// The headers of a description that we send in an established dialog.
pub(crate) fn sdp_headers() -> Vec<Header> {
    let mut headers = capabilities();
    headers.push(Header::ContentType("application/sdp".into()));
    headers
}
