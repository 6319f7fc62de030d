//! An answer that a media thread gives once: awaited by a task, or waited for by a thread.
//! Belongs to no runtime.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

struct Slot<T> {
    state: Mutex<State<T>>,
    filled: Condvar,
}

struct State<T> {
    value: Option<T>,
    gone: bool,
    waker: Option<Waker>,
}

impl<T> Slot<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Resolves to None if the bridge, or the whole engine, went away before it answered.
#[must_use = "an answer that nobody waits for; drop it if so meant"]
pub struct Pending<T>(Arc<Slot<T>>);

/// The other end: gives the answer, or tells by being dropped that none will come.
pub(crate) struct Answer<T>(Arc<Slot<T>>);

pub(crate) fn pending<T>() -> (Answer<T>, Pending<T>) {
    let state = Mutex::new(State { value: None, gone: false, waker: None });
    let slot = Arc::new(Slot { state, filled: Condvar::new() });
    (Answer(slot.clone()), Pending(slot))
}

impl<T> Answer<T> {
    pub(crate) fn give(self, value: T) {
        self.0.lock().value = Some(value);
    }
}

impl<T> Drop for Answer<T> {
    fn drop(&mut self) {
        let waker = {
            let mut state = self.0.lock();
            state.gone = true;
            state.waker.take()
        };
        self.0.filled.notify_all();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<T> Pending<T> {
    /// Blocks the calling thread, at most `timeout`. Not for use inside a task.
    pub fn wait(self, timeout: Duration) -> Option<T> {
        let state = self.0.lock();
        let unfilled = |s: &mut State<T>| s.value.is_none() && !s.gone;
        let waited = self.0.filled.wait_timeout_while(state, timeout, unfilled);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.value.take()
    }
}

impl<T> Future for Pending<T> {
    type Output = Option<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let mut state = self.0.lock();
        if state.value.is_some() || state.gone {
            return Poll::Ready(state.value.take());
        }
        state.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_given_before_the_wait_is_kept() {
        let (answer, waiting) = pending();
        answer.give(7);
        assert_eq!(waiting.wait(Duration::from_secs(5)), Some(7));
    }

    #[test]
    fn an_answer_that_is_dropped_ends_the_wait() {
        let (answer, waiting) = pending::<u8>();
        let other = std::thread::spawn(move || drop(answer));
        assert_eq!(waiting.wait(Duration::from_secs(5)), None);
        other.join().expect("no panic");
    }
}
