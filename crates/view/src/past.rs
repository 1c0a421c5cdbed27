// SPDX-License-Identifier: AGPL-3.0-or-later
//! What was said: search, links and files of a chat. What an interface asks, and what it is told.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::model::{ConversationId, From, MessageId, Milliseconds};

/// What an interface may ask about the past.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Finds messages that have all words of a text, newest first; of each word the beginning is enough. Requests and
    /// blocked chats are not searched. Answer: `Hits`.
    Search {
        /// As typed.
        query: String,
        /// In this conversation alone.
        conversation: Option<ConversationId>,
        /// What the answer before said: older hits.
        before: Option<i64>,
        /// At most so many (1 to 200).
        limit: u32,
    },
    /// Messages of a conversation with links, or with files, newest first. Answer: `Hits`.
    Shared {
        /// Which conversation.
        conversation: ConversationId,
        /// What they have.
        kind: Kind,
        /// What the answer before said: older hits.
        before: Option<i64>,
        /// At most so many (1 to 200).
        limit: u32,
    },
    /// The secret that 24 words seal a backup with; empty words: those that are on this device still. Answer: `Key`, or a
    /// problem of kind `WrongWords`.
    BackupKey {
        /// As typed.
        words: String,
        /// To write one, they must be those of this account.
        writing: bool,
    },
    /// The piece of a backup at a place: none for the first. In clear, for whoever seals it. Answer: `Piece`.
    Backup {
        /// What the piece before said.
        at: Option<At>,
    },
    /// Takes in the next piece of a backup, whose file is known to be whole and unchanged. Answer: `Counted`, all pieces
    /// together; a problem of kind `OtherAccount` or `Version`: nothing changed.
    Restore {
        /// As `Backup` gave it.
        #[serde(with = "serde_bytes")]
        piece: Vec<u8>,
    },
    /// Takes in messages of another messenger. What is here already is left as it is. Answer: `Counted`, of these messages
    /// alone.
    Import {
        /// Which chat.
        chat: ImportedChat,
        /// Oldest first, at most 1,000.
        messages: Vec<Imported>,
    },
}

/// A place in a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct At {
    /// Row number of the chat, or of the next one.
    pub chat: u64,
    /// Messages before this one; none: the chat itself comes first.
    pub before: Option<u64>,
}

/// How much there was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// Chats.
    pub chats: u64,
    /// Messages that were not here before.
    pub messages: u64,
}

/// A chat of another messenger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportedChat {
    /// Which messenger: `telegram`.
    pub source: String,
    /// What it calls the chat, the same each time.
    pub id: String,
    /// What people call it.
    pub title: String,
}

/// A message of another messenger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imported {
    /// What it is called in its chat, the same each time.
    pub id: i64,
    /// The name of who wrote it.
    pub from: String,
    /// What the messenger calls them.
    pub from_id: String,
    /// It was oneself.
    pub mine: bool,
    /// When.
    pub at: Milliseconds,
    /// As [`crate::rich`] reads it; at most 16,384 characters count.
    pub text: String,
    /// Somebody else wrote it first.
    pub forwarded: bool,
    /// It was changed.
    pub edited: bool,
    /// The message it answers.
    pub reply: Option<i64>,
    /// How many files it had.
    pub files: usize,
}

/// What messages have beside words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Addresses.
    Links,
    /// Pictures, files, voice notes.
    Files,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// Messages found.
    Hits(Hits),
    /// A secret of 32 bytes, hexadecimal.
    Key(String),
    /// A piece of a backup.
    Piece {
        /// What to seal.
        #[serde(with = "serde_bytes")]
        bytes: Vec<u8>,
        /// Where the next one is; none: this is the last.
        next: Option<At>,
    },
    /// How much was restored, or imported.
    Counted(Counted),
}

/// Messages found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hits {
    /// Newest first.
    pub rows: Vec<Hit>,
    /// Where older ones are asked from; none: there are no more.
    pub before: Option<i64>,
    /// Not everything on this device can be found yet: how much can, in hundredths.
    pub indexed: Option<u8>,
}

/// A message found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hit {
    /// Its conversation.
    pub conversation: ConversationId,
    /// The conversation's id for scripts, hexadecimal.
    pub chat: String,
    /// What the chat is called.
    pub title: String,
    /// Its row.
    pub message: MessageId,
    /// The MIMI message id, hexadecimal; empty if it has none.
    pub reference: String,
    /// Who wrote it.
    pub from: From,
    /// When its sender says it was sent.
    pub at: Milliseconds,
    /// What it says around what was found, as one line.
    pub snippet: String,
    /// Where in the snippet that is: bytes, in order.
    pub marks: Vec<Range<usize>>,
    /// The addresses in the message.
    pub links: Vec<String>,
}
