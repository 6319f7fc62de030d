//! The golden table of routing: every caller, every number, at every moment, written by the
//! oracle, compared with the committed file and with `route`. `UNDERTONE_WRITE_GOLDEN=1` writes
//! the file anew; nothing else does.

use crate::routing_house::*;
use crate::routing_oracle::{Moment, says};
use std::fmt::Write as _;
use undertone_core::call::Call;
use undertone_core::directory::Directory;
use undertone_core::id::{CallId, DeviceId, SeatId};
use undertone_core::number::Dialled;
use undertone_core::routing::{Destination, Origin, route};
use undertone_core::time::Mono;
use undertone_core::traffic::Traffic;

/// The seat that is called.
pub(crate) const CALLEE: SeatId = Call::CALLEE;

const ORIGINS: [&str; 5] = ["ana", "bo", "lobby", "carrier", "pbx"];

const DIALLED: [&str; 30] = [
    "1001",
    "1002",
    "2001",
    "2002",
    "3001",
    "ana-phone",
    "door",
    "nobody",
    "+4570001001",
    "+4570001002",
    "+4570001042",
    "+4570002000",
    "+4570003001",
    "+4570009000",
    "+4570008000",
    "+4570005555",
    "7002",
    "+4512345678",
    "004512345678",
    "012345678",
    "001234567",
    "+4520111111",
    "+15550100",
    "0015550100",
    "+9001234",
    "009001234",
    "9912",
    "112",
    "911",
    "5",
];

const MOMENTS: [&str; 8] = [
    "quiet",
    "ana_has_two",
    "ana_had_five",
    "premium_taken",
    "carrier_full",
    "carrier_down",
    "both_down",
    "full_and_down",
];

fn moment(name: &str) -> Moment {
    let mut m = Moment::default();
    match name {
        "ana_has_two" => {
            m.accounts.insert("ana", (2, 2));
            m.called.insert("99111", (2, 2));
        }
        "ana_had_five" => {
            m.accounts.insert("ana", (0, 5));
            m.called.insert("99111", (0, 5));
        }
        "premium_taken" => {
            m.accounts.insert("ana", (1, 1));
            m.called.insert("+9005555", (1, 1));
        }
        "carrier_full" => drop(m.channels.insert("carrier", 2)),
        "carrier_down" => m.down = vec!["carrier"],
        "both_down" => m.down = vec!["carrier", "backup"],
        "full_and_down" => {
            m.channels.insert("carrier", 2);
            m.down = vec!["backup"];
        }
        _ => {}
    }
    m
}

pub(crate) fn origin(name: &str) -> Origin {
    match TRUNKS.iter().any(|(trunk, _)| *trunk == name) {
        true => Origin::Trunk(trunk_id(name)),
        false => {
            let own = DEVICES.iter().find(|(id, _, owner)| *owner == name || *id == name);
            Origin::Device(DeviceId::parse(own.unwrap().0).unwrap())
        }
    }
}

pub(crate) fn dialled(text: &str) -> Dialled {
    Dialled::parse(text).unwrap()
}

pub(crate) fn call(n: usize) -> CallId {
    CallId::parse(&format!("c{n}")).unwrap()
}

const NOW: Mono = Mono(7_200_000_000);

/// The same moment, reached by calls.
fn traffic(m: &Moment, dir: &Directory) -> Traffic {
    let mut traffic = Traffic::default();
    let mut n = 0;
    for (number, (live, began)) in &m.called {
        for i in 0..*began {
            n += 1;
            let placed =
                traffic.place(NOW, (&call(n), CALLEE), &origin("ana"), &dialled(number), dir);
            assert!(placed.is_ok(), "{number}: {placed:?}");
            if i >= *live {
                traffic.left(&call(n));
            }
        }
    }
    for (trunk, channels) in &m.channels {
        while traffic.channels(&trunk_id(trunk)) < *channels {
            n += 1;
            traffic.arrive(&call(n), &origin(trunk), &dialled("1001"), dir).unwrap();
        }
    }
    for trunk in &m.down {
        let trunk = dir.trunk(&trunk_id(trunk)).unwrap();
        traffic.note(&trunk.id, &trunk.places[0], Some(NOW.plus_ms(1)));
    }
    traffic
}

pub(crate) fn told(outcome: Result<Destination, undertone_core::refusal::Refusal>) -> String {
    match outcome {
        Ok(Destination::Device(device)) => format!("device {device}"),
        Ok(Destination::Person { person, devices }) => {
            let devices: Vec<_> = devices.iter().map(|device| device.as_str()).collect();
            format!("person {person}: {}", devices.join(" "))
        }
        Ok(Destination::Trunk(out)) => {
            let mut text = format!("trunk {} {}", out.trunk, out.number);
            if !out.then.is_empty() {
                let then: Vec<_> = out.then.iter().map(|trunk| trunk.as_str()).collect();
                write!(text, " then {}", then.join(" ")).unwrap();
            }
            text += if out.transparent { " transparent" } else { "" };
            text += if out.emergency { " emergency" } else { "" };
            text
        }
        Err(refusal) => {
            let codes: Vec<_> = refusal.reasons.iter().map(|reason| reason.code()).collect();
            format!("no: {}", codes.join(" "))
        }
    }
}

fn table(cell: impl Fn(&str, &str, &str) -> String) -> String {
    let mut out = String::from("# At which moment, who dials what -> where it leads.\n");
    for at in MOMENTS {
        for who in ORIGINS {
            writeln!(out, "\n## {at}, {who}").unwrap();
            for number in DIALLED {
                writeln!(out, "{number:13} -> {}", cell(at, who, number)).unwrap();
            }
        }
    }
    out
}

#[test]
fn every_caller_and_number_leads_where_the_golden_table_the_oracle_and_route_say() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/golden/routing.txt");
    let written = table(|at, who, number| says(who, number, &moment(at)));
    if std::env::var_os("UNDERTONE_WRITE_GOLDEN").is_some() {
        std::fs::write(path, &written).unwrap();
    }
    let committed = std::fs::read_to_string(path).expect("the golden table is committed");
    let dir = house();
    let routed = table(|at, who, number| {
        let traffic = traffic(&moment(at), &dir);
        told(route(NOW, &origin(who), &dialled(number), &traffic, &dir))
    });
    for (who, other) in [("the oracle", &written), ("route", &routed)] {
        let lines = committed.lines().zip(other.lines());
        let differing: Vec<_> = lines.filter(|(g, o)| g != o).take(8).collect();
        assert!(differing.is_empty(), "golden table (left) against {who}: {differing:#?}");
        assert_eq!(committed.lines().count(), other.lines().count(), "rows against {who}");
    }
}
