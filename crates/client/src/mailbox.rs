// SPDX-License-Identifier: AGPL-3.0-or-later
//! The mailbox: entries in order, each once, acknowledged when what they changed is on disk.
//!
//! The highest sequence processed is written in the same commit as its effects, so an entry that comes
//! again is skipped and acknowledged. A body whose room cannot go on yet is kept on disk ([`crate::held`]) and
//! acknowledged all the same: one undecided room must not stop the others.
//!
//! Spec: `docs/book/protocol.md`, 4.

use nodoor_wire::{
    code::Class,
    id::{BodyId, DeviceId, HourKeyId, RoomId},
    limits,
    proto::{self, answer, request},
    sealed::{BodySecret, MailboxSecret},
};
use prost::Message as _;

use crate::{io::Wire, link::class_of, live::Purpose, room::PAUSE, rows::key, step::Step};

/// Words of typing heard of one delivery.
const SIGNALS: usize = 32;
/// How long an acknowledgement waits for others, milliseconds.
const ACK_SOON: u64 = 100;
/// And for no more than so many.
const ACK_ENTRIES: usize = 32;
/// Nor for any, if what came at once had so many bytes: a quarter of what may be unacknowledged.
const ACK_BYTES: usize = limits::WINDOW_BYTES / 4;

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
                self.live.hour_keys.insert(id, hour);
            }
        }
        for signalled in deliver.signalled.iter().take(SIGNALS) {
            self.hear_typing(signalled);
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
        let (mut highest, mut bytes) = (None, 0);
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
                        if self.arrived(&room, &body) {
                            self.stays_no_more(entry.sequence);
                        } else if self.may_stay(entry.sequence) {
                            break;
                        }
                    }
                }
                let fetched = self.live.bodies.remove(&id).flatten();
                bytes += entry.body.len() + fetched.map_or(0, |body| body.len());
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
            self.acknowledge(proto::Ack { up_to, releases }, bytes);
        }
    }

    /// Acknowledges, with whatever else comes in the next moment: one for each message would cost the server more than the
    /// message. At once where it is much, so that the window never fills for want of it.
    fn acknowledge(&mut self, ack: proto::Ack, bytes: usize) {
        let soon = self.now + ACK_SOON;
        let (at, all) = self.live.ack_again.get_or_insert((soon, proto::Ack::default()));
        all.up_to = all.up_to.max(ack.up_to);
        all.releases.extend(ack.releases);
        if all.releases.len() >= ACK_ENTRIES || bytes >= ACK_BYTES {
            *at = self.now;
        }
        self.acknowledge_again();
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
            let purpose = Purpose::Ack(ack.clone());
            self.request(Wire::Login, request::Body::Ack(ack), purpose);
        }
    }

    fn open_entry(
        &self,
        device: &DeviceId,
        entry: &proto::Entry,
    ) -> Option<(proto::EntryPlain, BodySecret)> {
        let id = HourKeyId::try_from(entry.key_id.as_ref()).ok()?;
        let hour = self.live.hour_keys.get(&id)?;
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

    /// False: it can neither be applied nor kept.
    fn arrived(&mut self, room: &RoomId, body: &proto::Body) -> bool {
        if let Some(proto::body::Body::Welcome(welcome)) = &body.body {
            let waits = self.welcome(&welcome.welcome, None);
            return waits.is_none_or(|waiting| self.hold_welcome(waiting, &welcome.welcome));
        }
        let taken = self.take_body(room, body);
        if !self.disk.keys(&key::held(room), 1).is_empty() {
            self.retry_room(room);
        }
        taken
    }
}
