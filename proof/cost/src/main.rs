// SPDX-License-Identifier: AGPL-3.0-or-later
//! `nodoor-cost`: the client's rows of the benchmark, as JSON lines (`cargo run --release -p nodoor-cost`).

use anyhow::Result;
#[cfg(not(target_arch = "wasm32"))]
use rustix::time::{ClockId, clock_gettime};

fn main() -> Result<()> {
    for mut row in nodoor_cost::rows(ROUNDS, &cpu_ms)? {
        if let Some(row) = row.as_object_mut() {
            row.insert("driver".to_owned(), "native".into());
        }
        println!("{row}");
    }
    Ok(())
}

/// CPU time of this thread: what others do on the machine is left out.
#[cfg(not(target_arch = "wasm32"))]
fn cpu_ms() -> f64 {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    // Milliseconds of a run: exact to the nanosecond.
    now.tv_sec as f64 * 1e3 + now.tv_nsec as f64 / 1e6
}

#[cfg(target_arch = "wasm32")]
fn cpu_ms() -> f64 {
    0.0
}

const ROUNDS: usize = 50;
