// SPDX-License-Identifier: AGPL-3.0-or-later
//! Sockets, timers, disk: what moves the client's engine.
//!
//! `client` decides, this crate moves bytes. It knows where the server is and where the database lies;
//! it looks into no frame (but for counting answers) and opens no message. One storage code,
//! [`store`], serves both targets; the drivers are two: `native` (threads, files, TCP) and `browser` (a
//! dedicated worker, OPFS, the browser's WebSocket). Exactly one of the features `native` and `browser`
//! is on.
//!
//! Programs begin at `account`: an account to talk with, in a few calls. Interfaces drive `native::Client`.
//!
//! In the walk it stands between interfaces (which ask and listen) and `client::engine` (which answers).
//! It carries out section 2 of `docs/book/protocol.md` (two connections) and section 7 of the design.

#[cfg(feature = "native")]
#[deny(missing_docs)]
pub mod account;
#[cfg(feature = "native")]
pub mod backup;
#[cfg(feature = "browser")]
pub mod browser;
#[cfg(feature = "native")]
#[deny(missing_docs)]
pub mod export;
#[cfg(feature = "native")]
pub mod native;
pub mod store;
#[cfg(feature = "native")]
pub mod telegram;
