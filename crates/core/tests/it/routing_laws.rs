//! Laws of routing and of its counters, on random numbers and random traffic; and who a caller
//! is.

use crate::routing_house::*;
use crate::routing_oracle::{Moment, says};
use crate::routing_table::{CALLEE, call, dialled, origin, told};
use proptest::prelude::*;
use std::collections::BTreeMap;
use undertone_core::contact::{Contact, Host};
use undertone_core::directory::Directory;
use undertone_core::id::{DeviceId, SeatId, TrunkId};
use undertone_core::number::{Dialled, Number, Pattern};
use undertone_core::refusal::Reason;
use undertone_core::routing::{
    Account, Arrival, Destination, Origin, Outside, caller, route, shown_to,
};
use undertone_core::time::Mono;
use undertone_core::traffic::{PlaceAsked, Traffic};
use undertone_core::trunk::{Login, Secret, Source};

const HOUR_MS: u64 = 3_600_000;

fn arrival<'a>(source: &str, account: Option<&'a str>, from_user: &'a str) -> Arrival<'a> {
    let source = source.parse().unwrap();
    Arrival { source, account, from_user, request_user: "1002", to_user: "1002" }
}

fn name(origin: Result<Origin, undertone_core::refusal::Refusal>) -> String {
    match origin {
        Ok(Origin::Device(id)) => format!("device {id}"),
        Ok(Origin::Trunk(id)) => format!("trunk {id}"),
        Err(refusal) => refusal.reasons[0].code().into(),
    }
}

#[test]
fn a_caller_is_known_by_account_or_address_and_anybody_else_is_refused() {
    let mut dir = house();
    dir.change(|facts| {
        let bo = facts.devices.get_mut(&DeviceId::parse("bo-phone").unwrap()).unwrap();
        bo.account = Some("bo1".into());
        let pbx = facts.trunks.get_mut(&trunk_id("pbx")).unwrap();
        pbx.places.push("203.0.113.9:5080".parse().unwrap());
        pbx.sources.push("10.1.0.0/16".parse().unwrap());
        let spare = facts.trunks.get_mut(&trunk_id("spare")).unwrap();
        spare.sources.push("10.1.2.0/24".parse().unwrap());
    });
    let traffic = Traffic::default();
    let who =
        |source: &str, account, from| name(caller(&arrival(source, account, from), &traffic, &dir));
    assert_eq!(who("192.0.2.1:5070", None, "anything"), "device ana-phone");
    assert_eq!(who("192.0.2.1:5069", None, "1001"), "unknown_caller", "another port is nobody's");
    assert_eq!(
        who("192.0.2.1:5071", None, "1002"),
        "unknown_caller",
        "an account must prove itself"
    );
    assert_eq!(who("10.9.9.9:1", Some("bo1"), "1001"), "device bo-phone", "whatever From says");
    assert_eq!(who("192.0.2.1:5070", Some("eve"), "1001"), "unknown_caller");
    assert_eq!(who("198.51.100.1:40000", None, "x"), "trunk carrier", "any port, as none is named");
    assert_eq!(who("203.0.113.9:5080", None, "x"), "trunk pbx");
    assert_eq!(who("203.0.113.9:5081", None, "x"), "unknown_caller");
    assert_eq!(who("10.1.1.1:5060", None, "x"), "trunk pbx");
    assert_eq!(who("10.1.2.1:5060", None, "x"), "trunk spare", "the narrower network");
    assert_eq!(who("[::ffff:198.51.100.1]:5060", None, "x"), "unknown_caller");
}

#[test]
fn devices_at_one_address_are_told_apart_by_from_or_not_at_all() {
    let mut dir = house();
    let at = Contact::parse("sip:201@192.0.2.7:5060").unwrap();
    dir.change(|facts| {
        for (id, user) in [("ana-phone", "a"), ("lobby", "l")] {
            let device = facts.devices.get_mut(&DeviceId::parse(id).unwrap()).unwrap();
            device.contact = Some(Contact { user: Some(user.into()), ..at.clone() });
        }
    });
    let traffic = Traffic::default();
    let who = |from| name(caller(&arrival("192.0.2.7:5060", None, from), &traffic, &dir));
    assert_eq!((who("3001"), who("a")), ("device lobby".into(), "device ana-phone".into()));
    assert_eq!(who("1002"), "unknown_caller", "an extension of elsewhere");
}

#[test]
fn over_a_connection_a_port_is_believed_only_where_one_party_is_known_at_its_host() {
    let mut dir = house();
    let put = |dir: &mut Directory, id: &str, at: &str| {
        dir.change(|facts| {
            let device = facts.devices.get_mut(&DeviceId::parse(id).unwrap()).unwrap();
            (device.contact, device.account) = (Some(Contact::parse(at).unwrap()), None);
        });
    };
    let at = |dir: &Directory, named: &str| dir.over_connection(named.parse().unwrap());
    for host in ["192.0.2.90", "[2001:db8::90]"] {
        let (first, second) = (format!("{host}:5060"), format!("{host}:5062"));
        put(&mut dir, "lobby", &format!("sip:l@{first}"));
        put(&mut dir, "ana-phone", "sip:a@192.0.2.91:5060");
        assert_eq!(at(&dir, &first).to_string(), first);
        put(&mut dir, "ana-phone", &format!("sip:a@{second}"));
        for named in [&first, &second] {
            let believed = at(&dir, named);
            assert_eq!(believed.port(), 0, "whichever of the two it says it is");
            assert_eq!(dir.devices_at(believed).count(), 0);
        }
    }
    put(&mut dir, "lobby", "sip:l@127.0.0.1:5060");
    put(&mut dir, "ana-phone", "sip:a@127.0.0.1:5062");
    assert_eq!(at(&dir, "127.0.0.1:5062").port(), 5062, "our own host");
    // A trunk that is known by its host alone is that over connections too.
    let trunk = at(&dir, "198.51.100.1:40000");
    assert_eq!(dir.trunk_at(trunk).map(|trunk| &trunk.id), Some(&trunk_id("carrier")));
}

#[test]
fn a_trunk_that_we_registered_with_is_known_by_our_contact_and_names_the_number_in_to() {
    let mut dir = house();
    let mut traffic = Traffic::default();
    traffic.register("t-9f3", Some(trunk_id("spare")));
    let mut arrival = arrival("203.0.113.77:5060", None, "+4511111111");
    assert_eq!(name(caller(&arrival, &traffic, &dir)), "unknown_caller");
    (arrival.request_user, arrival.to_user) = ("t-9f3", "+4570001001");
    assert_eq!(name(caller(&arrival, &traffic, &dir)), "trunk spare");
    assert_eq!(arrival.dialled(&traffic, &dir), "+4570001001");
    dir.change(|facts| {
        facts.trunks.get_mut(&trunk_id("spare")).unwrap().login = Some(Login {
            user: "4570001000".into(),
            realm: None,
            password: Secret::Env("X".into()),
            register: true,
            expires_s: 60,
        });
    });
    assert_eq!(arrival.dialled(&traffic, &dir), "+4570001001");
    arrival.to_user = "t-9f3";
    assert_eq!(arrival.dialled(&traffic, &dir), "4570001000", "the account itself");
    traffic.register("t-9f3", None);
    assert_eq!(name(caller(&arrival, &traffic, &dir)), "unknown_caller");
}

#[test]
fn where_a_name_was_found_calls_go_and_come_from() {
    let mut dir = house();
    let host: undertone_core::contact::Place = "sip.carrier.example".parse().unwrap();
    let named = host.clone();
    dir.change(|facts| facts.trunks.get_mut(&trunk_id("spare")).unwrap().places = vec![named]);
    let spare = dir.trunk(&trunk_id("spare")).unwrap();
    let mut traffic = Traffic::default();
    assert_eq!(
        traffic.ways(spare, Mono(0), false),
        std::slice::from_ref(&host),
        "not looked up yet"
    );
    let (a, b) = ("203.0.113.1:5060".parse().unwrap(), "203.0.113.2:5062".parse().unwrap());
    traffic.found(&spare.id, &host, vec![a, b]);
    let who = |source, traffic: &Traffic| name(caller(&arrival(source, None, "x"), traffic, &dir));
    assert_eq!(who("203.0.113.2:5062", &traffic), "trunk spare");
    let ways = traffic.ways(spare, Mono(0), false);
    traffic.note(&spare.id, &ways[0], Some(Mono(9)));
    assert_eq!(traffic.ways(spare, Mono(0), false), ways[1..]);
    assert_eq!(traffic.ways(spare, Mono(0), true), [ways[1].clone(), ways[0].clone()]);
    assert_eq!(traffic.ways(spare, Mono(9), false), ways, "what is bad is so for a time");
    traffic.note(&spare.id, &ways[0], Some(Mono(u64::MAX)));
    traffic.note(&spare.id, &ways[0], Some(Mono(20)));
    assert_eq!(traffic.ways(spare, Mono(99), false), ways[1..], "until it answers");
    traffic.note(&spare.id, &ways[0], None);
    assert_eq!(traffic.ways(spare, Mono(99), false), ways);
    traffic.forget(&spare.id);
    assert_eq!(who("203.0.113.2:5062", &traffic), "unknown_caller");
    assert_eq!(traffic.ways(spare, Mono(0), false), [host]);
}

#[test]
fn nothing_that_is_no_number_or_name_is_dialled() {
    for bad in ["", "sip:", "a b", "1001\r\nX: y", "1<2", "ü", "\"1001\"", &"9".repeat(200)] {
        assert!(Dialled::parse(bad).is_err(), "{bad:?}");
    }
    let parsed = |text| Dialled::parse(text).unwrap().as_str().to_owned();
    assert_eq!(parsed("tel:+45-70.00(10)01"), "+4570001001");
    assert_eq!(parsed(" SIP:201;phone-context=x@h?Subject=9 "), "201");
    assert_eq!(parsed("alice-phone@elsewhere"), "alice-phone");
    assert!(Number::parse("12a").is_err() && Number::parse(&"1".repeat(33)).is_err());
    for bad in ["", "12.3", "..", "1y", "1 2", &"X".repeat(33)] {
        assert!(Pattern::parse(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn a_contact_is_read_once_and_written_the_same() {
    let read = |uri: &str| Contact::parse(uri).map(|contact| contact.to_string());
    for same in ["sip:1001@127.0.0.1:5062", "sip:a%40b@[::1]:5070;transport=tcp", "sip:x.example"] {
        assert_eq!(read(same).as_deref(), Ok(same));
    }
    assert_eq!(read("<sip:7@127.0.0.1;ob>").as_deref(), Ok("sip:7@127.0.0.1"));
    assert_eq!(read("x@Phone.Example:5080").as_deref(), Ok("sip:x@phone.example:5080"));
    for bad in ["", "sips:1@h", "sip:@h", "sip:a b@h", "sip:1@1.2.3", "sip:1@h:0", "sip:1@h:x"] {
        assert!(Contact::parse(bad).is_err(), "{bad}");
    }
    let contact = |uri: &str| Contact::parse(uri).unwrap();
    assert!(contact("sip:7@127.0.0.1").is_same(&contact("sip:7@127.0.0.1:5060;transport=udp")));
    assert!(!contact("sip:7@127.0.0.1:5061").is_same(&contact("sip:7@127.0.0.1:5060")));
    assert!(!contact("sip:8@127.0.0.1").is_same(&contact("sip:7@127.0.0.1")));
    assert_eq!(contact("sip:1@[::1]").address().unwrap().to_string(), "[::1]:5060");
    assert_eq!(contact("sip:1@h").place.host, Host::Name("h".into()));
}

#[test]
fn a_trunk_is_shown_its_own_number_where_the_caller_has_none_for_outside() {
    let mut trunk = trunk("carrier", 0, &["198.51.100.1"]);
    assert_eq!(shown_to(&trunk, "1001"), "1001");
    trunk.caller_number = Some(number("+4570001000"));
    assert_eq!(shown_to(&trunk, "1001"), "+4570001000");
    assert_eq!(shown_to(&trunk, "+4570001001"), "+4570001001");
}

#[test]
fn a_call_for_help_is_over_every_cap_and_limit_and_takes_from_nobody() {
    let dir = house();
    let (mut traffic, now) = (Traffic::default(), Mono(0));
    let carrier = trunk_id("carrier");
    for n in 0..9 {
        let placed =
            traffic.place(now, (&call(n), CALLEE), &origin("lobby"), &dialled("112"), &dir);
        let Ok(Destination::Trunk(outside)) = placed else { panic!("{placed:?}") };
        assert!(outside.emergency && outside.trunks().count() == 2);
    }
    assert_eq!(traffic.channels(&carrier), 2, "the free channels first");
    let lobby = Account::Device(DeviceId::parse("lobby").unwrap());
    assert_eq!(traffic.of_account(&lobby, now).an_hour, 0);
    // Whoever has no permission at all is routed too; without a trunk there is no way.
    let mut none = dir.clone();
    none.change(|facts| (facts.outbound, facts.emergency.trunks) = (Vec::new(), Vec::new()));
    let all = told(route(now, &origin("bo"), &dialled("911"), &Traffic::default(), &none));
    assert_eq!(all, "trunk backup 911 then carrier pbx spare emergency", "every trunk");
    none.change(|facts| facts.trunks.clear());
    let no = told(route(now, &origin("bo"), &dialled("911"), &traffic, &none));
    assert_eq!(no, "no: no_route");
}

#[test]
fn an_emergency_number_goes_the_way_of_its_route_where_no_trunks_are_named() {
    let mut dir = house();
    dir.change(|facts| {
        facts.emergency.trunks.clear();
        facts.emergency.numbers.insert(number("00112"));
    });
    let help = told(route(Mono(0), &origin("bo"), &dialled("00112"), &Traffic::default(), &dir));
    assert_eq!(help, "trunk carrier +112 then backup emergency");
}

#[test]
fn a_trunk_that_fails_gives_its_channel_to_the_next_that_has_one() {
    let dir = house();
    let (mut traffic, now) = (Traffic::default(), Mono(0));
    let placed =
        traffic.place(now, (&call(1), CALLEE), &origin("ana"), &dialled("+4512345678"), &dir);
    let Ok(Destination::Trunk(outside)) = placed else { panic!("{placed:?}") };
    let backup = dir.trunk(&trunk_id("backup")).unwrap();
    assert!(traffic.switch(&call(1), CALLEE, backup, &outside));
    let channels =
        |traffic: &Traffic| ["carrier", "backup"].map(|t| traffic.channels(&trunk_id(t)));
    assert_eq!(channels(&traffic), [0, 1]);
    for n in 2..4 {
        traffic.arrive(&call(n), &origin("carrier"), &dialled("1"), &dir).unwrap();
    }
    let carrier = dir.trunk(&trunk_id("carrier")).unwrap();
    assert!(!traffic.switch(&call(1), CALLEE, carrier, &outside), "full");
    let refused = traffic.arrive(&call(9), &origin("carrier"), &dialled("1"), &dir).unwrap_err();
    assert_eq!(refused.reasons, [Reason::TrunkFull]);
    traffic.left(&call(9));
    (1..4).for_each(|n| traffic.left(&call(n)));
    assert_eq!(channels(&traffic), [0, 0]);
}

/// A seat that asks to be called outside.
fn wish(seat: SeatId, to: &[&str], outside: bool) -> PlaceAsked {
    let to = to.iter().map(|to| to.to_string()).collect();
    PlaceAsked { seat, by: origin("ana"), to, outside }
}

#[test]
fn each_seat_gives_back_its_own_and_what_was_never_called_counts_in_no_hour() {
    let dir = house();
    let (mut traffic, now, carrier) = (Traffic::default(), Mono(0), trunk_id("carrier"));
    let ana = origin("ana").account(&dir);
    let count = |traffic: &Traffic| {
        let count = traffic.of_account(&ana, now);
        (traffic.channels(&carrier), count.live, count.an_hour)
    };
    let (second, third) = (SeatId(3), SeatId(4));
    let outside = wish(second, &["no-such-phone", "+4512345678"], true);
    assert!(traffic.find(now, &call(1), &outside, &dir).is_ok(), "the second leads somewhere");
    assert_eq!(count(&traffic), (1, 1, 1));
    traffic.give_back(&call(1), third, false);
    assert_eq!(count(&traffic), (1, 1, 1), "another seat's");
    traffic.give_back(&call(1), second, true);
    assert_eq!(count(&traffic), (0, 0, 0));
    let inside = traffic.find(now, &call(1), &wish(second, &["+4512345678"], false), &dir);
    assert_eq!(inside.unwrap_err().reasons, [Reason::OutboundDenied]);
    assert_eq!(count(&traffic), (0, 0, 0), "nothing is counted for who may not go out");
    assert!(traffic.find(now, &call(1), &outside, &dir).is_ok());
    traffic.give_back(&call(1), second, false);
    assert_eq!(count(&traffic), (0, 0, 1), "it was called, and counts in its hour");
}

#[test]
fn what_a_leg_has_taken_goes_with_it_to_another_call() {
    let dir = house();
    let (mut traffic, now, carrier) = (Traffic::default(), Mono(0), trunk_id("carrier"));
    let placed =
        traffic.place(now, (&call(1), CALLEE), &origin("ana"), &dialled("+4512345678"), &dir);
    assert!(placed.is_ok());
    let ana = origin("ana").account(&dir);
    let live = |traffic: &Traffic| (traffic.channels(&carrier), traffic.of_account(&ana, now).live);
    let taken = traffic.take_out(&call(1), CALLEE).expect("what it took");
    traffic.left(&call(1));
    assert_eq!(live(&traffic), (1, 1), "the leg lives on");
    traffic.put(&call(2), SeatId(7), taken);
    assert_eq!(live(&traffic), (1, 1));
    traffic.left(&call(2));
    assert_eq!(live(&traffic), (0, 0));
}

/// A small shadow: every call to the outside that stands, and when each began.
#[derive(Default)]
struct Shadow {
    live: BTreeMap<usize, (String, u64)>,
    began: Vec<(String, u64)>,
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_number_from_anybody_leads_where_the_oracle_says(
        text in "[+0-9*#]{1,12}|\\+45700[01][0-9]{1,4}|00[0-9]{3,9}|\\+900[0-9]{1,4}",
        who in prop::sample::select(vec!["ana", "bo", "lobby", "carrier", "pbx"]),
    ) {
        let dir = house();
        let led = told(route(Mono(0), &origin(who), &dialled(&text), &Traffic::default(), &dir));
        prop_assert_eq!(led, says(who, &text, &Moment::default()));
    }

    #[test]
    fn caps_hold_over_any_traffic(
        steps in prop::collection::vec((0..4usize, 0..20usize, 0..2_000_000u64), 1..60),
    ) {
        let dir = house();
        let (mut traffic, mut shadow, mut ms) = (Traffic::default(), Shadow::default(), 0);
        for (n, (what, which, wait_ms)) in steps.into_iter().enumerate() {
            ms += wait_ms;
            let now = Mono::from_ms(ms);
            if what == 0 || what == 3 {
                let standing = shadow.live.keys().nth(which % shadow.live.len().max(1)).copied();
                standing.into_iter().for_each(|n| {
                    let (who, at) = shadow.live.remove(&n).unwrap();
                    if what == 0 {
                        return traffic.left(&call(n));
                    }
                    // A seat that was never called, after a journey through another call.
                    let taken = traffic.take_out(&call(n), CALLEE).unwrap();
                    traffic.put(&call(n + 1_000), SeatId(9), taken);
                    traffic.give_back(&call(n + 1_000), SeatId(9), true);
                    let began = shadow.began.iter().rposition(|began| *began == (who.clone(), at));
                    shadow.began.remove(began.unwrap());
                });
                continue;
            }
            let who = ["ana", "lobby", "pbx"][which % 3];
            let (at_once, an_hour) = [(3, 5), (1, 2), (10, 100)][which % 3];
            let to = if who == "ana" { "+15550100" } else { "+4512345678" };
            let live = shadow.live.values().filter(|(w, _)| w == who).count();
            let young = |at: u64| ms - at < HOUR_MS;
            let began = shadow.began.iter().filter(|(w, at)| w == who && young(*at)).count();
            let placed = traffic.place(now, (&call(n), CALLEE), &origin(who), &dialled(to), &dir);
            let fits = live < at_once && began < an_hour;
            prop_assert_eq!(placed.is_ok(), fits, "{} {:?}", who, placed);
            if placed.is_ok() {
                shadow.live.insert(n, (who.to_owned(), ms));
                shadow.began.push((who.to_owned(), ms));
            } else {
                traffic.left(&call(n));
            }
            if which == 7 {
                traffic.tidy(now);
            }
        }
        shadow.live.keys().for_each(|n| traffic.left(&call(*n)));
        for trunk in ["carrier", "backup"] {
            prop_assert_eq!(traffic.channels(&trunk_id(trunk)), 0);
        }
    }

    #[test]
    fn a_pattern_says_what_it_was_made_of_and_matches_its_sample(text in "[0-9+*#X]{1,10}\\.?") {
        let pattern = Pattern::parse(&text).unwrap();
        prop_assert_eq!(pattern.to_string(), text.clone());
        prop_assert!(pattern.matches(&pattern.sample().unwrap()));
        prop_assert_eq!(pattern.only().is_some(), !text.contains(['X', '.']));
    }

    #[test]
    fn a_network_holds_what_shares_its_first_bits(
        a in any::<u32>(),
        b in any::<u32>(),
        bits in 8..=32u8,
    ) {
        let source: Source = format!("{}/{bits}", std::net::Ipv4Addr::from(a)).parse().unwrap();
        let same = (a ^ b).leading_zeros() >= u32::from(bits);
        prop_assert_eq!(source.holds((std::net::Ipv4Addr::from(b), 1).into()), same);
    }
}

/// The bench's house: lookups go by index, whatever the number of devices.
#[test]
fn among_many_devices_each_is_found_by_all_its_names() {
    let mut dir = Directory::empty(undertone_core::id::OrgId::parse("org").unwrap());
    dir.change(|facts| {
        for n in 0..4_500 {
            let id = DeviceId::parse(&format!("d{n}")).unwrap();
            let contact = Contact::parse(&format!("sip:u{n}@192.0.2.1:5070")).ok();
            facts.devices.insert(
                id.clone(),
                undertone_core::directory::Device {
                    id,
                    name: String::new(),
                    extension: Some(format!("{}", 10_000 + n)),
                    owner: None,
                    contact,
                    account: None,
                    net: undertone_core::view::Net::Internal,
                },
            );
        }
    });
    let traffic = Traffic::default();
    for n in (0..4_500).step_by(499) {
        let (id, user, extension) = (format!("d{n}"), format!("u{n}"), format!("{}", 10_000 + n));
        for from in [&id, &user, &extension] {
            let found = name(caller(&arrival("192.0.2.1:5070", None, from), &traffic, &dir));
            assert_eq!(found, format!("device {id}"), "{from}");
        }
        let contact = Contact::parse(&format!("sip:{user}@192.0.2.1:5070")).unwrap();
        assert_eq!(dir.device_with_contact(&contact).unwrap().id.as_str(), id);
        assert_eq!(dir.device_with(&extension).unwrap().id.as_str(), id);
    }
}

/// Origin, asked for privacy, called: what is asserted, whether the rest goes on, whether From
/// names nobody. Every case.
#[test]
fn who_calls_is_told_by_those_who_are_believed_to_those_who_may_know() {
    use undertone_core::identity::{Asserted::*, Passed, passed};
    let mut dir = house();
    dir.change(|facts| facts.trunks.get_mut(&trunk_id("carrier")).unwrap().trusted = true);
    let to = |name: &str| dir.trunk(&trunk_id(name));
    for (who, private, called, asserted, rest, anonymous) in [
        ("ana", false, "ana", Ours, false, false),
        ("ana", true, "ana", Nothing, false, true),
        ("ana", false, "carrier", Ours, false, false),
        ("ana", true, "carrier", Ours, false, false),
        ("ana", false, "pbx", Nothing, false, false),
        ("ana", true, "pbx", Nothing, false, true),
        ("carrier", false, "ana", AsItCame, true, false),
        ("carrier", true, "ana", Nothing, true, true),
        ("carrier", false, "carrier", AsItCame, true, false),
        ("carrier", true, "carrier", AsItCame, true, false),
        ("carrier", false, "pbx", Nothing, true, false),
        ("carrier", true, "pbx", Nothing, true, true),
        ("pbx", false, "ana", Nothing, true, false),
        ("pbx", true, "ana", Nothing, true, true),
        ("pbx", false, "carrier", Nothing, true, false),
        ("pbx", true, "carrier", Nothing, true, false),
    ] {
        let told = passed(&origin(who), private, to(called), &dir);
        assert_eq!(told, Passed { asserted, rest, anonymous }, "{who} {private} {called}");
    }
}

#[test]
fn the_next_address_is_tried_when_nobody_was_there_and_for_help_after_all_but_a_persons_no() {
    let outside = |emergency| Outside {
        trunk: TrunkId::parse("carrier").unwrap(),
        number: Number::parse("112").unwrap(),
        then: Vec::new(),
        emergency,
        transparent: false,
    };
    let (plain, for_help) = (outside(false), outside(true));
    for code in 300..700 {
        let nobody = matches!(code, 408 | 503);
        assert_eq!(plain.goes_on(code, false), nobody, "{code}");
        assert!(!plain.goes_on(code, true), "{code} after it rang");
        let no = matches!(code, 486 | 600 | 603);
        for rang in [false, true] {
            assert_eq!(for_help.goes_on(code, rang), !no, "{code} for help");
        }
    }
}
