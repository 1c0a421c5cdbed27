// SPDX-License-Identifier: AGPL-3.0-or-later
//! Counters of this process, as Prometheus text. Sums only: nothing here can be split by a person, a
//! room, a handle or an address. Shown to loopback alone.

use std::{
    fmt::Write as _,
    sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed},
};

use nodoor_server::{Server, ledger::Ledger};

/// What the gateway counts itself; the rest comes from the server's own numbers.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    open: AtomicI64,
    opened: AtomicU64,
    closed: [AtomicU64; Closed::ALL.len()],
}

/// Why a WebSocket ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Closed {
    /// The client went, with or without a word.
    Gone,
    /// It sent what is no frame or no request.
    Malformed,
    /// It sent text.
    Text,
    /// It sent more than a request may have.
    TooLarge,
    /// It never said Hello.
    Silent,
    /// It did not answer a ping, or did not read what it was sent.
    Stalled,
    /// The server stops.
    Draining,
}

impl Closed {
    const ALL: [(Self, &'static str); 7] = [
        (Self::Gone, "gone"),
        (Self::Malformed, "malformed"),
        (Self::Text, "text"),
        (Self::TooLarge, "too_large"),
        (Self::Silent, "silent"),
        (Self::Stalled, "stalled"),
        (Self::Draining, "draining"),
    ];
}

impl Metrics {
    pub(crate) fn opened(&self) {
        self.opened.fetch_add(1, Relaxed);
        self.open.fetch_add(1, Relaxed);
    }

    pub(crate) fn closed(&self, why: Closed) {
        self.open.fetch_sub(1, Relaxed);
        for ((reason, _), count) in Closed::ALL.iter().zip(&self.closed) {
            if *reason == why {
                count.fetch_add(1, Relaxed);
            }
        }
    }

    /// The Prometheus text exposition, version 0.0.4.
    pub(crate) fn to_text(&self, server: &Server) -> String {
        let ledger = server.ledger().map(Ledger::statistics);
        let server = server.statistics();
        let open = u64::try_from(self.open.load(Relaxed)).unwrap_or_default();
        let mut out = String::new();
        for (name, kind, help, value) in [
            ("websockets", "gauge", "WebSockets open now", open),
            ("websockets_total", "counter", "WebSockets opened", self.opened.load(Relaxed)),
            ("subscribed", "gauge", "Devices subscribed now", server.subscribed),
            ("requests_total", "counter", "Requests answered", server.requests),
            ("refusals_total", "counter", "Requests refused", server.refusals),
            ("appended_total", "counter", "Mailbox entries stored", server.appended),
            ("delivered_total", "counter", "Mailbox entries pushed", server.delivered),
            ("commits_total", "counter", "Groups committed", server.commits),
        ] {
            head(&mut out, name, kind, help);
            // Writing to a String cannot fail.
            let _ = writeln!(out, "nodoor_{name} {value}");
        }
        if let Some(ledger) = ledger {
            for (name, help, value) in [
                ("ledger_size", "Entries of the ledger", ledger.size),
                (
                    "ledger_served_size",
                    "Entries under the checkpoint that is served",
                    ledger.served_size,
                ),
                (
                    "ledger_served_time_seconds",
                    "Ledger time of that checkpoint, since 1970",
                    ledger.served_time_ms / 1000,
                ),
                ("ledger_epoch", "Epochs of the key directory", ledger.epoch),
                ("ledger_waiting_labels", "Labels that wait to be published", ledger.waiting),
            ] {
                head(&mut out, name, "gauge", help);
                let _ = writeln!(out, "nodoor_{name} {value}");
            }
        }
        head(&mut out, "websockets_closed_total", "counter", "WebSockets closed, by reason");
        for ((_, reason), count) in Closed::ALL.iter().zip(&self.closed) {
            let count = count.load(Relaxed);
            let _ = writeln!(out, "nodoor_websockets_closed_total{{reason=\"{reason}\"}} {count}");
        }
        out
    }
}

fn head(out: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(out, "# HELP nodoor_{name} {help}\n# TYPE nodoor_{name} {kind}");
}
