//! Who calls whom, again and again: one task a standing call, one a supervisor's phone, and
//! Noor, who whispers to Gus by the same commands that the API gives.

use super::Phone;
use super::cast::Kind;
use super::ears::Ears;
use super::scene::Scene;
use super::speech::RATE;
use super::stories::{Book, Coach, Story};
use crate::commands::Desk;
use crate::serve::Server;
use anyhow::Context;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use undertone_api::{Commands, LegWanted, Of, Supervise};
use undertone_core::access::Actor;
use undertone_core::id::PersonId;
use undertone_core::view::{Channel, Extent, Follow, Mode, SupervisionState};
use undertone_media::tones;
use undertone_phone::{PhoneCall, PhoneLine, Ringing};

/// Calls that stand always, if so many were asked for.
const STANDING: usize = 8;
const PATIENCE: Duration = Duration::from_secs(10);
/// The story whose agent is whispered to, and by whom.
const WHISPERED: (&str, &str) = ("gus", "noor");

pub(super) struct Crowd {
    tasks: JoinSet<()>,
}

struct Slot {
    story: Story,
    first: Arc<PhoneLine>,
    second: Arc<PhoneLine>,
    /// Where the second party calls the first: extension at the server.
    to: String,
    rng: StdRng,
    gaps: Arc<Semaphore>,
    ears: Arc<Ears>,
}

impl Crowd {
    pub(super) fn gather(
        server: &Server,
        book: Book,
        phones: Vec<Phone>,
        calls: usize,
        seed: u64,
    ) -> anyhow::Result<Crowd> {
        let mut tasks = JoinSet::new();
        let mut lines = BTreeMap::new();
        for Phone { role, line } in phones {
            let line = Arc::new(line);
            if role.kind == Kind::Supervisor {
                let coach = book.coaches.iter().find(|c| c.id == role.id);
                let coach = coach.with_context(|| format!("{} has nothing to say", role.id))?;
                tasks.spawn(answer_and_coach(line.clone(), coach.clone()));
            }
            lines.insert(role.id.clone(), (role, line));
        }
        let ears = server.desk.ears.get_or_init(Arc::default).clone();
        let gaps = Arc::new(Semaphore::new(calls.saturating_sub(STANDING).max(1)));
        for n in 0..calls {
            let story = book.stories[n % book.stories.len()].clone();
            let (first, second) = match (n + 1).checked_sub(book.stories.len()) {
                None | Some(0) => (story.first.clone(), story.second.clone()),
                Some(extra) => (format!("agent-{extra}"), format!("customer-{extra}")),
            };
            let (role, agent) = lines.get(&first).context("an agent is not in the cast")?;
            let (_, customer) = lines.get(&second).context("a customer is not in the cast")?;
            let slot = Slot {
                story,
                first: agent.clone(),
                second: customer.clone(),
                to: format!("sip:{}@{}", role.number, server.sip_addr),
                rng: StdRng::seed_from_u64(seed.wrapping_mul(1_000_003).wrapping_add(n as u64)),
                gaps: gaps.clone(),
                ears: ears.clone(),
            };
            tasks.spawn(slot.stand());
        }
        let (gus, noor) = WHISPERED;
        if let (Some((agent, _)), Some((coach, line))) = (lines.get(gus), lines.get(noor)) {
            let (desk, uri) = (server.desk.clone(), line.uri());
            let who = supervisor(&coach.id, &coach.name, &uri)?;
            tasks.spawn(keep_whispering(desk, who, agent.number.clone(), uri));
        }
        Ok(Crowd { tasks })
    }

    /// Somebody more, for as long as the others.
    pub(super) fn join(&mut self, what: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(what);
    }

    /// Everybody drops the phone.
    pub(super) async fn leave(mut self) {
        self.tasks.shutdown().await;
    }
}

impl Slot {
    /// One call after another, for ever.
    async fn stand(mut self) {
        let gaps = self.gaps.clone();
        let mut gap: Option<SemaphorePermit<'_>> = None;
        loop {
            match self.connect().await {
                Some((first, second)) => {
                    drop(gap.take());
                    gap = self.talk(first, second, &gaps).await;
                }
                None => sleep(Duration::from_secs(1)).await,
            }
            sleep(Duration::from_millis(self.rng.random_range(300..1_200))).await;
        }
    }

    /// The second party calls, the first answers.
    async fn connect(&mut self) -> Option<(PhoneCall, PhoneCall)> {
        let second = match self.second.call(&self.to) {
            Ok(call) => call,
            Err(error) => {
                tracing::warn!(%error, "a simulated phone cannot call");
                return None;
            }
        };
        let ringing = timeout(PATIENCE, self.ring_from_second()).await.ok()??;
        sleep(Duration::from_millis(self.rng.random_range(400..1_500))).await;
        let first = ringing.answer().ok()?;
        let up = async { first.up().await.is_ok() && second.up().await.is_ok() };
        let up = timeout(PATIENCE, up).await.unwrap_or(false);
        up.then_some((first, second))
    }

    async fn ring_from_second(&self) -> Option<Ringing> {
        loop {
            let ringing = self.first.incoming().await?;
            if ringing.from().user == self.second.user() {
                return Some(ringing);
            }
            ringing.reject(486);
        }
    }

    async fn talk<'g>(
        &mut self,
        first: PhoneCall,
        second: PhoneCall,
        gaps: &'g Semaphore,
    ) -> Option<SemaphorePermit<'g>> {
        let (one, other) = (self.first.clone(), self.second.clone());
        let _ears = [(&one, &first), (&other, &second)]
            .map(|(line, call)| self.ears.hold(line.user(), call.clone()));
        let rounds = self.story.rounds + self.rng.random_range(0..3);
        let mut scene = Scene::begin(&self.story, first.clone(), second.clone(), &mut self.rng);
        let gap = tokio::select! {
            gap = scene.play(rounds, gaps) => gap,
            () = busy(&one) => None,
            () = busy(&other) => None,
        };
        drop(scene);
        second.hang_up();
        first.hang_up();
        let _ = timeout(PATIENCE, async { (first.ended().await, second.ended().await) }).await;
        gap
    }
}

/// Nobody else gets through meanwhile.
async fn busy(line: &PhoneLine) {
    while let Some(ringing) = line.incoming().await {
        ringing.reject(486);
    }
}

/// A supervisor's desk phone: answers by itself and says its lines while the call lasts.
async fn answer_and_coach(line: Arc<PhoneLine>, coach: Coach) {
    let mut calls = JoinSet::new();
    while let Some(call) = line.answered().await {
        calls.spawn(speak(call, coach.clone()));
        while calls.try_join_next().is_some() {}
    }
}

async fn speak(call: PhoneCall, coach: Coach) {
    if call.up().await.is_err() {
        return;
    }
    for clip in coach.clips.iter().cycle() {
        let rest = Duration::from_millis(super::speech::length_ms(clip) + coach.rest_ms);
        if timeout(Duration::from_secs(4), call.ended()).await.is_ok() {
            return;
        }
        if call.play(Box::new(tones::Clip::once(RATE, clip.clone()))).is_err()
            || timeout(rest, call.ended()).await.is_ok()
        {
            return;
        }
    }
}

fn supervisor(id: &str, name: &str, uri: &str) -> anyhow::Result<Actor> {
    Ok(Actor {
        person: PersonId::parse(id)?,
        name: name.into(),
        key: None,
        session: None,
        channel: Channel::Api,
        origin: uri.into(),
        rights: super::cast::supervisor_rights(),
    })
}

/// Whenever the agent has a call and nobody of ours is on it, whispers.
async fn keep_whispering(desk: Arc<Desk>, who: Actor, extension: String, uri: String) {
    loop {
        let wish = Supervise {
            mode: Mode::Whisper,
            leg: LegWanted::Sip { uri: uri.clone() },
            targets: Vec::new(),
            alert: false,
            agent_after: None,
            reason: "demo".into(),
            follow: Follow::Call,
            extent: Extent::ThisCall,
            answer_early: false,
        };
        if agent_talks(&desk, &who, &extension).await {
            match desk.supervise(&who, Of::Agent(extension.clone()), wish).await {
                Ok(begun) => {
                    let id = begun.view.id;
                    while let Ok(view) = desk.supervision(&who, &id).await
                        && view.state != SupervisionState::Ended
                        && view.state != SupervisionState::Failed
                    {
                        sleep(Duration::from_secs(1)).await;
                    }
                }
                Err(refusal) => tracing::info!(%refusal, "Noor cannot whisper just now"),
            }
        }
        sleep(Duration::from_secs(2)).await;
    }
}

/// Asked first, so that the audit holds no refusals of the demo's own impatience.
async fn agent_talks(desk: &Desk, who: &Actor, extension: &str) -> bool {
    use undertone_core::view::CallState;
    let Ok(agents) = desk.agents(who).await else { return false };
    let agent = agents.into_iter().find(|a| a.extension.as_deref() == Some(extension));
    let Some(call) = agent.and_then(|agent| agent.call) else { return false };
    desk.call(who, &call).await.is_ok_and(|call| call.view.state == CallState::Talking)
}
