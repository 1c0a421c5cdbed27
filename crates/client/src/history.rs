// SPDX-License-Identifier: AGPL-3.0-or-later
//! History: what was said before a device came, sent to it by the one that linked it.
//!
//! A day of ledger time after the device was listed, so that a device which somebody slipped in is seen before it has
//! anything to read; or at once, when the recovery words are typed on the device that sends. It travels as messages of
//! the self group, a part after the other: sealed and padded as any message, repeated until the server's yes, waiting in
//! the mailbox of a device that is off. How far it is stands on disk with the part that is queued, so a crash sends no
//! part twice and leaves none out.
//!
//! From the newest message of a chat back to its oldest, because the rows of a device count up: a linked device begins
//! to count far above 0, and what is older gets numbers below that, downwards.
//!
//! Not sent: requests, blocked chats, drafts, lines of the app, what was never sent, what was deleted.
//!
//! Spec: `docs/book/ledger.md`, 8.

use nodoor_e2ee::content::{CONTENT, Content};
use nodoor_view::{
    command::Reply,
    model::{ConversationId, Kind, MessageId, ProblemKind},
};
use nodoor_wire::id::{AccountId, DeviceId};
use serde::{Deserialize, Serialize};

use crate::{
    rows::{Conversation, Message, State, Status, Stored, key},
    selfgroup::Said,
    step::{Step, refused},
};

/// From when a device counts its rows that others had before it.
const BASE: u64 = 1 << 40;
/// How old a device's listing must be, in ledger time, milliseconds.
const WAITS: u64 = 24 * 3600 * 1000;
/// A part is not begun with a further message beyond this, bytes.
const PART: usize = 40 * 1024;
/// What a content needs around a part, bytes.
const AROUND: usize = 512;
/// Messages read at a time.
const PAGE: usize = 64;

/// Number of the next older row.
const PAST: &[u8] = b"a/past";
/// How far the sending to a device is.
const SENDING: &[u8] = b"history/";

/// `history/<device>`.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Sending {
    /// The chat that is being sent: those of smaller numbers are.
    conversation: u64,
    /// Messages from here on are sent.
    before: Option<u64>,
    /// All is sent.
    done: bool,
}

/// A part of a chat, newest message first.
#[derive(Serialize, Deserialize)]
pub(crate) struct Part {
    to: DeviceId,
    #[serde(with = "serde_bytes")]
    reference: [u8; 16],
    group: bool,
    other: AccountId,
    title: String,
    open: bool,
    messages: Vec<Message>,
}

impl Step<'_> {
    /// A linked device numbers its rows so that older ones find a place below.
    pub(crate) fn leave_room_for_history(&mut self) {
        let next: u64 = self.disk.get(key::NEXT).unwrap_or(1);
        if next < BASE {
            self.disk.put(key::NEXT.to_vec(), &BASE);
            self.disk.put(PAST.to_vec(), &(BASE - 1));
        }
    }

    /// The recovery words were typed: a device of ours gets the history now.
    pub(crate) fn send_history(&mut self, device: &str, words: &str) -> Reply {
        let id = DeviceId::from_hex(device).ok();
        let Some(id) = id.filter(|id| self.device_linked_here(id).is_some()) else {
            return refused(ProblemKind::NotADevice);
        };
        if !self.are_own_words(words) {
            return refused(ProblemKind::WrongWords);
        }
        self.begin_history(&id);
        Reply::Done
    }

    fn begin_history(&mut self, device: &DeviceId) {
        let row = [SENDING, device.as_bytes()].concat();
        if self.disk.bytes(&row).is_none() {
            self.disk.put(row, &Sending::default());
        }
    }

    /// Queues the next part for a device that is due, when the one before is out. Whether it did.
    pub(crate) fn advance_history(&mut self) -> bool {
        let Some(own) = self.own_conversation() else {
            return false;
        };
        for device in self.devices_linked_here() {
            if self.is_due(&device) {
                self.begin_history(&device);
            }
        }
        let quiet = self.disk.keys(&key::outgoing(own.id), 1).is_empty();
        if !quiet {
            return false;
        }
        for (row, value) in self.disk.prefixed(SENDING, usize::MAX) {
            let device = row.get(SENDING.len()..).and_then(|id| DeviceId::try_from(id).ok());
            let sending: Option<Sending> = self.disk.decode(&value);
            if let (Some(device), Some(mut sending)) = (device, sending.filter(|one| !one.done))
                && self.is_in_room_of(&own, &device)
            {
                let part = self.next_part(&device, &mut sending);
                self.disk.put(row, &sending);
                if let Some(body) = part {
                    self.queue(own.id, None, &Content::Own(body), None);
                    return true;
                }
            }
        }
        false
    }

    fn is_due(&mut self, device: &DeviceId) -> bool {
        let Some(added_at) = self.device_linked_here(device) else {
            return false;
        };
        let Some(ledger) = self.ledger() else {
            return self.now.saturating_sub(added_at) >= WAITS;
        };
        let now = ledger.held.map_or(0, |held| held.time);
        now.saturating_sub(added_at) >= WAITS
    }

    fn is_in_room_of(&mut self, own: &Conversation, device: &DeviceId) -> bool {
        let room = self.room_in_use(own).map(|room| room.room);
        room.and_then(|room| {
            self.with_group(&room, |_, group| {
                group.leaves().iter().any(|leaf| leaf.name.device == *device)
            })
        }) == Some(true)
    }

    /// The next part that holds anything; nothing when all is sent.
    fn next_part(&mut self, to: &DeviceId, sending: &mut Sending) -> Option<Vec<u8>> {
        let mut chats = self.conversations();
        chats.retain(|chat| {
            let sent = !matches!(chat.status, Status::Request | Status::Blocked);
            sent && !self.is_own_conversation(chat) && chat.id.0 >= sending.conversation
        });
        chats.sort_by_key(|chat| chat.id);
        for chat in chats {
            if chat.id.0 > sending.conversation {
                (sending.conversation, sending.before) = (chat.id.0, None);
            }
            let mut part = Part {
                to: *to,
                reference: chat.reference,
                group: chat.kind == Kind::Group,
                other: chat.other,
                title: chat.title.clone(),
                open: chat.status == Status::Open,
                messages: Vec::new(),
            };
            if let Some(body) = self.fill(&mut part, &chat, sending) {
                return Some(body);
            }
        }
        sending.done = true;
        None
    }

    fn fill(&self, part: &mut Part, chat: &Conversation, sending: &mut Sending) -> Option<Vec<u8>> {
        let mut bytes = 0;
        loop {
            let before = sending.before.map(MessageId);
            let page = self.messages_before(chat.id, before, PAGE);
            if page.is_empty() {
                break;
            }
            for message in page {
                let id = message.id.0;
                if let Some(past) = past(message) {
                    let size = encoded(&past).map_or(0, |row| row.len());
                    if bytes > 0 && bytes + size > PART {
                        return encoded(&Said::Past(std::mem::replace(part, part.empty())));
                    }
                    // One that fits in no content stays here.
                    if size + AROUND + part.title.len() <= CONTENT {
                        bytes += size;
                        part.messages.push(past);
                    }
                }
                sending.before = Some(id);
            }
        }
        (!part.messages.is_empty())
            .then(|| encoded(&Said::Past(std::mem::replace(part, part.empty()))))?
    }

    /// A part of what was before this device. The sender is one of our own.
    pub(crate) fn hear_history(&mut self, part: Part) {
        let to_us = self.account().is_some_and(|account| account.device == part.to);
        let Some(mut next) = self.disk.get::<u64>(PAST).filter(|_| to_us) else {
            return;
        };
        let Some(mut conversation) = self.conversation_of_part(&part) else {
            return;
        };
        let newest_before = conversation.last;
        for message in part.messages {
            let Some(reference) = message.reference.filter(|_| past(message.clone()).is_some())
            else {
                continue;
            };
            let known = key::message_by_reference(conversation.id, &reference);
            if self.disk.bytes(&known).is_some() || next == 0 {
                continue;
            }
            let (id, conversation_id) = (MessageId(next), conversation.id);
            next -= 1;
            let at = message.received_at;
            let message = Message { id, conversation: conversation_id, ..message };
            self.disk.put(key::message(conversation_id, id), &message);
            self.disk.put(key::conversation_of(id), &conversation_id.0);
            self.disk.put(known, &id.0);
            if conversation.last.is_none() {
                (conversation.last, conversation.sorted_at) = (Some(id), at);
            }
        }
        self.disk.put(PAST.to_vec(), &next);
        if newest_before.is_none() && conversation.last.is_some() {
            conversation.made_at = conversation.made_at.min(conversation.sorted_at);
        }
        self.set_conversation(&conversation);
    }

    /// The chat a part is of. A group that we are in has come by its Welcome, or this is not for us: no chat is made
    /// that a room could inherit.
    fn conversation_of_part(&mut self, part: &Part) -> Option<Conversation> {
        let id: Option<u64> = self.disk.get(&key::reference(&part.reference));
        if let Some(found) = id.and_then(|id| self.conversation(ConversationId(id))) {
            return Some(found);
        }
        match (part.group, part.open) {
            (false, _) if self.is_me(&part.other) => None,
            (false, _) => {
                let made = self.direct_conversation(&part.other, Status::Open);
                (made.reference == part.reference).then_some(made)
            }
            (true, true) => None,
            (true, false) => {
                let title = crate::names::tidy(&part.title, 100);
                let (reference, kind) = (part.reference, Kind::Group);
                Some(self.new_conversation(reference, kind, &part.other, &title, Status::Left))
            }
        }
    }
}

impl Part {
    fn empty(&self) -> Self {
        Self { title: String::new(), messages: Vec::new(), ..*self }
    }
}

/// A message as another device gets it, if it does: what is on its way, or failed, is this device's affair.
fn past(message: Message) -> Option<Message> {
    let settled = matches!(message.state, None | Some(State::Sent | State::Delivered));
    let content = matches!(message.content, Stored::Content(_)) && message.from.is_some();
    let known = message.reference.is_some();
    (settled && content && known).then_some(Message {
        delivered_to: Vec::new(),
        sent_to: Vec::new(),
        accepted_at: None,
        ..message
    })
}

fn encoded(value: &impl Serialize) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).ok()?;
    Some(bytes)
}
