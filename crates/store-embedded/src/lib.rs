// SPDX-License-Identifier: AGPL-3.0-or-later
//! The server's store on fjall: one process, one folder, nothing to install.
//!
//! What this room knows is what the folder holds: signed lists and handles, hashes of tokens, sealed entries and
//! bodies under hashed names, key packages as they were uploaded. It opens none of it and decides nothing but the
//! conditions of [`nodoor_server::storage::Op`]. `nodoord` opens a [`Folder`] and hands it to the server, whose
//! writer thread commits.
//!
//! **What survives a crash.** A commit is one fjall batch over all keyspaces: one record of its journal, synced
//! (`fdatasync`) before the answer. After a crash the journal is read up to the last whole record, so of each
//! batch there is all or nothing, and everything that was answered is there.
//!
//! Rows that live for a moment go to disk in a log first, and to their keyspace only if they stay: see `recent`.
//!
//! **What the disk shows** beyond that: journal and log hold a message's writes side by side until they are rotated and
//! settled; and all rows of one batch carry one number in the engine's files for as long as they live, so rows settle in
//! lots of many messages. Deleted values stay in files until compaction rewrites them; they are sealed. `nodoord
//! capabilities` says all of it.
//!
//! Carries out `docs/book/protocol.md`, 3 and 4 (what is on disk), and `docs/decisions/0009`.

mod blobs;
mod cache;
mod counts;
mod directory;
mod folder;
mod group;
mod journal;
mod keyspace;
mod ledger;
mod read;
mod recent;
mod record;
mod sweep;

pub use crate::{
    blobs::BlobFolder,
    counts::shown,
    folder::{Folder, OpenError},
    ledger::LedgerFolder,
};
