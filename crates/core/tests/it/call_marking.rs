//! Notes, flags and bookmarks of who supervises.

use crate::call_world::*;
use undertone_core::call::{Assist, AssistAct, Input, MarkKind, RequestId};
use undertone_core::policy::Policy;
use undertone_core::refusal::Reason;
use undertone_core::seen;
use undertone_core::view::*;

impl World {
    fn mark(&mut self, who: &str, n: u64, kind: MarkKind, text: &str) -> RequestId {
        let (request, by) = (self.request(), actor(who, &self.dir));
        let act = AssistAct::Mark { supervision: sup(n), kind, text: text.into() };
        self.feed(Input::Assist(Box::new(Assist { request, by, act })));
        request
    }

    fn marked(&self, request: RequestId) -> Result<(), Reason> {
        self.replies[&request][0].clone().map(|_| ()).map_err(|no| no.reasons[0])
    }
}

#[test]
fn a_mark_stands_in_the_timeline_and_no_agent_sees_it() {
    let mut world = World::talking();
    world.join(1, "mia", Mode::Whisper);
    world.run_ms(1_000);
    for (kind, text) in [
        (MarkKind::Note, "asks twice\nfor the address"),
        (MarkKind::Flag, ""),
        (MarkKind::Bookmark, ""),
    ] {
        let asked = world.mark("mia", 1, kind, text);
        assert_eq!(world.marked(asked), Ok(()));
    }
    let view = world.view();
    let marks: Vec<_> = view
        .timeline
        .iter()
        .filter(|moment| matches!(moment.what, "noted" | "flagged" | "bookmarked"))
        .map(|moment| (moment.what, moment.who.as_str(), moment.detail.as_str()))
        .collect();
    assert_eq!(
        marks,
        [
            ("noted", "mia", "asks twice\nfor the address"),
            ("flagged", "mia", ""),
            ("bookmarked", "mia", "")
        ]
    );
    let ana = actor("ana", &world.dir);
    let (seen, _) = seen::call(&view, &ana, &Policy::open()).unwrap();
    assert_eq!((seen.supervisions.len(), seen.timeline.len()), (1, 0), "she is told of Mia alone");
    let rows = world.rows.values().filter(|row| row.what == "supervision.mark");
    assert_eq!(rows.filter(|row| row.detail["kind"] == "note").count(), 1);
}

#[test]
fn only_who_supervises_marks_and_not_without_end() {
    let mut world = World::talking();
    world.join(1, "mia", Mode::Listen);
    world.run_ms(300);
    let long = "x".repeat(501);
    for (who, n, kind, text, no) in [
        ("ana", 1, MarkKind::Note, "mine", Reason::NotAllowed),
        ("mia", 2, MarkKind::Flag, "", Reason::NoSuchSupervision),
        ("mia", 1, MarkKind::Note, "", Reason::BadRequest),
        ("mia", 1, MarkKind::Flag, "  ", Reason::BadRequest),
        ("mia", 1, MarkKind::Bookmark, long.as_str(), Reason::BadRequest),
        ("mia", 1, MarkKind::Note, "a\tb", Reason::BadRequest),
    ] {
        let asked = world.mark(who, n, kind, text);
        assert_eq!(world.marked(asked), Err(no), "{who} {text:.9}");
    }
    for _ in 0..100 {
        let asked = world.mark("mia", 1, MarkKind::Bookmark, "");
        assert_eq!(world.marked(asked), Ok(()));
    }
    let asked = world.mark("mia", 1, MarkKind::Bookmark, "");
    assert_eq!(world.marked(asked), Err(Reason::TooManyMarks));
    world.leave(1, "mia");
    world.run_ms(300);
    let asked = world.mark("mia", 1, MarkKind::Note, "too late");
    assert_eq!(world.marked(asked), Err(Reason::NoSuchSupervision));
}
