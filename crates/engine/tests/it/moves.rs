//! Bridges that move between threads and legs that move between bridges, while packets flow.

use undertone_core::id::{BridgeId, SeatId};
use undertone_engine::Gauges;

use crate::room::{Room, SOON, eventually, two_way};

#[test]
fn a_bridge_moves_between_threads_and_no_packet_is_lost() {
    let room = Room::new(4);
    let (bridge, one, two) = room.call(1);
    for turn in 0..200usize {
        let mark = turn as u8 % 100 + 1;
        room.engine.move_bridge(bridge, turn % 4).unwrap();
        one.say(mark);
        assert!(two.hears(mark), "after move {turn}");
        two.say(mark + 100);
        assert!(one.hears(mark + 100), "after move {turn}, back");
    }
    let Gauges { bridges, legs, .. } = room.engine.gauges();
    assert_eq!((bridges, legs), (1, 2));
    room.engine.close(bridge);
    eventually("it is closed where it went", || room.engine.gauges().bridges == 0);
}

#[test]
fn what_is_asked_during_a_move_is_done_after_it() {
    let room = Room::new(3);
    let (bridge, ..) = room.call(1);
    for turn in 0..300usize {
        room.engine.move_bridge(bridge, turn % 3).unwrap();
        room.engine.apply(bridge, two_way(turn as u64 + 2));
        let seats = room.engine.work(bridge, |b| b.leg_mut(SeatId(1)).is_some());
        assert_eq!(seats.wait(SOON), Some(true), "move {turn}");
    }
    room.engine.move_bridge(bridge, 1).unwrap();
    room.engine.move_bridge(bridge, 2).unwrap();
    room.engine.close(bridge);
    eventually("a bridge on its way is closed too", || {
        let Gauges { bridges, ports_in_use, .. } = room.engine.gauges();
        (bridges, ports_in_use) == (0, 0)
    });
}

#[test]
fn a_leg_keeps_its_sockets_from_one_bridge_to_another() {
    let room = Room::new(2);
    let (first, one, two) = room.call(1);
    one.say(1);
    assert!(two.hears(1));
    let second = BridgeId(2);
    room.engine.open_on(second, 2, 1).unwrap();
    let three = room.seat(second, SeatId(2));
    let leg = room.engine.detach(first, SeatId(1)).wait(SOON).flatten().expect("the leg");
    room.engine.attach_leg(second, SeatId(1), leg).unwrap();
    room.engine.apply(second, two_way(1));
    // The answer to this comes after the leg is in its new place.
    assert!(room.engine.inspect(second, |_| ()).wait(SOON).is_some());
    one.say(7);
    assert!(three.hears(7), "from the same socket to the same port, into another call");
    three.say(8);
    assert!(one.hears(8));
    let gauges = room.engine.gauges();
    assert_eq!((gauges.legs, gauges.ports_in_use), (3, 3));
}

#[test]
fn a_detached_leg_that_nobody_takes_frees_its_ports() {
    let room = Room::new(1);
    let (bridge, ..) = room.call(1);
    drop(room.engine.detach(bridge, SeatId(1)));
    eventually("its ports are free", || {
        let Gauges { legs, ports_in_use, .. } = room.engine.gauges();
        (legs, ports_in_use) == (1, 1)
    });
}
