// SPDX-License-Identifier: AGPL-3.0-or-later
//! What waits on this device: bodies whose room cannot go on yet, Welcomes whose lists are not here yet.
//!
//! Who sent a body of a room that we do not know nobody can tell, and room ids are free to invent. So places are
//! given by what a sender cannot invent. A Welcome shows by which of our key packages it came, each of which the
//! server hands out once: it has one place, and its room a share of its own. What comes by the last-resort package,
//! which everybody is given, shares its places; bodies of rooms without a Welcome share theirs, which is seldom
//! anybody's loss, because a mailbox has a Welcome before what is sent in its room. Where a share is full the
//! rooms with the most give way, and what finds no place stays in the mailbox while look-ups are on their way.
//!
//! Spec: `docs/book/protocol.md`, 3.5.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use nodoor_wire::{
    id::{RoomId, Token, first_16},
    limits, proto,
};
use prost::Message as _;
use sha2::{Digest as _, Sha256};

use crate::{
    live::Search,
    lookup::{ANSWER_PATIENCE, Lacks},
    rows::{
        Status,
        key::{self, Held, HeldWelcome},
    },
    step::Step,
};

/// What every body counts at least, bytes: many small ones cost as much as a few large ones.
const LEAST: u64 = 16 << 10;
/// Welcomes that came by the last-resort key package.
const SHARED_WELCOMES: usize = 64;
/// Welcomes that came by a package of their own.
const WELCOMES: usize = 256;
/// How long a body waits for the Welcome to its room, milliseconds.
const UNKNOWN_ROOM: u64 = 3600 * 1000;
/// How long anything else waits, milliseconds.
const WAIT: u64 = limits::TRY_DAYS * 24 * 3600 * 1000;
/// Answers that come within so long are one reason to try again, milliseconds.
const TOGETHER: u64 = 1_000;

/// Whose room a body is of. None takes a place from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    /// Of a chat.
    Chat,
    /// Of a request, or of a room whose Welcome waits.
    Invitation,
    /// Of a room that we do not know.
    Nobody,
}

impl Of {
    /// Bytes in all, and of one room.
    fn share(self) -> (u64, u64) {
        match self {
            Self::Chat => (64 << 20, 4 << 20),
            Self::Invitation => (32 << 20, 512 << 10),
            Self::Nobody => (2 << 20, 512 << 10),
        }
    }
}

/// A Welcome that cannot be decided yet.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    /// Its room.
    pub(crate) room: RoomId,
    /// The token of the key package it came by.
    pub(crate) offer: Token,
    /// That is the last-resort one.
    pub(crate) shared: bool,
    /// What it lacks.
    pub(crate) lacks: Lacks,
}

/// What is remembered of all that waits.
#[derive(Default)]
pub(crate) struct Holding {
    /// It is being tried again.
    trying: bool,
    /// Something came of that: once more.
    again: bool,
    /// When it was last tried because of an answer.
    tried: u64,
    /// When it is tried next, though answers are still awaited.
    due: Option<u64>,
    /// Which entry of the mailbox stays there because it finds no place, and since when.
    stays: Option<(u64, u64)>,
    /// What the Welcomes lack, by their rows.
    lacks: HashMap<Vec<u8>, Lacks>,
}

impl Step<'_> {
    /// Applies a body, or keeps it until its room can go on. False: it found no place.
    pub(crate) fn take_body(&mut self, room: &RoomId, body: &proto::Body) -> bool {
        self.try_body(room, body) || self.hold(room, body)
    }

    /// Whether what found no place may stay in the mailbox for now: look-ups are wanted or on their way, and make room
    /// when they are answered. For as long as one answer is waited for, so that nothing stops the rest for good: after
    /// that what comes next does not stay either, before something was answered.
    pub(crate) fn may_stay(&mut self, sequence: u64) -> bool {
        let due = |search: &Search| search.asked_at.is_some() || search.due() <= self.now;
        if !self.live.searches.values().any(due) {
            return false;
        }
        let (_, since) = *self.live.held.stays.get_or_insert((sequence, self.now));
        self.now < since + ANSWER_PATIENCE
    }

    /// This entry found a place: the next one that finds none has a minute of its own.
    pub(crate) fn stays_no_more(&mut self, sequence: u64) {
        self.live.held.stays.take_if(|(stayed, _)| *stayed == sequence);
    }

    /// The mailbox comes anew, from its first entry.
    pub(crate) fn nothing_stays(&mut self) {
        self.live.held.stays = None;
    }

    /// The times at which something of this module is due.
    pub(crate) fn held_due(&self) -> impl Iterator<Item = u64> {
        let Holding { stays, due, .. } = &self.live.held;
        stays.map(|(_, since)| since + ANSWER_PATIENCE).into_iter().chain(*due)
    }

    /// What waits, by room and in order, as far as its keys say.
    pub(crate) fn held_keys(&self) -> Vec<(RoomId, Held)> {
        let keys = self.disk.keys(key::HELD, usize::MAX);
        keys.iter().filter_map(|row| key::read_held(row)).collect()
    }

    /// Whether a commit of this room waits to be decided.
    pub(crate) fn has_waiting_commit(&self, room: &RoomId) -> bool {
        let keys = self.disk.keys(&key::held(room), usize::MAX);
        keys.iter().filter_map(|row| key::read_held(row)).any(|(_, held)| held.is_commit)
    }

    /// The commits of a room that wait, oldest first.
    pub(crate) fn held_commits(&self, room: &RoomId) -> Vec<proto::StoredCommit> {
        let keys = self.disk.keys(&key::held(room), usize::MAX);
        let commits =
            keys.iter().filter(|row| key::read_held(row).is_some_and(|(_, held)| held.is_commit));
        commits
            .filter_map(|row| self.disk.bytes(row))
            .filter_map(|bytes| match proto::Body::decode(bytes.as_slice()).ok()?.body {
                Some(proto::body::Body::Commit(commit)) => Some(commit),
                _ => None,
            })
            .collect()
    }

    /// Drops what waits for an epoch after the head's: nobody made it.
    pub(crate) fn drop_later(&mut self, room: &RoomId) {
        let Some(ours) = self.with_group(room, |_, group| group.epoch()) else {
            return;
        };
        for row in self.disk.keys(&key::held(room), usize::MAX) {
            let value = self.disk.bytes(&row).unwrap_or_default();
            let body = proto::Body::decode(value.as_slice()).ok().and_then(|body| body.body);
            let later = match body {
                Some(proto::body::Body::Commit(commit)) => commit.epoch > ours,
                _ => true,
            };
            if later {
                self.disk.remove(&row);
            }
        }
    }

    /// Keeps a body for later, in order. False if there is no place for it: then the room asks for commits it lacks,
    /// and messages are lost as if they had come too late.
    fn hold(&mut self, room: &RoomId, body: &proto::Body) -> bool {
        let bytes = body.encode_to_vec();
        let is_commit = matches!(body.body, Some(proto::body::Body::Commit(_)));
        let hash = first_16(Sha256::digest(&bytes).into());
        let size = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let about = Held { is_commit, since: self.now, size, hash };
        let all = self.held_keys();
        if all.iter().any(|(of, held)| of == room && held.hash == hash) {
            return true;
        }
        let invited = self.invited();
        let (of, mut kinds) = (self.whose(room, &invited), BTreeMap::new());
        let mut costs: BTreeMap<RoomId, u64> = BTreeMap::new();
        for (other, held) in &all {
            if *kinds.entry(*other).or_insert_with(|| self.whose(other, &invited)) == of {
                *costs.entry(*other).or_default() += cost(held);
            }
        }
        let (in_all, of_one) = of.share();
        let here = costs.remove(room).unwrap_or_default() + cost(&about);
        let too_much = (costs.values().sum::<u64>() + here).saturating_sub(in_all);
        if here > of_one || !self.make_place(&mut costs, here, too_much) {
            return false;
        }
        let number = self.number();
        self.disk.set_bytes(key::held_one(room, number, &about), Some(bytes));
        self.live.judged.remove(room);
        true
    }

    /// Makes so much place: the room with the most loses its newest, for as long as it has more than the one that
    /// wants the place. False, and nothing is lost, if that does not do.
    fn make_place(
        &mut self,
        costs: &mut BTreeMap<RoomId, u64>,
        here: u64,
        mut too_much: u64,
    ) -> bool {
        let mut out = Vec::new();
        while too_much > 0 {
            let most = costs.iter_mut().max_by_key(|(_, cost)| **cost);
            let Some((room, has)) = most.filter(|(_, has)| **has > here) else {
                return false;
            };
            let mut rows = self.disk.keys(&key::held(room), usize::MAX);
            rows.retain(|row| !out.contains(row));
            let newest = rows.pop().and_then(|row| Some((key::read_held(&row)?.1, row)));
            let Some((held, row)) = newest else {
                return false;
            };
            *has = has.saturating_sub(cost(&held));
            too_much = too_much.saturating_sub(cost(&held));
            out.push(row);
        }
        out.iter().for_each(|row| self.disk.remove(row));
        true
    }

    /// The rooms whose Welcomes wait.
    fn invited(&self) -> BTreeSet<RoomId> {
        let keys = self.disk.keys(key::WELCOMES, usize::MAX);
        keys.iter().filter_map(|row| Some(key::read_welcome(row)?.room)).collect()
    }

    fn whose(&self, room: &RoomId, invited: &BTreeSet<RoomId>) -> Of {
        let conversation = self.room(room).and_then(|room| self.conversation(room.conversation));
        match conversation {
            Some(conversation) if conversation.status != Status::Request => Of::Chat,
            None if !invited.contains(room) => Of::Nobody,
            Some(_) | None => Of::Invitation,
        }
    }

    /// Keeps a Welcome until the lists it needs are here, the same once. False: it found no place.
    pub(crate) fn hold_welcome(&mut self, waiting: Waiting, welcome: &[u8]) -> bool {
        let Waiting { room, offer, shared, lacks } = waiting;
        let hash = first_16(Sha256::digest(welcome).into());
        let about = HeldWelcome { since: self.now, shared, offer, room, hash };
        let keys = self.disk.keys(key::WELCOMES, usize::MAX);
        let held: Vec<_> = keys.iter().filter_map(|row| key::read_welcome(row)).collect();
        let like_it = |one: &&HeldWelcome| one.shared == shared;
        let again = |one: &HeldWelcome| one.hash == hash || (!shared && one.offer == offer);
        if held.iter().any(again) {
            return true;
        }
        let places = if shared { SHARED_WELCOMES } else { WELCOMES };
        if held.iter().filter(like_it).count() >= places {
            return false;
        }
        let row = key::welcome(self.number(), &about);
        self.disk.set_bytes(row.clone(), Some(welcome.to_vec()));
        self.live.held.lacks.insert(row, lacks);
        true
    }

    /// Something was learnt of an account: what waited is tried, once nothing more is on its way, or a second later.
    pub(crate) fn retry_held_soon(&mut self) {
        self.live.held.stays = None;
        self.live.judged.clear();
        let more = self.live.searches.values().any(|search| search.asked_at.is_some());
        let soon = self.live.held.tried + TOGETHER;
        if more && self.now < soon {
            self.live.held.due = Some(soon);
        } else {
            self.live.held.tried = self.now;
            self.retry_held();
        }
    }

    /// Tries again what waited: Welcomes, then each room's bodies in order; and all of it again for as long as
    /// something comes of it, for a room that is joined may be what another Welcome waits for. What asks for this
    /// meanwhile is heard in that way: large values are never held by one call within another.
    pub(crate) fn retry_held(&mut self) {
        self.live.held.again = true;
        if std::mem::replace(&mut self.live.held.trying, true) {
            return;
        }
        self.live.held.due = None;
        while std::mem::take(&mut self.live.held.again) {
            self.retry_welcomes();
            let mut rooms: Vec<RoomId> =
                self.held_keys().into_iter().map(|(room, _)| room).collect();
            rooms.dedup();
            rooms.iter().for_each(|room| self.retry_room(room));
        }
        self.live.held.trying = false;
    }

    fn retry_welcomes(&mut self) {
        for row in self.disk.keys(key::WELCOMES, usize::MAX) {
            let since = key::read_welcome(&row).map_or(0, |held| held.since);
            let over = self.now.saturating_sub(since) > WAIT;
            let lacks = self.live.held.lacks.get_mut(&row);
            if !over && lacks.is_some_and(|lacks| lacks.still(&self.live.searches)) {
                continue;
            }
            let waits = match self.disk.bytes(&row) {
                Some(welcome) if !over => self.welcome(&welcome, Some(since)),
                _ => None,
            };
            if let Some(waiting) = waits {
                self.live.held.lacks.insert(row, waiting.lacks);
            } else {
                self.live.held.lacks.remove(&row);
                self.disk.remove(&row);
            }
        }
    }

    /// Tries again what waits for a room, oldest first, for as long as something of it goes.
    pub(crate) fn retry_room(&mut self, room: &RoomId) {
        let invited = self.invited();
        let mut again = true;
        while std::mem::take(&mut again) {
            for row in self.disk.keys(&key::held(room), usize::MAX) {
                // One before it may have closed the room.
                let Some(value) = self.disk.bytes(&row) else {
                    continue;
                };
                let done = match proto::Body::decode(value.as_slice()) {
                    Ok(body) => self.try_body(room, &body),
                    Err(_) => true,
                };
                let since = key::read_held(&row).map_or(0, |(_, held)| held.since);
                let age = self.now.saturating_sub(since);
                let nobodys = self.whose(room, &invited) == Of::Nobody;
                if done || age > if nobodys { UNKNOWN_ROOM } else { WAIT } {
                    self.disk.remove(&row);
                    again |= done;
                }
            }
        }
    }
}

fn cost(held: &Held) -> u64 {
    u64::from(held.size).max(LEAST)
}
