// SPDX-License-Identifier: AGPL-3.0-or-later
//! Files: what an interface asks, what it is told, and how a row shows one.
//!
//! A file travels apart from its message: the row is there at once, [`State`] says how far the bytes are, and
//! [`Event::Progress`] comes while they move. Paths are the driver's: a place in a file system natively.
//!
//! Spec: `docs/book/protocol.md`, 9.

use serde::{Deserialize, Serialize};

use crate::model::{ConversationId, MessageId, Problem};

/// What an interface may ask about files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Sends a file. Its row is on disk, in order, before the answer, which is `Sent`; it goes out when all of it is at the
    /// server. The file must stay as it is until [`State::Preparing`] is over.
    Send {
        /// Which conversation.
        conversation: ConversationId,
        /// Where it is.
        path: String,
        /// What it is called; empty: as it is called there.
        name: String,
        /// A text under it, at most 8 KiB.
        caption: String,
        /// Of a voice note, else 0.
        milliseconds: u32,
        /// Of a voice note, how loud it is over its time: at most 64 samples.
        waveform: Vec<u8>,
    },
    /// Fetches a file, sealed, to this device. Answer: `Done`; the row says when it is here.
    Fetch {
        /// Which message.
        message: MessageId,
    },
    /// Writes a file to a place, fetching it before where it is not here. What is there is not overwritten. Answer:
    /// `Done`; then [`Event::Saved`] or [`Event::Failed`].
    Save {
        /// Which message.
        message: MessageId,
        /// Where to.
        path: String,
    },
    /// Stops what moves. One's own message that was not sent goes; a file that was being fetched stays at the server.
    /// Answer: `Done`.
    Cancel {
        /// Which message.
        message: MessageId,
    },
    /// How much of this disk the files of a chat take. Answer: `Used`.
    Used {
        /// Which conversation.
        conversation: ConversationId,
    },
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// What files of a chat take.
    Used {
        /// Files.
        files: u32,
        /// Bytes, sealed; one that several messages name counts in each of them.
        bytes: u64,
    },
}

/// What interfaces are told of files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// Bytes moved.
    Progress {
        /// Whose file.
        message: MessageId,
        /// Bytes so far.
        done: u64,
        /// Of so many.
        total: u64,
    },
    /// A file is where it was wanted.
    Saved {
        /// Whose file.
        message: MessageId,
    },
    /// A file was not fetched or not saved. (What happens to one that is being sent is its row's state.)
    Failed {
        /// Whose file.
        message: MessageId,
        /// `NotFound`: it is no longer at the server. `Forged`: not what was sent. `Disk`: this disk, or the place is taken.
        problem: Problem,
    },
}

/// A file as its row shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// A name that is one: no folders, nothing that turns text around; never empty.
    pub name: String,
    /// A MIME type: the sender's word until the file is here, then what its first bytes say too. `application/octet-stream`
    /// is a plain file, and whatever is not known to be what it claims.
    pub content_type: String,
    /// Bytes.
    pub size: u64,
    /// The text under it, or empty.
    pub caption: String,
    /// Of a picture, pixels; else 0.
    pub width: u32,
    /// Of a picture, pixels; else 0.
    pub height: u32,
    /// Of sound, else 0.
    pub milliseconds: u32,
    /// How loud it is over its time.
    pub waveform: Vec<u8>,
    /// A picture, blurred.
    pub preview: Vec<u8>,
    /// Where its bytes are.
    pub state: State,
}

/// Where the bytes of a file are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Being sealed on this disk.
    Preparing,
    /// On their way to the server.
    Uploading,
    /// At the server, as far as is known.
    Away,
    /// On their way here.
    Fetching,
    /// Here, sealed.
    Here,
}
