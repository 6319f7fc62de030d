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
    state: u64,
}

impl ComfortNoise {
    pub fn new(seed: u64) -> Self {
        // xorshift stands still at 0.
        Self { state: seed | 1 }
    }

    pub fn fill(&mut self, dbov: u8, out: &mut [i16]) {
        let peak = i64::from(PEAK[usize::from(dbov.min(127))]);
        for sample in out {
            self.state ^= self.state << 13;
            self.state ^= self.state >> 7;
            self.state ^= self.state << 17;
            let uniform = i64::from(self.state as u32 as i32);
            *sample = ((uniform * peak) >> 31).clamp(-32_768, 32_767) as i16;
        }
    }
}

/// Half the width of uniform noise whose RMS is that many dB below overload (32768 RMS).
static PEAK: [i32; 128] = {
    let mut table = [0; 128];
    let mut value = 32_768.0 * 1.732_050_8;
    let mut i = 0;
    while i < 128 {
        table[i] = (value + 0.5) as i32;
        value *= 0.891_250_938_133_745_6;
        i += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_has_the_level_that_the_payload_asks_for() {
        for dbov in [30u8, 50, 70] {
            let mut pcm = vec![0i16; 16_000];
            ComfortNoise::new(7).fill(level(&payload(dbov)).unwrap(), &mut pcm);
            let mean: f64 =
                pcm.iter().map(|s| f64::from(*s) * f64::from(*s)).sum::<f64>() / 16_000.0;
            let dbov_read = 20.0 * (mean.sqrt() / 32_768.0).log10();
            assert!((dbov_read + f64::from(dbov)).abs() < 0.7, "{dbov}: {dbov_read}");
        }
        assert_eq!(level(&[]), None);
    }
}
