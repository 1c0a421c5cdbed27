// SPDX-License-Identifier: AGPL-3.0-or-later
//! What a message says: `mimiContent`, with the content types of this version.
//!
//! ```text
//! mimiContent = [salt: bstr .size 16, replaces: null / MessageId, topicId: bstr, expires: null / [relative: bool, seconds: uint],
//!                inReplyTo: null / MessageId, extensions: {* (int / tstr) => any}, nestedPart]
//! nestedPart  = [disposition: uint, language: tstr, cardinality: uint, ...]     ; 0 null, 1 single, 2 external, 3 multi
//! single part = [.., 1, contentType: tstr, content: bstr]
//! external    = [.., 2, contentType, url, expires: uint, size: uint, encAlg: uint, key: bstr, nonce: bstr, aad: bstr, hashAlg: uint,
//!                contentHash: bstr, description: tstr, filename: tstr]
//! ```
//!
//! To add a content type: a variant of [`Content`], its type name, its body in `write` and `read_body`, a test vector.
//!
//! Spec: draft-ietf-mimi-content and draft-mahy-mimi-message-status; `docs/book/protocol.md`, 6.

pub mod external;

use std::convert::Infallible;

use minicbor::{
    Decoder, Encoder, data::Type, decode::Error as DecodeError, encode::Error as EncodeError,
};
use nodoor_wire::{
    id::{AccountId, CommitId, MessageId, RoomId, first_16},
    limits,
};
use sha2::{Digest as _, Sha256};

/// The longest encoded content that is read, bytes: the longest text and what is around it.
pub const CONTENT: usize = limits::TEXT + 1024;
/// Messages of one status report.
pub const REPORTED: usize = 1000;
/// Frames of one asking, and of one answer.
pub const ASKED: usize = 64;
/// The longest name in a profile, bytes of UTF-8.
pub const NAME: usize = 256;
/// The longest reaction, bytes of UTF-8: the longest emoji sequences have 35.
pub const REACTION: usize = 64;

const TEXT_TYPE: &str = "text/plain;charset=utf-8";
const MARKDOWN_TYPE: &str = "text/markdown;variant=GFM-MIMI";
const STATUS_TYPE: &str = "application/mimi-message-status";
const PROFILE_TYPE: &str = "application/nodoor.profile+cbor";
const OWN_TYPE: &str = "application/nodoor.self+cbor";
const STUCK_TYPE: &str = "application/nodoor.stuck+cbor";
const JOIN_TYPE: &str = "application/nodoor.join+cbor";
const RESEND_TYPE: &str = "application/nodoor.resend+cbor";
const TIMER_TYPE: &str = "application/nodoor.timer+cbor";
const PIN_TYPE: &str = "application/nodoor.pin+cbor";
const ASK_TYPE: &str = "application/nodoor.checkpoint-request";
const CHECKPOINT_TYPE: &str = "application/nodoor.checkpoint";
const EVIDENCE_TYPE: &str = "application/nodoor.evidence";

// Extensions of ours; text keys are for private use.
const FORWARDED: &str = "nodoor.forwarded";
const ONCE: &str = "nodoor.once";
const FILE: &str = "nodoor.file";

// Dispositions of the draft.
const RENDER: u32 = 1;
const REACT: u32 = 2;
const PROFILE: u32 = 3;
const SESSION: u32 = 7;

// Cardinalities of the draft.
const NULL_PART: u32 = 0;
const SINGLE_PART: u32 = 1;
const EXTERNAL_PART: u32 = 2;

/// A message: what it says, and what it has to do with another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MimiContent {
    /// The message of the same sender that this one is put in place of: with a text an edit, with [`Content::Nothing`] a
    /// deletion.
    pub replaces: Option<MessageId>,
    /// When a reader's device shall delete it.
    pub expires: Option<Expiry>,
    /// The message it answers, reacts to or pins.
    pub in_reply_to: Option<MessageId>,
    /// Somebody else wrote it first.
    pub forwarded: bool,
    /// Shown once, and then gone.
    pub once: bool,
    /// What it says.
    pub body: Content,
}

/// When a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expiry {
    /// Counted from when it is read; else since 1970.
    pub relative: bool,
    /// Seconds.
    pub seconds: u32,
}

/// What became of a message on the device that reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It is there.
    Delivered,
    /// It was read.
    Read,
    /// It was deleted there, as its sender asked.
    Deleted,
}

impl Status {
    const fn number(self) -> u32 {
        match self {
            Self::Delivered => 1,
            Self::Read => 2,
            Self::Deleted => 4,
        }
    }

    /// Nothing for what this version says nothing of: unread, expired, hidden, error.
    const fn of_number(number: u32) -> Option<Self> {
        match number {
            1 => Some(Self::Delivered),
            2 => Some(Self::Read),
            4 => Some(Self::Deleted),
            _ => None,
        }
    }
}

/// A frame, by the first bytes of the SHA-256 of its bytes: what its sender and whoever could not open it both have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FrameHash(pub [u8; 16]);

impl FrameHash {
    /// Of a frame as it travels.
    #[must_use]
    pub fn of(frame: &[u8]) -> Self {
        Self(first_16(Sha256::digest(frame).into()))
    }
}

/// Which message a frame was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resent {
    /// The frame.
    pub frame: FrameHash,
    /// The message.
    pub message: MessageId,
    /// It comes after this.
    pub again: bool,
}

/// What a message of this version says.
#[derive(Clone, PartialEq, Eq)]
pub enum Content {
    /// Text for people, at most `limits::TEXT` bytes.
    Text(String),
    /// Text with light formatting and mentions, at most `limits::TEXT` bytes of Markdown.
    Markdown(String),
    /// One emoji, at most [`REACTION`] bytes.
    Reaction(String),
    /// Nothing: what it replaces is deleted; of a reaction, what it answers has none of this sender any more.
    Nothing {
        /// A reaction is taken back.
        reaction: bool,
    },
    /// What became of messages here, at most [`REPORTED`].
    Status(Vec<(MessageId, Status)>),
    /// How this account calls itself; at most [`NAME`] bytes.
    Profile {
        /// The name.
        name: String,
        /// A program speaks for it.
        bot: bool,
    },
    /// From now on messages of this chat disappear so long after they were read; 0: they stay.
    Timer {
        /// Seconds.
        seconds: u32,
    },
    /// What it answers is pinned, or not any more.
    Pin {
        /// Pinned.
        on: bool,
    },
    /// "I cannot pass this commit": a call for help to another member.
    Stuck {
        /// The room.
        room: RoomId,
        /// The epoch the commit ends.
        epoch: u64,
        /// The commit.
        commit: CommitId,
    },
    /// "Let me into this group", to who made a link to it.
    Join {
        /// The room that the link names.
        room: RoomId,
        /// What the link shows that its reader may ask.
        secret: [u8; 16],
    },
    /// Frames that came when their keys were gone, by the first bytes of their hashes: whoever sealed one shall say so, and
    /// send it again. At most [`ASKED`].
    Resend(Vec<FrameHash>),
    /// The answer: whose message each of them was. At most [`ASKED`].
    Resent(Vec<Resent>),
    /// What a device tells the account's other devices: CBOR of the client's. Counts in a room of kind `self` alone.
    Own(Vec<u8>),
    /// A checkpoint of the public log as the log signed it, to somebody who saw another one. Never shown.
    Checkpoint {
        /// The signed note.
        note: Vec<u8>,
        /// The other's is asked for.
        asks: bool,
    },
    /// A file that proves what the log did. Never shown before it is checked.
    Evidence(Vec<u8>),
    /// A file, which travels apart.
    File(Box<external::File>),
    /// Well-formed, of a kind this version does not know: kept, and shown as "needs a newer version".
    Unknown,
}

impl From<Content> for MimiContent {
    fn from(body: Content) -> Self {
        let (replaces, expires, in_reply_to) = (None, None, None);
        Self { replaces, expires, in_reply_to, forwarded: false, once: false, body }
    }
}

/// Not a content: the sender's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a message content")]
pub struct NotContent;

impl From<DecodeError> for NotContent {
    fn from(_: DecodeError) -> Self {
        Self
    }
}

/// Encodes a content. `salt` is random: the hash in the report signature hides the text only with it.
/// [`Content::Unknown`] becomes a part without a type.
#[must_use]
pub fn encode(content: &MimiContent, salt: [u8; 16]) -> Vec<u8> {
    let mut e = Encoder::new(Vec::new());
    // Writing into a Vec cannot fail; half a content would be refused by every reader.
    let _ = write(&mut e, content, &salt);
    e.into_writer()
}

/// The salt of an encoded content.
///
/// # Errors
/// [`NotContent`]: it does not begin like one.
pub fn salt(bytes: &[u8]) -> Result<[u8; 16], NotContent> {
    let mut d = Decoder::new(bytes);
    array(&mut d, 7)?;
    d.bytes()?.try_into().map_err(|_| NotContent)
}

/// Decodes a content of at most [`CONTENT`] bytes.
///
/// # Errors
/// [`NotContent`]: malformed, too long, bytes left over, or a body that is not what its type says.
pub fn decode(bytes: &[u8]) -> Result<MimiContent, NotContent> {
    if bytes.len() > CONTENT {
        return Err(NotContent);
    }
    let mut d = Decoder::new(bytes);
    array(&mut d, 7)?;
    if d.bytes()?.len() != 16 {
        return Err(NotContent);
    }
    let replaces = unless_null(&mut d, message)?;
    d.bytes()?;
    let expires = unless_null(&mut d, |d| {
        array(d, 2)?;
        Ok(Expiry { relative: d.bool()?, seconds: d.u32()? })
    })?;
    let in_reply_to = unless_null(&mut d, message)?;
    let Extensions { forwarded, once, file } = extensions(&mut d)?;
    let body = part(&mut d, file)?;
    if d.position() != bytes.len() {
        return Err(NotContent);
    }
    Ok(MimiContent { replaces, expires, in_reply_to, forwarded, once, body })
}

/// The id of a message: the same on every device, and after every repetition.
#[must_use]
pub fn message_id(account: &AccountId, room: &RoomId, content: &[u8]) -> MessageId {
    let hash: [u8; 32] = Sha256::new()
        .chain_update("nodoor:account:")
        .chain_update(account.to_hex())
        .chain_update("nodoor:room:")
        .chain_update(room.to_hex())
        .chain_update(content)
        .finalize()
        .into();
    let mut id = [1; 32];
    id.iter_mut().skip(1).zip(hash).for_each(|(to, from)| *to = from);
    MessageId(id)
}

// A message has no place in a log.
impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Text(_) => "Text(..)",
            Self::Markdown(_) => "Markdown(..)",
            Self::Reaction(_) => "Reaction(..)",
            Self::Nothing { .. } => "Nothing(..)",
            Self::Status(_) => "Status(..)",
            Self::Timer { .. } => "Timer(..)",
            Self::Pin { .. } => "Pin(..)",
            Self::Profile { .. } => "Profile(..)",
            Self::Stuck { .. } => "Stuck(..)",
            Self::Join { .. } => "Join(..)",
            Self::Resend(_) => "Resend(..)",
            Self::Resent(_) => "Resent(..)",
            Self::Own(_) => "Own(..)",
            Self::Checkpoint { .. } => "Checkpoint(..)",
            Self::Evidence(_) => "Evidence(..)",
            Self::File(_) => "File(..)",
            Self::Unknown => "Unknown",
        })
    }
}

type Written = Result<(), EncodeError<Infallible>>;

fn write(e: &mut Encoder<Vec<u8>>, content: &MimiContent, salt: &[u8; 16]) -> Written {
    e.array(7)?.bytes(salt)?;
    write_message(e, content.replaces.as_ref())?;
    e.bytes(&[])?;
    match content.expires {
        None => e.null()?,
        Some(Expiry { relative, seconds }) => e.array(2)?.bool(relative)?.u32(seconds)?,
    };
    write_message(e, content.in_reply_to.as_ref())?;
    let said = [(FORWARDED, content.forwarded), (ONCE, content.once)];
    let said: Vec<&str> = said.into_iter().filter(|(_, is)| *is).map(|(name, _)| name).collect();
    let of_file = if let Content::File(file) = &content.body { Some(file) } else { None };
    e.map(said.len() as u64 + u64::from(of_file.is_some()))?;
    said.iter().try_for_each(|name| e.str(name)?.bool(true).map(drop))?;
    if let Some(file) = of_file {
        e.str(FILE)?.bytes(&body(|e| external::write_sketch(e, file)))?;
    }
    match &content.body {
        Content::Unknown => single(e, RENDER, "", &[])?,
        Content::Nothing { reaction } => {
            e.array(3)?.u32(if *reaction { REACT } else { RENDER })?.str("")?.u32(NULL_PART)?
        }
        Content::Text(text) => single(e, RENDER, TEXT_TYPE, text.as_bytes())?,
        Content::Markdown(text) => single(e, RENDER, MARKDOWN_TYPE, text.as_bytes())?,
        Content::Reaction(emoji) => single(e, REACT, TEXT_TYPE, emoji.as_bytes())?,
        Content::File(file) => external::write(e, file)?,
        Content::Own(body) => single(e, SESSION, OWN_TYPE, body)?,
        Content::Checkpoint { note, asks: true } => single(e, SESSION, ASK_TYPE, note)?,
        Content::Checkpoint { note, asks: false } => single(e, SESSION, CHECKPOINT_TYPE, note)?,
        Content::Evidence(file) => single(e, SESSION, EVIDENCE_TYPE, file)?,
        Content::Status(reported) => single(
            e,
            SESSION,
            STATUS_TYPE,
            &body(|e| {
                e.array(reported.len() as u64)?;
                reported.iter().try_for_each(|(id, status)| {
                    e.array(2)?.bytes(id.as_bytes())?.u32(status.number()).map(drop)
                })
            }),
        )?,
        Content::Profile { name, bot: false } => {
            single(e, PROFILE, PROFILE_TYPE, &body(|e| e.array(1)?.str(name).map(drop)))?
        }
        Content::Profile { name, bot: true } => {
            let said = body(|e| e.array(2)?.str(name)?.bool(true).map(drop));
            single(e, PROFILE, PROFILE_TYPE, &said)?
        }
        Content::Resend(asked) => single(
            e,
            SESSION,
            RESEND_TYPE,
            &body(|e| {
                e.array(2)?.u32(1)?.array(asked.len() as u64)?;
                asked.iter().try_for_each(|hash| e.bytes(&hash.0).map(drop))
            }),
        )?,
        Content::Resent(answers) => single(
            e,
            SESSION,
            RESEND_TYPE,
            &body(|e| {
                e.array(2)?.u32(2)?.array(answers.len() as u64)?;
                answers.iter().try_for_each(|one| {
                    e.array(3)?.bytes(&one.frame.0)?.bytes(one.message.as_bytes())?;
                    e.bool(one.again).map(drop)
                })
            }),
        )?,
        Content::Timer { seconds } => {
            single(e, SESSION, TIMER_TYPE, &body(|e| e.array(1)?.u32(*seconds).map(drop)))?
        }
        Content::Pin { on } => {
            single(e, SESSION, PIN_TYPE, &body(|e| e.array(1)?.bool(*on).map(drop)))?
        }
        Content::Join { room, secret } => single(
            e,
            SESSION,
            JOIN_TYPE,
            &body(|e| e.array(2)?.bytes(room.as_bytes())?.bytes(secret).map(drop)),
        )?,
        Content::Stuck { room, epoch, commit } => single(
            e,
            SESSION,
            STUCK_TYPE,
            &body(|e| {
                e.array(3)?.bytes(room.as_bytes())?.u64(*epoch)?.bytes(commit.as_bytes()).map(drop)
            }),
        )?,
    };
    Ok(())
}

fn write_message(e: &mut Encoder<Vec<u8>>, message: Option<&MessageId>) -> Written {
    match message {
        None => e.null(),
        Some(id) => e.bytes(id.as_bytes()),
    }
    .map(drop)
}

fn single<'e>(
    e: &'e mut Encoder<Vec<u8>>,
    disposition: u32,
    content_type: &str,
    body: &[u8],
) -> Result<&'e mut Encoder<Vec<u8>>, EncodeError<Infallible>> {
    e.array(5)?.u32(disposition)?.str("")?.u32(SINGLE_PART)?.str(content_type)?.bytes(body)
}

fn body(write: impl FnOnce(&mut Encoder<Vec<u8>>) -> Written) -> Vec<u8> {
    let mut e = Encoder::new(Vec::new());
    let _ = write(&mut e);
    e.into_writer()
}

/// A nested part. What is not a part of a known type is skipped without recursion.
fn part(d: &mut Decoder<'_>, sketch: Option<&[u8]>) -> Result<Content, NotContent> {
    let start = d.position();
    let length = d.array()?.filter(|length| *length >= 3).ok_or(NotContent)?;
    let disposition = d.u32()?;
    d.str()?;
    match (d.u32()?, length) {
        (NULL_PART, 3) => return Ok(Content::Nothing { reaction: disposition == REACT }),
        (SINGLE_PART, 5) => {}
        (EXTERNAL_PART, 15) => return external::read(d, sketch),
        (NULL_PART | SINGLE_PART, _) => return Err(NotContent),
        _ => {
            d.set_position(start);
            d.skip()?;
            return Ok(Content::Unknown);
        }
    }
    let content_type = d.str()?;
    let bytes = d.bytes()?;
    if disposition == REACT {
        return reaction(content_type, bytes);
    }
    read_body(content_type, bytes)
}

fn reaction(content_type: &str, bytes: &[u8]) -> Result<Content, NotContent> {
    if content_type != TEXT_TYPE {
        return Ok(Content::Unknown);
    }
    let fits = !bytes.is_empty() && bytes.len() <= REACTION;
    let emoji = fits.then(|| String::from_utf8(bytes.to_vec()).ok()).flatten();
    emoji.map(Content::Reaction).ok_or(NotContent)
}

fn read_body(content_type: &str, bytes: &[u8]) -> Result<Content, NotContent> {
    let mut d = Decoder::new(bytes);
    let content = match content_type {
        TEXT_TYPE | MARKDOWN_TYPE if bytes.len() <= limits::TEXT => {
            let text = String::from_utf8(bytes.to_vec()).map_err(|_| NotContent)?;
            let formatted = content_type == MARKDOWN_TYPE;
            return Ok(if formatted { Content::Markdown(text) } else { Content::Text(text) });
        }
        TEXT_TYPE | MARKDOWN_TYPE => return Err(NotContent),
        OWN_TYPE => return Ok(Content::Own(bytes.to_vec())),
        ASK_TYPE | CHECKPOINT_TYPE => {
            let asks = content_type == ASK_TYPE;
            return Ok(Content::Checkpoint { note: bytes.to_vec(), asks });
        }
        EVIDENCE_TYPE => return Ok(Content::Evidence(bytes.to_vec())),
        STATUS_TYPE => {
            let count = d.array()?.filter(|count| *count <= REPORTED as u64).ok_or(NotContent)?;
            let mut reported = Vec::new();
            for _ in 0..count {
                array(&mut d, 2)?;
                let id = message(&mut d)?;
                reported.extend(Status::of_number(d.u32()?).map(|status| (id, status)));
            }
            Content::Status(reported)
        }
        PROFILE_TYPE => {
            let fields = d.array()?.filter(|fields| matches!(fields, 1 | 2)).ok_or(NotContent)?;
            let name = d.str()?.to_owned();
            if name.len() > NAME {
                return Err(NotContent);
            }
            Content::Profile { name, bot: fields == 2 && d.bool()? }
        }
        TIMER_TYPE => {
            array(&mut d, 1)?;
            Content::Timer { seconds: d.u32()? }
        }
        PIN_TYPE => {
            array(&mut d, 1)?;
            Content::Pin { on: d.bool()? }
        }
        JOIN_TYPE => {
            array(&mut d, 2)?;
            let room = RoomId(id(&mut d)?);
            Content::Join { room, secret: d.decode::<minicbor::bytes::ByteArray<16>>()?.into() }
        }
        RESEND_TYPE => resend(&mut d)?,
        STUCK_TYPE => {
            array(&mut d, 3)?;
            let room = RoomId(id(&mut d)?);
            let epoch = d.u64()?;
            Content::Stuck { room, epoch, commit: CommitId(id(&mut d)?) }
        }
        _ => return Ok(Content::Unknown),
    };
    if d.position() == bytes.len() { Ok(content) } else { Err(NotContent) }
}

fn resend(d: &mut Decoder<'_>) -> Result<Content, NotContent> {
    array(d, 2)?;
    let kind = d.u32()?;
    let count = d.array()?.filter(|count| *count <= ASKED as u64).ok_or(NotContent)?;
    let frame = |d: &mut Decoder<'_>| d.bytes()?.try_into().map(FrameHash).map_err(|_| NotContent);
    match kind {
        1 => {
            let asked: Result<_, _> = (0..count).map(|_| frame(d)).collect();
            asked.map(Content::Resend)
        }
        2 => {
            let answers = (0..count).map(|_| {
                array(d, 3)?;
                let (frame, message) = (frame(d)?, message(d)?);
                Ok(Resent { frame, message, again: d.bool()? })
            });
            answers.collect::<Result<_, _>>().map(Content::Resent)
        }
        _ => Err(NotContent),
    }
}

/// What we know of the extensions.
#[derive(Default)]
struct Extensions<'b> {
    forwarded: bool,
    once: bool,
    file: Option<&'b [u8]>,
}

/// Others are skipped.
fn extensions<'b>(d: &mut Decoder<'b>) -> Result<Extensions<'b>, NotContent> {
    let count = d.map()?.ok_or(NotContent)?;
    let mut known = Extensions::default();
    for _ in 0..count {
        let name = if d.datatype()? == Type::String { Some(d.str()?) } else { None };
        if name.is_none() {
            d.int()?;
        }
        match name {
            Some(FORWARDED) => known.forwarded = d.bool()?,
            Some(ONCE) => known.once = d.bool()?,
            Some(FILE) => known.file = Some(d.bytes()?),
            _ => d.skip()?,
        }
    }
    Ok(known)
}

fn array(d: &mut Decoder<'_>, length: u64) -> Result<(), NotContent> {
    if d.array()? == Some(length) { Ok(()) } else { Err(NotContent) }
}

fn id(d: &mut Decoder<'_>) -> Result<[u8; 32], NotContent> {
    <[u8; 32]>::try_from(d.bytes()?).map_err(|_| NotContent)
}

fn message(d: &mut Decoder<'_>) -> Result<MessageId, NotContent> {
    id(d).map(MessageId)
}

fn unless_null<'b, T>(
    d: &mut Decoder<'b>,
    read: impl FnOnce(&mut Decoder<'b>) -> Result<T, NotContent>,
) -> Result<Option<T>, NotContent> {
    if d.datatype()? == Type::Null {
        d.null()?;
        return Ok(None);
    }
    read(d).map(Some)
}
