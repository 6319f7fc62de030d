//! Each line in its plainest form, or refused; and a second reading changes nothing.

use proptest::prelude::*;

use super::{addresses, is_text, parameter, party, plain, request_line, target, via};

#[test]
fn spaces_at_separators_go() {
    let read = via("SIP  /   2.0 /UDP    192.0.2.2 : 5070 ; branch =  390skdjuw ; rport");
    assert_eq!(read.unwrap(), "SIP/2.0/UDP 192.0.2.2:5070;branch=390skdjuw;rport");
    let read = via("SIP/2.0/TCP [2001:db8::1]:5060;branch=a  , SIP/2.0/UDP h;maddr=x");
    assert_eq!(read.unwrap(), "SIP/2.0/TCP [2001:db8::1]:5060;branch=a, SIP/2.0/UDP h;maddr=x");
    let read = party("\"J Rosenberg \\\\\\\"\"  <sip:jdrosen@example.com> ; tag = 98asjd8");
    assert_eq!(read.unwrap(), "\"J Rosenberg \\\\\\\"\" <sip:jdrosen@example.com>;tag=98asjd8");
    assert_eq!(party("caller<sip:a@h>;tag=1").unwrap(), "\"caller\" <sip:a@h>;tag=1");
    assert_eq!(party("sip:a@h ;   tag    = 1n").unwrap(), "<sip:a@h>;tag=1n");
}

#[test]
fn a_user_part_may_hold_what_separates_elsewhere() {
    assert_eq!(target("sip:user;par=u%40h@h").unwrap(), "sip:user%3Bpar=u%40h@h");
    let strange = "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*@h;x=1";
    assert_eq!(
        target(strange).unwrap(),
        "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy%3F,/%3B%3B*@h;x=1"
    );
    assert_eq!(party("sip:a;b@h;tag=2").unwrap(), "<sip:a%3Bb@h>;tag=2");
}

#[test]
fn lists_are_read_to_their_end_and_lose_the_names() {
    let read = addresses("\"a, <b>\" <sip:a@h;lr> ; q = 0.3 , sip:b@h , Bo <sip:c@[::1]:5060>");
    assert_eq!(read.unwrap(), "<sip:a@h;lr>;q=0.3, <sip:b@h>, <sip:c@[::1]:5060>");
    assert_eq!(addresses(" * ").unwrap(), "*");
}

#[test]
fn a_name_keeps_its_letters_and_no_bracket_or_control() {
    let read = party("\"A <sip:evil@h> \\\u{7}B\" <sip:a@h>;tag=1").unwrap();
    assert_eq!(read, "\"A (sip:evil@h) B\" <sip:a@h>;tag=1");
    // Found by fuzzing: without its double it would escape the quote that is ours.
    let read = party("A\\ <sip:a@h>;tag=1").unwrap();
    assert_eq!(read, "\"A\\\\\" <sip:a@h>;tag=1");
    assert_eq!(party(&read).unwrap(), read);
    assert_eq!(party("Jörg O'Neill <sip:j@h>").unwrap(), "\"Jörg O'Neill\" <sip:j@h>");
}

#[test]
fn what_can_be_read_two_ways_is_refused() {
    for bad in [
        "\"Mr. J. User <sip:j.user@h>",
        "\"Watson\" < sip:t@h >",
        "Bell, Alexander <sip:a@h>;tag=43",
        "sip:a@h?Route=x",
        "<sip:a@h>;;tag=1",
        "<sip:a@h>;tag=1;",
        "<sip:a@h> x",
        "<sip:>",
        "<sip:a@>",
        "<sip:a@b@h>",
        "<sip:a@2001:db8::1>",
        "<sip:a@[2001:db8:::1]>",
        "<a@h>",
        "<1sip:a@h>",
        "",
    ] {
        assert!(party(bad).is_err(), "{bad}: {:?}", party(bad));
    }
    for bad in [
        "SIP/2.0/UDP h;;,;,,",
        "SIP/2.0/UDP h;branch=z9hG4bK",
        "SIP/2.0/UDP",
        "SIP/3.0/UDP h",
        "XIP/2.0/UDP h",
        "SIP/2.0/UDP h x",
        "SIP/2.0/UDP h:99999",
        "SIP/2.0/UDP h,",
        "",
    ] {
        assert!(via(bad).is_err(), "{bad}: {:?}", via(bad));
    }
    for bad in ["<sip:a@h>", "sip:a@h?Route=%3Csip:x%3E", "nothing", ":x", "sip:"] {
        assert!(target(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_request_line_has_two_spaces_and_no_more() {
    assert_eq!(request_line("BYE sip:a@h SIP/2.0"), Some(Ok(("BYE", "sip:a@h", "SIP/2.0"))));
    for bad in [
        "BYE  sip:a@h SIP/2.0",
        "BYE sip:a@h SIP/2.0 ",
        "BYE sip:a@h; lr SIP/2.0",
        "BYE\tsip:a@h SIP/2.0",
    ] {
        assert!(matches!(request_line(bad), Some(Err(_))), "{bad}");
    }
    for none in ["", " ", "GET / HTTP/1.1", "BYE", "BYE sip:a@h", "B<E sip:a@h SIP/2.0"] {
        assert_eq!(request_line(none), None, "{none}");
    }
}

#[test]
fn parameters_are_found_past_the_address_only() {
    assert_eq!(parameter("\";tag=1\" <sip:a@h;tag=2>; TAG = 3 ;x", "tag"), Some("3"));
    assert_eq!(parameter("<sip:a@h;tag=2>", "tag"), None);
    assert_eq!(parameter("<sip:a@h>;tag=", "tag"), None);
    assert!(is_text("\"a\\\u{1}\"") && !is_text("\"a\u{1}\"") && !is_text("a\\\u{1}"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_line_is_read_to_an_end_and_what_is_plain_stays_so(
        name in "(Via|From|To|Contact|Route|CSeq)",
        value in "(SIP/2.0/UDP h|<sip:a@h>|\"a\" <sip:b@\\[::1\\]:5>|sip:c@h|)\
                  [ ;,=<>\"\\\\a\u{e9}@:?]{0,12}",
    ) {
        request_line(&value);
        let _ = target(&value);
        parameter(&value, "a");
        if let Ok(once) = plain(&name, &value) {
            prop_assert_eq!(plain(&name, &once), Ok(once.clone()), "{}", value);
        }
    }
}

#[test]
fn a_bracket_does_not_close_an_address_that_has_none() {
    for bad in ["sip:a>b@c", "<sip:a@b>>", "tel:1>;x", "abc:a@r>;tag=1"] {
        assert!(party(bad).is_err(), "{bad}");
        assert!(addresses(bad).is_err(), "{bad}");
    }
}
