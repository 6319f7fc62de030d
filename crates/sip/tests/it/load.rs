//! Many calls at once, every second one from each of two endpoints to the other; afterwards
//! nothing is left.

use tokio::task::JoinSet;
use undertone_sip::DialogEvent;

use crate::support::{ANSWER, drained, endpoint, next, next_final, to};

const CALLS: usize = 300;

#[tokio::test]
async fn three_hundred_calls_at_once_leave_nothing() {
    let (caller, _) = endpoint().await;
    let (callee, mut incoming) = endpoint().await;
    let answering = tokio::spawn(async move {
        let mut up = JoinSet::new();
        for index in 0..CALLS {
            let mut call = incoming.recv().await.unwrap();
            up.spawn(async move {
                call.dialog.ring();
                match index % 3 {
                    0 => call.dialog.reject(486, None),
                    _ => call.dialog.answer(ANSWER.into()),
                }
                while call.events.recv().await.is_some() {}
            });
        }
        while up.join_next().await.is_some() {}
    });
    let mut calls = JoinSet::new();
    for index in 0..CALLS {
        let (handle, mut events) = caller.call(to(callee.local_addr()));
        calls.spawn(async move {
            match next_final(&mut events).await {
                DialogEvent::Answered { .. } if index % 2 == 0 => handle.bye(),
                // Dropped at the end of this task.
                DialogEvent::Answered { .. } => return true,
                DialogEvent::Failed { code: 486, .. } => return false,
                event => panic!("{event:?}"),
            }
            assert!(matches!(next(&mut events).await, DialogEvent::Ended { .. }));
            true
        });
    }
    let mut answered = 0;
    while let Some(call) = calls.join_next().await {
        answered += usize::from(call.unwrap());
    }
    assert_eq!(answered, CALLS - CALLS / 3);
    answering.await.unwrap();
    drained(&caller).await;
    drained(&callee).await;
    assert_eq!(callee.gauges().refused, 0);
}
