// SPDX-License-Identifier: AGPL-3.0-or-later
//! The operations of a commit and what comes of them.

use bytes::Bytes;
use nodoor_wire::{
    handle::Handle,
    id::{AccountId, BodyId, DeviceId, HourKeyId, TokenHash},
    proto,
};

use crate::storage::{Day, RoomName};

/// One change, done in whole or not at all. The outcomes each may have stand beside it.
#[derive(Debug, Clone)]
pub enum Op {
    /// A new account with its first device and mailbox; marks its label and its handle's. The same again, whatever came later, is
    /// [`Outcome::Done`]. [`Outcome::HandleTaken`] before [`Outcome::Conflict`] (account exists otherwise).
    Register {
        /// The account.
        account: AccountId,
        /// Version 1.
        list: proto::SignedList,
        /// The handle claimed.
        handle: Handle,
        /// The claim.
        handle_claim: proto::SignedBytes,
        /// The one device of version 1.
        device: DeviceId,
        /// Its X-Wing public key.
        mailbox_key: Bytes,
        /// When that key was made.
        mailbox_key_made_at_ms: u64,
    },
    /// The next version of a list, a compare-and-swap on the number of versions. Added devices get an empty
    /// mailbox without a key, and the account's label is marked; of removed ones the mailbox with its entries and hour keys, tokens and key packages
    /// go. Bodies of such entries expire. The newest list again is [`Outcome::Done`]; else [`Outcome::Conflict`].
    PutList {
        /// The account.
        account: AccountId,
        /// The version that this list is; the store must hold exactly the one before as its newest.
        version: u64,
        /// The list.
        list: proto::SignedList,
        /// Devices that it names and the one before did not.
        added: Vec<DeviceId>,
        /// Devices that the one before named and it does not.
        removed: Vec<DeviceId>,
    },
    /// The account's handle, claimed anew. [`Outcome::Done`], or [`Outcome::Conflict`] if the handle is not this
    /// account's.
    PutHandleClaim {
        /// The account.
        account: AccountId,
        /// Its handle.
        handle: Handle,
        /// The claim.
        handle_claim: proto::SignedBytes,
    },
    /// A handle goes from the account that holds it to another one, whose own handle stays with it and leads nowhere any
    /// more. [`Outcome::Done`], also if it went there before; [`Outcome::Conflict`] if the first does not hold it.
    MoveHandle {
        /// The handle.
        handle: Handle,
        /// Who holds it, and keeps no claim.
        from: AccountId,
        /// Who holds it from then on.
        to: AccountId,
        /// That account's claim.
        handle_claim: proto::SignedBytes,
        /// Rises with each move of the handle; more than 1.
        version: u64,
    },
    /// A newer mailbox key. One made earlier than the stored one changes nothing. [`Outcome::Done`], or
    /// [`Outcome::Gone`] if there is no such mailbox.
    PutMailboxKey {
        /// The device.
        device: DeviceId,
        /// Its X-Wing public key.
        key: Bytes,
        /// When it was made.
        made_at_ms: u64,
    },
    /// Where a device is called. The same again within [`nodoor_wire::limits::PUSH_RENEW_DAYS`] keeps the day it has, which
    /// says no more than it must of when a device was there. [`Outcome::Done`], or [`Outcome::Gone`].
    PutPush {
        /// The device.
        device: DeviceId,
        /// A `PushPut`, encoded.
        subscription: Bytes,
        /// When it came.
        day: Day,
    },
    /// A device is called no more; if `only` is given, not unless this is its subscription. [`Outcome::Done`].
    DeletePush {
        /// The device.
        device: DeviceId,
        /// The subscription that failed.
        only: Option<Bytes>,
    },
    /// A removed device's dispute; the first one of a device stays. [`Outcome::Done`].
    PutDispute {
        /// The account.
        account: AccountId,
        /// The removed device.
        device: DeviceId,
        /// The dispute.
        dispute: proto::SignedBytes,
    },
    /// Token hashes that lead to a mailbox. A hash that leads elsewhere stays where it is, silently.
    /// [`Outcome::Done`], or [`Outcome::Gone`]; [`Outcome::TooMany`], and none of them, if the mailbox would have
    /// more than [`nodoor_wire::limits::TOKENS`].
    PutTokens {
        /// The mailbox.
        device: DeviceId,
        /// SHA-256 of the tokens.
        hashes: Vec<TokenHash>,
        /// Whether they are in key packages. What is said of a hash first counts.
        of_key_packages: bool,
    },
    /// Forgets hashes that lead to this mailbox, and no others. [`Outcome::Done`].
    DeleteTokens {
        /// The mailbox.
        device: DeviceId,
        /// SHA-256 of the tokens.
        hashes: Vec<TokenHash>,
    },
    /// Key packages of a device: those beyond [`nodoor_wire::limits::KEY_PACKAGES`] are dropped; the same bytes
    /// twice count once, also if they were handed out since. [`Outcome::Done`], or [`Outcome::Gone`].
    PutKeyPackages {
        /// The device.
        device: DeviceId,
        /// Single-use ones.
        single_use: Vec<Bytes>,
        /// Replaces the last-resort one; empty leaves it.
        last_resort: Bytes,
        /// Those that are kept and not among these go.
        renew: bool,
        /// When they came.
        day: Day,
    },
    /// One key package of each device: a single-use one, which is gone afterwards, or the last-resort one.
    /// [`Outcome::Taken`].
    TakeKeyPackages {
        /// The devices.
        devices: Vec<DeviceId>,
    },
    /// A room at epoch 0. The same check and roster again, also after the room moved on, is [`Outcome::Done`];
    /// another's is [`Outcome::Conflict`].
    FoundRoom {
        /// The room.
        room: RoomName,
        /// SHA-256 of the roster key of epoch 0.
        key_check: [u8; 32],
        /// The sealed roster.
        roster: Bytes,
        /// When it was founded.
        day: Day,
    },
    /// A room was used: it is kept from this day on. [`Outcome::Done`], also if there is none.
    TouchRoom {
        /// The room.
        room: RoomName,
        /// The day.
        day: Day,
    },
    /// A sweep of this day begins, see [`super::Storage::swept`]. [`Outcome::Done`].
    NoteSweep {
        /// The day.
        day: Day,
    },
    /// A commit, a compare-and-swap on the room's head. See [`MoveRoom`].
    MoveRoom(Box<MoveRoom>),
    /// A mailbox's sealed hour key. [`Outcome::Done`].
    PutHourKey(HourKeyRecord),
    /// A body into mailboxes. [`Outcome::Appended`], or [`Outcome::Stale`] if the room's head is not the epoch
    /// it was sent at.
    Append {
        /// The room and the epoch that must be its head.
        head: (RoomName, u64),
        /// The body and its entries.
        append: Append,
    },
    /// Everything up to a sequence is on the device. Deletes these entries and counts down the body of each
    /// whose release names the body that the entry leads to. [`Outcome::Done`].
    Acknowledge {
        /// The mailbox.
        device: DeviceId,
        /// The cursor never moves back. May be beyond the last entry: sequences then go on from there.
        up_to: u64,
        /// Sequence and body id.
        releases: Vec<(u64, BodyId)>,
    },
}

impl Op {
    /// Whether it makes room and takes none: done also by a store that is full but for its last reserve. Otherwise a
    /// full store would be one for good.
    #[must_use]
    pub fn only_deletes(&self) -> bool {
        match self {
            Self::Acknowledge { .. } | Self::DeleteTokens { .. } | Self::TakeKeyPackages { .. } => {
                true
            }
            Self::PutList { added, removed, .. } => added.is_empty() && !removed.is_empty(),
            Self::NoteSweep { .. } | Self::DeletePush { .. } => true,
            _ => false,
        }
    }
}

/// A commit and what it brings to mailboxes.
///
/// The room record moves atomically: the head becomes `epoch + 1` with the next roster, and `epoch` becomes a
/// record of the past. The appends follow, in the same write or a later one, all before the outcome:
/// [`Outcome::Moved`]. The very same commit id again at that epoch repeats the appends, which are append-once, and is
/// [`Outcome::Moved`] too. Otherwise [`Outcome::Stale`].
#[derive(Debug, Clone)]
pub struct MoveRoom {
    /// The room.
    pub room: RoomName,
    /// The epoch that the commit ends.
    pub epoch: u64,
    /// SHA-256 of the commit's header.
    pub commit_id: [u8; 32],
    /// The sealed commit, see [`super::EpochRecord::commit`].
    pub commit: Bytes,
    /// SHA-256 of the next epoch's roster key.
    pub next_key_check: [u8; 32],
    /// The next epoch's sealed roster.
    pub next_roster: Bytes,
    /// The commit to the old roster, then each Welcome.
    pub appends: Vec<Append>,
    /// When it came.
    pub day: Day,
}

/// A body and the entries that lead to it. The body's count is that of the entries that are appended.
#[derive(Debug, Clone)]
pub struct Append {
    /// Append-once key of the sending: if the store remembers it, all of it is skipped.
    pub once: [u8; 32],
    /// SHA-256 of the body's id.
    pub body_name: [u8; 32],
    /// The sealed body.
    pub body: Bytes,
    /// One for each mailbox, no mailbox twice.
    pub entries: Vec<NewEntry>,
    /// When it came.
    pub day: Day,
}

/// An entry of one mailbox. Its sequence is chosen by the one writer that owns the mailbox, above all before.
#[derive(Debug, Clone)]
pub struct NewEntry {
    /// The mailbox.
    pub device: DeviceId,
    /// The sequence.
    pub sequence: u64,
    /// What is stored.
    pub record: EntryRecord,
}

/// An entry as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryRecord {
    /// The hour key that opens it.
    pub key_id: HourKeyId,
    /// Salt of the release check.
    pub salt: [u8; 16],
    /// `H(body id || salt, "nodoor release")`.
    pub release_check: [u8; 32],
    /// `EntryPlain`, sealed.
    pub sealed: Bytes,
}

/// An hour key, sealed to its mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HourKeyRecord {
    /// The mailbox.
    pub device: DeviceId,
    /// Its name.
    pub id: HourKeyId,
    /// The sealed key.
    pub sealed: Bytes,
    /// When it was made: entries under it expire with it.
    pub day: Day,
}

/// What came of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It stands.
    Done,
    /// The condition does not hold.
    Conflict,
    /// The handle is another account's.
    HandleTaken,
    /// No such mailbox.
    Gone,
    /// Beyond what one mailbox may have.
    TooMany,
    /// Not done: no room is left, and it is not [`Op::only_deletes`]. Others of the batch may stand.
    Full,
    /// The room's head is another epoch, or there is no such room: nothing.
    Stale(Option<u64>),
    /// One of [`Delivered`] for each entry.
    Appended(Vec<Delivered>),
    /// The same for each append of a commit.
    Moved(Vec<Vec<Delivered>>),
    /// One for each device asked for, in that order.
    Taken(Vec<Option<Taken>>),
}

/// What became of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivered {
    /// Stored now.
    Now,
    /// The sending was appended earlier; this entry is not.
    Before,
    /// The mailbox is gone.
    Nowhere,
}

/// A key package handed out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// The key package.
    pub key_package: Bytes,
    /// Whether it is the last-resort one, which others get too.
    pub last_resort: bool,
}
