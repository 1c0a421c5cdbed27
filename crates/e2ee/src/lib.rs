// SPDX-License-Identifier: AGPL-3.0-or-later
//! What only members can open: MLS groups, their leaves, the padding, the content of a message.
//!
//! This is the only room of the house that turns a frame into text or text into a frame. It knows a
//! device's MLS key and what OpenMLS keeps of its rooms, through a [`store::KeyValue`] that belongs to
//! its caller. It knows no server, no disk, no clock and no device list: it says *who a leaf claims to
//! be* and which MLS key proves it; whether that device is the account's is the gate's question
//! (`client`), asked of every leaf handed out here before anything is merged.
//!
//! Two exceptions to "time and randomness are passed in" are OpenMLS': the lifetime of key packages,
//! and the nonces and keys MLS itself draws. Feature `browser` tells OpenMLS to take both from the page.
//!
//! Carries out RFC 9420 (by OpenMLS), draft-ietf-mls-pq-ciphersuites (suite 0x004F and no other),
//! draft-ietf-mimi-content, and `docs/book/protocol.md`, sections 3 and 6. Called by `client`; calls
//! OpenMLS and `wire`.
//!
//! A call that fails may have changed the [`group::Group`] in memory and the store's open transaction:
//! drop both and load again.

pub mod charter;
pub mod content;
pub mod file;
pub mod group;
pub mod identity;
pub mod join;
pub mod key_package;
pub mod open;
pub mod payload;
pub mod roles;
pub mod room;
pub mod staged;
pub mod store;
pub mod token;
pub mod typing;

mod commit;
mod leaf;
mod primitives;
mod suite;
