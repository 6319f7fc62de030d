//! Hides lost audio: repetition of the last pitch periods with overlap-add and attenuation, of the
//! class of ITU-T G.711 Appendix I. One signal, any of 8, 16, 48 kHz; knows no packets.

#[derive(Clone, Debug)]
pub struct Concealer {
    _rate: u32,
}

impl Concealer {
    pub fn new(rate: u32) -> Self {
        Self { _rate: rate }
    }
    /// Audio that arrived. After a loss its beginning is merged with what was made up, in place.
    pub fn good(&mut self, frame: &mut [i16]) {
        let _ = frame;
        todo!()
    }
    /// Fills `out` with what may have been said.
    pub fn lost(&mut self, out: &mut [i16]) {
        let _ = out;
        todo!()
    }
    pub fn reset(&mut self) {
        todo!()
    }
}
