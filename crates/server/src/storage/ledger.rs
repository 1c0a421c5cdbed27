// SPDX-License-Identifier: AGPL-3.0-or-later
//! What the ledger keeps: entries, the hashes of its tiles, audit blobs, a few notes, and the size that was promised.
//!
//! [`LedgerStorage::append`] is the only way in and one durable batch: an epoch's tree, its audit blob, its entry and the
//! hashes above it stand together or not at all, so a crash leaves nothing to repair. It is a compare-and-swap on the
//! size: of two writers one loses.
//!
//! *The promise.* Before a checkpoint is signed its size is promised, in a place of its own beside the store. A store that
//! holds fewer entries than were promised is an old copy: signing on top of it would fork the log, so it does not open.
//!
//! Carries out `docs/book/ledger.md`, 1.

use bytes::Bytes;

use crate::storage::{
    Answer, Day,
    directory::{Directory, DirectoryRows},
};

/// A small value under a name of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Note {
    /// The newest checkpoint that satisfied the policy.
    Served,
    /// The policies there were, with the entries that brought them.
    Policies,
    /// The day whose token key the log named last.
    TokenDay,
    /// The hour whose disclosure entry is the next one.
    Disclosures,
    /// Handles that were claimed from their holders, and those that moved.
    Handles,
}

impl Note {
    /// The name of its row.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Served => "served",
            Self::Policies => "policies",
            Self::TokenDay => "token day",
            Self::Disclosures => "disclosures",
            Self::Handles => "handles",
        }
    }
}

/// What an append writes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogAppend {
    /// The size that the log must have.
    pub at: u64,
    /// Entries, in order.
    pub entries: Vec<Bytes>,
    /// Level, index, hash: of each new entry at level 0, and of each tile that became full one level above.
    pub hashes: Vec<(u8, u64, [u8; 32])>,
    /// Audit blobs under their SHA-256.
    pub blobs: Vec<([u8; 32], Bytes)>,
    /// Notes that belong to it.
    pub notes: Vec<(Note, Bytes)>,
    /// The epoch of the directory that the entries speak of.
    pub directory: DirectoryRows,
}

/// What came of an append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appended {
    /// It is durable.
    Done,
    /// The log has another size: somebody else writes.
    Moved,
}

/// The log's rows.
pub trait Log {
    /// Entries there are.
    fn size(&self) -> Answer<'_, u64>;

    /// At most `count` entries from an index on.
    fn entries(&self, from: u64, count: usize) -> Answer<'_, Vec<Bytes>>;

    /// At most `count` hashes of a level from an index on. Level `l` holds the roots of 256 hashes of the level below.
    fn hashes(&self, level: u8, from: u64, count: usize) -> Answer<'_, Vec<[u8; 32]>>;

    /// An audit blob.
    fn blob(&self, hash: [u8; 32]) -> Answer<'_, Option<Bytes>>;

    /// A note.
    fn note(&self, note: Note) -> Answer<'_, Option<Bytes>>;
}

/// A store of ledger and directory.
pub trait LedgerStorage: Directory + Log + Send + Sync + 'static {
    /// Appends, in one durable batch.
    ///
    /// # Errors
    /// [`super::StorageError`]: it may have happened all the same. Ask for the size before anything else is written.
    fn append(&self, append: LogAppend) -> Answer<'_, Appended>;

    /// Replaces a note, durably.
    fn keep(&self, note: Note, value: Bytes) -> Answer<'_, ()>;

    /// The size last promised.
    fn promised(&self) -> Answer<'_, u64>;

    /// Promises a size, durably and outside the store's own files. A promise never falls.
    fn promise(&self, size: u64) -> Answer<'_, ()>;

    /// Takes a token's name of a day: whether nobody took it before. Not synced. Names of days before `forget_before` go.
    fn spend(&self, day: Day, name: [u8; 32], forget_before: Day) -> Answer<'_, bool>;
}
