//! The machine under the calls: files that may be open, disk, clock, the mark on media packets.

use super::{Finding, Grade, Holder};
use crate::clock;
use crate::config::Config;
use rustix::process::{Resource, getrlimit};
use std::path::Path;
use undertone_core::time::Wall;

/// TCP connections of SIP and of HTTP; database, listeners, and some.
const FILES_BESIDE_MEDIA: u64 = 1_024 + 4_096 + 512;
const DISK_BROKEN_BYTES: u64 = 100 << 20;
const DISK_LOW_BYTES: u64 = 1 << 30;
/// A row may be written a moment before the doctor reads its own clock.
const CLOCK_SLACK_MS: i64 = 1_000;

pub(super) fn look(config: &Config, holder: Holder) -> Vec<Finding> {
    vec![files(config, holder), disk(&config.data), mark(config.dscp_media)]
}

fn files(config: &Config, holder: Holder) -> Finding {
    let pairs = match (config.rtp.from, config.rtp.to) {
        (0, 0) => return Finding::good("files: the kernel chooses media ports; no range to fill"),
        (from, to) => u64::from(to - from).div_ceil(2),
    };
    let running = match holder {
        Holder::Somebody(Some(pid)) => limit_of(pid),
        _ => None,
    };
    // A server raises its limit to the hard one as it starts.
    let limit = running.or_else(|| getrlimit(Resource::Nofile).maximum).unwrap_or(u64::MAX);
    let needed = pairs * 2 + FILES_BESIDE_MEDIA;
    if limit >= needed {
        return Finding::good(format!("files: {limit} may be open; {pairs} legs need {needed}"));
    }
    let legs = limit.saturating_sub(FILES_BESIDE_MEDIA) / 2;
    let what = format!("files: {limit} may be open, enough for {legs} of {pairs} legs");
    let remedy = format!("LimitNOFILE={needed} in the unit, or a smaller `rtp` range");
    if legs < 4 { Finding::broken(what, remedy) } else { Finding::note(what, remedy) }
}

/// `Max open files            1024                 524288               files`
fn limit_of(pid: u32) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/limits")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Bytes free where the data is, and what to think of them.
pub(crate) fn disk_free(data: &Path) -> std::io::Result<(u64, Grade)> {
    // Where it will be, if it is not there yet.
    let there = data.ancestors().find(|path| path.exists()).unwrap_or(Path::new("."));
    let there = if there.as_os_str().is_empty() { Path::new(".") } else { there };
    let stat = rustix::fs::statvfs(there)?;
    let free = stat.f_bavail.saturating_mul(stat.f_frsize);
    let grade = match free {
        ..DISK_BROKEN_BYTES => Grade::Broken,
        DISK_BROKEN_BYTES..DISK_LOW_BYTES => Grade::Note,
        _ => Grade::Good,
    };
    Ok((free, grade))
}

fn disk(data: &Path) -> Finding {
    let (free, grade) = match disk_free(data) {
        Ok(found) => found,
        Err(error) => {
            let what = format!("disk: {} cannot be looked at: {error}", data.display());
            return Finding::broken(what, "give this user the folder");
        }
    };
    let what = format!("disk: {} MiB free at {}", free >> 20, data.display());
    let most = "make room: without it no audit row is written, and none supervises";
    match grade {
        Grade::Broken => Finding::broken(what, most),
        Grade::Note => Finding::note(what, "make room soon"),
        Grade::Good => Finding::good(what),
    }
}

/// Whether the kernel takes the mark; whether the network keeps it, only the network knows.
fn mark(dscp: u8) -> Finding {
    let tos = dscp << 2; // the upper six bits of the field (RFC 2474)
    let marked = std::net::UdpSocket::bind("0.0.0.0:0").and_then(|socket| {
        rustix::net::sockopt::set_ip_tos(&socket, tos)?;
        Ok(rustix::net::sockopt::ip_tos(&socket)? == tos)
    });
    match marked {
        Ok(true) => Finding::good(format!("dscp: the kernel marks media as asked ({dscp})")),
        _ => Finding::note("dscp: the kernel does not mark packets", "media runs unmarked"),
    }
}

/// Times in records and the audit are wall time: it must not lie behind what is written.
pub(crate) fn clock(last_row: Option<Wall>) -> Finding {
    let now = clock::now().wall;
    if let Some(last) = last_row
        && last.0 > now.0 + CLOCK_SLACK_MS
    {
        let what = format!("clock: {} s behind the last audit row", (last.0 - now.0) / 1_000);
        return Finding::broken(what, "set the clock; keep it by NTP");
    }
    let kept = ["/run/systemd/timesync/synchronized", "/run/chrony/chronyd.pid", "/run/ntpd.pid"];
    match kept.iter().find(|path| Path::new(path).exists()) {
        Some(by) => Finding::good(format!("clock: not behind the audit; kept ({by})")),
        None => Finding::note(
            "clock: not behind the audit; nothing seen that keeps it",
            "run systemd-timesyncd or chrony, unless the host keeps it",
        ),
    }
}
