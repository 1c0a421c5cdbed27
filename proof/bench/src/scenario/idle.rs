// SPDX-License-Identifier: AGPL-3.0-or-later
//! Connections that are logged in, subscribed, and have nothing to say.

use anyhow::Result;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::{Setting, seconds};
use crate::cost::{Span, memory_kib, round};

/// Cumulative steps of connected clients.
pub(crate) async fn idle(setting: &Setting, steps: &[u32]) -> Result<()> {
    let base = memory_kib(setting.server);
    let mut tasks: Vec<JoinHandle<()>> = Vec::new();
    for &step in steps {
        let before = tasks.len() as u32;
        let span = Span::start(setting.server);
        for (login, _) in setting.register(before..step, u64::from).await? {
            tasks.push(setting.read(login, |_, _| ()).await?);
        }
        let cost = span.end(u64::from(step - before));
        seconds(setting.warmup.max(1.0)).await;
        let quiet = Span::start(setting.server);
        seconds(3.0).await;
        let quiet = quiet.end(0);
        let of = |row: &Value, key: &str| row.get(key).and_then(Value::as_f64).unwrap_or_default();
        let dead = tasks.iter().filter(|task| task.is_finished()).count();
        let kib = memory_kib(setting.server);
        let new = f64::from(step - before);
        setting.print(
            "idle",
            [json!({
                "clients": step,
                // Each of them registered first: keys, signatures, a durable write.
                "connects_per_s": of(&cost, "per_s"),
                "server_cpu_ms_per_connect": round(of(&cost, "server_cpu_s") * 1e3 / new),
                "client_cpu_s": of(&cost, "client_cpu_s"), "other_cpu_s": of(&cost, "other_cpu_s"),
                "base_mib": round(base / 1024.0), "dead": dead,
                "kib_per_connection": round((kib - base) / f64::from(step)),
                "idle_server_cpu": round(of(&quiet, "server_cpu_s") / of(&quiet, "secs")),
            })],
        );
    }
    tasks.iter().for_each(JoinHandle::abort);
    Ok(())
}
