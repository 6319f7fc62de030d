//! PINs: what is one, how it is typed, how often it may be guessed.

use undertone_core::id::{DeviceId, PersonId, TrunkId};
use undertone_core::pin::{Guesses, Pin, PinAsked, Typing};
use undertone_core::routing::Origin;
use undertone_core::time::Mono;

const MINUTE_MS: u64 = 60_000;

fn person(id: &str) -> PersonId {
    PersonId::parse(id).unwrap()
}

fn desk() -> Origin {
    Origin::Device(DeviceId::parse("mia-desk").unwrap())
}

fn pbx() -> Origin {
    Origin::Trunk(TrunkId::parse("pbx").unwrap())
}

#[test]
fn a_pin_is_six_to_twelve_digits_that_are_not_the_first_to_be_guessed() {
    for good in ["493827", "112233", "123457", "100000", "493827493827"] {
        assert_eq!(Pin::parse(good).unwrap().digits(), good);
    }
    for bad in ["", "49382", "4938274938271", "49382x", "49 827", "555555", "123456", "876543"] {
        assert!(Pin::parse(bad).is_err(), "{bad}");
    }
    assert!(!format!("{:?}", Pin::parse("493827")).contains("493827"));
}

#[test]
fn who_is_asked_goes_by_where_the_call_came_from() {
    let asked = |asked: PinAsked| (asked.of(&desk()), asked.of(&pbx()));
    assert_eq!(asked(PinAsked::Never), (false, false));
    assert_eq!(asked(PinAsked::BehindTrunk), (false, true));
    assert_eq!(asked(PinAsked::Always), (true, true));
    assert_eq!(PinAsked::default(), PinAsked::BehindTrunk, "a trunk's word alone is not enough");
    for asked in PinAsked::ALL {
        assert_eq!(PinAsked::parse(asked.code()), Some(asked));
    }
}

fn typed(keys: &str) -> (bool, Option<String>) {
    let mut typing = Typing::default();
    let last = keys.chars().map(|key| typing.press(key)).last().unwrap_or(false);
    (last, typing.done().map(|pin| pin.digits().to_owned()))
}

#[test]
fn a_hash_ends_it_a_star_begins_again_and_twelve_digits_are_enough() {
    assert_eq!(typed("493827#"), (true, Some("493827".into())));
    assert_eq!(typed("493827"), (false, Some("493827".into())), "a pause ends it too");
    assert_eq!(typed("11*493827#"), (true, Some("493827".into())));
    assert_eq!(typed("4938A27#"), (true, Some("493827".into())));
    assert_eq!(typed("493827493827"), (true, Some("493827493827".into())));
    assert_eq!(typed("4938#"), (true, None));
    assert_eq!(typed("#"), (true, None));
}

#[test]
fn ten_wrong_ones_lock_and_the_right_one_is_not_even_tried() {
    let (mut guesses, mia) = (Guesses::default(), person("mia"));
    for n in 0..10 {
        assert!(!guesses.is_locked(Mono::from_ms(n), &mia, &desk()), "{n}");
        assert!(guesses.try_one(Mono::from_ms(n), &mia, &desk()), "{n}");
    }
    assert!(guesses.is_locked(Mono::from_ms(10), &mia, &desk()));
    assert!(!guesses.try_one(Mono::from_ms(10), &mia, &desk()));
    let later = Mono::from_ms(30 * MINUTE_MS);
    assert!(!guesses.try_one(later, &mia, &desk()), "since the last of them");
    let after = Mono::from_ms(30 * MINUTE_MS + 10);
    assert!(guesses.try_one(after, &mia, &desk()) && !guesses.is_locked(after, &mia, &desk()));
}

#[test]
fn who_guesses_elsewhere_locks_out_nobody_here() {
    let (mut guesses, mia) = (Guesses::default(), person("mia"));
    for n in 0..10 {
        assert!(guesses.try_one(Mono::from_ms(n), &mia, &pbx()));
    }
    assert!(guesses.is_locked(Mono::from_ms(10), &mia, &pbx()));
    assert!(!guesses.is_locked(Mono::from_ms(10), &mia, &desk()));
    assert!(!guesses.is_locked(Mono::from_ms(10), &person("bo"), &pbx()));
}

#[test]
fn the_right_pin_and_half_an_hour_forget_what_was_wrong_before() {
    let (mut guesses, mia) = (Guesses::default(), person("mia"));
    let mut tries = |from: u64, count: u64| {
        (0..count).all(|n| guesses.try_one(Mono::from_ms(from + n), &mia, &desk()))
    };
    assert!(tries(0, 9) && tries(31 * MINUTE_MS, 9), "the first nine are forgotten");
    guesses.right(&mia, &desk());
    let at = Mono::from_ms(32 * MINUTE_MS);
    assert!((0..10).all(|_| guesses.try_one(at, &mia, &desk())));
    assert!(!guesses.try_one(at, &mia, &desk()));
}

#[test]
fn the_table_of_guesses_is_bounded_and_when_full_denies_whom_it_does_not_know() {
    let mut guesses = Guesses::default();
    let one = |n: u32| person(&format!("p{n}"));
    assert!((0..10_000).all(|n| guesses.try_one(Mono::from_ms(1), &one(n), &desk())));
    assert!(!guesses.try_one(Mono::from_ms(2), &person("mia"), &desk()));
    assert!(guesses.try_one(Mono::from_ms(2), &one(7), &desk()), "who is in it goes on");
    let later = Mono::from_ms(31 * MINUTE_MS);
    assert!(guesses.try_one(later, &person("mia"), &desk()), "what is past makes room");
}
