// SPDX-License-Identifier: AGPL-3.0-or-later
//! What the engine tells an interface unasked. An interface that missed some reads the rows again.

use serde::{Deserialize, Serialize};

use crate::model::{
    ConversationId, ConversationRow, LedgerState, MessageId, MessageRow, Person, Problem,
};
use crate::{device, file, list};

/// Something changed, and is on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The connection changed.
    Connection {
        /// What it is now.
        state: Connection,
    },
    /// A chat's row is new or changed (title, last line, unread, draft, order).
    Conversation {
        /// The whole row.
        row: ConversationRow,
    },
    /// A chat left the list (declined, blocked, deleted).
    ConversationGone {
        /// Which.
        conversation: ConversationId,
    },
    /// The number of requests changed.
    Requests {
        /// How many wait.
        count: u32,
    },
    /// A message is new or changed (arrived, state, sent).
    Message {
        /// The whole row.
        row: MessageRow,
        /// True for an arrival, false for a change of a row already told.
        new: bool,
    },
    /// A message is no longer shown.
    MessageGone {
        /// Which conversation.
        conversation: ConversationId,
        /// Which message.
        message: MessageId,
    },
    /// Somebody wants attention: show a notification unless the chat is being looked at.
    Notify {
        /// Which conversation.
        conversation: ConversationId,
        /// The person or group.
        title: String,
        /// The text; shown only if the settings say so.
        text: String,
    },
    /// Who types in a chat changed.
    Typing {
        /// Which conversation.
        conversation: ConversationId,
        /// Everybody who types there now.
        people: Vec<Person>,
    },
    /// One's folders changed on another device.
    Folders {
        /// All of them.
        folders: Vec<list::Folder>,
    },
    /// The count for the title and badge.
    Unread {
        /// Chats with unread messages, muted ones and requests not counted.
        chats: u32,
    },
    /// The clock differs from the server's by more than 5 minutes.
    ClockWrong {
        /// Server minus here, seconds.
        seconds: i64,
    },
    /// A server answers at this address, and it is of another version (`Version`) or not the one the account is at
    /// (`Forged`), or it does nothing about rooms now for want of tokens (`OutOfTokens`). Nothing is sent to it; the connection stays as it was told.
    ServerUnfit {
        /// What is wrong.
        problem: Problem,
    },
    /// What is known of the public log changed for a person: its freshness, or proof of tampering.
    Ledger {
        /// As it is now.
        state: LedgerState,
    },
    /// Of one's own devices and account.
    Device {
        /// What happened.
        what: device::Event,
    },
    /// Of files.
    File {
        /// What happened.
        what: file::Event,
    },
    /// The disk is full or failed: what is kept is kept, nothing new is.
    DiskTrouble,
}

/// The connection, as a person understands it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Connection {
    /// First attempt, or reconnecting.
    Connecting,
    /// Both connections stand.
    Online,
    /// No connection. Messages wait.
    Offline,
}
