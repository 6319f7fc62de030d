//! Comfort noise (RFC 3389): its payload, and the noise that it asks for.

/// A payload that says only a level: spectrum flat (RFC 3389 section 3.1). `dbov` is 0 to 127
/// below overload, e.g. 70.
pub fn payload(dbov: u8) -> [u8; 1] {
    [dbov.min(127)]
}

/// Level below overload that a payload asks for; None for an empty one.
pub fn level(payload: &[u8]) -> Option<u8> {
    payload.first().map(|b| b & 0x7f)
}

/// White noise at a level; seeded, so that two runs are the same.
#[derive(Clone, Debug)]
pub struct ComfortNoise {
    _state: u64,
}

impl ComfortNoise {
    pub fn new(seed: u64) -> Self {
        Self { _state: seed }
    }
    pub fn fill(&mut self, dbov: u8, out: &mut [i16]) {
        let _ = (dbov, out);
        todo!()
    }
}
