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
//! | `1`, account | name, accepted, blocked, is a bot |
//! | `2`, conversation reference | message id |
//! | `3`, device | name |
//! | `4` | name |
//! | `5`, conversation reference | 1 in use, 2 left, 3 declined |
//! | `6`, conversation reference | pinned at, archived, muted until, marked ([`crate::list`]) |
//! | `7`, folder | name, order, conversation references |
//! | `8`, conversation reference | what stands in the composer |
//! | `9` | a program speaks for the account |
//!
//! Spec: `docs/book/ledger.md`, 8.

use std::collections::BTreeSet;

use nodoor_e2ee::{
    content::Content,
    identity::LeafName,
    room::{RoomContext, RoomKind},
    store::from_slice,
};
use nodoor_view::{
    list::Place,
    model::{ConversationId, Kind, MessageId},
};
use nodoor_wire::id::{AccountId, DeviceId, MessageId as Reference, RoomId};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::{
    history::Part,
    list,
    live::Sought,
    names::tidy,
    rows::{Contact, Conversation, Room, Status, key},
    step::Step,
};

/// Facts of one message, and bytes of their values where there is more than one.
const FACTS: usize = 64;
const BYTES: usize = 24 * 1024;
/// The longest key and value that are taken, bytes. A longer draft stays where it is.
const KEY: usize = 17;
const VALUE: usize = 8 * 1024;
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
    /// That we are a bot.
    Bot,
    /// A chat: a request that was accepted or declined, a group that was left.
    Chat([u8; 16]),
    /// Where a chat stands in the list.
    Place([u8; 16]),
    /// A folder.
    Folder([u8; 16]),
    /// What stands in a chat's composer.
    Draft([u8; 16]),
}

#[derive(Serialize, Deserialize)]
struct AboutContact(String, bool, bool, #[serde(default)] bool);

impl About {
    fn to_key(self) -> Vec<u8> {
        let (kind, id): (u8, &[u8]) = match &self {
            Self::Contact(account) => (1, account.as_bytes()),
            Self::Read(reference) => (2, reference),
            Self::Device(device) => (3, device.as_bytes()),
            Self::Name => (4, &[]),
            Self::Chat(reference) => (5, reference),
            Self::Place(reference) => (6, reference),
            Self::Folder(id) => (7, id),
            Self::Draft(reference) => (8, reference),
            Self::Bot => (9, &[]),
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
            9 if id.is_empty() => Self::Bot,
            5 => Self::Chat(id.try_into().ok()?),
            6 => Self::Place(id.try_into().ok()?),
            7 => Self::Folder(id.try_into().ok()?),
            8 => Self::Draft(id.try_into().ok()?),
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

    /// Founds the self group when there is a second device or a message to oneself, and tells what changed.
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
        let alone = newest.devices().len() < 2;
        newest.device(&account.device)?;
        let first =
            known.chain.version(1).is_some_and(|list| list.device(&account.device).is_some());
        let existing: Option<u64> = self.disk.get(&key::direct(&me));
        let existing = existing.and_then(|id| self.conversation(ConversationId(id)));
        if existing.as_ref().is_some_and(|one| self.room_in_use(one).is_some()) {
            return None;
        }
        // Alone a device has something to say only where its person keeps messages.
        if alone && existing.as_ref().is_none_or(|one| !one.saved) {
            return None;
        }
        let patient = !first && !alone && self.now.saturating_sub(account.made_at) < PATIENCE;
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
        let mut all = vec![About::Name, About::Bot];
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
        let told = open.take(CHATS).flat_map(|chat| {
            let reference = chat.reference;
            let placed = chat.place != Place::default();
            let drafted = !chat.draft.is_empty();
            let more = [
                placed.then_some(About::Place(reference)),
                drafted.then_some(About::Draft(reference)),
            ];
            [About::Read(reference)].into_iter().chain(more.into_iter().flatten())
        });
        all.extend(told);
        all.extend(self.all_folders());
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

    /// Where a chat stands and what stands in its composer, as our devices told it.
    pub(crate) fn told_of(&self, reference: &[u8; 16]) -> (Place, String) {
        let told =
            |about: About| self.disk.get(&row(&about.to_key())).map(|told: Known| told.value);
        let place = told(About::Place(*reference)).and_then(|told| decoded::<list::Told>(&told));
        let draft = told(About::Draft(*reference)).and_then(|told| decoded(&told));
        (place.map(Place::from).unwrap_or_default(), draft.unwrap_or_default())
    }

    /// Whether the others know anything of it.
    pub(crate) fn was_told(&self, about: About) -> bool {
        self.disk.bytes(&row(&about.to_key())).is_some()
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
                let Contact { name, accepted, blocked, bot, .. } = self.contact(&account);
                // Strangers are each device's own affair.
                let matters = told || accepted || blocked;
                matters.then(|| encoded(&AboutContact(name, accepted, blocked, bot)))?
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
            About::Bot => self.account()?.bot.then(|| encoded(&true))?,
            About::Place(reference) => {
                encoded(&list::Told::from(self.by_reference(&reference)?.place))
            }
            About::Folder(id) => encoded(&self.kept_folder(&id)?),
            About::Draft(reference) => encoded(&self.by_reference(&reference)?.draft),
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
            let mut bytes = 0;
            let mut part = Vec::new();
            while let Some(fact) = facts.next_if(|Fact(_, _, value)| {
                part.len() < FACTS && (part.is_empty() || bytes + value.len() <= BYTES)
            }) {
                bytes += fact.2.len();
                part.push(fact);
            }
            if let Some(body) = encoded(&Said::Facts(part)) {
                self.queue(conversation, None, &Content::Own(body).into(), None);
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
            let newer = known.as_ref().is_none_or(|known| *known < heard);
            if heard.value.len() <= VALUE && newer {
                self.disk.put(row(&key), &heard);
                self.believe(about, &heard.value, known.map(|known| known.value.into_vec()));
            }
        }
    }

    /// Takes over what is newer; `before` is what was known and told till now.
    fn believe(&mut self, about: About, value: &[u8], before: Option<Vec<u8>>) {
        match about {
            About::Contact(account) => {
                if let Some(AboutContact(name, accepted, blocked, bot)) = decoded(value) {
                    if bot && !self.is_me(&account) {
                        let contact = Contact { bot, ..self.contact(&account) };
                        self.set_contact(&account, &contact);
                    }
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
                    self.read(&mut conversation, MessageId(id), false);
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
            About::Place(reference) => {
                let told = decoded::<list::Told>(value);
                if let (Some(told), Some(mut chat)) = (told, self.by_reference(&reference)) {
                    chat.place = told.into();
                    self.set_conversation(&chat);
                }
            }
            About::Folder(id) => {
                if let Some(kept) = decoded(value) {
                    self.believe_folder(id, kept);
                }
            }
            About::Draft(reference) => {
                if let (Some(draft), Some(chat)) = (decoded(value), self.by_reference(&reference)) {
                    self.believe_draft(chat, draft, before);
                }
            }
            About::Bot => {
                if decoded(value) == Some(true) {
                    self.become_bot();
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

    /// What stands in the composer of another device. What is typed here and nowhere else is never replaced.
    fn believe_draft(&mut self, mut chat: Conversation, draft: String, before: Option<Vec<u8>>) {
        let told = before.as_deref().and_then(decoded::<String>).unwrap_or_default();
        let typed_here = !chat.draft.is_empty() && chat.draft != told;
        if !typed_here && self.live.looking_at != Some(chat.id) && chat.draft != draft {
            chat.draft = draft;
            self.set_conversation(&chat);
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
