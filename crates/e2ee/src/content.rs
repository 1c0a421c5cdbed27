// SPDX-License-Identifier: AGPL-3.0-or-later
//! What a message says: `mimiContent`, with the content types of this version.
//!
//! ```text
//! mimiContent = [salt: bstr .size 16, replaces: null / MessageId, topicId: bstr, expires: null / [bool, uint],
//!                inReplyTo: null / MessageId, extensions: {* any => any}, nestedPart]
//! nestedPart  = [disposition: uint, language: tstr, cardinality: uint, ...]     ; 0 null, 1 single, 2 external, 3 multi
//! single part = [.., 1, contentType: tstr, content: bstr]
//! ```
//!
//! To add a content type: a variant here, its type name, its body in `body` and `read_body`, a test vector.
//!
//! Spec: draft-ietf-mimi-content; `docs/book/protocol.md`, 6.

use std::convert::Infallible;

use minicbor::{
    Decoder, Encoder, data::Type, decode::Error as DecodeError, encode::Error as EncodeError,
};
use nodoor_wire::{
    id::{AccountId, CommitId, MessageId, RoomId},
    limits,
};
use sha2::{Digest as _, Sha256};

/// The longest encoded content that is read, bytes: the longest text and what is around it.
pub const CONTENT: usize = limits::TEXT + 1024;
/// Message ids in one receipt.
pub const RECEIPTS: usize = 1000;
/// The longest name in a profile, bytes of UTF-8.
pub const NAME: usize = 256;

const TEXT_TYPE: &str = "text/plain;charset=utf-8";
const RECEIPT_TYPE: &str = "application/nodoor.receipt+cbor";
const PROFILE_TYPE: &str = "application/nodoor.profile+cbor";
const OWN_TYPE: &str = "application/nodoor.self+cbor";
const STUCK_TYPE: &str = "application/nodoor.stuck+cbor";
const ASK_TYPE: &str = "application/nodoor.checkpoint-request";
const CHECKPOINT_TYPE: &str = "application/nodoor.checkpoint";
const EVIDENCE_TYPE: &str = "application/nodoor.evidence";

// Dispositions of the draft.
const RENDER: u32 = 1;
const PROFILE: u32 = 3;
const SESSION: u32 = 7;

// Cardinalities of the draft.
const NULL_PART: u32 = 0;
const SINGLE_PART: u32 = 1;

/// A message of this version.
#[derive(Clone, PartialEq, Eq)]
pub enum Content {
    /// Text for people, at most `limits::TEXT` bytes.
    Text(String),
    /// "These have arrived on this device", at most [`RECEIPTS`].
    Receipt(Vec<MessageId>),
    /// How this account calls itself; at most [`NAME`] bytes.
    Profile {
        /// The name.
        name: String,
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
    /// Well-formed, of a kind this version does not know (or that replaces or expires, which it cannot do):
    /// kept, and shown as "needs a newer version".
    Unknown,
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
/// [`Content::Unknown`] becomes an empty part.
#[must_use]
pub fn encode(content: &Content, salt: [u8; 16]) -> Vec<u8> {
    let mut e = Encoder::new(Vec::new());
    // Writing into a Vec cannot fail; half a content would be refused by every reader.
    let _ = write(&mut e, content, &salt);
    e.into_writer()
}

/// Decodes a content of at most [`CONTENT`] bytes.
///
/// # Errors
/// [`NotContent`]: malformed, too long, bytes left over, or a body that is not what its type says.
pub fn decode(bytes: &[u8]) -> Result<Content, NotContent> {
    if bytes.len() > CONTENT {
        return Err(NotContent);
    }
    let mut d = Decoder::new(bytes);
    array(&mut d, 7)?;
    if d.bytes()?.len() != 16 {
        return Err(NotContent);
    }
    let replaces = skip_unless_null(&mut d)?;
    d.bytes()?;
    let expires = skip_unless_null(&mut d)?;
    skip_unless_null(&mut d)?;
    if d.datatype()? != Type::Map {
        return Err(NotContent);
    }
    d.skip()?;
    let content = part(&mut d)?;
    if d.position() != bytes.len() {
        return Err(NotContent);
    }
    Ok(if replaces || expires { Content::Unknown } else { content })
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
            Self::Receipt(_) => "Receipt(..)",
            Self::Profile { .. } => "Profile(..)",
            Self::Stuck { .. } => "Stuck(..)",
            Self::Own(_) => "Own(..)",
            Self::Checkpoint { .. } => "Checkpoint(..)",
            Self::Evidence(_) => "Evidence(..)",
            Self::Unknown => "Unknown",
        })
    }
}

type Written = Result<(), EncodeError<Infallible>>;

fn write(e: &mut Encoder<Vec<u8>>, content: &Content, salt: &[u8; 16]) -> Written {
    e.array(7)?.bytes(salt)?.null()?.bytes(&[])?.null()?.null()?.map(0)?;
    match content {
        Content::Unknown => e.array(3)?.u32(RENDER)?.str("")?.u32(NULL_PART)?,
        Content::Text(text) => single(e, RENDER, TEXT_TYPE, text.as_bytes())?,
        Content::Own(body) => single(e, SESSION, OWN_TYPE, body)?,
        Content::Checkpoint { note, asks: true } => single(e, SESSION, ASK_TYPE, note)?,
        Content::Checkpoint { note, asks: false } => single(e, SESSION, CHECKPOINT_TYPE, note)?,
        Content::Evidence(file) => single(e, SESSION, EVIDENCE_TYPE, file)?,
        Content::Receipt(ids) => single(
            e,
            SESSION,
            RECEIPT_TYPE,
            &body(|e| {
                e.array(ids.len() as u64)?;
                ids.iter().try_for_each(|id| e.bytes(id.as_bytes()).map(drop))
            }),
        )?,
        Content::Profile { name } => {
            single(e, PROFILE, PROFILE_TYPE, &body(|e| e.array(1)?.str(name).map(drop)))?
        }
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

/// A nested part. What is not a single part of a known type is skipped without recursion.
fn part(d: &mut Decoder<'_>) -> Result<Content, NotContent> {
    let start = d.position();
    let length = d.array()?.filter(|length| *length >= 3).ok_or(NotContent)?;
    d.u32()?;
    d.str()?;
    let single = d.u32()? == SINGLE_PART;
    if !single {
        d.set_position(start);
        d.skip()?;
        return Ok(Content::Unknown);
    }
    if length != 5 {
        return Err(NotContent);
    }
    let content_type = d.str()?;
    let bytes = d.bytes()?;
    read_body(content_type, bytes)
}

fn read_body(content_type: &str, bytes: &[u8]) -> Result<Content, NotContent> {
    let mut d = Decoder::new(bytes);
    let content = match content_type {
        TEXT_TYPE if bytes.len() <= limits::TEXT => {
            let text = String::from_utf8(bytes.to_vec()).map_err(|_| NotContent)?;
            return Ok(Content::Text(text));
        }
        TEXT_TYPE => return Err(NotContent),
        OWN_TYPE => return Ok(Content::Own(bytes.to_vec())),
        ASK_TYPE | CHECKPOINT_TYPE => {
            let asks = content_type == ASK_TYPE;
            return Ok(Content::Checkpoint { note: bytes.to_vec(), asks });
        }
        EVIDENCE_TYPE => return Ok(Content::Evidence(bytes.to_vec())),
        RECEIPT_TYPE => {
            let count = d.array()?.filter(|count| *count <= RECEIPTS as u64).ok_or(NotContent)?;
            let ids = (0..count).map(|_| id(&mut d).map(MessageId)).collect::<Result<_, _>>()?;
            Content::Receipt(ids)
        }
        PROFILE_TYPE => {
            array(&mut d, 1)?;
            let name = d.str()?.to_owned();
            if name.len() > NAME {
                return Err(NotContent);
            }
            Content::Profile { name }
        }
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

fn array(d: &mut Decoder<'_>, length: u64) -> Result<(), NotContent> {
    if d.array()? == Some(length) { Ok(()) } else { Err(NotContent) }
}

fn id(d: &mut Decoder<'_>) -> Result<[u8; 32], NotContent> {
    <[u8; 32]>::try_from(d.bytes()?).map_err(|_| NotContent)
}

/// Skips one value; tells whether it was something.
fn skip_unless_null(d: &mut Decoder<'_>) -> Result<bool, NotContent> {
    let something = d.datatype()? != Type::Null;
    d.skip()?;
    Ok(something)
}
