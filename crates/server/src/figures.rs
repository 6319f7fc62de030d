//! The metrics page: what the parts count, in Prometheus's text form. Counts nothing itself.

use crate::clock;
use crate::serve::Server;
use crate::switchboard::Switchboard;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use undertone_core::trunk::Trunk;
use undertone_engine::LATENESS_BOUNDS_US;

struct Page(String);

impl Page {
    fn gauge(&mut self, name: &str, value: impl std::fmt::Display) {
        let _ = writeln!(self.0, "# TYPE undertone_{name} gauge\nundertone_{name} {value}");
    }
    fn counter(&mut self, name: &str, value: impl std::fmt::Display) {
        let _ = writeln!(self.0, "# TYPE undertone_{name} counter\nundertone_{name} {value}");
    }
    /// The labels are words of ours: none needs escaping, and there is a fixed number of them.
    fn by_reason(&mut self, name: &str, each: impl IntoIterator<Item = (&'static str, u64)>) {
        let _ = writeln!(self.0, "# TYPE undertone_{name} counter");
        for (reason, count) in each {
            let _ = writeln!(self.0, "undertone_{name}{{reason=\"{reason}\"}} {count}");
        }
    }
}

/// Renders the figures of a server at the moment of asking.
pub fn of(server: &Server) -> impl Fn() -> String + Send + Sync + 'static {
    let (board, engine) = (server.board.clone(), server.engine.clone());
    let (sip, store, media) = (server.sip().clone(), server.store.clone(), server.media.clone());
    let places = server.places.clone();
    move || {
        let mut page = Page(String::new());
        let count = |c: &AtomicU64| c.load(Ordering::Relaxed);
        let counts = &board.house().counts;
        page.gauge("calls_live", board.house().register.live_calls());
        page.counter("calls_started_total", count(&counts.calls_started));
        page.counter("calls_ended_total", count(&counts.calls_ended));
        page.counter("calls_failed_total", count(&counts.calls_failed));
        page.counter("calls_turned_away_total", count(&counts.calls_turned_away));
        page.by_reason("calls_refused_total", counts.calls_refused.each());
        page.by_reason("tapping_codes_refused_total", counts.codes_refused.each());
        trunk_figures(&mut page, &board);
        page.counter("audit_rows_failed_total", count(&counts.rows_failed));
        page.counter("privacy_alarms_total", count(&media.privacy_alarms));
        page.counter("media_reports_lost_total", count(&media.reports_lost));
        media_figures(&mut page, &engine.gauges());
        let sip = sip.gauges();
        page.gauge("sip_dialogs", sip.dialogs);
        page.gauge("sip_transactions", sip.transactions);
        page.counter("sip_received_total", sip.received);
        page.counter("sip_sent_total", sip.sent);
        page.counter("sip_dropped_total", sip.dropped);
        page.counter("sip_refused_total", sip.refused);
        door_figures(&mut page, &sip.door);
        let http = places.gauges();
        page.gauge("http_connections", http.connections);
        page.counter("http_connections_made_room_total", http.made_room);
        page.counter("http_connections_refused_total", http.refused);
        let journal = store.gauges();
        page.gauge("journal_waiting", journal.waiting);
        page.counter("journal_rows_total", journal.rows_committed);
        page.counter("journal_commits_total", journal.commits);
        page.counter("journal_retries_total", journal.retries);
        page.0
    }
}

/// Each trunk by its id, which needs no escaping in a label.
fn trunk_figures(page: &mut Page, board: &Switchboard) {
    let dir = board.directory();
    let (traffic, now) = (board.house().exchange.traffic(), clock::now().mono);
    let mut each = |name: &str, value: &dyn Fn(&Trunk) -> u32| {
        let _ = writeln!(page.0, "# TYPE undertone_{name} gauge");
        for trunk in dir.trunks.values() {
            let (id, value) = (&trunk.id, value(trunk));
            let _ = writeln!(page.0, "undertone_{name}{{trunk=\"{id}\"}} {value}");
        }
    };
    each("trunk_up", &|trunk| u32::from(traffic.is_up(trunk, now)));
    each("trunk_channels_in_use", &|trunk| traffic.channels(&trunk.id));
    each("trunk_registered", &|trunk| u32::from(board.house().exchange.is_registered(&trunk.id)));
    each("trunk_channels_max", &|trunk| trunk.channels_max.unwrap_or(0));
}

/// Who knocks: challenged, refused and why, locked, slowed down.
fn door_figures(page: &mut Page, door: &undertone_sip::DoorGauges) {
    page.counter("sip_door_challenged_total", door.challenged);
    page.counter("sip_door_locks_total", door.locks);
    let refused = [
        ("wrong_password", door.wrong),
        ("locked", door.locked),
        ("not_own_name", door.not_own),
        ("too_often", door.slowed),
    ];
    page.by_reason("sip_door_refused_total", refused);
}

fn media_figures(page: &mut Page, media: &undertone_engine::Gauges) {
    page.gauge("media_threads", media.threads);
    page.gauge("media_bridges", media.bridges);
    page.gauge("media_legs", media.legs);
    page.gauge("media_taps", media.taps);
    page.gauge("media_browsers", media.browsers);
    page.gauge("media_ports_in_use", media.ports_in_use);
    page.counter("media_ports_refused_total", media.ports_refused);
    page.gauge("media_commands_waiting", media.commands_waiting);
    page.counter("media_packets_in_total", media.packets_in);
    page.counter("media_packets_out_total", media.packets_out);
    page.counter("media_packets_unsent_total", media.packets_unsent);
    page.counter("media_packets_foreign_total", media.packets_foreign);
    page.counter("media_ticks_total", media.ticks);
    page.counter("media_ticks_skipped_total", media.ticks_skipped);
    page.counter("media_bridges_panicked_total", media.bridges_panicked);
    page.counter("media_cpu_seconds_total", media.cpu_us as f64 / 1e6);
    let _ = writeln!(page.0, "# TYPE undertone_media_tick_lateness_seconds histogram");
    let mut sum = 0;
    for (i, count) in media.lateness.counts.iter().enumerate() {
        sum += count;
        let le = LATENESS_BOUNDS_US.get(i).map_or("+Inf".into(), |us| {
            let seconds = *us as f64 / 1e6;
            seconds.to_string()
        });
        let name = "undertone_media_tick_lateness_seconds_bucket";
        let _ = writeln!(page.0, "{name}{{le=\"{le}\"}} {sum}");
    }
    let seconds = media.lateness.sum_us as f64 / 1e6;
    let _ = writeln!(page.0, "undertone_media_tick_lateness_seconds_sum {seconds}");
    let _ = writeln!(page.0, "undertone_media_tick_lateness_seconds_count {sum}");
}
