//! What the API asks, carried to the switchboard, the floor and the store, and the answers back.
//! Every rule is asked of core; a refusal that core did not see is audited here.

use crate::clock;
use crate::demo::Ears;
use crate::health::Vitals;
use crate::history;
use crate::keys;
use crate::live;
use crate::switchboard::{
    CallHandle, Connection, Joined, PageSays, PhoneAsked, PhoneSeen, Switchboard, dialled,
    supervision_in,
};
use crate::turn::Turn;
use async_trait::async_trait;
use futures::future::join_all;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use undertone_api::{
    AuditPage, AuditQuery, AuditRow, CallSnapshot, Change, Commands, Exported, Hand, Health,
    HeardBefore, HistoryPage, HistoryQuery, IceServer, LegWanted, LiveSound, Of, OpenPhone,
    OpenedPhone, PhoneView, PlaceCall, Sent, Supervise, Supervised,
};
use undertone_core::access::{Actor, Right};
use undertone_core::audit::{AuditEntry, Outcome, Who};
use undertone_core::call::{self, Answer, Input, MarkKind, Reply, TransferAsked, TransferBy};
use undertone_core::contact::Contact;
use undertone_core::directory::Directory;
use undertone_core::feedback::Useful;
use undertone_core::id::{CallId, DeviceId, SeatId, SupervisionId};
use undertone_core::labels::Labels;
use undertone_core::outcome::{self, OutcomeSaid};
use undertone_core::refusal::{Reason, Refusal};
use undertone_core::routing;
use undertone_core::seen;
use undertone_core::time::Wall;
use undertone_core::view::{
    Ability, AgentAction, AgentView, CallView, HelpView, LegKind, Mode, ReplyWord, SupervisionView,
};
use undertone_store::{AuditFilter, Class, StoreError};

/// Louder than this at a party's output counts as heard.
pub(crate) const HEARD_DBFS: f32 = -60.0;
/// Of a query, in the audit.
const ASKED_MAX: usize = 500;

#[derive(Clone)]
pub struct Desk {
    board: Switchboard,
    turn: Option<Turn>,
    vitals: Arc<Vitals>,
    /// The demo's telephones, where this is one.
    pub(crate) ears: OnceLock<Arc<Ears>>,
}

impl Desk {
    pub fn new(board: Switchboard, turn: Option<Turn>, vitals: Arc<Vitals>) -> Self {
        Self { board, turn, vitals, ears: OnceLock::new() }
    }

    fn relays(&self, who: &Actor) -> Vec<IceServer> {
        let relay = self.turn.as_ref();
        relay.map(|turn| turn.server_for(&who.person, clock::now().wall)).into_iter().collect()
    }

    pub(crate) fn board(&self) -> &Switchboard {
        &self.board
    }

    /// Reading needs a right as well, the one of now: a long list is read page by page. A refusal
    /// is written like any other.
    pub(crate) fn may(&self, who: &Actor, right: Right, what: &'static str) -> Result<(), Refusal> {
        let need = |now: Actor| now.need(right).map_err(Refusal::because);
        let judged = self.present(who).and_then(need);
        judged.map_err(|refusal| self.refused(who, what, None, refusal))
    }

    /// With the rights of this moment; who was signed out is nobody.
    pub(crate) fn present(&self, who: &Actor) -> Result<Actor, Refusal> {
        let over = |session| !self.board.house().sessions.is_open(session);
        if who.session.as_ref().is_some_and(over) {
            return Err(Refusal::because(Reason::SignedOut));
        }
        let mut now = who.clone();
        self.board.directory().restrict(&mut now);
        Ok(now)
    }

    /// Writes a refusal that no call's task will write, and gives it back.
    pub(crate) fn refused(
        &self,
        who: &Actor,
        what: &'static str,
        call: Option<&CallId>,
        refusal: Refusal,
    ) -> Refusal {
        let entry = AuditEntry {
            org: self.board.directory().org.clone(),
            at: clock::now().wall,
            who: Who::from(who),
            what: what.into(),
            call: call.cloned(),
            supervision: None,
            outcome: Outcome::refused(&refusal),
            detail: BTreeMap::new(),
        };
        drop(self.board.house().store.append(entry, Class::Other));
        refusal
    }

    pub(crate) fn phone_seen(&self, who: &Actor) -> Option<PhoneSeen> {
        self.board.house().phone(&who.person)
    }

    /// As the page of this name sees it, which another page may have taken it from.
    pub(crate) async fn shown(&self, who: &Actor, seen: PhoneSeen, tab: Option<&str>) -> PhoneView {
        let call = seen.call.as_ref().and_then(|id| self.board.find(id).ok());
        let view = match &call {
            Some(call) => call.view().await,
            None => None,
        };
        let supervisions = view.iter().flat_map(|view| &view.supervisions);
        let mine = supervisions.filter(|s| {
            s.supervisor == who.person && s.leg == LegKind::Phone && s.ended_at.is_none()
        });
        PhoneView {
            id: format!("leg-{}", seen.leg.0),
            state: match seen.connection {
                _ if tab.is_some_and(|tab| tab != seen.tab) => "elsewhere",
                Connection::Connecting => "connecting",
                Connection::Up => "up",
                Connection::Lost => "lost",
            },
            send_codec: seen.send_codec.name(),
            supervision: mine.map(|s| s.id.clone()).next_back(),
            call: seen.call,
            ice_servers: self.relays(who),
        }
    }

    pub(crate) async fn snapshot(&self, call: &CallHandle) -> Option<CallSnapshot> {
        Some(self.with_hears(call, call.view().await?).await)
    }

    /// As far as who asked may see it: an agent's hold tells of no silent listener.
    async fn call_reply(
        &self,
        who: &Actor,
        call: &CallHandle,
        answer: Answer,
    ) -> Result<CallSnapshot, Refusal> {
        let whole = match answer? {
            Reply::Call(view) => self.with_hears(call, *view).await,
            Reply::Supervision(_) | Reply::Done => {
                let now = self.snapshot(call).await;
                now.ok_or_else(|| Refusal::because(Reason::CallEnded))?
            }
        };
        Ok(self.answer(whole, who))
    }

    fn answer(&self, whole: CallSnapshot, who: &Actor) -> CallSnapshot {
        let (view, hidden) = seen::answer(&whole.view, who, &self.board.directory().policy);
        let mut seen = CallSnapshot { view, ..whole };
        live::without(&mut seen, &hidden);
        seen
    }

    async fn of(&self, who: &Actor, of: &Of, mode: Mode) -> Result<CallHandle, Refusal> {
        let found = match of {
            Of::Call(id) => self.board.find(id),
            Of::Agent(extension) => {
                // Who there is, and whether they are on a call, is told to who may supervise them.
                self.may(who, Right::for_mode(mode), "supervision.join")?;
                self.board.call_of_agent(extension).await
            }
        };
        found.map_err(|refusal| self.refused(who, "supervision.join", None, refusal))
    }

    pub(crate) fn supervised(&self, id: &SupervisionId) -> Result<CallHandle, Refusal> {
        let call = self.board.house().register.call_of(id);
        call.ok_or_else(|| Refusal::because(Reason::NoSuchSupervision))
    }

    async fn supervision_of(
        &self,
        call: &CallHandle,
        id: &SupervisionId,
    ) -> Result<SupervisionView, Refusal> {
        let view = call.view().await.ok_or_else(|| Refusal::because(Reason::CallEnded))?;
        supervision_in(&view, id)
    }

    async fn supervision_reply(
        &self,
        call: &CallHandle,
        id: &SupervisionId,
        answer: Answer,
    ) -> Result<SupervisionView, Refusal> {
        match answer? {
            Reply::Supervision(view) => Ok(*view),
            Reply::Call(view) => supervision_in(&view, id),
            Reply::Done => self.supervision_of(call, id).await,
        }
    }
}

/// A call of which nothing is measured.
pub(crate) fn plain(view: CallView) -> CallSnapshot {
    CallSnapshot { view, hears: BTreeMap::new(), attention: Vec::new() }
}

/// Which device a URI means: a contact, an extension of ours, or the account that a phone registers
/// as. Whether it may be used, core says.
fn device_at(uri: &str, dir: &Directory) -> Option<DeviceId> {
    let contact = Contact::parse(uri).ok();
    let by_contact = contact.and_then(|contact| dir.device_with_contact(&contact));
    by_contact.map(|device| device.id.clone()).or_else(|| {
        let named = dialled(uri).ok()?;
        let by_account = || dir.device_of_account(named.as_str()).map(|d| d.id.clone());
        routing::one_device(&named, dir).or_else(by_account)
    })
}

pub(crate) fn unavailable(error: StoreError) -> Refusal {
    tracing::error!(%error, "the store does not answer");
    Refusal::with(Reason::AuditUnavailable, "the database does not answer")
}

#[async_trait]
impl Commands for Desk {
    async fn sign_in(&self, token: &str, origin: &str) -> Result<Option<Actor>, Refusal> {
        let dir = self.board.directory();
        let key = self.board.house().store.key(token).await.map_err(unavailable)?;
        Ok(key.and_then(|key| keys::actor(&key, &dir, origin)))
    }

    async fn calls(&self, who: &Actor) -> Result<Vec<CallSnapshot>, Refusal> {
        self.may(who, Right::SeeWallboard, "calls.see")?;
        let calls = self.board.house().register.all();
        let snapshots = join_all(calls.iter().map(|call| self.snapshot(call))).await;
        let mut live: Vec<_> = snapshots.into_iter().flatten().collect();
        live.sort_by(|a, b| a.view.id.cmp(&b.view.id));
        Ok(live)
    }

    async fn call(&self, who: &Actor, id: &CallId) -> Result<CallSnapshot, Refusal> {
        self.may(who, Right::SeeWallboard, "call.see")?;
        if let Some(call) = self.board.house().register.call(id)
            && let Some(live) = self.snapshot(&call).await
        {
            return Ok(live);
        }
        let ended = self.board.house().store.call(id).await.map_err(unavailable)?;
        let record = ended.ok_or_else(|| Refusal::because(Reason::NoSuchCall))?;
        Ok(plain(record.view))
    }

    async fn abilities(&self, who: &Actor, id: &CallId) -> Result<Vec<Ability>, Refusal> {
        self.may(who, Right::SeeWallboard, "abilities.see")?;
        let abilities = self.board.find(id)?.abilities(who).await;
        abilities.ok_or_else(|| Refusal::because(Reason::CallEnded))
    }

    async fn agents(&self, who: &Actor) -> Result<Vec<AgentView>, Refusal> {
        self.may(who, Right::SeeWallboard, "agents.see")?;
        Ok(self.board.house().floor.everybody().await)
    }

    async fn audit(&self, who: &Actor, query: AuditQuery) -> Result<AuditPage, Refusal> {
        self.may(who, Right::SeeAudit, "audit.see")?;
        let AuditQuery { call, person, from, to, before, limit } = query;
        let filter = AuditFilter { call, person, from, to, before, limit };
        let page = self.board.house().store.audit(filter).await.map_err(unavailable)?;
        let row = |row: undertone_store::AuditRow| AuditRow {
            seq: row.seq,
            prev_hash: row.prev_hash,
            hash: row.hash,
            entry: row.entry,
        };
        Ok(AuditPage { items: page.items.into_iter().map(row).collect(), next: page.next })
    }

    async fn history(&self, who: &Actor, query: HistoryQuery) -> Result<HistoryPage, Refusal> {
        self.may(who, Right::SeeHistory, "history.see")?;
        history::page(&self.board.house().store, query).await
    }

    async fn export(&self, who: &Actor, what: Exported, asked: String) -> Result<(), Refusal> {
        let (right, what) = match what {
            Exported::Audit => (Right::SeeAudit, "audit.export"),
            Exported::History => (Right::SeeHistory, "history.export"),
        };
        self.may(who, right, what)?;
        let entry = AuditEntry {
            org: self.board.directory().org.clone(),
            at: clock::now().wall,
            who: Who::from(who),
            what: what.into(),
            call: None,
            supervision: None,
            outcome: Outcome::Allowed,
            detail: BTreeMap::from([("asked".into(), asked.chars().take(ASKED_MAX).collect())]),
        };
        self.board.house().store.append(entry, Class::Other).await.map_err(unavailable)?;
        Ok(())
    }

    async fn place_call(&self, who: &Actor, what: PlaceCall) -> Result<CallSnapshot, Refusal> {
        let (begun, answer) = self.board.place(who, &what.from_agent, &what.to).await;
        let Some(id) = begun else {
            // A call that never began wrote nothing.
            return Err(match answer {
                Err(refusal) => self.refused(who, "call.place", None, refusal),
                Ok(_) => Refusal::because(Reason::CallEnded),
            });
        };
        match (answer?, self.board.find(&id)) {
            (reply, Ok(call)) => self.call_reply(who, &call, Ok(reply)).await,
            (Reply::Call(view), Err(_)) => Ok(self.answer(plain(*view), who)),
            (_, Err(refusal)) => Err(refusal),
        }
    }

    async fn hang_up(&self, who: &Actor, id: &CallId) -> Result<(), Refusal> {
        let call = self.board.find(id)?;
        let by = who.clone();
        let hang_up = |r| Input::HangUp { by, seat: None, request: Some(r) };
        call.ask(&self.board, hang_up).await.map(|_| ())
    }

    async fn answer_call(&self, who: &Actor, id: &CallId) -> Result<CallSnapshot, Refusal> {
        let refuse = |refusal| self.refused(who, "call.answer", Some(id), refusal);
        let call = self.board.find(id)?;
        call.page_says(who.person.clone(), PageSays::Answer).await.map_err(refuse)?;
        self.call_reply(who, &call, Ok(Reply::Done)).await
    }

    async fn decline_call(&self, who: &Actor, id: &CallId) -> Result<(), Refusal> {
        let refuse = |refusal| self.refused(who, "call.decline", Some(id), refusal);
        let call = self.board.find(id)?;
        call.page_says(who.person.clone(), PageSays::Decline).await.map_err(refuse)
    }

    async fn hold(
        &self,
        who: &Actor,
        id: &CallId,
        party: Option<SeatId>,
    ) -> Result<CallSnapshot, Refusal> {
        let call = self.board.find(id)?;
        let by = who.clone();
        let hold = |r| Input::Hold { by, seat: party, request: Some(r) };
        let answer = call.ask(&self.board, hold).await;
        self.call_reply(who, &call, answer).await
    }

    async fn resume(
        &self,
        who: &Actor,
        id: &CallId,
        party: Option<SeatId>,
    ) -> Result<CallSnapshot, Refusal> {
        let call = self.board.find(id)?;
        let by = who.clone();
        let resume = |r| Input::Resume { by, seat: party, request: Some(r) };
        let answer = call.ask(&self.board, resume).await;
        self.call_reply(who, &call, answer).await
    }

    async fn transfer(
        &self,
        who: &Actor,
        id: &CallId,
        party: Option<SeatId>,
        to: String,
    ) -> Result<CallSnapshot, Refusal> {
        let call = self.board.find(id)?;
        let by = who.clone();
        let transfer = |request| {
            let by = TransferBy::Desk { by, party, request };
            Input::TransferAsked(Box::new(TransferAsked { by, to }))
        };
        let answer = call.ask(&self.board, transfer).await;
        self.call_reply(who, &call, answer).await
    }

    async fn supervise(&self, who: &Actor, of: Of, what: Supervise) -> Result<Supervised, Refusal> {
        let call = self.of(who, &of, what.mode).await?;
        let refuse = |refusal| self.refused(who, "supervision.join", Some(&call.id), refusal);
        if self.board.is_draining() {
            return Err(refuse(Refusal::because(Reason::ShuttingDown)));
        }
        let leg = match &what.leg {
            LegWanted::Phone => LegKind::Phone,
            LegWanted::Stream => LegKind::Stream,
            LegWanted::Sip { uri } => {
                let device = device_at(uri, &self.board.directory());
                let unknown = || Refusal::with(Reason::LegNotOwn, "no such device is known");
                LegKind::Sip { device: device.ok_or_else(|| refuse(unknown()))? }
            }
        };
        let id = self.board.house().ids.supervision();
        let id = id.map_err(|_| Refusal::because(Reason::BadRequest))?;
        let join = |request| call::Join {
            request,
            supervision: id.clone(),
            by: who.clone(),
            leg,
            mode: what.mode,
            targets: what.targets,
            alert: what.alert,
            private: false,
            agent_after: what.agent_after,
            reason: what.reason,
            follow: what.follow,
            extent: what.extent,
            answer_early: what.answer_early,
            arrived: false,
        };
        match call.join(&self.board, id.clone(), join).await? {
            Joined::Sound(sounding) => {
                let view = supervision_in(&sounding.view, &id)?;
                Ok(Supervised { view, sound: Some(sounding.sound) })
            }
            Joined::Answer(reply) => {
                let view = self.supervision_reply(&call, &id, Ok(reply)).await?;
                Ok(Supervised { view, sound: None })
            }
        }
    }

    async fn supervision(
        &self,
        who: &Actor,
        id: &SupervisionId,
    ) -> Result<SupervisionView, Refusal> {
        self.may(who, Right::SeeWallboard, "supervision.see")?;
        let call = self.supervised(id)?;
        self.supervision_of(&call, id).await
    }

    async fn change(
        &self,
        who: &Actor,
        id: &SupervisionId,
        what: Change,
    ) -> Result<SupervisionView, Refusal> {
        let call = self.supervised(id)?;
        let change = |request| call::Change {
            request,
            supervision: id.clone(),
            by: who.clone(),
            mode: what.mode,
            targets: what.targets,
            alert: what.alert,
            muted: what.muted,
            agent_after: what.agent_after,
            if_version: what.if_version,
        };
        let answer = call.ask(&self.board, |r| Input::Change(Box::new(change(r)))).await;
        self.supervision_reply(&call, id, answer).await
    }

    async fn leave(&self, who: &Actor, id: &SupervisionId) -> Result<SupervisionView, Refusal> {
        let call = self.supervised(id)?;
        let (supervision, by) = (id.clone(), who.clone());
        let leave = |r| Input::Leave { request: Some(r), supervision, by };
        let answer = call.ask(&self.board, leave).await;
        self.supervision_reply(&call, id, answer).await
    }

    async fn agent_action(
        &self,
        who: &Actor,
        id: &SupervisionId,
        what: AgentAction,
    ) -> Result<SupervisionView, Refusal> {
        let call = self.supervised(id)?;
        let (supervision, by) = (id.clone(), who.clone());
        let act = |request| Input::AgentAction { request, supervision, by, action: what };
        let answer = call.ask(&self.board, act).await;
        self.supervision_reply(&call, id, answer).await
    }

    async fn open_phone(&self, who: &Actor, what: OpenPhone) -> Result<OpenedPhone, Refusal> {
        let refuse = |refusal| self.refused(who, "phone.open", None, refusal);
        if self.board.is_draining() {
            return Err(refuse(Refusal::because(Reason::ShuttingDown)));
        }
        let OpenPhone { sdp: offer, here, tab, peer } = what;
        let session = who.session.clone();
        let asked = PhoneAsked { offer, tab, session, here, peer };
        let opened = self.board.house().open_phone(&who.person, asked).await;
        let (seen, sdp) = opened.map_err(refuse)?;
        Ok(OpenedPhone { view: self.shown(who, seen, None).await, sdp })
    }

    async fn phone(&self, who: &Actor, tab: Option<&str>) -> Result<PhoneView, Refusal> {
        let seen = self.board.house().phone(&who.person);
        Ok(self.shown(who, seen.ok_or_else(|| Refusal::because(Reason::NoPhone))?, tab).await)
    }

    async fn close_phone(&self, who: &Actor) -> Result<(), Refusal> {
        let closed = self.board.house().close_phone(&who.person);
        closed.then_some(()).ok_or_else(|| Refusal::because(Reason::NoPhone))
    }

    async fn ice_servers(&self, who: &Actor) -> Vec<IceServer> {
        self.relays(who)
    }

    async fn hand(
        &self,
        who: &Actor,
        call: &CallId,
        what: Hand,
    ) -> Result<Option<HelpView>, Refusal> {
        self.act_on_hand(who, call, what).await
    }

    async fn prompt(&self, who: &Actor, id: &SupervisionId, text: String) -> Result<Sent, Refusal> {
        let prompt = |supervision, id| call::AssistAct::Prompt { supervision, id, text };
        self.write_to(who, id, prompt).await
    }

    async fn reply(
        &self,
        who: &Actor,
        id: &SupervisionId,
        word: ReplyWord,
    ) -> Result<Sent, Refusal> {
        self.write_to(who, id, |supervision, id| call::AssistAct::Answer { supervision, id, word })
            .await
    }

    async fn feedback(
        &self,
        who: &Actor,
        call: &CallId,
        about: &SupervisionId,
        useful: Useful,
    ) -> Result<(), Refusal> {
        self.take_feedback(who, call, about, useful).await
    }

    async fn mark(
        &self,
        who: &Actor,
        id: &SupervisionId,
        kind: MarkKind,
        text: String,
    ) -> Result<Wall, Refusal> {
        self.write_down(who, id, kind, text).await
    }

    async fn heard_before(&self, who: &Actor, id: &SupervisionId) -> Result<HeardBefore, Refusal> {
        self.heard_lately(who, id).await
    }

    async fn set_outcome(
        &self,
        who: &Actor,
        call: &CallId,
        said: OutcomeSaid,
    ) -> Result<outcome::Outcome, Refusal> {
        self.take_outcome(who, call, said).await
    }

    async fn set_state(
        &self,
        who: &Actor,
        away: bool,
        reason: Option<String>,
    ) -> Result<AgentView, Refusal> {
        self.go_away(who, away, reason).await
    }

    async fn set_labels(&self, who: &Actor, what: Labels) -> Result<Labels, Refusal> {
        self.call_things(who, what).await
    }

    async fn health(&self, who: &Actor) -> Result<Health, Refusal> {
        self.may(who, Right::Admin, "health.see")?;
        Ok(self.vitals.look(&self.board).await)
    }

    async fn ear(
        &self,
        who: &Actor,
        call: &CallId,
        party: SeatId,
    ) -> Result<Option<LiveSound>, Refusal> {
        self.hear_as(who, call, party).await
    }

    async fn ready(&self) -> Result<(), String> {
        if self.board.is_draining() {
            return Err("shutting down".into());
        }
        Ok(())
    }
}
