// SPDX-License-Identifier: AGPL-3.0-or-later
//! What the server keeps, as traits by domain and one batch commit.
//!
//! A store holds what it is given and decides conditions (a room's head, a list's version, a key package's one
//! life) inside [`Storage::commit`], so that they hold whoever else writes. It sees rooms under a hashed name,
//! bodies under a hashed id, entries sealed: nothing it holds opens anything it holds.
//!
//! Two stores live elsewhere (`store-embedded`, later `store-postgres`); [`memory`] is the model that they are
//! held against with [`conformance`]. Every future of a store may be polled outside a runtime.
//!
//! Carries out `docs/book/protocol.md`, 3 and 4 (what is on disk). `crate::writer` commits;
//! the request handlers read.

pub mod blobs;
#[cfg(feature = "conformance")]
pub mod blobs_conformance;
pub mod blobs_memory;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod directory;
pub mod ledger;
#[cfg(feature = "conformance")]
pub mod ledger_conformance;
pub mod ledger_memory;
pub mod memory;
mod op;

use std::{future::Future, pin::Pin};

use bytes::Bytes;
use nodoor_wire::{
    handle::Handle,
    id::{AccountId, BodyId, DeploymentId, DeviceId, HourKeyId, TokenHash},
    proto,
};

pub use crate::storage::op::{
    Append, Delivered, EntryRecord, HourKeyRecord, MoveRoom, NewEntry, Op, Outcome, Taken,
};

/// A store's answer, boxed so that a server can hold any store.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, StorageError>> + Send + 'a>>;

/// A store could not do what was asked. Nothing of the batch counts as written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// No room left. Retry when the operator made some.
    #[error("the storage is full")]
    Full,
    /// What is on disk is not what was written there. Needs the operator.
    #[error("the storage is damaged: {0}")]
    Damaged(&'static str),
    /// The store failed or was stopped; it takes no more writes until it is opened anew.
    #[error("the storage failed: {0}")]
    Failed(String),
}

/// A room's name on disk: `H(room, "nodoor room name")`. The disk does not hold room ids.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoomName(pub [u8; 32]);

/// A day of UTC, counted from 1970. Expiry knows no finer time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Day(pub u32);

impl Day {
    /// The day of a time in milliseconds since 1970.
    #[must_use]
    pub fn of_ms(now_ms: u64) -> Self {
        Self(u32::try_from(now_ms / 86_400_000).unwrap_or(u32::MAX))
    }

    /// Whether something of this day is over after `days` more, seen from `today`.
    #[must_use]
    pub fn is_over(self, days: u64, today: Self) -> bool {
        u64::from(today.0) > u64::from(self.0) + days
    }
}

/// An account as the store has it: all signed bytes, oldest list first.
#[derive(Debug, Clone, PartialEq)]
pub struct AccountRecord {
    /// Every version since the first.
    pub lists: Vec<proto::SignedList>,
    /// The claim of the account's handle.
    pub handle_claim: proto::SignedBytes,
    /// One of each device that disputed its removal.
    pub disputes: Vec<proto::SignedBytes>,
}

/// A device's mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailboxRecord {
    /// The account the device is of.
    pub account: AccountId,
    /// X-Wing public key; empty until the device stated one.
    pub key: Bytes,
    /// When that key was made, milliseconds since 1970 by the device's clock.
    pub key_made_at_ms: u64,
    /// Everything up to here was acknowledged.
    pub acknowledged: u64,
    /// Everything up to here was acknowledged or has expired: what waits comes after it.
    pub done: u64,
    /// The highest sequence ever stored or acknowledged here.
    pub last: u64,
}

/// Where a token leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TokenRecord {
    /// The mailbox.
    pub device: DeviceId,
    /// It is in a key package, and so anybody's.
    pub of_key_package: bool,
}

/// A room's head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomRecord {
    /// The head epoch.
    pub epoch: u64,
    /// SHA-256 of the roster key of that epoch.
    pub key_check: [u8; 32],
    /// The sealed roster of that epoch.
    pub roster: Bytes,
    /// When it was founded, committed to or touched last.
    pub day: Day,
}

/// What the store keeps of an epoch that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EpochRecord {
    /// The epoch.
    pub epoch: u64,
    /// SHA-256 of the roster key of that epoch.
    pub key_check: [u8; 32],
    /// The sealed roster of that epoch.
    pub roster: Bytes,
    /// SHA-256 of the header of the commit that ended it.
    pub commit_id: [u8; 32],
    /// That commit (`StoredCommit`), sealed by the server under a key that follows from the roster key of the
    /// epoch: the frame names the room in the clear.
    pub commit: Bytes,
    /// When the commit came.
    pub day: Day,
}

/// Accounts, lists, handles, disputes.
pub trait Accounts {
    /// Everything signed about an account.
    fn account(&self, account: AccountId) -> Answer<'_, Option<AccountRecord>>;
    /// The account that holds a handle.
    fn handle(&self, handle: Handle) -> Answer<'_, Option<AccountId>>;
}

/// Delivery tokens, by their hashes.
pub trait Tokens {
    /// Where each hash leads, in the order asked; nothing where nobody holds it.
    fn mailboxes_of(&self, hashes: Vec<TokenHash>) -> Answer<'_, Vec<Option<TokenRecord>>>;
}

/// Key packages.
pub trait KeyPackages {
    /// How many single-use ones a device has left.
    fn key_packages_left(&self, device: DeviceId) -> Answer<'_, u32>;
    /// The last-resort key package of each device, in the order asked.
    fn last_resorts(&self, devices: Vec<DeviceId>) -> Answer<'_, Vec<Option<Taken>>>;
}

/// Mailboxes, their entries and hour keys, and the bodies that entries lead to.
pub trait Mailboxes {
    /// A device's mailbox; nothing for a device of no current list.
    fn mailbox(&self, device: DeviceId) -> Answer<'_, Option<MailboxRecord>>;
    /// Entries above `after`, lowest first, at most `limit`.
    fn entries(
        &self,
        device: DeviceId,
        after: u64,
        limit: usize,
    ) -> Answer<'_, Vec<(u64, EntryRecord)>>;
    /// A sealed hour key.
    fn hour_key(&self, device: DeviceId, id: HourKeyId) -> Answer<'_, Option<Bytes>>;
    /// Where a device is called: see [`Op::PutPush`].
    fn push(&self, device: DeviceId) -> Answer<'_, Option<Bytes>>;
    /// The sealed bodies of these ids, in the order asked.
    fn bodies(&self, ids: Vec<BodyId>) -> Answer<'_, Vec<Option<Bytes>>>;
}

/// Rooms.
pub trait Rooms {
    /// The head of a room.
    fn room(&self, room: RoomName) -> Answer<'_, Option<RoomRecord>>;
    /// The record of one epoch that is over and not yet expired.
    fn epoch(&self, room: RoomName, epoch: u64) -> Answer<'_, Option<EpochRecord>>;
}

/// A store.
pub trait Storage:
    Accounts + Tokens + KeyPackages + Mailboxes + Rooms + Send + Sync + 'static
{
    /// Made with the store, and never changed.
    fn deployment(&self) -> DeploymentId;

    /// Does the operations in order, each in whole or not at all; a later one sees the earlier ones. Everything
    /// is on disk when the answer comes. The outcomes are in the order of the operations. When room is short, those that
    /// [`Op::only_deletes`] are done and the others are [`Outcome::Full`].
    ///
    /// # Errors
    /// [`StorageError`]: none of the batch counts as done. It may have happened all the same (a sync that failed
    /// after the write), so every operation is harmless when repeated.
    fn commit(&self, operations: Vec<Op>) -> Answer<'_, Vec<Outcome>>;

    /// Deletes what is older than its time: entries, bodies and commits after [`nodoor_wire::limits::KEEP_DAYS`],
    /// once keys after [`nodoor_wire::limits::ONCE_DAYS`], rooms that nobody uses after
    /// [`nodoor_wire::limits::IDLE_DAYS`], subscriptions after [`nodoor_wire::limits::PUSH_DAYS`], or [`nodoor_wire::limits::UNMOVED_DAYS`] at epoch 0. Returns how many things
    /// went.
    ///
    /// [`MailboxRecord::last`] does not fall when entries expire, so that no sequence is used twice. May take long, and
    /// may block the thread that polls it.
    fn sweep(&self, today: Day) -> Answer<'_, u64>;

    /// The day of the last [`Op::NoteSweep`].
    fn swept(&self) -> Answer<'_, Option<Day>>;
}

// A hash of an identifier is an identifier: not for a log.
impl std::fmt::Debug for RoomName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RoomName(..)")
    }
}
