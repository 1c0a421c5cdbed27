// SPDX-License-Identifier: AGPL-3.0-or-later
//! Conversations: which rooms are behind a chat, what lines it shows, who has what.
//!
//! Spec: `docs/book/protocol.md`, 7.

use nodoor_e2ee::content::{self, Expiry, MimiContent};
use nodoor_view::{
    event::Event,
    model::{ConversationId, Kind, MessageId, Milliseconds, Notifications, Person},
};
use nodoor_wire::id::{AccountId, MessageId as Reference, RoomId, first_16, labelled_hash};
use sha2::{Digest as _, Sha256};

use crate::{
    overlay::after_prefix,
    rows::{
        Conversation, Line, Marks, Message, Outgoing, Report, Room, State, Status, Stored, key,
    },
    step::Step,
};

/// Messages of an unaccepted sender that are kept; what comes after is dropped.
const STRANGER_MESSAGES: usize = 20;

/// A message as it came out of its frame.
pub(crate) struct Arrived {
    /// Its MIMI id.
    pub(crate) reference: Reference,
    /// When its sender says, milliseconds.
    pub(crate) sent_at: u64,
    /// What attributes it.
    pub(crate) report: Option<Report>,
    /// What it holds.
    pub(crate) stored: Stored,
}

impl Step<'_> {
    /// The direct conversation with an account, made if there is none.
    pub(crate) fn direct_conversation(
        &mut self,
        other: &AccountId,
        status: Status,
    ) -> Conversation {
        let existing: Option<u64> = self.disk.get(&key::direct(other));
        if let Some(found) = existing.and_then(|id| self.conversation(ConversationId(id))) {
            return found;
        }
        let reference = self.direct_reference(other);
        let conversation = self.new_conversation(reference, Kind::Direct, other, "", status);
        self.disk.put(key::direct(other), &conversation.id.0);
        conversation
    }

    /// What a chat with somebody is called on all devices of both.
    pub(crate) fn direct_reference(&self, other: &AccountId) -> [u8; 16] {
        let me = self.me().unwrap_or(AccountId([0; 16]));
        let (low, high) = (me.min(*other), me.max(*other));
        let pair = [low.as_bytes(), high.as_bytes()].concat();
        first_16(labelled_hash("nodoor direct conversation", &pair))
    }

    /// A group's conversation, by its first room.
    pub(crate) fn group_conversation(
        &mut self,
        room: &RoomId,
        creator: &AccountId,
        title: &str,
        status: Status,
    ) -> Conversation {
        let reference = first_16(labelled_hash("nodoor group conversation", room.as_bytes()));
        self.new_conversation(reference, Kind::Group, creator, title, status)
    }

    pub(crate) fn new_conversation(
        &mut self,
        reference: [u8; 16],
        kind: Kind,
        other: &AccountId,
        title: &str,
        status: Status,
    ) -> Conversation {
        let id = ConversationId(self.number());
        // Another device may have told of it before it came here.
        let (place, draft) = self.told_of(&reference);
        let conversation = Conversation {
            id,
            reference,
            kind,
            other: *other,
            title: title.to_owned(),
            status,
            rooms: Vec::new(),
            unread: 0,
            first_unread: None,
            last: None,
            draft,
            sorted_at: self.now,
            name_sent: String::new(),
            bot_sent: false,
            made_at: self.now,
            blocked_from: None,
            returning: None,
            timer: None,
            pinned: Vec::new(),
            mention: None,
            place,
            saved: false,
        };
        self.disk.put(key::reference(&reference), &id.0);
        self.set_conversation(&conversation);
        conversation
    }

    /// The room of a conversation that is used for sending: of a direct one that with the smallest hash among
    /// those where both have sent, else the smallest at all; of a group, which has several when more than one
    /// successor was founded at once, that of the old room's first owner, else that with the smallest id.
    pub(crate) fn room_in_use(&self, conversation: &Conversation) -> Option<Room> {
        let rooms: Vec<Room> = conversation
            .rooms
            .iter()
            .filter_map(|room| self.room(room))
            .filter(|room| !room.closed)
            .collect();
        let smallest = |rooms: &mut dyn Iterator<Item = &Room>| {
            rooms.min_by_key(|room| <[u8; 32]>::from(Sha256::digest(room.room.as_bytes()))).cloned()
        };
        if conversation.kind == Kind::Group {
            return rooms.into_iter().min_by_key(|room| (!self.is_heir(room), room.room));
        }
        smallest(&mut rooms.iter().filter(|room| room.i_sent && room.they_sent))
            .or_else(|| smallest(&mut rooms.iter()))
    }

    /// Writes a neutral line into a chat. It never makes a chat unread.
    pub(crate) fn line(&mut self, conversation: ConversationId, line: Line) {
        let id = MessageId(self.number());
        self.line_at(id, conversation, line);
    }

    /// The same, in a row kept for it ([`Self::intend`]).
    pub(crate) fn line_at(&mut self, id: MessageId, conversation: ConversationId, line: Line) {
        let added = matches!(line, Line::Added { .. });
        let message = Message {
            id,
            conversation,
            reference: None,
            from: None,
            content: Stored::Line(line),
            sent_at: self.now,
            received_at: self.now,
            state: None,
            report: None,
            accepted_at: None,
            delivered_to: Vec::new(),
            sent_to: Vec::new(),
            frames: Vec::new(),
            sent_again: 0,
            marks: Marks::default(),
        };
        self.set_message(&message, true);
        if let Some(mut conversation) = self.conversation(conversation) {
            conversation.last = conversation.last.max(Some(id));
            conversation.sorted_at = self.now;
            if added {
                self.introduce_anew(&mut conversation);
            }
            self.set_conversation(&conversation);
        }
    }

    /// Puts one's own message on disk, in its place, with what sends it.
    pub(crate) fn write_own(
        &mut self,
        conversation: &mut Conversation,
        mut said: MimiContent,
    ) -> Option<Message> {
        let account = self.account()?;
        self.introduce(conversation);
        let seconds = conversation.timer.as_ref().map_or(0, |timer| timer.seconds);
        said.expires = (seconds > 0).then_some(Expiry { relative: true, seconds });
        let id = MessageId(self.number());
        let content = self.queue(conversation.id, Some(id), &said, None);
        // The id of the room it will most likely go by; sealing in another room gives it that one's.
        let room = self.room_in_use(conversation);
        let reference =
            room.map(|room| content::message_id(&account.account, &room.room, &content));
        let message = Message {
            id,
            conversation: conversation.id,
            reference,
            from: Some(account.account),
            content: Stored::Content(content),
            sent_at: self.now,
            received_at: self.now,
            state: Some(State::Waiting),
            report: None,
            accepted_at: None,
            delivered_to: Vec::new(),
            sent_to: Vec::new(),
            frames: Vec::new(),
            sent_again: 0,
            marks: Marks::default(),
        };
        conversation.last = Some(id);
        conversation.sorted_at = self.now;
        self.live.typed_at.remove(&conversation.id);
        if !std::mem::take(&mut conversation.draft).is_empty() {
            self.draft_settled(conversation);
        }
        conversation.place.archived = false;
        (conversation.unread, conversation.first_unread) = (0, None);
        conversation.mention = None;
        self.set_conversation(conversation);
        self.set_message(&message, true);
        Some(message)
    }

    /// Puts something into the conversation's queue; gives the encoded content.
    pub(crate) fn queue(
        &mut self,
        conversation: ConversationId,
        message: Option<MessageId>,
        content: &MimiContent,
        room: Option<RoomId>,
    ) -> Vec<u8> {
        let salt = self.random();
        let encoded = content::encode(content, salt);
        let outgoing = Outgoing { message, room, ..Outgoing::of(encoded.clone(), self.now) };
        let number = self.number();
        self.disk.put(key::outgoing_one(conversation, number), &outgoing);
        encoded
    }

    /// Puts something about a message of this chat into the queue; gives the encoded content.
    pub(crate) fn queue_about(&mut self, message: &Message, content: &MimiContent) -> Vec<u8> {
        let encoded = content::encode(content, self.random());
        let about = Some(message.id);
        let outgoing = Outgoing { about, ..Outgoing::of(encoded.clone(), self.now) };
        let number = self.number();
        self.disk.put(key::outgoing_one(message.conversation, number), &outgoing);
        encoded
    }

    /// Queues a message of ours again as it is, unless it is on its way: its id is a hash of its content, so that
    /// whoever has it already sees it once.
    pub(crate) fn queue_again(&mut self, message: &Message) {
        let Stored::Content(content) = &message.content else {
            return;
        };
        let queued = self.disk.prefixed(&key::outgoing(message.conversation), usize::MAX);
        let same = |outgoing: Outgoing| outgoing.message == Some(message.id);
        if queued.iter().filter_map(|(_, value)| self.disk.decode(value)).any(same) {
            return;
        }
        let outgoing = Outgoing {
            message: Some(message.id),
            sent_at: message.sent_at,
            ..Outgoing::of(content.clone(), self.now)
        };
        let number = self.number();
        self.disk.put(key::outgoing_one(message.conversation, number), &outgoing);
    }

    /// Text or an unknown kind from a member of a room.
    pub(crate) fn receive(&mut self, room: &mut Room, from: AccountId, arrived: Arrived) {
        let reference = arrived.reference;
        let Some(mut conversation) = self.conversation(room.conversation) else {
            return;
        };
        let seen = self.seen(&conversation, &from, &arrived);
        let mine = self.me() == Some(from);
        if conversation.status == Status::Open && !mine {
            self.report_delivered(&room.room, reference);
        }
        if seen.is_some() || (conversation.status == Status::Request && self.is_full(&conversation))
        {
            return;
        }
        room.they_sent |= !mine;
        let id = MessageId(self.number());
        let text = arrived.stored.text().unwrap_or_default();
        let names_us = !mine && self.names_us(&arrived.stored);
        let mut message = Message {
            id,
            conversation: conversation.id,
            reference: Some(reference),
            from: Some(from),
            content: arrived.stored,
            sent_at: arrived.sent_at,
            received_at: self.now,
            state: mine.then_some(State::Sent),
            report: arrived.report,
            accepted_at: None,
            delivered_to: Vec::new(),
            sent_to: Vec::new(),
            frames: Vec::new(),
            sent_again: 0,
            marks: Marks::default(),
        };
        conversation.last = Some(id);
        conversation.sorted_at = self.now;
        if mine {
            // Whoever writes on another device has read there.
            (conversation.unread, conversation.first_unread) = (0, None);
            conversation.mention = None;
        } else {
            conversation.unread += 1;
            conversation.first_unread.get_or_insert(id);
        }
        if names_us {
            conversation.mention = Some(id);
        }
        self.stir(&mut conversation);
        conversation.saved |= mine && self.is_own_conversation(&conversation);
        self.begin_ending(&mut message, mine);
        self.typed(conversation.id, &from);
        self.set_conversation(&conversation);
        self.set_message(&message, true);
        self.hear_early(conversation.id, &reference, id);
        self.came_again(conversation.id, &reference);
        if !mine && conversation.status == Status::Open {
            self.notify(&conversation, text, names_us);
        }
    }

    /// Which row shows a message already. What was sealed for a room that its sender left meanwhile came twice, if it
    /// came there after all: the same content has another id in each room.
    fn seen(
        &mut self,
        conversation: &Conversation,
        from: &AccountId,
        arrived: &Arrived,
    ) -> Option<u64> {
        let row = key::message_by_reference(conversation.id, &arrived.reference);
        if let Some(seen) = self.disk.get(&row) {
            return Some(seen);
        }
        let Stored::Content(content) = &arrived.stored else {
            return None;
        };
        let once = self.disk.keys(&key::once(conversation.id), usize::MAX);
        let once = once.iter().filter_map(|row| key::read_once(row));
        let seen = conversation.rooms.iter().copied().chain(once).find_map(|room| {
            let other = content::message_id(from, &room, content);
            self.disk.get(&key::message_by_reference(conversation.id, &other))
        })?;
        self.disk.put(row, &seen);
        Some(seen)
    }

    /// Whether a request holds all that a stranger may say, read or not. One's own history in a group that one is asked
    /// back to is none of it.
    fn is_full(&self, conversation: &Conversation) -> bool {
        let since = conversation.returning.map_or(0, |last| last.0.saturating_add(1));
        let from = key::message(conversation.id, MessageId(since));
        let end = after_prefix(&key::messages(conversation.id));
        self.disk.rows(&from, &end, false, STRANGER_MESSAGES).len() >= STRANGER_MESSAGES
    }

    fn notify(&mut self, conversation: &Conversation, text: String, names_us: bool) {
        let muted = conversation.place.is_muted(Milliseconds(self.now)) && !names_us;
        if muted || self.live.looking_at == Some(conversation.id) {
            return;
        }
        let text = match self.settings().notifications {
            Notifications::Off => return,
            Notifications::WithoutText => String::new(),
            Notifications::WithText => text,
        };
        let title = self.title(conversation);
        self.tell(Event::Notify { conversation: conversation.id, title, text });
    }

    /// Accounts with a leaf in a room, ours left out.
    pub(crate) fn other_accounts(&mut self, room: &RoomId) -> Vec<AccountId> {
        let me = self.me();
        let mut accounts: Vec<AccountId> = self
            .with_group(room, |_, group| group.leaves().to_vec())
            .unwrap_or_default()
            .into_iter()
            .map(|leaf| leaf.name.account)
            .filter(|account| Some(*account) != me)
            .collect();
        accounts.sort_unstable();
        accounts.dedup();
        accounts
    }

    /// A person, as far as we know them.
    pub(crate) fn person(&self, account: &AccountId) -> Person {
        let contact = self.contact(account);
        let (handle, name, bot) = (contact.handle, contact.name, contact.bot);
        Person { account: account.to_hex(), handle, name, bot }
    }

    /// A person, or `None` for oneself.
    pub(crate) fn person_or_me(&self, account: &AccountId) -> Option<Person> {
        (self.me() != Some(*account)).then(|| self.person(account))
    }

    /// What a chat is called.
    pub(crate) fn title(&self, conversation: &Conversation) -> String {
        if conversation.kind == Kind::Group {
            return conversation.title.clone();
        }
        let contact = self.contact(&conversation.other);
        match (contact.name.is_empty(), contact.handle.is_empty()) {
            (false, _) => contact.name,
            (true, false) => format!("@{}", contact.handle),
            (true, true) => conversation.other.to_hex(),
        }
    }
}
