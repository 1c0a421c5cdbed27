// SPDX-License-Identifier: AGPL-3.0-or-later
//! The list of chats as its person arranges it: pinned, archived, muted, marked as unread, in folders. The account's own
//! devices agree on it; nobody else hears of it.

use serde::{Deserialize, Serialize};

use crate::model::{ConversationId, ConversationRow, Milliseconds};

/// What an interface may ask about the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Keeps a chat at the top of the list, or lets it go. Answer: `Conversation`.
    Pin {
        /// Which conversation.
        conversation: ConversationId,
        /// Pinned.
        on: bool,
    },
    /// Puts a chat away, or brings it back. A new message brings it back as well, unless it is muted. Answer: `Conversation`.
    Archive {
        /// Which conversation.
        conversation: ConversationId,
        /// Put away.
        on: bool,
    },
    /// Has a chat tell nothing until then; 0 ends it. In groups one is told all the same when one is named. Answer:
    /// `Conversation`.
    Mute {
        /// Which conversation.
        conversation: ConversationId,
        /// When it ends; [`ALWAYS`] is never.
        until: Milliseconds,
    },
    /// Marks a chat as unread, or takes that back. Reading it takes it back as well. Answer: `Conversation`.
    Mark {
        /// Which conversation.
        conversation: ConversationId,
        /// Unread.
        on: bool,
    },
    /// One's folders, in their order. Answer: `Folders`.
    Folders,
    /// Makes a folder (with an empty id), or changes one. Answer: `Folders`.
    SetFolder {
        /// As it shall be.
        folder: Folder,
    },
    /// Removes a folder, and no chat in it. Answer: `Folders`.
    RemoveFolder {
        /// Its id.
        id: String,
    },
    /// The chat with oneself, for what one wants to keep. Answer: `Conversation`.
    Saved,
}

/// Muted until this is muted for good.
pub const ALWAYS: Milliseconds = Milliseconds(u64::MAX);

/// Where a chat stands in the list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Place {
    /// Since when it is pinned; the newest pin is first.
    pub pinned_at: Option<Milliseconds>,
    /// Put away.
    pub archived: bool,
    /// Tells nothing until then; 0: it is not muted.
    pub muted_until: Milliseconds,
    /// Its person marked it as unread.
    pub marked: bool,
}

impl Place {
    /// Whether the chat tells nothing now.
    #[must_use]
    pub fn is_muted(&self, now: Milliseconds) -> bool {
        self.muted_until > now
    }
}

/// What orders the list, largest first: pinned chats by their pins, the others by what came last, what is put away at the end.
#[must_use]
pub fn order(row: &ConversationRow) -> (bool, bool, Milliseconds, ConversationId) {
    let Place { pinned_at, archived, .. } = row.place;
    (!archived, pinned_at.is_some(), pinned_at.unwrap_or(row.sorted_at), row.id)
}

/// Chats under a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Folder {
    /// Hexadecimal, the same on every device; empty for a new one.
    pub id: String,
    /// 1 to 30 characters.
    pub name: String,
    /// Its place among the folders, the smallest first.
    pub order: u32,
    /// Its chats, in no order; at most 400.
    pub conversations: Vec<ConversationId>,
}
