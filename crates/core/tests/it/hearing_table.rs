//! The golden table: one row a class of pairs, written by the oracle, compared with the committed
//! file and with `hearing`. `UNDERTONE_WRITE_GOLDEN=1` writes the file anew; nothing else does.

use crate::hearing_cast::{KINDS, in_room, part, put, seat};
use crate::hearing_oracle::{treated, word};
use std::fmt::Write as _;
use undertone_core::hearing::{Before, HearingPolicy, hearing};
use undertone_core::id::SeatId;
use undertone_core::plan::{HearingPlan, Listener, PlanVersion, Source};
use undertone_core::seat::{Seat, Sounds};

const HEARS_AS: [&str; 6] = ["free", "held", "muted", "listening", "deaf", "away"];
const SPEAKS_AS: [&str; 6] = ["free", "held", "muted", "listening", "mute", "away"];
const SPEAKERS: [&str; 9] = [
    "customer",
    "agent",
    "listen",
    "whisper_to_listener",
    "whisper_to_another",
    "whisper_private",
    "whisper_unshared",
    "barge",
    "takeover",
];
const COMPANY: [&str; 7] = ["nobody", "customer", "agent", "muted", "elsewhere", "barge", "listen"];

fn plan(seats: &[Seat], shared: bool) -> HearingPlan {
    let policy = HearingPolicy { supervisors_hear_each_other: shared };
    hearing(seats, &[], &Sounds::default(), &policy, &Before::default(), PlanVersion(1))
}

fn letter(voice: bool, digits: bool, banned: bool) -> char {
    match (voice, digits, banned) {
        (true, true, false) => 'D',
        (true, false, false) => 'v',
        (false, false, false) => '-',
        (false, false, true) => 'x',
        _ => '!', // both heard and banned, or digits without a voice
    }
}

fn of_oracle(seats: &[Seat], shared: bool) -> char {
    let w = word(seats, 0, 1, shared);
    letter(w.voice, w.digits, w.banned)
}

fn of_hearing(seats: &[Seat], shared: bool) -> char {
    let plan = plan(seats, shared);
    let (to, from) = (Listener::Seat(seats[0].id), Source::Seat(seats[1].id));
    let edge = plan.edges.iter().find(|e| e.listener == to && e.source == from);
    let (voice, digits) = edge.map_or((false, false), |e| (e.audio, e.events));
    letter(voice, digits, plan.never[&to].contains(&from))
}

fn speaker(name: &str) -> (Seat, bool) {
    let (kind, targets, private) = match name {
        "whisper_to_listener" => ("whisper", vec![1], false),
        "whisper_to_another" => ("whisper", vec![9], false),
        "whisper_private" => ("whisper", vec![1], true),
        "whisper_unshared" => ("whisper", vec![1], false),
        other => (other, vec![], false),
    };
    let mut speaker = seat(2, kind);
    speaker.part = part(kind, &targets, private);
    (speaker, name != "whisper_unshared")
}

/// Every class, each cell from `cell`; `music` says where hold treatment is due.
fn table(cell: fn(&[Seat], bool) -> char, music: fn(&[Seat]) -> bool) -> String {
    let mut out = String::from(
        "# Who hears whom: D voice and digits, v voice, - silent, x silent and banned (never).\n\
         # Cells: the speaker free, held, muted, listening only, leg not sending, away;\n\
         # first in the listener's room, then in another.\n",
    );
    for owner in [false, true] {
        let title = if owner { "with a takeover's owner in the room" } else { "the two alone" };
        writeln!(out, "\n## {title}").unwrap();
        for kind in KINDS {
            for hears_as in HEARS_AS {
                for name in SPEAKERS {
                    // An owner changes digits between the two ends only.
                    if owner
                        && !(["customer", "agent"].contains(&kind) && SPEAKERS[..2].contains(&name))
                    {
                        continue;
                    }
                    write!(out, "{kind:9} {hears_as:9} <- {name:19} ").unwrap();
                    for room in [0, 1] {
                        for speaks_as in SPEAKS_AS {
                            let (speaker, shared) = speaker(name);
                            let mut seats = vec![
                                put(seat(1, kind), hears_as),
                                in_room(put(speaker, speaks_as), room),
                            ];
                            seats.extend(owner.then(|| seat(3, "takeover")));
                            out.push(cell(&seats, shared));
                        }
                        out.push_str(if room == 0 { " | " } else { "\n" });
                    }
                }
            }
        }
    }
    writeln!(out, "\n## hold treatment, beside {}", COMPANY.join(", ")).unwrap();
    for kind in KINDS {
        for hears_as in HEARS_AS {
            write!(out, "{kind:9} {hears_as:9} ").unwrap();
            for company in COMPANY {
                let mut seats = vec![put(seat(1, kind), hears_as)];
                seats.extend(match company {
                    "nobody" => None,
                    "muted" => Some(put(seat(2, "agent"), "muted")),
                    "elsewhere" => Some(in_room(seat(2, "agent"), 1)),
                    kind => Some(seat(2, kind)),
                });
                out.push(if music(&seats) { 'M' } else { '-' });
            }
            out.push('\n');
        }
    }
    out
}

fn music_of_oracle(seats: &[Seat]) -> bool {
    treated(seats, 0, true)
}

/// Music that lasts until a guarded voice opens belongs to a change, not to this table.
fn music_of_hearing(seats: &[Seat]) -> bool {
    let to = Listener::Seat(SeatId(1));
    let plan = plan(seats, true);
    let mut music = plan.edges.iter().filter(|e| e.source == Source::Music(0));
    music.any(|e| e.listener == to && e.until.is_none())
}

#[test]
fn every_class_is_in_the_golden_table_as_the_oracle_and_hearing_say() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/golden/hearing.txt");
    let written = table(of_oracle, music_of_oracle);
    if std::env::var_os("UNDERTONE_WRITE_GOLDEN").is_some() {
        std::fs::write(path, &written).unwrap();
    }
    let committed = std::fs::read_to_string(path).expect("the golden table is committed");
    same(&committed, &written, "the oracle");
    same(&committed, &table(of_hearing, music_of_hearing), "hearing");
}

fn same(golden: &str, other: &str, who: &str) {
    let lines = golden.lines().zip(other.lines());
    let differing: Vec<_> = lines.filter(|(g, o)| g != o).take(8).collect();
    assert!(differing.is_empty(), "golden table (left) against {who}: {differing:#?}");
    assert_eq!(golden.lines().count(), other.lines().count(), "rows against {who}");
}
