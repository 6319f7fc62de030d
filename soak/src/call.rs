//! One call's script: who calls, what becomes of it, and whether it went as it should.

use crate::coach;
use crate::ear;
use crate::people::{Pair, People};
use crate::server::Server;
use crate::tally::{Script, Tally, add, now_ms};
use rand::Rng;
use rand::rngs::StdRng;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::Instant;
use undertone_phone::{CallEnd, PhoneCall};

pub const SOON: Duration = Duration::from_secs(15);
const TALK_AT_MOST_S: f64 = 60.0;

pub struct World {
    pub people: People,
    pub server: Arc<Server>,
    pub tally: Arc<Tally>,
    /// Mean length of talk.
    pub talk_s: f64,
}

/// What the scripts of one call know of it together.
#[derive(Default)]
pub struct Shared {
    /// A takeover stands or stood: whoever supervises may end the call for all by leaving.
    pub taken_over: AtomicBool,
    pub over: AtomicBool,
}

pub fn seconds(chance: &mut StdRng, range: std::ops::Range<f64>) -> Duration {
    Duration::from_secs_f64(chance.random_range(range))
}

pub async fn run(world: Arc<World>, pair: Pair, mut chance: StdRng) {
    let customer = &world.people.customers[pair.customer];
    let mut script = Script {
        customer: customer.user().to_owned(),
        began_ms: now_ms(),
        ended_ms: 0,
        answered: false,
        held_ms: None,
    };
    let kind = chance.random_range(0..100);
    let number = if kind < 3 { "9999" } else { world.people.agents[pair.agent].user() };
    match customer.call(&format!("sip:{number}@{}", world.server.sip)) {
        Err(error) => world.tally.lose(format!("a customer's phone cannot call: {error}")),
        Ok(call) if kind < 3 => to_nobody(&world, call).await,
        Ok(call) => {
            script = with_ring(&world, pair, &mut chance, kind, call, script).await;
            script.ended_ms = now_ms();
            world.tally.note(script);
        }
    }
    world.people.give_back(pair);
}

async fn to_nobody(world: &World, call: PhoneCall) {
    add(&world.tally.to_nobody);
    match tokio::time::timeout(SOON, call.ended()).await {
        Ok(CallEnd::Failed { code: 404, .. }) => {}
        other => world.tally.lose(format!("a call to nobody ended as {other:?}")),
    }
}

async fn with_ring(
    world: &Arc<World>,
    pair: Pair,
    chance: &mut StdRng,
    kind: u32,
    call: PhoneCall,
    mut script: Script,
) -> Script {
    let agent = &world.people.agents[pair.agent];
    // Seven in a hundred give up, some before the agent's phone rings.
    if kind < 10 {
        add(&world.tally.abandoned);
        tokio::time::sleep(seconds(chance, 0.05..3.0)).await;
        call.hang_up();
        if tokio::time::timeout(SOON, call.ended()).await.is_err() {
            world.tally.lose("an abandoned call did not end".into());
        }
        return script;
    }
    let ringing = loop {
        match tokio::time::timeout(SOON, agent.incoming()).await {
            Ok(Some(ringing)) if ringing.from().user == script.customer => break ringing,
            Ok(Some(_)) => {} // of a call before, given up as it began to ring
            _ => {
                world.tally.lose(format!(
                    "{}'s phone did not ring: {:?}",
                    agent.user(),
                    call.status()
                ));
                call.hang_up();
                return script;
            }
        }
    };
    tokio::time::sleep(seconds(chance, 0.0..1.5)).await;
    if kind < 15 {
        add(&world.tally.refused);
        ringing.reject([486, 603, 480][chance.random_range(0..3)]);
        match tokio::time::timeout(SOON, call.ended()).await {
            Ok(CallEnd::Failed { .. }) => {}
            other => world.tally.lose(format!("a refused call ended as {other:?}")),
        }
        return script;
    }
    let up = async {
        let agent = ringing.answer().map_err(|error| error.to_string())?;
        agent.up().await.map_err(|end| format!("the agent: {end:?}"))?;
        call.up().await.map_err(|end| format!("the customer: {end:?}"))?;
        Ok::<_, String>(agent)
    };
    match tokio::time::timeout(SOON, up).await {
        Ok(Ok(on_agent)) => {
            add(&world.tally.talked);
            script.answered = true;
            let held = talk(world, pair, chance, kind, call, on_agent).await;
            script.held_ms = held;
        }
        Ok(Err(why)) => world.tally.lose(format!("an answered call did not come up: {why}")),
        Err(_) => world.tally.lose("an answered call did not come up in time".into()),
    }
    script
}

/// From the answer to the end. What hold by the agent's phone comes to, if nobody else could hold.
async fn talk(
    world: &Arc<World>,
    pair: Pair,
    chance: &mut StdRng,
    kind: u32,
    customer: PhoneCall,
    agent: PhoneCall,
) -> Option<(i64, i64)> {
    customer.tone(Some(ear::CUSTOMER));
    agent.tone(Some(ear::AGENT));
    let talk_s = (-(1.0 - chance.random::<f64>()).ln() * world.talk_s).clamp(0.5, TALK_AT_MOST_S);
    let until = Instant::now() + Duration::from_secs_f64(talk_s);
    let shared = Arc::new(Shared::default());
    let supervised = kind < 60;
    let ears = supervised.then(|| (customer.record(ear::RATE), agent.record(ear::RATE)));
    let mut coaches = Vec::new();
    for _ in 0..if supervised { 1 + usize::from(kind < 25) } else { 0 } {
        let own = rand::SeedableRng::seed_from_u64(chance.random());
        let (world, shared) = (world.clone(), shared.clone());
        coaches.push(tokio::spawn(coach::run(world, pair, own, shared)));
    }
    let holds = holds(world, chance, &agent, &shared, until, kind.is_multiple_of(3));
    let held = tokio::select! {
        held = holds => Some(held),
        end = customer.ended() => { excuse(world, &shared, "customer", &end); None }
    };
    shared.over.store(true, Ordering::Relaxed);
    let agent_left = agent.status().has_ended();
    if agent_left && !shared.taken_over.load(Ordering::Relaxed) && held.is_some() {
        world.tally.lose(format!("an agent's leg ended: {:?}", agent.status().state));
    }
    end(world, chance, &customer, &agent).await;
    for coach in coaches {
        if coach.await.is_err() {
            world.tally.fail("a supervisor's script panicked".into());
        }
    }
    if let Some((Ok(at_customer), Ok(at_agent))) = &ears {
        let whispered = ear::judge(at_agent).whispered;
        world.tally.whispered.fetch_add(whispered, Ordering::Relaxed);
        let heard = ear::judge(at_customer);
        world.tally.listened.fetch_add(heard.windows, Ordering::Relaxed);
        if heard.whispered > 0 {
            world.tally.fail(format!(
                "PRIVACY: {} windows of whisper at customer {pair:?} of {}",
                heard.whispered, heard.windows
            ));
        }
    }
    held.filter(|_| !supervised)
}

fn excuse(world: &World, shared: &Shared, who: &str, end: &CallEnd) {
    if !shared.taken_over.load(Ordering::Relaxed) {
        world.tally.lose(format!("a {who}'s leg ended in mid-call: {end:?}"));
    }
}

/// Holds and resumes by the agent's phone until the time is over: milliseconds at least, at most.
async fn holds(
    world: &World,
    chance: &mut StdRng,
    agent: &PhoneCall,
    shared: &Shared,
    until: Instant,
    wanted: bool,
) -> (i64, i64) {
    let (mut least, mut most) = (0, 0);
    if !wanted {
        tokio::time::sleep_until(until).await;
        return (0, 0);
    }
    loop {
        let (wait, length) = (seconds(chance, 1.0..8.0), seconds(chance, 0.3..4.0));
        // A hold that is begun is also ended, so that its length is known.
        if Instant::now() + wait + length + Duration::from_secs(1) > until {
            break;
        }
        tokio::time::sleep(wait).await;
        if shared.taken_over.load(Ordering::Relaxed) || agent.status().has_ended() {
            break;
        }
        let asked = now_ms();
        let held = agent.hold().await;
        let from = now_ms();
        tokio::time::sleep(length).await;
        let to = now_ms();
        let resumed = agent.resume().await;
        let done = now_ms();
        if let Err(error) = held.and(resumed) {
            if !shared.taken_over.load(Ordering::Relaxed) {
                world.tally.fail(format!("an agent's phone cannot hold or resume: {error}"));
            }
            break;
        }
        (least, most) = (least + (to - from), most + (done - asked));
    }
    tokio::time::sleep_until(until).await;
    (least, most)
}

/// Somebody hangs up; both phones must hear of it.
async fn end(world: &World, chance: &mut StdRng, customer: &PhoneCall, agent: &PhoneCall) {
    if chance.random_bool(0.5) && !agent.status().has_ended() {
        agent.hang_up();
        let both = async { tokio::join!(customer.ended(), agent.ended()) };
        // A supervisor in barge keeps the customer when the agent goes.
        if tokio::time::timeout(Duration::from_secs(2), both).await.is_ok() {
            return;
        }
    }
    customer.hang_up();
    let both = async { tokio::join!(customer.ended(), agent.ended()) };
    if tokio::time::timeout(SOON, both).await.is_err() {
        let states = (customer.status().state, agent.status().state);
        world.tally.lose(format!("a call that was hung up did not end: {states:?}"));
    }
}
