//! Packets through the engine, whose packets are taken, what is left behind, what ends alone.

use std::net::UdpSocket;
use std::time::Duration;

use undertone_core::id::{BridgeId, SeatId};
use undertone_core::plan::PlanVersion;
use undertone_engine::{Engine, EngineError, Gauges};
use undertone_media::bridge::BridgeEvent;

use crate::room::{Room, SOON, eventually, open_files, two_way};

#[test]
fn what_one_phone_says_the_other_hears_both_ways() {
    let room = Room::new(1);
    let (_, one, two) = room.call(1);
    for mark in 1..=50 {
        one.say(mark);
        assert!(two.hears(mark), "packet {mark}");
        two.say(mark + 100);
        assert!(one.hears(mark + 100), "packet {mark} back");
    }
    eventually("all are counted", || {
        let Gauges { packets_in, packets_out, packets_foreign, .. } = room.engine.gauges();
        packets_in >= 100 && packets_out >= 100 && packets_foreign == 0
    });
}

#[test]
fn a_stranger_on_the_leg_s_port_is_heard_by_nobody() {
    let room = Room::new(1);
    let (_, one, two) = room.call(1);
    one.say(1);
    assert!(two.hears(1));
    // The same host, another port, after the leg has learnt its phone's.
    let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
    for _ in 0..20 {
        one.say_from(&stranger, 99);
    }
    eventually("the stranger's packets are counted", || room.engine.gauges().packets_foreign == 20);
    one.say(2);
    two.socket.set_read_timeout(Some(SOON)).unwrap();
    let mut buffer = [0; 2_048];
    loop {
        let (len, _) = two.socket.recv_from(&mut buffer).expect("the phone's own packet comes");
        assert!(len != 172 || buffer[12] != 99, "a stranger was heard");
        if len == 172 && buffer[12] == 2 {
            break;
        }
    }
}

#[test]
fn two_thousand_calls_leave_no_file_no_port_and_no_leg() {
    let room = Room::new(2);
    let before = open_files();
    for round in 0..20u64 {
        let calls: Vec<_> = (0..100).map(|i| room.call(round * 100 + i)).collect();
        eventually("all are up", || room.engine.gauges().legs == 200);
        assert_eq!(room.engine.gauges().ports_in_use, 200);
        for (bridge, ..) in calls {
            room.engine.close(bridge);
        }
        eventually("all are down", || {
            let Gauges { bridges, legs, ports_in_use, .. } = room.engine.gauges();
            (bridges, legs, ports_in_use) == (0, 0, 0)
        });
    }
    assert_eq!(open_files(), before);
    drop(room.engine.clone());
    let Room { engine, events, .. } = room;
    drop(engine);
    drop(events);
    // An engine's own: an epoll and an eventfd a thread.
    assert_eq!(open_files(), before - 4);
}

#[test]
fn a_panic_ends_its_bridge_and_no_other() {
    let room = Room::new(1);
    let (broken, ..) = room.call(1);
    let (_, one, two) = room.call(2);
    let answer = room.engine.work(broken, |_| -> u8 { panic!("on purpose") });
    assert_eq!(answer.wait(SOON), None);
    let told = room.wait_event(|e| matches!(e, BridgeEvent::Panicked));
    assert_eq!(told, broken);
    one.say(9);
    assert!(two.hears(9));
    eventually("what was broken is gone", || {
        let Gauges { bridges, legs, ports_in_use, bridges_panicked, .. } = room.engine.gauges();
        (bridges, legs, ports_in_use, bridges_panicked) == (1, 2, 2, 1)
    });
    let again = room.engine.prove(broken, SeatId(1), false);
    assert_eq!(again, Err(EngineError::NoSuchBridge));
}

#[test]
fn after_a_stall_every_tick_is_made_up_for_and_packets_go_on() {
    let room = Room::new(1);
    let (bridge, one, two) = room.call(1);
    eventually("it ticks", || room.engine.gauges().ticks > 2);
    let (before, began) = (room.engine.gauges().ticks, Engine::now());
    let stalled = room.engine.work(bridge, |_| {
        let until = Engine::now().plus_ms(300);
        while Engine::now() < until {
            std::hint::spin_loop();
        }
    });
    one.say(5);
    assert_eq!(stalled.wait(SOON), Some(()));
    assert!(two.hears(5));
    eventually("ticks are caught up with", || {
        let due = Engine::now().since(began) / 20_000;
        room.engine.gauges().ticks - before + 2 >= due
    });
    let gauges = room.engine.gauges();
    assert_eq!(gauges.ticks_skipped, 0);
    assert!(gauges.lateness.max_us >= 200_000, "{:?}", gauges.lateness);
}

#[test]
fn a_plan_is_in_force_although_a_thousand_bridges_are_being_opened() {
    let room = Room::new(1);
    let (bridge, ..) = room.call(1);
    for id in 10..1_010 {
        room.engine.open(BridgeId(id), id).unwrap();
    }
    let asked = Engine::now();
    room.engine.apply(bridge, two_way(2));
    room.wait_event(|e| matches!(e, BridgeEvent::PlanInForce(PlanVersion(2))));
    let took = Duration::from_micros(Engine::now().since(asked));
    assert!(took < Duration::from_secs(2), "{took:?}");
}

#[test]
fn a_second_bridge_of_the_same_name_is_refused() {
    let room = Room::new(1);
    room.engine.open(BridgeId(1), 1).unwrap();
    assert_eq!(room.engine.open(BridgeId(1), 1), Err(EngineError::BridgeExists));
}
