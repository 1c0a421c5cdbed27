// SPDX-License-Identifier: AGPL-3.0-or-later
//! A file in a message: `ExternalPart`, and the extension for what the draft has no field for.
//!
//! Knows what is said of a file, not the file: that is [`crate::file`]'s. All of it is the sender's word, but what the
//! hashes bind.
//!
//! Spec: draft-ietf-mimi-content; `docs/book/protocol.md`, 9. [`super`] calls it.

use std::convert::Infallible;

use minicbor::{Decoder, Encoder, encode::Error as EncodeError};

use super::{Content, EXTERNAL_PART, NAME, NotContent, Written, array, id};
use crate::file::{Hashes, LARGEST};

/// The longest name of a file, bytes of UTF-8.
pub const FILE_NAME: usize = 255;
/// The longest text under a file, bytes of UTF-8.
pub const CAPTION: usize = 8 * 1024;
/// Samples of a waveform, and bytes of a blurred picture.
pub const SKETCH: usize = 64;
/// What the name of a blob begins with in a message.
const BLOB: &str = "nodoor:blob:";
/// STREAM with ChaCha20-Poly1305 as `file` does it: a number for private use.
const STREAM: u32 = 61_649;
/// SHA-256 in IANA's list of named hashes.
const SHA_256: u32 = 1;

const ATTACHMENT: u32 = 6;

/// What a message says of a file. All of it is the sender's word, but what the hashes bind.
#[derive(Clone, PartialEq, Eq)]
pub struct File {
    /// A MIME type, at most [`NAME`] bytes.
    pub content_type: String,
    /// Bytes, at most [`LARGEST`].
    pub size: u64,
    /// Opens it.
    pub key: [u8; 32],
    /// Of the file and of its sealed bytes.
    pub hashes: Hashes,
    /// Until when the blob stays without being renewed, seconds since 1970; 0: nobody said.
    pub expires: u32,
    /// A text under it, at most [`CAPTION`] bytes.
    pub caption: String,
    /// At most [`FILE_NAME`] bytes.
    pub name: String,
    /// Of a picture, pixels; else 0.
    pub width: u32,
    /// Of a picture, pixels; else 0.
    pub height: u32,
    /// Of sound, else 0.
    pub milliseconds: u32,
    /// How loud a voice note is over its time, at most [`SKETCH`] samples.
    pub waveform: Vec<u8>,
    /// A picture, blurred, at most [`SKETCH`] bytes.
    pub preview: Vec<u8>,
}

/// Writes the part.
pub(super) fn write<'e>(
    e: &'e mut Encoder<Vec<u8>>,
    file: &File,
) -> Result<&'e mut Encoder<Vec<u8>>, EncodeError<Infallible>> {
    let hex: String = file.hashes.sealed.iter().map(|byte| format!("{byte:02x}")).collect();
    e.array(15)?.u32(ATTACHMENT)?.str("")?.u32(EXTERNAL_PART)?.str(&file.content_type)?;
    e.str(&format!("{BLOB}{hex}"))?.u32(file.expires)?.u64(file.size)?.u32(STREAM)?;
    e.bytes(&file.key)?.bytes(&[])?.bytes(&[])?.u32(SHA_256)?.bytes(&file.hashes.sealed)?;
    e.str(&file.caption)?.str(&file.name)
}

/// Writes the extension.
pub(super) fn write_sketch(e: &mut Encoder<Vec<u8>>, file: &File) -> Written {
    e.array(6)?.bytes(&file.hashes.plain)?.u32(file.width)?.u32(file.height)?;
    e.u32(file.milliseconds)?.bytes(&file.waveform)?.bytes(&file.preview).map(drop)
}

/// A file; of another form than ours, or without what ours needs beside it, it is of a kind nobody knows.
pub(super) fn read(d: &mut Decoder<'_>, sketch: Option<&[u8]>) -> Result<Content, NotContent> {
    let content_type = short(d, NAME)?;
    let url = d.str()?;
    let (expires, size, algorithm) = (d.u64()?, d.u64()?, d.u32()?);
    let (key, nonce, aad) = (d.bytes()?, d.bytes()?, d.bytes()?);
    let (hash_algorithm, hash) = (d.u32()?, d.bytes()?);
    let (caption, name) = (short(d, CAPTION)?, short(d, FILE_NAME)?);
    let Some(sketch) = sketch.filter(|_| algorithm == STREAM && hash_algorithm == SHA_256) else {
        return Ok(Content::Unknown);
    };
    let sealed = <[u8; 32]>::try_from(hash).map_err(|_| NotContent)?;
    let hex: String = sealed.iter().map(|byte| format!("{byte:02x}")).collect();
    if size > LARGEST || !nonce.is_empty() || !aad.is_empty() || url != format!("{BLOB}{hex}") {
        return Err(NotContent);
    }
    let mut beside = Decoder::new(sketch);
    let b = &mut beside;
    array(b, 6)?;
    let hashes = Hashes { plain: id(b)?, sealed };
    let (width, height, milliseconds) = (b.u32()?, b.u32()?, b.u32()?);
    let (waveform, preview) = (few(b, SKETCH)?, few(b, SKETCH)?);
    if b.position() != sketch.len() {
        return Err(NotContent);
    }
    Ok(Content::File(Box::new(File {
        content_type,
        size,
        key: key.try_into().map_err(|_| NotContent)?,
        hashes,
        expires: u32::try_from(expires).unwrap_or(u32::MAX),
        caption,
        name,
        width,
        height,
        milliseconds,
        waveform,
        preview,
    })))
}

fn short(d: &mut Decoder<'_>, most: usize) -> Result<String, NotContent> {
    let text = d.str()?;
    if text.len() <= most { Ok(text.to_owned()) } else { Err(NotContent) }
}

fn few(d: &mut Decoder<'_>, most: usize) -> Result<Vec<u8>, NotContent> {
    let bytes = d.bytes()?;
    if bytes.len() <= most { Ok(bytes.to_vec()) } else { Err(NotContent) }
}
