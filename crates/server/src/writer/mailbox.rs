// SPDX-License-Identifier: AGPL-3.0-or-later
//! What the writer remembers of a mailbox: its next sequence, its key of this hour, and how much waits in it.
//!
//! Counted in memory and about: whoever has no place in a mailbox is not told. Three bounds: one of all that waits, a
//! quarter of it for what came under tokens of key packages, and of that quarter a share for each such token. Those tokens
//! are anybody's: without the quarter one of them would be enough to fill a mailbox, and nothing of those whom its owner
//! knows would come any more; without the share one would be enough to keep every other stranger's Welcome out. First bodies
//! may take a second quarter, which a few tokens with much in each do not reach.
//!
//! Carries out `docs/book/protocol.md`, 4. `crate::writer` calls it.

use std::collections::HashMap;

use bytes::Bytes;
use nodoor_wire::{
    id::{DeviceId, TokenHash},
    sealed::HourKey,
};

use crate::{
    config::Quota,
    storage::{MailboxRecord, TokenRecord},
};

/// What a body counts that waited before this process began.
const SMALL_BODY: u64 = 1024;
/// What comes under tokens of key packages may take so much of a mailbox: one part of so many.
const STRANGERS: u64 = 4;
/// The first body under such a token, a Welcome, goes beyond: up to one part of so many of the mailbox, or who took many key packages
/// would keep everybody else's away.
const FIRST: u64 = 2;
/// What comes under one of them may take so much of the strangers' part: one part of so many, after the first body.
const TOKENS: u64 = 16;

/// Where a body goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Recipient {
    /// The mailbox.
    pub(crate) device: DeviceId,
    /// The token that leads there, if it is in a key package.
    pub(super) stranger: Option<TokenHash>,
}

impl Recipient {
    /// Where this token leads.
    pub(crate) fn new(token: TokenHash, record: TokenRecord) -> Self {
        Self { device: record.device, stranger: record.of_key_package.then_some(token) }
    }
}

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
    /// Of that what came under each token, since this process began.
    tokens: HashMap<TokenHash, Share>,
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
            tokens: HashMap::new(),
            looked: 0,
        };
        let entries = mailbox.waiting();
        mailbox.bytes = entries.saturating_mul(SMALL_BODY);
        mailbox.of_strangers = Share { entries, bytes: mailbox.bytes };
        mailbox
    }

    /// Whether a body of this size has no place.
    pub(super) fn is_full(&self, quota: Quota, size: u64, stranger: Option<TokenHash>) -> bool {
        let full = |of: &Share, share: u64| {
            of.entries >= quota.entries / share
                || of.bytes.saturating_add(size) > quota.bytes / share
        };
        let all = Share { entries: self.waiting(), bytes: self.bytes };
        full(&all, 1)
            || stranger.is_some_and(|token| match self.tokens.get(&token) {
                None => full(&self.of_strangers, FIRST),
                Some(share) => {
                    full(&self.of_strangers, STRANGERS) || full(share, STRANGERS * TOKENS)
                }
            })
    }

    fn waiting(&self) -> u64 {
        self.next.saturating_sub(1).saturating_sub(self.done).saturating_sub(self.unused)
    }

    /// A sequence was given out, and nothing is stored under it: it takes no place, or whoever repeats a sending fills a
    /// mailbox with nothing.
    pub(super) fn give_back(&mut self, size: u64, stranger: Option<TokenHash>) {
        self.unused = self.unused.saturating_add(1);
        self.bytes = self.bytes.saturating_sub(size);
        let Some(token) = stranger else { return };
        self.of_strangers.less(size);
        if let Some(share) = self.tokens.get_mut(&token) {
            share.less(size);
            if share.entries == 0 {
                self.tokens.remove(&token);
            }
        }
    }

    /// Takes the next sequence for a body of this size.
    pub(super) fn take(&mut self, size: u64, stranger: Option<TokenHash>) -> u64 {
        let sequence = self.next;
        self.next = self.next.saturating_add(1);
        self.bytes = self.bytes.saturating_add(size);
        if let Some(token) = stranger {
            self.of_strangers.more(size);
            self.tokens.entry(token).or_default().more(size);
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
        let part = |of: u64| {
            let part = (u128::from(of) * u128::from(left)).div_ceil(u128::from(before.max(1)));
            u64::try_from(part).unwrap_or(u64::MAX)
        };
        self.bytes = part(self.bytes);
        if left == 0 {
            self.tokens = HashMap::new();
        }
        for share in self.tokens.values_mut().chain([&mut self.of_strangers]) {
            *share = Share { entries: part(share.entries), bytes: part(share.bytes) };
        }
    }
}

impl Share {
    fn more(&mut self, size: u64) {
        self.entries = self.entries.saturating_add(1);
        self.bytes = self.bytes.saturating_add(size);
    }

    fn less(&mut self, size: u64) {
        self.entries = self.entries.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(size);
    }
}

/// A mailbox's key of an hour.
#[derive(Clone)]
pub(super) struct Hour {
    pub(super) number: u64,
    pub(super) key: HourKey,
    pub(super) sealed: Bytes,
}
