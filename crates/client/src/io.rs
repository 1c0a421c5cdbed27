// SPDX-License-Identifier: AGPL-3.0-or-later
//! What goes into the engine and what comes out. A driver (`sdk`, `testkit`) moves it.

use nodoor_e2ee::file::Hashes;
use nodoor_view::{
    command::{Ask, Told},
    event::Event,
    model::MessageId,
};

use crate::media::Look;

/// Which of the two connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Wire {
    /// Own mailbox and its bodies, own lists, tokens, key package upload.
    Login,
    /// Rooms, key packages of others, look-ups.
    Anonymous,
}

/// One thing that happened. The driver hands in one after the other.
#[derive(Debug, Clone)]
pub enum Input {
    /// The process or tab started: the engine picks up what it left, and says what it needs.
    Start,
    /// An interface asks something; the answer is an [`Effect::Told`], now or later.
    Ask(Ask),
    /// A connection stands. The driver sends nothing on it but [`Effect::Frame`]s.
    Connected(Wire),
    /// A connection is gone; frames in flight may or may not have arrived.
    Disconnected(Wire),
    /// One protobuf `FromServer` frame.
    Frame(Wire, Vec<u8>),
    /// What became of the work on a message's file.
    File(MessageId, FileWord),
    /// A time asked for by [`Effect::Timer`] has come (or later: it is only a hint).
    Timer,
}

/// What the driver does next, in order. All of it is already on disk.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Open this connection if it is not open; on failure wait with jitter (1 s doubling to 60 s) and try again.
    /// Until an account exists only the anonymous one, and the login one for registering, are asked for.
    Connect(Wire),
    /// Drop this connection if it is open, with all that came on it and was not handed in, and open another at once;
    /// then as [`Effect::Connect`]. The engine knows: no [`Input::Disconnected`] for the one that is dropped.
    Renew(Wire),
    /// Send one protobuf `Request` frame. If the connection is gone, drop it: the engine sends again what matters.
    Frame(Wire, Vec<u8>),
    /// Hand [`Input::Timer`] in at this time, milliseconds since 1970. Replaces the timer before.
    Timer(u64),
    /// The answer to an [`Input::Ask`].
    Told(Told),
    /// Tell interfaces.
    Event(Event),
    /// Work on a message's file, beside everything else. Ends with one [`Input::File`] that is not
    /// [`FileWord::Moved`], unless it is dropped with the connection to the engine.
    File(MessageId, FileWork),
    /// The profile was erased: close the store, delete its files, stop.
    Erased,
}

/// What the driver does with a file. Sealed files lie where it keeps them, each under the hash of its bytes.
///
/// Spec: `docs/book/protocol.md`, 9.
#[derive(Clone, PartialEq, Eq)]
pub enum FileWork {
    /// Look at a file ([`crate::media`]), clean it if it is a picture that is cleaned, seal it, keep it sealed.
    Seal {
        /// Where it is, as the interface named it.
        from: String,
        /// Of this file alone.
        key: [u8; 32],
    },
    /// Bring a sealed file to the server: where it is not there, go on with the upload of this secret, and where there is no
    /// upload, begin one with this pass.
    Put {
        /// The file.
        sealed: [u8; 32],
        /// The upload's.
        secret: [u8; 32],
        /// Without one, [`FileWord::NeedsPass`] says whether it takes one.
        pass: Option<[u8; 32]>,
    },
    /// Fetch a sealed file, from where it was broken off; check its hash; look at its first bytes; keep it sealed.
    Get {
        /// The file.
        hashes: Hashes,
        /// Opens it.
        key: [u8; 32],
        /// Bytes of the file, not sealed.
        size: u64,
        /// Permission.
        pass: [u8; 32],
    },
    /// Open a sealed file that is kept, check it to the end, and only then have it stand at a place where nothing stood.
    Save {
        /// The file.
        hashes: Hashes,
        /// Opens it.
        key: [u8; 32],
        /// Bytes of the file, not sealed.
        size: u64,
        /// Where to, as the interface named it.
        to: String,
    },
    /// End what is under way for this message, without a word.
    Stop,
    /// Forget a sealed file, whole or in part, without a word.
    Forget {
        /// The file.
        sealed: [u8; 32],
    },
    /// Forget every sealed file but these, without a word: a crash may have come between a row and its file. No message's.
    KeepOnly {
        /// The files, whole or in part.
        sealed: Vec<[u8; 32]>,
    },
}

// Keys have no place in a log.
impl std::fmt::Debug for FileWork {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Seal { .. } => "Seal(..)",
            Self::Put { .. } => "Put(..)",
            Self::Get { .. } => "Get(..)",
            Self::Save { .. } => "Save(..)",
            Self::Stop => "Stop",
            Self::Forget { .. } => "Forget(..)",
            Self::KeepOnly { .. } => "KeepOnly(..)",
        })
    }
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileWord {
    /// Bytes moved; more will.
    Moved {
        /// So far.
        done: u64,
        /// Of so many.
        total: u64,
    },
    /// It is sealed and kept, durably.
    Sealed {
        /// Of the file as it was sealed.
        hashes: Hashes,
        /// Its bytes.
        size: u64,
        /// What it is.
        look: Look,
    },
    /// It is at the server.
    Put,
    /// It is here, whole, durably.
    Got {
        /// What its first bytes say.
        look: Look,
    },
    /// It stands where it was wanted.
    Saved,
    /// The server wants a pass, or another one.
    NeedsPass,
    /// It was not done.
    Failed(FileFault),
}

/// Why work on a file was not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileFault {
    /// No answer, or one that says later: again by itself.
    NoAnswer,
    /// The server has no room for files.
    Full,
    /// Larger than a file may be.
    TooLarge,
    /// Not at the server.
    Gone,
    /// Not what the message names.
    Forged,
    /// The file that was to be sealed cannot be read, or changed meanwhile.
    Unreadable,
    /// This disk, or the place is taken.
    Disk,
    /// The sealed file is not here.
    NotHere,
}
