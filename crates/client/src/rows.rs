// SPDX-License-Identifier: AGPL-3.0-or-later
//! The rows the engine keeps: their keys and their records. CBOR by serde; a field added later has a
//! default. Everything is inside the client's encrypted database.
//!
//! | key | record |
//! |---|---|
//! | `a/account` | [`Account`] |
//! | `a/settings`, `a/next`, `a/last` | settings, next row number, highest mailbox sequence processed |
//! | `c/<conversation>` | [`Conversation`] |
//! | `d/<account>` | conversation of a direct chat |
//! | `f/<conversation reference>` | conversation by its reference |
//! | `g/<room><n>` | [`Intent`], oldest first |
//! | `h/<key id>` | hour key of the mailbox |
//! | `i/<conversation><message id>` | message row by MIMI id |
//! | `k/<room><n>` | body held until its room can go on |
//! | `l/<account>` | [`Contact`] |
//! | `m/<conversation><message>` | [`Message`] |
//! | `n/<message>` | conversation of a message row |
//! | `o/<conversation><n>` | [`Outgoing`], oldest first |
//! | `q/<room>` | a room that is stuck, and since when |
//! | `r/<room>` | [`Room`] |
//! | `t/<room>` | a room the server does not know yet, or whose token it does not |
//! | `w/<n>` | Welcome held until its lists are known |
//! | `x/<room>` | [`Submission`]: our commit on its way |
//! | `v/<token>` | seed of a delivery token that the server shall forget |
//! | `z/<message>` | a message deleted for me, until it can no longer be undone |
//! | `e/...` | MLS state, by `e2ee` |

use nodoor_view::model::{ConversationId, Kind, MessageId, Problem, SystemLine};
use nodoor_wire::id::{AccountId, DeviceId, RoomId, Token};
use serde::{Deserialize, Serialize};

/// Who we are. Secrets are seeds; public halves are derived.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Account {
    /// Account id.
    pub(crate) account: [u8; 16],
    /// This device.
    pub(crate) device: [u8; 16],
    /// Without `@`.
    pub(crate) handle: String,
    /// The name contacts see.
    #[serde(default)]
    pub(crate) name: String,
    /// Seeds of the device, MLS signature and login key.
    pub(crate) device_seed: [u8; 32],
    /// See `device_seed`.
    pub(crate) mls_seed: [u8; 32],
    /// See `device_seed`.
    pub(crate) login_seed: [u8; 32],
    /// Entropy of the 24 recovery words; gone once the person has saved them.
    pub(crate) recovery_entropy: Option<[u8; 32]>,
    /// Seeds of mailbox keys, newest first.
    pub(crate) mailbox_seeds: Vec<[u8; 32]>,
    /// When this device was made, milliseconds.
    pub(crate) made_at: u64,
    /// What this device is called here.
    pub(crate) device_name: String,
    /// The `Register` request, protobuf, until the server said yes.
    pub(crate) registering: Option<Vec<u8>>,
    /// The server's id, pinned at registration.
    pub(crate) deployment: Option<[u8; 16]>,
    /// Version of the newest own list.
    pub(crate) list_version: u32,
}

/// What we know of an account, our own included.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Contact {
    /// Verified signed lists, protobuf `LookupAnswer`.
    pub(crate) lists: Vec<u8>,
    /// Verified handle, or empty.
    pub(crate) handle: String,
    /// The name they gave themselves, or empty.
    #[serde(default)]
    pub(crate) name: String,
    /// We accepted them or wrote first.
    #[serde(default)]
    pub(crate) accepted: bool,
    /// We blocked them.
    #[serde(default)]
    pub(crate) blocked: bool,
}

/// What a person sees as one chat.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Conversation {
    /// Row number.
    pub(crate) id: ConversationId,
    /// Same on every device.
    pub(crate) reference: [u8; 16],
    /// Direct or group.
    pub(crate) kind: Kind,
    /// The other account of a direct chat; whoever made a group.
    pub(crate) other: [u8; 16],
    /// A group's title.
    pub(crate) title: String,
    /// Where it stands.
    pub(crate) status: Status,
    /// Its rooms, oldest first.
    pub(crate) rooms: Vec<[u8; 32]>,
    /// Unread messages.
    pub(crate) unread: u32,
    /// First unread message.
    pub(crate) first_unread: Option<MessageId>,
    /// Newest message row that is shown.
    pub(crate) last: Option<MessageId>,
    /// What stands in the composer.
    pub(crate) draft: String,
    /// Orders the list, milliseconds.
    pub(crate) sorted_at: u64,
    /// The name of ours that was last sent here.
    #[serde(default)]
    pub(crate) name_sent: String,
    /// When this device first had it, milliseconds.
    pub(crate) made_at: u64,
}

/// Where a conversation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Status {
    /// Waits for Accept, Delete or Block.
    Request,
    /// In use.
    Open,
    /// We left.
    Left,
    /// We were removed.
    Removed,
    /// We blocked the person.
    Blocked,
}

/// One MLS group at the server.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Room {
    /// MLS group id.
    pub(crate) room: [u8; 32],
    /// Its conversation.
    pub(crate) conversation: ConversationId,
    /// Our delivery token in it.
    pub(crate) token: [u8; 32],
    /// The server knows our token.
    pub(crate) token_known: bool,
    /// The server knows the room.
    pub(crate) founded: bool,
    /// We sent something in it that a person sees.
    pub(crate) i_sent: bool,
    /// Somebody else did.
    pub(crate) they_sent: bool,
    /// When something last came, milliseconds.
    pub(crate) active_at: u64,
    /// When we last updated our leaf, milliseconds.
    pub(crate) updated_at: u64,
    /// Why it does not go on, if it does not. Kept when a successor takes over.
    pub(crate) stuck: Option<Stuck>,
    /// We are out of it: nothing is sent or opened any more.
    pub(crate) closed: bool,
}

/// Why a room does not go on.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Stuck {
    /// The accepted commit of our epoch that we refuse; `None` if we only cannot catch up, and there is
    /// nobody to blame: such a room waits for help and never gets a successor.
    pub(crate) burnt: Option<Burning>,
    /// Since when, milliseconds.
    pub(crate) since: u64,
    /// When help was asked for last, milliseconds.
    pub(crate) asked_at: Option<u64>,
}

/// A burnt epoch.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Burning {
    /// The epoch the commit ended.
    pub(crate) epoch: u64,
    /// The commit.
    pub(crate) commit: [u8; 32],
    /// Accounts a successor room holds, ours included, sorted: the members of the last good epoch, in a group
    /// without the signer's account.
    pub(crate) members: Vec<[u8; 16]>,
}

impl Room {
    /// Whether the head's commit is one we refuse.
    pub(crate) fn is_burnt(&self) -> bool {
        self.stuck.as_ref().is_some_and(|stuck| stuck.burnt.is_some())
    }
}

/// A change of a room that we want; done by a commit of ours, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Intent {
    /// Add all devices of these accounts.
    Add(Vec<[u8; 16]>),
    /// Remove all devices of an account.
    Remove([u8; 16]),
    /// Give the group a title.
    Rename(String),
    /// A fresh leaf of our own, and whatever proposals wait.
    Update,
    /// Remove a stuck device and add it again.
    Readd([u8; 16], [u8; 16]),
}

/// Our commit, on disk before it is sent and until the server answered.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Submission {
    /// Protobuf `Commit`.
    pub(crate) commit: Vec<u8>,
    /// Its id.
    pub(crate) id: [u8; 32],
    /// Keys of the intents it carries out.
    pub(crate) intents: Vec<Vec<u8>>,
    /// What to say in the chat once it is done.
    pub(crate) lines: Vec<SystemLine>,
}

/// A message row.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Message {
    /// Row number.
    pub(crate) id: MessageId,
    /// Which conversation.
    pub(crate) conversation: ConversationId,
    /// MIMI message id; zero for system lines.
    pub(crate) reference: [u8; 32],
    /// Sender; `None` for system lines.
    pub(crate) from: Option<[u8; 16]>,
    /// What it is.
    pub(crate) content: Stored,
    /// When its sender says, milliseconds.
    pub(crate) sent_at: u64,
    /// When this device had it, milliseconds.
    pub(crate) received_at: u64,
    /// State of one's own message.
    pub(crate) state: Option<State>,
    /// When the server said yes, milliseconds.
    #[serde(default)]
    pub(crate) accepted_at: Option<u64>,
    /// Accounts at least one device of which has it.
    #[serde(default)]
    pub(crate) delivered_to: Vec<[u8; 16]>,
}

/// What a message row holds.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) enum Stored {
    /// Text.
    Text(String),
    /// A line of the app.
    System(SystemLine),
    /// Content bytes of a kind this version does not know.
    Unknown(Vec<u8>),
}

/// State of one's own message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum State {
    /// On disk.
    Waiting,
    /// Durable at the server.
    Sent,
    /// On a device of every other member.
    Delivered,
    /// Kept here.
    NotSent(Problem),
}

/// Something to send in a conversation.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Outgoing {
    /// The message row, if it is one a person sees.
    pub(crate) message: Option<MessageId>,
    /// Encoded mimiContent.
    pub(crate) content: Vec<u8>,
    /// When its sender says it was sent, milliseconds.
    pub(crate) sent_at: u64,
    /// When we first tried, milliseconds.
    pub(crate) first_try: u64,
    /// Only in this room (receipts, calls for help); else in the room the conversation uses.
    pub(crate) room: Option<[u8; 32]>,
    /// Sealed, perhaps sent, not answered: the same bytes go again until a definite answer.
    pub(crate) sealed: Option<Sealed>,
    /// This is our leaving: a proposal, not content.
    #[serde(default)]
    pub(crate) leave: bool,
}

/// A sealed frame on its way.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Sealed {
    /// In which room.
    pub(crate) room: [u8; 32],
    /// Protobuf `Send`.
    pub(crate) send: Vec<u8>,
}

/// A body that waits for its room (a list to be looked up, or earlier commits).
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Held {
    /// Protobuf `Body`.
    pub(crate) body: Vec<u8>,
    /// Since when, milliseconds.
    pub(crate) since: u64,
}

#[cfg(test)]
mod tests;

/// Keys of the rows.
pub(crate) mod key {
    use super::{AccountId, ConversationId, DeviceId, MessageId, RoomId, Token};

    /// Our account.
    pub(crate) const ACCOUNT: &[u8] = b"a/account";
    /// Settings of this device.
    pub(crate) const SETTINGS: &[u8] = b"a/settings";
    /// Next row number.
    pub(crate) const NEXT: &[u8] = b"a/next";
    /// Highest mailbox sequence processed.
    pub(crate) const LAST: &[u8] = b"a/last";
    /// All conversations.
    pub(crate) const CONVERSATIONS: &[u8] = b"c/";
    /// All intents.
    pub(crate) const INTENTS: &[u8] = b"g/";
    /// All contacts.
    pub(crate) const CONTACTS: &[u8] = b"l/";
    /// All outgoing.
    pub(crate) const OUTGOING: &[u8] = b"o/";
    /// All stuck rooms.
    pub(crate) const STUCK: &[u8] = b"q/";
    /// All rooms.
    pub(crate) const ROOMS: &[u8] = b"r/";
    /// All rooms to make known.
    pub(crate) const UNKNOWN: &[u8] = b"t/";
    /// Tokens the server shall forget.
    pub(crate) const DEAD_TOKENS: &[u8] = b"v/";
    /// All held Welcomes.
    pub(crate) const WELCOMES: &[u8] = b"w/";
    /// All held bodies.
    pub(crate) const HELD: &[u8] = b"k/";
    /// All submissions.
    pub(crate) const SUBMISSIONS: &[u8] = b"x/";

    fn join(prefix: &[u8], parts: &[&[u8]]) -> Vec<u8> {
        let mut key = prefix.to_vec();
        parts.iter().for_each(|part| key.extend_from_slice(part));
        key
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
    /// Intents of a room.
    pub(crate) fn intents(room: &RoomId) -> Vec<u8> {
        join(INTENTS, &[room.as_bytes()])
    }
    /// One intent.
    pub(crate) fn intent(room: &RoomId, number: u64) -> Vec<u8> {
        join(INTENTS, &[room.as_bytes(), &number.to_be_bytes()])
    }
    /// An hour key.
    pub(crate) fn hour_key(id: &[u8]) -> Vec<u8> {
        join(b"h/", &[id])
    }
    /// A message by its MIMI id.
    pub(crate) fn message_by_reference(
        conversation: ConversationId,
        reference: &[u8; 32],
    ) -> Vec<u8> {
        join(b"i/", &[&conversation.0.to_be_bytes(), reference])
    }
    /// Bodies held for a room.
    pub(crate) fn held(room: &RoomId) -> Vec<u8> {
        join(HELD, &[room.as_bytes()])
    }
    /// One held body.
    pub(crate) fn held_one(room: &RoomId, number: u64) -> Vec<u8> {
        join(HELD, &[room.as_bytes(), &number.to_be_bytes()])
    }
    /// A contact.
    pub(crate) fn contact(account: &AccountId) -> Vec<u8> {
        join(CONTACTS, &[account.as_bytes()])
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
        join(b"n/", &[&id.0.to_be_bytes()])
    }
    /// Outgoing of a conversation.
    pub(crate) fn outgoing(conversation: ConversationId) -> Vec<u8> {
        join(OUTGOING, &[&conversation.0.to_be_bytes()])
    }
    /// One outgoing.
    pub(crate) fn outgoing_one(conversation: ConversationId, number: u64) -> Vec<u8> {
        join(OUTGOING, &[&conversation.0.to_be_bytes(), &number.to_be_bytes()])
    }
    /// A room.
    pub(crate) fn room(room: &RoomId) -> Vec<u8> {
        join(ROOMS, &[room.as_bytes()])
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
    /// A held Welcome.
    pub(crate) fn welcome(number: u64) -> Vec<u8> {
        join(WELCOMES, &[&number.to_be_bytes()])
    }
    /// Our commit on its way.
    pub(crate) fn submission(room: &RoomId) -> Vec<u8> {
        join(SUBMISSIONS, &[room.as_bytes()])
    }
    /// A message deleted for me.
    pub(crate) fn deleted(id: MessageId) -> Vec<u8> {
        join(b"z/", &[&id.0.to_be_bytes()])
    }
    /// A stuck device's call, once per room and device.
    pub(crate) fn call(room: &RoomId, device: &DeviceId) -> Vec<u8> {
        join(b"s/", &[room.as_bytes(), device.as_bytes()])
    }
}
