// SPDX-License-Identifier: AGPL-3.0-or-later
//! What the disk itself takes for a durable write: the floor under every latency of a server that writes
//! before it says yes.

use std::{
    fs::File,
    io::{Seek as _, SeekFrom, Write as _},
    path::Path,
    time::Instant,
};

use anyhow::Result;
use serde_json::json;

use crate::cost::{load, round};

/// Prints a row for each of three sizes.
pub(crate) fn commits(folder: &Path, secs: f64) -> Result<()> {
    let path = folder.join(format!("nodoor-bench-{}.disk", std::process::id()));
    for size in [4 * 1024, 64 * 1024, 256 * 1024] {
        let row = commit_row(&path, size, secs);
        let _ = std::fs::remove_file(&path);
        println!("{}", row?);
    }
    Ok(())
}

fn commit_row(path: &Path, size: usize, secs: f64) -> Result<serde_json::Value> {
    let mut file = File::create(path)?;
    file.set_len(64 << 20)?;
    file.sync_all()?;
    let block = vec![0xa5; size];
    let (start, mut millis) = (Instant::now(), Vec::new());
    let mut at = 0;
    while start.elapsed().as_secs_f64() < secs {
        file.seek(SeekFrom::Start(at))?;
        file.write_all(&block)?;
        let before = Instant::now();
        file.sync_data()?;
        millis.push(before.elapsed().as_secs_f64() * 1e3);
        at = (at + size as u64) % (60 << 20);
    }
    millis.sort_by(f64::total_cmp);
    let quantile = |share: f64| {
        let place = (millis.len() as f64 * share) as usize;
        (millis.get(place).or(millis.last()).copied().unwrap_or_default() * 1e3).round() / 1e3
    };
    Ok(json!({
        "scenario": "limit", "peer": "disk", "what": "pwrite+fdatasync", "size": size,
        "per_s": round(millis.len() as f64 / start.elapsed().as_secs_f64()),
        "p50_ms": quantile(0.5), "p99_ms": quantile(0.99), "max_ms": quantile(1.0),
        "loadavg": load(),
    }))
}
