//! The kernel, as far as the standard library does not reach: epoll, its waker, the thread's
//! clock, priority and cores. The only module of the workspace with `unsafe`; it knows no media.
//!
//! Epoll is used directly, and level-triggered: one `recv` a readiness is then enough, where the
//! edge-triggered registration of mio must read on until the kernel says that nothing is left,
//! which doubles the system calls of a socket that gets one packet every 20 ms.
#![allow(unsafe_code)] // each block names why it is sound

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::time::Duration;

use undertone_core::time::Mono;

/// Microseconds of CLOCK_MONOTONIC: the same line in every process of this machine.
pub(crate) fn clock() -> Mono {
    let mut ts = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `ts` is a valid timespec to write to; this clock always exists.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut ts) };
    Mono(ts.tv_sec as u64 * 1_000_000 + ts.tv_nsec as u64 / 1_000)
}

/// What epoll reported, by the token under which the descriptor was added.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(crate) struct Ready(libc::epoll_event);

impl Ready {
    pub(crate) const NONE: Ready = Ready(libc::epoll_event { events: 0, u64: 0 });

    pub(crate) fn token(&self) -> u64 {
        self.0.u64
    }
}

pub(crate) struct Epoll {
    fd: OwnedFd,
    /// The kernel lacks epoll_pwait2 (before 5.11): whole milliseconds then.
    coarse: bool,
}

impl Epoll {
    pub(crate) fn new() -> io::Result<Self> {
        // SAFETY: no pointer is passed; the descriptor returned is ours alone.
        let fd = check(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
        // SAFETY: `fd` was just opened and nobody else owns it.
        Ok(Self { fd: unsafe { OwnedFd::from_raw_fd(fd) }, coarse: false })
    }

    pub(crate) fn add(&self, what: &impl AsRawFd, token: u64) -> io::Result<()> {
        let mut event = libc::epoll_event { events: libc::EPOLLIN as u32, u64: token };
        let (ep, fd) = (self.fd.as_raw_fd(), what.as_raw_fd());
        // SAFETY: both descriptors are open while borrowed; the kernel copies `event`.
        check(unsafe { libc::epoll_ctl(ep, libc::EPOLL_CTL_ADD, fd, &raw mut event) })?;
        Ok(())
    }

    pub(crate) fn remove(&self, what: &impl AsRawFd) {
        let (ep, fd) = (self.fd.as_raw_fd(), what.as_raw_fd());
        // SAFETY: both descriptors are open while borrowed; DEL reads no event. It fails only
        // where the descriptor was never added, and then there is nothing to undo.
        unsafe { libc::epoll_ctl(ep, libc::EPOLL_CTL_DEL, fd, std::ptr::null_mut()) };
    }

    /// Waits for readiness at most `timeout` (None: without end) and fills `into`.
    pub(crate) fn wait(&mut self, into: &mut [Ready], timeout: Option<Duration>) -> usize {
        let n = if self.coarse { -1 } else { self.wait_exact(into, timeout) };
        let n = if n == -1 && (self.coarse || last_is(libc::ENOSYS)) {
            self.coarse = true;
            self.wait_coarse(into, timeout)
        } else {
            n
        };
        // EINTR and every other failure is an empty turn: the caller looks at its clock again.
        usize::try_from(n).unwrap_or(0)
    }

    fn wait_exact(&self, into: &mut [Ready], timeout: Option<Duration>) -> i64 {
        let ts = timeout.map(|t| libc::timespec {
            tv_sec: t.as_secs() as libc::time_t,
            tv_nsec: libc::c_long::from(t.subsec_nanos()),
        });
        let ts = ts.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
        let no_mask = std::ptr::null::<libc::sigset_t>();
        let (ep, room) = (self.fd.as_raw_fd(), into.len() as libc::c_int);
        // SAFETY: `into` has room for `room` events (Ready is a transparent epoll_event); `ts` is
        // null or lives until the call returns; a null mask leaves signals as they are.
        let n = unsafe {
            libc::syscall(libc::SYS_epoll_pwait2, ep, into.as_mut_ptr(), room, ts, no_mask, 0usize)
        };
        n as i64
    }

    fn wait_coarse(&self, into: &mut [Ready], timeout: Option<Duration>) -> i64 {
        // Rounded up: a tick that is late by less than 1 ms, instead of a turn that spins.
        let ms = timeout.map_or(-1, |t| t.as_micros().div_ceil(1_000).min(60_000) as libc::c_int);
        let (ep, room) = (self.fd.as_raw_fd(), into.len() as libc::c_int);
        // SAFETY: `into` has room for `room` events, of which Ready is a transparent form.
        let n = unsafe { libc::epoll_wait(ep, into.as_mut_ptr().cast(), room, ms) };
        i64::from(n)
    }
}

/// Ends another thread's wait.
pub(crate) struct Waker(OwnedFd);

impl Waker {
    pub(crate) fn new() -> io::Result<Self> {
        // SAFETY: no pointer is passed; the descriptor returned is ours alone.
        let fd = check(unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) })?;
        // SAFETY: `fd` was just opened and nobody else owns it.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    pub(crate) fn wake(&self) {
        let one = 1u64.to_ne_bytes();
        // SAFETY: eight readable bytes, as an eventfd wants. It fails only where the counter is
        // full, and then the waiter is awake anyway.
        unsafe { libc::write(self.0.as_raw_fd(), one.as_ptr().cast(), one.len()) };
    }

    pub(crate) fn reset(&self) {
        let mut count = [0u8; 8];
        // SAFETY: eight writable bytes, as an eventfd wants; non-blocking.
        unsafe { libc::read(self.0.as_raw_fd(), count.as_mut_ptr().cast(), count.len()) };
    }
}

impl AsRawFd for Waker {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

/// Asks to run before ordinary work; says what was granted.
pub(crate) fn ask_for_priority() -> &'static str {
    let param = libc::sched_param { sched_priority: 10 };
    // SAFETY: pid 0 is the calling thread; `param` is read before the call returns.
    if unsafe { libc::sched_setscheduler(0, libc::SCHED_RR, &raw const param) } == 0 {
        return "SCHED_RR 10";
    }
    // SAFETY: plain numbers. On Linux `who` 0 is the calling thread, not the process.
    if unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, -11) } == 0 {
        return "nice -11";
    }
    "none"
}

/// Keeps the calling thread on one core.
pub(crate) fn pin_to(core: usize) -> io::Result<()> {
    // SAFETY: a cpu_set_t of zeroes is the empty set.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    if core >= libc::CPU_SETSIZE as usize {
        return Err(io::Error::from_raw_os_error(libc::EINVAL));
    }
    // SAFETY: `core` is within the set, as tested above.
    unsafe { libc::CPU_SET(core, &mut set) };
    // SAFETY: the set is valid and its size is given; pid 0 is the calling thread.
    check(unsafe { libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set) })?;
    Ok(())
}

/// CPU that the calling thread has used so far.
pub(crate) fn thread_cpu_us() -> u64 {
    let mut ts = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `ts` is a valid timespec to write to; this clock always exists.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut ts) };
    ts.tv_sec as u64 * 1_000_000 + ts.tv_nsec as u64 / 1_000
}

/// Sleeps; used only between two turns of a busy thread, to gather packets.
pub(crate) fn nap(time: Duration) {
    let ts = libc::timespec { tv_sec: 0, tv_nsec: libc::c_long::from(time.subsec_nanos()) };
    // SAFETY: `ts` is valid, and no remainder is asked for: a nap cut short is as good.
    unsafe { libc::nanosleep(&raw const ts, std::ptr::null_mut()) };
}

fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

fn last_is(errno: i32) -> bool {
    io::Error::last_os_error().raw_os_error() == Some(errno)
}
