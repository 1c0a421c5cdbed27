// SPDX-License-Identifier: AGPL-3.0-or-later
//! Who leads a group, who may not come in, who may write how often.

use serde::{Deserialize, Serialize};

use crate::model::{ConversationId, Person};

/// What an interface may ask about who may do what in a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Makes a member owner, admin or neither. Owners do that, and everybody steps down. Answer: `Done` once it is written
    /// down here; the members' list says when it is so.
    SetRole {
        /// Which group.
        conversation: ConversationId,
        /// Whose.
        handle: String,
        /// The new one.
        role: Role,
    },
    /// Takes somebody out and lets nobody add them again, or ends that. Answer: `Done`, as above.
    Ban {
        /// Which group.
        conversation: ConversationId,
        /// Whom.
        handle: String,
        /// Banned.
        on: bool,
    },
    /// Makes an invite link of one's own instead of the one before, or ends it. Answer: `Done`, as above.
    SetLink {
        /// Which group.
        conversation: ConversationId,
        /// Whether one decides about each who asks; nothing: no link any more.
        approval: Option<bool>,
    },
    /// Lets somebody in who asks by one's link, or not. Answer: `Done`, as above.
    Answer {
        /// Which group.
        conversation: ConversationId,
        /// Whom.
        handle: String,
        /// They come in.
        on: bool,
    },
    /// Asks to be let into a group. Answer: `Conversation`, the group if one is in it, else the chat with who made the link.
    Join {
        /// A link of a group: `#@handle/...`, with or without the server's address.
        link: String,
    },
    /// Who may write, and how often. Answer: `Done`, as above.
    SetConduct {
        /// Which group.
        conversation: ConversationId,
        /// Only admins and owners write.
        announcements: bool,
        /// Seconds between two messages of anybody else, at most a day; 0: as often as they like.
        slow: u32,
    },
}

/// What somebody may do in a group. Each includes the ones before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads and writes.
    #[default]
    Member,
    /// Adds and removes members, bans, and says who may write.
    Admin,
    /// Also makes admins and owners.
    Owner,
}

impl Role {
    /// As scripts write and read it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }
}

/// An invite link to a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupLink {
    /// To copy. What follows the `#` reaches no server.
    pub link: String,
    /// Who made it decides about each who asks.
    pub approval: bool,
}

/// What a group says of its people.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charter {
    /// What oneself may do.
    pub role: Role,
    /// Only admins and owners write.
    pub announcements: bool,
    /// Seconds between two messages of a member; 0: as often as they like.
    pub slow: u32,
    /// Who may not come in.
    pub banned: Vec<Person>,
    /// One's own invite link, on the device that made it.
    pub link: Option<GroupLink>,
    /// Who asks to come in by it.
    pub asking: Vec<Person>,
    /// Devices of others that wrote since the last change of the room, each with proof that they see the same room.
    pub same: u32,
    /// Devices of others in the room.
    pub others: u32,
}
