//! Names of things, one type each, so that one cannot be passed for another.
//!
//! Ids that people see are opaque strings; those that the packet path uses are small integers.

use std::fmt;
use std::sync::Arc;

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);
        impl $name {
            /// Longest accepted, in bytes.
            pub const MAX_BYTES: usize = 128;
            /// Takes an id from outside: 1 to 128 bytes of `[A-Za-z0-9._:@+-]`.
            pub fn parse(text: &str) -> Result<Self, BadId> {
                let fits = !text.is_empty() && text.len() <= Self::MAX_BYTES;
                let byte = |b: u8| b.is_ascii_alphanumeric() || b"._:@+-".contains(&b);
                let clean = text.bytes().all(byte);
                if fits && clean { Ok(Self(text.into())) } else { Err(BadId(stringify!($name))) }
            }
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

macro_rules! number_id {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $inner);
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }
    };
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadId(pub &'static str);

impl fmt::Display for BadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a valid {}", self.0)
    }
}
impl std::error::Error for BadId {}

text_id!(
    /// The one organisation of an instance; in every row and event, in no API.
    OrgId
);
text_id!(
    /// `<region>.<node>.<epoch>.<ulid>`: names its owner (`scale.md`); opaque outside.
    CallId
);
text_id!(
    /// One stay of one supervisor on one call.
    SupervisionId
);
text_id!(PersonId);
text_id!(DeviceId);
text_id!(TrunkId);
text_id!(KeyId);
text_id!(
    /// One prompt or reply.
    MessageId
);
text_id!(
    /// One sign-in of one person in one browser.
    SessionId
);

number_id!(
    /// One party's place on one call; unique within that call, never reused in it.
    SeatId(u32)
);
number_id!(
    /// A listener that is no party: recorder, transcriber, live stream.
    TapId(u32)
);
number_id!(
    /// One media leg; stable while its transport is replaced. Unique in the process.
    LegId(u64)
);
number_id!(
    /// One bridge, that is one call's media. Unique in the process.
    BridgeId(u64)
);
