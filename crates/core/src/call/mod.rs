//! One call: its two ends, its supervisors, and who may hear whom, as
//! `handle(now, Input, &Directory) -> Vec<Effect>`.

pub mod effect;
pub mod input;

pub use effect::{Answer, CallRecord, Effect, Reply};
pub use input::{
    Change, DialTarget, Input, Join, LegEnd, LegFailure, NewCall, NewParty, PartyLeg, RequestId,
    RowId, TapEnd, TimerId,
};

use crate::access::Actor;
use crate::directory::Directory;
use crate::id::{CallId, SeatId};
use crate::time::Now;
use crate::view::{Ability, CallView};

pub struct Call {
    id: CallId,
}

impl Call {
    pub const CALLER: SeatId = SeatId(1);
    pub const CALLEE: SeatId = SeatId(2);

    pub fn new(_now: Now, new: NewCall, _dir: &Directory) -> (Call, Vec<Effect>) {
        (Call { id: new.id }, Vec::new())
    }

    /// Total: any input in any order, also after the end.
    pub fn handle(&mut self, _now: Now, _input: Input, _dir: &Directory) -> Vec<Effect> {
        Vec::new()
    }

    pub fn id(&self) -> &CallId {
        &self.id
    }

    /// True once `Effect::Ended` has been given.
    pub fn is_over(&self) -> bool {
        false
    }

    pub fn view(&self, _now: Now) -> CallView {
        unimplemented!()
    }

    pub fn abilities(&self, _now: Now, _who: &Actor, _dir: &Directory) -> Vec<Ability> {
        Vec::new()
    }
}
