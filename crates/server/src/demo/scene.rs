//! One conversation on two phones: turns in their time, and what the two do when they hear a
//! voice that is not the other's. They know what they hear and nothing of modes.

use super::ear::{Ear, Noticed, level_dbfs};
use super::speech::{Clip, RATE, length_ms};
use super::stories::{Story, Turn, Who};
use rand::Rng;
use rand::rngs::StdRng;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit, mpsc};
use tokio::time::Instant;
use undertone_media::tones;
use undertone_phone::{PhoneCall, Recording};

/// A turn is heard a little after it was said: buffers of two phones and a server.
const ECHO_MS: u64 = 400;
/// Samples that an ear takes in at once.
const GULP: usize = 480;
/// How long one waits for a stranger to finish before one speaks all the same.
const POLITE: Duration = Duration::from_secs(8);
/// Whether the other one heard the stranger too is known after so long.
const BOTH_HEARD: Duration = Duration::from_millis(350);
/// The same reaction does not come again within this.
const AGAIN: Duration = Duration::from_secs(25);

#[derive(Debug)]
pub struct Over;

/// When each of the two was last known to speak, for the other's ear.
struct Clock {
    start: Instant,
    speaking_until_ms: [AtomicU64; 2],
    waiting_until_ms: AtomicU64,
    hears_stranger: [AtomicBool; 2],
}

impl Clock {
    fn now_ms(&self) -> u64 {
        self.start.elapsed().as_millis() as u64
    }
    /// Whether what `who` hears now is the other party, or hold treatment.
    fn explains(&self, who: Who) -> bool {
        let other = self.speaking_until_ms[index(who.other())].load(Ordering::Relaxed);
        let waiting = self.waiting_until_ms.load(Ordering::Relaxed);
        self.now_ms() < other.max(waiting) + ECHO_MS
    }
}

fn index(who: Who) -> usize {
    match who {
        Who::First => 0,
        Who::Second => 1,
    }
}

pub struct Scene<'a> {
    story: &'a Story,
    calls: [PhoneCall; 2],
    clock: Arc<Clock>,
    heard: mpsc::Receiver<Who>,
    turn_end: Instant,
    last_reaction: [Option<Instant>; 2],
    rng: &'a mut StdRng,
    ears: Vec<tokio::task::JoinHandle<()>>,
}

impl Drop for Scene<'_> {
    fn drop(&mut self) {
        self.ears.iter().for_each(|ear| ear.abort());
    }
}

impl<'a> Scene<'a> {
    pub fn begin(
        story: &'a Story,
        first: PhoneCall,
        second: PhoneCall,
        rng: &'a mut StdRng,
    ) -> Self {
        let clock = Arc::new(Clock {
            start: Instant::now(),
            speaking_until_ms: Default::default(),
            waiting_until_ms: AtomicU64::new(0),
            hears_stranger: Default::default(),
        });
        let (tell, heard) = mpsc::channel(16);
        let calls = [first, second];
        let mut ears = Vec::new();
        for who in [Who::First, Who::Second] {
            match calls[index(who)].record(RATE) {
                Ok(sound) => {
                    ears.push(tokio::spawn(listen(sound, who, clock.clone(), tell.clone())));
                }
                Err(error) => tracing::warn!(%error, "a simulated person hears nothing"),
            }
        }
        let turn_end = Instant::now();
        Self { story, calls, clock, heard, turn_end, last_reaction: [None; 2], rng, ears }
    }

    /// Plays the story to its end, or to the end of the call. It may end only while another call
    /// stands in for it (`gaps`); until then it goes round once more.
    pub async fn play<'g>(
        &mut self,
        rounds: u32,
        gaps: &'g Semaphore,
    ) -> Option<SemaphorePermit<'g>> {
        let story = self.story;
        if self.turns(&story.opening).await.is_err() {
            return None;
        }
        let mut round = 0;
        let gap = loop {
            if self.turns(&story.body).await.is_err() {
                return None;
            }
            round += 1;
            if round >= rounds
                && let Ok(gap) = gaps.try_acquire()
            {
                break gap;
            }
        };
        let _ = self.turns(&story.closing).await;
        let _ = self.until(self.turn_end + Duration::from_millis(300)).await;
        Some(gap)
    }

    async fn turns(&mut self, turns: &[Turn]) -> Result<(), Over> {
        for turn in turns {
            self.react().await?;
            self.turn(turn).await?;
        }
        Ok(())
    }

    async fn turn(&mut self, turn: &Turn) -> Result<(), Over> {
        match turn {
            Turn::Say { who, clip, pause_ms, .. } => {
                let swing = self.rng.random_range(0..150);
                let pause = Duration::from_millis(pause_ms.unsigned_abs() + swing);
                let at = if *pause_ms < 0 {
                    self.turn_end.checked_sub(pause).unwrap_or(self.turn_end)
                } else {
                    self.turn_end + pause
                };
                self.until(at).await?;
                self.say(*who, clip).await
            }
            Turn::Rest { ms } => {
                self.until(self.turn_end + Duration::from_millis(*ms)).await?;
                self.turn_end = Instant::now();
                Ok(())
            }
            Turn::Hold { ms } => self.hold(*ms).await,
        }
    }

    async fn say(&mut self, who: Who, clip: &Clip) -> Result<(), Over> {
        let call = &self.calls[index(who)];
        if call.status().has_ended() {
            return self.check();
        }
        // One does not talk over somebody whom one did not expect.
        let began = Instant::now();
        while self.clock.hears_stranger[index(who)].load(Ordering::Relaxed)
            && began.elapsed() < POLITE
        {
            self.until(Instant::now() + Duration::from_millis(100)).await?;
        }
        let length = length_ms(clip);
        let until = self.clock.now_ms() + length;
        self.clock.speaking_until_ms[index(who)].store(until, Ordering::Relaxed);
        let sound = Box::new(tones::Clip::once(RATE, clip.clone()));
        if let Err(error) = self.calls[index(who)].play(sound) {
            tracing::debug!(%error, "a turn was not played");
        }
        self.turn_end = Instant::now() + Duration::from_millis(length);
        Ok(())
    }

    async fn hold(&mut self, ms: u64) -> Result<(), Over> {
        self.until(self.turn_end + Duration::from_millis(300)).await?;
        let holder = self.calls[0].clone();
        if holder.status().has_ended() {
            return self.check();
        }
        let until = self.clock.now_ms() + ms + 1_000;
        self.clock.waiting_until_ms.store(until, Ordering::Relaxed);
        if let Err(error) = holder.hold().await {
            tracing::debug!(%error, "a phone could not hold");
        }
        let held = self.until(Instant::now() + Duration::from_millis(ms)).await;
        if let Err(error) = holder.resume().await {
            tracing::debug!(%error, "a phone could not resume");
        }
        self.clock.waiting_until_ms.store(self.clock.now_ms(), Ordering::Relaxed);
        self.turn_end = Instant::now();
        held
    }

    /// Whoever noticed a stranger says so: the second party if it heard the voice itself, else
    /// the first takes its next step.
    async fn react(&mut self) -> Result<(), Over> {
        let Ok(first) = self.heard.try_recv() else { return Ok(()) };
        let mut second_heard = first == Who::Second;
        let wait = Instant::now() + BOTH_HEARD;
        while let Ok(Some(who)) = tokio::time::timeout_at(wait, self.heard.recv()).await {
            second_heard |= who == Who::Second;
        }
        let which = usize::from(second_heard);
        if self.last_reaction[which].is_some_and(|at| at.elapsed() < AGAIN) {
            return Ok(());
        }
        self.last_reaction[which] = Some(Instant::now());
        self.turn_end = Instant::now();
        let story = self.story;
        let turns = if second_heard { &story.on_barge } else { &story.on_prompt };
        tracing::debug!(story = %story.id, second_heard, "somebody reacts to a voice");
        for turn in turns {
            self.turn(turn).await?;
        }
        Ok(())
    }

    async fn until(&mut self, at: Instant) -> Result<(), Over> {
        let mut second = self.calls[1].watch();
        tokio::select! {
            () = tokio::time::sleep_until(at) => {}
            _ = second.wait_for(|status| status.has_ended()) => {}
        }
        self.check()
    }

    /// The second party's call is the conversation: it may go on without the first.
    fn check(&self) -> Result<(), Over> {
        if self.calls[1].status().has_ended() { Err(Over) } else { Ok(()) }
    }
}

/// One ear: takes in what a phone hears until its call ends.
async fn listen(sound: Recording, who: Who, clock: Arc<Clock>, tell: mpsc::Sender<Who>) {
    let (mut ear, mut at) = (Ear::default(), sound.position());
    let frame = RATE as usize / 50;
    while sound.more(GULP, Duration::from_secs(120)).await {
        let explained = clock.explains(who);
        while at + frame <= sound.position() {
            let pcm = sound.between(at, at + frame);
            at += frame;
            let noticed = ear.frame(level_dbfs(&pcm), explained);
            let stranger = noticed == Noticed::Stranger;
            clock.hears_stranger[index(who)].store(stranger, Ordering::Relaxed);
            if noticed == Noticed::StrangerStopped {
                let _ = tell.try_send(who);
            }
        }
    }
}
