//! Every reason for which Undertone says no. A refusal is a value with named reasons; it is
//! audited, the API returns its codes, the page words them.

macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident => $code:literal),* $(,)?) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Reason { $($(#[$doc])* $variant),* }
        impl Reason {
            pub const ALL: &'static [Reason] = &[$(Reason::$variant),*];
            /// The stable code in the API and the audit.
            pub const fn code(self) -> &'static str {
                match self { $(Reason::$variant => $code),* }
            }
        }
    };
}

reasons! {
    /// The PIN that was typed is not this person's.
    PinWrong => "pin_wrong",
    /// Nothing was typed.
    PinMissing => "pin_missing",
    /// Too many wrong ones from there; not even the right one counts now.
    PinLocked => "pin_locked",
    /// A PIN is asked for, and this person has none.
    PinNotSet => "pin_not_set",
    /// The key or person lacks the right (listen, whisper, barge, takeover, control, …).
    NotAllowed => "not_allowed",
    NoSuchCall => "no_such_call",
    NoSuchAgent => "no_such_agent",
    NoSuchSupervision => "no_such_supervision",
    NoSuchParty => "no_such_party",
    /// No hand is raised there, or another one.
    NoSuchHelp => "no_such_help",
    /// The agent is not on a call (R34).
    AgentNotOnCall => "agent_not_on_call",
    CallNotTalking => "call_not_talking",
    CallEnded => "call_ended",
    /// Whisper with two internal parties and no customer needs a named target.
    TargetRequired => "target_required",
    /// A target is not an agent on this call.
    TargetNotAgent => "target_not_agent",
    /// The target's phone does not receive (it holds us).
    TargetNotReceiving => "target_not_receiving",
    NoCustomer => "no_customer",
    /// For abilities: barge opens toward the agent now, toward the customer at resume.
    CustomerOnHold => "customer_on_hold",
    AgentGone => "agent_gone",
    /// Hold, remove, hand back of an agent needs barge or takeover.
    NotInMode => "not_in_mode",
    /// Somebody has taken this call over already.
    TakeoverTaken => "takeover_taken",
    /// One is a party of this call already.
    OwnCall => "own_call",
    /// The one to whom a transfer would go is a party of this call already.
    AlreadyAParty => "already_a_party",
    /// One transfer at a time.
    TransferUnderWay => "transfer_under_way",
    /// The call went into another one, which this supervision may not follow.
    MergedInto => "merged_into",
    /// Supervision that follows the agent ends where the agent leaves the call.
    AgentTransferred => "agent_transferred",
    /// Rights that were there at the join are not any more.
    RightsLost => "rights_lost",
    /// The session that began it was signed out.
    SignedOut => "signed_out",
    AlreadySupervising => "already_supervising",
    TooManySupervisors => "too_many_supervisors",
    TooManySeats => "too_many_seats",
    AuditUnavailable => "audit_unavailable",
    LegNoAnswer => "leg_no_answer",
    LegRejected => "leg_rejected",
    /// The device named in `leg` is not one of the caller's own.
    LegNotOwn => "leg_not_own",
    /// The device named in `leg` has registered nowhere, and has no fixed address.
    LegNotRegistered => "leg_not_registered",
    /// The person has no phone in a browser now.
    NoPhone => "no_phone",
    /// Another page of the same person has it.
    PhoneElsewhere => "phone_elsewhere",
    NoCommonCodec => "no_common_codec",
    /// More notes, flags and bookmarks than one supervision may leave.
    TooManyMarks => "too_many_marks",
    /// More offers of a browser than one a second, after some at once.
    TooManyOffers => "too_many_offers",
    /// The call does not ring at this person's phone in the browser.
    NotRinging => "not_ringing",
    /// A stream can listen only; a stream cannot be raised.
    LegListenOnly => "leg_listen_only",
    /// Three packets did not reach the leg, or none came from it, in 3 s.
    AudioNotProven => "audio_not_proven",
    MediaFailed => "media_failed",
    Superseded => "superseded",
    VersionMismatch => "version_mismatch",
    ReaderTooSlow => "reader_too_slow",
    Overloaded => "overloaded",
    ShuttingDown => "shutting_down",
    /// A destination that is no known device, extension or number.
    NoRoute => "no_route",
    /// Numbers that lead to each other, or back to the trunk that the call came by.
    RouteLoop => "route_loop",
    /// Neither a device nor a trunk of ours.
    UnknownCaller => "unknown_caller",
    /// Nothing allows this caller this number outside.
    OutboundDenied => "outbound_denied",
    /// The caller has as many calls outside, at once or in an hour, as it may have.
    AccountCap => "account_cap",
    /// The number called has as many calls, at once or in an hour, as it may have.
    DestinationCap => "destination_cap",
    /// Every trunk that leads there has all its channels in use.
    TrunkFull => "trunk_full",
    /// No trunk that leads there answers.
    TrunkDown => "trunk_down",
    AgentBusy => "agent_busy",
    BadRequest => "bad_request",
}

/// What was asked is not done, and why. At least one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub reasons: Vec<Reason>,
    /// One plain sentence for a person, without secrets; may be empty.
    pub detail: String,
}

impl Refusal {
    pub fn because(reason: Reason) -> Self {
        Self { reasons: vec![reason], detail: String::new() }
    }
    pub fn with(reason: Reason, detail: impl Into<String>) -> Self {
        Self { reasons: vec![reason], detail: detail.into() }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let codes: Vec<_> = self.reasons.iter().map(|r| r.code()).collect();
        write!(f, "refused: {}", codes.join(", "))?;
        if self.detail.is_empty() { Ok(()) } else { write!(f, " ({})", self.detail) }
    }
}
impl std::error::Error for Refusal {}
