// SPDX-License-Identifier: AGPL-3.0-or-later
//! What the writer remembers of a mailbox: its next sequence, its key of this hour, and how much waits in it.
//!
//! Counted in memory and about: whoever has no place in a mailbox is not told. Two bounds: one of all that waits, and a
//! quarter of it for what came under tokens of key packages. Those are anybody's: without a bound of their own one of them
//! would be enough to fill a mailbox, and nothing of those whom its owner knows would come any more.
//!
//! Carries out `docs/book/protocol.md`, 4. `crate::writer` calls it.

use bytes::Bytes;
use nodoor_wire::sealed::HourKey;

use crate::{config::Quota, storage::MailboxRecord};

/// What a body counts that waited before this process began.
const SMALL_BODY: u64 = 1024;
/// What comes under tokens of key packages may take so much of a mailbox: one part of so many.
const STRANGERS: u64 = 4;

/// What the writer remembers of a mailbox.
pub(super) struct Mailbox {
    next: u64,
    pub(super) hour: Option<Hour>,
    /// Up to here nothing waits.
    done: u64,
    /// Sequences above `done` under which nothing was stored.
    unused: u64,
    /// Bytes of bodies that wait, about.
    bytes: u64,
    /// Of both, what came under tokens of key packages, about. Of what waited before this process began nobody knows: it
    /// counts here, so that a restart gives strangers no more room.
    of_strangers: Share,
    /// When, in minutes, it was found full and looked up.
    pub(super) looked: u64,
}

#[derive(Default)]
struct Share {
    entries: u64,
    bytes: u64,
}

impl Mailbox {
    /// A mailbox as the store has it.
    pub(super) fn read(record: &MailboxRecord) -> Self {
        let next = record.last.saturating_add(1);
        let mut mailbox = Self {
            next,
            hour: None,
            done: record.done,
            unused: 0,
            bytes: 0,
            of_strangers: Share::default(),
            looked: 0,
        };
        let entries = mailbox.waiting();
        mailbox.bytes = entries.saturating_mul(SMALL_BODY);
        mailbox.of_strangers = Share { entries, bytes: mailbox.bytes };
        mailbox
    }

    /// Whether a body of this size, under such a token, has no place.
    pub(super) fn is_full(&self, quota: Quota, size: u64, of_key_package: bool) -> bool {
        let full = |entries: u64, bytes: u64, share: u64| {
            entries >= quota.entries / share || bytes.saturating_add(size) > quota.bytes / share
        };
        let strangers = &self.of_strangers;
        full(self.waiting(), self.bytes, 1)
            || (of_key_package && full(strangers.entries, strangers.bytes, STRANGERS))
    }

    fn waiting(&self) -> u64 {
        self.next.saturating_sub(1).saturating_sub(self.done).saturating_sub(self.unused)
    }

    /// A sequence was given out, and nothing is stored under it: it takes no place, or whoever repeats a sending fills a
    /// mailbox with nothing.
    pub(super) fn give_back(&mut self, size: usize, of_key_package: bool) {
        self.unused = self.unused.saturating_add(1);
        self.bytes = self.bytes.saturating_sub(size as u64);
        if of_key_package {
            let strangers = &mut self.of_strangers;
            strangers.entries = strangers.entries.saturating_sub(1);
            strangers.bytes = strangers.bytes.saturating_sub(size as u64);
        }
    }

    /// Takes the next sequence for a body of this size.
    pub(super) fn take(&mut self, size: u64, of_key_package: bool) -> u64 {
        let sequence = self.next;
        self.next = self.next.saturating_add(1);
        self.bytes = self.bytes.saturating_add(size);
        if of_key_package {
            self.of_strangers.entries = self.of_strangers.entries.saturating_add(1);
            self.of_strangers.bytes = self.of_strangers.bytes.saturating_add(size);
        }
        sequence
    }

    /// Nothing waits up to here; of the bytes their share is gone.
    pub(super) fn done(&mut self, up_to: u64) {
        let before = self.waiting();
        self.next = self.next.max(up_to.saturating_add(1));
        self.done = self.done.max(up_to);
        self.unused = self.unused.min(self.next.saturating_sub(1).saturating_sub(self.done));
        let left = self.waiting();
        let share = |of: u64| {
            let share = (u128::from(of) * u128::from(left)).div_ceil(u128::from(before.max(1)));
            u64::try_from(share).unwrap_or(u64::MAX)
        };
        self.bytes = share(self.bytes);
        self.of_strangers.entries = share(self.of_strangers.entries);
        self.of_strangers.bytes = share(self.of_strangers.bytes);
    }
}

/// A mailbox's key of an hour.
#[derive(Clone)]
pub(super) struct Hour {
    pub(super) number: u64,
    pub(super) key: HourKey,
    pub(super) sealed: Bytes,
}
