// SPDX-License-Identifier: AGPL-3.0-or-later
//! History: what was said before a device came, sent to it by the one that linked it.
//!
//! A day after the device's list was seen in the log, by the log's time alone: whoever holds an unlocked device sets its clock
//! as he likes. So a device which somebody slipped in is seen before it has anything to read. Or at once, when the recovery
//! words are typed on the device that sends; without a log only then. All in the self group can open what is said there: while
//! a device that is there, or will be, is younger than a day and nobody's words stood for it, nobody gets any. It travels as messages of
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

use nodoor_e2ee::{
    content::{CONTENT, Content, message_id},
    payload::{Payload, Slot},
};
use nodoor_view::{
    command::Reply,
    model::{ConversationId, Kind, MessageId, ProblemKind},
};
use nodoor_wire::id::{AccountId, DeviceId};
use serde::{Deserialize, Serialize};

use crate::{
    rows::{Conversation, Marks, Message, State, Status, Stored, key},
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
    /// There is no more: the last part, of no chat.
    #[serde(default)]
    last: bool,
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

    /// The number from which on downwards no row is, if history is awaited.
    pub(crate) fn number_before_history(&self) -> Option<u64> {
        self.disk.get::<u64>(PAST).map(|next| next.saturating_add(1))
    }

    /// Leaves so many numbers out that are about to be used for something else of before.
    pub(crate) fn leave_below(&mut self, count: u64) {
        if let Some(next) = self.disk.get::<u64>(PAST) {
            self.disk.put(PAST.to_vec(), &next.saturating_sub(count));
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
                && !self.somebody_reads_along(&own, &device)
            {
                let part = self.next_part(&device, &mut sending);
                self.disk.put(row, &sending);
                if let Some(body) = part {
                    self.queue(own.id, None, &Content::Own(body).into(), None);
                    return true;
                }
            }
        }
        false
    }

    /// A day of the log, and of nothing else, since it named the device.
    fn is_due(&mut self, device: &DeviceId) -> bool {
        let held = self.ledger().and_then(|ledger| ledger.held);
        let since = self.logged_since(device);
        held.zip(since).is_some_and(|(held, since)| held.time.saturating_sub(since) >= WAITS)
    }

    /// The ledger time at which a list that names this device of ours was first seen logged.
    fn logged_since(&mut self, device: &DeviceId) -> Option<u64> {
        let me = self.me()?;
        let named = self.named_since(device)?;
        let logged = self.contact(&me).logged.since;
        logged.iter().filter(|(version, _)| *version >= named).map(|(_, at)| *at).min()
    }

    /// The version of our list that names this device, and those before it not.
    fn named_since(&mut self, device: &DeviceId) -> Option<u64> {
        let me = self.me()?;
        let chain = &self.known(&me)?.chain;
        let mut versions = (1..=chain.newest().version()).rev();
        let without = versions
            .find(|one| chain.version(*one).is_none_or(|list| list.device(device).is_none()));
        let named = without.map_or(1, |version| version + 1);
        (named <= chain.newest().version()).then_some(named)
    }

    /// Whether what is said in the self group could be opened by a device beside the one it is for, and beside us, that was
    /// listed less than a day ago and that no words stood for. One that is listed comes into the group at any moment.
    fn somebody_reads_along(&mut self, own: &Conversation, to: &DeviceId) -> bool {
        let (Some(account), Some(room)) = (self.account(), self.room_in_use(own)) else {
            return true;
        };
        let there = self.with_group(&room.room, |_, group| {
            group.leaves().iter().map(|leaf| leaf.name.device).collect::<Vec<_>>()
        });
        let newest = self.known(&account.account).map(|known| known.chain.newest().devices());
        let listed = newest.into_iter().flatten().map(|device| device.id).collect::<Vec<_>>();
        let mut all = there.into_iter().flatten().chain(listed);
        all.any(|one| one != *to && one != account.device && !self.is_old(&one))
    }

    fn is_old(&mut self, device: &DeviceId) -> bool {
        if self.disk.bytes(&[SENDING, device.as_bytes()].concat()).is_some() {
            return true;
        }
        let by_words = self.named_since(device).is_some_and(|version| {
            let me = self.me();
            let known = me.and_then(|me| self.known(&me));
            known.is_some_and(|known| known.chain.is_by_recovery(version))
        });
        if by_words || self.ledger().is_some() {
            return by_words || self.is_due(device);
        }
        // Without a log our own clock is all there is.
        let id = device.to_hex();
        let row = self.devices().into_iter().find(|row| row.device == id);
        row.is_some_and(|row| {
            row.added_at.0 > 0 && self.now - row.added_at.0.min(self.now) >= WAITS
        })
    }

    fn is_in_room_of(&mut self, own: &Conversation, device: &DeviceId) -> bool {
        let room = self.room_in_use(own).map(|room| room.room);
        room.and_then(|room| {
            self.with_group(&room, |_, group| {
                group.leaves().iter().any(|leaf| leaf.name.device == *device)
            })
        }) == Some(true)
    }

    /// The next part that holds anything; when all is sent, one that says so.
    fn next_part(&mut self, to: &DeviceId, sending: &mut Sending) -> Option<Vec<u8>> {
        let mut chats = self.conversations();
        chats.retain(|chat| {
            let sent = !matches!(chat.status, Status::Request | Status::Blocked);
            sent && (chat.saved || !self.is_own_conversation(chat))
                && chat.id.0 >= sending.conversation
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
                last: false,
            };
            if let Some(body) = self.fill(&mut part, &chat, sending) {
                return Some(body);
            }
        }
        sending.done = true;
        encoded(&Said::Past(Part {
            to: *to,
            reference: [0; 16],
            group: true,
            other: self.me()?,
            title: String::new(),
            open: false,
            messages: Vec::new(),
            last: true,
        }))
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

    /// A part of what was before this device, if it is from the device that linked it, until that says that this is all.
    pub(crate) fn hear_history(&mut self, from: &DeviceId, part: Part) {
        let to_us = self.account().is_some_and(|account| account.device == part.to);
        let Some(mut next) = self.disk.get::<u64>(PAST).filter(|_| to_us) else {
            return;
        };
        if self.linked_by(&part.to) != Some(*from) {
            return;
        }
        if part.last {
            return self.disk.remove(PAST);
        }
        let Some(mut conversation) = self.conversation_of_part(&part) else {
            return;
        };
        let newest_before = conversation.last;
        for message in part.messages {
            let fits = past(message.clone()).is_some() && self.may_be_said(&message);
            let Some(reference) = message.reference.filter(|_| fits) else {
                continue;
            };
            let known = key::message_by_reference(conversation.id, &reference);
            if self.disk.bytes(&known).is_some() || next == 0 {
                continue;
            }
            let (id, conversation_id) = (MessageId(next), conversation.id);
            next -= 1;
            let at = message.received_at;
            let mut message = Message { id, conversation: conversation_id, ..message };
            self.take_marks(&mut message, &mut conversation);
            self.store_message(&message);
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

    /// What was said about a message of before counts here as it did there, edits as far as they are signed.
    pub(crate) fn take_marks(&mut self, message: &mut Message, conversation: &mut Conversation) {
        let edit = message.marks.edit.take();
        message.marks.edit = edit.filter(|edit| {
            let as_message = Message {
                content: Stored::Content(edit.content.clone()),
                sent_at: edit.sent_at,
                reference: edit.reference,
                report: edit.report.clone(),
                frames: Vec::new(),
                sent_again: 0,
                marks: Marks::default(),
                ..message.clone()
            };
            self.may_be_said(&as_message)
        });
        if let Some(at) = message.marks.ends_at {
            self.disk.put(key::ending(at, message.id), &());
        }
        if message.marks.pin.as_ref().is_some_and(|pin| pin.on) {
            conversation.pinned.push(message.id);
        }
    }

    /// The device that approved this one of ours; nothing if the words did, or it is the first.
    fn linked_by(&mut self, device: &DeviceId) -> Option<DeviceId> {
        let version = self.named_since(device)?;
        let me = self.me()?;
        self.known(&me)?.chain.approver(version)
    }

    /// Whether a message is what its sender's device signed, in this room under this id. Where we hold no list of that
    /// version the word of the device that linked us has to do; and what we said ourselves it could say itself.
    pub(crate) fn may_be_said(&mut self, message: &Message) -> bool {
        let (Some(from), Some(reference), Stored::Content(content)) =
            (&message.from, &message.reference, &message.content)
        else {
            return false;
        };
        let Some(report) = &message.report else {
            return self.is_me(from);
        };
        let key = self.known(from).and_then(|known| {
            let list = known.chain.version(u64::from(report.list_version))?;
            Some(list.device(&report.device).map(|device| device.device_key))
        });
        let payload = Payload {
            content: content.clone(),
            sent_at_ms: message.sent_at,
            signature: report.signature,
            epoch_authenticator: Vec::new(),
            gossip: None,
        };
        let slot = Slot { room: report.room, epoch: report.epoch, leaf: report.leaf };
        let signed = match key {
            Some(key) => key.is_some_and(|key| payload.verify(&slot, &key).is_ok()),
            None => true,
        };
        signed && message_id(from, &report.room, content) == *reference
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
            (false, _) if self.direct_reference(&part.other) != part.reference => None,
            (false, _) => Some(self.direct_conversation(&part.other, Status::Open)),
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
pub(crate) fn past(message: Message) -> Option<Message> {
    let settled =
        matches!(message.state, None | Some(State::Sent | State::Delivered | State::Read));
    let content = matches!(message.content, Stored::Content(_)) && message.from.is_some();
    let known = message.reference.is_some();
    let once = message.content.said().is_some_and(|said| said.once);
    (settled && content && known && !once).then_some(Message {
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
