// SPDX-License-Identifier: AGPL-3.0-or-later
//! One step: the disk with this step's writes, the volatile state, the time, and what to do afterwards.

use nodoor_e2ee::identity::Identity;
use nodoor_transparency::key::SigningKey;
use nodoor_view::{
    command::{Reply, Told},
    event::Event,
    model::{ConversationId, MessageId, MessageRow, Problem, ProblemKind, Settings},
};
use nodoor_wire::id::{AccountId, RoomId};
use rand_core::CryptoRng;

use crate::{
    io::Effect,
    live::Live,
    overlay::Overlay,
    rows::{Account, Contact, Conversation, Deleted, Message, Room, key},
    selfgroup::About,
};

/// Everything a step works with.
pub(crate) struct Step<'a> {
    /// The disk.
    pub(crate) disk: Overlay<'a>,
    /// Memory.
    pub(crate) live: &'a mut Live,
    /// Milliseconds since 1970.
    pub(crate) now: u64,
    /// Randomness.
    pub(crate) rng: &'a mut dyn CryptoRng,
    /// What to do once the step is on disk.
    pub(crate) effects: Vec<Effect>,
}

impl Step<'_> {
    /// Our account, if there is one.
    pub(crate) fn account(&self) -> Option<Account> {
        self.disk.get(key::ACCOUNT)
    }

    /// Our account id.
    pub(crate) fn me(&self) -> Option<AccountId> {
        self.account().map(|account| account.account)
    }

    /// Replaces our account.
    pub(crate) fn set_account(&mut self, account: &Account) {
        self.disk.put(key::ACCOUNT.to_vec(), account);
    }

    /// Our MLS identity.
    pub(crate) fn identity(&self) -> Option<Identity> {
        let account = self.account()?;
        Some(Identity::new(account.account, account.device, account.list_version, account.mls_seed))
    }

    /// Our device key.
    pub(crate) fn device_key(&self) -> Option<SigningKey> {
        Some(SigningKey::from_seed(self.account()?.device_seed))
    }

    /// Settings of this device.
    pub(crate) fn settings(&self) -> Settings {
        self.disk.get(key::SETTINGS).unwrap_or_default()
    }

    /// The row number that comes next.
    pub(crate) fn next_number(&self) -> u64 {
        self.disk.get(key::NEXT).unwrap_or(1)
    }

    /// A row number never used before.
    pub(crate) fn number(&mut self) -> u64 {
        let number = self.next_number();
        self.disk.put(key::NEXT.to_vec(), &(number + 1));
        number
    }

    /// Random bytes.
    pub(crate) fn random<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.rng.fill_bytes(&mut bytes);
        bytes
    }

    /// A conversation.
    pub(crate) fn conversation(&self, id: ConversationId) -> Option<Conversation> {
        self.disk.get(&key::conversation(id))
    }

    /// Writes a conversation; interfaces are told at the end of the step.
    pub(crate) fn set_conversation(&mut self, conversation: &Conversation) {
        self.disk.put(key::conversation(conversation.id), conversation);
        self.live.changed.insert(conversation.id);
    }

    /// All conversations.
    pub(crate) fn conversations(&self) -> Vec<Conversation> {
        self.disk
            .prefixed(key::CONVERSATIONS, usize::MAX)
            .iter()
            .filter_map(|(_, value)| self.disk.decode(value))
            .collect()
    }

    /// A room.
    pub(crate) fn room(&self, room: &RoomId) -> Option<Room> {
        self.disk.get(&key::room(room))
    }

    /// Writes a room.
    pub(crate) fn set_room(&mut self, room: &Room) {
        self.disk.put(key::room(&room.room), room);
    }

    /// What we know of an account.
    pub(crate) fn contact(&self, account: &AccountId) -> Contact {
        self.disk.get(&key::contact(account)).unwrap_or_default()
    }

    /// Writes what we know of an account.
    pub(crate) fn set_contact(&mut self, account: &AccountId, contact: &Contact) {
        let before = self.contact(account);
        if before.bound_to() != contact.bound_to() {
            self.unbind(account, &before);
            self.bind(account, contact);
        }
        self.disk.put(key::contact(account), contact);
        self.forget_whether_logged(account);
        self.live.own_changed.insert(About::Contact(*account));
    }

    /// Forgets an account.
    pub(crate) fn forget_contact(&mut self, account: &AccountId) {
        self.unbind(account, &self.contact(account));
        self.disk.remove(&key::contact(account));
        self.forget_whether_logged(account);
    }

    /// Whose handle it is once it is accepted: the first one's.
    fn bind(&self, account: &AccountId, contact: &Contact) {
        if let Some(row) = contact.bound_to().map(key::bound)
            && self.disk.bytes(&row).is_none()
        {
            self.disk.put(row, account);
        }
    }

    fn unbind(&self, account: &AccountId, contact: &Contact) {
        if let Some(row) = contact.bound_to().map(key::bound)
            && self.disk.get(&row) == Some(*account)
        {
            self.disk.remove(&row);
        }
    }

    /// The index of handles, on a disk that was written before there was one.
    pub(crate) fn bind_all(&self) {
        if !self.disk.keys(key::HANDLES, 1).is_empty() {
            return;
        }
        for row in self.disk.keys(key::CONTACTS, usize::MAX) {
            let account =
                row.get(key::CONTACTS.len()..).and_then(|id| AccountId::try_from(id).ok());
            if let (Some(account), Some(contact)) = (account, self.disk.get(&row)) {
                self.bind(&account, &contact);
            }
        }
    }

    /// A message row.
    pub(crate) fn message(&self, id: MessageId) -> Option<Message> {
        let conversation: u64 = self.disk.get(&key::conversation_of(id))?;
        self.disk.get(&key::message(ConversationId(conversation), id))
    }

    /// Changes a message of our own, also one that was deleted and may be brought back.
    pub(crate) fn change_message(&mut self, id: MessageId, change: impl FnOnce(&mut Message)) {
        if let Some(mut message) = self.message(id) {
            change(&mut message);
            self.set_message(&message, false);
        } else if let Some(mut deleted) = self.disk.get::<Deleted>(&key::deleted(id)) {
            change(&mut deleted.message);
            self.disk.put(key::deleted(id), &deleted);
        }
    }

    /// Writes a message row and tells interfaces.
    pub(crate) fn set_message(&mut self, message: &Message, new: bool) {
        self.store_message(message);
        if new {
            self.disk.put(key::conversation_of(message.id), &message.conversation.0);
        }
        if let Some(reference) = &message.reference {
            let row = key::message_by_reference(message.conversation, reference);
            self.disk.put(row, &message.id.0);
        }
        let row: MessageRow = self.message_row(message);
        self.tell(Event::Message { row, new });
        self.live.changed.insert(message.conversation);
    }

    /// Tells interfaces something.
    pub(crate) fn tell(&mut self, event: Event) {
        self.effects.push(Effect::Event(event));
    }

    /// Answers an ask.
    pub(crate) fn answer(&mut self, ask: u64, reply: Reply) {
        self.effects.push(Effect::Told(Told { ask, reply }));
    }
}

/// A problem without a refusal behind it.
pub(crate) fn problem(kind: ProblemKind) -> Problem {
    Problem { kind, code: 0, wait_seconds: 0 }
}

/// The reply of a problem.
pub(crate) fn refused(kind: ProblemKind) -> Reply {
    Reply::Problem(problem(kind))
}
