// SPDX-License-Identifier: AGPL-3.0-or-later
//! A disk that was put back to an older state.
//!
//! What a device acknowledged it had on disk. If the server remembers more than the device does, the disk is an old copy: its
//! ratchets are where they were, and what it would seal with them is lost on everybody who has read what was sealed with
//! the same keys before. So nothing about rooms is sent after a start before the server said how far this device had
//! come; and on an old copy nothing is sealed in a room before a commit of ours brought it keys of its own.
//!
//! The server may lie. One that says too much makes us renew our keys; one that says too little is no worse than none.
//!
//! Spec: `docs/book/protocol.md`, 3.8.

use nodoor_wire::{id::RoomId, proto};

use crate::{
    io::Wire,
    rows::{Intent, Line, Outgoing, Status, Stored, key},
    step::Step,
};

/// An old copy renews the mailbox key this often at most: of the keys before it only two are kept, and what waits in the
/// mailbox may be sealed to one that is 30 days old. Milliseconds.
const KEY_RENEWED: u64 = 30 * DAY;
/// So long a mailbox keeps what came, milliseconds.
const KEPT: u64 = 30 * DAY;
const DAY: u64 = 24 * 3600 * 1000;

/// What the server's word makes of this device's disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Disk {
    /// All that it knows of is here.
    Newest,
    /// An old copy.
    Old {
        /// The mailbox key is to be another one.
        renew_key: bool,
    },
}

impl Step<'_> {
    /// The server let us in, and says how far we had come.
    pub(crate) fn weigh_own_disk(&mut self, login: &proto::LoginAnswer) -> Disk {
        let last: u64 = self.disk.get(key::LAST).unwrap_or(0);
        self.live.disk_weighed = true;
        let noticed: Option<(u64, u64)> = self.disk.get(key::PUT_BACK);
        if login.acknowledged <= last
            || noticed.is_some_and(|(before, _)| before == login.acknowledged)
        {
            return Disk::Newest;
        }
        // Noticed once. How far the mailbox was read stays ours to say: the server's number may be a lie, and whatever came
        // below it would be skipped.
        let renewed_at = noticed.map(|(_, at)| at);
        let renew_key = renewed_at.is_none_or(|at| self.now.saturating_sub(at) >= KEY_RENEWED);
        let at = renewed_at.filter(|_| !renew_key).unwrap_or(self.now);
        self.disk.put(key::PUT_BACK.to_vec(), &(login.acknowledged, at));
        self.seal_all_anew();
        for conversation in self.conversations() {
            if conversation.status == Status::Request {
                // Nothing was sealed there, and its keys are renewed when it is accepted.
                continue;
            }
            for id in &conversation.rooms {
                if self.room(id).is_some_and(|room| !room.closed) && !self.is_to_update(id) {
                    self.intend(id, &Intent::Update);
                }
            }
            let newest = self.newest_message(conversation.id).and_then(|id| self.message(id));
            let said = newest.is_some_and(|one| matches!(one.content, Stored::Line(Line::PutBack)));
            let open = conversation.status == Status::Open;
            if open && !said && !self.is_own_conversation(&conversation) {
                self.line(conversation.id, Line::PutBack);
            }
        }
        Disk::Old { renew_key }
    }

    /// The server let us in. What came more than [`KEPT`] ago it had to forget: each chat says so.
    pub(crate) fn came_back(&mut self) {
        let seen: Option<u64> = self.disk.get(key::SEEN);
        self.disk.put(key::SEEN.to_vec(), &self.now);
        let away = self.now.saturating_sub(seen.unwrap_or(self.now));
        if away <= KEPT {
            return;
        }
        let days = u32::try_from(away / DAY).unwrap_or(u32::MAX);
        for conversation in self.conversations() {
            let open = conversation.status == Status::Open && !conversation.rooms.is_empty();
            if open && !self.is_own_conversation(&conversation) {
                self.line(conversation.id, Line::Away { days });
            }
        }
    }

    /// As long as it is connected it is not away.
    pub(crate) fn still_here(&mut self) {
        let seen: u64 = self.disk.get(key::SEEN).unwrap_or(0);
        if self.is_ready(Wire::Login) && self.now.saturating_sub(seen) > DAY / 2 {
            self.disk.put(key::SEEN.to_vec(), &self.now);
        }
    }

    fn is_to_update(&self, id: &RoomId) -> bool {
        let intents = self.disk.prefixed(&key::intents(id), usize::MAX);
        intents.iter().any(|(_, value)| self.disk.decode(value) == Some(Intent::Update))
    }

    /// What waits to be sent was sealed with keys that may have been used since; its id in the room stays the same.
    fn seal_all_anew(&mut self) {
        for (row, value) in self.disk.prefixed(key::OUTGOING, usize::MAX) {
            if let Some(mut outgoing) = self.disk.decode::<Outgoing>(&value)
                && outgoing.sealed.take().is_some()
            {
                self.disk.put(row, &outgoing);
            }
        }
    }
}
