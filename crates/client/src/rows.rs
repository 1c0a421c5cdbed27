// SPDX-License-Identifier: AGPL-3.0-or-later
//! The rows the engine keeps: their keys and their records. CBOR maps by serde, bytes as byte strings; a field added
//! later has a default. Everything is inside the client's encrypted database. What interfaces see is made of
//! them in [`crate::views`], so that a change there changes no disk.
//!
//! | key | record |
//! |---|---|
//! | `a/account` | [`Account`] |
//! | `a/ledger` | [`Ledger`](crate::ledger::Ledger): policy, checkpoint held, what was found |
//! | `a/indexing` | how far the index of words is on a disk that was written before there was one |
//! | `a/restoring`, `a/restored` | where the messages of a backup go, and how much was restored |
//! | `a/called` | where this device is called when something waits, see `push` |
//! | `a/seen` | when this device last was let in |
//! | `a/settings`, `a/next`, `a/last` | settings, next row number, highest mailbox sequence processed |
//! | `b/<token>` | [`Offer`] |
//! | `c/<conversation>` | [`Conversation`] |
//! | `cf/<folder>` | [`Kept`](crate::list::Kept): a folder |
//! | `d/<account>` | conversation of a direct chat |
//! | `fi/<hash><message>` | a sealed file that is here, and what its first bytes say |
//! | `fm/<message>` | [`Moving`](crate::files::Moving): a file that is sealed, put, fetched or saved |
//! | `f/<conversation reference>` | conversation by its reference |
//! | `g/<room><n>` | [`Intent`], oldest first |
//! | `i/<conversation><message id>` | message row by MIMI id |
//! | `j/<account>` | [`Fork`]: two signed lists that do not fit, as the server showed them |
//! | `k/<room><n><kind><since><size><hash>` | body held until its room can go on (protobuf `Body`) |
//! | `ka/<room><hash>` | a frame that came when its keys were gone, and since when |
//! | `kb/<room><hash>` | one that was asked for, and when |
//! | `kc/<conversation><message id>` | a message that comes again: the row of the line that says so |
//! | `l/<account>` | [`Contact`] |
//! | `lc/<account>` | when the person compared digits with this account, milliseconds |
//! | `lh/<handle>` | account of the accepted contact whose handle this is |
//! | `m/<conversation><message>` | [`Message`] |
//! | `n/<message>` | conversation of a message row |
//! | `o/<conversation><n>` | [`Outgoing`], oldest first |
//! | `p/<day><nonce>` | token for the anonymous connection: its output |
//! | `q/<room>` | a room that is stuck, and since when |
//! | `r/<room>` | [`Room`] |
//! | `ro/<conversation><room>` | a room that is over and still read, and until when |
//! | `s/<room><device>` | when this stuck device last called for help |
//! | `t/<room>` | a room the server does not know yet, or whose token it does not |
//! | `w/<n><since><shared><token><room><hash>` | Welcome held until its lists are known (the MLS bytes) |
//! | `u/<n>` | a file of evidence, as text |
//! | `x/<room>` | [`Submission`]: our commit on its way |
//! | `v/<token>` | seed of a delivery token that the server shall forget |
//! | `h/<when><message>` | when a message disappears, milliseconds |
//! | `y/<conversation><message id><n>` | [`Early`]: something about a message that is not here |
//! | `z/<message>` | a message deleted for me, until it can no longer be undone |
//! | `e/...` | MLS state, by `e2ee` |

pub(crate) mod key;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use nodoor_view::{
    list::Place,
    model::{ConversationId, Kind, MessageId},
};
use nodoor_wire::id::{
    AccountId, CommitId, DeploymentId, DeviceId, MessageId as Reference, RoomId, Token,
};
use serde::{Deserialize, Serialize};
use serde_bytes::{ByteArray, ByteBuf};

use nodoor_e2ee::room::{RoomContext, RoomKind};

use crate::{gate::Reason, ledger::LoggedUpTo};

/// Who we are. Secrets are seeds; public halves are derived.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Account {
    /// Account id.
    pub(crate) account: AccountId,
    /// This device.
    pub(crate) device: DeviceId,
    /// Without `@`.
    pub(crate) handle: String,
    /// The name contacts see.
    pub(crate) name: String,
    /// A program speaks for it, and says so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) bot: bool,
    /// Seeds of the device, MLS signature and login key.
    #[serde(with = "serde_bytes")]
    pub(crate) device_seed: [u8; 32],
    /// See `device_seed`.
    #[serde(with = "serde_bytes")]
    pub(crate) mls_seed: [u8; 32],
    /// See `device_seed`.
    #[serde(with = "serde_bytes")]
    pub(crate) login_seed: [u8; 32],
    /// Entropy of the 24 recovery words; gone once the person has saved them.
    #[serde(with = "serde_bytes")]
    pub(crate) recovery_entropy: Option<[u8; 32]>,
    /// Seeds of mailbox keys that the server has or had, newest first.
    pub(crate) mailbox_seeds: Vec<ByteArray<32>>,
    /// Seed of the next one, until the server's yes.
    #[serde(default)]
    pub(crate) mailbox_next: Option<ByteArray<32>>,
    /// When this device was made, milliseconds.
    pub(crate) made_at: u64,
    /// What this device is called here.
    pub(crate) device_name: String,
    /// The `Register` request, protobuf, until the server said yes.
    #[serde(with = "serde_bytes")]
    pub(crate) registering: Option<Vec<u8>>,
    /// The server's id, pinned at registration.
    pub(crate) deployment: Option<DeploymentId>,
    /// Version of the newest own list.
    pub(crate) list_version: u32,
}

/// What we know of an account, our own included.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Contact {
    /// The newest answer that verified, protobuf `LookupAnswer`.
    #[serde(with = "serde_bytes")]
    pub(crate) lookup: Vec<u8>,
    /// Verified handle, or empty.
    pub(crate) handle: String,
    /// The name they gave themselves, or empty.
    #[serde(default)]
    pub(crate) name: String,
    /// They said that a program speaks for them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) bot: bool,
    /// We accepted them or wrote first.
    #[serde(default)]
    pub(crate) accepted: bool,
    /// We blocked them.
    #[serde(default)]
    pub(crate) blocked: bool,
    /// How far their lists, and their handle, are logged.
    #[serde(default, skip_serializing_if = "LoggedUpTo::is_nothing")]
    pub(crate) logged: LoggedUpTo,
}

impl Contact {
    /// The handle that leads to this account and to no other, if a person accepted it.
    pub(crate) fn bound_to(&self) -> Option<&str> {
        Some(self.handle.as_str()).filter(|handle| self.accepted && !handle.is_empty())
    }
}

/// Two signed lists of an account that do not fit: of one version, whoever holds both can show that its history was
/// forked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fork {
    /// The first version at which they differ; none if the server only showed less than before.
    pub(crate) version: Option<u64>,
    /// The list that was seen first, protobuf `SignedList`.
    #[serde(with = "serde_bytes")]
    pub(crate) seen: Vec<u8>,
    /// The one shown later, protobuf `SignedList`.
    #[serde(with = "serde_bytes")]
    pub(crate) shown: Vec<u8>,
    /// When it was shown, milliseconds.
    pub(crate) at: u64,
}

/// A key package of ours that no room has yet, or the last-resort one. Everybody who takes it sees its token.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Offer {
    /// The TLS-encoded MLS message.
    #[serde(with = "serde_bytes")]
    pub(crate) package: Vec<u8>,
    /// Somebody we blocked or declined has its token.
    pub(crate) unwanted: bool,
    /// Since when the server hands it out no more, milliseconds.
    pub(crate) replaced_at: Option<u64>,
    /// Handed out once; else the last-resort one.
    #[serde(default)]
    pub(crate) single_use: bool,
    /// When it was made, milliseconds.
    #[serde(default)]
    pub(crate) made_at: u64,
}

/// What a person sees as one chat.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Conversation {
    /// Row number.
    pub(crate) id: ConversationId,
    /// Same on every device.
    #[serde(with = "serde_bytes")]
    pub(crate) reference: [u8; 16],
    /// Direct or group.
    pub(crate) kind: Kind,
    /// The other account of a direct chat; whoever made a group.
    pub(crate) other: AccountId,
    /// A group's title.
    pub(crate) title: String,
    /// Where it stands.
    pub(crate) status: Status,
    /// Its rooms, oldest first.
    pub(crate) rooms: Vec<RoomId>,
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
    /// It was said here that we are a bot.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) bot_sent: bool,
    /// When this device first had it, milliseconds.
    pub(crate) made_at: u64,
    /// Where it stood when its person was blocked.
    #[serde(default)]
    pub(crate) blocked_from: Option<Status>,
    /// It is a request to come back to a group that we left, and this was its last row then, or 0.
    #[serde(default)]
    pub(crate) returning: Option<MessageId>,
    /// When messages disappear, if anybody ever said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) timer: Option<Timer>,
    /// Pinned messages, newest pin last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) pinned: Vec<MessageId>,
    /// The newest unread message that names us.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) mention: Option<MessageId>,
    /// Where its person put it in the list.
    #[serde(default, skip_serializing_if = "is_nowhere")]
    pub(crate) place: Place,
    /// It is the chat with oneself, and shown.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) saved: bool,
}

fn is_nowhere(place: &Place) -> bool {
    *place == Place::default()
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
    /// It came from another messenger, on this device alone.
    Imported,
}

/// One MLS group at the server.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Room {
    /// MLS group id.
    pub(crate) room: RoomId,
    /// Its conversation.
    pub(crate) conversation: ConversationId,
    /// Our delivery token in it.
    pub(crate) token: Token,
    /// The server knows our token.
    pub(crate) token_known: bool,
    /// The server knows the room.
    pub(crate) founded: bool,
    /// We sent something in it that a person sees.
    pub(crate) i_sent: bool,
    /// Somebody else did.
    pub(crate) they_sent: bool,
    /// When we last updated our leaf, milliseconds.
    pub(crate) updated_at: u64,
    /// Why it does not go on, if it does not. Kept when a successor takes over.
    pub(crate) stuck: Option<Stuck>,
    /// We are out of it: nothing is sent or opened any more.
    pub(crate) closed: bool,
    /// What it is, for good.
    #[serde(default)]
    pub(crate) nature: Option<Nature>,
    /// The last epoch we were in, once it is closed.
    #[serde(default)]
    pub(crate) last_epoch: u64,
    /// The last epoch that brought a device into it, or ours.
    #[serde(default, skip_serializing_if = "is_none_yet")]
    pub(crate) grown_at: u64,
    /// Who led it then, of a group: they alone can bring us back.
    #[serde(default)]
    pub(crate) led_by: Vec<AccountId>,
    /// Who could write in it since which epoch, oldest first; none before the first.
    #[serde(default)]
    pub(crate) conducts: Vec<Conducted>,
}

/// Who could write in a group from an epoch on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Conducted {
    /// The first epoch.
    pub(crate) since: u64,
    /// Only who leads it.
    pub(crate) announcements: bool,
    /// Seconds between two messages of anybody else.
    pub(crate) slow: u32,
    /// Who led it.
    pub(crate) led_by: Vec<AccountId>,
}

/// What never changes about a room. Kept when its keys are gone: whoever knows a room's id could otherwise found
/// another room under it and inherit its chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Nature {
    /// A group, and not a room of one or two accounts.
    pub(crate) group: bool,
    /// Who founded it.
    pub(crate) creator: AccountId,
    /// What it is the successor of: room, epoch and commit.
    pub(crate) origin: Option<(RoomId, u64, CommitId)>,
}

impl Nature {
    /// What a GroupContext says.
    pub(crate) fn of(context: &RoomContext) -> Self {
        Self {
            group: context.kind == RoomKind::Group,
            creator: context.creator,
            origin: context.successor_of.map(|old| (old.room, old.epoch, old.commit)),
        }
    }
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
    pub(crate) commit: CommitId,
    /// Accounts a successor room holds, ours included, sorted: the members of the last good epoch, in a group
    /// without the signer's account.
    pub(crate) members: Vec<AccountId>,
    /// The room's title then.
    #[serde(default)]
    pub(crate) title: String,
    /// What else the room was then, roles written out and settled among these members.
    #[serde(default)]
    pub(crate) more: BTreeMap<u32, ByteBuf>,
    /// The first owner by leaf among these members: whose successor comes first.
    #[serde(default)]
    pub(crate) lead: Option<AccountId>,
    /// What was wrong with it.
    pub(crate) cause: Cause,
}

/// What was wrong with a commit that burnt its epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Cause {
    /// MLS refuses it.
    Mls,
    /// Its header names another roster, key or committer than the epoch it makes.
    Header,
    /// The gate refuses it.
    Gate(Reason),
    /// It carries out a proposal that never reached the members.
    UnseenProposal,
    /// A leaf of it names a list that its owner's chain does not reach.
    UnknownList,
}

impl Room {
    /// Whether it is a group's.
    pub(crate) fn is_group(&self) -> bool {
        self.nature.is_some_and(|nature| nature.group)
    }

    /// Whether the head's commit is one we refuse.
    pub(crate) fn is_burnt(&self) -> bool {
        self.stuck.as_ref().is_some_and(|stuck| stuck.burnt.is_some())
    }
}

/// A change of a room that we want; done by a commit of ours, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Intent {
    /// Add these, as far as they are not there.
    Add(Vec<Who>),
    /// Remove these leaves.
    Remove(Who),
    /// Give the group a title.
    Rename(String),
    /// A fresh leaf of our own, and whatever proposals wait.
    Update,
    /// Remove this account's devices that its own list names no more. A chat of two gets those it names instead.
    Prune(AccountId),
    /// Remove a stuck device and add it again.
    Readd(Who),
    /// Make somebody an owner (2), an admin (1) or neither (0).
    Role(AccountId, u8),
    /// Take somebody out for good, or let them be added again.
    Ban(AccountId, bool),
    /// Whether only who leads the group writes, and how many seconds others leave between two messages.
    Conduct(bool, u32),
    /// A link of ours by its id, and whether we decide about each who asks by it; or no link of ours any more.
    Link(Option<([u8; 16], bool)>),
}

impl Intent {
    /// Whose devices it may bring in.
    pub(crate) fn adds(self) -> Vec<AccountId> {
        match self {
            Self::Add(wanted) => wanted.into_iter().map(|who| who.account).collect(),
            Self::Readd(who) => vec![who.account],
            Self::Prune(account) => vec![account],
            Self::Remove(_)
            | Self::Rename(_)
            | Self::Update
            | Self::Role(..)
            | Self::Ban(..)
            | Self::Conduct(..)
            | Self::Link(_) => Vec::new(),
        }
    }
}

/// All devices of an account, or one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Who {
    /// The account.
    pub(crate) account: AccountId,
    /// One device alone.
    #[serde(default)]
    pub(crate) device: Option<DeviceId>,
}

impl From<AccountId> for Who {
    fn from(account: AccountId) -> Self {
        Self { account, device: None }
    }
}

/// Our commit, on disk before it is sent and until the server answered.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Submission {
    /// Protobuf `Commit`.
    #[serde(with = "serde_bytes")]
    pub(crate) commit: Vec<u8>,
    /// Its id.
    pub(crate) id: CommitId,
    /// Keys of the intents it carries out.
    pub(crate) intents: Vec<ByteBuf>,
    /// What to say in the chat once it is done.
    pub(crate) lines: Vec<Line>,
}

/// A message row.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Message {
    /// Row number.
    pub(crate) id: MessageId,
    /// Which conversation.
    pub(crate) conversation: ConversationId,
    /// MIMI message id; none for lines of the app, and before it is known in which room a message goes.
    pub(crate) reference: Option<Reference>,
    /// Sender; `None` for lines of the app.
    pub(crate) from: Option<AccountId>,
    /// What it is.
    pub(crate) content: Stored,
    /// When its sender says, milliseconds; what the report signature covers.
    pub(crate) sent_at: u64,
    /// When this device had it, milliseconds.
    pub(crate) received_at: u64,
    /// State of one's own message.
    pub(crate) state: Option<State>,
    /// What attributes it to its sender's device, on the day somebody reports it.
    #[serde(default)]
    pub(crate) report: Option<Report>,
    /// When the server said yes, milliseconds.
    #[serde(default)]
    pub(crate) accepted_at: Option<u64>,
    /// Accounts at least one device of which has it.
    #[serde(default)]
    pub(crate) delivered_to: Vec<AccountId>,
    /// Accounts it was sealed for, without ours.
    #[serde(default)]
    pub(crate) sent_to: Vec<AccountId>,
    /// Frames that the server took for it, of one's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) frames: Vec<Frame>,
    /// How often it was sent again because somebody asked.
    #[serde(default, skip_serializing_if = "is_never")]
    pub(crate) sent_again: u8,
    /// What was said about it later.
    #[serde(default, skip_serializing_if = "Marks::is_none")]
    pub(crate) marks: Marks,
}

fn is_never(times: &u8) -> bool {
    *times == 0
}

fn is_none_yet(epoch: &u64) -> bool {
    *epoch == 0
}

/// A frame on its way to the others, as they can name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Frame {
    /// The first half of its SHA-256.
    #[serde(with = "serde_bytes")]
    pub(crate) hash: [u8; 16],
    /// The epoch it was sealed in.
    pub(crate) epoch: u64,
}

/// What was said about a message later, and what became of it here: the same on every device, in whatever order it came
/// (`docs/book/protocol.md`, 7).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Marks {
    /// The newest edit.
    pub(crate) edit: Option<Edit>,
    /// Its sender deleted it for everyone.
    pub(crate) deletion: Option<Deletion>,
    /// The newest of each account.
    pub(crate) reactions: Vec<Reaction>,
    /// The newest word about whether it is pinned.
    pub(crate) pin: Option<Pin>,
    /// Accounts that say they read it, of one's own.
    pub(crate) read_by: Vec<AccountId>,
    /// When it disappears here, milliseconds: known once it was read, or sent.
    pub(crate) ends_at: Option<u64>,
    /// It was shown once, and what it said is gone.
    pub(crate) opened: bool,
}

impl Marks {
    /// Nothing was said about it.
    pub(crate) fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// A text in place of another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Edit {
    /// Encoded mimiContent.
    #[serde(with = "serde_bytes")]
    pub(crate) content: Vec<u8>,
    /// When its sender says, milliseconds.
    pub(crate) sent_at: u64,
    /// Its MIMI id; none before it is sealed.
    pub(crate) reference: Option<Reference>,
    /// What attributes it.
    pub(crate) report: Option<Report>,
    /// Of one's own.
    pub(crate) state: Option<State>,
}

/// A deletion for everyone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Deletion {
    /// When its sender says, milliseconds.
    pub(crate) sent_at: u64,
    /// Of one's own.
    pub(crate) state: Option<State>,
    /// Devices that have not said that they carried it out; of one's own.
    pub(crate) lacking: Vec<DeviceId>,
}

/// A reaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reaction {
    /// Whose.
    pub(crate) by: AccountId,
    /// One emoji; empty: none any more.
    pub(crate) emoji: String,
    /// When its sender says, milliseconds.
    pub(crate) sent_at: u64,
    /// Its MIMI id; none before it is sealed.
    pub(crate) reference: Option<Reference>,
}

/// Whether a message is pinned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pin {
    /// It is.
    pub(crate) on: bool,
    /// Since when, milliseconds.
    pub(crate) at: u64,
    /// The MIMI id of what says so; none before it is sealed.
    pub(crate) reference: Option<Reference>,
}

/// When messages of a chat disappear.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Timer {
    /// Seconds after reading; 0: they stay.
    pub(crate) seconds: u32,
    /// Since when, milliseconds.
    pub(crate) at: u64,
    /// The MIMI id of what says so; none before it is sealed.
    pub(crate) reference: Option<Reference>,
}

/// `y/<conversation><message id><n>`: something about a message that is not here yet.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Early {
    /// Who said it.
    pub(crate) from: AccountId,
    /// Its MIMI id.
    pub(crate) reference: Reference,
    /// When its sender says, milliseconds.
    pub(crate) sent_at: u64,
    /// When it came, milliseconds.
    pub(crate) received_at: u64,
    /// What attributes it.
    pub(crate) report: Option<Report>,
    /// Encoded mimiContent.
    #[serde(with = "serde_bytes")]
    pub(crate) content: Vec<u8>,
}

/// A message deleted for me.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Deleted {
    /// When, milliseconds.
    pub(crate) at: u64,
    /// As it was.
    pub(crate) message: Message,
}

/// What a message row holds.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) enum Stored {
    /// Encoded mimiContent, whatever this version makes of it: salt, reply and extensions stay as they came.
    Content(#[serde(with = "serde_bytes")] Vec<u8>),
    /// A payload of a later version, as it was sealed.
    Payload(#[serde(with = "serde_bytes")] Vec<u8>),
    /// Nothing any more: deleted for everyone, or shown once.
    Gone,
    /// A line of the app.
    Line(Line),
    /// What a file of another messenger says that somebody said.
    Imported(Imported),
}

/// What a file of another messenger says that somebody said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Imported {
    /// What the person is told by: no account that there is.
    pub(crate) person: AccountId,
    /// What the file calls them.
    pub(crate) name: String,
    /// It was oneself.
    pub(crate) mine: bool,
    /// As `view::rich` reads it.
    pub(crate) text: String,
    /// Somebody else wrote it first.
    #[serde(default)]
    pub(crate) forwarded: bool,
    /// It was changed.
    #[serde(default)]
    pub(crate) edited: bool,
    /// What it answers.
    #[serde(default)]
    pub(crate) reply: Option<Reference>,
    /// Files it had.
    #[serde(default)]
    pub(crate) files: u32,
}

/// A neutral line of the app. Accounts, so that names are those of the day one looks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Line {
    /// The group was made.
    GroupCreated {
        /// By whom.
        by: AccountId,
    },
    /// Somebody was added.
    Added {
        /// By whom.
        by: AccountId,
        /// Who.
        who: AccountId,
    },
    /// Somebody was removed.
    Removed {
        /// By whom.
        by: AccountId,
        /// Who.
        who: AccountId,
    },
    /// Somebody left.
    Left {
        /// Who.
        who: AccountId,
    },
    /// The title changed.
    Renamed {
        /// By whom.
        by: AccountId,
        /// The new title.
        title: String,
    },
    /// Somebody became owner (2), admin (1) or neither (0).
    Role {
        /// By whom.
        by: AccountId,
        /// Who.
        who: AccountId,
        /// See above.
        role: u8,
    },
    /// Somebody may not come in again, or may.
    Banned {
        /// By whom.
        by: AccountId,
        /// Who.
        who: AccountId,
        /// Banned from now on.
        on: bool,
    },
    /// Only who leads the group writes from now on, or everybody.
    Announcements {
        /// By whom.
        by: AccountId,
        /// Only who leads it.
        on: bool,
    },
    /// There is a link to the group, or no more.
    Link {
        /// Who made or ended it.
        by: AccountId,
        /// There is.
        on: bool,
    },
    /// We asked whoever this chat is with to let us into a group.
    AskedToJoin,
    /// Members leave a pause between two messages from now on.
    Slow {
        /// By whom.
        by: AccountId,
        /// Seconds; 0: none.
        seconds: u32,
    },
    /// A person's device was added.
    DeviceAdded {
        /// Whose.
        who: AccountId,
    },
    /// A person's recovery words added a device.
    DeviceAddedByWords {
        /// Whose.
        who: AccountId,
    },
    /// The directory proves that the person's handle is another account's now.
    HandleMoved {
        /// The handle.
        handle: String,
    },
    /// The group went on in a new room.
    Successor,
    /// This device was away from the group and comes back: what was sent meanwhile never reaches it.
    MayBeMissing,
    /// This device's disk was an old copy.
    PutBack,
    /// Messages came when their keys were gone; who wrote them sends them again.
    AskedAgain {
        /// Who.
        from: AccountId,
        /// So many.
        count: u32,
        /// So many are not here yet.
        left: u32,
    },
    /// The same, and they cannot be sent again.
    NotRead {
        /// Who wrote them.
        from: AccountId,
        /// So many.
        count: u32,
    },
    /// This device was away for longer than a mailbox keeps what came.
    Away {
        /// So long.
        days: u32,
    },
    /// Messages disappear from now on, or no longer do.
    Timer {
        /// Who set it.
        by: AccountId,
        /// Seconds after reading.
        seconds: u32,
    },
    /// A message was pinned.
    Pinned {
        /// By whom.
        by: AccountId,
    },
}

/// What the report signature of a received message binds it to, and whose it is. With the content and
/// `sent_at` of the row it can be verified by anyone who holds the account's lists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Report {
    /// The room.
    pub(crate) room: RoomId,
    /// The epoch it was sealed in.
    pub(crate) epoch: u64,
    /// The sender's leaf.
    pub(crate) leaf: u32,
    /// The sender's device.
    pub(crate) device: DeviceId,
    /// The version of the account's list that names it.
    pub(crate) list_version: u32,
    /// The device key's signature.
    #[serde(with = "serde_bytes")]
    pub(crate) signature: [u8; 64],
}

/// State of one's own message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum State {
    /// On disk.
    Waiting,
    /// Durable at the server.
    Sent,
    /// On a device of every other member.
    Delivered,
    /// Everybody says that they read it.
    Read,
    /// Kept here.
    NotSent(NotSent),
}

/// Why a message was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NotSent {
    /// What kind of reason.
    pub(crate) why: WhyNotSent,
    /// The refusal's number, or 0.
    pub(crate) code: u32,
}

/// Kinds of reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum WhyNotSent {
    /// The server was not reached for too long.
    Offline,
    /// The server is full or at fault.
    Server,
    /// The server's version and this one's do not fit.
    Version,
    /// Too long, or too many members.
    Size,
    /// The person's account no longer exists, or has no device to send to.
    AccountGone,
    /// A device is not in its owner's signed list.
    UnknownDevice,
    /// One is no longer in this room.
    NotAMember,
    /// Only who leads the group writes there.
    NotAllowed,
    /// One blocked this person.
    Blocked,
    /// The server has no room for files.
    FilesFull,
    /// The file cannot be read.
    Disk,
    /// A fault of this app.
    Internal,
}

/// Something to send in a conversation.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Outgoing {
    /// The message row, if it is one a person sees.
    pub(crate) message: Option<MessageId>,
    /// Encoded mimiContent.
    #[serde(with = "serde_bytes")]
    pub(crate) content: Vec<u8>,
    /// When its sender says it was sent, milliseconds.
    pub(crate) sent_at: u64,
    /// When we first tried, milliseconds.
    pub(crate) first_try: u64,
    /// Only in this room (receipts, calls for help); else in the room the conversation uses.
    pub(crate) room: Option<RoomId>,
    /// Sealed, perhaps sent, not answered: the same bytes go again until a definite answer.
    pub(crate) sealed: Option<Sealed>,
    /// This is our leaving: a proposal, not content.
    #[serde(default)]
    pub(crate) leave: bool,
    /// The message row that it is about, without being it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) about: Option<MessageId>,
}

impl Outgoing {
    /// A content to send where the conversation is.
    pub(crate) fn of(content: Vec<u8>, now: u64) -> Self {
        Self {
            message: None,
            content,
            sent_at: now,
            first_try: now,
            room: None,
            sealed: None,
            leave: false,
            about: None,
        }
    }
}

/// Where this device is called; no endpoint: nowhere, which the server still has to be told.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Called {
    /// Push resource.
    pub(crate) endpoint: String,
    /// What calls are sealed to.
    #[serde(with = "serde_bytes")]
    pub(crate) key: Vec<u8>,
    /// Beside it.
    #[serde(with = "serde_bytes")]
    pub(crate) auth: Vec<u8>,
    /// When the server said yes to it, milliseconds; 0: it has not.
    pub(crate) told_at: u64,
}

// Whoever has it can have somebody called: not for a log.
impl std::fmt::Debug for Called {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Called(..)")
    }
}

impl Called {
    /// Whether it is the same place.
    pub(crate) fn is_at(&self, other: &Self) -> bool {
        (&self.endpoint, &self.key, &self.auth) == (&other.endpoint, &other.key, &other.auth)
    }
}

/// A sealed frame on its way.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Sealed {
    /// In which room.
    pub(crate) room: RoomId,
    /// Protobuf `Send`.
    #[serde(with = "serde_bytes")]
    pub(crate) send: Vec<u8>,
}
