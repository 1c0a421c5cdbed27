// SPDX-License-Identifier: AGPL-3.0-or-later
//! Who may write to us: Accept, Delete, Block, Unblock.
//!
//! Spec: `docs/book/protocol.md`, 7.

use nodoor_view::{
    command::Reply,
    event::Event,
    model::{ConversationId, Kind, MessageId, ProblemKind},
};
use nodoor_wire::id::RoomId;

use crate::{
    rows::{Conversation, Intent, Message, Status, key},
    selfgroup::About,
    step::{Step, problem, refused},
};

impl Step<'_> {
    pub(crate) fn accept(&mut self, conversation: &mut Conversation) -> Reply {
        if conversation.status == Status::Request {
            self.own_devices_should_know(About::Chat(conversation.reference));
            conversation.status = Status::Open;
            conversation.returning = None;
            let other = conversation.other;
            let mut contact = self.contact(&other);
            contact.accepted = true;
            self.set_contact(&other, &contact);
            for room in conversation.rooms.clone() {
                self.is_no_strangers(&room);
                self.intend(&room, &Intent::Update);
                self.receipts_for_what_came(conversation.id, &room);
            }
            self.introduce_bot(conversation);
        }
        Reply::Conversation(self.conversation_row(conversation))
    }

    fn receipts_for_what_came(&mut self, id: ConversationId, room: &RoomId) {
        let me = self.me();
        let page = self.all_messages(id, 100);
        let theirs = page
            .into_iter()
            .filter(|message| message.from.is_some() && message.from != me)
            .filter_map(|message| message.reference);
        let theirs = theirs.collect::<Vec<_>>();
        theirs.into_iter().for_each(|reference| self.report_delivered(room, reference));
    }

    pub(super) fn decline(&mut self, id: ConversationId) -> Reply {
        let Some(conversation) = self.conversation(id) else {
            return refused(ProblemKind::NotFound);
        };
        if self.is_untouched(&conversation) {
            self.forget_conversation(&conversation);
            return Reply::Done;
        }
        if conversation.status != Status::Request {
            return refused(ProblemKind::NotAllowed);
        }
        self.own_devices_should_know(About::Chat(conversation.reference));
        self.forget_request(conversation);
        Reply::Done
    }

    /// Whether a chat was opened to look at somebody and nothing more: no room, no word, nothing on its way.
    fn is_untouched(&self, conversation: &Conversation) -> bool {
        conversation.status == Status::Open
            && conversation.kind == Kind::Direct
            && conversation.rooms.is_empty()
            && conversation.draft.is_empty()
            && self.all_messages(conversation.id, 1).is_empty()
            && self.disk.prefixed(&key::outgoing(conversation.id), 1).is_empty()
    }

    /// A request goes, and all that it held. If it came to somebody who had left the group, their own history stays.
    pub(crate) fn forget_request(&mut self, mut conversation: Conversation) {
        for room in conversation.rooms.iter().chain(&self.retired_rooms(conversation.id)) {
            self.disown_shared_token(room);
        }
        let Some(last) = conversation.returning.take() else {
            return self.forget_conversation(&conversation);
        };
        for room in &conversation.rooms {
            self.close_room(room);
        }
        let since = MessageId(last.0.saturating_add(1));
        for message in self.messages_from(conversation.id, since, usize::MAX) {
            self.forget_message(&message);
        }
        conversation.status = Status::Left;
        (conversation.unread, conversation.first_unread) = (0, None);
        conversation.last = self.newest_message(conversation.id);
        self.set_conversation(&conversation);
    }

    fn forget_message(&mut self, message: &Message) {
        self.drop_message(message.conversation, message.id);
        self.disk.remove(&key::conversation_of(message.id));
        if let Some(reference) = &message.reference {
            self.disk.remove(&key::message_by_reference(message.conversation, reference));
        }
    }

    fn forget_conversation(&mut self, conversation: &Conversation) {
        self.close_retired(conversation.id);
        for room in &conversation.rooms {
            self.close_room(room);
        }
        for message in self.all_messages(conversation.id, usize::MAX) {
            self.forget_message(&message);
        }
        for (row, _) in self.disk.prefixed(&key::outgoing(conversation.id), usize::MAX) {
            self.disk.remove(&row);
        }
        self.await_nothing(conversation);
        for row in self.disk.keys(&key::once(conversation.id), usize::MAX) {
            self.disk.remove(&row);
        }
        self.disk.remove(&key::conversation(conversation.id));
        self.disk.remove(&key::reference(&conversation.reference));
        if conversation.kind == Kind::Direct {
            self.disk.remove(&key::direct(&conversation.other));
        }
        self.live.changed.remove(&conversation.id);
        self.tell(Event::ConversationGone { conversation: conversation.id });
    }

    pub(crate) fn block(&mut self, conversation: &mut Conversation) -> Reply {
        let other = conversation.other;
        let mut contact = self.contact(&other);
        contact.blocked = true;
        self.set_contact(&other, &contact);
        if conversation.status != Status::Blocked {
            conversation.blocked_from = Some(conversation.status);
            conversation.status = Status::Blocked;
        }
        for room in self.retired_rooms(conversation.id) {
            self.disown_shared_token(&room);
        }
        self.close_retired(conversation.id);
        for room in &conversation.rooms {
            self.deafen(room);
        }
        self.fail_outgoing(conversation.id, &problem(ProblemKind::Blocked));
        conversation.unread = 0;
        conversation.first_unread = None;
        self.tell(Event::ConversationGone { conversation: conversation.id });
        Reply::Conversation(self.conversation_row(conversation))
    }

    pub(crate) fn unblock(&mut self, conversation: &mut Conversation) -> Reply {
        let other = conversation.other;
        let mut contact = self.contact(&other);
        contact.blocked = false;
        self.set_contact(&other, &contact);
        if conversation.status == Status::Blocked {
            // Where it stood: nobody is accepted by being unblocked.
            let direct = conversation.kind == Kind::Direct;
            let unknown = if direct { Status::Open } else { Status::Left };
            conversation.status = conversation.blocked_from.take().unwrap_or(unknown);
            self.set_conversation(conversation);
            for room in &conversation.rooms {
                self.hear_again(room);
            }
        }
        Reply::Conversation(self.conversation_row(conversation))
    }
}
