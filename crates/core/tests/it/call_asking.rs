//! What people and phones ask of the world's call, and what they were told.

use crate::call_world::{AGENT, Said, World, actor, sup};
use undertone_core::audit::{AuditEntry, Outcome};
use undertone_core::call::*;
use undertone_core::id::*;
use undertone_core::refusal::Reason;
use undertone_core::routing::Origin;
use undertone_core::view::*;

impl World {
    /// Mia listens, Noor whispers, Olu has barged in: supervisions 1 to 3, and their seats.
    pub(crate) fn attended() -> (Self, [SeatId; 3]) {
        let mut world = Self::talking();
        world.join(1, "mia", Mode::Listen);
        world.join(2, "noor", Mode::Whisper);
        world.join(3, "olu", Mode::Barge);
        world.run_ms(1_000);
        let seats = [1, 2, 3].map(|n| world.seat(n));
        (world, seats)
    }

    pub(crate) fn request(&self) -> RequestId {
        RequestId(self.asked.len() as u64 + 1)
    }

    pub(crate) fn join(&mut self, n: u64, who: &str, mode: Mode) -> RequestId {
        let device = DeviceId::parse(&format!("{who}-phone")).unwrap();
        self.join_with(n, who, mode, LegKind::Sip { device }, &[], None)
    }

    /// By a browser's phone, asked for by an API key.
    pub(crate) fn join_by_key(&mut self, n: u64, who: &str, mode: Mode) -> RequestId {
        self.keyed = true;
        self.join_with(n, who, mode, LegKind::Phone, &[], None)
    }

    pub(crate) fn join_with(
        &mut self,
        n: u64,
        who: &str,
        mode: Mode,
        leg: LegKind,
        targets: &[SeatId],
        agent_after: Option<AgentAfter>,
    ) -> RequestId {
        let request = self.request();
        let answer_early = std::mem::take(&mut self.early);
        let dialled = std::mem::take(&mut self.dialled);
        let mut by = actor(who, &self.dir);
        if leg == LegKind::Phone && !std::mem::take(&mut self.keyed) {
            // From a page, which has signed in by no key.
            by.key = None;
        }
        self.feed(Input::Join(Box::new(Join {
            request,
            supervision: sup(n),
            by,
            leg,
            mode,
            targets: targets.to_vec(),
            alert: false,
            private: false,
            agent_after,
            reason: String::new(),
            follow: self.follows,
            extent: Extent::ThisCall,
            answer_early,
            arrived: dialled,
        })));
        request
    }

    pub(crate) fn change(
        &mut self,
        n: u64,
        who: &str,
        edit: impl FnOnce(&mut Change),
    ) -> RequestId {
        let request = self.request();
        let mut change = Change {
            request,
            supervision: sup(n),
            by: actor(who, &self.dir),
            mode: None,
            targets: None,
            alert: None,
            muted: None,
            agent_after: None,
            if_version: None,
        };
        edit(&mut change);
        self.feed(Input::Change(Box::new(change)));
        request
    }

    pub(crate) fn switch(&mut self, n: u64, who: &str, mode: Mode) -> RequestId {
        self.change(n, who, |change| change.mode = Some(mode))
    }

    pub(crate) fn take_over(&mut self, n: u64, who: &str, after: AgentAfter) -> RequestId {
        self.change(n, who, |change| {
            change.mode = Some(Mode::Takeover);
            change.agent_after = Some(after);
        })
    }

    pub(crate) fn act(&mut self, n: u64, who: &str, action: AgentAction) -> RequestId {
        let request = self.request();
        let by = actor(who, &self.dir);
        self.feed(Input::AgentAction { request, supervision: sup(n), by, action });
        request
    }

    pub(crate) fn leave(&mut self, n: u64, who: &str) -> RequestId {
        let request = self.request();
        let by = actor(who, &self.dir);
        self.feed(Input::Leave { request: Some(request), supervision: sup(n), by });
        request
    }

    pub(crate) fn hold(&mut self, who: &str) -> RequestId {
        let request = self.request();
        let by = actor(who, &self.dir);
        self.feed(Input::Hold { by, seat: None, request: Some(request) });
        request
    }

    pub(crate) fn resume(&mut self, who: &str) -> RequestId {
        let request = self.request();
        let by = actor(who, &self.dir);
        self.feed(Input::Resume { by, seat: None, request: Some(request) });
        request
    }

    /// The phone that is called at this seat names others to be called instead.
    pub(crate) fn sends_on(&mut self, seat: SeatId, phone: &str, to: &[&str]) {
        let by = Origin::Device(DeviceId::parse(&format!("{phone}-phone")).unwrap());
        let to = to.iter().map(|to| to.to_string()).collect();
        self.legs.remove(&seat);
        self.feed(Input::LegRedirected { seat, by, to, why: LegFailure::Unreachable });
    }

    /// The phone at this seat sends REFER.
    pub(crate) fn refer(&mut self, seat: SeatId, to: &str) -> ReferId {
        let refer = ReferId(self.refers.len() as u64 + 1);
        self.refers.insert(refer, (seat, Vec::new()));
        let (by, to) = (TransferBy::Phone { seat, refer }, to.to_owned());
        self.feed(Input::TransferAsked(Box::new(TransferAsked { by, to })));
        refer
    }

    /// The phone at this seat sends REFER with a Replaces of its seat on the other call.
    pub(crate) fn refer_to_join(&mut self, seat: SeatId, there: SeatId, other: &World) -> ReferId {
        let refer = ReferId(self.refers.len() as u64 + 1);
        self.refers.insert(refer, (seat, Vec::new()));
        let other = Ok(other.call.other(other.now(), there));
        self.feed(Input::MergeAsked(Box::new(MergeAsked { seat, refer, other })));
        refer
    }

    /// What the sender of this REFER was told.
    pub(crate) fn told(&self, refer: ReferId) -> Vec<Said> {
        self.refers[&refer].1.clone()
    }

    pub(crate) fn transfer(&mut self, who: &str, party: Option<SeatId>, to: &str) -> RequestId {
        let request = self.request();
        let by = TransferBy::Desk { by: actor(who, &self.dir), party, request };
        let to = to.to_owned();
        self.feed(Input::TransferAsked(Box::new(TransferAsked { by, to })));
        request
    }

    pub(crate) fn agent_phone(&mut self, holds: bool) {
        self.feed(Input::LegDirection { seat: AGENT, sends: !holds, receives: !holds });
    }

    pub(crate) fn leg_ends(&mut self, seat: SeatId, cause: LegEnd) {
        self.feed(Input::LegEnded { seat, cause });
    }

    /// The one answer that was given, or None while there is none.
    pub(crate) fn answer(&self, request: RequestId) -> Option<&Answer> {
        self.replies.get(&request).map(|answers| &answers[0])
    }

    pub(crate) fn granted(&self, request: RequestId) -> SupervisionView {
        match self.answer(request) {
            Some(Ok(Reply::Supervision(view))) => (**view).clone(),
            other => panic!("{other:?}\n{}", self.log.join("\n")),
        }
    }

    pub(crate) fn refused(&self, request: RequestId) -> Vec<Reason> {
        match self.answer(request) {
            Some(Err(refusal)) => refusal.reasons.clone(),
            other => panic!("{other:?}\n{}", self.log.join("\n")),
        }
    }

    /// Codes of all rows about supervisions, with `!` before those refused.
    pub(crate) fn written(&self) -> Vec<String> {
        let text = |entry: &AuditEntry| match entry.outcome {
            Outcome::Allowed => entry.what.clone(),
            Outcome::Refused(_) => format!("!{}", entry.what),
        };
        self.rows.values().map(text).collect()
    }
}
