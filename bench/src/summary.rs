//! What is printed and what `target/bench/summary.json` holds (`docs/API.md`).

use crate::browsers::Speaks;
use crate::memory::Memory;
use crate::rounds::{Kind, Round};
use crate::switching::{Delays, quantile};
use anyhow::{Context, Result};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;

pub struct Summary {
    pub relays: Vec<Round>,
    pub kinds: BTreeMap<Kind, Vec<Round>>,
    /// Beside the browsers, of as many calls.
    pub few: Vec<Round>,
    pub browsers: BTreeMap<Speaks, Vec<Round>>,
    pub delays: Delays,
    pub memory: Memory,
    pub capacity: Option<usize>,
}

pub fn line(round: usize, what: &str, r: &Round) {
    let ms = |v: Option<f64>| v.map_or("-".to_owned(), |v| format!("{v:.2}"));
    println!(
        "{round:>2} {what:<14} {:>4} calls  {:.3} CPU-ms/call-s  {:>3.0} % of a core  \
         loss {:.6}  p50 {} ms  p99 {} ms",
        r.calls,
        r.cpu_ms_per_call_s,
        r.cpu_share * 100.0,
        r.loss,
        ms(r.p50_ms),
        ms(r.p99_ms),
    );
}

fn median(rounds: &[Round], of: impl Fn(&Round) -> Option<f64>) -> Option<f64> {
    let mut values: Vec<f64> = rounds.iter().filter_map(of).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

fn machine() -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|l| l.strip_prefix("model name")).unwrap_or("?");
    let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
    format!("{} x {}", cores, model.trim_start_matches([' ', '\t', ':']))
}

pub fn write(s: &Summary) -> Result<()> {
    let relay = median(&s.relays, |r| Some(r.cpu_ms_per_call_s)).context("no relay round")?;
    let relay_p99 = median(&s.relays, |r| r.p99_ms);
    let mut out = Map::new();
    out.insert("machine".into(), json!(machine()));
    out.insert("relay_cpu_ms_per_call_s".into(), json!(relay));
    out.insert("relay_p99_ms".into(), json!(relay_p99));
    println!(
        "\n{:<10} {:>6} {:>16} {:>8} {:>10} {:>10}",
        "", "calls", "CPU-ms/call-s", "x relay", "p50 ms", "p99 ms"
    );
    println!("{:<10} {:>6} {relay:>16.3} {:>8}", "relay", "", "1.00");
    for (kind, rounds) in &s.kinds {
        let cpu = median(rounds, |r| Some(r.cpu_ms_per_call_s)).context("no round")?;
        let added = |of: fn(&Round) -> Option<f64>| median(rounds, of);
        let mut entry = json!({
            "calls": rounds[0].calls,
            "cpu_ms_per_call_s": cpu,
            "ratio_to_relay": cpu / relay,
            "loss": median(rounds, |r| Some(r.loss)),
            "added_latency_ms": {"p50": added(|r| r.p50_ms), "p99": added(|r| r.p99_ms)},
        });
        if *kind == Kind::Plain {
            let Memory { plain_call, bare_call } = s.memory;
            entry["rss_kb_per_call"] = json!(plain_call);
            entry["rss_kb_per_bare_sip_call"] = json!(bare_call);
            println!(
                "memory a call: {plain_call:.0} kB; of the SIP library alone: {bare_call:.0} kB"
            );
        }
        println!(
            "{:<10} {:>6} {cpu:>16.3} {:>8.2} {:>10.2} {:>10.2}",
            kind.name(),
            rounds[0].calls,
            cpu / relay,
            added(|r| r.p50_ms).unwrap_or(f64::NAN),
            added(|r| r.p99_ms).unwrap_or(f64::NAN),
        );
        out.insert(kind.name().into(), entry);
    }
    let few = median(&s.few, |r| Some(r.cpu_ms_per_call_s)).context("no relay round")?;
    println!("relay of few {:>4} {few:>16.3} {:>8}", s.few[0].calls, "1.00");
    for (speaks, rounds) in &s.browsers {
        let cpu = median(rounds, |r| Some(r.cpu_ms_per_call_s)).context("no round")?;
        let (name, calls) = (speaks.name(), rounds[0].calls);
        let loss = median(rounds, |r| Some(r.loss));
        out.insert(
            name.into(),
            json!({"calls": calls, "cpu_ms_per_call_s": cpu, "ratio_to_relay": cpu / few, "loss": loss}),
        );
        println!("{name:<12} {calls:>4} {cpu:>16.3} {:>8.2}", cpu / few);
    }
    let pair = |list: &[f64]| json!({"p50": quantile(list, 0.5), "p99": quantile(list, 0.99)});
    out.insert("mode_switch_ms".into(), pair(&s.delays.switch_ms));
    out.insert("barge_switch_ms".into(), pair(&s.delays.barge_ms));
    out.insert("attach_ms".into(), pair(&s.delays.attach_ms));
    out.insert("max_supervised_calls_per_core".into(), json!(s.capacity));
    for key in ["mode_switch_ms", "barge_switch_ms", "attach_ms", "max_supervised_calls_per_core"] {
        println!("{key}: {}", out[key]);
    }
    let folder = std::env::var_os("CARGO_TARGET_DIR").map_or("target".into(), PathBuf::from);
    let path = folder.join("bench/summary.json");
    std::fs::create_dir_all(folder.join("bench"))?;
    std::fs::write(&path, serde_json::to_string_pretty(&Value::Object(out))? + "\n")?;
    println!("written: {}", path.display());
    Ok(())
}
