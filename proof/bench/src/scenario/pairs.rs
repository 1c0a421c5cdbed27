// SPDX-License-Identifier: AGPL-3.0-or-later
//! One writes to one. Both mailboxes get the message, the writer's own included, as the protocol has it; what
//! counts is its arrival at the other.

use std::rc::Rc;

use anyhow::Result;
use serde_json::json;
use tokio::{
    sync::Semaphore,
    task::{JoinHandle, spawn_local, yield_now},
};

use super::{Setting, Source, due, seconds};
use crate::{
    cost::Span,
    meter::{Meter, clock, tell_once},
};

/// `rate` 0: closed loop with `window` messages in flight a pair. Otherwise messages a second in all.
pub(crate) async fn pairs(setting: &Setting, pairs: u32, rate: f64, window: usize) -> Result<f64> {
    let meter = Rc::<Meter>::default();
    let room_of = |number| u64::from(number % pairs);
    let mut writers = setting.register(0..2 * pairs, room_of).await?;
    let readers = writers.split_off(pairs as usize);
    let mut tasks: Vec<JoinHandle<()>> = Vec::new();
    let mut sources = Vec::new();
    for (number, (writer, reader)) in (0u32..).zip(writers.into_iter().zip(readers)) {
        let (room, socket) = setting.found(u64::from(number), &[writer.1, reader.1]).await?;
        let slots = Rc::new(Semaphore::new(window));
        let (meter, freed) = (meter.clone(), slots.clone());
        let (source, answers) = Source::new(setting, room, socket, meter.clone(), || ());
        let arrived = move |stamp, now| {
            meter.got(stamp, now);
            freed.add_permits(1);
        };
        tasks.push(setting.read(writer.0, |_, _| ()).await?);
        tasks.push(setting.read(reader.0, arrived).await?);
        tasks.push(answers);
        sources.push((source, slots));
    }

    let start = clock() + 200_000_000;
    for (number, (source, slots)) in (0u32..).zip(sources) {
        let meter = meter.clone();
        let step = f64::from(pairs) * 1e9 / rate;
        let offset = f64::from(number) / f64::from(pairs);
        tasks.push(spawn_local(async move {
            let sent = if rate > 0.0 {
                let at = move |serial: u64| start + ((serial as f64 + offset) * step) as u64;
                open_loop(source, &meter, at).await
            } else {
                closed_loop(source, &meter, &slots).await
            };
            if let Err(error) = sent {
                tell_once("sender", &error);
            }
        }));
    }
    seconds(setting.warmup).await;
    let (span, sent) = (Span::start(setting.server), meter.sent());
    meter.set_on(true);
    seconds(setting.secs).await;
    meter.set_on(false);
    let cost = span.end(meter.measured());
    let per_s = cost.get("per_s").and_then(serde_json::Value::as_f64).unwrap_or_default();
    let result = json!({
        "mode": if rate > 0.0 { "open" } else { "closed" }, "pairs": pairs, "rate": rate,
        "window": window, "sent": meter.sent() - sent, "refused": meter.refusals(),
        "in_flight_at_end": meter.sent().saturating_sub(meter.all()),
        "latency_ms": meter.latency_ms(),
    });
    setting.print("pairs", [cost, result]);
    tasks.iter().for_each(JoinHandle::abort);
    Ok(per_s)
}

async fn open_loop(mut source: Source, meter: &Meter, at: impl Fn(u64) -> u64) -> Result<()> {
    for serial in 0u64.. {
        let stamp = due(at(serial)).await;
        meter.sending();
        source.send(stamp).await?;
    }
    Ok(())
}

async fn closed_loop(mut source: Source, meter: &Meter, slots: &Semaphore) -> Result<()> {
    loop {
        // Whatever is free now leaves in one write, as a client with several messages would do it.
        let mut slot = Some(slots.acquire().await?);
        while let Some(taken) = slot {
            taken.forget();
            meter.sending();
            source.queue(clock());
            slot = slots.try_acquire().ok();
        }
        source.sender.flush().await?;
        yield_now().await;
    }
}
