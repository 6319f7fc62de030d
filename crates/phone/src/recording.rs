//! What a phone hears, kept: samples with the instant of each 20 ms, bounded in length.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::watch;
use undertone_core::time::Mono;
use undertone_engine::{Engine, TapEnded, TapSink};

/// Heard sound kept at most, in seconds; the oldest goes first.
const KEPT_MAX_S: usize = 600;

struct Kept {
    /// Samples dropped from the front so far: positions count from the beginning of all.
    dropped: usize,
    pcm: VecDeque<i16>,
    /// When each frame came, and the position of its first sample.
    frames: VecDeque<(Mono, usize)>,
}

struct Tape {
    rate: u32,
    kept: Mutex<Kept>,
    /// Samples so far, for who waits.
    end: watch::Sender<usize>,
}

impl Tape {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs until it is dropped or the call ends; what was recorded stays.
#[derive(Clone)]
pub struct Recording(Arc<Tape>);

impl Recording {
    /// For sound that comes to its sink by another way than a call.
    pub fn new(rate: u32) -> Self {
        let kept = Kept { dropped: 0, pcm: VecDeque::new(), frames: VecDeque::new() };
        let end = watch::Sender::new(0);
        Self(Arc::new(Tape { rate, kept: Mutex::new(kept), end }))
    }

    pub fn sink(&self) -> Box<dyn TapSink> {
        Box::new(Sink(Arc::downgrade(&self.0)))
    }

    pub fn rate(&self) -> u32 {
        self.0.rate
    }

    /// When the first frame was heard, by the engine's clock.
    pub fn start(&self) -> Option<Mono> {
        self.0.kept().frames.front().map(|(at, _)| *at)
    }

    /// Samples heard so far: a position to take windows from.
    pub fn position(&self) -> usize {
        *self.0.end.borrow()
    }

    /// All that is kept.
    pub fn samples(&self) -> Vec<i16> {
        self.0.kept().pcm.iter().copied().collect()
    }

    /// Samples from one position to another, as far as they are kept.
    pub fn between(&self, from: usize, to: usize) -> Vec<i16> {
        let kept = self.0.kept();
        let at = |position: usize| position.saturating_sub(kept.dropped).min(kept.pcm.len());
        kept.pcm.range(at(from)..at(to).max(at(from))).copied().collect()
    }

    /// What was heard in this span of the engine's clock, in whole frames.
    pub fn take_window(&self, from: Mono, to: Mono) -> Vec<i16> {
        let (begin, end) = {
            let kept = self.0.kept();
            let all = kept.dropped + kept.pcm.len();
            let position = |instant: Mono| {
                let index = kept.frames.partition_point(|(at, _)| *at < instant);
                kept.frames.get(index).map_or(all, |(_, position)| *position)
            };
            (position(from), position(to))
        };
        self.between(begin, end)
    }

    /// Waits until this many more samples are there; false if they are not in time.
    pub async fn more(&self, samples: usize, within: Duration) -> bool {
        let goal = self.position() + samples;
        let mut end = self.0.end.subscribe();
        let come = end.wait_for(|position| *position >= goal);
        matches!(tokio::time::timeout(within, come).await, Ok(Ok(_)))
    }

    /// Waits until the newest `window` samples satisfy `test`, asked anew with every frame; gives
    /// the position then, or None if it was not in time.
    pub async fn until(
        &self,
        window: usize,
        within: Duration,
        mut test: impl FnMut(&[i16]) -> bool,
    ) -> Option<usize> {
        let mut end = self.0.end.subscribe();
        let satisfied = async {
            loop {
                let to = *end.borrow_and_update();
                if to >= window && test(&self.between(to - window, to)) {
                    return Some(to);
                }
                if end.changed().await.is_err() {
                    return None;
                }
            }
        };
        tokio::time::timeout(within, satisfied).await.ok().flatten()
    }
}

struct Sink(Weak<Tape>);

impl TapSink for Sink {
    fn frame(&mut self, rate: u32, pcm: &[i16]) -> Result<(), TapEnded> {
        let Some(tape) = self.0.upgrade().filter(|tape| tape.rate == rate) else {
            return Err(TapEnded);
        };
        let end = {
            let mut kept = tape.kept();
            let position = kept.dropped + kept.pcm.len();
            kept.frames.push_back((Engine::now(), position));
            kept.pcm.extend(pcm);
            let surplus = kept.pcm.len().saturating_sub(KEPT_MAX_S * rate as usize);
            kept.pcm.drain(..surplus);
            kept.dropped += surplus;
            let dropped = kept.dropped;
            while kept.frames.front().is_some_and(|(_, position)| *position < dropped) {
                kept.frames.pop_front();
            }
            kept.dropped + kept.pcm.len()
        };
        tape.end.send_replace(end);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_older_than_the_bound_is_dropped_and_positions_stay() {
        let recording = Recording::new(8_000);
        let mut sink = recording.sink();
        for frame in 0..KEPT_MAX_S * 50 + 10 {
            sink.frame(8_000, &[frame as i16; 160]).expect("kept");
        }
        assert_eq!(recording.samples().len(), KEPT_MAX_S * 8_000);
        let end = recording.position();
        assert_eq!(end, (KEPT_MAX_S * 50 + 10) * 160);
        assert_eq!(recording.between(end - 1, end), [(KEPT_MAX_S * 50 + 9) as i16]);
        assert_eq!(recording.between(0, 10), []);
    }

    #[test]
    fn a_sink_ends_with_its_recording() {
        let recording = Recording::new(8_000);
        let mut sink = recording.sink();
        drop(recording);
        assert_eq!(sink.frame(8_000, &[0; 160]), Err(TapEnded));
    }
}
