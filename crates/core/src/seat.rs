//! Seats: each party's place on a call, as plain facts. `hearing.rs` and `never.rs` both read
//! these and share nothing else, so this file holds data and no judgement of who hears whom.
//!
//! It knows no names, devices or rights: those are the call's.

use crate::id::{SeatId, TapId};
use crate::view::{Mode, Role};
use std::collections::BTreeSet;

/// A consult or an aside is another room of the same call. Nothing is heard across rooms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Room(pub u16);

impl Room {
    /// Where a call starts.
    pub const MAIN: Room = Room(0);
    /// Where those wait who transferred, until the new party is there.
    pub const ASIDE: Room = Room(u16::MAX);
}

/// Who set a hold or a mute. Each setter removes only their own mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mark {
    /// A party of this call: from the phone, the console, or by taking over.
    Seat(SeatId),
    /// An API key that holds no seat here.
    Api,
}

/// What a seat is on the call. Fixed at creation, save for a supervisor's mode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    Customer,
    Agent,
    Supervisor(Supervising),
}

/// How a supervisor attends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Supervising {
    pub mode: Mode,
    /// Whom a whisper is for; read in whisper only. A target that is no agent hears nothing.
    pub targets: BTreeSet<SeatId>,
    /// Not shown to other supervisors, who therefore do not hear this one's whisper either.
    pub private: bool,
}

/// What a leg's sound is worth before the call is answered: an announcement or a ringback of a
/// network that was called, to the caller alone, and nothing back (RFC 3960 section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Early {
    /// The called leg: it is in the bridge, unanswered.
    Heard,
    /// The caller's: it is in the bridge, told of in a 183, or answered before the other is.
    Hears,
}

/// One party's place on a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seat {
    pub id: SeatId,
    pub part: Part,
    pub room: Room,
    /// The leg is answered and in the bridge. A seat that is not has no edge, but for `early`.
    pub connected: bool,
    /// Read while it is not connected. A supervisor has none.
    pub early: Option<Early>,
    /// Held while anybody's mark is here.
    pub held_by: BTreeSet<Mark>,
    /// Muted while anybody's mark is here.
    pub muted_by: BTreeSet<Mark>,
    /// Hears all, heard by none while anybody's mark is here: an agent whom a takeover with
    /// `agent_after: listening` put aside.
    pub listening_by: BTreeSet<Mark>,
    /// Its phone sends sound, by the direction negotiated for its leg.
    pub sends: bool,
    /// Its phone takes sound, by the direction negotiated for its leg.
    pub receives: bool,
    /// Hands the customer over to this seat: at takeover the agent to the supervisor, at
    /// hand-back the supervisor to the agent. Its voice to a customer lasts until the other's
    /// opens there. Set with the change; cleared, with the change's lasting flags
    /// (`agent_after`, or the mode listen) set instead, at `GuardPassed` of the other's edge.
    pub gives_way_to: Option<SeatId>,
}

impl Seat {
    /// A party free to speak and hear in the main room, its leg not yet connected.
    pub fn new(id: SeatId, part: Part) -> Self {
        Self {
            id,
            part,
            room: Room::MAIN,
            connected: false,
            early: None,
            held_by: BTreeSet::new(),
            muted_by: BTreeSet::new(),
            listening_by: BTreeSet::new(),
            sends: true,
            receives: true,
            gives_way_to: None,
        }
    }

    pub fn role(&self) -> Role {
        match self.part {
            Part::Customer => Role::Customer,
            Part::Agent => Role::Agent,
            Part::Supervisor(_) => Role::Supervisor,
        }
    }

    /// Forgets a seat that left the call, was removed or was replaced by a takeover: whatever it
    /// set here goes with it. True if anything changed.
    pub fn forget_marks_of(&mut self, gone: SeatId) -> bool {
        let held = self.held_by.remove(&Mark::Seat(gone));
        let muted = self.muted_by.remove(&Mark::Seat(gone));
        let listening = self.listening_by.remove(&Mark::Seat(gone));
        held || muted || listening
    }
}

/// A listener that is no party.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TapSeat {
    pub id: TapId,
    pub hears: TapRow,
}

/// What a tap takes. No tap takes telephone events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TapRow {
    /// A live stream (`leg: stream`): what a supervisor hears who listens in this room.
    Listen(Room),
    /// One party's own voice, before mixing. A supervisor's only in barge and takeover.
    Track(SeatId),
    /// One supervisor's voice in whisper, and nothing else.
    Whisper(SeatId),
}

/// The sounds that a plan may name, each a source in the bridge.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sounds {
    /// `Source::Music` of this number is the call's hold treatment.
    pub music: u32,
    /// Coaching beeps now sounding: the coached agent and the number of the `Source::Tone`.
    pub beeps: Vec<(SeatId, u32)>,
    /// Announcements now playing: to whom, and the number of the `Source::Prompt`. While one
    /// plays to a party that would hear hold treatment, it stands in for the music.
    pub prompts: Vec<(SeatId, u32)>,
}
