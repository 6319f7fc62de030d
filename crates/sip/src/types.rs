//! What crosses the wall: plain data, no type of the SIP library.

use std::net::SocketAddr;

use tokio::sync::mpsc;

use crate::DialogHandle;

#[derive(Clone, Debug)]
pub struct SipConfig {
    /// Where to listen, over UDP. Port 0 is the kernel's choice.
    pub listen: SocketAddr,
    /// The address that Via and Contact name, where it is not the one listened on
    /// (a wildcard address, or a 1:1 NAT).
    pub advertise: Option<SocketAddr>,
    /// Of User-Agent and Server.
    pub user_agent: String,
    /// The user part of our Contact.
    pub contact_user: String,
    /// RFC 3261's T1: 500 in life, 50 in tests.
    pub t1_ms: u64,
    /// Dialogs at once, both directions; beyond it, a new call gets 503.
    pub dialogs_max: usize,
    /// Seconds that a 503 asks the caller to wait.
    pub retry_after_s: u32,
    /// Without any answer, not even 100, in this time an outgoing call fails as 408.
    pub unreachable_ms: u64,
    /// An outgoing call that is not answered in this time is cancelled.
    pub ring_max_ms: u64,
    /// What `shutdown` waits at most.
    pub shutdown_ms: u64,
}

impl SipConfig {
    pub fn new(listen: SocketAddr) -> Self {
        Self {
            listen,
            advertise: None,
            user_agent: format!("Undertone/{}", env!("CARGO_PKG_VERSION")),
            contact_user: "undertone".into(),
            t1_ms: 500,
            dialogs_max: 10_000,
            retry_after_s: 5,
            unreachable_ms: 2_000,
            ring_max_ms: 180_000,
            shutdown_ms: 4_000,
        }
    }
}

/// A party as From or To names it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Address {
    pub user: String,
    /// The display name; empty if there is none.
    pub name: String,
    pub uri: String,
}

/// A call that came in. 100 has been sent; `dialog` answers or rejects it.
pub struct Incoming {
    pub call_id: String,
    pub from: Address,
    pub to: Address,
    /// The user part of the Request-URI: the number called.
    pub request_user: String,
    /// Where the datagram came from.
    pub source: SocketAddr,
    /// The caller's Contact, as a URI.
    pub contact: String,
    pub offer: Option<String>,
    pub dialog: DialogHandle,
    pub events: mpsc::Receiver<DialogEvent>,
}

/// A call to place. It always carries an offer: we anchor media.
#[derive(Clone, Debug, Default)]
pub struct Outgoing {
    /// Request-URI and To: `sip:user@host[:port]`, or `user@host:port`.
    pub to_uri: String,
    /// Where to send it, if not to the host and port of `to_uri`.
    pub to_addr: Option<SocketAddr>,
    pub from_user: String,
    /// Display name of From; empty sends none.
    pub from_name: String,
    pub offer: String,
}

/// Names one re-INVITE that waits for our answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ReofferToken(pub u64);

/// What happens on a dialog, in order. After `Failed` or `Ended` nothing follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DialogEvent {
    /// A provisional answer to our call (101 to 199).
    Progress {
        code: u16,
        sdp: Option<String>,
    },
    /// Our call was answered; its ACK is on the way.
    Answered {
        sdp: String,
    },
    /// The ACK of our answer came; with the far end's answer if the offer was ours.
    Confirmed {
        sdp: Option<String>,
    },
    /// The call never came to be. `code` is the far end's, or ours: 408 nobody answered,
    /// 480 no ring in time, 487 cancelled, 503 no transport.
    Failed {
        code: u16,
        reason: String,
    },
    /// The far end offers anew. Answer by `answer_reinvite`, at once; unanswered for 32·T1 it is
    /// refused with 500. Without sdp it asks for our offer.
    Reoffer {
        token: ReofferToken,
        sdp: Option<String>,
    },
    Info {
        content_type: String,
        body: String,
    },
    Ended {
        cause: EndCause,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndCause {
    /// The far end sent BYE.
    FarEnd,
    /// We did.
    Us,
    /// The far end answered 408 or 481 to a request, or nothing.
    Lost,
    /// Our 200 was never acknowledged in 64·T1.
    NoAck,
    /// `shutdown`.
    Shutdown,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SipError {
    #[error("cannot bind {addr}: {why}")]
    Bind { addr: SocketAddr, why: String },
    #[error("not a SIP address")]
    BadAddress,
    #[error("another offer is open on this dialog")]
    Pending,
    #[error("the far end answered {0}")]
    Refused(u16),
    #[error("the dialog has ended")]
    Ended,
    #[error("no answer")]
    Timeout,
    #[error("{0}")]
    Transport(String),
}

/// What is alive, and what was turned away. All of `dialogs` to `queued` are 0 after a drain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gauges {
    pub dialogs: usize,
    pub transactions: usize,
    pub tasks: usize,
    pub received: u64,
    pub sent: u64,
    /// Datagrams that were not worth an answer.
    pub dropped: u64,
    /// Requests judged bad and answered 4xx or 5xx before any dialog saw them.
    pub judged: u64,
    /// Calls refused by the admission limit.
    pub refused: u64,
}
