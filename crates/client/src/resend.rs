// SPDX-License-Identifier: AGPL-3.0-or-later
//! Sent again: what came when its keys were gone is asked for by the hash of its frame, and whoever sealed it says what it
//! was and sends it once more.
//!
//! The whole room reads what is sent again. So nothing is, that a device in the room was not there for: [`Step::grew`] notes
//! the last epoch that brought one. What is said to a person waits for the answer: most frames are receipts.
//!
//! Spec: `docs/book/protocol.md`, 3.9.

use std::collections::BTreeMap;

use nodoor_e2ee::{
    content::{ASKED, Content, FrameHash, Resent, message_id},
    group::Leaf,
    identity::LeafName,
};
use nodoor_view::model::{ConversationId, MessageId};
use nodoor_wire::{
    id::{AccountId, DeviceId, MessageId as Reference, RoomId},
    limits, proto,
};
use prost::Message as _;

use crate::{
    rows::{Conversation, Frame, Line, Message, Outgoing, Room, Status, Stored, key},
    step::Step,
};

/// More of a mailbox is read first, milliseconds.
const TOGETHER: u64 = 5_000;
/// Between two askings in a room, and between two of one device that are heard, milliseconds.
const PAUSE: u64 = 600_000;
/// How long one that was asked for may be answered, and how old what is sent again may be, milliseconds.
const LONG: u64 = 30 * 24 * 3600 * 1000;
/// How long one waits to be asked for in a room that stands still, milliseconds.
const WAIT: u64 = limits::TRY_DAYS * 24 * 3600 * 1000;
/// Which of our messages are looked through.
const NEWEST: usize = 1_000;
/// A message is sent again so many times, to whomever.
const TIMES: u8 = 3;
/// Frames of one message that are remembered.
const FRAMES: usize = 4;

/// Askings of this run: ours, by room, and those of others.
#[derive(Default)]
pub(crate) struct Askings {
    asked: BTreeMap<RoomId, u64>,
    heard: BTreeMap<(RoomId, DeviceId), u64>,
}

impl Step<'_> {
    // ---- asking --------------------------------------------------------------------------------

    /// A frame with content of an epoch that is over: its keys are gone.
    pub(crate) fn came_too_late(&mut self, id: &RoomId, frame: &[u8]) {
        let hash = FrameHash::of(frame);
        let asked: Option<u64> = self.disk.get(&key::asked_again(id, &hash.0));
        let conversation = self.room(id).and_then(|room| self.conversation(room.conversation));
        let open = conversation.is_some_and(|one| one.status == Status::Open);
        if open && asked.is_none() && self.disk.keys(&key::unopened(id), ASKED).len() < ASKED {
            self.disk.put(key::unopened_one(id, &hash.0), &self.now);
        }
    }

    /// The times at which something is to be asked for.
    pub(crate) fn resend_due(&self) -> Vec<u64> {
        self.unopened_rooms().into_iter().map(|(_, due)| due).collect()
    }

    /// Rooms in which something came too late, and when it is asked for.
    fn unopened_rooms(&self) -> Vec<(RoomId, u64)> {
        let mut rooms: BTreeMap<RoomId, u64> = BTreeMap::new();
        for (row, value) in self.disk.prefixed(key::UNOPENED, usize::MAX) {
            let room = key::read_unopened(&row).map(|(room, _)| room);
            if let (Some(room), Some(since)) = (room, self.disk.decode::<u64>(&value)) {
                let asked = self.live.askings.asked.get(&room).map_or(0, |at| at + PAUSE);
                let due = (since + TOGETHER).max(asked);
                rooms.entry(room).and_modify(|one| *one = due.min(*one)).or_insert(due);
            }
        }
        rooms.into_iter().collect()
    }

    /// Asks for what came too late.
    pub(crate) fn ask_again(&mut self) {
        for (id, due) in self.unopened_rooms() {
            let room = self.room(&id).filter(|room| !room.closed);
            let old = due + WAIT < self.now;
            if due > self.now || room.as_ref().is_some_and(|room| room.stuck.is_some()) && !old {
                continue;
            }
            let rows = self.disk.keys(&key::unopened(&id), ASKED);
            let hashes = rows.iter().filter_map(|row| key::read_unopened(row));
            let hashes: Vec<FrameHash> = hashes.map(|(_, hash)| FrameHash(hash)).collect();
            rows.iter().for_each(|row| self.disk.remove(row));
            if let Some(room) = room.filter(|_| !old) {
                for (row, value) in self.disk.prefixed(&key::asked_in(&id), usize::MAX) {
                    let at = self.disk.decode::<u64>(&value);
                    if at.is_none_or(|at| at + LONG < self.now) {
                        self.disk.remove(&row);
                    }
                }
                for hash in &hashes {
                    self.disk.put(key::asked_again(&id, &hash.0), &self.now);
                }
                self.live.askings.asked.insert(id, self.now);
                self.queue(room.conversation, None, &Content::Resend(hashes).into(), Some(id));
            }
        }
    }

    // ---- answering -----------------------------------------------------------------------------

    /// The tree of a room is another one now: notes the epoch if a device is in it that was not before.
    pub(crate) fn grew(&mut self, id: &RoomId, epoch: u64, before: &[Leaf], after: &[Leaf]) {
        let was = |leaf: &&Leaf| before.iter().any(|one| one.name.device == leaf.name.device);
        if !after.iter().all(|leaf| was(&leaf))
            && let Some(room) = self.room(id)
        {
            self.set_room(&Room { grown_at: epoch, ..room });
        }
    }

    /// The server took this frame for a message of ours.
    pub(crate) fn note_frame(message: &mut Message, outgoing: &Outgoing) {
        let sealed = outgoing.sealed.as_ref();
        if let Some(send) = sealed.and_then(|one| proto::Send::decode(one.send.as_slice()).ok()) {
            let FrameHash(hash) = FrameHash::of(&send.frame);
            message.frames.push(Frame { hash, epoch: send.epoch });
            let surplus = message.frames.len().saturating_sub(FRAMES);
            message.frames.drain(..surplus);
        }
    }

    /// Another device could not open these.
    pub(crate) fn hear_asking(&mut self, id: &RoomId, from: &LeafName, asked: &[FrameHash]) {
        let heard = self.live.askings.heard.get(&(*id, from.device));
        if heard.is_some_and(|at| self.now.saturating_sub(*at) < PAUSE) {
            return;
        }
        let Some(room) = self.room(id).filter(|room| !room.closed && room.stuck.is_none()) else {
            return;
        };
        let conversation = self.conversation(room.conversation);
        let (Some(me), Some(conversation)) = (self.me(), conversation) else {
            return;
        };
        if conversation.status != Status::Open {
            return;
        }
        self.live.askings.heard.insert((*id, from.device), self.now);
        let mut answers = Vec::new();
        let mut contents = Vec::new();
        for mut message in self.messages_before(conversation.id, None, NEWEST) {
            let found = message.frames.iter().find(|frame| asked.contains(&FrameHash(frame.hash)));
            let (Some(frame), Some(reference)) = (found.copied(), message.reference) else {
                continue;
            };
            let content = self.sendable(&message, &frame, &room);
            // In another room of this chat it has another id.
            let content = content.filter(|bytes| message_id(&me, id, bytes) == reference);
            let (again, sent_at) = (content.is_some(), message.sent_at);
            answers.push(Resent { frame: FrameHash(frame.hash), message: reference, again });
            if let Some(content) = content {
                contents.push(Outgoing {
                    room: Some(*id),
                    sent_at,
                    ..Outgoing::of(content, self.now)
                });
                message.sent_again += 1;
                self.set_message(&message, false);
            }
            if answers.len() == ASKED {
                break;
            }
        }
        if answers.is_empty() {
            return;
        }
        // The answer first: who asked learns from it what it is that comes.
        self.queue(conversation.id, None, &Content::Resent(answers).into(), Some(*id));
        for outgoing in contents {
            let number = self.number();
            self.disk.put(key::outgoing_one(conversation.id, number), &outgoing);
        }
    }

    /// What is sent again of a message, if everybody who would read it now could read it then.
    fn sendable(&self, message: &Message, frame: &Frame, room: &Room) -> Option<Vec<u8>> {
        let there = frame.epoch >= room.grown_at;
        let recent = self.now.saturating_sub(message.sent_at) <= LONG;
        let whole = message.marks.deletion.is_none() && !message.marks.opened;
        match &message.content {
            Stored::Content(bytes) if there && recent && whole && message.sent_again < TIMES => {
                Some(bytes.clone())
            }
            _ => None,
        }
    }

    // ---- being answered ------------------------------------------------------------------------

    /// What those were that we could not open.
    pub(crate) fn hear_answers(&mut self, id: &RoomId, from: AccountId, answers: &[Resent]) {
        let Some(conversation) = self.room(id).map(|room| room.conversation) else {
            return;
        };
        let mut missing: Vec<Resent> = Vec::new();
        for answer in answers {
            let asked = key::asked_again(id, &answer.frame.0);
            if self.disk.get::<u64>(&asked).is_none() {
                continue;
            }
            self.disk.remove(&asked);
            let here = key::message_by_reference(conversation, &answer.message);
            let twice = missing.iter().any(|one| one.message == answer.message);
            if self.disk.get::<u64>(&here).is_none() && !twice {
                missing.push(*answer);
            }
        }
        let (again, gone): (Vec<_>, Vec<_>) = missing.into_iter().partition(|one| one.again);
        if let Some(count) = count(gone.len()) {
            self.line(conversation, Line::NotRead { from, count });
        }
        if let Some(count) = count(again.len()) {
            let line = MessageId(self.number());
            self.line_at(line, conversation, Line::AskedAgain { from, count, left: count });
            for one in again {
                self.disk.put(key::awaited(conversation, &one.message), &line.0);
            }
        }
    }

    /// A message is here: perhaps one that was asked for.
    pub(crate) fn came_again(&mut self, conversation: ConversationId, reference: &Reference) {
        let awaited = key::awaited(conversation, reference);
        let line = self.disk.get::<u64>(&awaited).and_then(|line| self.message(MessageId(line)));
        let Some(mut line) = line else {
            return;
        };
        self.disk.remove(&awaited);
        if let Stored::Line(Line::AskedAgain { left, .. }) = &mut line.content {
            *left = left.saturating_sub(1);
            self.set_message(&line, false);
        }
    }

    /// A chat goes, and what was awaited in it.
    pub(crate) fn await_nothing(&mut self, conversation: &Conversation) {
        for row in self.disk.keys(&key::awaited_in(conversation.id), usize::MAX) {
            self.disk.remove(&row);
        }
    }
}

/// Nothing for none.
fn count(of: usize) -> Option<u32> {
    u32::try_from(of).ok().filter(|count| *count > 0)
}
