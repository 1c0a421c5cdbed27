// SPDX-License-Identifier: AGPL-3.0-or-later
//! Counts what arrived and, while it is on, how long each took.

use std::{
    cell::{Cell, RefCell},
    sync::LazyLock,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::{sync::Notify, time::timeout};

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Nanoseconds since the process's first call.
pub(crate) fn clock() -> u64 {
    START.elapsed().as_nanos() as u64
}

/// Tells of the first error of a kind: a server that ends would have hundreds to tell.
pub(crate) fn tell_once(what: &'static str, error: &anyhow::Error) {
    thread_local!(static TOLD: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) });
    TOLD.with_borrow_mut(|told| {
        if !told.contains(&what) {
            told.push(what);
            eprintln!("{what}: {error:#} (more of this kind are not told)");
        }
    });
}

/// A meter of one scenario.
#[derive(Default)]
pub(crate) struct Meter {
    on: Cell<bool>,
    all: Cell<u64>,
    sent: Cell<u64>,
    refused: Cell<u64>,
    micros: RefCell<Vec<u32>>,
    bell: Notify,
}

impl Meter {
    /// Counts a delivery. Stamp 0: not of this measurement.
    pub(crate) fn got(&self, stamp: u64, now: u64) {
        self.all.set(self.all.get() + 1);
        if self.on.get() && stamp > 0 {
            let micros = now.saturating_sub(stamp) / 1000;
            self.micros.borrow_mut().push(u32::try_from(micros).unwrap_or(u32::MAX));
        }
        self.bell.notify_waiters();
    }

    /// Counts a sending.
    pub(crate) fn sending(&self) {
        self.sent.set(self.sent.get() + 1);
    }

    /// Counts a refusal.
    pub(crate) fn refused(&self, error: &anyhow::Error) {
        self.refused.set(self.refused.get() + 1);
        tell_once("refused", error);
    }

    /// Whether times are taken.
    pub(crate) fn set_on(&self, on: bool) {
        self.on.set(on);
    }

    /// Deliveries so far.
    pub(crate) fn all(&self) -> u64 {
        self.all.get()
    }

    /// Sendings so far.
    pub(crate) fn sent(&self) -> u64 {
        self.sent.get()
    }

    /// Refusals so far.
    pub(crate) fn refusals(&self) -> u64 {
        self.refused.get()
    }

    /// Deliveries while it was on.
    pub(crate) fn measured(&self) -> u64 {
        self.micros.borrow().len() as u64
    }

    /// Waits for the next delivery.
    pub(crate) async fn rung(&self) {
        self.bell.notified().await;
    }

    /// Waits for so many deliveries in all; false after `patience` without any.
    pub(crate) async fn until(&self, count: u64, patience: Duration) -> bool {
        while self.all() < count {
            let before = self.all();
            let _ = timeout(patience, self.bell.notified()).await;
            if self.all() == before && self.all() < count {
                return false;
            }
        }
        true
    }

    /// Quantiles in milliseconds.
    pub(crate) fn latency_ms(&self) -> Value {
        let mut micros = self.micros.borrow().clone();
        micros.sort_unstable();
        let at = |share: f64| {
            let place = (micros.len() as f64 * share) as usize;
            let value = micros.get(place).or(micros.last()).copied().unwrap_or_default();
            f64::from(value) / 1000.0
        };
        json!({"p50": at(0.5), "p99": at(0.99), "p999": at(0.999), "max": at(1.0)})
    }
}
