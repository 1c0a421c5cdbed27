// SPDX-License-Identifier: AGPL-3.0-or-later
//! What anyone can run beside a ledger: a witness, an auditor, a builder, and the checks of evidence and of releases.
//!
//! These commands open no profile and know no account. All formats and decisions are `nodoor_transparency`'s; here are
//! sockets, files and the order between them. Spec: `docs/book/ledger.md`, 1 and 5; C2SP tlog-witness.

pub(crate) mod audit;
mod auditor;
pub(crate) mod evidence;
pub(crate) mod files;
mod key;
mod log;
pub(crate) mod release;
pub(crate) mod update;
pub(crate) mod witness;

use tokio::signal::unix::{SignalKind, signal};

/// Resolves when somebody asks this process to end.
async fn asked_to_stop() {
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
