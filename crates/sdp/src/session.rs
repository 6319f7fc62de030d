//! One leg's offer/answer state.

use crate::{Capabilities, Direction, LocalAddr, Media, SdpError};

/// One leg's side of RFC 3264, for its whole life.
#[derive(Clone, Debug)]
pub struct Session {
    id: u64,
    local: LocalAddr,
    caps: Capabilities,
}

impl Session {
    pub fn new(id: u64, local: LocalAddr, caps: Capabilities) -> Self {
        Self { id, local, caps }
    }
    pub fn offer(&mut self, direction: Direction) -> String {
        let _ = (direction, self.id, self.local, &self.caps);
        todo!()
    }
    /// Takes an offer of the far end; gives our answer, and what is now agreed.
    pub fn answer(&mut self, _offer: &str) -> Result<(String, Media), SdpError> {
        todo!()
    }
    /// Takes the answer to our open offer.
    pub fn accept(&mut self, _answer: &str) -> Result<Media, SdpError> {
        todo!()
    }
    /// Our offer was refused (or its transaction failed): what was agreed before stands.
    pub fn withdraw(&mut self) {
        todo!()
    }
    pub fn agreed(&self) -> Option<&Media> {
        todo!()
    }
}
