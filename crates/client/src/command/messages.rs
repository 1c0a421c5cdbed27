// SPDX-License-Identifier: AGPL-3.0-or-later
//! Writing, trying again, deleting, reading.
//!
//! Spec: `docs/book/protocol.md`, 7.

use crate::{
    rows::{Conversation, Deleted, Outgoing, State, Status, key},
    selfgroup::About,
    step::{Step, refused},
};
use nodoor_view::{
    command::Reply,
    event::Event,
    model::{ConversationId, MessageId, ProblemKind},
};

/// How long a deleted message can be brought back, milliseconds.
const UNDO: u64 = 60_000;

impl Step<'_> {
    pub(super) fn send_text(&mut self, id: ConversationId, text: &str) -> Reply {
        self.send(id, text, |_| ())
    }

    pub(super) fn retry(&mut self, id: MessageId) -> Reply {
        let Some(mut message) = self.message(id) else {
            return refused(ProblemKind::NotFound);
        };
        let failed_edit = message.marks.edit.as_ref().and_then(|edit| edit.state);
        let failed = |state| matches!(state, Some(State::NotSent(_)));
        if !failed(message.state) {
            return match self.text_of(&message).filter(|_| failed(failed_edit)) {
                Some(text) => self.edit(id, &text),
                None => refused(ProblemKind::NotAllowed),
            };
        }
        let Some(mut conversation) = self.conversation(message.conversation) else {
            return refused(ProblemKind::NotFound);
        };
        if conversation.status != Status::Open {
            return refused(ProblemKind::NotAMember);
        }
        self.ensure_direct_room(&mut conversation);
        self.queue_again(&message);
        self.move_again(id);
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
        self.drop_message(message.conversation, id);
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
        if let Some(at) = message.marks.ends_at {
            self.disk.put(key::ending(at, id), &());
        }
        self.last_line_changed(message.conversation);
        Reply::Done
    }

    /// Drops deleted messages that can no longer be brought back.
    pub(crate) fn forget_deleted(&mut self) {
        for (row, value) in self.disk.prefixed(key::DELETED, usize::MAX) {
            let deleted = self.disk.decode::<Deleted>(&value);
            if deleted.is_none_or(|one| one.at + UNDO <= self.now || one.at > self.now) {
                self.live.files.check = true;
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

    pub(crate) fn last_line_changed(&mut self, id: ConversationId) {
        if let Some(mut conversation) = self.conversation(id) {
            conversation.last = self.newest_message(id);
            self.set_conversation(&conversation);
        }
    }

    pub(super) fn mark_read(&mut self, id: ConversationId, up_to: MessageId) -> Reply {
        let Some(mut conversation) = self.conversation(id) else {
            return refused(ProblemKind::NotFound);
        };
        if self.read(&mut conversation, up_to, true) {
            self.own_devices_should_know(About::Read(conversation.reference));
        }
        Reply::Done
    }

    /// A chat is read up to a message, here or on another device of ours. Says whether that is new.
    pub(crate) fn read(
        &mut self,
        conversation: &mut Conversation,
        up_to: MessageId,
        here: bool,
    ) -> bool {
        let (id, before) = (conversation.id, conversation.first_unread);
        let (unread, first) = self.unread_after(id, up_to, before);
        let new = conversation.unread != unread || before != first;
        if new {
            conversation.unread = unread;
            conversation.first_unread = first;
            conversation.mention = conversation.mention.filter(|id| *id > up_to);
            self.set_conversation(conversation);
            if let Some(before) = before {
                self.were_read(conversation, before, up_to, here);
            }
        }
        new
    }
}
