// SPDX-License-Identifier: AGPL-3.0-or-later
//! Keys of the rows, and what is read out of them: what is asked at every step stands in a key.
//!
//! The table of all is in [`super`].

use super::{AccountId, ConversationId, DeviceId, MessageId, Reference, RoomId, Token};

/// What is known of a held body without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Held {
    /// A commit, not a message.
    pub(crate) is_commit: bool,
    /// Since when, milliseconds.
    pub(crate) since: u64,
    /// Bytes.
    pub(crate) size: u32,
    /// The first half of SHA-256 of the body.
    pub(crate) hash: [u8; 16],
}

/// What is known of a held Welcome without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HeldWelcome {
    /// Since when, milliseconds.
    pub(crate) since: u64,
    /// It came by a last-resort key package.
    pub(crate) shared: bool,
    /// The token of the key package it came by.
    pub(crate) offer: Token,
    /// Its room.
    pub(crate) room: RoomId,
    /// The first half of SHA-256 of it.
    pub(crate) hash: [u8; 16],
}

/// Our account.
pub(crate) const ACCOUNT: &[u8] = b"a/account";
/// What we hold of the public log.
pub(crate) const LEDGER: &[u8] = b"a/ledger";
/// Checkpoints of the public log that were held, for gossip.
pub(crate) const AGED: &[u8] = b"a/gossip";
/// Evidence.
pub(crate) const EVIDENCE: &[u8] = b"u/";
/// Settings of this device.
pub(crate) const SETTINGS: &[u8] = b"a/settings";
/// Where this device is called.
pub(crate) const CALLED: &[u8] = b"a/called";
/// Next row number.
pub(crate) const NEXT: &[u8] = b"a/next";
/// Highest mailbox sequence processed.
pub(crate) const LAST: &[u8] = b"a/last";
/// What the server said was acknowledged when this device last found its disk to be an old copy, and when the mailbox key
/// was last renewed for that.
pub(crate) const PUT_BACK: &[u8] = b"a/put-back";
/// All key packages on offer.
pub(crate) const OFFERS: &[u8] = b"b/";
/// All conversations.
pub(crate) const CONVERSATIONS: &[u8] = b"c/";
/// All intents.
pub(crate) const INTENTS: &[u8] = b"g/";
/// All handles of accepted contacts.
pub(crate) const HANDLES: &[u8] = b"lh/";
/// All folders.
pub(crate) const FOLDERS: &[u8] = b"cf/";
/// All contacts.
pub(crate) const CONTACTS: &[u8] = b"l/";
/// All outgoing.
pub(crate) const OUTGOING: &[u8] = b"o/";
/// All tokens for the anonymous connection.
pub(crate) const TOKENS: &[u8] = b"p/";
/// All stuck rooms.
pub(crate) const STUCK: &[u8] = b"q/";
/// All rooms.
pub(crate) const ROOMS: &[u8] = b"r/";
/// All rooms that are over and still read.
pub(crate) const RETIRED: &[u8] = b"ro/";
pub(crate) const ONCE: &[u8] = b"rp/";
/// All rooms to make known.
pub(crate) const UNKNOWN: &[u8] = b"t/";
/// Tokens the server shall forget.
pub(crate) const DEAD_TOKENS: &[u8] = b"v/";
/// All held Welcomes.
pub(crate) const WELCOMES: &[u8] = b"w/";
/// All held bodies.
pub(crate) const HELD: &[u8] = b"k/";
/// All frames that came when their keys were gone.
pub(crate) const UNOPENED: &[u8] = b"ka/";
/// When this device last was let in.
pub(crate) const SEEN: &[u8] = b"a/seen";
/// All submissions.
pub(crate) const SUBMISSIONS: &[u8] = b"x/";
/// Conversations of message rows.
pub(crate) const NUMBERS: &[u8] = b"n/";
/// When messages disappear.
pub(crate) const ENDINGS: &[u8] = b"h/";
/// What was said about messages that are not here.
const EARLY: &[u8] = b"y/";
/// Files that move.
pub(crate) const MOVING: &[u8] = b"fm/";
/// Files that are here, sealed.
pub(crate) const FILES: &[u8] = b"fi/";
/// Messages deleted for me.
pub(crate) const DELETED: &[u8] = b"z/";

fn join(prefix: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut key = prefix.to_vec();
    parts.iter().for_each(|part| key.extend_from_slice(part));
    key
}

/// A key package on offer, by its token.
pub(crate) fn offer(token: &Token) -> Vec<u8> {
    join(OFFERS, &[token.as_bytes()])
}
/// A conversation.
pub(crate) fn conversation(id: ConversationId) -> Vec<u8> {
    join(CONVERSATIONS, &[&id.0.to_be_bytes()])
}
/// The direct conversation with an account.
pub(crate) fn direct(account: &AccountId) -> Vec<u8> {
    join(b"d/", &[account.as_bytes()])
}
/// A conversation by reference.
pub(crate) fn reference(reference: &[u8; 16]) -> Vec<u8> {
    join(b"f/", &[reference])
}
/// A folder.
pub(crate) fn folder(id: &[u8; 16]) -> Vec<u8> {
    join(FOLDERS, &[id])
}
/// Intents of a room.
pub(crate) fn intents(room: &RoomId) -> Vec<u8> {
    join(INTENTS, &[room.as_bytes()])
}
/// One intent.
pub(crate) fn intent(room: &RoomId, number: u64) -> Vec<u8> {
    join(INTENTS, &[room.as_bytes(), &number.to_be_bytes()])
}
/// The number in the key of an intent.
pub(crate) fn intent_number(row: &[u8]) -> Option<u64> {
    row.last_chunk().map(|number| u64::from_be_bytes(*number))
}
/// A message by its MIMI id.
pub(crate) fn message_by_reference(conversation: ConversationId, reference: &Reference) -> Vec<u8> {
    join(b"i/", &[&conversation.0.to_be_bytes(), reference.as_bytes()])
}
/// Messages whose MIMI id begins like this.
pub(crate) fn message_beginning(conversation: ConversationId, begins: &[u8]) -> Vec<u8> {
    join(b"i/", &[&conversation.0.to_be_bytes(), begins])
}
/// Bodies held for a room.
pub(crate) fn held(room: &RoomId) -> Vec<u8> {
    join(HELD, &[room.as_bytes()])
}
/// One held body. What is asked about it at every step stands in its key, so that nothing is read for it.
pub(crate) fn held_one(room: &RoomId, number: u64, about: &Held) -> Vec<u8> {
    let kind = [u8::from(about.is_commit)];
    let (number, since) = (number.to_be_bytes(), about.since.to_be_bytes());
    let size = about.size.to_be_bytes();
    join(HELD, &[room.as_bytes(), &number, &kind, &since, &size, &about.hash])
}
/// What the key of a held body says.
pub(crate) fn read_held(key: &[u8]) -> Option<(RoomId, Held)> {
    let (room, rest) = key.get(HELD.len()..)?.split_at_checked(RoomId::LENGTH)?;
    let (_, rest) = rest.split_at_checked(8)?;
    let (kind, rest) = rest.split_first()?;
    let (since, rest) = rest.split_at_checked(8)?;
    let (size, hash) = rest.split_at_checked(4)?;
    let since = u64::from_be_bytes(since.try_into().ok()?);
    let size = u32::from_be_bytes(size.try_into().ok()?);
    let held = Held { is_commit: *kind == 1, since, size, hash: hash.try_into().ok()? };
    Some((RoomId::try_from(room).ok()?, held))
}
/// A contact.
pub(crate) fn contact(account: &AccountId) -> Vec<u8> {
    join(CONTACTS, &[account.as_bytes()])
}
/// Whose a handle is that a person accepted.
pub(crate) fn bound(handle: &str) -> Vec<u8> {
    join(HANDLES, &[handle.as_bytes()])
}
/// Messages of a conversation.
pub(crate) fn messages(conversation: ConversationId) -> Vec<u8> {
    join(b"m/", &[&conversation.0.to_be_bytes()])
}
/// One message.
pub(crate) fn message(conversation: ConversationId, id: MessageId) -> Vec<u8> {
    join(b"m/", &[&conversation.0.to_be_bytes(), &id.0.to_be_bytes()])
}
/// The conversation of a message row.
pub(crate) fn conversation_of(id: MessageId) -> Vec<u8> {
    join(NUMBERS, &[&id.0.to_be_bytes()])
}
/// Which message such a row is about.
pub(crate) fn read_number(row: &[u8]) -> Option<MessageId> {
    let number = row.strip_prefix(NUMBERS)?.try_into().ok()?;
    Some(MessageId(u64::from_be_bytes(number)))
}
/// When a message disappears, milliseconds.
pub(crate) fn ending(at: u64, id: MessageId) -> Vec<u8> {
    join(ENDINGS, &[&at.to_be_bytes(), &id.0.to_be_bytes()])
}
/// Which message such a key names, and when it goes.
pub(crate) fn read_ending(key: &[u8]) -> Option<(u64, MessageId)> {
    let (at, id) = key.get(ENDINGS.len()..)?.split_first_chunk()?;
    Some((u64::from_be_bytes(*at), MessageId(u64::from_be_bytes(id.try_into().ok()?))))
}
/// What was said in a chat about messages that are not here.
pub(crate) fn early(conversation: ConversationId) -> Vec<u8> {
    join(EARLY, &[&conversation.0.to_be_bytes()])
}
/// What was said about one of them.
pub(crate) fn early_of(conversation: ConversationId, reference: &Reference) -> Vec<u8> {
    join(EARLY, &[&conversation.0.to_be_bytes(), reference.as_bytes()])
}
/// One such word.
pub(crate) fn early_one(
    conversation: ConversationId,
    reference: &Reference,
    number: u64,
) -> Vec<u8> {
    let number = number.to_be_bytes();
    join(EARLY, &[&conversation.0.to_be_bytes(), reference.as_bytes(), &number])
}
/// Outgoing of a conversation.
pub(crate) fn outgoing(conversation: ConversationId) -> Vec<u8> {
    join(OUTGOING, &[&conversation.0.to_be_bytes()])
}
/// One outgoing.
pub(crate) fn outgoing_one(conversation: ConversationId, number: u64) -> Vec<u8> {
    join(OUTGOING, &[&conversation.0.to_be_bytes(), &number.to_be_bytes()])
}
/// Tokens of a day, counted from 1970.
pub(crate) fn tokens_of(day: u32) -> Vec<u8> {
    join(TOKENS, &[&day.to_be_bytes()])
}
/// A token.
pub(crate) fn token(day: u32, nonce: &[u8; 32]) -> Vec<u8> {
    join(TOKENS, &[&day.to_be_bytes(), nonce])
}
/// Day and nonce of a token.
pub(crate) fn read_token(key: &[u8]) -> Option<(u32, [u8; 32])> {
    let (day, nonce) = key.get(TOKENS.len()..)?.split_first_chunk()?;
    Some((u32::from_be_bytes(*day), nonce.try_into().ok()?))
}
/// What was told and heard of the public log with somebody.
pub(crate) fn gossip(account: &AccountId) -> Vec<u8> {
    join(TALKS, &[account.as_bytes()])
}
pub(crate) const TALKS: &[u8] = b"lt/";
/// The person of such a row.
pub(crate) fn read_talk(row: &[u8]) -> Option<AccountId> {
    AccountId::try_from(row.strip_prefix(TALKS)?).ok()
}
/// A file of evidence.
pub(crate) fn evidence(number: u64) -> Vec<u8> {
    join(EVIDENCE, &[&number.to_be_bytes()])
}
/// A room.
pub(crate) fn room(room: &RoomId) -> Vec<u8> {
    join(ROOMS, &[room.as_bytes()])
}
/// The rooms of a conversation that are over and still read.
pub(crate) fn retired(conversation: ConversationId) -> Vec<u8> {
    join(RETIRED, &[&conversation.0.to_be_bytes()])
}
/// One of them.
pub(crate) fn retired_one(conversation: ConversationId, room: &RoomId) -> Vec<u8> {
    join(RETIRED, &[&conversation.0.to_be_bytes(), room.as_bytes()])
}
/// The rooms that a conversation had and left.
pub(crate) fn once(conversation: ConversationId) -> Vec<u8> {
    join(ONCE, &[&conversation.0.to_be_bytes()])
}
/// One of them.
pub(crate) fn once_one(conversation: ConversationId, room: &RoomId) -> Vec<u8> {
    join(ONCE, &[&conversation.0.to_be_bytes(), room.as_bytes()])
}
/// Which room such a key names.
pub(crate) fn read_once(key: &[u8]) -> Option<RoomId> {
    RoomId::try_from(key.get(ONCE.len() + 8..)?).ok()
}
/// Which room the key of a retired one names.
pub(crate) fn read_retired(key: &[u8]) -> Option<RoomId> {
    RoomId::try_from(key.get(RETIRED.len() + 8..)?).ok()
}
/// Frames of a room that came when their keys were gone.
pub(crate) fn unopened(room: &RoomId) -> Vec<u8> {
    join(UNOPENED, &[room.as_bytes()])
}
/// One of them.
pub(crate) fn unopened_one(room: &RoomId, hash: &[u8; 16]) -> Vec<u8> {
    join(UNOPENED, &[room.as_bytes(), hash])
}
/// Room and hash of such a key.
pub(crate) fn read_unopened(key: &[u8]) -> Option<(RoomId, [u8; 16])> {
    let (room, hash) = key.get(UNOPENED.len()..)?.split_at_checked(32)?;
    Some((RoomId::try_from(room).ok()?, hash.try_into().ok()?))
}
/// Frames that were asked for in a room.
pub(crate) fn asked_in(room: &RoomId) -> Vec<u8> {
    join(b"kb/", &[room.as_bytes()])
}
/// One of them.
pub(crate) fn asked_again(room: &RoomId, hash: &[u8; 16]) -> Vec<u8> {
    join(b"kb/", &[room.as_bytes(), hash])
}
/// Messages of a chat that come again.
pub(crate) fn awaited_in(conversation: ConversationId) -> Vec<u8> {
    join(b"kc/", &[&conversation.0.to_be_bytes()])
}
/// One of them.
pub(crate) fn awaited(conversation: ConversationId, reference: &Reference) -> Vec<u8> {
    join(b"kc/", &[&conversation.0.to_be_bytes(), reference.as_bytes()])
}
/// A stuck room.
pub(crate) fn stuck(room: &RoomId) -> Vec<u8> {
    join(STUCK, &[room.as_bytes()])
}
/// A room to make known.
pub(crate) fn unknown(room: &RoomId) -> Vec<u8> {
    join(UNKNOWN, &[room.as_bytes()])
}
/// A token the server shall forget.
pub(crate) fn dead_token(token: &Token) -> Vec<u8> {
    join(DEAD_TOKENS, &[token.as_bytes()])
}
/// The proof of an account's forked history.
pub(crate) fn fork(account: &AccountId) -> Vec<u8> {
    join(b"j/", &[account.as_bytes()])
}
/// A held Welcome.
pub(crate) fn welcome(number: u64, about: &HeldWelcome) -> Vec<u8> {
    let (number, since) = (number.to_be_bytes(), about.since.to_be_bytes());
    let (offer, room) = (about.offer.as_bytes(), about.room.as_bytes());
    join(WELCOMES, &[&number, &since, &[u8::from(about.shared)], offer, room, &about.hash])
}
/// What the key of a held Welcome says.
pub(crate) fn read_welcome(key: &[u8]) -> Option<HeldWelcome> {
    let (_, rest) = key.get(WELCOMES.len()..)?.split_at_checked(8)?;
    let (since, rest) = rest.split_at_checked(8)?;
    let (shared, rest) = rest.split_first()?;
    let (offer, rest) = rest.split_at_checked(Token::LENGTH)?;
    let (room, hash) = rest.split_at_checked(RoomId::LENGTH)?;
    let since = u64::from_be_bytes(since.try_into().ok()?);
    let (offer, room) = (Token::try_from(offer).ok()?, RoomId::try_from(room).ok()?);
    Some(HeldWelcome { since, shared: *shared == 1, offer, room, hash: hash.try_into().ok()? })
}
/// Our commit on its way.
pub(crate) fn submission(room: &RoomId) -> Vec<u8> {
    join(SUBMISSIONS, &[room.as_bytes()])
}
/// A message deleted for me.
pub(crate) fn deleted(id: MessageId) -> Vec<u8> {
    join(DELETED, &[&id.0.to_be_bytes()])
}
/// A stuck device's call, once per room and device.
pub(crate) fn call(room: &RoomId, device: &DeviceId) -> Vec<u8> {
    join(b"s/", &[room.as_bytes(), device.as_bytes()])
}
/// Who asks to come into a room by a link of ours.
pub(crate) fn asking(room: &RoomId) -> Vec<u8> {
    join(b"gj/", &[room.as_bytes()])
}
/// One of them.
pub(crate) fn asking_one(room: &RoomId, account: &AccountId) -> Vec<u8> {
    join(b"gj/", &[room.as_bytes(), account.as_bytes()])
}
/// Whom we asked to let us into a room.
pub(crate) fn asked(room: &RoomId) -> Vec<u8> {
    join(b"gk/", &[room.as_bytes()])
}
/// What our link to a room shows.
pub(crate) fn link(room: &RoomId) -> Vec<u8> {
    join(b"gl/", &[room.as_bytes()])
}
/// The file of a message that moves.
pub(crate) fn moving(id: MessageId) -> Vec<u8> {
    join(MOVING, &[&id.0.to_be_bytes()])
}
/// Whose file moves.
pub(crate) fn read_moving(key: &[u8]) -> Option<MessageId> {
    let id = key.get(MOVING.len()..)?.try_into().ok()?;
    Some(MessageId(u64::from_be_bytes(id)))
}
/// A sealed file that is here.
pub(crate) fn files(sealed: &[u8; 32]) -> Vec<u8> {
    join(FILES, &[sealed])
}
/// The same, named by a message.
pub(crate) fn file(sealed: &[u8; 32], id: MessageId) -> Vec<u8> {
    join(FILES, &[sealed, &id.0.to_be_bytes()])
}
/// Which file, and whose.
pub(crate) fn read_file(key: &[u8]) -> Option<([u8; 32], MessageId)> {
    let (sealed, id) = key.get(FILES.len()..)?.split_first_chunk()?;
    Some((*sealed, MessageId(u64::from_be_bytes(id.try_into().ok()?))))
}
