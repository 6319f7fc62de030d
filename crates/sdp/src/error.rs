//! Why a description was refused. Each is a value; none quotes the far end's text.

/// What a caller does with it: `NotSdp` is a 400, the rest a 488 (RFC 3261 section 21.4.26).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SdpError {
    #[error("larger than {limit_bytes} bytes")]
    TooLarge { limit_bytes: usize },
    #[error("not a session description")]
    NotSdp,
    #[error("no audio stream that we can take")]
    NoAudio,
    #[error("no codec in common")]
    NoCommonCodec,
    #[error("no usable address for the audio stream")]
    NoAddress,
    #[error("the answer does not match our offer")]
    NotAnAnswer,
    #[error("an answer came while no offer of ours was open")]
    NoOfferOpen,
    #[error("an offer came while one of ours was open")]
    Glare,
}
