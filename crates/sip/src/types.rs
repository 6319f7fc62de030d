//! What crosses the wall: plain data, no type of the SIP library.

use std::net::SocketAddr;

use tokio::sync::mpsc;
use undertone_sdp::Told;

use crate::DialogHandle;
use crate::credentials::Credentials;
use crate::gate::DoorConfig;
use crate::identity::Identity;

/// What a message travels by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    #[default]
    Udp,
    Tcp,
}

/// One address to listen on, by one transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listen {
    pub transport: Transport,
    /// Port 0 is the kernel's choice, the same for UDP and TCP of one address.
    pub addr: SocketAddr,
    /// The address that Via and Contact name, where it is not the one listened on
    /// (a wildcard address, or a 1:1 NAT). Its port 0 stands for the one that was bound.
    pub advertise: Option<SocketAddr>,
}

impl Listen {
    pub fn new(transport: Transport, addr: SocketAddr) -> Self {
        Self { transport, addr, advertise: None }
    }

    /// UDP and TCP on one address: what RFC 3261 section 18 wants of every element.
    pub fn both(addr: SocketAddr) -> [Self; 2] {
        [Self::new(Transport::Udp, addr), Self::new(Transport::Tcp, addr)]
    }
}

/// One TCP connection of ours, as long as it lives; never given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlowId(pub(crate) u64);

/// How long a TCP connection may take for what, and how many there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamLimits {
    /// At once, all listeners together; beyond it the oldest that has said nothing yet goes, and
    /// if all have spoken the new one is closed.
    pub connections_max: usize,
    /// At once from one host.
    pub per_source_max: usize,
    /// From the connection to the first byte of its first message.
    pub first_byte_ms: u64,
    /// From the first byte of a message to its last.
    pub message_ms: u64,
    /// Without a byte either way, once it has spoken; not while a call or a registration uses it.
    pub idle_ms: u64,
    /// For a connection of ours to come about.
    pub connect_ms: u64,
    /// For the far end to take what we write.
    pub write_ms: u64,
}

impl Default for StreamLimits {
    fn default() -> Self {
        Self {
            connections_max: 1_024,
            per_source_max: 256,
            first_byte_ms: 5_000,
            message_ms: 5_000,
            idle_ms: 600_000,
            connect_ms: 2_000,
            write_ms: 10_000,
        }
    }
}

#[derive(Clone, Debug)]
pub struct SipConfig {
    /// Where to listen. The first of a target's address family is where our own calls come from.
    pub listen: Vec<Listen>,
    pub streams: StreamLimits,
    /// Of User-Agent and Server.
    pub user_agent: String,
    /// The user part of our Contact.
    pub contact_user: String,
    /// Differentiated services code point of what we send, 0 to 63 (24: CS3, RFC 4594).
    pub dscp: Option<u8>,
    /// RFC 3261's T1: 500 in life, 50 in tests.
    pub t1_ms: u64,
    /// Dialogs at once, both directions; beyond it, a new call gets 503.
    pub dialogs_max: usize,
    /// Beyond those, for calls for help alone.
    pub for_help_max: usize,
    /// Seconds that a 503 asks the caller to wait.
    pub retry_after_s: u32,
    /// Without any answer, not even 100, in this time an outgoing call fails as 408.
    pub unreachable_ms: u64,
    /// An outgoing call that is not answered in this time is cancelled.
    pub ring_max_ms: u64,
    /// What `shutdown` waits at most.
    pub shutdown_ms: u64,
    /// How long a session may last without a refresh (RFC 4028): what we ask for, and the most
    /// that we grant.
    pub session_expires_s: u32,
    /// The least that we let a far end ask for; below it, 422.
    pub min_se_s: u32,
    /// Name servers to ask for the names of SIP domains; none: those of the system.
    pub name_servers: Vec<SocketAddr>,
    /// Which of our addresses a far end is told, in Via and Contact.
    pub told: Told,
    /// Who may ask for what; None lets everybody in, as a phone does.
    pub door: Option<DoorConfig>,
}

impl SipConfig {
    /// UDP and TCP on this address.
    pub fn new(addr: SocketAddr) -> Self {
        Self {
            listen: Listen::both(addr).to_vec(),
            streams: StreamLimits::default(),
            user_agent: format!("Undertone/{}", env!("CARGO_PKG_VERSION")),
            contact_user: "undertone".into(),
            dscp: Some(24),
            t1_ms: 500,
            dialogs_max: 10_000,
            for_help_max: 64,
            retry_after_s: 5,
            unreachable_ms: 2_000,
            ring_max_ms: 180_000,
            shutdown_ms: 4_000,
            session_expires_s: 1_800,
            min_se_s: 90,
            name_servers: Vec::new(),
            told: Told::default(),
            door: None,
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
    /// Where the INVITE came from.
    pub source: SocketAddr,
    pub transport: Transport,
    /// The connection that it came over; None over UDP.
    pub flow: Option<FlowId>,
    /// The caller's Contact, as a URI.
    pub contact: String,
    /// The user that authenticated, if one had to.
    pub account: Option<String>,
    /// As the caller wrote it: to be believed only of who may say so.
    pub identity: Identity,
    pub offer: Option<String>,
    /// How many hops the call may still take; who passes it on sends one less, and refuses 0 with
    /// 483 (RFC 3261 section 16.3).
    pub max_forwards: u8,
    /// The dialog of ours that this call is to replace. One that matches none, or may not be
    /// replaced, was refused before it came here (RFC 3891 section 3).
    pub replaces: Option<Replaces>,
    /// Referred-By as the caller wrote it (RFC 3892); nobody has checked it.
    pub referred_by: Option<String>,
    pub dialog: DialogHandle,
    pub events: mpsc::Receiver<DialogEvent>,
}

/// A call to place. It always carries an offer: we anchor media.
#[derive(Clone, Debug, Default)]
pub struct Outgoing {
    /// Request-URI and To: `sip:user@host[:port]`, or `user@host:port`.
    pub to_uri: String,
    /// Where to send it, if not to the host and port of `to_uri`. If that is a name, its places are
    /// tried in their order, as long as nobody answers, or with 503 (RFC 3263 section 4.3).
    pub to_addr: Option<SocketAddr>,
    /// By which transport; if None, by the one that `to_uri` names, else UDP. Too large for UDP
    /// (RFC 3261 section 18.1.1) goes by TCP whatever is said here.
    pub transport: Option<Transport>,
    /// Over this connection and no other: how a client behind a NAT is reached. A call over one
    /// that has gone fails with 430 (RFC 5626 section 5.3).
    pub flow: Option<FlowId>,
    pub from_user: String,
    /// Display name of From; empty sends none.
    pub from_name: String,
    pub offer: String,
    /// Placed beyond `dialogs_max`, too.
    pub for_help: bool,
    /// Hops that the call may still take; 70 if unset.
    pub max_forwards: Option<u8>,
    /// A dialog of the far end's that this call is to replace.
    pub replaces: Option<Replaces>,
    pub referred_by: Option<String>,
    /// What answers a challenge to this call or to a request in it.
    pub credentials: Option<Credentials>,
    pub identity: Identity,
    /// Route headers, the first hop first: the Path of a binding.
    pub route: Vec<String>,
}

/// A dialog as the Replaces header names it (RFC 3891): its tags are those of the side that is
/// asked, so `to_tag` is ours where it comes to us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replaces {
    pub call_id: String,
    pub to_tag: String,
    pub from_tag: String,
    /// Only as long as nobody has answered.
    pub early_only: bool,
}

/// One of our dialogs, as somebody else names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownDialog {
    /// Answered; otherwise it still rings.
    pub confirmed: bool,
    /// We called.
    pub ours: bool,
}

/// Names one REFER of the far end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ReferToken(pub u64);

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
    /// 480 no ring in time, 487 cancelled, 503 no transport, or a name that leads nowhere, which
    /// `reason` then says.
    Failed {
        code: u16,
        reason: String,
    },
    /// The far end named other places for the call; the best first. `Failed` with its code, 300 to
    /// 399, follows.
    Redirected {
        contacts: Vec<String>,
    },
    /// The far end offers anew, by re-INVITE or UPDATE. Answer by `answer_reinvite`, at once;
    /// unanswered for 32·T1 it is refused with 500. Without sdp it asks for our offer.
    Reoffer {
        token: ReofferToken,
        sdp: Option<String>,
        /// Where it came from.
        source: SocketAddr,
    },
    Info {
        content_type: String,
        body: String,
    },
    /// The far end asks us to call somebody in its stead (RFC 3515). Answer by `accept_refer` or
    /// `refuse_refer`; unanswered for 32·T1 it is refused with 603.
    Refer {
        token: ReferToken,
        /// A SIP URI without headers.
        to: String,
        /// The dialog that the new call is to replace at its callee.
        replaces: Option<Replaces>,
        referred_by: Option<String>,
    },
    /// What became of a `refer` of ours, so far.
    Notified {
        code: u16,
        last: bool,
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
    /// The far end answered 408 or 481 to a request, or nothing, or did not refresh its session.
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
    #[error("names cannot be looked up: {0}")]
    Names(String),
    #[error("no address to listen on")]
    NoListener,
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

/// What is alive, and what was turned away. `dialogs`, `transactions` and `tasks` are 0 after a
/// drain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gauges {
    pub dialogs: usize,
    pub transactions: usize,
    /// Transactions that are over and kept for repetitions of their request.
    pub finished: usize,
    pub tasks: usize,
    pub received: u64,
    pub sent: u64,
    /// TCP connections that are open, or being opened.
    pub connections: usize,
    /// Connections turned away by a limit, at once or for saying nothing in time.
    pub connections_refused: u64,
    /// Messages that were not worth an answer.
    pub dropped: u64,
    /// Requests judged bad and answered 4xx or 5xx before any dialog saw them.
    pub judged: u64,
    /// Calls refused by the admission limit.
    pub refused: u64,
    pub door: DoorGauges,
}

/// What the door did with requests outside a dialog.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DoorGauges {
    /// Asked for a digest.
    pub challenged: u64,
    /// Came with a wrong one.
    pub wrong: u64,
    /// Turned away unread because of too many wrong ones.
    pub locked: u64,
    /// Locks that began.
    pub locks: u64,
    /// Had a right one, and asked in another's name.
    pub not_own: u64,
    /// Told to come later (503).
    pub slowed: u64,
}
