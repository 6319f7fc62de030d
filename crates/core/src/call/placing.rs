//! Where a new party is called: core judges first who may ask, then the exchange finds a place and
//! counts it as the seat's, then core judges whom it found. A seat gives back what was counted for
//! it when it is let go, so that nobody's channels and caps are used up by what never came to be.
//!
//! ```text
//!  asked, may ask ──Place──▶ Placed ──fits──▶ dialled ──▶ … ──▶ the seat is let go: GiveBack
//!                              └── does not, or nobody waits any more: GiveBack, unused
//! ```

use super::Call;
use super::effect::Effect;
use super::input::{LegFailure, NewParty, TransferAsked, TransferBy};
use super::turn::{Due, Turn};
use crate::id::SeatId;
use crate::refusal::{Reason, Refusal};
use crate::routing::Origin;
use crate::traffic::PlaceAsked;
use crate::view::Role;

/// How long the exchange may take to say where a number leads.
const PLACE_MS: u64 = 2_000;

/// What a place is asked for.
#[derive(Clone, Debug)]
pub(super) enum Placing {
    /// A seat that is there when its party is found.
    Transfer(TransferAsked),
    /// A seat whose phone named others.
    Redirect { by: Origin, why: LegFailure },
}

impl Call {
    pub(super) fn place(&mut self, turn: &mut Turn, wish: PlaceAsked, what: Placing) {
        self.placing.insert(wish.seat, what);
        self.start_timer(turn, Due::Place(wish.seat), PLACE_MS);
        turn.out.push(Effect::Place(Box::new(wish)));
    }

    pub(super) fn placed(
        &mut self,
        turn: &mut Turn,
        seat: SeatId,
        found: Result<NewParty, Refusal>,
    ) {
        self.stop_timer(turn, &Due::Place(seat));
        let taken = found.is_ok();
        let used = match self.placing.remove(&seat) {
            Some(Placing::Transfer(mut asked)) => {
                if let TransferBy::Desk { by, .. } = &mut asked.by {
                    turn.dir.restrict(by);
                }
                self.transfer_placed(turn, seat, asked, found)
            }
            Some(Placing::Redirect { by, why }) => {
                self.redirect_placed(turn, seat, &by, found, why)
            }
            None => false,
        };
        if taken && !used {
            turn.out.push(Effect::GiveBack { seat, unused: true });
        }
    }

    pub(super) fn not_placed(&mut self, turn: &mut Turn, seat: SeatId) {
        self.placed(turn, seat, Err(Refusal::because(Reason::Overloaded)));
    }

    /// Nobody waits for it any more; what is found all the same is given back.
    pub(super) fn forget_placing(&mut self, turn: &mut Turn, seat: SeatId) {
        if self.placing.remove(&seat).is_some() {
            self.stop_timer(turn, &Due::Place(seat));
        }
    }

    pub(super) fn places_a_transfer(&self) -> bool {
        self.placing.values().any(|what| matches!(what, Placing::Transfer(_)))
    }

    /// The call is over: who asked for a transfer is told so.
    pub(super) fn placing_is_over(&mut self, turn: &mut Turn) {
        for (_, what) in std::mem::take(&mut self.placing) {
            if let Placing::Transfer(asked) = what {
                let ended = Refusal::because(Reason::CallEnded);
                self.refuse_transfer(turn, &asked, &ended);
            }
        }
    }

    /// As if the asker's own telephone had dialled it; for who has none at a desk, the agent's
    /// who is on the call. One behind a trunk may send nobody on.
    pub(super) fn origin_of(&self, turn: &Turn, by: &TransferBy) -> Result<Origin, Refusal> {
        let (device, no) = match by {
            TransferBy::Phone { seat, .. } => (self.device_at(*seat), Reason::NotAllowed),
            TransferBy::Desk { by, .. } => {
                let agents = self.up(Role::Agent).filter_map(|p| p.person.as_ref());
                let mut people = std::iter::once(&by.person).chain(agents);
                let own = people.find_map(|person| turn.dir.devices_of(person).next());
                (own.map(|device| device.id.clone()), Reason::OutboundDenied)
            }
        };
        device.map(Origin::Device).ok_or_else(|| Refusal::because(no))
    }

    /// In whose name this seat is called: number and name.
    pub(super) fn called_as(&self, seat: SeatId) -> (String, String) {
        let from = match &self.transfer {
            _ if self.supervision_at(seat).is_some() => self.parties.get(&Self::CALLER),
            Some(transfer) if self.is_called(seat) => {
                self.ends_up().find(|party| !transfer.leaving.contains(&party.id()))
            }
            _ => {
                let other = if seat == Self::CALLEE { Self::CALLER } else { Self::CALLEE };
                self.parties.get(&other)
            }
        };
        from.map(|party| (party.number.clone(), party.name.clone())).unwrap_or_default()
    }
}
