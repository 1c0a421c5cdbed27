// SPDX-License-Identifier: AGPL-3.0-or-later
//! Writing, trying again, deleting, reading.
//!
//! Spec: `docs/book/protocol.md`, 7.

use nodoor_view::{
    command::Reply,
    event::Event,
    model::{ConversationId, Kind, MessageId, ProblemKind},
};
use nodoor_wire::limits;

use crate::{
    rows::{Conversation, Deleted, Outgoing, State, Status, key},
    selfgroup::About,
    step::{Step, refused},
};

/// How long a deleted message can be brought back, milliseconds.
const UNDO: u64 = 60_000;

impl Step<'_> {
    pub(super) fn send_text(&mut self, id: ConversationId, text: &str) -> Reply {
        let Some(mut conversation) = self.conversation(id) else {
            return refused(ProblemKind::NotFound);
        };
        if text.trim().is_empty() || text.len() > limits::TEXT {
            return refused(ProblemKind::Size);
        }
        if self.is_removed() {
            return refused(ProblemKind::NotADevice);
        }
        match conversation.status {
            Status::Open => {}
            Status::Request => return refused(ProblemKind::Request),
            Status::Left | Status::Removed => return refused(ProblemKind::NotAMember),
            Status::Blocked => return refused(ProblemKind::Blocked),
        }
        if conversation.kind == Kind::Direct {
            // Writing to somebody is accepting them.
            let other = conversation.other;
            let mut contact = self.contact(&other);
            if !contact.accepted {
                contact.accepted = true;
                self.set_contact(&other, &contact);
            }
            self.ensure_direct_room(&mut conversation);
        }
        match self.write_own(&mut conversation, text) {
            Some(message) => Reply::Sent(self.message_row(&message)),
            None => refused(ProblemKind::Internal),
        }
    }

    pub(super) fn retry(&mut self, id: MessageId) -> Reply {
        let Some(mut message) = self.message(id) else {
            return refused(ProblemKind::NotFound);
        };
        let Some(State::NotSent(_)) = message.state else {
            return refused(ProblemKind::NotAllowed);
        };
        let Some(mut conversation) = self.conversation(message.conversation) else {
            return refused(ProblemKind::NotFound);
        };
        if conversation.status != Status::Open {
            return refused(ProblemKind::NotAMember);
        }
        self.ensure_direct_room(&mut conversation);
        self.queue_again(&message);
        message.state = Some(State::Waiting);
        self.set_message(&message, false);
        Reply::Done
    }

    pub(super) fn delete_for_me(&mut self, id: MessageId) -> Reply {
        let Some(message) = self.message(id) else {
            return refused(ProblemKind::NotFound);
        };
        // What still waits to be sent must not go out after its sender deleted it.
        for (row, value) in self.disk.prefixed(&key::outgoing(message.conversation), usize::MAX) {
            let outgoing = self.disk.decode::<Outgoing>(&value);
            if outgoing.is_some_and(|o| o.message == Some(id) && o.sealed.is_none()) {
                self.disk.remove(&row);
            }
        }
        self.disk.remove(&key::message(message.conversation, id));
        self.disk.put(key::deleted(id), &Deleted { at: self.now, message: message.clone() });
        self.last_line_changed(message.conversation);
        self.tell(Event::MessageGone { conversation: message.conversation, message: id });
        Reply::Done
    }

    pub(super) fn undelete(&mut self, id: MessageId) -> Reply {
        let Some(Deleted { mut message, .. }) = self.disk.get(&key::deleted(id)) else {
            return refused(ProblemKind::NotFound);
        };
        self.disk.remove(&key::deleted(id));
        if message.state == Some(State::Waiting) {
            self.queue_again(&message);
        }
        if message.state.is_none() {
            message.received_at = message.received_at.min(self.now);
        }
        self.set_message(&message, true);
        self.last_line_changed(message.conversation);
        Reply::Done
    }

    /// Drops deleted messages that can no longer be brought back.
    pub(crate) fn forget_deleted(&mut self) {
        for (row, value) in self.disk.prefixed(key::DELETED, usize::MAX) {
            let deleted = self.disk.decode::<Deleted>(&value);
            if deleted.is_none_or(|one| one.at + UNDO <= self.now || one.at > self.now) {
                self.disk.remove(&row);
            }
        }
    }

    /// When the next deleted message can no longer be brought back.
    pub(crate) fn deleted_due(&self) -> Option<u64> {
        let deleted = self.disk.prefixed(key::DELETED, usize::MAX).into_iter();
        let deleted = deleted.filter_map(|(_, value)| self.disk.decode::<Deleted>(&value));
        deleted.map(|one| one.at + UNDO).min()
    }

    fn last_line_changed(&mut self, id: ConversationId) {
        if let Some(mut conversation) = self.conversation(id) {
            conversation.last = self.newest_message(id);
            self.set_conversation(&conversation);
        }
    }

    pub(super) fn mark_read(&mut self, id: ConversationId, up_to: MessageId) -> Reply {
        let Some(mut conversation) = self.conversation(id) else {
            return refused(ProblemKind::NotFound);
        };
        if self.read(&mut conversation, up_to) {
            self.own_devices_should_know(About::Read(conversation.reference));
        }
        Reply::Done
    }

    /// A chat is read up to a message, here or on another device of ours. Says whether that is new.
    pub(crate) fn read(&mut self, conversation: &mut Conversation, up_to: MessageId) -> bool {
        let (id, before) = (conversation.id, conversation.first_unread);
        let (unread, first) = self.unread_after(id, up_to, before);
        let new = conversation.unread != unread || before != first;
        if new {
            conversation.unread = unread;
            conversation.first_unread = first;
            self.set_conversation(conversation);
        }
        new
    }
}
