//! The live sound of a call on its way into an HTTP response, and what it tells back.
//!
//! Bounded at two seconds: a reader further behind is cut off, never waited for. Knows PCM and
//! milliseconds; no codec, no HTTP.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::mpsc;

/// A reader that has not taken this much is too slow.
pub const MAX_BEHIND_MS: u32 = 2_000;
/// Sound accepted by the reader's socket that proves a stream (`AudioProven` of a stream).
pub const PROVEN_AFTER_MS: u32 = 60;
/// One frame of the bridge's tick.
const FRAME_MS: u32 = 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SoundEnded {
    /// The connection is gone: the supervisor left.
    Closed,
    /// More than [`MAX_BEHIND_MS`] wait for the reader: ends as `reader_too_slow`.
    TooSlow,
}

/// The end that the tap feeds, once a tick. Dropping it ends the sound cleanly.
#[derive(Debug)]
pub struct SoundSender {
    frames: mpsc::Sender<Vec<i16>>,
    too_slow: Arc<AtomicBool>,
}

/// The end that the HTTP answer reads. Dropping it makes the sender answer `Closed`.
pub struct LiveSound {
    rate: u32,
    frames: mpsc::Receiver<Vec<i16>>,
    too_slow: Arc<AtomicBool>,
    proven: Option<Box<dyn FnOnce() + Send>>,
    ended: Option<Box<dyn FnOnce(SoundEnded) + Send>>,
}

impl LiveSound {
    /// `proven` runs once, when the reader's socket has taken 60 ms; `ended` once at most, when
    /// the reader goes (or is cut off) before the sender does. Neither may block.
    pub fn channel(
        rate: u32,
        proven: impl FnOnce() + Send + 'static,
        ended: impl FnOnce(SoundEnded) + Send + 'static,
    ) -> (SoundSender, LiveSound) {
        let (tx, rx) = mpsc::channel((MAX_BEHIND_MS / FRAME_MS) as usize);
        let too_slow = Arc::new(AtomicBool::new(false));
        let sender = SoundSender { frames: tx, too_slow: too_slow.clone() };
        let proven: Option<Box<dyn FnOnce() + Send>> = Some(Box::new(proven));
        let ended: Option<Box<dyn FnOnce(SoundEnded) + Send>> = Some(Box::new(ended));
        (sender, LiveSound { rate, frames: rx, too_slow, proven, ended })
    }

    pub fn rate(&self) -> u32 {
        self.rate
    }

    /// The next frame; None once the sender has gone and all was read, or at once when the
    /// reader was too slow (what waits is then older than a listener should be told).
    pub async fn next(&mut self) -> Option<Vec<i16>> {
        if self.was_too_slow() {
            return None;
        }
        let frame = self.frames.recv().await;
        if frame.is_none() && !self.was_too_slow() {
            self.ended = None; // the sender went first: it knows
        }
        frame
    }

    /// Milliseconds of sound that the reader's socket has accepted since the start.
    pub fn took(&mut self, total_ms: u32) {
        if total_ms >= PROVEN_AFTER_MS
            && let Some(proven) = self.proven.take()
        {
            proven();
        }
    }

    pub fn was_too_slow(&self) -> bool {
        self.too_slow.load(Ordering::Acquire)
    }
}

impl Drop for LiveSound {
    fn drop(&mut self) {
        if let Some(ended) = self.ended.take() {
            ended(if self.was_too_slow() { SoundEnded::TooSlow } else { SoundEnded::Closed });
        }
    }
}

impl std::fmt::Debug for LiveSound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LiveSound").field("rate", &self.rate).finish_non_exhaustive()
    }
}

impl SoundSender {
    /// Never blocks. An error is final: close the tap and let go.
    pub fn frame(&self, pcm: &[i16]) -> Result<(), SoundEnded> {
        match self.frames.try_send(pcm.to_vec()) {
            Ok(()) => Ok(()),
            Err(mpsc::error::TrySendError::Closed(_)) => Err(SoundEnded::Closed),
            Err(mpsc::error::TrySendError::Full(_)) => {
                self.too_slow.store(true, Ordering::Release);
                Err(SoundEnded::TooSlow)
            }
        }
    }
}
