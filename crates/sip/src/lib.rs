//! SIP dialogs over UDP for the switchboard and the phone: calls in, calls out, what happens on
//! them as events. It carries session descriptions without reading them.
//!
//! It wraps rsipstack, none of whose types cross this wall, and knows calls, not supervision.

mod types;

pub use types::{
    Address, DialogEvent, EndCause, Gauges, Incoming, Outgoing, ReofferToken, SipConfig, SipError,
};

use std::net::SocketAddr;

use tokio::sync::mpsc;

/// One bound SIP endpoint. Cheap to clone.
#[derive(Clone)]
pub struct Sip {}

impl Sip {
    /// Binds the address and starts to serve. The receiver is bounded: while it is full, new
    /// calls are answered 503.
    pub async fn bind(_config: SipConfig) -> Result<(Self, mpsc::Receiver<Incoming>), SipError> {
        todo!()
    }
    pub fn local_addr(&self) -> SocketAddr {
        todo!()
    }
    /// Starts a call. Never waits: what becomes of it is an event.
    pub fn call(&self, _call: Outgoing) -> (DialogHandle, mpsc::Receiver<DialogEvent>) {
        todo!()
    }
    pub fn gauges(&self) -> Gauges {
        todo!()
    }
    /// Refuses new calls, ends every dialog by BYE, CANCEL or 503, and waits for them, at most
    /// `shutdown_ms`.
    pub async fn shutdown(&self) {
        todo!()
    }
}

/// What one does with a dialog. Cheap to clone; dropping every handle ends the dialog.
#[derive(Clone)]
pub struct DialogHandle {}

impl DialogHandle {
    pub fn call_id(&self) -> &str {
        todo!()
    }
    /// Answers 180.
    pub fn ring(&self) {
        todo!()
    }
    /// Answers a provisional of 101 to 199.
    pub fn progress(&self, _code: u16, _sdp: Option<String>) {
        todo!()
    }
    /// Answers 200.
    pub fn answer(&self, _sdp: String) {
        todo!()
    }
    /// Answers 300 to 699.
    pub fn reject(&self, _code: u16, _reason: Option<&str>) {
        todo!()
    }
    /// Ends an outgoing call that is not answered yet. One that is answered meanwhile gets a BYE.
    pub fn cancel(&self) {
        todo!()
    }
    /// Ends the call in whatever state it is: BYE, CANCEL, or a refusal.
    pub fn bye(&self) {
        todo!()
    }
    /// Offers anew; gives the answer. Err(SipError::Pending) at once while another is open.
    pub async fn reinvite(&self, _sdp: String) -> Result<String, SipError> {
        todo!()
    }
    /// Answers a `Reoffer`.
    pub fn answer_reinvite(&self, _token: ReofferToken, _answer: Result<String, u16>) {
        todo!()
    }
    /// Sends digits as `application/dtmf-relay`, one INFO each.
    pub async fn info(&self, _digits: &str) -> Result<(), SipError> {
        todo!()
    }
    /// Asks whether the far end is alive; the code of its answer.
    pub async fn options(&self) -> Result<u16, SipError> {
        todo!()
    }
}
