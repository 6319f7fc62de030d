//! How loud a signal is and whether somebody speaks. Integer sums; no policy about either.

/// What digital silence reads, and the lowest reading there is.
pub const FLOOR_DBFS: f32 = -96.0;

/// Level of `pcm` in dBFS; a full-scale sine reads -3.0.
pub fn level_dbfs(pcm: &[i16]) -> f32 {
    let _ = pcm;
    todo!()
}

/// Level over the last ~300 ms, and speech with hang-over. Any rate, any frame length.
#[derive(Clone, Debug)]
pub struct Meter {
    _rate: u32,
}

impl Meter {
    pub fn new(rate: u32) -> Self {
        Self { _rate: rate }
    }
    pub fn push(&mut self, pcm: &[i16]) {
        let _ = pcm;
        todo!()
    }
    /// As `push` of that much silence.
    pub fn push_silence(&mut self, samples: usize) {
        let _ = samples;
        todo!()
    }
    pub fn level_dbfs(&self) -> f32 {
        todo!()
    }
    /// Somebody speaks, or did so within the hang-over of 200 ms.
    pub fn speech(&self) -> bool {
        todo!()
    }
    pub fn reset(&mut self) {
        todo!()
    }
}
