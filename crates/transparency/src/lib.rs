// SPDX-License-Identifier: AGPL-3.0-or-later
//! What everybody can check: signed device lists, the ledger, the key directory, releases, evidence.
//!
//! This room decides which devices speak for an account, and whether what a server says of it is what it says to
//! everyone. Untrusted bytes come in as `wire::proto` messages, files and entries; only [`chain::Chain`] hands out
//! lists that verified, only a `Chain` verifies a [`statement`], and only [`ledger::proof`] hands out what is logged.
//! It knows no room, no message and no handle's owner but the one in a claim; it does no I/O, reads no clock and
//! draws no randomness: the time comes in as milliseconds, a secret as bytes.
//!
//! Carries out `docs/book/protocol.md`, section 1 and the signature labels of section 0, and the formats and checks of
//! `docs/book/ledger.md`. `server` writes with it, `client`, `gateway` and the terminal's `witness`, `audit` and
//! `evidence` read with it. It calls `wire` alone.

pub mod audit;
pub mod chain;
pub mod directory;
pub mod error;
pub mod handover;
pub mod key;
pub mod ledger;
pub mod link;
pub mod list;
pub mod meeting;
pub mod release;
pub mod statement;
