//! Sounds of a call that are no party's: tones and music into its bridge, live streams out of it.

use super::task::{CallTask, Message};
use crate::demo::speech;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use undertone_api::{LiveSound, SoundEnded, SoundSender};
use undertone_core::call::{Input, TapEnd};
use undertone_core::id::{SupervisionId, TapId};
use undertone_core::notice::{Sound as Named, Spoken};
use undertone_core::plan::Source;
use undertone_engine::TapSink;
use undertone_media::bridge::Sound;
use undertone_media::tones;

/// Samples a second of a live stream.
const STREAM_RATE: u32 = 16_000;
/// Sources are made at this rate; each listener's mix takes what it needs.
const SOURCE_RATE: u32 = 16_000;

/// The live sound that whoever asked for a stream waits for, and how the call stood then.
pub struct Sounding {
    pub sound: LiveSound,
    pub view: undertone_core::view::CallView,
}

impl CallTask {
    pub(super) fn start_source(&self, source: Source, named: Named) {
        let sound = sound_of(named);
        if let Err(error) = self.house.engine.set_source(self.me.bridge, source, sound) {
            tracing::warn!(call = %self.me.id, %error, "a sound does not start");
        }
    }

    pub(super) fn open_tap(&mut self, tap: TapId, supervision: SupervisionId) {
        let (live, ended) = (self.me.to.clone(), self.me.to.clone());
        let (sender, sound) = LiveSound::channel(
            STREAM_RATE,
            move || tell(&live, Input::TapLive { tap }),
            move |why| tell(&ended, Input::TapEnded { tap, why: end(why) }),
        );
        let sink = StreamSink { sender, tap, to: self.me.to.clone(), told: false };
        let engine = &self.house.engine;
        if engine.open_tap(self.me.bridge, tap, STREAM_RATE, Box::new(sink)).is_err() {
            self.next.push_back(Input::TapEnded { tap, why: TapEnd::Failed });
            return;
        }
        if let Some(waiting) = self.sounds.remove(&supervision) {
            let view = self.call.view(crate::clock::now());
            // Nobody waits any more: the sound is dropped and says so itself.
            let _ = waiting.send(Sounding { sound, view });
        }
    }
}

/// A word, and how long it lasts.
pub(super) fn spoken(word: Spoken) -> (Box<dyn Sound>, Duration) {
    let said = speech::clip(&format!("announcement-{}", word.code()));
    // A test keeps a recording for every word; a double beep says at least that it was a no.
    let (rate, said) = match said {
        Some(said) => (speech::RATE, said),
        None => (SOURCE_RATE, tones::coaching_beep(SOURCE_RATE)),
    };
    let ms = said.len() as u64 * 1_000 / u64::from(rate);
    (Box::new(tones::Clip::once(rate, said)), Duration::from_millis(ms))
}

/// In the place of a word that is cut short.
pub(super) fn nothing() -> Box<dyn Sound> {
    Box::new(tones::Clip::once(SOURCE_RATE, Arc::new([])))
}

fn sound_of(named: Named) -> Box<dyn Sound> {
    match named {
        Named::CoachingBeep => {
            Box::new(tones::Clip::once(SOURCE_RATE, tones::coaching_beep(SOURCE_RATE)))
        }
        Named::HoldMusic => {
            Box::new(tones::Clip::looped(SOURCE_RATE, tones::hold_music(SOURCE_RATE)))
        }
        Named::Spoken(word) => spoken(word).0,
        Named::TakeoverLost => match speech::clip("announcement-takeover_lost") {
            Some(said) => Box::new(tones::Clip::once(speech::RATE, said)),
            None => Box::new(tones::Clip::once(SOURCE_RATE, tones::coaching_beep(SOURCE_RATE))),
        },
    }
}

fn end(why: SoundEnded) -> TapEnd {
    match why {
        SoundEnded::Closed => TapEnd::ReaderClosed,
        SoundEnded::TooSlow => TapEnd::ReaderTooSlow,
    }
}

/// From a thread that must not wait. A full queue is a call in trouble; its deadlines speak.
fn tell(to: &mpsc::Sender<Message>, input: Input) {
    if to.try_send(Message::Input(Box::new(input))).is_err() {
        tracing::debug!("a stream's end came after its call's");
    }
}

/// Where the engine's frames go. Says itself that the reader is too slow: a connection that
/// nobody reads is not even polled by the HTTP server.
struct StreamSink {
    sender: SoundSender,
    tap: TapId,
    to: mpsc::Sender<Message>,
    told: bool,
}

impl TapSink for StreamSink {
    fn frame(&mut self, _rate: u32, pcm: &[i16]) -> Result<(), undertone_engine::TapEnded> {
        let Err(why) = self.sender.frame(pcm) else { return Ok(()) };
        if !std::mem::replace(&mut self.told, true) {
            tell(&self.to, Input::TapEnded { tap: self.tap, why: end(why) });
        }
        Err(undertone_engine::TapEnded)
    }
}
