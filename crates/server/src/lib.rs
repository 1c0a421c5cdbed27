// SPDX-License-Identifier: AGPL-3.0-or-later
//! The blind server: accounts, tokens, key packages, rooms, mailboxes, and who may do what with them.
//!
//! What this room knows: public device lists and handles, which token hash leads to which mailbox, and, in
//! memory only and only while somebody shows a room's key, that room's tokens. What it does not know and has no
//! code for: opening a message, a name, a file or a stored mailbox entry. It decides everything and touches no
//! socket, no file and no SQL: a gateway hands it requests and takes its answers, a [`storage::Storage`] keeps
//! what it writes. Time and randomness are passed in.
//!
//! The walk: `gateway` calls [`Server::connect`], then [`Server::handle`] for every request of that connection
//! and [`Server::next_delivery`] for what is pushed. A request that changes something becomes one [`storage::Op`];
//! one writer thread seals mailbox entries, groups operations and commits them; the yes comes after the commit.
//!
//! Carries out `docs/book/protocol.md`, sections 1 to 4, 7 (key packages) and 8.

mod accounts;
mod anonymous;
mod blobs;
mod bounded;
mod budget;
mod calls;
mod config;
mod connection;
mod delivery;
mod entropy;
mod keys;
pub mod ledger;
mod logins;
mod mailbox;
mod refusal;
mod rendezvous;
mod rooms;
mod server;
pub mod storage;
mod writer;

pub use crate::{
    blobs::{Files, LARGEST_BLOB, MoveError, PIECE},
    bounded::Bounded,
    calls::{Call, Called},
    config::{Budget, Budgets, Config, Quota, Registration},
    connection::Connection,
    server::{Clock, FileError, OpenError, Server, Statistics, SweepError},
};
