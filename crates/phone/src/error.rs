//! What can go wrong for a phone and for one of its calls, by the step that failed.

use undertone_engine::{EngineError, PortsExhausted};
use undertone_sdp::SdpError;
use undertone_sip::SipError;

#[derive(Debug, thiserror::Error)]
pub enum PhoneError {
    #[error("the phone cannot open its SIP endpoint")]
    Sip(#[from] SipError),
    #[error("the phone has no port for sound")]
    Ports(#[from] PortsExhausted),
    #[error("the phone's media engine refused the call")]
    Engine(#[from] EngineError),
    #[error("the caller's offer cannot be taken")]
    Offer(#[source] SdpError),
    #[error("the caller gave up before the answer")]
    Gone,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    #[error("the call is not up")]
    NotUp,
    #[error("the call has ended")]
    Ended,
    #[error("another change is under way")]
    Pending,
    #[error("the far end refused it with {0}")]
    Refused(u16),
    #[error("the far end did not answer")]
    Timeout,
    #[error("the far end's answer cannot be taken")]
    Answer(#[source] SdpError),
    #[error("`{0}` is not a digit")]
    NotADigit(char),
    #[error("no telephone events were agreed for this call")]
    NoEvents,
    #[error("the media engine refused it")]
    Engine(#[source] EngineError),
}

impl From<SipError> for CallError {
    fn from(error: SipError) -> Self {
        match error {
            SipError::Pending => Self::Pending,
            SipError::Refused(code) => Self::Refused(code),
            SipError::Ended => Self::Ended,
            _ => Self::Timeout,
        }
    }
}
