// SPDX-License-Identifier: AGPL-3.0-or-later
//! What one does with messages beside sending text, and what a row shows of it.

use serde::{Deserialize, Serialize};

use crate::model::{Content, ConversationId, From, MessageId, Milliseconds, Person};

/// What an interface may ask about messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Sends a text as the answer to a message. Answer: `Sent`.
    Reply {
        /// The message answered, in whose conversation it goes.
        to: MessageId,
        /// At most 64 KiB.
        text: String,
    },
    /// Sends a text that is shown once. Answer: `Sent`.
    SendOnce {
        /// Which conversation.
        conversation: ConversationId,
        /// At most 64 KiB.
        text: String,
    },
    /// Puts another text in place of one's own, for everyone; within 48 hours. Answer: `Done`.
    Edit {
        /// One's own message.
        message: MessageId,
        /// At most 64 KiB.
        text: String,
    },
    /// Deletes one's own message here, and asks all devices of the chat to do the same. Answer: `Done`.
    DeleteForEveryone {
        /// One's own message.
        message: MessageId,
    },
    /// Reacts to a message with one emoji, in place of the reaction before; with none, takes it back. Answer: `Done`.
    React {
        /// Which message.
        message: MessageId,
        /// One emoji, or nothing.
        emoji: String,
    },
    /// Pins a message for all of the chat, or takes that back. Answer: `Done`.
    Pin {
        /// Which message.
        message: MessageId,
        /// Pinned.
        on: bool,
    },
    /// The pinned messages of a chat, newest pin first. Answer: `Messages`.
    Pinned {
        /// Which conversation.
        conversation: ConversationId,
    },
    /// Sends a message's text on, marked as forwarded, without a word of whose it was. Answer: `Sent`.
    Forward {
        /// Which message.
        message: MessageId,
        /// Where to.
        to: ConversationId,
    },
    /// Has messages of a chat disappear so long after they are read, from now on; 0 ends it. Answer: `Done`.
    Timer {
        /// Which conversation.
        conversation: ConversationId,
        /// Seconds, at most a year.
        seconds: u32,
    },
    /// Finds a message by its id or the first digits of that. Answer: `Message`.
    Find {
        /// Hexadecimal, 8 digits or more.
        reference: String,
    },
    /// Shows a message that is shown once; afterwards it is gone. Answer: `Message`, with its content.
    Open {
        /// Which message.
        message: MessageId,
    },
}

/// What a row shows beside its content.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Marks {
    /// What it answers.
    pub reply: Option<Quote>,
    /// Its sender changed it.
    pub edited: bool,
    /// Somebody else wrote it first.
    pub forwarded: bool,
    /// Pinned in this chat.
    pub pinned: bool,
    /// Reactions, the most frequent first.
    pub reactions: Vec<Reaction>,
    /// It will disappear.
    pub disappears: Option<Disappears>,
    /// One's own, deleted for everyone: how far that is.
    pub deleting: Option<Deleting>,
    /// It names us.
    pub mentions_me: bool,
}

/// The message that another one answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    /// Its row; none if it is not here.
    pub message: Option<MessageId>,
    /// Its id, hexadecimal.
    pub reference: String,
    /// Who wrote it; none if it is not here.
    pub from: Option<From>,
    /// What it says, of a text the first 200 characters as one line.
    pub content: Option<Content>,
}

/// One emoji under a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reaction {
    /// The emoji.
    pub emoji: String,
    /// Who reacted with it, oneself not among them.
    pub people: Vec<Person>,
    /// Oneself did.
    pub mine: bool,
}

impl Reaction {
    /// How many people reacted with it.
    #[must_use]
    pub fn count(&self) -> usize {
        self.people.len() + usize::from(self.mine)
    }
}

/// When a message disappears.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disappears {
    /// Seconds after it was read; 0 if a time was set.
    pub seconds: u32,
    /// When, once that is known.
    pub at: Option<Milliseconds>,
}

/// How far a deletion for everyone is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deleting {
    /// The server does not have it yet.
    pub pending: bool,
    /// After a day: devices that have not said that they deleted it.
    pub lacking: u32,
}

/// Somebody that a text names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mention {
    /// The account, hexadecimal, as the text has it.
    pub account: String,
    /// Who it is; none for oneself.
    pub person: Option<Person>,
}
