//! The floor: which person is available, on a call, wrapping up or away, and on which call.
//! Asked by its one task, never locked. Knows nothing of legs, modes or who hears whom.
//!
//! ```text
//!               Busy                    Free (last call)          wrap-up over
//!  available ─────────▶ on_call ──────────────────────▶ wrap_up ─────────────▶ available
//!      ▲ ▼ SetAway           (not_available is kept under a call and shown after it)
//!  not_available
//! ```
//!
//! What is set under a call comes after it and after its wrap-up; set in wrap-up, it ends that.

use crate::directory::Directory;
use crate::id::{CallId, PersonId};
use crate::time::{Now, Wall};
use crate::view::{AgentState, AgentView, CallState, CallView, Role};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug)]
pub enum FloorInput {
    Busy {
        person: PersonId,
        call: CallId,
    },
    Free {
        person: PersonId,
        call: CallId,
    },
    /// The call's task failed and will say no more: everybody is off it.
    CallGone {
        call: CallId,
    },
    /// The person is away (`true`) or back.
    Away {
        person: PersonId,
        away: bool,
        /// Shown while they are away.
        reason: Option<String>,
    },
    WrapUpOver {
        person: PersonId,
        round: u64,
    },
    /// People came, went or were renamed; the snapshot beside this is the new one.
    DirectoryChanged,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FloorEffect {
    Changed(AgentView),
    Gone(PersonId),
    /// Give back `WrapUpOver` with this person and round after so long.
    StartWrapUp {
        person: PersonId,
        round: u64,
        after_ms: u64,
    },
}

/// Of the calls that a person is on, the one that they are in now: who has two has put one on
/// hold. Between two alike it is the later one.
pub fn present_call<'a>(
    person: &PersonId,
    calls: impl IntoIterator<Item = &'a CallView>,
) -> Option<&'a CallView> {
    let agent = |call: &&CallView| {
        let mut parties = call.parties.iter();
        parties.any(|p| p.role == Role::Agent && p.connected && p.person.as_ref() == Some(person))
    };
    let rank = |call: &&CallView| {
        let talks = match call.state {
            CallState::Talking => 2,
            CallState::Held => 1,
            CallState::Queued | CallState::Ringing | CallState::Ended => 0,
        };
        (talks, call.started_at, call.id.clone())
    };
    let mut calls: Vec<_> = calls.into_iter().collect();
    // Still ringing for them, if nothing else.
    if calls.iter().any(agent) {
        calls.retain(agent);
    }
    calls.into_iter().max_by_key(rank)
}

#[derive(Clone, Debug, Default)]
struct Place {
    calls: BTreeSet<CallId>,
    away: bool,
    reason: Option<String>,
    wrapping_up: bool,
    round: u64,
    since: Wall,
}

#[derive(Clone, Debug, Default)]
pub struct Floor {
    places: BTreeMap<PersonId, Place>,
}

impl Place {
    fn state(&self) -> AgentState {
        if !self.calls.is_empty() {
            AgentState::OnCall
        } else if self.wrapping_up {
            AgentState::WrapUp
        } else if self.away {
            AgentState::NotAvailable
        } else {
            AgentState::Available
        }
    }
}

impl Floor {
    /// Everybody of the directory, available.
    pub fn new(now: Now, dir: &Directory) -> Self {
        let mut floor = Self::default();
        floor.handle(now, FloorInput::DirectoryChanged, dir);
        floor
    }

    pub fn handle(&mut self, now: Now, input: FloorInput, dir: &Directory) -> Vec<FloorEffect> {
        let mut effects = Vec::new();
        let person = match input {
            FloorInput::DirectoryChanged => return self.renew(now, dir),
            FloorInput::CallGone { call } => {
                let on_it = |(_, place): &(&PersonId, &Place)| place.calls.contains(&call);
                let people: Vec<_> =
                    self.places.iter().filter(on_it).map(|(person, _)| person.clone()).collect();
                let free = |person| FloorInput::Free { person, call: call.clone() };
                return people.into_iter().flat_map(|p| self.handle(now, free(p), dir)).collect();
            }
            FloorInput::Busy { person, call } => {
                self.at(&person, now, |place| {
                    place.calls.insert(call);
                    place.wrapping_up = false;
                });
                person
            }
            FloorInput::Free { person, call } => {
                let wrap_up_ms = dir.policy.wrap_up_ms;
                let mut round = None;
                self.at(&person, now, |place| {
                    let was_on_it = place.calls.remove(&call);
                    if was_on_it && place.calls.is_empty() && wrap_up_ms > 0 {
                        place.wrapping_up = true;
                        place.round += 1;
                        round = Some(place.round);
                    }
                });
                effects.extend(round.map(|round| FloorEffect::StartWrapUp {
                    person: person.clone(),
                    round,
                    after_ms: wrap_up_ms,
                }));
                person
            }
            FloorInput::Away { person, away, reason } => {
                self.at(&person, now, |place| {
                    place.away = away;
                    place.reason = reason.filter(|_| away);
                    // Who says what they are now has done with wrapping up.
                    place.wrapping_up = false;
                });
                person
            }
            FloorInput::WrapUpOver { person, round } => {
                self.at(&person, now, |place| place.wrapping_up &= place.round != round);
                person
            }
        };
        effects.extend(self.view_of(&person, dir).map(FloorEffect::Changed));
        effects
    }

    /// The calls that a person's devices are on now; more than one while one waits on hold.
    pub fn calls_of(&self, person: &PersonId) -> impl Iterator<Item = &CallId> {
        self.places.get(person).into_iter().flat_map(|place| place.calls.iter())
    }

    /// Everybody who can be an agent: people with an extension or a device.
    pub fn view(&self, dir: &Directory) -> Vec<AgentView> {
        self.places.keys().filter_map(|person| self.view_of(person, dir)).collect()
    }

    pub fn view_of(&self, person: &PersonId, dir: &Directory) -> Option<AgentView> {
        let place = self.places.get(person)?;
        let known = dir.person(person)?;
        let state = place.state();
        let later = place.away && state != AgentState::NotAvailable;
        let device = dir.devices_of(person).find_map(|device| device.extension.clone());
        Some(AgentView {
            person: person.clone(),
            name: known.name.clone(),
            extension: known.extension.clone().or(device),
            state,
            since: place.since,
            call: place.calls.iter().next_back().cloned(),
            reason: place.reason.clone().filter(|_| state == AgentState::NotAvailable),
            next_away: later.then(|| place.reason.clone()),
        })
    }

    /// Changes one place, if it exists; `since` moves only when the state does.
    fn at(&mut self, person: &PersonId, now: Now, change: impl FnOnce(&mut Place)) {
        let Some(place) = self.places.get_mut(person) else { return };
        let before = place.state();
        change(place);
        if place.state() != before {
            place.since = now.wall;
        }
    }

    fn renew(&mut self, now: Now, dir: &Directory) -> Vec<FloorEffect> {
        let gone: Vec<_> =
            self.places.keys().filter(|person| !dir.people.contains_key(person)).cloned().collect();
        gone.iter().for_each(|person| {
            self.places.remove(person);
        });
        let can_be_agent = |person: &&PersonId| {
            let has_extension = dir.person(person).is_some_and(|p| p.extension.is_some());
            has_extension || dir.devices_of(person).next().is_some()
        };
        for person in dir.people.keys().filter(can_be_agent) {
            let place = Place { since: now.wall, ..Place::default() };
            self.places.entry(person.clone()).or_insert(place);
        }
        let mut effects: Vec<_> = gone.into_iter().map(FloorEffect::Gone).collect();
        effects.extend(self.view(dir).into_iter().map(FloorEffect::Changed));
        effects
    }
}
