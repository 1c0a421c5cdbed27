// SPDX-License-Identifier: AGPL-3.0-or-later
//! Rooms of two that a chat left for a successor, and that are still read. Unlike a burnt room's their head goes on:
//! whoever has not read the successor's Welcome yet writes there. So this device sends nothing in them any more, and
//! reads what comes for as long as a sender tries.
//!
//! Spec: `docs/book/protocol.md`, 3.6.

use nodoor_view::model::ConversationId;
use nodoor_wire::{id::RoomId, limits};

use crate::{
    rows::{Room, key},
    step::Step,
};

/// How long such a room is read, milliseconds.
const READ: u64 = limits::TRY_DAYS * 24 * 3600 * 1000;

impl Step<'_> {
    /// Leaves a room for its successor: one of two is still read, unless its head is one that nobody merges.
    pub(crate) fn retire_room(&mut self, id: &RoomId) {
        let Some(mut room) = self.room(id).filter(|room| !room.closed) else {
            return;
        };
        if room.is_burnt() || room.is_group() {
            return self.close_room(id);
        }
        room.closed = true;
        room.last_epoch = self.with_group(id, |_, group| group.epoch()).unwrap_or(0);
        self.set_room(&room);
        self.disk.put(key::retired_one(room.conversation, id), &(self.now + READ));
        self.disk.put(key::once_one(room.conversation, id), &());
        self.disk.remove(&key::unknown(id));
        self.disk.remove(&key::stuck(id));
        // A commit that is on its way may have arrived: it stays, to be known when it comes.
        for row in self.disk.keys(&key::intents(id), usize::MAX) {
            self.disk.remove(&row);
        }
        self.is_fruitful(id);
    }

    /// Whether a room is over and still read.
    pub(crate) fn is_retired(&self, room: &Room) -> bool {
        room.closed && self.disk.bytes(&key::retired_one(room.conversation, &room.room)).is_some()
    }

    /// Whether nothing is to be done in a room any more than reading.
    pub(crate) fn is_over(&self, id: &RoomId) -> bool {
        self.room(id).is_none_or(|room| room.closed)
    }

    /// Whether this device left a room whose head goes on: nobody may read what it sends there.
    pub(crate) fn is_left_behind(&self, id: &RoomId) -> bool {
        self.room(id).is_some_and(|room| room.closed && !room.is_burnt())
    }

    /// The rooms of a chat that are over and still read.
    pub(crate) fn retired_rooms(&self, conversation: ConversationId) -> Vec<RoomId> {
        let rows = self.disk.keys(&key::retired(conversation), usize::MAX);
        rows.iter().filter_map(|row| key::read_retired(row)).collect()
    }

    /// The end of those of a chat.
    pub(crate) fn close_retired(&mut self, conversation: ConversationId) {
        for room in self.retired_rooms(conversation) {
            self.close_room(&room);
        }
    }

    /// The end of those that were read for long enough.
    pub(crate) fn end_retired(&mut self) {
        for (row, value) in self.disk.prefixed(key::RETIRED, usize::MAX) {
            let over = self.disk.decode::<u64>(&value).is_none_or(|until| until <= self.now);
            if let Some(room) = key::read_retired(&row).filter(|_| over) {
                self.close_room(&room);
            }
        }
    }

    /// When that is.
    pub(crate) fn retired_due(&self) -> Vec<u64> {
        let rows = self.disk.prefixed(key::RETIRED, usize::MAX);
        rows.iter().filter_map(|(_, value)| self.disk.decode(value)).collect()
    }
}
