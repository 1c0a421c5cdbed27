// SPDX-License-Identifier: AGPL-3.0-or-later
//! Actors that speak the wire protocol and nothing above it: opaque bodies, real keys, real sockets.
//!
//! They are what a load generator and a kill test need: they register, log in, put tokens, found a room from a bare
//! roster, send, and open and acknowledge what their mailbox holds. They know no MLS: to the server, which is
//! blind, that makes no difference.
//!
//! Spec: `docs/book/protocol.md`, 2 to 4. `nodoor-bench` and the tests of `nodoord` and `gateway` call it.

pub mod actor;
pub mod socket;
