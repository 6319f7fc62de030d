//! The live sound of a call on its way into an HTTP response, and what it tells back.
//!
//! Bounded at two seconds: a reader further behind is cut off, never waited for. Knows PCM and
//! milliseconds; no codec, no HTTP.

use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc;

/// A reader that has not taken this much is too slow.
const MAX_BEHIND_MS: u32 = 2_000;
/// Sound accepted by the reader's socket that proves a stream.
const PROVEN_AFTER_MS: u32 = 60;
/// One frame of the bridge's tick.
const FRAME_MS: u32 = 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SoundEnded {
    /// The connection is gone: the supervisor left.
    Closed,
    /// More than two seconds wait for the reader: ends as `reader_too_slow`.
    TooSlow,
}

type Ended = Box<dyn FnOnce(SoundEnded) + Send>;
type Cut = Box<dyn FnOnce() + Send>;

/// What both ends know.
#[derive(Default)]
struct Fate {
    too_slow: bool,
    ended: Option<Ended>,
    /// Breaks the reader's connection, which may be stuck in a write that nobody takes.
    cut: Option<Cut>,
}

type Shared = Arc<Mutex<Fate>>;

fn of(fate: &Shared) -> std::sync::MutexGuard<'_, Fate> {
    fate.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The end that the tap feeds, once a tick. Dropping it ends the sound cleanly.
pub struct SoundSender {
    frames: mpsc::Sender<Vec<i16>>,
    fate: Shared,
}

/// The end that the HTTP answer reads. Dropping it makes the sender answer `Closed`.
pub struct LiveSound {
    rate: u32,
    frames: mpsc::Receiver<Vec<i16>>,
    fate: Shared,
    proven: Option<Box<dyn FnOnce() + Send>>,
}

impl LiveSound {
    /// `proven` runs once, when the reader's socket has taken 60 ms; `ended` once at most, when
    /// the reader goes or is cut off before the sender goes. Neither may block.
    pub fn channel(
        rate: u32,
        proven: impl FnOnce() + Send + 'static,
        ended: impl FnOnce(SoundEnded) + Send + 'static,
    ) -> (SoundSender, LiveSound) {
        let (tx, rx) = mpsc::channel((MAX_BEHIND_MS / FRAME_MS) as usize);
        let fate: Shared = Arc::default();
        of(&fate).ended = Some(Box::new(ended));
        let sender = SoundSender { frames: tx, fate: fate.clone() };
        (sender, LiveSound { rate, frames: rx, fate, proven: Some(Box::new(proven)) })
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
        if frame.is_none() {
            of(&self.fate).ended = None; // the sender went first: it knows
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

    /// What breaks the connection of a reader that is too slow.
    pub fn on_too_slow(&self, cut: impl FnOnce() + Send + 'static) {
        of(&self.fate).cut = Some(Box::new(cut));
    }

    pub fn was_too_slow(&self) -> bool {
        of(&self.fate).too_slow
    }
}

impl Drop for LiveSound {
    fn drop(&mut self) {
        // Before anybody is told: whoever is, may try the sender at once, and our fields go last.
        self.frames.close();
        let ended = of(&self.fate).ended.take();
        if let Some(ended) = ended {
            ended(SoundEnded::Closed);
        }
    }
}

impl std::fmt::Debug for LiveSound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LiveSound").field("rate", &self.rate).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for SoundSender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SoundSender").finish_non_exhaustive()
    }
}

impl SoundSender {
    /// How far the reader is behind.
    pub fn waiting_ms(&self) -> u32 {
        (self.frames.max_capacity() - self.frames.capacity()) as u32 * FRAME_MS
    }

    /// Never blocks. An error is final: close the tap and let go.
    pub fn frame(&self, pcm: &[i16]) -> Result<(), SoundEnded> {
        match self.frames.try_send(pcm.to_vec()) {
            Ok(()) => Ok(()),
            Err(mpsc::error::TrySendError::Closed(_)) => Err(SoundEnded::Closed),
            Err(mpsc::error::TrySendError::Full(_)) => {
                let (ended, cut) = {
                    let mut fate = of(&self.fate);
                    fate.too_slow = true;
                    (fate.ended.take(), fate.cut.take())
                };
                if let Some(ended) = ended {
                    ended(SoundEnded::TooSlow);
                }
                if let Some(cut) = cut {
                    cut();
                }
                Err(SoundEnded::TooSlow)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    type Seen = Arc<Mutex<Vec<SoundEnded>>>;

    fn sound() -> (SoundSender, LiveSound, Arc<AtomicU32>, Seen) {
        let proven = Arc::new(AtomicU32::new(0));
        let ends: Seen = Arc::default();
        let (count, seen) = (proven.clone(), ends.clone());
        let (tx, rx) = LiveSound::channel(
            8_000,
            move || {
                count.fetch_add(1, Ordering::Relaxed);
            },
            move |end| seen.lock().expect("the list").push(end),
        );
        (tx, rx, proven, ends)
    }

    #[tokio::test]
    async fn a_stream_is_proven_once_when_its_socket_took_60_ms() {
        let (_tx, mut rx, proven, _) = sound();
        rx.took(59);
        assert_eq!(proven.load(Ordering::Relaxed), 0);
        rx.took(60);
        rx.took(80);
        assert_eq!(proven.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn a_reader_two_seconds_behind_is_cut_off_at_once() {
        let (tx, mut rx, _, ends) = sound();
        let cuts = Arc::new(AtomicU32::new(0));
        let cut = cuts.clone();
        rx.on_too_slow(move || {
            cut.fetch_add(1, Ordering::Relaxed);
        });
        for _ in 0..100 {
            tx.frame(&[0; 160]).expect("two seconds of room");
        }
        assert_eq!(tx.frame(&[0; 160]), Err(SoundEnded::TooSlow));
        assert_eq!(*ends.lock().expect("the list"), [SoundEnded::TooSlow]);
        assert_eq!(cuts.load(Ordering::Relaxed), 1);
        assert_eq!(rx.next().await, None, "what waits is too old");
        drop(rx);
        assert_eq!(ends.lock().expect("the list").len(), 1, "told once");
    }

    #[tokio::test]
    async fn whoever_is_told_that_the_reader_went_can_send_it_nothing_more() {
        let slot: Arc<Mutex<Option<SoundSender>>> = Arc::default();
        let said: Arc<Mutex<Option<Result<(), SoundEnded>>>> = Arc::default();
        let (sender, answer) = (slot.clone(), said.clone());
        let (tx, rx) = LiveSound::channel(
            8_000,
            || {},
            move |_| {
                let sender = sender.lock().expect("the sender");
                *answer.lock().expect("its answer") = sender.as_ref().map(|tx| tx.frame(&[0]));
            },
        );
        *slot.lock().expect("the sender") = Some(tx);
        drop(rx);
        assert_eq!(*said.lock().expect("its answer"), Some(Err(SoundEnded::Closed)));
    }

    #[tokio::test]
    async fn a_reader_that_goes_is_told_of_and_a_sender_that_goes_is_not() {
        let (tx, rx, _, ends) = sound();
        drop(rx);
        assert_eq!(tx.frame(&[0]), Err(SoundEnded::Closed));
        assert_eq!(*ends.lock().expect("the list"), [SoundEnded::Closed]);

        let (tx, mut rx, _, ends) = sound();
        tx.frame(&[7]).expect("room");
        drop(tx);
        assert_eq!(rx.next().await, Some(vec![7]));
        assert_eq!(rx.next().await, None);
        drop(rx);
        assert!(ends.lock().expect("the list").is_empty());
    }
}
