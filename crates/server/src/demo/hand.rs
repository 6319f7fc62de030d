//! The demo's Ana raises her hand some time after a supervisor has first looked at the board, so
//! that a newcomer sees what a hand does. Not while a person sits in her chair, who has the key.

use crate::commands::Desk;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;
use undertone_api::{Commands, Hand};
use undertone_core::access::Actor;
use undertone_core::id::PersonId;
use undertone_core::view::{AgentState, Channel, HelpReason};

pub const AFTER: Duration = Duration::from_secs(45);
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// She forgets to verify the address, and wonders what the rule is.
const WHO: (&str, &str) = ("ana", "Ana Ruiz");

/// Once for each time that the board is looked at again after nobody has looked.
pub(super) async fn raise_when_watched(desk: Arc<Desk>, ana: Actor, after: Duration) {
    let watched = || desk.board().house().dirty.supervisors() > 0;
    loop {
        while !watched() {
            sleep(LOOK_EVERY).await;
        }
        sleep(after).await;
        while watched() && !raised(&desk, &ana).await {
            sleep(LOOK_EVERY).await;
        }
        while watched() {
            sleep(LOOK_EVERY).await;
        }
    }
}

/// True when the hand is up, or a person has the key to it.
async fn raised(desk: &Desk, ana: &Actor) -> bool {
    if desk.board().house().dirty.is_looking(&ana.person) {
        return true;
    }
    let everybody = desk.board().house().floor.everybody().await;
    let own = everybody.into_iter().find(|agent| agent.person == ana.person);
    let on_call = own.filter(|agent| agent.state == AgentState::OnCall);
    let Some(call) = on_call.and_then(|agent| agent.call) else { return false };
    let hand = Hand::Raise { reason: Some(HelpReason::Policy) };
    desk.hand(ana, &call, hand).await.is_ok()
}

/// As if she pressed the key in her own page.
pub(super) fn ana() -> anyhow::Result<Actor> {
    Ok(Actor {
        person: PersonId::parse(WHO.0)?,
        name: WHO.1.into(),
        key: None,
        session: None,
        channel: Channel::Web,
        origin: "demo".into(),
        rights: BTreeSet::new(),
    })
}
