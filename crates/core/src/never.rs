//! Who must never hear whom: a second opinion on `hearing.rs`, written apart from it and sharing
//! the type `Seat` and nothing else. The media tests it at every output (invariant 3).
//!
//! It speaks in bans, ignorant of what is heard, of policy and of what was before; so it forbids
//! no more than what is wrong under every policy and in the midst of every change.

use crate::plan::{Listener, Never, Source};
use crate::seat::{Early, Mark, Part, Seat, Sounds, Supervising, TapRow, TapSeat};
use crate::view::Mode;
use std::collections::BTreeSet;

/// For each listener the sources that must not reach it, whatever the plan says.
pub fn never(seats: &[Seat], taps: &[TapSeat], sounds: &Sounds) -> Never {
    let mut bans = Never::new();
    for who in seats {
        let voices = seats.iter().filter(|from| voice_is_banned(who, from));
        let mut banned: BTreeSet<Source> = voices.map(|from| Source::Seat(from.id)).collect();
        for (coached, tone) in &sounds.beeps {
            // The same tone may sound to several agents at once.
            let theirs = sounds.beeps.contains(&(who.id, *tone));
            let fit = matches!(who.part, Part::Agent) && who.held_by.is_empty();
            if *coached != who.id && !theirs || !fit {
                banned.insert(Source::Tone(*tone));
            }
        }
        for (_, prompt) in &sounds.prompts {
            if !sounds.prompts.contains(&(who.id, *prompt)) {
                banned.insert(Source::Prompt(*prompt));
            }
        }
        bans.insert(Listener::Seat(who.id), banned);
    }
    for tap in taps {
        let voices = seats.iter().filter(|from| take_is_banned(tap, from));
        let mut banned: BTreeSet<Source> = voices.map(|from| Source::Seat(from.id)).collect();
        banned.insert(Source::Music(sounds.music));
        banned.extend(sounds.beeps.iter().map(|(_, tone)| Source::Tone(*tone)));
        banned.extend(sounds.prompts.iter().map(|(_, prompt)| Source::Prompt(*prompt)));
        bans.insert(Listener::Tap(tap.id), banned);
    }
    bans
}

fn voice_is_banned(who: &Seat, from: &Seat) -> bool {
    if who.id == from.id || who.room != from.room {
        return true;
    }
    if !marks(from).is_empty() || !who.held_by.is_empty() {
        return true;
    }
    if !from.connected || !who.connected {
        return !announces(from, who);
    }
    let Some(supervisor) = supervisor(from) else { return false };
    match supervisor.mode {
        Mode::Listen => true,
        Mode::Whisper => match &who.part {
            Part::Customer => true,
            Part::Agent => !supervisor.targets.iter().any(|t| *t == who.id),
            Part::Supervisor(_) => supervisor.private,
        },
        Mode::Barge | Mode::Takeover => false,
    }
}

fn take_is_banned(tap: &TapSeat, from: &Seat) -> bool {
    let mode = supervisor(from).map(|s| s.mode);
    if silenced(from) || mode == Some(Mode::Listen) {
        return true;
    }
    let whispers = mode == Some(Mode::Whisper);
    match tap.hears {
        TapRow::Listen(room) => {
            from.room != room || whispers && supervisor(from).is_some_and(|s| s.private)
        }
        // One party's own voice; a coach's words to an agent are in nobody's track.
        TapRow::Track(whose) => from.id != whose || whispers,
        TapRow::Whisper(whose) => from.id != whose || !whispers,
    }
}

/// Whom nobody may hear: no supervisor either, no recorder either.
fn silenced(from: &Seat) -> bool {
    !from.connected || !marks(from).is_empty()
}

/// All marks that take somebody's voice away.
fn marks(from: &Seat) -> Vec<Mark> {
    from.held_by.iter().chain(&from.muted_by).chain(&from.listening_by).copied().collect()
}

/// An unanswered call has one way only: the called, to whoever called. A supervisor is neither.
fn announces(from: &Seat, who: &Seat) -> bool {
    let ends = [(from, Early::Heard), (who, Early::Hears)];
    ends.iter().all(|(end, early)| {
        !end.connected && end.early == Some(*early) && supervisor(end).is_none()
    })
}

fn supervisor(seat: &Seat) -> Option<&Supervising> {
    if let Part::Supervisor(supervising) = &seat.part { Some(supervising) } else { None }
}
