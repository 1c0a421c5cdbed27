// SPDX-License-Identifier: AGPL-3.0-or-later
//! A backup: what was said, with whom, and the settings of this device, in pieces that whoever drives the engine seals into
//! a file; and the way back.
//!
//! **What is in it**: chats, messages with what attributes them and what was said about them, contacts, settings.
//! **What is not**: keys of any kind, MLS state, key packages, mailbox positions, what waits to be sent. An old copy of a
//! ratchet would seal a second message under the key of the first; so a restored device makes its rooms anew, and asks to be
//! taken into groups, as one that was recovered by words does. Nor what disappears or is shown once, requests and
//! drafts.
//!
//! **Coming back** changes nothing that is here: a message is known by its id, one that was deleted for everyone stays so.
//! What its sender's device did not sign is left out (as in [`crate::history`]).
//!
//! Decision 0023.

use nodoor_view::{
    command::Reply,
    model::{ConversationId, Kind, MessageId, ProblemKind, Settings},
    past::{At, Counted, Reply as PastReply},
};
use nodoor_wire::id::{AccountId, labelled_hash};
use serde::{Deserialize, Serialize};

use crate::{
    history::past,
    names::tidy,
    rows::{Contact, Conversation, Message, Status, Stored, key},
    step::{Step, refused},
};

/// The version of what is inside.
const VERSION: u32 = 1;
/// Messages of a piece.
const PIECE: usize = 200;
/// Row numbers of a device that leaves room below are above this.
const ROOM_BELOW: u64 = 1 << 39;
/// The number of the next row of a chat that is being restored, and how many there are left.
const RESTORING: &[u8] = b"a/restoring";
/// How much was restored.
const COUNTED: &[u8] = b"a/restored";

/// A piece of a backup, CBOR.
#[derive(Serialize, Deserialize)]
enum Piece {
    /// The first.
    Head(Head),
    /// A chat; its messages follow.
    Chat(Chat),
    /// Messages of the chat before, newest first.
    Messages(Vec<Message>),
    /// The last.
    End,
}

#[derive(Serialize, Deserialize)]
struct Head {
    version: u32,
    account: AccountId,
    made_at: u64,
    settings: Settings,
    contacts: Vec<(AccountId, Contact)>,
}

#[derive(Serialize, Deserialize)]
struct Chat {
    #[serde(with = "serde_bytes")]
    reference: [u8; 16],
    group: bool,
    other: AccountId,
    title: String,
    status: Status,
    /// At most so many messages follow.
    count: u64,
}

/// `a/restoring`: where a chat's messages go.
#[derive(Serialize, Deserialize)]
struct Restoring {
    conversation: u64,
    next: u64,
    left: u64,
}

impl Step<'_> {
    /// The secret that a file is sealed with by these words. To write one they must be those of this account; a file of
    /// before they were made new opens by the old ones.
    pub(crate) fn backup_key(&mut self, words: &str, writing: bool) -> Reply {
        let here = words.is_empty().then(|| self.own_words()).flatten();
        let words = here.as_deref().unwrap_or(words);
        let entropy = crate::device::words::entropy_of(words);
        let own = !writing || self.are_own_words(words);
        match entropy.filter(|_| own) {
            Some(entropy) => {
                let secret = labelled_hash("nodoor backup words v1", &entropy);
                Reply::Past(PastReply::Key(hex(&secret)))
            }
            None => refused(ProblemKind::WrongWords),
        }
    }

    /// The piece of a backup that comes at a place.
    pub(crate) fn backup_piece(&mut self, at: Option<At>) -> Reply {
        let Some(me) = self.me() else {
            return refused(ProblemKind::NoAccount);
        };
        let Some(at) = at else {
            let head = Head {
                version: VERSION,
                account: me,
                made_at: self.now,
                settings: self.settings(),
                contacts: self.contacts_kept(),
            };
            return piece(&Piece::Head(head), Some(At { chat: 0, before: None }));
        };
        let chat = self.conversations().into_iter().find(|one| one.id.0 >= at.chat);
        let Some(chat) = chat else {
            return piece(&Piece::End, None);
        };
        let next_chat = At { chat: chat.id.0.saturating_add(1), before: None };
        if chat.status == Status::Request || self.is_own_conversation(&chat) {
            return self.backup_piece(Some(next_chat));
        }
        let before = at.before.filter(|_| at.chat == chat.id.0);
        let Some(before) = before else {
            let count = self.disk.keys(&key::messages(chat.id), usize::MAX).len();
            let count = u64::try_from(count).unwrap_or(u64::MAX);
            let Conversation { reference, other, title, status, .. } = chat;
            let group = chat.kind == Kind::Group;
            let row = Chat { reference, group, other, title, status, count };
            return piece(&Piece::Chat(row), Some(At { chat: chat.id.0, before: Some(u64::MAX) }));
        };
        let page = self.messages_before(chat.id, Some(MessageId(before)), PIECE);
        let last = page.last().map(|message| message.id.0);
        let next = match last.filter(|_| page.len() == PIECE) {
            Some(id) => At { chat: chat.id.0, before: Some(id) },
            None => next_chat,
        };
        let kept = page.into_iter().filter_map(|message| self.kept(message)).collect();
        piece(&Piece::Messages(kept), Some(next))
    }

    /// A message as a backup has it, if it does.
    fn kept(&self, message: Message) -> Option<Message> {
        let stays = message.marks.ends_at.is_none()
            && message.content.said().is_none_or(|said| said.expires.is_none());
        match message.content {
            _ if !stays => None,
            Stored::Imported(_) => Some(message),
            _ => past(message),
        }
    }

    fn contacts_kept(&self) -> Vec<(AccountId, Contact)> {
        let rows = self.disk.prefixed(key::CONTACTS, usize::MAX);
        let contacts = rows.iter().filter_map(|(row, value)| {
            let account = AccountId::try_from(row.strip_prefix(key::CONTACTS)?).ok()?;
            let contact: Contact = self.disk.decode(value)?;
            // How far the log has them is looked at anew.
            let contact = Contact { logged: crate::ledger::LoggedUpTo::default(), ..contact };
            (contact.accepted || contact.blocked).then_some((account, contact))
        });
        contacts.collect()
    }

    // ---- the way back --------------------------------------------------------------------------

    /// Takes in the next piece of a backup. Nothing of it was changed on the way: the file said so to whoever read it.
    pub(crate) fn restore_piece(&mut self, bytes: &[u8]) -> Reply {
        let Ok(piece) = nodoor_e2ee::store::from_slice::<Piece>(bytes) else {
            return refused(ProblemKind::Version);
        };
        let mut counted: Counted = self.disk.get(COUNTED).unwrap_or_default();
        match piece {
            Piece::Head(head) => {
                if head.version > VERSION {
                    return refused(ProblemKind::Version);
                }
                if self.me() != Some(head.account) {
                    return refused(ProblemKind::OtherAccount);
                }
                counted = Counted::default();
                self.disk.remove(RESTORING);
                self.disk.put(key::SETTINGS.to_vec(), &head.settings);
                for (account, contact) in head.contacts {
                    self.restore_contact(&account, contact);
                }
            }
            Piece::Chat(chat) => match self.restore_chat(&chat) {
                Some(()) => counted.chats += 1,
                None => self.disk.remove(RESTORING),
            },
            Piece::Messages(messages) => counted.messages += self.restore_messages(messages),
            Piece::End => {
                self.disk.remove(RESTORING);
                self.disk.remove(COUNTED);
                return Reply::Past(PastReply::Counted(counted));
            }
        }
        self.disk.put(COUNTED.to_vec(), &counted);
        Reply::Past(PastReply::Counted(counted))
    }

    /// What is known of somebody here already counts.
    fn restore_contact(&mut self, account: &AccountId, kept: Contact) {
        if self.is_me(account) {
            return;
        }
        let mut contact = self.contact(account);
        if contact.lookup.is_empty() {
            (contact.lookup, contact.handle) = (kept.lookup, kept.handle);
        }
        if contact.name.is_empty() {
            contact.name = tidy(&kept.name, 60);
        }
        contact.accepted |= kept.accepted;
        contact.blocked |= kept.blocked;
        self.set_contact(account, &contact);
    }

    fn restore_chat(&mut self, chat: &Chat) -> Option<()> {
        if chat.count > ROOM_BELOW / 2 {
            return None;
        }
        let known: Option<u64> = self.disk.get(&key::reference(&chat.reference));
        let known = known.and_then(|id| self.conversation(ConversationId(id)));
        let conversation = match known {
            Some(known) => known,
            None if !chat.group => {
                let own = self.is_me(&chat.other);
                if own || self.direct_reference(&chat.other) != chat.reference {
                    return None;
                }
                let status = match chat.status {
                    Status::Blocked => Status::Blocked,
                    _ => Status::Open,
                };
                self.direct_conversation(&chat.other, status)
            }
            // Whoever brings us back into a group asks us: the room we knew by its keys is not this one.
            None => {
                let status = match chat.status {
                    Status::Imported => Status::Imported,
                    _ => Status::Left,
                };
                let title = tidy(&chat.title, 100);
                self.new_conversation(chat.reference, Kind::Group, &chat.other, &title, status)
            }
        };
        let next = self.numbers_before(chat.count);
        let conversation = conversation.id.0;
        self.disk.put(RESTORING.to_vec(), &Restoring { conversation, next, left: chat.count });
        Some(())
    }

    /// So many row numbers, before all others if there is room; the highest of them.
    pub(crate) fn numbers_before(&mut self, count: u64) -> u64 {
        let lowest = self.disk.keys(key::NUMBERS, 1);
        let lowest = lowest.first().and_then(|row| key::read_number(row)).map(|id| id.0);
        let next = self.next_number();
        let free = self.number_before_history().or(lowest).unwrap_or(next);
        if free > ROOM_BELOW && free - ROOM_BELOW > count {
            self.leave_below(count);
            return free - 1;
        }
        self.disk.put(key::NEXT.to_vec(), &(next + count));
        next + count - u64::from(count > 0)
    }

    fn restore_messages(&mut self, messages: Vec<Message>) -> u64 {
        let Some(mut at) = self.disk.get::<Restoring>(RESTORING) else {
            return 0;
        };
        let Some(mut conversation) = self.conversation(ConversationId(at.conversation)) else {
            return 0;
        };
        let mut restored = 0;
        for message in messages {
            let ended = message.marks.ends_at.is_some();
            let said = match &message.content {
                Stored::Imported(_) => conversation.status == Status::Imported,
                _ => past(message.clone()).is_some() && self.may_be_said(&message),
            };
            let Some(reference) = message.reference.filter(|_| said && !ended && at.left > 0)
            else {
                continue;
            };
            let known = key::message_by_reference(conversation.id, &reference);
            if self.disk.bytes(&known).is_some() {
                continue;
            }
            let id = MessageId(at.next);
            (at.next, at.left, restored) = (at.next.saturating_sub(1), at.left - 1, restored + 1);
            let when = message.received_at;
            let mut message = Message { id, conversation: conversation.id, ..message };
            self.take_marks(&mut message, &mut conversation);
            self.store_message(&message);
            self.disk.put(key::conversation_of(id), &conversation.id.0);
            self.disk.put(known, &id.0);
            if conversation.last.is_none() {
                conversation.sorted_at = when;
            }
            conversation.last = conversation.last.max(Some(id));
        }
        self.disk.put(RESTORING.to_vec(), &at);
        if restored > 0 {
            conversation.made_at = conversation.made_at.min(conversation.sorted_at);
            self.set_conversation(&conversation);
        }
        restored
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn piece(piece: &Piece, next: Option<At>) -> Reply {
    let mut bytes = Vec::new();
    match ciborium::into_writer(piece, &mut bytes) {
        Ok(()) => Reply::Past(PastReply::Piece { bytes, next }),
        Err(_) => refused(ProblemKind::Internal),
    }
}
