// SPDX-License-Identifier: AGPL-3.0-or-later
//! What anyone can run beside a ledger: a witness, and later an auditor.
//!
//! These commands open no profile and know no account. All formats and decisions are `nodoor_transparency::ledger`'s;
//! here are sockets, files and the order between them. Spec: `docs/book/ledger.md`, 1; C2SP tlog-witness.

mod key;
pub(crate) mod witness;
