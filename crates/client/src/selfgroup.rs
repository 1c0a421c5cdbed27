// SPDX-License-Identifier: AGPL-3.0-or-later
//! The self group: a room of the account's own devices, in which they tell each other what no other room says.
//!
//! What is told is *facts*: a key, a value, and since when. The newest one of a key counts on every device, whatever the
//! order they come in; so nothing has to be agreed on, and telling everything again changes nothing. Facts are who is
//! accepted or blocked and what they are called, up to where a chat is read, what devices and oneself are called.
//! Messages are no facts: every device is in every room, and hears there what another one said.
//!
//! The room is that of a hidden conversation with oneself. [`crate::device`] brings devices in and puts them out, as in
//! any room; [`crate::incoming`] hands in what came. May not know: whatever was said in another room.
//!
//! | key of a fact | value |
//! |---|---|
//! | `1`, account | name, accepted, blocked |
//! | `2`, conversation reference | message id |
//! | `3`, device | name |
//! | `4` | name |
//! | `5`, conversation reference | 1 in use, 2 left, 3 declined |
//!
//! Spec: `docs/book/ledger.md`, 8.

use std::collections::BTreeSet;

use nodoor_e2ee::{
    content::Content,
    identity::LeafName,
    room::{RoomContext, RoomKind},
    store::from_slice,
};
use nodoor_view::model::{ConversationId, Kind, MessageId};
use nodoor_wire::id::{AccountId, DeviceId, MessageId as Reference, RoomId};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::{
    history::Part,
    live::Sought,
    names::tidy,
    rows::{Contact, Conversation, Room, Status, key},
    step::Step,
};

/// Facts of one message: with names they are about 10 KiB.
const FACTS: usize = 64;
/// The longest key and value that are taken, bytes.
const KEY: usize = 17;
const VALUE: usize = 512;
/// A fact from a clock further ahead counts as of so much ahead, milliseconds: it must not outlast all later ones.
const AHEAD: u64 = 300_000;
/// A linked device leaves the founding to the one that linked it, for so long, milliseconds.
const PATIENCE: u64 = 600_000;
/// How many facts of read chats a new device is told.
const CHATS: usize = 1_000;

/// `own/<key>`: a fact as this device knows and told it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Known {
    at: u64,
    value: ByteBuf,
}

/// What a device says to the account's others.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Said {
    /// How things stand.
    Facts(Vec<Fact>),
    /// What was said before one of them came.
    Past(Part),
}

/// A fact on its way: key, since when, value.
#[derive(Serialize, Deserialize)]
pub(crate) struct Fact(ByteBuf, u64, ByteBuf);

/// What a fact is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum About {
    /// A person.
    Contact(AccountId),
    /// Up to where a chat is read.
    Read([u8; 16]),
    /// What a device of ours is called.
    Device(DeviceId),
    /// What we call ourselves.
    Name,
    /// A chat: a request that was accepted or declined, a group that was left.
    Chat([u8; 16]),
}

#[derive(Serialize, Deserialize)]
struct AboutContact(String, bool, bool);

impl About {
    fn to_key(self) -> Vec<u8> {
        let (kind, id): (u8, &[u8]) = match &self {
            Self::Contact(account) => (1, account.as_bytes()),
            Self::Read(reference) => (2, reference),
            Self::Device(device) => (3, device.as_bytes()),
            Self::Name => (4, &[]),
            Self::Chat(reference) => (5, reference),
        };
        [&[kind], id].concat()
    }

    fn of_key(key: &[u8]) -> Option<Self> {
        let (kind, id) = key.split_first()?;
        Some(match kind {
            1 => Self::Contact(AccountId::try_from(id).ok()?),
            2 => Self::Read(id.try_into().ok()?),
            3 => Self::Device(DeviceId::try_from(id).ok()?),
            4 if id.is_empty() => Self::Name,
            5 => Self::Chat(id.try_into().ok()?),
            _ => return None,
        })
    }
}

fn row(key: &[u8]) -> Vec<u8> {
    [ROWS, key].concat()
}

const ROWS: &[u8] = b"own/";
/// Devices that were told everything.
const GREETED: &[u8] = b"a/greeted";

impl Step<'_> {
    /// The hidden conversation of our own devices.
    pub(crate) fn is_own_conversation(&self, conversation: &Conversation) -> bool {
        conversation.kind == Kind::Direct && self.is_me(&conversation.other)
    }

    /// Founds the self group when there is a second device, and tells what changed.
    ///
    /// Whether that is something to send.
    pub(crate) fn advance_own_devices(&mut self) -> bool {
        let founded = self.found_self_group().is_some();
        let told = self.tell_own_devices().is_some();
        let sent = self.advance_history();
        founded || told || sent
    }

    fn found_self_group(&mut self) -> Option<RoomId> {
        let account = self.account().filter(|account| account.registering.is_none())?;
        let me = account.account;
        let known = self.known(&me)?;
        let newest = known.chain.newest();
        if newest.devices().len() < 2 || newest.device(&account.device).is_none() {
            return None;
        }
        let first =
            known.chain.version(1).is_some_and(|list| list.device(&account.device).is_some());
        let existing: Option<u64> = self.disk.get(&key::direct(&me));
        let existing = existing.and_then(|id| self.conversation(ConversationId(id)));
        if existing.as_ref().is_some_and(|one| self.room_in_use(one).is_some()) {
            return None;
        }
        let patient = !first && self.now.saturating_sub(account.made_at) < PATIENCE;
        if patient || !self.is_logged(&me) {
            return None;
        }
        let mut conversation =
            existing.unwrap_or_else(|| self.direct_conversation(&me, Status::Open));
        conversation.status = Status::Open;
        let context = RoomContext::new(RoomKind::Own, me, "");
        let room = RoomId(self.random());
        self.found_room(&mut conversation, context, room)
    }

    /// A device is in the self group that we did not tell everything: now we do. In the step that brought it in.
    pub(crate) fn greet_own_devices(&mut self, room: &RoomId) {
        let Some(conversation) = self.own_conversation_of(room) else {
            return;
        };
        let there: BTreeSet<DeviceId> = self
            .with_group(room, |_, group| {
                group.leaves().iter().map(|leaf| leaf.name.device).collect()
            })
            .unwrap_or_default();
        let own = self.account().map(|account| account.device);
        let greeted: BTreeSet<DeviceId> = self.disk.get(GREETED).unwrap_or_default();
        let new = there.iter().any(|device| Some(*device) != own && !greeted.contains(device));
        self.disk.put(GREETED.to_vec(), &there);
        if !new {
            return;
        }
        for about in self.all_facts() {
            self.learn(about, None);
        }
        let facts: Vec<Fact> = self
            .disk
            .prefixed(ROWS, usize::MAX)
            .iter()
            .filter_map(|(row, value)| {
                let known: Known = self.disk.decode(value)?;
                Some(Fact(ByteBuf::from(row.get(ROWS.len()..)?), known.at, known.value))
            })
            .collect();
        self.queue_facts(conversation.id, facts);
    }

    fn all_facts(&mut self) -> Vec<About> {
        let mut all = vec![About::Name];
        for (row, value) in self.disk.prefixed(key::CONTACTS, usize::MAX) {
            let account =
                row.get(key::CONTACTS.len()..).and_then(|id| AccountId::try_from(id).ok());
            let contact: Option<Contact> = self.disk.decode(&value);
            if let (Some(account), Some(contact)) = (account, contact)
                && (contact.accepted || contact.blocked)
            {
                all.push(About::Contact(account));
            }
        }
        let mut chats = self.conversations();
        chats.sort_by_key(|chat| std::cmp::Reverse(chat.sorted_at));
        let open = chats.iter().filter(|chat| chat.status == Status::Open);
        all.extend(open.take(CHATS).map(|chat| About::Read(chat.reference)));
        let devices = self.devices();
        all.extend(devices.iter().filter_map(|row| {
            let id = DeviceId::from_hex(&row.device).ok()?;
            (!row.name.is_empty()).then_some(About::Device(id))
        }));
        all
    }

    /// That conversation, once there is one.
    pub(crate) fn own_conversation(&self) -> Option<Conversation> {
        let id: u64 = self.disk.get(&key::direct(&self.me()?))?;
        self.conversation(ConversationId(id))
    }

    /// Whether a room is of our own devices.
    pub(crate) fn is_own_room(&self, room: &Room) -> bool {
        self.conversation(room.conversation).is_some_and(|one| self.is_own_conversation(&one))
    }

    fn own_conversation_of(&self, room: &RoomId) -> Option<Conversation> {
        let conversation = self.conversation(self.room(room)?.conversation)?;
        self.is_own_conversation(&conversation).then_some(conversation)
    }

    // ---- telling -------------------------------------------------------------------------------

    /// Something our other devices should know changed: they are told at the end of the step.
    pub(crate) fn own_devices_should_know(&mut self, about: About) {
        self.live.own_changed.insert(about);
    }

    fn tell_own_devices(&mut self) -> Option<()> {
        let changed = std::mem::take(&mut self.live.own_changed);
        if changed.is_empty() {
            return None;
        }
        // Alone there is no such conversation: a device that comes is told how it stands then.
        let conversation: u64 = self.disk.get(&key::direct(&self.me()?))?;
        let now = self.now;
        let facts: Vec<Fact> =
            changed.into_iter().filter_map(|about| self.learn(about, Some(now))).collect();
        let something = !facts.is_empty();
        self.queue_facts(ConversationId(conversation), facts);
        something.then_some(())
    }

    /// Writes down how something stands, if that is new, and gives it to be told. Without a time it is one that any
    /// other device's word outweighs.
    fn learn(&mut self, about: About, at: Option<u64>) -> Option<Fact> {
        let key = about.to_key();
        let known: Option<Known> = self.disk.get(&row(&key));
        let value = self.value_of(about, known.is_some())?;
        if value.len() > VALUE || known.as_ref().is_some_and(|known| *known.value == value) {
            return None;
        }
        let at = match (&known, at) {
            (None, at) => at.unwrap_or(1),
            (Some(known), at) => at.unwrap_or(0).max(known.at + 1),
        };
        let value = ByteBuf::from(value);
        self.disk.put(row(&key), &Known { at, value: value.clone() });
        Some(Fact(ByteBuf::from(key), at, value))
    }

    /// How it stands here; nothing if there is nothing to tell.
    fn value_of(&mut self, about: About, told: bool) -> Option<Vec<u8>> {
        match about {
            About::Contact(account) => {
                let Contact { name, accepted, blocked, .. } = self.contact(&account);
                // Strangers are each device's own affair.
                let matters = told || accepted || blocked;
                matters.then(|| encoded(&AboutContact(name, accepted, blocked)))?
            }
            About::Read(reference) => {
                let conversation = self.by_reference(&reference)?;
                let read = self.read_up_to(&conversation)?;
                encoded(&ByteBuf::from(read.as_bytes()))
            }
            About::Device(device) => {
                let id = device.to_hex();
                let name = self.devices().into_iter().find(|row| row.device == id)?.name;
                encoded(&name)
            }
            About::Name => encoded(&self.account()?.name),
            About::Chat(reference) => {
                let status = self.by_reference(&reference).map(|one| one.status);
                match status {
                    Some(Status::Open) => encoded(&OPEN),
                    Some(Status::Left) => encoded(&LEFT),
                    // It came back as a request after we declined, or stands otherwise: each device's own affair.
                    Some(_) => None,
                    None => encoded(&DECLINED),
                }
            }
        }
    }

    fn queue_facts(&mut self, conversation: ConversationId, facts: Vec<Fact>) {
        let mut facts = facts.into_iter().peekable();
        while facts.peek().is_some() {
            let part = Said::Facts(facts.by_ref().take(FACTS).collect());
            if let Some(body) = encoded(&part) {
                self.queue(conversation, None, &Content::Own(body), None);
            }
        }
    }

    fn by_reference(&self, reference: &[u8; 16]) -> Option<Conversation> {
        let id: u64 = self.disk.get(&key::reference(reference))?;
        self.conversation(ConversationId(id))
    }

    /// The newest message before the first unread one that has an id.
    fn read_up_to(&self, conversation: &Conversation) -> Option<Reference> {
        let before = conversation.first_unread;
        let page = self.messages_before(conversation.id, before, READ_SEARCHED);
        page.into_iter().find_map(|message| message.reference)
    }

    // ---- hearing -------------------------------------------------------------------------------

    /// What another device of ours said in a room; counts in the self group alone.
    pub(crate) fn hear_own_device(&mut self, room: &RoomId, from: &LeafName, body: &[u8]) {
        if !self.is_me(&from.account) || self.own_conversation_of(room).is_none() {
            return;
        }
        let facts = match from_slice::<Said>(body) {
            Ok(Said::Facts(facts)) => facts,
            Ok(Said::Past(part)) => return self.hear_history(&from.device, part),
            // Of a later version.
            Err(_) => return,
        };
        for Fact(key, at, value) in facts {
            let Some(about) = About::of_key(&key).filter(|_| key.len() <= KEY) else {
                // Of a later version.
                continue;
            };
            let heard = Known { at: at.min(self.now + AHEAD), value };
            let known: Option<Known> = self.disk.get(&row(&key));
            if heard.value.len() <= VALUE && known.is_none_or(|known| known < heard) {
                self.disk.put(row(&key), &heard);
                self.believe(about, &heard.value);
            }
        }
    }

    fn believe(&mut self, about: About, value: &[u8]) {
        match about {
            About::Contact(account) => {
                if let Some(AboutContact(name, accepted, blocked)) = decoded(value) {
                    self.believe_contact(account, &name, accepted, blocked);
                }
            }
            About::Read(reference) => {
                let read = decoded::<ByteBuf>(value).and_then(|id| Reference::try_from(&**id).ok());
                let conversation = self.by_reference(&reference);
                if let (Some(read), Some(mut conversation)) = (read, conversation) {
                    let row = key::message_by_reference(conversation.id, &read);
                    let Some(id) = self.disk.get::<u64>(&row) else {
                        return;
                    };
                    self.read(&mut conversation, MessageId(id));
                }
            }
            About::Device(device) => {
                if let Some(name) = decoded::<String>(value) {
                    self.name_device(&device, &tidy(&name, 60));
                }
            }
            About::Chat(reference) => {
                if let (Some(now), Some(conversation)) =
                    (decoded(value), self.by_reference(&reference))
                {
                    self.believe_chat(conversation, now);
                }
            }
            About::Name => {
                if let (Some(name), Some(mut account)) = (decoded::<String>(value), self.account())
                {
                    account.name = tidy(&name, 60);
                    self.set_account(&account);
                }
            }
        }
    }

    fn believe_chat(&mut self, mut conversation: Conversation, now: u8) {
        match (conversation.status, now) {
            (Status::Request, OPEN) => drop(self.accept(&mut conversation)),
            (Status::Open, LEFT) => drop(self.leave(&mut conversation)),
            (Status::Request, DECLINED) => return self.forget_request(conversation),
            _ => return,
        }
        self.set_conversation(&conversation);
    }

    fn believe_contact(&mut self, account: AccountId, name: &str, accepted: bool, blocked: bool) {
        if self.is_me(&account) {
            return;
        }
        let mut contact = self.contact(&account);
        contact.name = tidy(name, 60);
        contact.accepted = accepted;
        let was_blocked = contact.blocked;
        self.set_contact(&account, &contact);
        if contact.lookup.is_empty() {
            // Whose handle it is says the account itself.
            self.wish(Sought::Account(account), self.now);
        }
        let conversation: Option<u64> = self.disk.get(&key::direct(&account));
        let conversation = conversation.and_then(|id| self.conversation(ConversationId(id)));
        let Some(mut conversation) = conversation else {
            contact.blocked = blocked;
            self.set_contact(&account, &contact);
            return;
        };
        match (was_blocked, blocked) {
            (false, true) => drop(self.block(&mut conversation)),
            (true, false) => drop(self.unblock(&mut conversation)),
            _ => {}
        }
        if accepted && !blocked {
            self.accept(&mut conversation);
        }
        self.set_conversation(&conversation);
    }
}

/// How a chat stands.
const OPEN: u8 = 1;
const LEFT: u8 = 2;
const DECLINED: u8 = 3;

/// How many rows are looked through for one that has an id.
const READ_SEARCHED: usize = 50;

fn encoded(value: &impl Serialize) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).ok()?;
    Some(bytes)
}

fn decoded<T: for<'de> Deserialize<'de>>(bytes: &[u8]) -> Option<T> {
    from_slice(bytes).ok()
}
