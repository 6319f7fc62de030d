//! What a telephone dials and presses, as wishes.

use undertone_core::codes::{DigitWay, KeyWish, Keypad, OneWay, TappingCodes};
use undertone_core::time::Mono;
use undertone_core::view::Mode::{self, Barge, Listen, Takeover, Whisper};

fn on() -> TappingCodes {
    TappingCodes { on: true, ..TappingCodes::default() }
}

#[test]
fn a_code_and_an_extension_are_a_mode_and_an_agent() {
    let codes = on();
    for (code, mode) in [("*80", Listen), ("*81", Whisper), ("*82", Barge), ("*83", Takeover)] {
        assert_eq!(codes.dialled(&format!("{code}1001")), Some((mode, "1001")));
        assert_eq!(codes.dialled(code), Some((mode, "")), "nobody's extension, and still a code");
    }
    let too_long = format!("*80{}", "1".repeat(33));
    for other in ["1001", "80", "*84", "*801001x", "*80*1", "**80", "", too_long.as_str()] {
        assert_eq!(codes.dialled(other), None, "{other}");
    }
    assert_eq!(TappingCodes::default().dialled("*801001"), None, "off until turned on");
}

#[test]
fn codes_that_could_not_be_dialled_apart_are_a_fault() {
    assert_eq!(on().fault(), None);
    let with = |listen: &str| TappingCodes { listen: listen.into(), ..on() };
    for bad in ["80", "*", "", "*8", "*81", "*8x", "*81234567", "*80 "] {
        assert!(with(bad).fault().is_some(), "{bad}");
    }
    assert_eq!(with("#9").fault(), None);
}

fn press(mode: Mode, keys: &[(u64, char)]) -> Vec<Option<KeyWish>> {
    let mut keypad = Keypad::default();
    keys.iter().map(|(ms, key)| keypad.press(Mono::from_ms(*ms), *key, mode)).collect()
}

#[test]
fn keys_and_star_keys_are_modes_and_hand_back() {
    let wishes = [
        ('4', KeyWish::Mode(Listen)),
        ('5', KeyWish::Mode(Whisper)),
        ('6', KeyWish::Mode(Barge)),
        ('7', KeyWish::HandBack),
    ];
    for (key, wish) in wishes {
        assert_eq!(press(Listen, &[(0, key)]), [Some(wish)]);
        assert_eq!(press(Whisper, &[(0, '*'), (900, key)]), [None, Some(wish)]);
        assert_eq!(press(Takeover, &[(0, key)]), [None], "meant for the far end");
        assert_eq!(press(Takeover, &[(0, '*'), (900, key)]), [None, Some(wish)]);
    }
    for key in "012389#ABCD".chars() {
        assert_eq!(press(Barge, &[(0, key), (1, '*'), (2, key)]), [None; 3], "{key}");
    }
}

#[test]
fn a_star_counts_for_three_seconds_and_for_one_key() {
    assert_eq!(press(Takeover, &[(0, '*'), (3_001, '7')]), [None, None]);
    let once = press(Takeover, &[(0, '*'), (10, '9'), (20, '7')]);
    assert_eq!(once, [None, None, None]);
    let twice = press(Takeover, &[(0, '*'), (2_900, '*'), (3_100, '7')]);
    assert_eq!(twice, [None, None, Some(KeyWish::HandBack)]);
}

#[test]
fn a_digit_that_comes_both_ways_counts_once_whichever_way_is_first() {
    for (first, second) in [(DigitWay::Event, DigitWay::Info), (DigitWay::Info, DigitWay::Event)] {
        let mut ear = OneWay::default();
        let mut at = |ms, way| ear.counts(Mono::from_ms(ms), way);
        assert!(at(0, first) && !at(20, second));
        assert!(!at(500, second), "the other way overtakes");
        assert!(at(520, first), "and still it is the first way that counts");
        assert!(!at(32_520, second), "an INFO may be repeated for so long");
        assert!(at(32_521, second), "a telephone that changed its way is heard in the end");
        assert!(!at(32_600, first));
    }
}
