//! The rules by example, then random packets and descriptions against a shadow that keeps the
//! whole history and looks every question up in it.

use super::*;
use proptest::prelude::*;

const PHONE: &str = "10.0.0.1:4000";
/// The same phone as its NAT shows it, and where its signalling comes from.
const NAT: &str = "192.0.2.7:31000";
const NAT_AGAIN: &str = "192.0.2.7:31999";
const STRANGER: &str = "198.51.100.9:4000";

fn addr(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

fn behind_nat() -> Learning {
    Learning::new(Mono(0), addr(PHONE), Some(addr(NAT).ip()), RTP_STEADY)
}

/// What the packet path does: the lock first, then the rest.
fn takes(learning: &mut Learning, ms: u64, from: &str, ssrc: u32, seq: u16) -> bool {
    let (now, from, claim) = (Mono::from_ms(ms), addr(from), Claim { ssrc, seq: Some(seq) });
    learning.is_locked_to(now, from, claim) || learning.weigh(now, from, claim)
}

fn locked_behind_nat() -> Learning {
    let mut learning = behind_nat();
    for seq in 1..=3 {
        assert!(takes(&mut learning, u64::from(seq) * 20, NAT, 7, seq));
    }
    assert_eq!(learning.target(), Some(addr(NAT)));
    learning
}

#[test]
fn three_packets_in_a_row_lock_and_only_then_ours_go_there() {
    let mut learning = behind_nat();
    for seq in 1..=2 {
        assert!(takes(&mut learning, 0, NAT, 7, seq), "packet {seq} is heard at once");
        assert_eq!(learning.target(), Some(addr(PHONE)), "not confirmed yet");
    }
    assert!(takes(&mut learning, 0, NAT, 7, 3));
    assert_eq!(learning.target(), Some(addr(NAT)));
    for (from, ssrc) in [(NAT_AGAIN, 8), (PHONE, 7), (NAT, 8), (STRANGER, 7)] {
        assert!(!takes(&mut learning, 60, from, ssrc, 4), "{from} {ssrc}");
    }
}

#[test]
fn a_strange_host_is_never_learnt_however_it_begins() {
    let mut learning = behind_nat();
    for seq in 0..100 {
        assert!(!takes(&mut learning, u64::from(seq) * 20, STRANGER, 7, seq));
    }
    assert_eq!(learning.target(), Some(addr(PHONE)));
    locked_behind_nat();
}

#[test]
fn five_packets_of_quarrelling_sources_are_the_most_that_is_taken_before_the_lock() {
    let mut learning = behind_nat();
    let mut taken = 0;
    for n in 0..50u16 {
        let from = format!("192.0.2.7:{}", 31_000 + n);
        taken += u32::from(takes(&mut learning, 0, &from, u32::from(n), n));
    }
    assert_eq!(taken, 5);
    assert_eq!(learning.target(), Some(addr("192.0.2.7:31004")), "the fifth one locked");
}

#[test]
fn the_address_of_the_description_is_not_outvoted_by_its_neighbours() {
    let mut learning = behind_nat();
    assert!(takes(&mut learning, 0, PHONE, 7, 1));
    for seq in 0..10 {
        assert!(!takes(&mut learning, 0, "10.0.0.1:4002", 9, seq));
    }
    assert!(takes(&mut learning, 20, PHONE, 7, 2));
    assert!(takes(&mut learning, 40, PHONE, 7, 3));
    assert_eq!(learning.target(), Some(addr(PHONE)));
}

#[test]
fn a_nat_that_gives_another_port_is_followed_by_ssrc_and_sequence() {
    let mut learning = locked_behind_nat();
    assert!(!takes(&mut learning, 80, NAT_AGAIN, 7, 60), "not before a row of three");
    assert!(!takes(&mut learning, 100, NAT_AGAIN, 7, 61));
    assert_eq!(learning.target(), Some(addr(NAT)));
    assert!(takes(&mut learning, 120, NAT_AGAIN, 7, 62));
    assert_eq!(learning.target(), Some(addr(NAT_AGAIN)));
    assert!(!takes(&mut learning, 140, NAT, 7, 63), "one alone is not the phone");
}

#[test]
fn neither_another_ssrc_nor_an_old_sequence_nor_another_host_moves_a_leg() {
    for (from, ssrc, first) in [(NAT_AGAIN, 8, 4), (NAT_AGAIN, 7, 60_000), (STRANGER, 7, 4)] {
        let mut learning = locked_behind_nat();
        for n in 0..20 {
            assert!(!takes(&mut learning, 80, from, ssrc, first + n), "{from} {ssrc} {first}");
        }
        assert_eq!(learning.target(), Some(addr(NAT)));
    }
}

#[test]
fn the_host_of_the_description_alone_moves_nobody() {
    // It may be a private address that somebody else here has as well.
    let mut learning = locked_behind_nat();
    for n in 0..20 {
        assert!(!takes(&mut learning, 80, PHONE, 7, 4 + n));
    }
}

#[test]
fn another_ssrc_at_the_locked_address_waits_until_the_old_one_is_silent() {
    let mut learning = locked_behind_nat();
    for n in 0..20 {
        assert!(!takes(&mut learning, 100 + n, NAT, 8, n as u16), "the other still speaks");
    }
    for (n, heard) in [(0, false), (1, false), (2, true), (3, true)] {
        assert_eq!(takes(&mut learning, 600 + n * 20, NAT, 8, 100 + n as u16), heard, "{n}");
    }
    assert!(!takes(&mut learning, 700, NAT, 7, 90), "the old one is a stranger now");
}

#[test]
fn who_was_first_at_the_same_host_gives_the_leg_up_to_the_address_of_the_description() {
    let public = "198.51.100.77:4000";
    for (described, thief) in
        [(PHONE, "10.0.0.1:6666"), (public, "198.51.100.77:6666"), (public, NAT)]
    {
        let signalling = Some(addr(thief).ip());
        let mut learning = Learning::new(Mono(0), addr(described), signalling, RTP_STEADY);
        for seq in 1..=3 {
            assert!(takes(&mut learning, 0, thief, 6, seq));
        }
        assert_eq!(learning.target(), Some(addr(thief)));
        let heard = [1, 2, 3].map(|n| {
            let heard = takes(&mut learning, u64::from(n) * 20, described, 7, n);
            // It goes on all the while; of what it sends in between nothing is lost either.
            takes(&mut learning, u64::from(n) * 20, thief, 6, n + 3);
            heard
        });
        assert_eq!(heard, [false, false, true], "{thief} before {described}");
        assert_eq!(learning.target(), Some(addr(described)));
        for n in 0..20 {
            assert!(!takes(&mut learning, 80, thief, 6, 7 + n), "and has it for good");
        }
    }
}

#[test]
fn a_lock_that_has_gone_silent_is_given_to_who_might_have_been_learnt() {
    for from in [NAT_AGAIN, "10.0.0.1:4002"] {
        let mut learning = locked_behind_nat();
        for n in 0..20 {
            assert!(!takes(&mut learning, 100 + n, from, 8, n as u16), "not while it is heard");
        }
        for (n, heard) in [(0, false), (1, false), (2, true)] {
            assert_eq!(takes(&mut learning, 600 + n * 20, from, 8, 100 + n as u16), heard);
        }
        assert_eq!(learning.target(), Some(addr(from)));
    }
    let mut learning = locked_behind_nat();
    for n in 0..20 {
        assert!(!takes(&mut learning, 900, STRANGER, 8, n));
    }
}

#[test]
fn a_description_with_another_address_begins_anew() {
    let mut learning = locked_behind_nat();
    learning.described(Mono::from_ms(100), addr("10.0.0.9:5000"));
    assert_eq!(learning.target(), Some(addr("10.0.0.9:5000")));
    assert!(takes(&mut learning, 120, NAT, 9, 1), "its NAT's host is heard again");
    assert!(takes(&mut learning, 140, NAT, 9, 2));
    assert!(takes(&mut learning, 160, NAT, 9, 3));
    assert_eq!(learning.target(), Some(addr(NAT)));
}

#[test]
fn a_description_with_the_same_address_keeps_the_lock_and_may_learn_another() {
    let mut learning = locked_behind_nat();
    learning.described(Mono::from_ms(100), addr(PHONE));
    assert_eq!(learning.target(), Some(addr(NAT)), "who is on hold sends nothing to learn from");
    assert!(takes(&mut learning, 120, NAT, 7, 5), "what the phone had under way");
    for seq in 1..=3 {
        assert!(takes(&mut learning, 140, NAT_AGAIN, 9, seq), "its stream began anew elsewhere");
    }
    assert_eq!(learning.target(), Some(addr(NAT_AGAIN)));
}

#[test]
fn who_goes_on_as_before_after_a_new_description_stays_the_only_one() {
    let mut learning = locked_behind_nat();
    learning.described(Mono::from_ms(100), addr(PHONE));
    assert!(takes(&mut learning, 1_200, NAT, 7, 60));
    assert!(!takes(&mut learning, 1_210, NAT_AGAIN, 9, 1));
}

#[test]
fn zeros_in_a_description_are_nowhere_and_change_nothing() {
    let mut learning = locked_behind_nat();
    learning.described(Mono::from_ms(100), addr("0.0.0.0:4000"));
    assert_eq!(learning.target(), Some(addr(NAT)));
    let held = Learning::new(Mono(0), addr("0.0.0.0:4000"), None, RTP_STEADY);
    assert_eq!(held.target(), None, "an address of zeros would be ourselves");
}

#[test]
fn signalling_from_a_new_place_makes_that_place_the_nats() {
    let mut learning = locked_behind_nat();
    learning.signalled_from(addr(STRANGER).ip());
    learning.described(Mono::from_ms(100), addr("10.1.1.1:7000"));
    for seq in 1..=3 {
        assert!(takes(&mut learning, 120, STRANGER, 7, seq));
        assert!(!takes(&mut learning, 120, NAT, 7, seq + 10), "the old place is a stranger's");
    }
    assert_eq!(learning.target(), Some(addr(STRANGER)));
}

#[test]
fn rtcp_is_learnt_by_one_packet() {
    let mut learning = Learning::new(Mono(0), addr(PHONE), Some(addr(NAT).ip()), RTCP_STEADY);
    let claim = Claim { ssrc: 7, seq: None };
    assert!(!learning.weigh(Mono(0), addr(STRANGER), claim));
    assert!(learning.weigh(Mono(0), addr(NAT), claim));
    assert_eq!(learning.target(), Some(addr(NAT)));
    assert!(!learning.weigh(Mono(0), addr(NAT_AGAIN), Claim { ssrc: 8, seq: None }));
    assert!(learning.weigh(Mono(0), addr(NAT_AGAIN), claim), "the same SSRC has moved");
}

/// Everything that happened since the leg began. Each answer is looked up in it, by the words of
/// the rule and not by the code's states.
#[derive(Default)]
struct Shadow {
    signalling: Option<IpAddr>,
    described: Vec<(u64, SocketAddr)>,
    /// Time, source, SSRC, sequence, and whether it was taken.
    packets: Vec<(u64, SocketAddr, u32, u16, bool)>,
    /// Sources that became the leg's, with the number of packets before.
    locks: Vec<(usize, SocketAddr, u32)>,
    /// Packets seen when the last description came.
    since: usize,
    /// Locks that a description with another address made void.
    void: usize,
}

impl Shadow {
    fn lock(&self) -> Option<(SocketAddr, u32)> {
        self.locks.get(self.void..)?.last().map(|(_, from, ssrc)| (*from, *ssrc))
    }

    fn of_lock(&self) -> impl DoubleEndedIterator<Item = &(u64, SocketAddr, u32, u16, bool)> {
        let lock = self.lock();
        self.packets.iter().filter(move |p| p.4 && Some((p.1, p.2)) == lock)
    }

    fn host_fits(&self, from: SocketAddr) -> bool {
        let described = self.described.last().map(|(_, a)| a.ip());
        Some(from.ip()) == described || Some(from.ip()) == self.signalling
    }

    /// Says whether a packet may be taken; the count of those taken without a lock is kept apart.
    fn may_take(&self, ms: u64, from: SocketAddr, ssrc: u32, seq: u16) -> bool {
        let Some((at, of)) = self.lock() else { return self.host_fits(from) };
        if (from, ssrc) == (at, of) {
            return true;
        }
        let last = self.of_lock().next_back();
        let silent = last.is_none_or(|p| ms - p.0 >= 500);
        let ahead = last.is_none_or(|p| (1..=3_000).contains(&seq.wrapping_sub(p.3)));
        let moved = ssrc == of && Some(from.ip()) == self.signalling && ahead;
        let renewed = from == at && silent;
        let reopened = self.locks.last().is_some_and(|(when, ..)| *when <= self.since);
        let described = self.described.last().map(|(_, a)| *a);
        let there = described.is_some_and(|a| a.ip() == at.ip() || a.ip() != addr(PHONE).ip());
        let regained = Some(from) == described && there;
        let free = reopened || silent;
        moved || renewed || regained || (free && self.host_fits(from))
    }
}

#[derive(Clone, Debug)]
enum Step {
    Packet { after_ms: u64, from: usize, ssrc: u32, ahead: u16 },
    Describe { to: usize },
}

fn places() -> [SocketAddr; 6] {
    [PHONE, "10.0.0.1:4002", NAT, NAT_AGAIN, STRANGER, "198.51.100.9:4002"].map(addr)
}

fn step() -> impl Strategy<Value = Step> {
    let packet = (0u64..700, 0usize..6, 0u32..3, prop_oneof![8 => 1u16..4, 1 => 0u16..60_000]);
    prop_oneof![
        20 => packet.prop_map(|(after_ms, from, ssrc, ahead)| {
            let after_ms = if after_ms < 600 { after_ms / 30 } else { after_ms };
            Step::Packet { after_ms, from, ssrc, ahead }
        }),
        1 => (0usize..2).prop_map(|to| Step::Describe { to }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn whatever_comes_the_shadow_agrees(steps in proptest::collection::vec(step(), 1..120)) {
        let places = places();
        let mut learning = behind_nat();
        let mut shadow = Shadow {
            signalling: Some(addr(NAT).ip()),
            described: vec![(0, addr(PHONE))],
            ..Shadow::default()
        };
        let (mut ms, mut seq, mut unlocked) = (0, 0u16, 0);
        for step in steps {
            match step {
                Step::Describe { to } => {
                    let differs = shadow.described.last().is_some_and(|(_, a)| *a != places[to]);
                    learning.described(Mono::from_ms(ms), places[to]);
                    shadow.described.push((ms, places[to]));
                    (shadow.since, unlocked) = (shadow.packets.len(), 0);
                    if differs {
                        shadow.void = shadow.locks.len();
                        prop_assert_eq!(learning.target(), Some(places[to]));
                    }
                }
                Step::Packet { after_ms, from, ssrc, ahead } => {
                    ms += after_ms;
                    seq = seq.wrapping_add(ahead);
                    let from = places[from];
                    let (now, claim) = (Mono::from_ms(ms), Claim { ssrc, seq: Some(seq) });
                    let was_locked = shadow.lock() == Some((from, ssrc));
                    let by_lock = learning.is_locked_to(now, from, claim);
                    prop_assert_eq!(by_lock, was_locked);
                    let before = learning.target();
                    let taken = by_lock || learning.weigh(now, from, claim);
                    prop_assert!(!taken || shadow.may_take(ms, from, ssrc, seq));
                    shadow.packets.push((ms, from, ssrc, seq, taken));
                    let now_locked = learning.lock.map(|l| (l.from, l.claim.ssrc));
                    let locked = now_locked == Some((from, ssrc));
                    if taken && !was_locked {
                        unlocked += 1;
                        prop_assert!(unlocked <= 5 || locked, "more than five were let in");
                    }
                    if taken && locked && !was_locked {
                        shadow.locks.push((shadow.packets.len(), from, ssrc));
                        unlocked = 0;
                    }
                    // Ours go where they went, or to the source that this packet locked.
                    let target = learning.target();
                    prop_assert!(target == before || (locked && target == Some(from)));
                    prop_assert_ne!(target.map(|t| t.ip()), Some(addr(STRANGER).ip()));
                }
            }
        }
    }
}
