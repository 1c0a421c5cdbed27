// SPDX-License-Identifier: AGPL-3.0-or-later
//! One writes to a room of many, all of them there.

use std::rc::Rc;

use anyhow::Result;
use serde_json::json;
use tokio::task::{JoinHandle, spawn_local};

use super::{Setting, Source, due, seconds};
use crate::{
    cost::Span,
    meter::{Meter, clock, tell_once},
};

/// `rate` 0: closed loop with `window` messages in flight. Otherwise messages a second.
pub(crate) async fn fanout(setting: &Setting, members: u32, rate: f64, window: u64) -> Result<f64> {
    let meter = Rc::<Meter>::default();
    // The writer is one of the members: its own mailbox gets everything, too.
    let logins = setting.register(0..members, |_| 0).await?;
    let tokens = logins.iter().map(|(_, token)| *token).collect::<Vec<_>>();
    let (room, socket) = setting.found(0, &tokens).await?;
    let mut tasks: Vec<JoinHandle<()>> = Vec::new();
    for (login, _) in logins {
        let meter = meter.clone();
        tasks.push(setting.read(login, move |stamp, now| meter.got(stamp, now)).await?);
    }
    let (source, answers) = Source::new(setting, room, socket, meter.clone(), || ());
    tasks.push(answers);
    seconds(0.5).await;

    let (start, sending, count) = (clock(), meter.clone(), u64::from(members));
    tasks.push(spawn_local(async move {
        if let Err(error) = send(source, &sending, count, rate, window, start).await {
            tell_once("sender", &error);
        }
    }));
    seconds(setting.warmup).await;
    let (span, sent) = (Span::start(setting.server), meter.sent());
    meter.set_on(true);
    seconds(setting.secs).await;
    meter.set_on(false);
    let cost = span.end(meter.measured());
    let sent = meter.sent() - sent;
    let result = json!({
        "mode": if rate > 0.0 { "open" } else { "closed" }, "members": members, "rate": rate,
        "window": window, "sent": sent, "refused": meter.refusals(),
        "in_flight_at_end": (meter.sent() * count).saturating_sub(meter.all()),
        "latency_ms": meter.latency_ms(),
    });
    setting.print("fanout", [cost, result]);
    tasks.iter().for_each(JoinHandle::abort);
    Ok(sent as f64 / setting.secs)
}

async fn send(
    mut source: Source,
    meter: &Meter,
    members: u64,
    rate: f64,
    window: u64,
    start: u64,
) -> Result<()> {
    loop {
        let stamp = if rate > 0.0 {
            due(start + (meter.sent() as f64 * 1e9 / rate) as u64).await
        } else {
            while (meter.sent() + 1).saturating_sub(window) * members > meter.all() {
                meter.rung().await;
            }
            clock()
        };
        meter.sending();
        source.send(stamp).await?;
    }
}
