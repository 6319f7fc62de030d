//! Which thread a bridge is on. Read by whoever commands a bridge, never on the packet path.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rustc_hash::FxHashMap;
use undertone_core::id::BridgeId;

use crate::command::{Command, Queue};

#[derive(Default)]
struct Table {
    threads: FxHashMap<BridgeId, usize>,
    /// Bridges on each thread.
    load: Vec<usize>,
}

/// Held while a command is queued, so that a bridge's commands and its moves keep one order.
pub(crate) struct Routes(Mutex<Table>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    Yes,
    NoSuchBridge,
    Full,
}

impl Routes {
    pub(crate) fn new(threads: usize) -> Self {
        Self(Mutex::new(Table { threads: FxHashMap::default(), load: vec![0; threads] }))
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn thread_of(&self, id: BridgeId) -> Option<usize> {
        self.table().threads.get(&id).copied()
    }

    /// Opens on the given thread, else on the one with the fewest bridges.
    pub(crate) fn open(
        &self,
        queues: &[Queue],
        (id, seed): (BridgeId, u64),
        thread: Option<usize>,
    ) -> Option<Sent> {
        let mut table = self.table();
        if table.threads.contains_key(&id) {
            return None;
        }
        let emptiest = || (0..queues.len()).min_by_key(|t| table.load[*t]);
        let thread = thread.or_else(emptiest).unwrap_or(0);
        if !queues[thread].push(Command::Open { id, seed }) {
            return Some(Sent::Full);
        }
        table.threads.insert(id, thread);
        table.load[thread] += 1;
        Some(Sent::Yes)
    }

    pub(crate) fn send(&self, queues: &[Queue], id: BridgeId, command: Command) -> Sent {
        let table = self.table();
        match table.threads.get(&id) {
            None => Sent::NoSuchBridge,
            Some(thread) if queues[*thread].push(command) => Sent::Yes,
            Some(_) => Sent::Full,
        }
    }

    pub(crate) fn close(&self, queues: &[Queue], id: BridgeId) {
        let mut table = self.table();
        if let Some(thread) = table.threads.remove(&id) {
            table.load[thread] -= 1;
            queues[thread].push(Command::Close { id });
        }
    }

    pub(crate) fn forget(&self, id: BridgeId) {
        let mut table = self.table();
        if let Some(thread) = table.threads.remove(&id) {
            table.load[thread] -= 1;
        }
    }

    /// The new thread is told to expect the bridge before the old one is told to release it, and
    /// both before any later command finds its way: nothing is lost between them.
    pub(crate) fn move_to(&self, queues: &[Queue], id: BridgeId, to: usize) -> Sent {
        let mut table = self.table();
        let Some(from) = table.threads.get(&id).copied() else { return Sent::NoSuchBridge };
        if from == to {
            return Sent::Yes;
        }
        queues[to].push(Command::Expect { id });
        queues[from].push(Command::Release { id, to });
        table.threads.insert(id, to);
        table.load[from] -= 1;
        table.load[to] += 1;
        Sent::Yes
    }
}
