//! One supervisor's script on one call: joins by the API on their own phone, changes mode, mutes,
//! puts the agent aside and hands back, and leaves in one of three ways.
//!
//! Says one tone as long as no customer may hear it and another otherwise, and changes tones
//! on the safe side of each change of mode, so that a customer who hears the first heard a leak.

use crate::call::{SOON, Shared, World, seconds};
use crate::ear;
use crate::people::Pair;
use crate::server::Answer;
use crate::tally::add;
use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use undertone_phone::PhoneCall;

const MODES: [&str; 4] = ["listen", "whisper", "barge", "takeover"];
/// From a phone's microphone to the server's ear, generously.
const ON_ITS_WAY: Duration = Duration::from_millis(400);

struct Coach<'a> {
    world: &'a World,
    who: usize,
    shared: &'a Shared,
    supervision: String,
    mode: String,
    phone: PhoneCall,
}

pub async fn run(world: Arc<World>, pair: Pair, mut chance: StdRng, shared: Arc<Shared>) {
    tokio::time::sleep(seconds(&mut chance, 0.2..4.0)).await;
    if shared.over.load(Ordering::Relaxed) {
        return;
    }
    let Some(who) = world.people.supervisor() else { return };
    supervise(&world, pair, who, &mut chance, &shared).await;
    world.people.give_back_supervisor(who);
}

fn is_loud(mode: &str) -> bool {
    matches!(mode, "barge" | "takeover")
}

async fn supervise(world: &World, pair: Pair, who: usize, chance: &mut StdRng, shared: &Shared) {
    let mode = *MODES.choose(chance).unwrap_or(&"listen");
    if mode == "takeover" {
        shared.taken_over.store(true, Ordering::Relaxed);
    }
    let line = &world.people.supervisors[who];
    let agent = world.people.agents[pair.agent].user();
    let mut body = json!({ "mode": mode, "leg": { "kind": "sip", "uri": line.uri() } });
    if mode == "takeover" {
        body["agent_after"] = after(chance);
    }
    let path = format!("/agents/{agent}/supervisions");
    let Some(answer) = asked(world, who, "POST", &path, Some(body)).await else { return };
    if answer.status != 201 {
        return;
    }
    add(&world.tally.supervisions);
    let Ok(Some(phone)) = tokio::time::timeout(SOON, line.answered()).await else {
        return world.tally.fail("a live supervision has no phone".into());
    };
    let supervision = answer.body["id"].as_str().unwrap_or_default().to_owned();
    let mut coach = Coach { world, who, shared, supervision, mode: mode.to_owned(), phone };
    coach.say();
    let steps = chance.random_range(0..6);
    for _ in 0..steps {
        tokio::time::sleep(seconds(chance, 0.3..3.0)).await;
        if coach.phone.status().has_ended() || !coach.step(chance).await {
            break;
        }
    }
    coach.leave(chance).await;
}

fn after(chance: &mut StdRng) -> Value {
    (*["removed", "held", "listening", "stays"].choose(chance).unwrap_or(&"removed")).into()
}

/// None after an answer that nothing explains, which is a failure. The end of the call explains
/// some, and so does another supervisor's act.
async fn asked(
    world: &World,
    who: usize,
    method: &str,
    path: &str,
    body: Option<Value>,
) -> Option<Answer> {
    let said = body.clone();
    let answer = match world.server.ask(who, method, path, body).await {
        Ok(answer) => answer,
        Err(error) => {
            world.tally.fail(format!("{method} {path}: {error:#}"));
            return None;
        }
    };
    let explained = [
        "agent_not_on_call",
        "call_not_talking",
        "call_ended",
        "no_such_supervision",
        "no_such_call",
        "no_customer",
        "agent_gone",
        "not_in_mode",
        "takeover_taken",
        "superseded",
        "target_not_receiving",
        "target_required",
        "customer_on_hold",
    ];
    match answer.status {
        200..=299 => Some(answer),
        _ if explained.contains(&answer.code()) => {
            add(&world.tally.overtaken);
            Some(answer)
        }
        status => {
            let (body, said) = (&answer.body, said.unwrap_or_default());
            world.tally.fail(format!("{method} {path} {said}: {status} {body}"));
            None
        }
    }
}

impl Coach<'_> {
    /// The tone of the mode in force.
    fn say(&self) {
        self.phone.tone(Some(if is_loud(&self.mode) { ear::ALOUD } else { ear::WHISPER }));
    }

    /// False: there is nothing more to do here.
    async fn step(&mut self, chance: &mut StdRng) -> bool {
        let path = format!("/supervisions/{}", self.supervision);
        let (method, path, body) = match chance.random_range(0..10) {
            0 => ("PATCH", path, json!({ "muted": chance.random_bool(0.5) })),
            1 | 2 if is_loud(&self.mode) => {
                let acts = ["hold", "resume", "hand_back"];
                let action = *acts.choose(chance).unwrap_or(&"hold");
                ("POST", format!("{path}/agent"), json!({ "action": action }))
            }
            _ => {
                let mode = *MODES.choose(chance).unwrap_or(&"listen");
                let mut body = json!({ "mode": mode });
                if mode == "takeover" {
                    self.shared.taken_over.store(true, Ordering::Relaxed);
                    body["agent_after"] = after(chance);
                }
                ("PATCH", path, body)
            }
        };
        // Whatever comes: from before the asking until after the answer, only what all may hear.
        self.phone.tone(Some(ear::ALOUD));
        tokio::time::sleep(ON_ITS_WAY).await;
        let answer = asked(self.world, self.who, method, &path, Some(body)).await;
        let Some(answer) = answer else { return false };
        add(&self.world.tally.changes);
        if answer.status != 200 {
            // It may have changed by somebody else's act: quiet until the next answer.
            self.phone.tone(None);
            return !matches!(answer.code(), "no_such_supervision" | "call_ended");
        }
        self.mode = answer.body["mode"].as_str().unwrap_or_default().to_owned();
        tokio::time::sleep(ON_ITS_WAY).await;
        // An agent who goes in barge leaves the call to this supervisor: then all hear them.
        if !self.phone.status().has_ended() && !self.shared.over.load(Ordering::Relaxed) {
            self.say();
        }
        true
    }

    async fn leave(self, chance: &mut StdRng) {
        let way = chance.random_range(0..10);
        if way < 6 {
            let path = format!("/supervisions/{}", self.supervision);
            let _ = asked(self.world, self.who, "DELETE", &path, None).await;
        } else if way < 8 {
            self.phone.hang_up();
        }
        // Else they stay until the call ends, which may take as long as talk may.
        let patience = SOON + Duration::from_secs(60);
        if tokio::time::timeout(patience, self.phone.ended()).await.is_err() {
            self.world.tally.fail(format!("supervision {} did not end", self.supervision));
            self.phone.hang_up();
        }
    }
}
