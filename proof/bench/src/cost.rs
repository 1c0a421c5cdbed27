// SPDX-License-Identifier: AGPL-3.0-or-later
//! CPU and memory of the server's process, of this one, and of everybody else on the machine (Linux, `/proc`).

use std::{fs, time::Instant};

use serde_json::{Value, json};

/// Seconds of CPU a process has used, its threads included.
fn cpu(pid: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks = |field| number(after_name.split_whitespace().nth(field));
    (ticks(11) + ticks(12)) / ticks_per_second()
}

/// Seconds of CPU the machine has used.
fn busy() -> f64 {
    let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
    let first = stat.lines().next().unwrap_or_default();
    let all = first.split_whitespace().skip(1).map(|word| number(Some(word))).collect::<Vec<_>>();
    // User, nice, system, interrupts, soft interrupts, stolen; not idle, not waiting.
    [0, 1, 2, 5, 6, 7].iter().filter_map(|field| all.get(*field)).sum::<f64>() / ticks_per_second()
}

/// Proportional resident memory of a process, KiB.
pub(crate) fn memory_kib(pid: u32) -> f64 {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"));
    number(line.and_then(|rest| rest.split_whitespace().next()))
}

/// The one-minute load.
pub(crate) fn load() -> f64 {
    let all = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    number(all.split(' ').next())
}

fn number(word: Option<&str>) -> f64 {
    word.and_then(|word| word.parse().ok()).unwrap_or(0.0)
}

fn ticks_per_second() -> f64 {
    // A u64 of 100 or 1000: exact.
    rustix::param::clock_ticks_per_second() as f64
}

/// A stretch of time over which CPU is measured.
pub(crate) struct Span {
    server: u32,
    start: Instant,
    before: (f64, f64, f64),
}

impl Span {
    /// Starts now.
    pub(crate) fn start(server: u32) -> Self {
        Self { server, start: Instant::now(), before: Self::now(server) }
    }

    /// Ends now: a part of a row, for so many deliveries.
    pub(crate) fn end(&self, deliveries: u64) -> Value {
        let secs = self.start.elapsed().as_secs_f64();
        let (server, client, busy) = Self::now(self.server);
        let (server, client) = (server - self.before.0, client - self.before.1);
        let other = (busy - self.before.2 - server - client).max(0.0);
        json!({
            "secs": round(secs),
            "deliveries": deliveries,
            "per_s": round(deliveries as f64 / secs),
            "server_cpu_s": round(server),
            "server_cpu_s_per_1M": round(server * 1e6 / deliveries.max(1) as f64),
            "client_cpu_s": round(client),
            "other_cpu_s": round(other),
        })
    }

    fn now(server: u32) -> (f64, f64, f64) {
        (cpu(server), cpu(std::process::id()), busy())
    }
}

/// Two digits after the point.
pub(crate) fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}
