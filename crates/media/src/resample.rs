//! Between 8, 16 and 48 kHz by a fixed polyphase FIR. Integer state that can be reset; knows
//! nothing of codecs or time.

/// One direction of one signal. The same rate twice passes samples through.
#[derive(Clone, Debug)]
pub struct Resampler {
    from: u32,
    to: u32,
}

impl Resampler {
    /// Rates are 8000, 16000 or 48000; any other is taken for the nearest of these.
    pub fn new(from: u32, to: u32) -> Self {
        Self { from, to }
    }
    /// Appends exactly `input.len() * to / from` samples (over any run; within one of it a call,
    /// exact for whole multiples of 1 ms).
    pub fn process(&mut self, input: &[i16], out: &mut Vec<i16>) {
        let _ = (input, out, self.from, self.to);
        todo!()
    }
    /// Delay in samples of the output rate.
    pub fn delay(&self) -> usize {
        todo!()
    }
    pub fn reset(&mut self) {
        todo!()
    }
}
