//! Sounds that we make ourselves: sine, coaching beep, hold music. Deterministic; when and to whom
//! they sound is said elsewhere.

/// A sine at one frequency; phase runs on from call to call.
#[derive(Clone, Debug)]
pub struct Sine {
    _rate: u32,
}

impl Sine {
    pub fn new(rate: u32, hz: f64, dbfs: f64) -> Self {
        let _ = (hz, dbfs);
        Self { _rate: rate }
    }
    pub fn fill(&mut self, out: &mut [i16]) {
        let _ = out;
        todo!()
    }
    /// Another pitch from the next sample on, without a jump in phase.
    pub fn retune(&mut self, hz: f64) {
        let _ = hz;
        todo!()
    }
}

/// The coaching beep: 880 Hz, then 1175 Hz, 120 ms each at -24 dBFS, with ramps.
pub fn coaching_beep(rate: u32) -> std::sync::Arc<[i16]> {
    let _ = rate;
    todo!()
}

/// A short quiet loop whose end meets its beginning.
pub fn hold_music(rate: u32) -> std::sync::Arc<[i16]> {
    let _ = rate;
    todo!()
}

/// Plays a clip once or for ever.
#[derive(Clone, Debug)]
pub struct Clip {
    pcm: std::sync::Arc<[i16]>,
    rate: u32,
    at: usize,
    looped: bool,
}

impl Clip {
    pub fn once(rate: u32, pcm: std::sync::Arc<[i16]>) -> Self {
        Self { pcm, rate, at: 0, looped: false }
    }
    pub fn looped(rate: u32, pcm: std::sync::Arc<[i16]>) -> Self {
        Self { pcm, rate, at: 0, looped: true }
    }
    pub fn rate(&self) -> u32 {
        self.rate
    }
    /// Returns how much of `out` was filled; less than its length means that the clip has ended.
    /// What is not filled is left as it was.
    pub fn fill(&mut self, out: &mut [i16]) -> usize {
        let mut done = 0;
        while done < out.len() {
            if self.at == self.pcm.len() {
                if !self.looped || self.pcm.is_empty() {
                    break;
                }
                self.at = 0;
            }
            let n = (out.len() - done).min(self.pcm.len() - self.at);
            out[done..done + n].copy_from_slice(&self.pcm[self.at..self.at + n]);
            self.at += n;
            done += n;
        }
        done
    }
}
