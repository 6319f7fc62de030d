//! Commands in memory: one call with everything in it, and a log of what was asked.

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::Semaphore;
use tower::ServiceExt;
use undertone_api::*;
use undertone_core::access::Actor;
use undertone_core::audit::{AuditEntry, Outcome, Who};
use undertone_core::call::MarkKind;
use undertone_core::feedback::Useful;
use undertone_core::id::{
    CallId, DeviceId, KeyId, MessageId, OrgId, PersonId, SeatId, SupervisionId,
};
use undertone_core::labels::Labels;
use undertone_core::outcome::OutcomeSaid;
use undertone_core::plan::PlanVersion;
use undertone_core::refusal::{Reason, Refusal};
use undertone_core::time::Wall;
use undertone_core::view::*;

pub(crate) struct Memory {
    asked: Mutex<Vec<String>>,
    pub(crate) refusal: Mutex<Option<Refusal>>,
    /// Commands wait for a permit; 1,000 at the start.
    pub(crate) gate: Semaphore,
    pub(crate) sender: Mutex<Option<SoundSender>>,
    /// What became of the sound: `proven`, `Closed`, `TooSlow`.
    pub(crate) sound_log: Arc<Mutex<Vec<String>>>,
    pub(crate) not_ready: Mutex<Option<String>>,
    /// From now on no key is good.
    pub(crate) revoked: AtomicBool,
}

pub(crate) fn memory() -> Arc<Memory> {
    Arc::new(Memory {
        asked: Mutex::default(),
        refusal: Mutex::default(),
        gate: Semaphore::new(1_000),
        sender: Mutex::default(),
        sound_log: Arc::default(),
        not_ready: Mutex::default(),
        revoked: AtomicBool::default(),
    })
}

impl Memory {
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
    fn phone_view(&self) -> PhoneView {
        PhoneView {
            id: "leg-7".into(),
            state: "up",
            send_codec: "opus",
            call: CallId::parse("eu.n1.1.c1").ok(),
            supervision: None,
            ice_servers: self.relays(),
        }
    }
    fn relays(&self) -> Vec<IceServer> {
        vec![IceServer {
            urls: vec!["turn:192.0.2.1:3478".into()],
            username: "1:sue".into(),
            credential: "secret".into(),
            lasts_ms: 7_200_000,
        }]
    }
    async fn ask<T>(&self, what: String, answer: T) -> Result<T, Refusal> {
        self.asked.lock().unwrap().push(what);
        self.gate.acquire().await.unwrap().forget();
        match self.refusal.lock().unwrap().clone() {
            Some(refusal) => Err(refusal),
            None => Ok(answer),
        }
    }
}

/// An answer, read whole.
pub(crate) struct Got {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) json: Value,
    pub(crate) text: String,
}

pub(crate) fn request(method: &str, path: &str) -> axum::http::request::Builder {
    Request::builder().method(method).uri(path).header("authorization", "Bearer ut_good")
}

pub(crate) async fn send(router: &Router, request: Request<Body>) -> Got {
    let response = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, 1 << 22).await.unwrap();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let json = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    Got { status: parts.status, headers: parts.headers, json, text }
}

pub(crate) async fn get(router: &Router, path: &str) -> Got {
    send(router, request("GET", path).body(Body::empty()).unwrap()).await
}

pub(crate) async fn with_json(router: &Router, method: &str, path: &str, body: &str) -> Got {
    let request = request(method, path).header("content-type", "application/json");
    send(router, request.body(Body::from(body.to_owned())).unwrap()).await
}

pub(crate) fn supervision() -> SupervisionView {
    SupervisionView {
        id: SupervisionId::parse("s1").unwrap(),
        call: CallId::parse("eu.n1.1.c1").unwrap(),
        state: SupervisionState::Live,
        version: 3,
        supervisor: PersonId::parse("sue").unwrap(),
        supervisor_name: "Sue".into(),
        seat: Some(SeatId(3)),
        leg: LegKind::Sip { device: DeviceId::parse("d3").unwrap() },
        mode: Mode::Whisper,
        targets: vec![SeatId(2)],
        muted: false,
        alert: false,
        follow: Follow::Call,
        extent: Extent::ThisCall,
        reason: "training".into(),
        started_at: Wall(1_700_000_000_000),
        ended_at: None,
        spans: vec![SpanView { mode: Mode::Whisper, from: Wall(1_700_000_000_000), to: None }],
        end_reason: None,
        policy: vec![("agent_after", "removed".into())],
        guard_ms: 250,
        fell_because: None,
        last_raise: None,
    }
}

fn snapshot() -> CallSnapshot {
    let party = |seat, role, name: &str| PartyView {
        seat: SeatId(seat),
        role,
        person: None,
        name: name.into(),
        number: "201".into(),
        net: Net::Internal,
        held: false,
        muted: false,
        connected: true,
        listening_only: false,
        quiet: false,
        unattended: false,
    };
    CallSnapshot {
        view: CallView {
            id: CallId::parse("eu.n1.1.c1").unwrap(),
            direction: Direction::Inbound,
            state: CallState::Talking,
            queue: Some("sales".into()),
            campaign: None,
            started_at: Wall(1_700_000_000_042),
            answered_at: Some(Wall(1_700_000_001_000)),
            ended_at: None,
            end_reason: None,
            parties: vec![
                party(1, Role::Customer, "Carl"),
                party(2, Role::Agent, "Ann"),
                party(3, Role::Supervisor, "Sue"),
            ],
            supervisions: vec![supervision()],
            timing: TimingView { duration_ms: 2_000, talk_ms: 1_000, ..Default::default() },
            timeline: vec![TimelineEntry {
                at: Wall(1_700_000_001_000),
                what: "answered",
                who: "Ann".into(),
                detail: String::new(),
            }],
            heard: vec![HeardView {
                at: Wall(1_700_000_001_000),
                ears: vec![
                    EarView { who: Hearer::Seat(SeatId(1)), hears: vec![SeatId(2)] },
                    EarView {
                        who: Hearer::Supervision(SupervisionId::parse("s2").unwrap()),
                        hears: vec![SeatId(1)],
                    },
                ],
            }],
            plan: PlanVersion(4),
            help: None,
            outcome: None,
        },
        hears: BTreeMap::from([
            (SeatId(2), vec![SeatId(1), SeatId(3)]),
            (SeatId(1), vec![SeatId(2)]),
        ]),
        attention: Vec::new(),
    }
}

fn sent() -> Sent {
    Sent { id: MessageId::parse("m1").unwrap(), at: Wall(1_700_000_000_000) }
}

fn audit_row() -> AuditRow {
    AuditRow {
        seq: 42,
        prev_hash: [1; 32],
        hash: [0xab; 32],
        entry: AuditEntry {
            org: OrgId::parse("org").unwrap(),
            at: Wall(1_700_000_000_000),
            who: Who::system(),
            what: "supervision.join".into(),
            call: Some(CallId::parse("eu.n1.1.c1").unwrap()),
            supervision: None,
            outcome: Outcome::Refused(vec!["not_allowed".into()]),
            detail: BTreeMap::from([("mode".into(), "barge".into())]),
        },
    }
}

#[async_trait]
impl Commands for Memory {
    async fn sign_in(&self, token: &str, origin: &str) -> Result<Option<Actor>, Refusal> {
        let Some(name @ ("good" | "other")) = token.strip_prefix("ut_") else { return Ok(None) };
        if self.revoked.load(Ordering::Relaxed) {
            return Ok(None);
        }
        Ok(Some(Actor {
            person: PersonId::parse("sue").unwrap(),
            name: "Sue".into(),
            key: Some(KeyId::parse(name).unwrap()),
            session: None,
            channel: Channel::Api,
            origin: origin.into(),
            rights: BTreeSet::new(),
        }))
    }
    async fn open_phone(&self, _: &Actor, what: OpenPhone) -> Result<OpenedPhone, Refusal> {
        let from = what.peer.map_or("nowhere".into(), |peer| peer.to_string());
        self.asked.lock().unwrap().push(format!("open_phone from {from}"));
        if !what.sdp.starts_with("v=0") {
            return Err(Refusal::with(Reason::BadRequest, "no offer"));
        }
        if what.tab == "other" && !what.here {
            return Err(Refusal::because(Reason::PhoneElsewhere));
        }
        Ok(OpenedPhone { view: self.phone_view(), sdp: "v=0 answer".into() })
    }
    async fn phone(&self, who: &Actor, tab: Option<&str>) -> Result<PhoneView, Refusal> {
        match who.key.as_ref().map(KeyId::as_str) {
            Some("good") => {
                let other = tab.is_some_and(|tab| tab != "one");
                let view = self.phone_view();
                Ok(PhoneView { state: if other { "elsewhere" } else { view.state }, ..view })
            }
            _ => Err(Refusal::because(Reason::NoPhone)),
        }
    }
    async fn close_phone(&self, who: &Actor) -> Result<(), Refusal> {
        self.phone(who, None).await.map(|_| ())
    }
    async fn ice_servers(&self, _: &Actor) -> Vec<IceServer> {
        self.relays()
    }
    async fn ear(&self, _: &Actor, _: &CallId, _: SeatId) -> Result<Option<LiveSound>, Refusal> {
        Ok(None)
    }
    async fn calls(&self, _: &Actor) -> Result<Vec<CallSnapshot>, Refusal> {
        self.ask("calls".into(), vec![snapshot()]).await
    }
    async fn call(&self, _: &Actor, id: &CallId) -> Result<CallSnapshot, Refusal> {
        if id.as_str() == "none" {
            return Err(Refusal::because(Reason::NoSuchCall));
        }
        self.ask(format!("call {id}"), snapshot()).await
    }
    async fn abilities(&self, _: &Actor, id: &CallId) -> Result<Vec<Ability>, Refusal> {
        let ability = |mode, allowed, reasons| Ability { mode, allowed, reasons };
        let all = vec![
            ability(Mode::Listen, true, vec![]),
            ability(Mode::Barge, false, vec![Reason::NotAllowed, Reason::OwnCall]),
        ];
        self.ask(format!("abilities {id}"), all).await
    }
    async fn agents(&self, _: &Actor) -> Result<Vec<AgentView>, Refusal> {
        let ann = AgentView {
            person: PersonId::parse("ann").unwrap(),
            name: "Ann".into(),
            extension: Some("201".into()),
            state: AgentState::OnCall,
            since: Wall(0),
            call: Some(CallId::parse("eu.n1.1.c1").unwrap()),
            reason: None,
            next_away: Some(None),
        };
        self.ask("agents".into(), vec![ann]).await
    }
    async fn audit(&self, _: &Actor, query: AuditQuery) -> Result<AuditPage, Refusal> {
        // One page, and an empty one after it.
        let first = query.before.is_none_or(|before| before != 42);
        let items = if first { vec![audit_row()] } else { Vec::new() };
        let page = AuditPage { items, next: first.then_some(42) };
        self.ask(format!("{query:?}"), page).await
    }
    async fn export(&self, _: &Actor, what: Exported, asked: String) -> Result<(), Refusal> {
        self.ask(format!("export {what:?} {asked}"), ()).await
    }
    async fn history(&self, _: &Actor, query: HistoryQuery) -> Result<HistoryPage, Refusal> {
        // Three pages; the second holds none that was asked for.
        let (items, next) = match query.cursor.as_deref() {
            Some("6~c0") => (vec![snapshot()], None),
            Some("7~c1") => (Vec::new(), Some("6~c0".into())),
            _ => (vec![snapshot()], Some("7~c1".into())),
        };
        let page = HistoryPage { items, next };
        self.ask(format!("{query:?}"), page).await
    }
    async fn place_call(&self, _: &Actor, what: PlaceCall) -> Result<CallSnapshot, Refusal> {
        self.ask(format!("{what:?}"), snapshot()).await
    }
    async fn hang_up(&self, _: &Actor, id: &CallId) -> Result<(), Refusal> {
        self.ask(format!("hang_up {id}"), ()).await
    }
    async fn answer_call(&self, _: &Actor, id: &CallId) -> Result<CallSnapshot, Refusal> {
        self.ask(format!("answer {id}"), snapshot()).await
    }
    async fn decline_call(&self, _: &Actor, id: &CallId) -> Result<(), Refusal> {
        self.ask(format!("decline {id}"), ()).await
    }
    async fn hold(
        &self,
        _: &Actor,
        id: &CallId,
        party: Option<SeatId>,
    ) -> Result<CallSnapshot, Refusal> {
        self.ask(format!("hold {id} {party:?}"), snapshot()).await
    }
    async fn resume(
        &self,
        _: &Actor,
        id: &CallId,
        party: Option<SeatId>,
    ) -> Result<CallSnapshot, Refusal> {
        self.ask(format!("resume {id} {party:?}"), snapshot()).await
    }
    async fn transfer(
        &self,
        _: &Actor,
        id: &CallId,
        party: Option<SeatId>,
        to: String,
    ) -> Result<CallSnapshot, Refusal> {
        self.ask(format!("transfer {id} {party:?} {to}"), snapshot()).await
    }
    async fn supervise(&self, _: &Actor, of: Of, what: Supervise) -> Result<Supervised, Refusal> {
        let stream = what.leg == LegWanted::Stream;
        self.ask(format!("{of:?} {what:?}"), ()).await?;
        let mut view = supervision();
        let mut sound = None;
        if stream {
            view.leg = LegKind::Stream;
            let (proven, ended) = (self.sound_log.clone(), self.sound_log.clone());
            let (tx, rx) = LiveSound::channel(
                8_000,
                move || proven.lock().unwrap().push("proven".into()),
                move |end| ended.lock().unwrap().push(format!("{end:?}")),
            );
            *self.sender.lock().unwrap() = Some(tx);
            sound = Some(rx);
        }
        Ok(Supervised { view, sound })
    }
    async fn supervision(&self, _: &Actor, id: &SupervisionId) -> Result<SupervisionView, Refusal> {
        self.ask(format!("supervision {id}"), supervision()).await
    }
    async fn change(
        &self,
        _: &Actor,
        id: &SupervisionId,
        what: Change,
    ) -> Result<SupervisionView, Refusal> {
        self.ask(format!("change {id} {what:?}"), supervision()).await
    }
    async fn leave(&self, _: &Actor, id: &SupervisionId) -> Result<SupervisionView, Refusal> {
        self.ask(format!("leave {id}"), supervision()).await
    }
    async fn agent_action(
        &self,
        _: &Actor,
        id: &SupervisionId,
        what: AgentAction,
    ) -> Result<SupervisionView, Refusal> {
        self.ask(format!("agent {id} {what:?}"), supervision()).await
    }
    async fn hand(
        &self,
        _: &Actor,
        call: &CallId,
        what: Hand,
    ) -> Result<Option<HelpView>, Refusal> {
        let help = HelpView {
            number: 3,
            person: PersonId::parse("ann").unwrap(),
            name: "Ann".into(),
            reason: Some(HelpReason::AngryCustomer),
            at: Wall(1_700_000_000_000),
            coming: Some((PersonId::parse("sue").unwrap(), "Sue".into())),
            told: 2,
            urged: 0,
        };
        let help = (what != Hand::Withdraw).then_some(help);
        self.ask(format!("hand {call} {what:?}"), help).await
    }
    async fn prompt(&self, _: &Actor, id: &SupervisionId, text: String) -> Result<Sent, Refusal> {
        self.ask(format!("prompt {id} {text}"), sent()).await
    }
    async fn reply(&self, _: &Actor, id: &SupervisionId, word: ReplyWord) -> Result<Sent, Refusal> {
        self.ask(format!("reply {id} {word:?}"), sent()).await
    }
    async fn feedback(
        &self,
        _: &Actor,
        call: &CallId,
        about: &SupervisionId,
        useful: Useful,
    ) -> Result<(), Refusal> {
        self.ask(format!("feedback {call} {about} {useful:?}"), ()).await
    }
    async fn mark(
        &self,
        _: &Actor,
        id: &SupervisionId,
        kind: MarkKind,
        text: String,
    ) -> Result<Wall, Refusal> {
        self.ask(format!("mark {id} {kind:?} {text}"), Wall(0)).await
    }
    async fn heard_before(&self, who: &Actor, id: &SupervisionId) -> Result<HeardBefore, Refusal> {
        let ann = self.agents(who).await?.remove(0);
        let agents = vec![HeardAgent { person: ann.person, name: ann.name, calls: 3 }];
        self.ask(format!("heard before {id}"), HeardBefore { since: Wall(0), agents }).await
    }
    async fn set_outcome(
        &self,
        who: &Actor,
        call: &CallId,
        said: OutcomeSaid,
    ) -> Result<undertone_core::outcome::Outcome, Refusal> {
        let by = (who.person.clone(), who.name.clone());
        let kept = undertone_core::outcome::Outcome::default().with(&said, Wall(0), by);
        self.ask(format!("outcome {call} {:?}", said.details()), kept).await
    }
    async fn set_state(
        &self,
        who: &Actor,
        away: bool,
        reason: Option<String>,
    ) -> Result<AgentView, Refusal> {
        let ann = self.agents(who).await?.remove(0);
        self.ask(format!("state {away} {reason:?}"), AgentView { reason, ..ann }).await
    }
    async fn set_labels(&self, _: &Actor, what: Labels) -> Result<Labels, Refusal> {
        self.ask(format!("{what:?}"), what).await
    }
    async fn health(&self, _: &Actor) -> Result<Health, Refusal> {
        let line = |id, state, detail: &str| HealthItem {
            id,
            state,
            value: "1 ms".into(),
            detail: detail.into(),
            counts: BTreeMap::from([("waiting", 1)]),
        };
        let items = vec![
            line("database", HealthState::Ok, ""),
            line("disk_free", HealthState::Bad, "make room"),
            line("trunks", HealthState::Warn, "one does not answer"),
        ];
        self.ask("health".into(), Health { at: Wall(1_000), items }).await
    }
    async fn ready(&self) -> Result<(), String> {
        self.not_ready.lock().unwrap().clone().map_or(Ok(()), Err)
    }
}
