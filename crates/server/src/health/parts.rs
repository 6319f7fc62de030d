//! One look at each part: what it says, and from when on that is worth somebody's attention.

use super::{Vitals, item};
use crate::clock;
use crate::config::RtpRange;
use crate::doctor::{self, Grade};
use crate::https::{Https, Warning};
use crate::switchboard::Switchboard;
use rustix::process::{Resource, getrlimit};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use undertone_api::{HealthItem, HealthState};
use undertone_core::time::Wall;
use undertone_core::trunk::Trunk;
use undertone_engine::Gauges;
use undertone_sip::Sip;
use undertone_store::{AuditFilter, Store};

const DATABASE_WITHIN: Duration = Duration::from_secs(3);
const DATABASE_SLOW: Duration = Duration::from_millis(250);
const SOON_DAYS: i64 = 14;

impl From<Grade> for HealthState {
    fn from(grade: Grade) -> Self {
        match grade {
            Grade::Good => HealthState::Ok,
            Grade::Note => HealthState::Warn,
            Grade::Broken => HealthState::Bad,
        }
    }
}

/// How much of what there is is used: four fifths is worth a word, nearly all is bad.
fn filled(used: u64, all: u64) -> HealthState {
    match (used.saturating_mul(100)).checked_div(all) {
        Some(95..) | None => HealthState::Bad,
        Some(80..) => HealthState::Warn,
        Some(_) => HealthState::Ok,
    }
}

impl Vitals {
    pub(super) fn uptime(&self, board: &Switchboard) -> HealthItem {
        let lasted = span(self.started.elapsed());
        match board.is_draining() {
            false => item("uptime", HealthState::Ok, lasted, ""),
            true => item("uptime", HealthState::Warn, lasted, "shutting down: no new calls"),
        }
    }

    pub(super) fn disk_free(&self) -> HealthItem {
        let at = self.data.display().to_string();
        match doctor::disk_free(&self.data) {
            Ok((free, grade)) => item("disk_free", grade.into(), size(free), at),
            Err(error) => item("disk_free", HealthState::Bad, "", format!("{at}: {error}")),
        }
    }

    /// Pairs, one for each leg of a telephone; browsers share one port.
    pub(super) fn rtp_ports(&self, gauges: &Gauges) -> HealthItem {
        let used = gauges.ports_in_use;
        let fixed = |range: &&RtpRange| (range.from, range.to) != (0, 0);
        if self.rtp.iter().filter(fixed).count() < self.rtp.len() {
            let detail = "the kernel chooses them";
            return item("rtp_ports", HealthState::Ok, used.to_string(), detail);
        }
        let pairs = |range: &RtpRange| u64::from(range.to.saturating_sub(range.from)).div_ceil(2);
        let all: u64 = self.rtp.iter().map(pairs).sum();
        let mut detail = String::new();
        let mut state = filled(used, all);
        if gauges.ports_refused > 0 {
            detail = format!("{} legs found none since the start", gauges.ports_refused);
            state = state.max(HealthState::Warn);
        }
        item("rtp_ports", state, format!("{used} / {all}"), detail)
    }

    pub(super) fn privacy_alarms(&self) -> HealthItem {
        let count = self.media.privacy_alarms.load(Ordering::Relaxed);
        let (state, detail) = match count {
            0 => (HealthState::Ok, ""),
            _ => (HealthState::Bad, "what somebody must not hear was silenced; report this"),
        };
        item("privacy_alarms", state, count.to_string(), detail)
    }
}

pub(super) async fn database(store: &Store) -> HealthItem {
    let asked = Instant::now();
    let answer = tokio::time::timeout(DATABASE_WITHIN, store.directory_version()).await;
    let took = asked.elapsed();
    let (state, detail) = match answer {
        Ok(Ok(_)) if took < DATABASE_SLOW => (HealthState::Ok, String::new()),
        Ok(Ok(_)) => (HealthState::Warn, "slow to answer".to_owned()),
        Ok(Err(error)) => (HealthState::Bad, error.to_string()),
        Err(_) => (HealthState::Bad, format!("no answer in {} s", DATABASE_WITHIN.as_secs())),
    };
    let value = format!("{:.1} ms", took.as_secs_f64() * 1e3);
    item("database", state, value, detail)
}

/// Not behind what is written, and kept by somebody.
pub(super) async fn clock(store: &Store) -> HealthItem {
    let newest = store.audit(AuditFilter { limit: 1, ..AuditFilter::default() });
    let newest = tokio::time::timeout(DATABASE_WITHIN, newest).await;
    // Where the database is away its own line says so.
    let last: Option<Wall> = match newest {
        Ok(Ok(page)) => page.items.first().map(|row| row.entry.at),
        _ => None,
    };
    let (grade, detail) = doctor::clock(last).said();
    let now = clock::now().wall.0.div_euclid(1_000).rem_euclid(86_400);
    let value = format!("{:02}:{:02}:{:02} UTC", now / 3_600, now / 60 % 60, now % 60);
    item("clock", grade.into(), value, detail)
}

pub(super) fn open_files() -> HealthItem {
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    match std::fs::read_dir("/proc/self/fd") {
        Ok(open) => {
            let open = open.count() as u64;
            item("open_files", filled(open, limit), format!("{open} / {limit}"), "")
        }
        Err(error) => item("open_files", HealthState::Warn, "", error.to_string()),
    }
}

pub(super) fn sip_listeners(sip: &Sip) -> HealthItem {
    let all = sip.listening();
    let said = |one: &undertone_sip::Listen| match one.transport {
        undertone_sip::Transport::Udp => format!("udp {}", one.addr),
        undertone_sip::Transport::Tcp => format!("tcp {}", one.addr),
    };
    let detail: Vec<_> = all.iter().map(said).collect();
    item("sip_listeners", HealthState::Ok, all.len().to_string(), detail.join(", "))
}

/// None where there are none.
pub(super) fn trunks(board: &Switchboard) -> Option<HealthItem> {
    let dir = board.directory();
    let exchange = &board.house().exchange;
    let now = clock::now().mono;
    let why = |trunk: &Trunk| {
        let registers = trunk.login.as_ref().is_some_and(|login| login.register);
        if !exchange.traffic().is_up(trunk, now) {
            Some(format!("{} does not answer", trunk.id))
        } else if registers && !exchange.is_registered(&trunk.id) {
            Some(format!("{} has not registered us", trunk.id))
        } else {
            None
        }
    };
    let down: Vec<_> = dir.trunks.values().filter_map(why).collect();
    let (all, up) = (dir.trunks.len(), dir.trunks.len() - down.len());
    let state = match (all, up) {
        (0, _) => return None,
        (_, 0) => HealthState::Bad,
        (all, up) if up < all => HealthState::Warn,
        _ => HealthState::Ok,
    };
    Some(item("trunks", state, format!("{up} / {all}"), down.join(", ")))
}

pub(super) fn certificate(https: Option<&Arc<Https>>) -> HealthItem {
    let id = "certificate";
    let Some(https) = https else {
        let detail = "plain HTTP, on this machine or behind a proxy";
        return item(id, HealthState::Ok, "none", detail);
    };
    let Some(until) = https.valid_until() else {
        return match https.is_issued() {
            true => item(id, HealthState::Ok, "by ACME", "renewed by itself"),
            false => item(id, HealthState::Warn, "none yet", "the authority has not given one"),
        };
    };
    let days = (until - clock::now().wall.0 / 1_000).div_euclid(86_400);
    let value = format!("{days} d");
    match &https.warning {
        _ if days < 0 => item(id, HealthState::Bad, value, "it has ended"),
        Some(Warning::SelfSigned(_)) => {
            item(id, HealthState::Warn, value, "one of our own, which browsers warn of")
        }
        None if days < SOON_DAYS => item(id, HealthState::Warn, value, "renew it"),
        None => item(id, HealthState::Ok, value, ""),
    }
}

fn span(lasted: Duration) -> String {
    let s = lasted.as_secs();
    match s {
        ..60 => format!("{s} s"),
        60..3_600 => format!("{} min", s / 60),
        3_600..86_400 => format!("{} h {} min", s / 3_600, s / 60 % 60),
        _ => format!("{} d {} h", s / 86_400, s / 3_600 % 24),
    }
}

fn size(bytes: u64) -> String {
    match bytes >> 20 {
        mib @ ..10_240 => format!("{mib} MiB"),
        mib => format!("{} GiB", mib >> 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_nearly_full_is_said_before_it_is_full() {
        assert_eq!(filled(79, 100), HealthState::Ok);
        assert_eq!(filled(80, 100), HealthState::Warn);
        assert_eq!(filled(95, 100), HealthState::Bad);
        assert_eq!(filled(0, 0), HealthState::Bad, "nothing at all is no room");
        assert_eq!(filled(10, u64::MAX), HealthState::Ok);
    }

    #[test]
    fn spans_and_sizes_are_short() {
        let spans = [59, 61, 3_661, 90_000].map(|s| span(Duration::from_secs(s)));
        assert_eq!(spans, ["59 s", "1 min", "1 h 1 min", "1 d 1 h"]);
        assert_eq!([size(700 << 20), size(20 << 30)], ["700 MiB", "20 GiB"]);
    }
}
