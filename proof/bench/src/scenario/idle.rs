// SPDX-License-Identifier: AGPL-3.0-or-later
//! Connections that are logged in, subscribed, and have nothing to say.

use anyhow::Result;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::{Setting, each, seconds};
use crate::cost::{Span, memory_kib, round};

/// Makes the accounts that [`idle`] logs in: before anything is measured, as those of the other servers are.
pub(crate) async fn accounts(setting: &Setting, count: u32) -> Result<()> {
    drop(setting.register(0..count, u64::from).await?);
    seconds(1.0).await;
    Ok(())
}

/// Cumulative steps of connected clients, of those that [`accounts`] made. What is counted is what a connection costs, login,
/// mailbox and subscription included.
pub(crate) async fn idle(setting: &Setting, steps: &[u32]) -> Result<()> {
    let base = memory_kib(setting.server);
    let mut tasks: Vec<JoinHandle<()>> = Vec::new();
    for &step in steps {
        let before = tasks.len() as u32;
        let span = Span::start(setting.server);
        let logins = each(before..step, 32, |number| {
            let (actor, address) = (setting.actor(number), setting.address.clone());
            async move { actor.login(&address).await }
        });
        for login in logins.await? {
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
