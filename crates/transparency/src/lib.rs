// SPDX-License-Identifier: AGPL-3.0-or-later
//! Signed device lists, and the claims and statements that hang on them: builds and verifies.
//!
//! This room decides which devices speak for an account. Untrusted bytes come in as
//! `wire::proto::SignedList` and `SignedBytes`; only [`chain::Chain`] hands out lists that verified, and
//! only a `Chain` verifies a [`statement`]. It knows no room, no message and no handle's owner but the
//! one in a claim; it does no I/O, reads no clock and draws no randomness.
//!
//! Carries out `docs/book/protocol.md`, section 1, and the signature labels of section 0. `server` calls it
//! before it stores a list, `client` before it believes one. It calls `wire` alone.

pub mod audit;
pub mod chain;
pub mod directory;
pub mod error;
pub mod key;
pub mod ledger;
pub mod link;
pub mod list;
pub mod release;
pub mod statement;
