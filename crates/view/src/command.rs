// SPDX-License-Identifier: AGPL-3.0-or-later
//! What an interface may ask of the engine, and the answers.

use serde::{Deserialize, Serialize};

use crate::model::{
    Check, ConversationId, ConversationRow, DeviceRow, EvidenceFile, FoundPerson, GroupMember,
    LedgerState, MessageDetail, MessageId, MessagePage, Milliseconds, Problem, Profile, RequestRow,
    Settings, Sheet,
};
use crate::{device, file, group, list, message, past, push};

/// A command and the number its answer repeats.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// Chosen by the interface, unique while the answer is awaited.
    pub ask: u64,
    /// What to do.
    pub command: Command,
}

/// What an interface may ask. Commands that change something are on disk when they are answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Who am I here? Answer: `Profile`, or `Nothing` before an account exists.
    WhoAmI,
    /// Is a handle free? Answer: `HandleState`.
    CheckHandle {
        /// As typed.
        handle: String,
    },
    /// Creates the account. Answer: `Profile`.
    Register {
        /// As typed.
        handle: String,
        /// Invite or phone ticket, where the operator asks for one.
        ticket: String,
    },
    /// The list of chats, newest first, requests not included. Answer: `Conversations`.
    Conversations,
    /// Requests of people not yet accepted. Answer: `Requests`.
    Requests,
    /// Finds a person by exact handle. Answer: `Person`, or a problem of kind `NotFound`.
    Find {
        /// As typed, with or without `@`.
        handle: String,
    },
    /// Opens the chat with a handle, making the conversation row if there is none; nothing is sent. Answer: `Conversation`.
    OpenDirect {
        /// As typed.
        handle: String,
    },
    /// Messages around a place. Answer: `Messages`.
    Messages {
        /// Which conversation.
        conversation: ConversationId,
        /// Where.
        at: Place,
        /// At most so many (1 to 200).
        limit: u32,
    },
    /// What Info shows. Answer: `Message`.
    MessageInfo {
        /// Which message.
        message: MessageId,
    },
    /// Sends text. On disk, in order, before the answer, which is `Sent`.
    SendText {
        /// Which conversation.
        conversation: ConversationId,
        /// At most 64 KiB.
        text: String,
    },
    /// Tries a "not sent" message again. Answer: `Done`.
    Retry {
        /// Which message.
        message: MessageId,
    },
    /// Deletes on this device alone; `Undelete` within a minute brings it back. Answer: `Done`.
    DeleteForMe {
        /// Which message.
        message: MessageId,
    },
    /// Takes a `DeleteForMe` back. Answer: `Done`.
    Undelete {
        /// Which message.
        message: MessageId,
    },
    /// Everything up to here was seen. Answer: `Done`.
    MarkRead {
        /// Which conversation.
        conversation: ConversationId,
        /// Newest message seen.
        up_to: MessageId,
    },
    /// Keeps what stands in the composer. Empty text removes it. Answer: `Done`.
    SetDraft {
        /// Which conversation.
        conversation: ConversationId,
        /// What stands there.
        text: String,
    },
    /// Accepts a request. Answer: `Conversation`.
    Accept {
        /// The request's conversation.
        conversation: ConversationId,
    },
    /// Deletes a request; the sender is not told. Answer: `Done`.
    Decline {
        /// The request's conversation.
        conversation: ConversationId,
    },
    /// Blocks the other person of a direct conversation or request. Answer: `Conversation`.
    Block {
        /// Which conversation.
        conversation: ConversationId,
    },
    /// Takes a block back; whoever was not accepted before is not accepted by it. Answer: `Conversation`.
    Unblock {
        /// Which conversation.
        conversation: ConversationId,
    },
    /// The people blocked. Answer: `Conversations`.
    Blocked,
    /// Makes a group. Answer: `Conversation`.
    GroupCreate {
        /// 1 to 100 characters.
        title: String,
        /// Handles, as typed.
        members: Vec<String>,
    },
    /// Adds a person to a group one made. Answer: `Done`, when it is on disk; the line in the chat says when it happened.
    GroupAdd {
        /// Which group.
        conversation: ConversationId,
        /// As typed.
        handle: String,
    },
    /// Removes a person from a group one made. Answer: `Done`.
    GroupRemove {
        /// Which group.
        conversation: ConversationId,
        /// The handle as typed; the account, if no handle of theirs is known.
        handle: String,
    },
    /// Changes the title of a group one made. Answer: `Done`.
    GroupRename {
        /// Which group.
        conversation: ConversationId,
        /// 1 to 100 characters.
        title: String,
    },
    /// Leaves a group; what was received stays. Answer: `Done`.
    GroupLeave {
        /// Which group.
        conversation: ConversationId,
    },
    /// Who can read a group, from the MLS tree. Answer: `Members`.
    GroupMembers {
        /// Which group.
        conversation: ConversationId,
    },
    /// What the contact or group sheet shows. Answer: `Sheet`.
    Sheet {
        /// Which conversation.
        conversation: ConversationId,
    },
    /// Has the keys of a chat checked against the public log now, and waits for it. Answer: `Check`, as it then stands.
    Verify {
        /// Which conversation.
        conversation: ConversationId,
    },
    /// The 60 digits that two people compare in person, of a direct chat. Answer: `Digits`.
    Compare {
        /// Which conversation.
        conversation: ConversationId,
    },
    /// The person says that both screens show the same digits. Answer: `Done`; the sheet then says when.
    Compared {
        /// Which conversation.
        conversation: ConversationId,
    },
    /// What is known of the public log. Answer: `Ledger`.
    Ledger,
    /// The policy that is pinned here, as a C2SP tlog-policy. Answer: `LogPolicy`.
    LogPolicy,
    /// The evidence that this device keeps, oldest first. Answer: `Evidence`.
    Evidence,
    /// The person has read the proof of tampering: verified chats send again. Answer: `Ledger`.
    AnswerProof,
    /// One's own devices. Answer: `Devices`.
    Devices,
    /// Linking, removal, disputes, recovery. Answer: `Device`, or what the command says.
    Device {
        /// What to do.
        of: device::Command,
    },
    /// Replies, edits, reactions, pins, timers. Answer: what the command says.
    Message {
        /// What to do.
        of: message::Command,
    },
    /// Its person types in a chat, or stopped; while they type it is said with every key. Answer: `Done`.
    Typing {
        /// Which conversation.
        conversation: ConversationId,
        /// Typing.
        on: bool,
    },
    /// Pins, archive, mutes, folders, the chat with oneself. Answer: what the command says.
    List {
        /// What to do.
        of: list::Command,
    },
    /// Who may do what in a group. Answer: what the command says.
    Group {
        /// What to do.
        of: group::Command,
    },
    /// Files. Answer: what the command says.
    File {
        /// What to do.
        of: file::Command,
    },
    /// Search, backup, import. Answer: `Past`, or what the command says.
    Past {
        /// What to do.
        of: past::Command,
    },
    /// Being called while the app is closed. Answer: what the command says.
    Push {
        /// What to do.
        of: push::Command,
    },
    /// Waits until all that was asked since the engine started is done at the server. Answer: `Done`; a problem if
    /// there is no connection, or it takes too long: then it is on disk, and goes on with the next one.
    Finish,
    /// The 24 recovery words. Answer: `Words`; `Nothing` once they were erased here, or on a device that never had them.
    Words,
    /// Sets the name contacts see, encrypted, sent with the next message of each chat. Answer: `Profile`.
    SetName {
        /// At most 60 characters; empty removes it.
        name: String,
    },
    /// Says to everybody one talks with, and will talk with, that a program speaks for this account. For good. Answer: `Profile`.
    BecomeBot,
    /// Reads the settings kept on this device. Answer: `Settings`.
    Settings,
    /// Replaces them. Answer: `Settings`.
    SetSettings {
        /// The new ones.
        settings: Settings,
    },
    /// Whether the interface is visible and focused, and on which chat: decides what counts as seen and what notifies. Answer: `Done`.
    Looking {
        /// The open conversation, if the window is visible and focused.
        at: Option<ConversationId>,
    },
    /// Removes the account's keys and all messages from this device. Answer: `Done`; then the engine stops.
    Erase,
}

/// Where a page of messages begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// The newest.
    Newest,
    /// Around the first unread: two read ones above it.
    Unread,
    /// Older than this message.
    Before {
        /// Not included.
        message: MessageId,
    },
    /// Newer than this message.
    After {
        /// Not included.
        message: MessageId,
    },
    /// With this message in the middle.
    Around {
        /// Included.
        message: MessageId,
    },
    /// With the first message of a time or after it in the middle.
    At {
        /// When it came here.
        time: Milliseconds,
    },
}

/// The answer to one [`Ask`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// The number of the ask.
    pub ask: u64,
    /// What came of it.
    pub reply: Reply,
}

/// What came of a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// It is done and on disk.
    Done,
    /// There is none.
    Nothing,
    /// It did not happen, and nothing changed.
    Problem(Problem),
    /// One's own profile.
    Profile(Profile),
    /// Of `CheckHandle`.
    HandleState(HandleState),
    /// Chats, newest first.
    Conversations(Vec<ConversationRow>),
    /// Requests, newest first.
    Requests(Vec<RequestRow>),
    /// A person found.
    Person(FoundPerson),
    /// One conversation.
    Conversation(ConversationRow),
    /// A page of messages.
    Messages(MessagePage),
    /// Info of a message.
    Message(MessageDetail),
    /// The row of what was just sent.
    Sent(crate::model::MessageRow),
    /// Members, from the MLS tree.
    Members(Vec<GroupMember>),
    /// A contact or group sheet.
    Sheet(Sheet),
    /// How far the keys of a chat are checked.
    Check(Check),
    /// 60 digits without spaces, the same on both sides.
    Digits(String),
    /// The public log.
    Ledger(LedgerState),
    /// The pinned policy; nothing where no log is offered.
    LogPolicy(Option<String>),
    /// Evidence, oldest first.
    Evidence(Vec<EvidenceFile>),
    /// One's own devices.
    Devices(Vec<DeviceRow>),
    /// Of [`Command::Device`].
    Device(device::Reply),
    /// Of [`Command::File`].
    File(file::Reply),
    /// Of [`Command::Past`].
    Past(past::Reply),
    /// Of [`Command::Push`].
    Push(push::State),
    /// The 24 words, separated by one space.
    Words(String),
    /// Settings of this device.
    Settings(Settings),
    /// One's folders.
    Folders(Vec<list::Folder>),
}

/// Whether a handle can be had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HandleState {
    /// Nobody has it.
    Free,
    /// Somebody has it; three that look free.
    Taken {
        /// Suggestions, without `@`.
        suggestions: Vec<String>,
    },
    /// Not a handle.
    Malformed,
    /// The server was not reached.
    Unknown,
}
