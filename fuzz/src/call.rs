//! One call under any inputs in any order, from a switchboard that does not keep its word: it
//! never panics, no plan opens what its own `never` forbids, everybody who asks is answered once,
//! and the end comes once and is the last.

use crate::bytes::Bytes;
use crate::inputs::{FILE, Inputs};
use std::collections::BTreeSet;
use undertone_core::call::{
    ArrivalId, Call, DialTarget, Effect, Input, NewCall, NewParty, PartyLeg, ReferId, RequestId,
};
use undertone_core::directory::{Directory, Facts};
use undertone_core::id::{CallId, DeviceId, OrgId};
use undertone_core::plan::{Edge, HearingPlan, PlanVersion};
use undertone_core::time::{Mono, Now, Wall};
use undertone_core::view::Net;

/// More than this of one call is not looked at: what happens early happens often.
const INPUTS_MAX: usize = 400;

struct Desk {
    dir: Directory,
    call: Call,
    now: u64,
    plan: PlanVersion,
    waiting: BTreeSet<Asker>,
    ended: bool,
}

/// Who waits for a word of the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Asker {
    Request(RequestId),
    /// For 202 or a refusal.
    Refer(ReferId),
    /// For the last word of a REFER that was taken.
    Referred(ReferId),
    Arrival(ArrivalId),
}

pub fn call_inputs(data: &[u8]) {
    let mut bytes = Bytes(data);
    let Some(mut desk) = Desk::open(&mut bytes) else { return };
    let mut inputs = Inputs::default();
    for _ in 0..INPUTS_MAX {
        if bytes.is_empty() {
            break;
        }
        desk.now += u64::from(bytes.word()) * 500;
        let view = desk.call.view(desk.time());
        let Some(input) = inputs.next(&desk.dir, desk.plan, &view, &mut bytes) else { continue };
        desk.feed(input);
    }
    desk.feed(Input::ShutDown);
    assert!(desk.ended && desk.call.is_over(), "told to end, and goes on");
    // A phone that sent REFER or Replaces is told by its dialog's end as well.
    desk.waiting.retain(|asker| matches!(asker, Asker::Request(_)));
    assert!(desk.waiting.is_empty(), "nobody said a word to {:?}", desk.waiting);
    desk.feed(Input::ShutDown);
    desk.call.view(desk.time());
}

impl Desk {
    fn open(bytes: &mut Bytes<'_>) -> Option<Desk> {
        let provision = undertone::provision::read(FILE).ok()?;
        let mut facts = Facts::empty(OrgId::parse("org").ok()?);
        for person in provision.people {
            facts.people.insert(person.id.clone(), person);
        }
        for device in provision.devices {
            facts.devices.insert(device.id.clone(), device);
        }
        facts.policy.codes.on = bytes.flag();
        let dir = Directory::new(facts);
        let device = |id: &str| DeviceId::parse(id).ok();
        let ana = device("ana-phone")?;
        let caller =
            if bytes.flag() { (None, Net::External) } else { (device("bo-phone"), Net::Internal) };
        let party = |device: Option<DeviceId>, net, leg| NewParty {
            number: "1".into(),
            name: "one".into(),
            device,
            net,
            leg,
        };
        let asked = bytes.flag().then_some(RequestId(0));
        let new = NewCall {
            id: CallId::parse("eu.n1.1.call").ok()?,
            caller: party(caller.0, caller.1, PartyLeg::Arrived),
            callee: party(
                Some(ana.clone()),
                Net::Internal,
                PartyLeg::ToDial(DialTarget::Device(ana)),
            ),
            queue: None,
            campaign: None,
            request: asked,
            by: None,
        };
        let (call, effects) = Call::new(Now::default(), new, &dir);
        let waiting = asked.map(Asker::Request).into_iter().collect();
        let mut desk = Desk { dir, call, now: 0, plan: PlanVersion(0), waiting, ended: false };
        desk.look_at(effects);
        Some(desk)
    }

    fn time(&self) -> Now {
        Now { mono: Mono(self.now), wall: Wall((self.now / 1_000) as i64) }
    }

    fn feed(&mut self, input: Input) {
        self.waiting.extend(asker(&input));
        let effects = self.call.handle(self.time(), input, &self.dir);
        self.look_at(effects);
    }

    fn look_at(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            let harmless = matches!(
                effect,
                Effect::Reply { .. }
                    | Effect::WriteRow { .. }
                    | Effect::RefuseRefer { .. }
                    | Effect::RefuseArrival { .. }
                    | Effect::NotifyRefer { .. }
                    | Effect::DropGuest { .. }
                    // What was placed for a call that ended meanwhile goes back.
                    | Effect::GiveBack { .. }
            );
            assert!(!self.ended || harmless, "after the end: {effect:?}");
            match effect {
                Effect::ApplyPlan(plan) => self.obeys(&plan),
                Effect::Reply { request, .. } => self.told(Asker::Request(request)),
                Effect::AcceptRefer { refer, .. } => {
                    self.told(Asker::Refer(refer));
                    self.waiting.insert(Asker::Referred(refer));
                }
                Effect::RefuseRefer { refer, .. } => self.told(Asker::Refer(refer)),
                Effect::NotifyRefer { refer, last: true, .. } => {
                    self.told(Asker::Referred(refer));
                }
                Effect::ReplaceLeg { arrival, .. } | Effect::RefuseArrival { arrival, .. } => {
                    self.told(Asker::Arrival(arrival));
                }
                // The call that takes the legs goes on with what their REFER was promised.
                Effect::HandOver(over) => {
                    if let Some((_, refer)) = over.merged.refer {
                        self.waiting.remove(&Asker::Referred(refer));
                    }
                }
                Effect::Ended(record) => {
                    let t = record.view.timing;
                    let named = t.queue_ms + t.ring_ms + t.talk_ms + t.hold_ms + t.other_ms;
                    assert_eq!(t.duration_ms, named, "the duration identity");
                    self.ended = true;
                }
                _ => {}
            }
        }
    }

    fn told(&mut self, asker: Asker) {
        assert!(self.waiting.remove(&asker), "{asker:?} is told again, or never asked");
    }

    /// Sorted, no pair twice, newer than the last, and within its own `never`.
    fn obeys(&mut self, plan: &HearingPlan) {
        assert!(plan.version > self.plan, "versions rise");
        self.plan = plan.version;
        let order =
            |pair: &[Edge]| (pair[0].listener, pair[0].source) < (pair[1].listener, pair[1].source);
        assert!(plan.edges.windows(2).all(order), "{:?}", plan.edges);
        for edge in &plan.edges {
            let banned = plan.never.get(&edge.listener).is_some_and(|n| n.contains(&edge.source));
            assert!(!banned || !edge.audio, "{edge:?} is open and must never be");
        }
    }
}

fn asker(input: &Input) -> Option<Asker> {
    use undertone_core::call::TransferBy;
    match input {
        Input::HangUp { request, .. }
        | Input::Hold { request, .. }
        | Input::Resume { request, .. }
        | Input::Leave { request, .. } => request.map(Asker::Request),
        Input::AgentAction { request, .. } => Some(Asker::Request(*request)),
        Input::Assist(assist) => Some(Asker::Request(assist.request)),
        Input::Change(change) => Some(Asker::Request(change.request)),
        Input::Join(join) => Some(Asker::Request(join.request)),
        Input::TransferAsked(asked) => Some(match asked.by {
            TransferBy::Phone { refer, .. } => Asker::Refer(refer),
            TransferBy::Desk { request, .. } => Asker::Request(request),
        }),
        Input::MergeAsked(asked) => Some(Asker::Refer(asked.refer)),
        Input::ReplaceAsked(asked) => Some(Asker::Arrival(asked.arrival)),
        Input::Merged(merged) => merged.refer.map(|(_, refer)| Asker::Referred(refer)),
        _ => None,
    }
}
