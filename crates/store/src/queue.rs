//! What waits to be written: bounded, taken in order of class; of a live call's notes only the
//! latest.
//!
//! Knows no SQL. A part is kept free for supervision, so that no flood of other rows can make
//! supervision wait for room, and the end of a call always finds room. Notes go first: whatever
//! row of a call is committed, the note of that turn is committed with it or before, so that a
//! start after a crash knows no less than the audit does. They are few (one a live call at most)
//! and cause no commit of their own.

use crate::error::StoreError;
use crate::journal::{Boot, Class, Committed};
use crate::outcome_rows::SaidOutcome;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::{Notify, oneshot};
use undertone_core::audit::AuditEntry;
use undertone_core::call::{CallRecord, OpenCall};
use undertone_core::id::CallId;
use undertone_core::time::Wall;

/// Rows that may wait in all.
pub(crate) const MAX_WAITING_ROWS: usize = 20_000;
/// Of these, kept for supervision.
const FOR_SUPERVISION_ROWS: usize = 4_000;
/// Rows in one transaction: large enough to share a commit, small enough to end soon.
const MAX_BATCH_ROWS: usize = 1_000;
/// Notes in one transaction, unless its rows need more of them.
const MAX_BATCH_NOTES: usize = 500;

#[derive(Debug)]
pub(crate) enum Item {
    Audit(Box<AuditEntry>),
    /// A call has ended: the rows of its end and its record, all or none.
    End {
        rows: Vec<AuditEntry>,
        record: Box<CallRecord>,
        /// Only if there still is a note of it: of two who close a lost call, one does.
        if_open: bool,
    },
    /// What came of a call, and the row that says who said so.
    Outcome(Box<(SaidOutcome, AuditEntry)>),
    Note(Boot, Box<OpenCall>),
    Seen(Boot, Wall),
    /// Writes nothing itself: the note of this call goes no later than this.
    Settle(CallId),
}

impl Item {
    /// The call that this tells of, and that the database must know of no later than this.
    fn call(&self) -> Option<&CallId> {
        match self {
            Item::Audit(entry) => entry.call.as_ref(),
            Item::Settle(call) => Some(call),
            Item::Outcome(said) => Some(&said.0.call),
            Item::End { .. } | Item::Note(..) | Item::Seen(..) => None,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) item: Item,
    /// None: nobody ever asks what became of it.
    pub(crate) waiter: Option<oneshot::Sender<Result<u64, StoreError>>>,
}

#[derive(Debug, Default)]
struct Lines {
    supervision: VecDeque<Waiting>,
    other: VecDeque<Waiting>,
    notes: BTreeMap<CallId, (Boot, Box<OpenCall>)>,
    seen: Option<(Boot, Wall)>,
    /// Rows that the writer holds and has not committed yet.
    in_hand: usize,
    closed: bool,
}

impl Lines {
    fn len(&self) -> usize {
        self.supervision.len() + self.other.len() + self.notes.len() + self.in_hand
    }

    fn take(&mut self) -> Vec<Waiting> {
        let unasked = |item| Waiting { item, waiter: None };
        let mut rows = Vec::new();
        while rows.len() < MAX_BATCH_ROWS
            && let Some(next) = self.supervision.pop_front().or_else(|| self.other.pop_front())
        {
            if let Item::End { record, .. } = &next.item {
                self.notes.remove(&record.view.id); // else it would come after the end
            }
            rows.push(next);
        }
        // Those that these rows need; then as many others as there is room for.
        let needed = rows.iter().filter_map(|row| row.item.call());
        let mut notes: Vec<_> = needed.filter_map(|call| self.notes.remove(call)).collect();
        while notes.len() < MAX_BATCH_NOTES
            && let Some((_, note)) = self.notes.pop_first()
        {
            notes.push(note);
        }
        let notes = notes.into_iter().map(|(boot, call)| unasked(Item::Note(boot, call)));
        let mut batch: Vec<_> = notes.chain(rows).collect();
        batch.extend(self.seen.take().map(|(boot, at)| unasked(Item::Seen(boot, at))));
        batch
    }
}

#[derive(Debug, Default)]
pub(crate) struct Queue {
    lines: Mutex<Lines>,
    arrived: Notify,
    pub(crate) rows_committed: AtomicU64,
    pub(crate) commits: AtomicU64,
    pub(crate) retries: AtomicU64,
}

impl Queue {
    pub(crate) fn push(&self, item: Item, class: Class) -> Committed {
        let mut lines = self.lock();
        if lines.closed {
            return Committed(Err(StoreError::Closed));
        }
        let waiting = lines.len();
        // A call that is over and is not recorded would be found open by the next start, hours
        // later. Its end takes the place of its note, so that there are no more than calls.
        let room = match (&item, class) {
            (Item::End { .. }, _) => usize::MAX,
            (_, Class::Supervision) => MAX_WAITING_ROWS,
            (_, Class::Other) => MAX_WAITING_ROWS - FOR_SUPERVISION_ROWS,
        };
        if waiting >= room {
            return Committed(Err(StoreError::QueueFull { waiting }));
        }
        let (tx, rx) = oneshot::channel();
        let waiting = Waiting { item, waiter: Some(tx) };
        match class {
            Class::Supervision => lines.supervision.push_back(waiting),
            Class::Other => lines.other.push_back(waiting),
        }
        drop(lines);
        self.arrived.notify_one();
        Committed(Ok(rx))
    }

    /// Takes the place of an earlier note of the same call that still waits. It goes with the next
    /// row or `seen`, whatever comes first: a commit of its own would keep the row that follows it
    /// waiting for the disk twice.
    pub(crate) fn note(&self, boot: Boot, call: OpenCall) {
        let mut lines = self.lock();
        if !lines.closed {
            lines.notes.insert(call.record.view.id.clone(), (boot, Box::new(call)));
        }
    }

    pub(crate) fn seen(&self, boot: Boot, at: Wall) {
        let mut lines = self.lock();
        lines.seen = (!lines.closed).then_some((boot, at));
        drop(lines);
        self.arrived.notify_one();
    }

    /// All that waits, at most a batch: notes, then supervision. None: closed and empty.
    pub(crate) async fn take(&self) -> Option<Vec<Waiting>> {
        loop {
            {
                let mut lines = self.lock();
                let batch = lines.take();
                lines.in_hand = batch.len();
                if !batch.is_empty() {
                    return Some(batch);
                }
                if lines.closed {
                    return None;
                }
            }
            self.arrived.notified().await;
        }
    }

    pub(crate) fn committed(&self, rows: usize) {
        self.lock().in_hand = 0;
        self.rows_committed.fetch_add(rows as u64, Ordering::Relaxed);
        self.commits.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.arrived.notify_one();
    }

    pub(crate) fn waiting(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Lines> {
        // Nothing panics while it is held; if something did, the lines are still whole.
        self.lines.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};
    use undertone_core::audit::{Outcome, Who};
    use undertone_core::id::OrgId;
    use undertone_core::plan::PlanVersion;
    use undertone_core::time::Wall;
    use undertone_core::view::{CallState, CallView, Direction, TimingView};

    fn row(what: &str) -> Item {
        Item::Audit(Box::new(AuditEntry {
            org: OrgId::parse("o").expect("an id"),
            at: Wall(0),
            who: Who::system(),
            what: what.into(),
            call: None,
            supervision: None,
            outcome: Outcome::Allowed,
            detail: BTreeMap::new(),
        }))
    }
    fn what(waiting: &Waiting) -> &str {
        match &waiting.item {
            Item::Audit(entry) => &entry.what,
            _ => "another",
        }
    }

    #[tokio::test]
    async fn supervision_goes_first_and_each_class_keeps_its_order() {
        let queue = Queue::default();
        for (name, class) in [
            ("other.1", Class::Other),
            ("sup.1", Class::Supervision),
            ("other.2", Class::Other),
            ("sup.2", Class::Supervision),
        ] {
            drop(queue.push(row(name), class));
        }
        let batch = queue.take().await.expect("four rows wait");
        let order: Vec<_> = batch.iter().map(what).collect();
        assert_eq!(order, ["sup.1", "sup.2", "other.1", "other.2"]);
    }

    #[tokio::test]
    async fn a_full_queue_says_so_and_still_has_room_for_supervision() {
        let queue = Queue::default();
        let room = MAX_WAITING_ROWS - FOR_SUPERVISION_ROWS;
        let kept: Vec<_> = (0..room).map(|_| queue.push(row("o"), Class::Other)).collect();
        assert!(kept.iter().all(|c| c.0.is_ok()));
        let refused = queue.push(row("o"), Class::Other).await;
        assert!(matches!(refused, Err(StoreError::QueueFull { waiting }) if waiting == room));
        assert!(queue.push(row("s"), Class::Supervision).0.is_ok());
        for _ in 1..FOR_SUPERVISION_ROWS {
            assert!(queue.push(row("s"), Class::Supervision).0.is_ok());
        }
        let refused = queue.push(row("s"), Class::Supervision).await;
        assert!(matches!(refused, Err(StoreError::QueueFull { waiting: MAX_WAITING_ROWS })));
    }

    /// A live call with nothing in it.
    fn open(n: usize) -> OpenCall {
        let view = CallView {
            id: CallId::parse(&format!("eu.n1.1.{n:05}")).expect("an id"),
            direction: Direction::Inbound,
            state: CallState::Talking,
            queue: None,
            campaign: None,
            started_at: Wall(0),
            answered_at: None,
            ended_at: None,
            end_reason: None,
            parties: Vec::new(),
            supervisions: Vec::new(),
            timing: TimingView::default(),
            timeline: Vec::new(),
            heard: Vec::new(),
            plan: PlanVersion(0),
            help: None,
            outcome: None,
        };
        let org = OrgId::parse("o").expect("an id");
        let record = CallRecord { org, view, agents: Vec::new(), supervisors: Vec::new() };
        OpenCall { at: Wall(0), record, grows: TimingView::default() }
    }

    fn boot() -> Boot {
        Boot { node: "eu.n1".into(), epoch: 1 }
    }

    fn row_of(n: usize) -> Item {
        let Item::Audit(mut entry) = row("of a call") else { panic!("a row") };
        entry.call = Some(open(n).record.view.id);
        Item::Audit(entry)
    }

    #[tokio::test]
    async fn of_many_calls_that_changed_no_row_goes_before_its_note() {
        const CALLS: usize = MAX_BATCH_NOTES * 3;
        let queue = Queue::default();
        for n in 0..CALLS {
            queue.note(boot(), open(n));
        }
        for n in (0..CALLS).rev() {
            drop(queue.push(row_of(n), Class::Other));
        }
        let (mut noted, mut rows) = (BTreeSet::new(), 0);
        while rows < CALLS {
            for waiting in queue.take().await.expect("rows wait") {
                match waiting.item {
                    Item::Note(_, call) => drop(noted.insert(call.record.view.id)),
                    Item::Audit(entry) => {
                        rows += 1;
                        let call = entry.call.expect("a call's row");
                        assert!(noted.contains(&call), "{call} has a row and no note");
                    }
                    other => panic!("{other:?}"),
                }
            }
            queue.committed(0);
        }
        assert_eq!(noted.len(), CALLS);
    }

    #[tokio::test]
    async fn the_end_of_a_call_finds_room_where_nothing_else_does() {
        let queue = Queue::default();
        for _ in 0..MAX_WAITING_ROWS {
            drop(queue.push(row("s"), Class::Supervision));
        }
        assert!(queue.push(row("s"), Class::Supervision).0.is_err());
        let record = Box::new(open(1).record);
        let end = Item::End { rows: vec![], record, if_open: false };
        assert!(queue.push(end, Class::Other).0.is_ok());
    }

    #[tokio::test]
    async fn a_closed_queue_gives_out_what_it_holds_and_takes_no_more() {
        let queue = Queue::default();
        drop(queue.push(row("last"), Class::Other));
        queue.close();
        assert!(matches!(queue.push(row("late"), Class::Other).await, Err(StoreError::Closed)));
        assert_eq!(queue.take().await.expect("the last row").len(), 1);
        assert!(queue.take().await.is_none());
    }
}
