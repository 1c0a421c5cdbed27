// SPDX-License-Identifier: AGPL-3.0-or-later
//! The mailbox: entries in order, each once, acknowledged when what they changed is on disk.
//!
//! The highest sequence processed is written in the same commit as its effects, so an entry that comes
//! again is skipped and acknowledged. A body whose room cannot go on yet is kept on disk here and
//! acknowledged all the same: one undecided room must not stop the others.
//!
//! Spec: `docs/book/protocol.md`, 4.

use std::collections::BTreeMap;

use nodoor_wire::{
    code::Class,
    id::{AccountId, BodyId, DeviceId, HourKeyId, RoomId, first_16},
    limits,
    proto::{self, answer, request},
    sealed::{BodySecret, HourKey, MailboxSecret},
};
use prost::Message as _;
use serde_bytes::ByteArray;
use sha2::{Digest as _, Sha256};

use crate::{
    io::Wire,
    link::class_of,
    live::Purpose,
    room::PAUSE,
    rows::{
        Status,
        key::{self, Held, HeldWelcome},
    },
    step::Step,
};

/// Bodies kept for one room that cannot go on, or that we do not know (yet).
const HELD_PER_ROOM: usize = 256;
/// Bodies kept in all, and their bytes.
const HELD: usize = 4096;
const HELD_BYTES: u64 = 64 << 20;
/// Of those, bodies for rooms of people we did not accept, and for rooms we do not know: a token of ours is all it takes
/// to send them.
const STRANGE: usize = 128;
const STRANGE_BYTES: u64 = 4 << 20;
/// How long a body waits for the Welcome to its room, milliseconds.
const UNKNOWN_ROOM: u64 = 3600 * 1000;
/// Welcomes kept in all, and of one account.
const WELCOMES: usize = 64;
const WELCOMES_OF_ONE: usize = 4;
/// How long anything waits, milliseconds.
const WAIT: u64 = limits::TRY_DAYS * 24 * 3600 * 1000;

impl Step<'_> {
    /// The server pushed entries.
    pub(crate) fn delivered(&mut self, deliver: proto::Deliver) {
        let Some(account) = self.account() else {
            return;
        };
        let device = account.device;
        for record in deliver.hour_keys {
            let Ok(id) = HourKeyId::try_from(record.key_id.as_ref()) else {
                continue;
            };
            // The server may have taken the next key already.
            let seeds = account.mailbox_next.iter().chain(&account.mailbox_seeds);
            let opened = seeds.into_iter().find_map(|seed| {
                MailboxSecret::from_seed(seed.into_array()).open(&device, &id, &record.sealed).ok()
            });
            if let Some(hour) = opened {
                self.disk.put(key::hour_key(id.as_bytes()), &ByteArray::new(*hour.secret()));
            }
        }
        let mut entries = deliver.entries;
        entries.sort_by_key(|entry| entry.sequence);
        self.live.incoming.extend(entries);
    }

    /// Processes entries in order as far as their bodies are at hand, and acknowledges them.
    pub(crate) fn advance_mailbox(&mut self) {
        let Some(account) = self.account() else {
            return;
        };
        let device = account.device;
        let mut last: u64 = self.disk.get(key::LAST).unwrap_or(0);
        let mut releases = Vec::new();
        let mut highest = None;
        while let Some(entry) = self.live.incoming.front().cloned() {
            let opened = self.open_entry(&device, &entry);
            if let Some((plain, secret)) = opened {
                let id = secret.id();
                if entry.sequence > last {
                    let Some(body) = self.body_at_hand(&entry, &secret) else {
                        self.fetch_bodies(&device);
                        break;
                    };
                    if let (Some(body), Ok(room)) = (body, RoomId::try_from(plain.room.as_ref())) {
                        self.arrived(&room, body);
                    }
                }
                self.live.bodies.remove(&id);
                releases.push(proto::Release { sequence: entry.sequence, body_id: id.to_bytes() });
                last = last.max(entry.sequence);
            }
            // What does not open was not sealed for us: skip it, it would block the mailbox for ever, and
            // believe nothing of it, least of all its number.
            highest = Some(entry.sequence);
            self.live.incoming.pop_front();
        }
        if let Some(up_to) = highest {
            self.disk.put(key::LAST.to_vec(), &last);
            self.acknowledge(proto::Ack { up_to, releases });
        }
    }

    fn acknowledge(&mut self, ack: proto::Ack) {
        let purpose = Purpose::Ack(ack.clone());
        self.request(Wire::Login, request::Body::Ack(ack), purpose);
    }

    /// The server's answer to an acknowledgement: one that it could not take goes again, or the window would stay full.
    pub(crate) fn acknowledged(&mut self, ack: proto::Ack, body: &answer::Body) {
        let seconds = match body {
            answer::Body::Refusal(refusal) if class_of(refusal) == Class::Retry => {
                u64::from(refusal.retry_after_seconds)
            }
            _ => return,
        };
        let at = self.now + (seconds * 1000).max(PAUSE);
        let (_, again) = self.live.ack_again.get_or_insert((at, proto::Ack::default()));
        again.up_to = again.up_to.max(ack.up_to);
        again.releases.extend(ack.releases);
    }

    /// Sends it again when it is time.
    pub(crate) fn acknowledge_again(&mut self) {
        if let Some((_, ack)) = self.live.ack_again.take_if(|(at, _)| *at <= self.now) {
            self.acknowledge(ack);
        }
    }

    fn open_entry(
        &self,
        device: &DeviceId,
        entry: &proto::Entry,
    ) -> Option<(proto::EntryPlain, BodySecret)> {
        let id = HourKeyId::try_from(entry.key_id.as_ref()).ok()?;
        let secret: ByteArray<32> = self.disk.get(&key::hour_key(id.as_bytes()))?;
        let hour = HourKey::from_secret(id, secret.into_array());
        let plain = hour.open_entry(device, entry.sequence, &entry.sealed).ok()?;
        let plain = proto::EntryPlain::decode(plain.as_slice()).ok()?;
        let secret = <[u8; 32]>::try_from(plain.body_secret.as_ref()).ok()?;
        Some((plain, BodySecret(secret)))
    }

    /// `None`: not here yet. `Some(None)`: gone at the server, or not a body.
    fn body_at_hand(
        &self,
        entry: &proto::Entry,
        secret: &BodySecret,
    ) -> Option<Option<proto::Body>> {
        if !entry.body.is_empty() {
            return Some(proto::Body::decode(entry.body.as_ref()).ok());
        }
        let stored = self.live.bodies.get(&secret.id())?;
        let plain = stored.as_ref().and_then(|sealed| secret.open(sealed).ok());
        Some(plain.and_then(|plain| proto::Body::decode(plain.as_slice()).ok()))
    }

    fn fetch_bodies(&mut self, device: &DeviceId) {
        if self.live.fetching || self.live.fetch_after > self.now {
            return;
        }
        let mut wanted = Vec::new();
        let mut ids = Vec::new();
        for entry in self.live.incoming.iter().take(limits::WINDOW_ENTRIES) {
            if entry.body.is_empty()
                && let Some((_, secret)) = self.open_entry(device, entry)
                && !self.live.bodies.contains_key(&secret.id())
            {
                let id = secret.id();
                wanted.push(proto::Release { sequence: entry.sequence, body_id: id.to_bytes() });
                ids.push(id);
            }
        }
        self.live.fetching = true;
        let body = request::Body::BodyGet(proto::BodyGet { wanted });
        self.request(Wire::Login, body, Purpose::Bodies(ids));
    }

    /// The server's answer to fetching bodies: one with nothing in it is gone, one not mentioned did not fit
    /// and is asked for again.
    pub(crate) fn bodies_answered(&mut self, ids: &[BodyId], body: answer::Body) {
        self.live.fetching = false;
        self.live.fetch_after = self.now + PAUSE;
        let stored = match body {
            answer::Body::BodyGet(answer) => answer.bodies,
            _ => Vec::new(),
        };
        for one in stored {
            if let Ok(id) = BodyId::try_from(one.id.as_ref())
                && ids.contains(&id)
            {
                let sealed = Some(one.sealed).filter(|sealed| !sealed.is_empty());
                self.live.bodies.insert(id, sealed);
                self.live.fetch_after = 0;
            }
        }
    }

    fn arrived(&mut self, room: &RoomId, body: proto::Body) {
        if let Some(proto::body::Body::Welcome(welcome)) = &body.body {
            if let Some(from) = self.welcome(&welcome.welcome) {
                self.hold_welcome(from, &welcome.welcome);
            }
            return;
        }
        self.take_body(room, &body);
        if !self.disk.prefixed(&key::held(room), 1).is_empty() {
            self.retry_room(room);
        }
    }

    /// Applies a body, or keeps it until its room can go on.
    pub(crate) fn take_body(&mut self, room: &RoomId, body: &proto::Body) {
        if !self.try_body(room, body) {
            self.hold(room, body);
        }
    }

    /// What waits, by room and in order, as far as its keys say.
    pub(crate) fn held_keys(&self) -> Vec<(RoomId, Held)> {
        let keys = self.disk.keys(key::HELD, HELD);
        keys.iter().filter_map(|row| key::read_held(row)).collect()
    }

    /// Whether a commit of this room waits to be decided.
    pub(crate) fn has_waiting_commit(&self, room: &RoomId) -> bool {
        let keys = self.disk.keys(&key::held(room), HELD_PER_ROOM);
        keys.iter().filter_map(|row| key::read_held(row)).any(|(_, held)| held.is_commit)
    }

    /// The commits of a room that wait, oldest first.
    pub(crate) fn held_commits(&self, room: &RoomId) -> Vec<proto::StoredCommit> {
        let keys = self.disk.keys(&key::held(room), HELD_PER_ROOM);
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
        for (row, value) in self.disk.prefixed(&key::held(room), usize::MAX) {
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

    /// Keeps a body for later, in order. When too much waits, what comes is dropped: the room asks for commits
    /// it lacks, and messages are lost as if they had come too late.
    fn hold(&mut self, room: &RoomId, body: &proto::Body) {
        let bytes = body.encode_to_vec();
        let is_commit = matches!(body.body, Some(proto::body::Body::Commit(_)));
        let hash = first_16(Sha256::digest(&bytes).into());
        let size = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let about = Held { is_commit, since: self.now, size, hash };
        let all = self.held_keys();
        let here = all.iter().filter(|(of, _)| of == room);
        if here.clone().any(|(_, held)| held.hash == hash) || here.count() >= HELD_PER_ROOM {
            return;
        }
        // Whoever is a stranger takes no place from whoever is not.
        let strange = self.is_strange(room);
        let mut kinds = BTreeMap::new();
        let (mut count, mut held_bytes) = (0, u64::from(size));
        for (of, held) in &all {
            if *kinds.entry(*of).or_insert_with(|| self.is_strange(of)) == strange {
                count += 1;
                held_bytes += u64::from(held.size);
            }
        }
        let (most, most_bytes) =
            if strange { (STRANGE, STRANGE_BYTES) } else { (HELD - STRANGE, HELD_BYTES) };
        if count < most && held_bytes <= most_bytes {
            let number = self.number();
            self.disk.set_bytes(key::held_one(room, number, &about), Some(bytes));
        }
    }

    /// Whether a room is one we do not know, or a request.
    fn is_strange(&self, room: &RoomId) -> bool {
        let room = self.room(room).and_then(|room| self.conversation(room.conversation));
        room.is_none_or(|conversation| conversation.status == Status::Request)
    }

    /// Keeps a Welcome until the lists it names are here: a few of each sender, the same once.
    fn hold_welcome(&mut self, from: AccountId, welcome: &[u8]) {
        let about =
            HeldWelcome { since: self.now, from, hash: first_16(Sha256::digest(welcome).into()) };
        let keys = self.disk.keys(key::WELCOMES, WELCOMES);
        let held: Vec<_> =
            keys.iter().filter_map(|row| Some((row, key::read_welcome(row)?))).collect();
        let theirs = held.iter().filter(|(_, held)| held.from == from);
        if theirs.clone().any(|(_, held)| held.hash == about.hash)
            || theirs.count() >= WELCOMES_OF_ONE
        {
            return;
        }
        if held.len() >= WELCOMES {
            // The oldest of somebody we did not accept makes room.
            let stranger = |held: &HeldWelcome| !self.contact(&held.from).accepted;
            let Some((oldest, _)) = held.iter().find(|(_, held)| stranger(held)) else {
                return;
            };
            self.disk.remove(oldest);
        }
        let number = self.number();
        self.disk.set_bytes(key::welcome(number, &about), Some(welcome.to_vec()));
    }

    /// Tries again what waited: Welcomes, then each room's bodies in order.
    pub(crate) fn retry_held(&mut self) {
        for (row, welcome) in self.disk.prefixed(key::WELCOMES, usize::MAX) {
            // Joining by one tries the others again: this one may be done already.
            if self.disk.bytes(&row).is_none() {
                continue;
            }
            let since = key::read_welcome(&row).map_or(0, |held| held.since);
            if self.now.saturating_sub(since) > WAIT || self.welcome(&welcome).is_none() {
                self.disk.remove(&row);
            }
        }
        let mut last: Option<RoomId> = None;
        for (room, _) in self.held_keys() {
            if last != Some(room) {
                last = Some(room);
                self.retry_room(&room);
            }
        }
    }

    /// Tries again what waits for a room, oldest first, for as long as something of it goes.
    fn retry_room(&mut self, room: &RoomId) {
        let mut again = true;
        while std::mem::take(&mut again) {
            for (row, value) in self.disk.prefixed(&key::held(room), usize::MAX) {
                let done = match proto::Body::decode(value.as_slice()) {
                    Ok(body) => self.try_body(room, &body),
                    Err(_) => true,
                };
                let since = key::read_held(&row).map_or(0, |(_, held)| held.since);
                let age = self.now.saturating_sub(since);
                let patience = if self.room(room).is_some() { WAIT } else { UNKNOWN_ROOM };
                if done || age > patience {
                    self.disk.remove(&row);
                    again |= done;
                }
            }
        }
    }
}
